"""A scatter of sessions: how long they took, how many interactions they had, and how slow those were."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from talkscope.charts.drawing import Drawing, Series, empty, finished, theme, words
from talkscope.charts.drawing.clock import Clock
from talkscope.errors import Json
from talkscope.models.answers import Answer, Cell
from talkscope.models.text import clean

if TYPE_CHECKING:
    import altair as alt

_TITLE = "Duration, interactions and P95 latency of sessions"
_DECADES = 100
_UNITS = ((3 * 3_600, "h", 3_600), (180, "min", 60), (0, "s", 1))
_SECONDS = (
    0, 0.1, 1, 2, 5, 10, 30, 60, 120, 300, 600, 1_800, 3_600, 7_200, 18_000, 43_200, 86_400, 259_200, 864_000, 2_592_000
)  # fmt: skip
_COUNTS = (0, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000, 100_000, 1_000_000)
_LASTS = (
    "datum.value<60?format(datum.value,'~f')+' s':datum.value<3600?format(datum.value/60,'~f')+' min'"
    ":datum.value<86400?format(datum.value/3600,'~f')+' h':format(datum.value/86400,'~f')+' d'"
)
_UNKNOWN, _EDGE = "#b8bec8", "#7c8694"
_ERROR = theme.STATUS["error"]
_SAID = 5
_VEILED = 0.78
"""So that points behind points show."""


def draw(answer: Answer, *, notes: Sequence[str] = ()) -> Drawing:
    """The scatter of a sessions answer.

    Args:
        answer: A page of list_sessions: ids, starts, durations in seconds, interactions, errors and p95 in ms.
        notes: Lines for the subtitle.
    """
    assert answer.meta.window is not None
    cloud = _Cloud(answer, notes)
    if not cloud.rows:
        return empty(title=_TITLE, subtitle=cloud.subtitle())
    clock = Clock.of(answer.meta.window)
    steps: list[Json] = [
        {"calculate": clock.wording("datum.time", seconds=True), "as": "when"},
        {"calculate": f"datum.seconds/{cloud.divisor}", "as": "x"},
        {"calculate": "datum.errors>0?'with errors':'without errors'", "as": "state"},
    ]
    return finished(
        cloud.marks(), cloud.series(clock), title=_TITLE, subtitle=cloud.subtitle(), summary=cloud.summary(),
        steps=steps,
    )  # fmt: skip


class _Cloud:
    """A sessions answer, taken apart: the sessions with a known duration, and the scales that fit them."""

    def __init__(self, answer: Answer, notes: Sequence[str]) -> None:
        self.answer, self.notes = answer, notes
        found = answer.records()
        self.rows = [each for each in found if isinstance(each["duration_sec"], int | float)]
        self.missing = len(found) - len(self.rows)
        seconds = [_number(each["duration_sec"]) for each in self.rows]
        turns = [_number(each["interactions"]) for each in self.rows]
        self.longest, self.most = max(seconds, default=0.0), max(turns, default=0.0)
        self.log_x, self.log_y = _spreads(seconds), _spreads(turns)
        unit, divisor = next((name, size) for least, name, size in _UNITS if self.longest >= least)
        self.unit, self.divisor = ("s", 1) if self.log_x else (unit, divisor)
        self.known = [each for each in self.rows if isinstance(each["p95_ms"], int | float)]
        self.errors = any(_number(each["errors"]) > 0 for each in self.rows)

    def subtitle(self) -> list[str]:
        """Window, how many sessions of how many, and what is not drawn."""
        notes = [each for each in self.answer.meta.notes if "next_cursor" not in each]
        total, shown = self.answer.meta.n, len(self.answer.rows)
        which = ""
        if shown < total:
            told = next((each for each in self.answer.meta.notes if "next_cursor" in each), "").partition(":")[0]
            which = told or f"{shown:,} of {total:,} sessions"
        if self.missing:
            notes.append(f"{self.missing:,} of them without a known duration: not drawn")
        unknown = len(self.rows) - len(self.known)
        if unknown:
            notes.append(f"grey: no interaction with a known latency ({unknown:,})")
        if self.known:
            slowest = self._by_p95()[0]
            notes.append(f"slowest: {clean(str(slowest['session_id']), 48)}, {words.figure(slowest['p95_ms'], 'ms')}")
        said = " · ".join(each for each in (which, *notes) if each)
        return words.subtitle(self.answer, said, *self.notes, n_of="sessions")

    def series(self, clock: Clock) -> list[Series]:
        """The sessions of each character, with their starts to the second."""
        groups: dict[str, list[Mapping[str, Cell]]] = {}
        for each in self.rows:
            groups.setdefault(clean(str(each["character_name"] or each["character_id"] or "(none)"), 80), []).append(
                each
            )
        return [
            Series(
                {
                    "id": [clean(str(each["session_id"]), 80) for each in rows],
                    "seconds": [each["duration_sec"] for each in rows],
                    "turns": [each["interactions"] for each in rows],
                    "errors": [each["errors"] for each in rows],
                    "p95": [each["p95_ms"] for each in rows],
                },
                {"who": who},
                [clock.instant(str(each["start_time"])) // 1_000_000 * 1_000_000 for each in rows],
            )
            for who, rows in groups.items()
        ]

    def marks(self) -> alt.LayerChart:
        """Points without a latency, and points with one above them."""
        import altair as alt

        x, y = self._x(), self._y()
        base = alt.Chart()
        width = alt.condition("datum.errors>0", alt.value(1.8), alt.value(1))
        size = alt.condition("datum.errors>0", alt.value(130), alt.value(85))
        stroke = alt.condition("datum.errors>0", alt.value(_ERROR), alt.value(_EDGE))
        encoded = {"x": x, "y": y, "stroke": stroke, "strokeWidth": width, "size": size, "tooltip": self._tooltip()}
        # The slower a session, the further to the front.
        encoded["order"] = alt.Order("p95:Q")
        if self.errors:
            legend = alt.Legend(title=None, symbolFillColor=_UNKNOWN, symbolStrokeColor=_EDGE, symbolStrokeWidth=1)
            scale = alt.Scale(domain=["without errors", "with errors"], range=["circle", "triangle-up"])
            encoded["shape"] = alt.Shape("state:N", scale=scale, legend=legend)
        drawn: list[alt.Chart] = []
        if len(self.known) < len(self.rows):
            drawn.append(
                base.transform_filter("!isValid(datum.p95)")
                .mark_point(filled=True, opacity=_VEILED, color=_UNKNOWN)
                .encode(**encoded)
            )
        if self.known:
            legend = alt.Legend(
                title="P95 (ms)", orient="right", direction="vertical", gradientLength=200, format=",~f", tickCount=5
            )
            colour = alt.Color("p95:Q", scale=alt.Scale(nice=True), legend=legend)
            drawn.append(
                base.transform_filter("isValid(datum.p95)")
                .mark_point(filled=True, opacity=_VEILED)
                .encode(**encoded, fill=colour)
            )
        return alt.LayerChart(layer=drawn, width=theme.WIDTH, height=theme.HEIGHT + 40)

    @staticmethod
    def _end(most: float, *, log: bool = False) -> float:
        """Where an axis ends so that the outermost point is whole."""
        return most * (1.4 if log else 1.05) or 1

    def _x(self) -> alt.X:
        import altair as alt

        if self.log_x:
            ticks = _within(_SECONDS, self.longest)
            axis = alt.Axis(title="Duration (log scale)", values=ticks, labelExpr=_LASTS, grid=True)
            return alt.X(
                "x:Q",
                scale=alt.Scale(type="symlog", domain=[0, self._end(self.longest, log=True)], nice=False),
                axis=axis,
            )
        axis = alt.Axis(title=f"Duration ({self.unit})", format=",~f", grid=True)
        return alt.X("x:Q", scale=alt.Scale(domain=[0, self._end(self.longest / self.divisor)], nice=False), axis=axis)

    def _y(self) -> alt.Y:
        import altair as alt

        if self.log_y:
            axis = alt.Axis(title="Interactions (log scale)", values=_within(_COUNTS, self.most), format=",~f")
            return alt.Y(
                "turns:Q",
                scale=alt.Scale(type="symlog", domain=[0, self._end(self.most, log=True)], nice=False),
                axis=axis,
            )
        axis = alt.Axis(title="Interactions", format=",~f", tickMinStep=1)
        return alt.Y("turns:Q", scale=alt.Scale(domain=[0, self._end(self.most)], nice=False), axis=axis)

    @staticmethod
    def _tooltip() -> list[alt.Tooltip]:
        import altair as alt

        return [
            alt.Tooltip("id:N", title="session"),
            alt.Tooltip("who:N", title="character"),
            alt.Tooltip("when:N", title="started"),
            alt.Tooltip("seconds:Q", format=",.3~f", title="duration (s)"),
            alt.Tooltip("turns:Q", format=",", title="interactions"),
            alt.Tooltip("errors:Q", format=","),
            alt.Tooltip("p95:Q", format=",.3~f", title="P95 (ms)"),
        ]

    def _by_p95(self) -> list[Mapping[str, Cell]]:
        return sorted(self.known, key=lambda each: -_number(each["p95_ms"]))

    def summary(self) -> str:
        """The slowest sessions, the longest, and how many had errors."""
        assert self.answer.meta.window is not None
        said = [f"{_TITLE}, {words.about(self.answer.meta.window)}: {len(self.rows)} of {self.answer.meta.n} sessions."]
        said.extend(
            f"{clean(str(each['session_id']), 80)}: P95 {words.figure(each['p95_ms'], 'ms')},"
            f" {words.duration(_number(each['duration_sec']))}, {words.count(each['interactions'], 'interaction')},"
            f" {words.count(each['errors'], 'error')}."
            for each in self._by_p95()[:_SAID]
        )
        longest = max(self.rows, key=lambda each: _number(each["duration_sec"]))
        lasted = words.duration(_number(longest["duration_sec"]))
        said.append(f"Longest: {clean(str(longest['session_id']), 80)}, {lasted}.")
        failed = sum(_number(each["errors"]) > 0 for each in self.rows)
        said.append(f"{failed} had errors.")
        return " ".join(said)


def _number(cell: Cell) -> float:
    return float(cell) if isinstance(cell, int | float) else 0.0


def _spreads(values: Sequence[float]) -> bool:
    """Whether the positive values reach over more than two decades."""
    positive = [each for each in values if each > 0]
    return bool(positive) and max(positive) > _DECADES * min(positive)


def _within(ticks: Sequence[float], most: float) -> list[float]:
    return [each for each in ticks if each <= most * 1.2]
