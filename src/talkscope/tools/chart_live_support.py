"""How do live agents do, as bars?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, cast

from pydantic import Field

from talkscope import contract
from talkscope.charts.drawing import Drawing
from talkscope.models.answers import Answer, Cell
from talkscope.models.questions import Asked, Windowed, Words
from talkscope.tools.chart import Ask, Chart, apart, given

# Characters of a bar with its texts.
_BAR = 160
_TIMES = {"queue_ms": "queue", "first_response_ms": "first response", "chat_ms": "chat, queue included"}
_TITLES = {
    "queue_ms": "Time in the queue",
    "first_response_ms": "Time to the first response",
    "chat_ms": "Chat time, queue included",
    "sessions": "Sessions with live agents",
    "availability_ms": "Availability of agents",
    "occupancy": "Occupancy of agents",
}


class LiveSupportChartAsked(Windowed):
    """Live support as bars."""

    measure: Literal["queue_ms", "first_response_ms", "chat_ms", "sessions", "availability_ms", "occupancy"] | None = (
        Field(default=None, description="default times")
    )
    group_by: Words = Field(
        default_factory=list,
        max_length=1,
        description="agent agent_group status resolution platform channel language assistant",
    )
    limit: int = Field(default=15, ge=1, le=50, description="groups, default 15")


async def _draw(ask: Ask, asked: Asked, room: int) -> Drawing:
    from talkscope.charts import bar
    from talkscope.charts.drawing import words as in_words

    words = cast("LiveSupportChartAsked", asked)
    measures = [words.measure] if words.measure else ["queue_ms"] if words.group_by else list(_TIMES)
    limit = max(1, min(words.limit, room // _BAR))
    answer = await ask(
        contract.LIVE_SUPPORT, **{**given(words, "measure"), "measures": measures, "limit": limit}
    )  # fmt: skip
    figures, by = _figures(answer, measures)
    figures = _readable(figures)
    what = _TITLES[measures[0]] if len(measures) == 1 else "Times of live support"
    group = by if words.group_by else "status" if measures == ["sessions"] else ""
    title = f"{what} by {group.removesuffix('_id').replace('_', ' ')}" if group else what
    drawn = [each for each in figures.columns if each in _DRAWN]
    notes = [*in_words.only(words.filters), *answer.meta.notes]
    return await apart(bar.draw, figures, title=title, by=[by], measures=drawn, notes=notes)


_DRAWN = ("p50", "p95", "sessions", "hours", "occupancy")


def _figures(answer: Answer, measures: Sequence[str]) -> tuple[Answer, str]:
    """The answer as bars take it, a row a bar, and the column that names the bar."""
    records = answer.records()
    key = answer.columns[0]
    if key == "metric":
        # One row a time; sessions by status have a row for all, which is no bar.
        records = [row for row in records if row["metric"] in measures]
        records = [row for row in records if row["metric"] != "sessions" or row["status"] is not None]
    by = "status" if key == "metric" and measures == ["sessions"] else key
    named = "character_name" in answer.columns
    shown = [*([by] if not named else [by, "character_name"])]
    rows: list[list[Cell]] = []
    for row in records:
        label = _TIMES.get(str(row[by]), row[by]) if by == "metric" else row[by]
        rows.append([label, *([row["character_name"]] if named else []), *_values(row, measures[0])])
    names, units = _COLUMNS.get(measures[0], _SPREAD)
    meta = answer.meta.model_copy(update={"units": units, "notes": []})
    return answer.model_copy(update={"columns": [*shown, *names], "rows": rows, "meta": meta}), by


_SPREAD = ("p50", "p95", "n"), {"p50": "ms", "p95": "ms"}
# People wait for minutes: from so many milliseconds on, the unit is a longer one.
_UNITS = ((600_000, 60_000, "min"), (10_000, 1_000, "s"))


def _readable(answer: Answer) -> Answer:
    """The same times in seconds or minutes, where milliseconds would have too many digits."""
    places = [answer.columns.index(name) for name, unit in answer.meta.units.items() if unit == "ms"]
    times = [value for row in answer.rows for place in places if isinstance(value := row[place], int | float)]
    size, unit = next(((size, unit) for least, size, unit in _UNITS if max(times, default=0) >= least), (1, "ms"))
    if size == 1:
        return answer
    rows = [
        [_divided(value, size) if place in places else value for place, value in enumerate(row)] for row in answer.rows
    ]
    meta = answer.meta.model_copy(update={"units": dict.fromkeys(answer.meta.units, unit)})
    return answer.model_copy(update={"rows": rows, "meta": meta})


def _divided(value: Cell, size: int) -> Cell:
    return round(value / size, 3) if isinstance(value, int | float) else value


_COLUMNS: dict[str, tuple[tuple[str, ...], dict[str, str]]] = {
    "sessions": (("sessions",), {"sessions": "sessions"}),
    "availability_ms": (("hours", "n"), {"hours": "h"}),
    "occupancy": (("occupancy", "n"), {"occupancy": "fraction"}),
}


def _values(row: dict[str, Cell], measure: str) -> list[Cell]:
    """The cells of one bar: what is drawn, and its n."""
    if measure == "sessions":
        return [row["n"]]
    if measure == "availability_ms":
        total = row["sum"]
        return [round(total / 3_600_000, 3) if isinstance(total, int | float) else None, row["n"]]
    if measure == "occupancy":
        return [row["mean"], row["n"]]
    return [row["p50"], row["p95"], row["n"]]


LIVE_SUPPORT_CHART = Chart(
    name="chart_live_support",
    title="Live support as bars",
    description="Bars of get_live_support: p50 and p95, sessions, hours or occupancy.",
    params=LiveSupportChartAsked,
    drawn=_draw,
    told={"group_by": "as in get_live_support", "start_time": "ISO 8601", "filters": "dimension=value"},
    bare=frozenset({"agent"}),
)
