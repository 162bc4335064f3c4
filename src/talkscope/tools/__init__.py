"""Talkscope's tools: one file a tool, and the table of contents in the order in which they are listed.

`TOOLS` are always there. A platform's are in a package of its name, and are imported where an account is configured.
"""

from __future__ import annotations

import importlib
from collections.abc import Collection, Mapping
from typing import TypeAlias

from talkscope.errors import unknown
from talkscope.models.text import clean
from talkscope.tools.breakdown import BREAKDOWN
from talkscope.tools.catalog import CATALOG
from talkscope.tools.chart import Chart
from talkscope.tools.chart_breakdown import BREAKDOWN_CHART
from talkscope.tools.chart_concurrency import CONCURRENCY_CHART
from talkscope.tools.chart_errors import ERRORS_CHART
from talkscope.tools.chart_interaction import INTERACTION_CHART
from talkscope.tools.chart_latency import LATENCY_CHART
from talkscope.tools.chart_live_support import LIVE_SUPPORT_CHART
from talkscope.tools.chart_outcomes import OUTCOMES_CHART
from talkscope.tools.chart_reliability import RELIABILITY_CHART
from talkscope.tools.chart_resources import RESOURCES_CHART
from talkscope.tools.chart_session import SESSION_CHART
from talkscope.tools.chart_sessions import SESSIONS_CHART
from talkscope.tools.chart_timeseries import TIMESERIES_CHART
from talkscope.tools.concurrency import CONCURRENCY
from talkscope.tools.errors import ERRORS
from talkscope.tools.explain import EXPLAIN
from talkscope.tools.interaction import INTERACTION
from talkscope.tools.latency import LATENCY
from talkscope.tools.live_support import LIVE_SUPPORT
from talkscope.tools.outcomes import OUTCOMES
from talkscope.tools.query import QUERY
from talkscope.tools.regressions import REGRESSIONS
from talkscope.tools.resources import RESOURCES
from talkscope.tools.session import SESSION
from talkscope.tools.sessions import SESSIONS
from talkscope.tools.summary import SUMMARY
from talkscope.tools.timeseries import TIMESERIES
from talkscope.tools.tool import Tool
from talkscope.tools.vendor import VendorTool

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


RECORD_TOOLS: tuple[Tool | Chart, ...] = (
    OUTCOMES,
    LIVE_SUPPORT,
    RESOURCES,
    ERRORS,
    OUTCOMES_CHART,
    LIVE_SUPPORT_CHART,
    RESOURCES_CHART,
    ERRORS_CHART,
)
"""Questions about what only some platforms tell; listed where a warehouse holds such records."""

TOOLSETS: Mapping[str, str] = {
    "studio_chat": "studio",
    "agent_studio": "calls",
    "general_bots": "bots",
    "mavenoid": "mavenoid",
}
"""Platforms with tools of their own, and the word that the names of those begin with, which is a command too."""

AnyTool: TypeAlias = "Tool | Chart | VendorTool"


def toolset(platform: str) -> tuple[VendorTool, ...]:
    """The tools of a platform."""
    found: tuple[VendorTool, ...] = importlib.import_module(f"talkscope.tools.{platform}").TOOLS
    return found


def offered(platforms: Collection[str], *, records: bool, changing: bool) -> list[AnyTool]:
    """The tools that are listed where these platforms are configured.

    `records` adds those about what only some platforms tell, `changing` those that change something on a platform.
    """
    own = [tool for name in TOOLSETS if name in platforms for tool in toolset(name) if tool.read_only or changing]
    return [*TOOLS, *(RECORD_TOOLS if records else ()), *own]


def find(name: str) -> AnyTool:
    """The tool of that name, listed or not, or UnknownName with the nearest."""
    for tool in (*TOOLS, *RECORD_TOOLS):
        if tool.name == name:
            return tool
    every = [each for platform in TOOLSETS for each in toolset(platform)]
    for each in every:
        if each.name == name:
            return each
    raise unknown("tool", clean(name, 60), [tool.name for tool in (*TOOLS, *RECORD_TOOLS, *every)])
