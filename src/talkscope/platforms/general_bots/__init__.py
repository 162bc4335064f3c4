"""General Bots: fifteen calls that its roadmap plans, and the JSON routes that its published server has."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import cast

from talkscope.flow import Call, Manners
from talkscope.platforms.access import Platform
from talkscope.platforms.general_bots.access import ACCESS, ADDRESSES, LIMITS, PERSONAL, UNTRUSTED, bucket
from talkscope.platforms.general_bots.found import (
    attendant_stats,
    daily_insights,
    dashboard,
    dashboards,
    goals,
    insight_apps,
    insight_focus_mode,
    insight_recommendations,
    insight_settings,
    insight_track,
    insight_trends,
    metric,
    query_dashboards,
    weekly_insights,
)
from talkscope.platforms.general_bots.meaning import explained, notes
from talkscope.platforms.general_bots.planned import (
    active_sessions,
    conversation_duration,
    conversation_resolution,
    conversation_volume,
    conversations,
    daily_usage,
    engagement,
    monthly_usage,
    realtime,
    retention,
    satisfaction,
    usage,
)
from talkscope.platforms.general_bots.reports import create_report, document, report, reports
from talkscope.platforms.general_bots.routes import PROBES, ROUTES, Route, route_of

_ALL = (
    usage, daily_usage, monthly_usage, conversations, conversation_volume, conversation_duration,
    conversation_resolution, engagement, retention, satisfaction, create_report, report, reports, realtime,
    active_sessions, dashboard, metric, attendant_stats, dashboards, query_dashboards, goals, daily_insights,
    weekly_insights, insight_trends, insight_recommendations, insight_settings, insight_apps, insight_focus_mode,
    insight_track,
)  # fmt: skip
CALLS: Mapping[str, Callable[..., Call[object]]] = cast(
    "Mapping[str, Callable[..., Call[object]]]", {call.__name__: call for call in _ALL}
)
"""Each call by its name: a function that returns a `Call`."""

PLATFORM = Platform(
    access=ACCESS,
    calls=CALLS,
    manners=Manners(limits=LIMITS, bucket=bucket, explained=explained),
    personal=PERSONAL,
    untrusted=UNTRUSTED,
    notes=lambda call, answer, _key, _now: notes(call, answer),
    probes=lambda _: (active_sessions(), dashboard()),
)
"""All of the above, as the clients, the tools and the command line take it."""

__all__ = [
    "ACCESS",
    "ADDRESSES",
    "CALLS",
    "LIMITS",
    "PERSONAL",
    "PLATFORM",
    "PROBES",
    "ROUTES",
    "UNTRUSTED",
    "Route",
    "active_sessions",
    "attendant_stats",
    "bucket",
    "conversation_duration",
    "conversation_resolution",
    "conversation_volume",
    "conversations",
    "create_report",
    "daily_insights",
    "daily_usage",
    "dashboard",
    "dashboards",
    "document",
    "engagement",
    "explained",
    "goals",
    "insight_apps",
    "insight_focus_mode",
    "insight_recommendations",
    "insight_settings",
    "insight_track",
    "insight_trends",
    "metric",
    "monthly_usage",
    "notes",
    "query_dashboards",
    "realtime",
    "report",
    "reports",
    "retention",
    "route_of",
    "satisfaction",
    "usage",
    "weekly_insights",
]  # fmt: skip
