"""Sensible words for every tool of every platform, over the worlds of tests/vendors: what is asked where all are."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import chain
from typing import Any

from tests.vendors import general_bots, studio_chat
from tests.vendors.agent_studio_world import Tenant
from tests.vendors.studio_chat.asking import EVERY, PROJECT, of_april

Asking = tuple[str, Mapping[str, Any]]

APRIL: Mapping[str, Any] = {"start_time": "2026-04-01", "end_time": "2026-05-01"}
KINDS = ("api_tools", "toolkits", "skills", "knowledge_bases")
_SETTINGS: Mapping[str, Mapping[str, Any]] = {
    **{kind: {} for kind in ("assistants", "knowledge_bases", "api_tools", "schedule", "project", "projects")},
    **{kind: {"name": "Orders"} for kind in ("assistant", "versions", "active", "deployments", "settings")},
    "knowledge_base": {"name": "intercom"},
    "item": {"name": "intercom", "item_id": PROJECT.bases[0].items[0][0]},
    "api_tool": {"name": PROJECT.tools[0].name},
}


def studio() -> Iterator[Asking]:
    """Studio Chat's, each view of each tool."""
    ids = [each.id for each in of_april()[:3]]
    for show in ("totals", "signals", "assistants", "tags", "trend", "account"):
        yield "studio_overview", {"show": show, **APRIL}
    for show in ("signals", "summaries", "reasons", "texts", "counts"):
        yield "studio_conversations", {"show": show, **APRIL}
    for show in ("timeline", "citations", "scores", "facts"):
        yield "studio_conversation", {"show": show, "ids": ids[:1]}
        yield "studio_conversation", {"show": show, "ids": ids}
    for show in ("topics", "moods", "conversations"):
        yield "studio_topics", {"show": show}
    for kind in KINDS:
        for show in ("totals", "days", "recent", "sparklines"):
            yield "studio_resources", {"kind": kind, "show": show, **({} if show == "sparklines" else APRIL)}
    yield "studio_resources", {"kind": "toolkits", "show": "actions", **APRIL}
    yield "studio_resources", {"kind": "toolkits", "name": "no-such-kit", **APRIL}
    yield "studio_resources", {"kind": "toolkits", "show": "params", "filters": "param=query:x", **APRIL}
    yield "studio_resources", {"kind": "knowledge_bases", "show": "sources", **APRIL}
    yield "studio_kb_items", {"knowledge_base": "intercom", **APRIL}
    for show in ("scores", "trend", "ratings", "rating_tags"):
        yield "studio_csat", {"show": show, **APRIL}
    yield "studio_conversions", {}
    for show in ("topline", "trend", "events", "assistants"):
        yield "studio_conversions", {"metric": PROJECT.metrics[0].slug, "show": show, **APRIL}
    for kind, words in _SETTINGS.items():
        yield "studio_config", {"kind": kind, **words}
    for show in ("runs", "cases", "yaml"):
        yield "studio_evals", {"show": show, "assistant": "Support desk"}
    yield "studio_evals", {"show": "run", "run_id": PROJECT.runs[0].id}


def studio_changing(wait_sec: int) -> Iterator[Asking]:
    """Studio Chat's that change something."""
    yield "studio_analyze", {"ids": [next(each.id for each in EVERY if len(each.messages) > 1)]}
    yield "studio_topics_start", {"wait_sec": wait_sec}


def calls(tenant: Tenant) -> Iterator[Asking]:
    """Agent Studio's."""
    yield "calls_summary", {"range": "last_30d"}
    for granularity in ("hour", "day", "week"):
        yield "calls_volume", {"range": "last_30d", "granularity": granularity}
    for by in ("workflow", "provider"):
        yield "calls_breakdown", {"by": by, "range": "last_30d"}
    yield "calls_errors", {"range": "last_30d"}
    call = max((each for each in tenant.calls if each.status == "completed"), key=lambda each: len(each.said))
    yield "calls_detail", {"call_id": call.id}


def bots() -> Iterator[Asking]:
    """General Bots'."""
    window = {"start_time": "2026-04-10", "end_time": "2026-05-01"}
    yield "bots_usage", window
    for group_by in ("day", "week", "month"):
        yield "bots_usage", {**window, "group_by": group_by}
    for about in ("overall", "volume", "duration", "resolution"):
        yield "bots_conversations", {**window, "about": about}
    for about in ("engagement", "retention", "satisfaction"):
        yield "bots_engagement", {**window, "about": about}
    for about in ("now", "live_support", "dashboard"):
        yield "bots_realtime", {"about": about}
    yield "bots_reports", {}


def bots_changing(wait_sec: int) -> Iterator[Asking]:
    """General Bots' that changes something."""
    yield (
        "bots_report_create",
        {"type": "usage", "start_time": "2026-04-10", "end_time": "2026-05-01", "wait_sec": wait_sec},
    )


def mavenoid() -> Iterator[Asking]:
    """Mavenoid's."""
    groups = {
        "mavenoid_conversations": ["week", "status", "flow_name"],
        "mavenoid_support": ["month", "agent_email"],
        "mavenoid_availability": ["date", "agent_email"],
    }
    for name, by in groups.items():
        yield name, {"days": 30}
        yield name, {"days": 30, "group_by": by}
        yield name, {"days": 30, "rows": True}


def by_platform(tenant: Tenant, *, wait_sec: int) -> dict[str, list[Asking]]:
    """All of them; what is made is waited for so long."""
    assert general_bots.NOW == studio_chat.NOW
    return {
        "studio_chat": [*chain(studio_changing(wait_sec), studio())],
        "agent_studio": [*calls(tenant)],
        "general_bots": [*chain(bots_changing(wait_sec), bots())],
        "mavenoid": [*mavenoid()],
    }
