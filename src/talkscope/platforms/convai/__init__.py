"""The Convai Analytics API: nine calls, seven everyday questions made of them, and their vocabulary."""

from __future__ import annotations

from talkscope.platforms.convai.calls import (
    breakdown,
    catalog,
    get_interaction,
    get_session,
    list_sessions,
    query_cube,
    regression_detection,
    summary,
    timeseries,
)
from talkscope.platforms.convai.vocabulary import GroupBy, Measures, MetricNamePrefixes, MetricNames, Segments

KEY_HEADER = "CONVAI-API-KEY"

__all__ = [
    "KEY_HEADER", "GroupBy", "Measures", "MetricNamePrefixes", "MetricNames", "Segments", "breakdown", "catalog",
    "get_interaction", "get_session", "list_sessions", "query_cube", "regression_detection", "summary", "timeseries",
]  # fmt: skip
