"""What got worse? The service compares a metric with a baseline and a threshold; it does not test for chance."""

from __future__ import annotations

from typing import get_args

from talkscope.errors import BadAnswer, InvalidArgument, InvalidRange, NotSupported, UnknownName
from talkscope.hosted.account import Account
from talkscope.hosted.reading import MOST_ROWS, counted, covered, measured, name_of, shown
from talkscope.hosted.words import filters_of, known_range
from talkscope.models.answers import Answer, Cell
from talkscope.models.questions import RegressionsAsked
from talkscope.models.semantics import USER_TO_BOT, dimension, measure
from talkscope.models.v1 import RegressionResponse, RegressionRow
from talkscope.models.v1.asked import V1Range
from talkscope.models.window import zone_of
from talkscope.platforms import convai

OVERALL = "overall"
GROUPS = (OVERALL, "app_key", "character_id", "experience_id", "provider", "voice_provider", "model")
_LENGTHS: tuple[str, ...] = get_args(V1Range)
_INSTEAD = (
    'Ask get_breakdown(measures=["p95", "count"]) of both ranges, or load the telemetry into a warehouse, which'
    " compares any measure by any dimension and tests it for chance."
)


async def answer(asked: RegressionsAsked, account: Account) -> Answer:
    """A row for each group, those over the threshold first, then by change, largest rise first.

    Raises NotSupported, and PlanInsufficient from plans below business.
    """
    metric, column = _metric(asked), _column(asked)
    current, baseline = _ranges(asked)
    filters_of(asked.filters, (), _INSTEAD)
    zone_of(asked.timezone)
    told = await account.send(
        convai.regression_detection(
            measure=metric,
            current_range=current,
            baseline_range=baseline,
            group_by=column,
            threshold=asked.threshold,
        )
    )
    rows = _rows(told, column, metric)
    n = sum(counted(each.sample_count) for each in rows)
    head = ["group" if column == OVERALL else column, *(["character_name"] if column == "character_id" else [])]
    figures = (
        "baseline current change n_baseline n_current sessions_baseline sessions_current p_value q_value significant"
        " over_threshold"
    )
    return Answer(
        columns=[*head, *figures.split()],
        rows=[_row(each, column, metric) for each in rows[: asked.limit]],
        meta=account.meta(
            told.meta,
            n=n,
            window=shown(covered(told.meta, current, account.now, asked.timezone)),
            zone=asked.timezone,
            basis=f"{metric} as the service compares it with {baseline}; higher is worse",
            units={"baseline": _unit(metric), "current": _unit(metric), "change": "fraction of baseline"},
            covers="the window",
            notes=_notes(asked, rows),
        ),
    )


def _metric(asked: RegressionsAsked) -> str:
    """The metric that is compared. Raises NotSupported for another statistic than p95."""
    try:
        name = measure(asked.measure).name
    except UnknownName:
        if asked.metric_name is not None or "." not in asked.measure:
            raise
        return asked.measure.strip()
    if name not in ("p95", "turn_p95"):
        raise NotSupported(
            f"The hosted API does not compare {name} with a baseline.",
            hint=f"Use p95, or the name of a metric. {_INSTEAD}",
            code="unsupported_measure",
        )
    if asked.metric_name == "":
        raise InvalidArgument("metric_name is empty.", hint="Leave it out, or name a metric of list_metrics.")
    return asked.metric_name or USER_TO_BOT


def _column(asked: RegressionsAsked) -> str:
    word = asked.group_by.strip().lower()
    name = OVERALL if word in ("", OVERALL) else dimension(asked.group_by).name
    if name not in GROUPS:
        raise NotSupported(
            f"The hosted API does not compare by {name}.",
            hint=f"It compares by {', '.join(GROUPS)}. {_INSTEAD}",
            code="unsupported_dimension",
        )
    return name


def _ranges(asked: RegressionsAsked) -> tuple[str, str]:
    """The current and the baseline range. Raises NotSupported for other windows, InvalidRange for a short baseline."""
    if asked.start_time or asked.end_time or asked.baseline_start_time:
        raise NotSupported(
            "The hosted API takes no start and end times: its windows end now.",
            hint=f"Use current_range and baseline_range, of {', '.join(_LENGTHS)}; a warehouse takes any window.",
            code="unsupported_window",
        )
    current, baseline = known_range(asked.current_range), known_range(asked.baseline_range)
    if _LENGTHS.index(baseline) <= _LENGTHS.index(current):
        raise InvalidRange(
            f"baseline_range {baseline} is not longer than current_range {current}.",
            hint="Choose a longer baseline_range.",
        )
    return current, baseline


def _unit(metric: str) -> str:
    return "ms" if metric == USER_TO_BOT else "the metric's unit"


def _rows(told: RegressionResponse, column: str, metric: str) -> list[RegressionRow]:
    """The rows, the worst first. Raises BadAnswer when a group is there twice, and differently."""
    if len(told.rows) > MOST_ROWS:
        raise BadAnswer(f"The service gave {len(told.rows):,} rows.")
    rows = list(dict.fromkeys(told.rows))
    if len(rows) > (1 if column == OVERALL else len({each.group for each in rows})):
        raise BadAnswer("The service gave a group twice, and differently.")

    def rank(row: RegressionRow) -> tuple[bool, bool, float, str]:
        change = _change(row, metric)
        return not row.significant, change is None, -(change or 0.0), row.group

    return sorted(rows, key=rank)


def _known(row: RegressionRow, metric: str) -> tuple[float | None, float | None]:
    """The figures of both windows; 0.0 is what nothing is on the wire, and a baseline of 0 compares with nothing."""
    signed = metric != USER_TO_BOT
    old, new = measured(row.baseline_value, signed=signed), measured(row.current_value, signed=signed)
    return old or None, None if not new and (not signed or not counted(row.sample_count)) else new


def _change(row: RegressionRow, metric: str) -> float | None:
    old, new = _known(row, metric)
    change = measured(row.relative_change, signed=True)
    return round(change, 6) if change is not None and old is not None and new is not None else None


def _row(row: RegressionRow, column: str, metric: str) -> list[Cell]:
    old, new = _known(row, metric)
    name: str | None = OVERALL if column == OVERALL else name_of(row.group)
    shown_name: list[Cell] = [name, None] if column == "character_id" else [name]
    return [
        *shown_name,
        None if old is None else round(old, 3),
        None if new is None else round(new, 3),
        _change(row, metric),
        None,
        counted(row.sample_count),
        *([None] * 5),
        "yes" if row.significant else "no",
    ]


def _notes(asked: RegressionsAsked, rows: list[RegressionRow]) -> list[str]:
    said = (
        f"over_threshold is the service's own: a rise of more than {asked.threshold:g}, however few the values;"
        " significant, p_value and q_value are null, because it does not test for chance."
    )
    notes = [said]
    if len(rows) > asked.limit:
        notes.append(f"{asked.limit} of {len(rows):,} groups are shown; raise limit to see more.")
    if not rows:
        notes.append("The service has nothing to compare in these ranges.")
    return notes
