"""How is live support doing: how long do customers wait, and how does it end?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pydantic import Field

from talkscope.models.answers import Answer, Cell
from talkscope.models.questions import Asked, Words
from talkscope.platforms.mavenoid import disagreements, live_support_sessions, merged
from talkscope.platforms.mavenoid.groups import DURATIONS, lasted
from talkscope.platforms.mavenoid.models import LiveSupportSession, SessionGroup
from talkscope.tools.mavenoid.figures import COLUMNS, counted, ratings, spread, stated, statuses
from talkscope.tools.mavenoid.groups import Grouping, table
from talkscope.tools.mavenoid.listed import listed
from talkscope.tools.mavenoid.words import UNLISTED, MavenoidAsked, window
from talkscope.tools.vendor import Reach, VendorTool

LENGTHS = "All durations begin with the session, so the chat's includes the queue; a session may lack any of them."
ONCE = "A rating is the whole conversation's: one with several sessions counts once among the ratings."

_FIELDS = (
    "assistant_conversation_id", "created_at", "updated_at", "agent_email", "agent_group_name", "status",
    "resolution_label", *DURATIONS, "feedback_rating", "debrief_labels", "debrief_summary",
)  # fmt: skip
_BASIS = "sessions with live agents that began in the window"
_STATUSES = (
    "RESOLVED", "ACTIVE", "WAITING_FOR_AGENT", "TRANSFERRED", "AGENT_TIMEOUT", "CUSTOMER_SKIPPED",
    "DECLINED_BY_AGENT", "INACTIVITY_TIMEOUT", "NO_AGENT_CAPACITY",
)  # fmt: skip
_SHORT = {"queue_duration_ms": "queue_ms", "first_response_ms": "first_response_ms", "chat_duration_ms": "chat_ms"}


class SupportAsked(MavenoidAsked):
    """Sessions with live agents."""

    group_by: Words = Field(
        default_factory=list,
        description="of date week month agent_email agent_group_name status resolution_label feedback_rating",
    )


async def _answered(reach: Reach, asked: Asked) -> Answer:
    assert isinstance(asked, SupportAsked)
    days, over = window(reach, asked)
    reach.note(LENGTHS)
    if asked.group_by:
        groups = await reach.send(live_support_sessions(days=days, group_by=asked.group_by))
        columns, rows = table(reach, groups, by=asked.group_by, days=days, limit=asked.limit, how=_HOW)
        units = {"count": "sessions", **{name: "ms" for name in columns if "_ms_" in name}}
        n = sum(group.count for group in groups)
        return reach.answer(columns, rows, n=n, window=over, basis=_BASIS, units=units)
    found = await reach.send(live_support_sessions(days=days))
    if asked.rows:
        rows = listed(reach, found, _FIELDS, newest="created_at", limit=asked.limit)
        units = {**dict.fromkeys(DURATIONS, "ms"), "feedback_rating": "1 to 4"}
        return reach.answer(_FIELDS, rows, n=len(found), window=over, basis=_BASIS, units=units)
    reach.note(ONCE)
    return reach.answer(COLUMNS, _headlines(found), n=len(found), window=over, basis=_BASIS, units=_UNITS)


_UNITS = {"value": "ms where the measure says so, 1 to 4 for rating_mean, else how many", "share": "fraction of n"}


def _headlines(found: Sequence[LiveSupportSession]) -> list[list[Cell]]:
    n = len(found)
    rated = {each.assistant_conversation_id: each.feedback_rating for each in found}
    lengths = [row for name in DURATIONS for row in spread(_SHORT[name], [lasted(each, name) for each in found])]
    return [
        stated("sessions", n, n),
        stated("conversations", len(rated), n),
        stated("agents", len({each.agent_email for each in found if each.agent_email}), n),
        counted("without_agent", sum(each.agent_email is None for each in found), n),
        *statuses([each.status for each in found], _STATUSES),
        *lengths,
        *ratings(list(rated.values())),
    ]


def _figures(group: SessionGroup) -> Mapping[str, Cell]:
    told: dict[str, Cell] = {"count": group.count}
    for name in DURATIONS:
        told |= {f"{_SHORT[name]}_{word}": getattr(group, f"{name}_{word}") for word in ("mean", "max", "sum")}
    return {**told, "disagree": ", ".join(_SHORT[name] for name in disagreements(group)) or None}


_HOW = Grouping(merged=merged, size=lambda group: group.count, figures=_figures, besides={})

SUPPORT = VendorTool(
    name="mavenoid_support",
    title="Live support",
    description="Mavenoid live support sessions: status counts, agents, queue, first response and chat durations (mean,"
    " p50, p95, max, sum), ratings 1-4; or mean, max, sum by group; or rows.",
    platform="mavenoid",
    params=SupportAsked,
    answered=_answered,
    left_out="Ask for fewer days, fewer fields to group by, or a smaller limit.",
    own=frozenset({"measure", "partial", "disagree"}),
    bare=frozenset({"agent_email"}),
    unlisted=UNLISTED,
)
