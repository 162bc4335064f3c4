"""The routes of General Bots: those that its roadmap plans, and those that its published server has."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeVar

from talkscope.flow import Call, path

T = TypeVar("T")

VIEWER = "analytics_viewer"
ADMIN = "analytics_admin"
# The published server knows neither of the two.
FOUND_ROLES = ("Admin", "SuperAdmin", "Moderator")
PROBES: Mapping[str, str] = {"planned": "active_sessions", "published": "dashboard"}
"""The call whose answer tells whether a server keeps the roadmap, and the one that tells whether it is as published."""


@dataclass(frozen=True, slots=True)
class Route:
    """One route: its call's name, where it is, whether it is only planned, and the roles of which one is needed."""

    name: str
    path: str
    planned: bool
    roles: tuple[str, ...] = ()
    method: str = "GET"

    @property
    def required_role(self) -> str | None:
        """The least role that the documents name, where they do."""
        return self.roles[0] if self.planned else None


def _planned(name: str, below: str, role: str = VIEWER, method: str = "GET") -> Route:
    return Route(name, f"/api/v1/analytics/{below}", planned=True, roles=(role, "admin"), method=method)


def _found(name: str, below: str, roles: tuple[str, ...] = (), method: str = "GET") -> Route:
    return Route(name, f"/api/{below}", planned=False, roles=roles, method=method)


ROUTES: Mapping[str, Route] = {
    route.name: route
    for route in (
        _planned("usage", "usage"),
        _planned("daily_usage", "usage/daily"),
        _planned("monthly_usage", "usage/monthly"),
        _planned("conversations", "conversations"),
        _planned("conversation_volume", "conversations/volume"),
        _planned("conversation_duration", "conversations/duration"),
        _planned("conversation_resolution", "conversations/resolution"),
        _planned("engagement", "engagement"),
        _planned("retention", "engagement/retention"),
        _planned("satisfaction", "engagement/satisfaction"),
        _planned("create_report", "reports", ADMIN, "POST"),
        _planned("report", "reports/{report_id}", ADMIN),
        _planned("reports", "reports", ADMIN),
        _planned("realtime", "realtime"),
        _planned("active_sessions", "realtime/active"),
        _found("dashboard", "analytics/dashboard", FOUND_ROLES),
        _found("metric", "analytics/metric", FOUND_ROLES),
        _found("attendant_stats", "attendant/stats"),
        _found("dashboards", "dashboards"),
        _found("query_dashboards", "dashboards/query", method="POST"),
        _found("goals", "goals"),
        _found("daily_insights", "insights/daily"),
        _found("weekly_insights", "insights/weekly"),
        _found("insight_trends", "insights/trends"),
        _found("insight_recommendations", "insights/recommendations"),
        _found("insight_settings", "insights/settings"),
        _found("insight_apps", "insights/apps"),
        _found("insight_focus_mode", "insights/focus-mode"),
        _found("insight_track", "insights/track"),
    )
}
_BY_PLACE = {(route.method, route.path): route for route in ROUTES.values()}
_ONE_REPORT = re.compile(re.escape(path(ROUTES["reports"].path)) + r"/[^/]+")


def route_of(call: Call[T]) -> Route | None:
    """The route that the call asks, or None for a path that is none of these."""
    if call.method == "GET" and _ONE_REPORT.fullmatch(call.path):
        return ROUTES["report"]
    return _BY_PLACE.get((call.method, call.path))
