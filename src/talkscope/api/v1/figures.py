"""The v1 routes that answer figures: summary, timeseries, breakdown, metrics catalog, regression detection."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from talkscope import contract
from talkscope.api.v1.meaning import at, filters, grouping, maybe, meta, number, text, whole
from talkscope.api.work import Work
from talkscope.errors import InvalidRange, UnknownName
from talkscope.models.answers import Cell
from talkscope.models.semantics import USER_TO_BOT, measure, snake
from talkscope.models.v1 import (
    BreakdownAsked,
    BreakdownResponse,
    BreakdownRow,
    CatalogAsked,
    CatalogResponse,
    MetricDefinition,
    RegressionAsked,
    RegressionResponse,
    RegressionRow,
    SummaryAsked,
    SummaryResponse,
    TimeseriesAsked,
    TimeseriesPoint,
    TimeseriesResponse,
)

# From the shortest: a baseline covers a longer range than what is compared with it.
_LENGTHS = ("last_15m", "last_1h", "last_6h", "last_24h", "last_7d", "last_30d")
_MOST_GROUPS = 50
_VOICE = "tts.voice_provider"
_NONE_YET: Mapping[str, Cell] = {
    "name": USER_TO_BOT,
    "unit": "ms",
    "description": "From the end of the user's words to the first of the bot's, per interaction",
}
_TYPES = {".ttfb": "TTFBMetricsData", ".processing": "ProcessingMetricsData"}


def summary(work: Work, asked: SummaryAsked, ids: Mapping[str, str], now: datetime) -> SummaryResponse:
    """Headline figures; percentiles of nothing are 0."""
    answer = work.words(contract.SUMMARY, range=asked.range, filters=filters(asked))
    found = {row["measure"]: row["value"] for row in answer.records()}
    return SummaryResponse(
        sessions=whole(found.get("sessions")),
        unique_end_users=whole(found.get("end_users")),
        interactions=whole(found.get("interactions")),
        error_count=whole(found.get("errors")),
        p50_end_to_end_ms=number(found.get("p50")),
        p95_end_to_end_ms=number(found.get("p95")),
        p99_end_to_end_ms=number(found.get("p99")),
        meta=meta(answer, now),
    )


def timeseries(work: Work, asked: TimeseriesAsked, ids: Mapping[str, str], now: datetime) -> TimeseriesResponse:
    """One point a bucket, or a bucket and group; of more than 50 groups, the largest."""
    known = measure(asked.measure)
    group = grouping(asked.group_by)[1] if asked.group_by else None
    answer = work.words(
        contract.TIMESERIES,
        measures=[known.name],
        granularity=asked.granularity,
        range=asked.range,
        group_by=[group] if group else None,
        filters=filters(asked, asked.segment) + _voice(asked.metric_name, group),
        metric_name=None if _voice(asked.metric_name, group) else asked.metric_name,
        metric_name_prefix=asked.metric_name_prefix,
        limit=_MOST_GROUPS,
        max_rows=50_000,
    )
    points = []
    for row in answer.records():
        start = at(row["bucket"])
        assert start is not None
        name = None if group is None else text(row[group]) or ""
        points.append(TimeseriesPoint(bucket_start=start, group=name, value=maybe(row[known.name])))
    return TimeseriesResponse(
        measure=snake(asked.measure),
        granularity=answer.meta.granularity or asked.granularity,
        points=points,
        meta=meta(answer, now),
    )


def breakdown(work: Work, asked: BreakdownAsked, ids: Mapping[str, str], now: datetime) -> BreakdownResponse:
    """One row a group, largest first; facts without the dimension have the empty group."""
    known = measure(asked.measure)
    echoed, group = grouping(asked.group_by)
    answer = work.words(
        contract.BREAKDOWN,
        measures=[known.name],
        group_by=[group],
        range=asked.range,
        limit=asked.limit,
        filters=filters(asked, asked.segment) + _voice(asked.metric_name, group),
        metric_name=None if _voice(asked.metric_name, group) else asked.metric_name,
        metric_name_prefix=asked.metric_name_prefix,
    )
    # What is left beyond the limit is a row of ours and none of the contract's.
    rows = [
        BreakdownRow(group=text(row[group]) or "", value=maybe(row[known.name]), sample_count=whole(row["n"]))
        for row in answer.records()[: asked.limit]
    ]
    return BreakdownResponse(measure=snake(asked.measure), group_by=echoed, rows=rows, meta=meta(answer, now))


def _voice(metric_name: str | None, group: str | None) -> list[str]:
    """The metric that attributes voices to their vendors is the speech spans' own vendor here."""
    return ["processor=tts"] if metric_name == _VOICE and group == "voice_provider" else []


def catalog(work: Work, asked: CatalogAsked, ids: Mapping[str, str], now: datetime) -> CatalogResponse:
    """The metrics that the warehouse holds, and user-to-bot latency, which clients ask for before there is any."""
    answer = work.words(contract.CATALOG, kind="metric")
    held = {str(row["name"]): row for row in answer.records()}
    listed = [held.get(USER_TO_BOT, _NONE_YET), *(row for name, row in held.items() if name != USER_TO_BOT)]
    metrics = [
        MetricDefinition(
            metric_name=str(row["name"]),
            metric_type=_type(str(row["name"]), text(row["unit"])),
            description=text(row["description"]) or "",
            visibility="public",
            unit=text(row["unit"]),
            supports_percentiles=row["unit"] is not None,
        )
        for row in listed
    ]
    return CatalogResponse(metrics=metrics, meta=meta(answer, now))


def _type(name: str, unit: str | None) -> str:
    if name == USER_TO_BOT:
        return "UserBotLatencyMetricsData"
    if name.startswith("error."):
        return "ErrorMetricsData"
    known = next((kind for ending, kind in _TYPES.items() if name.endswith(ending)), None)
    return known or ("CustomLatencyMetricsData" if unit == "ms" else "CustomMetricsData")


def regression(work: Work, asked: RegressionAsked, ids: Mapping[str, str], now: datetime) -> RegressionResponse:
    """P95 then and now; `significant` is the plain threshold that the contract has, without a test."""
    if _LENGTHS.index(asked.baseline_range) <= _LENGTHS.index(asked.current_range):
        raise InvalidRange(
            f"baseline_range {asked.baseline_range} is not longer than current_range {asked.current_range}.",
            hint="Choose a longer baseline_range.",
        )
    overall = asked.group_by == "overall"
    group = "overall" if overall else grouping(asked.group_by)[1]
    statistic, metric = _compared(asked.measure)
    answer = work.words(
        contract.REGRESSIONS,
        measure=statistic,
        metric_name=metric,
        current_range=asked.current_range,
        baseline_range=asked.baseline_range,
        group_by=group,
        threshold=asked.threshold,
        limit=100,
    )
    rows = []
    for row in answer.records():
        then, current = number(row["baseline"]), number(row["current"])
        change = maybe(row["change"])
        risen = (current - then) / then if change is None and then else change or 0.0
        rows.append(
            RegressionRow(
                group="all" if overall else text(row[answer.columns[0]]) or "",
                baseline_value=then,
                current_value=current,
                relative_change=risen,
                significant=risen > asked.threshold,
                sample_count=whole(row["n_current"]),
            )
        )
    return RegressionResponse(rows=rows, meta=meta(answer, now))


def _compared(word: str) -> tuple[str, str | None]:
    """The statistic and the metric that a v1 measure means: the name of a metric, or that of a measure."""
    if word == USER_TO_BOT:
        return "p95", None
    try:
        return measure(word).name, None
    except UnknownName:
        return "p95", word
