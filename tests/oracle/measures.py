"""Every measure over any window, by filters, groups and buckets: choose rows, put them in groups, fold each group."""

from __future__ import annotations

import itertools
import math
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace

from .clock import buckets
from .facts import DIMENSIONS, SPAN_DIMENSIONS, Fact, Telemetry
from .quantiles import statistic
from .reading import words

Where = Sequence[tuple[str, str, str]]
"""(dimension, '=' or '!=', value) each."""
Group = tuple[int | str | None, ...]
"""The bucket's start in microseconds first when bucketed, then one value for each dimension."""
Figure = tuple[float | int | None, int]
"""The value and its n."""

LATENCY = words("avg p50 p75 p90 p95 p99 max")
USAGE = words("input_tokens output_tokens characters cost_usd")
ENDINGS = words("outcomes handoffs handoff_rate deflection_rate")
PEOPLE = words("sessions end_users")
TURNS = words("interactions count errors error_rate")
MEASURES = LATENCY | USAGE | ENDINGS | PEOPLE | TURNS
OVER_METRICS = LATENCY | PEOPLE | {"interactions", "count", "errors"}


def within(start: int, end: int) -> Callable[[int], bool]:
    """Whether an instant lies in [start, end)."""
    return lambda instant: start <= instant < end


def matches(fact: Fact, where: Where) -> bool:
    """Whether the fact passes: of a dimension any '=' value and no '!=' value; null passes every '!='."""
    if not where:
        return True
    for dimension in {name for name, _, _ in where}:
        allowed = {value for name, sign, value in where if name == dimension and sign == "="}
        barred = {value for name, sign, value in where if name == dimension and sign == "!="}
        values = set(fact.values(dimension))
        if (allowed and not values & allowed) or values & barred:
            return False
    return True


def check_where(where: Where, known: Iterable[str] = DIMENSIONS) -> None:
    """Raise ValueError for a dimension that cannot be filtered here, or a sign that is none."""
    for dimension, sign, _ in where:
        if dimension not in known or sign not in ("=", "!="):
            raise ValueError(f"cannot filter {dimension} {sign}")


def metric_rows(data: Telemetry) -> Iterator[Fact]:
    """The metric stream: recorded events, and what interactions and spans say as metrics."""
    yield from data.events
    for turn in data.interactions:
        if turn.value is not None:
            yield replace(turn, kind="metric", metric_name="voice.user_to_bot_latency")
        if turn.failed:
            yield replace(turn, kind="metric", metric_name="error.interaction", value=None)
    for span in data.spans:
        processor = span.dims["processor"]
        if span.amounts.get("ttfb_ms") is not None:
            yield replace(span, kind="metric", metric_name=f"{processor}.ttfb", value=span.amounts["ttfb_ms"])
        yield replace(span, kind="metric", metric_name=f"{processor}.processing")
        if span.failed:
            yield replace(span, kind="metric", metric_name=f"error.{processor}", value=None)


def latest_outcomes(data: Telemetry, inside: Callable[[int], bool]) -> list[Fact]:
    """The last outcome in the window of each session that has one."""
    latest: dict[tuple[str, str], Fact] = {}
    for outcome in data.outcomes:
        if inside(outcome.start):
            latest[outcome.session] = outcome
    return list(latest.values())


def orphan_errors(data: Telemetry) -> list[Fact]:
    """The error events that belong to no interaction; each is an error by itself."""
    return [event for event in data.events if event.failed and event.interaction_id is None]


def _scope(data: Telemetry, name: str, of_spans: bool, inside: Callable[[int], bool]) -> list[Fact]:
    """The rows that a measure without a metric name is over."""
    if name in ENDINGS:
        if of_spans:
            raise ValueError(f"{name} has no span dimension")
        return latest_outcomes(data, inside)
    if name in USAGE:
        return data.spans
    if of_spans:
        return [span for span in data.spans if span.leaf or name not in LATENCY]
    if name in PEOPLE:
        return data.everything
    if name in ("errors", "error_rate"):
        return data.interactions + orphan_errors(data)
    return data.interactions


