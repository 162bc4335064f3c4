"""Talkscope's tools: one file a tool, and the table of contents in the order in which they are listed."""

from __future__ import annotations

from talkscope.errors import unknown
from talkscope.models.text import clean
from talkscope.tools.breakdown import BREAKDOWN
from talkscope.tools.catalog import CATALOG
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

TOOLS: tuple[Tool, ...] = (
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
)


def find(name: str) -> Tool:
    """The tool of that name, or UnknownName with the nearest."""
    for tool in TOOLS:
        if tool.name == name:
            return tool
    raise unknown("tool", clean(name, 60), [tool.name for tool in TOOLS])
