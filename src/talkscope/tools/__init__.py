"""Talkscope's tools: one file a tool, and the table of contents in the order in which they are listed."""

from __future__ import annotations

from talkscope.errors import unknown
from talkscope.models.text import clean
from talkscope.tools.breakdown import BREAKDOWN
from talkscope.tools.catalog import CATALOG
from talkscope.tools.chart import Chart
from talkscope.tools.chart_breakdown import BREAKDOWN_CHART
from talkscope.tools.chart_concurrency import CONCURRENCY_CHART
from talkscope.tools.chart_interaction import INTERACTION_CHART
from talkscope.tools.chart_latency import LATENCY_CHART
from talkscope.tools.chart_reliability import RELIABILITY_CHART
from talkscope.tools.chart_session import SESSION_CHART
from talkscope.tools.chart_sessions import SESSIONS_CHART
from talkscope.tools.chart_timeseries import TIMESERIES_CHART
from talkscope.tools.concurrency import CONCURRENCY
from talkscope.tools.explain import EXPLAIN
from talkscope.tools.interaction import INTERACTION
from talkscope.tools.latency import LATENCY
from talkscope.tools.query import QUERY
from talkscope.tools.regressions import REGRESSIONS
from talkscope.tools.session import SESSION
from talkscope.tools.sessions import SESSIONS
from talkscope.tools.summary import SUMMARY
from talkscope.tools.timeseries import TIMESERIES
from talkscope.tools.tool import Tool

TOOLS: tuple[Tool | Chart, ...] = (
    SUMMARY,
    TIMESERIES,
    BREAKDOWN,
    LATENCY,
    SESSIONS,
    SESSION,
    INTERACTION,
    EXPLAIN,
    CONCURRENCY,
    REGRESSIONS,
    CATALOG,
    QUERY,
    TIMESERIES_CHART,
    LATENCY_CHART,
    BREAKDOWN_CHART,
    RELIABILITY_CHART,
    INTERACTION_CHART,
    SESSION_CHART,
    SESSIONS_CHART,
    CONCURRENCY_CHART,
)


def find(name: str) -> Tool | Chart:
    """The tool of that name, or UnknownName with the nearest."""
    for tool in TOOLS:
        if tool.name == name:
            return tool
    raise unknown("tool", clean(name, 60), [tool.name for tool in TOOLS])
