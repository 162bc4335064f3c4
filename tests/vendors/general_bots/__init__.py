"""A server that keeps General Bots' contract: the planned routes, those of the published server, or both.

vendor = general_bots.server("published")
with served(vendor) as url:
    ...  # vendor.world holds the records that the answers are worked out from
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Callable, Mapping
from functools import cache, partial

from tests.vendors.engine import Asked, Granted, Handler, Json, Operation, Refused, Reply, Vendor
from tests.vendors.general_bots import planned, published
from tests.vendors.general_bots.reports import Reports
from tests.vendors.general_bots.world import NOW, World, make

__all__ = ["NOW", "ROLES", "GeneralBots", "server", "token", "world"]

ROLES = ("analytics_viewer", "analytics_admin", "admin", "Admin", "SuperAdmin", "Moderator", "guest")

_PLANNED: Mapping[str, Callable[[World, Asked], Json]] = {
    "usage": planned.usage,
    "daily_usage": planned.daily_usage,
    "monthly_usage": planned.monthly_usage,
    "conversations": planned.conversations,
    "conversation_volume": planned.volume,
    "conversation_duration": planned.duration,
    "conversation_resolution": planned.resolution,
    "engagement": planned.engagement,
    "retention": planned.retention,
    "satisfaction": planned.satisfaction,
    "realtime": planned.realtime,
    "active_sessions": planned.active,
}
_PUBLISHED: Mapping[str, Callable[[World, Asked], Json]] = {
    "dashboard": published.dashboard,
    "metric": published.metric,
    "attendant_stats": published.attendant_stats,
    "dashboards": published.dashboards,
    "query_dashboards": published.query_dashboards,
    "goals": published.goals,
    **dict.fromkeys(
        "daily_insights weekly_insights insight_trends insight_recommendations insight_settings insight_apps "
        "insight_focus_mode insight_track".split(),
        published.insights,
    ),
}


def token(*roles: str) -> str:
    """The JWT of somebody with roles: one of ROLES, or ("admin", "Admin") for every route."""
    parts = [{"alg": "HS256", "typ": "JWT"}, {"sub": f"{roles[0]}@bots.example", "roles": roles}]
    text = b".".join(_base64(json.dumps(part).encode()) for part in parts)
    return (text + b"." + _base64(hmac.digest(b"a secret of the tests", text, hashlib.sha256))).decode()


class GeneralBots(Vendor):
    """The server, with its records and its reports."""

    def __init__(self, of: World, *, has: str, reports: Reports, bare: bool, delay: float) -> None:
        self.world = of
        self.reports = reports
        handlers: dict[str, Handler] = {}
        if has in {"planned", "both"}:
            handlers |= {name: partial(_reply, answer, of) for name, answer in _PLANNED.items()}
            handlers |= {"create_report": reports.create, "reports": reports.listed, "report": reports.one}
            if bare:
                handlers["active_sessions"] = lambda asked: Reply(planned.active(of, asked)["active_sessions"])
        if has in {"published", "both"}:
            handlers |= {name: partial(_reply, answer, of) for name, answer in _PUBLISHED.items()}
        keys = {token(*roles): roles for roles in [*((role,) for role in ROLES), ("admin", "Admin")]}
        super().__init__("general_bots", handlers, keys=keys, permit=_permit, invalid=400, delay=delay)


@cache
def world(sessions: int = 300, seed: int = 7) -> World:
    """The records of a seed; they never change, so servers may share them."""
    return make(seed=seed, sessions=sessions)


def server(
    has: str = "planned",
    *,
    of: World | None = None,
    begun: int = 202,
    enveloped: bool = False,
    stateless: bool = False,
    at_once: bool = False,
    bare: bool = False,
    delay: float = 0,
) -> GeneralBots:
    """A server of its own state.

    Args:
        has: The routes it has: "planned", "published" or "both"; the others are 404.
        of: Other records than those of the usual seed.
        begun: The status that a report is begun with, 200 or 202.
        enveloped: Whether the list of reports comes under `data`.
        stateless: Whether reports say nothing of their status.
        at_once: Whether a finished report's route answers with its document whatever the request accepts.
        bare: Whether the count of active sessions comes as a bare number.
        delay: Seconds before each answer.
    """
    known = of or world()
    reports = Reports(known, begun, enveloped=enveloped, stateless=stateless, at_once=at_once)
    return GeneralBots(known, has=has, reports=reports, bare=bare, delay=delay)


def _reply(answer: Callable[[World, Asked], Json], of: World, asked: Asked) -> Reply:
    return Reply(answer(of, asked))


def _permit(operation: Operation, granted: Granted) -> None:
    """Refuse a role that the route does not know; where the contract states no role, any will do."""
    allowed = operation.said["x-required-roles"].get("any_of")
    if allowed and not set(granted.owner) & set(allowed):
        raise Refused(403)


def _base64(text: bytes) -> bytes:
    return base64.urlsafe_b64encode(text).rstrip(b"=")
