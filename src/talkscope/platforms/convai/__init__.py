"""The Convai Analytics API: nine calls and their vocabulary."""

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

KEY_HEADER = "CONVAI-API-KEY"

__all__ = [
    "KEY_HEADER", "breakdown", "catalog", "get_interaction", "get_session", "list_sessions", "query_cube",
    "regression_detection", "summary", "timeseries",
]  # fmt: skip