def _rows(
    data: Telemetry,
    name: str,
    inside: Callable[[int], bool],
    where: Where,
    by: Sequence[str],
    metric_name: str | None,
    metric_name_prefix: str | None,
) -> list[Fact]:
    if name not in MEASURES or len(by) > 2 or set(by) - DIMENSIONS:
        raise ValueError(f"cannot measure {name} by {by}")
    check_where(where)
    if metric_name is None and metric_name_prefix is None:
        of_spans = any(dimension in SPAN_DIMENSIONS for dimension in [*by, *(part[0] for part in where)])
        rows: Iterable[Fact] = _scope(data, name, of_spans, inside)
    elif name not in OVER_METRICS:
        raise ValueError(f"{name} is not measured over a metric")
    else:
        rows = [
            row
            for row in metric_rows(data)
            if metric_name in (None, row.metric_name) and row.metric_name.startswith(metric_name_prefix or "")
        ]
    return [row for row in rows if inside(row.start) and matches(row, where)]


def fold(name: str, rows: Sequence[Fact], over_metric: bool = False) -> Figure:
    """The measure's value over the rows of one group, and its n."""
    if name in LATENCY:
        known = [row.value for row in rows if row.value is not None]
        return statistic(name, known), len(known)
    if name in USAGE:
        amounts = [amount for row in rows if (amount := row.amounts.get(name)) is not None]
        if name == "cost_usd":
            return (math.fsum(amounts) if amounts else None), len(amounts)
        return (sum(amounts) if amounts else None), len(amounts)
    if name in ("errors", "error_rate") and not over_metric:
        failed = sum(row.failed for row in rows)
        rate = failed / len(rows) if rows else None
        return (failed if name == "errors" else rate), len(rows)
    if name in ENDINGS:
        return _fold_endings(name, rows)
    counted: dict[str, set[str] | set[tuple[str, str]]] = {
        "sessions": {row.session for row in rows},
        "end_users": {user for row in rows if (user := row.dims["end_user_id"]) is not None},
        "interactions": {turn for row in rows if (turn := row.turn) is not None},
    }
    amount = len(counted[name]) if name in counted else len(rows)
    return amount, amount


def _fold_endings(name: str, rows: Sequence[Fact]) -> Figure:
    handoffs = sum(row.handed is True for row in rows)
    if name in ("outcomes", "handoffs"):
        return (len(rows) if name == "outcomes" else handoffs), len(rows)
    settled = sum(row.handed is not None for row in rows)
    if settled == 0:
        return None, 0
    rate = handoffs / settled
    return (rate if name == "handoff_rate" else 1 - rate), settled


def grouped(rows: Iterable[Fact], by: Sequence[str], starts: Sequence[int] | None) -> dict[Group, list[Fact]]:
    """The rows by bucket start and dimensions; a row is in each group of each of its values, in a group once."""
    groups: dict[Group, list[Fact]] = {}
    for row in rows:
        prefix: list[tuple[int | str | None, ...]] = []
        if starts is not None:
            prefix.append((starts[bisect_right(starts, row.start) - 1],))
        for group in itertools.product(*prefix, *(row.values(dimension) for dimension in by)):
            groups.setdefault(group, []).append(row)
    return groups


def select(
    data: Telemetry,
    name: str,
    inside: Callable[[int], bool],
    *,
    where: Where = (),
    by: Sequence[str] = (),
    starts: Sequence[int] | None = None,
    metric_name: str | None = None,
    metric_name_prefix: str | None = None,
) -> dict[Group, list[Fact]]:
    """The rows behind a measure in each group, whether or not they know the figure."""
    rows = _rows(data, name, inside, where, by, metric_name, metric_name_prefix)
    return grouped(rows, by, starts)


def measure(
    data: Telemetry,
    name: str,
    *,
    start: int,
    end: int,
    where: Where = (),
    by: Sequence[str] = (),
    bucket: tuple[str, str] | None = None,
    metric_name: str | None = None,
    metric_name_prefix: str | None = None,
) -> dict[Group, Figure]:
    """The measure of the window [start, end) in microseconds, in each group that has a row; `()` always answers."""
    starts = None if bucket is None else [each.start for each in buckets(start, end, *bucket)]
    over_metric = metric_name is not None or metric_name_prefix is not None
    groups = select(
        data,
        name,
        within(start, end),
        where=where,
        by=by,
        starts=starts,
        metric_name=metric_name,
        metric_name_prefix=metric_name_prefix,
    )
    if starts is None and not by:
        groups.setdefault((), [])
    return {group: fold(name, rows, over_metric) for group, rows in groups.items()}
