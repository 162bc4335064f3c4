"""The arguments of the calls, for those who check types: each may be left out, and None is the same as left out."""

from __future__ import annotations

from typing import TypedDict


class SummaryWords(TypedDict, total=False):
    """What summary takes: range `last_15m` to `last_30d` (last_24h), and three filters."""

    range: str | None
    character_id: str | None
    app_key: str | None
    experience_id: str | None


class FilterWords(SummaryWords, total=False):
    """The range, and the filters that most calls take."""

    end_user_id: str | None
    provider: str | None
    model: str | None
    processor: str | None
    status: str | None


class MetricWords(FilterWords, total=False):
    """The same, and which metrics it is about."""

    metric_name: str | None
    metric_name_prefix: str | None


class TimeseriesWords(MetricWords, total=False):
    """What timeseries takes: measure (count), granularity minute, hour or day (hour), group_by, segment, filters."""

    measure: str | None
    granularity: str | None
    group_by: str | None
    segment: str | None


class BreakdownWords(MetricWords, total=False):
    """What breakdown takes: measure (count), group_by (processor), limit 1 to 500 (50), segment, filters."""

    measure: str | None
    group_by: str | None
    limit: int | None
    segment: str | None


class SessionsWords(SummaryWords, total=False):
    """What sessions.list takes: sort recent, longest or slowest (recent), limit 1 to 100 (25), cursor, filters."""

    sort: str | None
    limit: int | None
    cursor: str | None
    end_user_id: str | None


class RegressionWords(TypedDict, total=False):
    """What regression_detection takes: a metric's name, two ranges, group_by (overall), threshold 0 to 10 (0.15)."""

    measure: str | None
    baseline_range: str | None
    current_range: str | None
    group_by: str | None
    threshold: float | None


class OverTimeWords(MetricWords, total=False):
    """What a question over time takes besides its own: range, granularity, group_by, segment, filters."""

    granularity: str | None
    group_by: str | None
    segment: str | None


class ByGroupWords(MetricWords, total=False):
    """What a question by groups takes besides its own: range, limit, filters."""

    limit: int | None
