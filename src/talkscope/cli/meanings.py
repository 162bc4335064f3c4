"""What the words of questions mean, as their options say it: the usual ones, and those of one question."""

from __future__ import annotations

from collections.abc import Collection, Mapping

import click

from talkscope.models.outcomes import HEADLINE, OUTCOMES

USUAL: Mapping[str, str] = {
    "range": "Window that ends now, or a day, week or month of the zone.",
    "start_time": "Start of the window, ISO 8601, instead of --range.",
    "end_time": "End of the window, exclusive; now without it.",
    "timezone": "IANA zone in which days are days and naive times are.",
    "filters": "Only facts with this value; `!=` for without it. Repeat it; the same dimension twice means either.",
    "measures": "What is measured; repeat it, or separate with commas.",
    "measure": "What is compared.",
    "granularity": "Length of a bucket; without it, one that fits the window.",
    "metric_name": "Measure this metric instead, e.g. voice.user_to_bot_latency.",
    "metric_name_prefix": "Measure the metrics whose names begin so, e.g. error.",
    "sort": "What comes first.",
    "cursor": "The page after, from the answer before.",
    "limit": "At most so many rows or groups.",
    "max_rows": "At most so many rows.",
    "by": "What the time is divided by.",
    "percentile": "Only turns at or above this percentile.",
    "current_range": "The window that is looked at.",
    "baseline_range": "What it is compared with; the window itself is cut out of it.",
    "baseline_start_time": "Start of the baseline, which ends at --start-time.",
    "threshold": "Relative change that counts, 0.15 being 15 %.",
    "kind": "Which part of the catalogue.",
    "session_id": "The session; without it, the window's slowest.",
}
_OF_SESSIONS = "platform channel language app_key character_id experience_id end_user_id session_id"
SAYS: Mapping[str, Mapping[str, str]] = {
    "outcomes": {
        "measures": f"main: {' '.join(HEADLINE)}; all; or any of"
        f" {' '.join(name for name in OUTCOMES if name not in HEADLINE)}; repeat it, or separate with commas.",
        "group_by": "By assistant or tag; by resolution, handoff_reason, deflection_quality, sentiment,"
        f" sentiment_shift or recontact_risk; by {', '.join(_OF_SESSIONS.split())}.",
    },
    "support": {
        "measures": "sessions, queue_ms, first_response_ms, chat_ms, agents, availability_ms, active_ms or occupancy;"
        " repeat it, or separate with commas. All without it.",
        "group_by": "By agent, agent_group, status, resolution, platform, channel, language or assistant.",
    },
    "resources": {
        "kind": "Only resources of this kind.",
        "by": "What rows are grouped by.",
        "search": "Only where a name, title, action or item has this text.",
    },
    "errors": {
        "service": "Only of this component, e.g. llm, tts, tool or workflow.",
        "level": "Warnings are no errors.",
        "code": "Only with this error code.",
        "search": "Only where the message has this text.",
        "granularity": "Counts by bucket and service instead of rows; auto fits the window.",
    },
}
_PARTS = frozenset({"provider", "model", "processor"})
WITHOUT: Mapping[str, Collection[str]] = {"outcomes": _PARTS | {"status"}, "support": _PARTS, "resources": _PARTS}
"""Shortcuts for filters that a question's records do not have."""


def retold(found: list[click.Parameter], says: Mapping[str, str]) -> list[click.Parameter]:
    """The options, of which these words are told otherwise; their defaults are told as before."""
    for option in found:
        if isinstance(option, click.Option) and option.help and (told := says.get(option.name or "")):
            _, *default = option.help.partition("  [")
            option.help = told + "".join(default)
    return found
