"""How do conversations with the assistant go, and end?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pydantic import Field

from talkscope.models.answers import Answer, Cell
from talkscope.models.questions import Asked, Words
from talkscope.platforms.mavenoid import assistant_conversations
from talkscope.platforms.mavenoid.meaning import RESOLVED
from talkscope.platforms.mavenoid.models import AssistantConversation, ConversationGroup
from talkscope.tools.mavenoid.figures import COLUMNS, counted, ratings, stated, statuses
from talkscope.tools.mavenoid.groups import Grouping, table
from talkscope.tools.mavenoid.listed import listed
from talkscope.tools.mavenoid.words import UNLISTED, MavenoidAsked, window
from talkscope.tools.vendor import Reach, VendorTool

_FIELDS = (
    "id", "created_at", "updated_at", "flow_name", "touchpoint_name", "status", "label", "lang_code",
    "latest_live_support_session_status", "latest_live_support_session_resolution_label", "feedback_rating",
    "feedback_topics", "feedback_comments", "latest_search_query", "latest_search_result_chosen",
    "latest_search_shortcut_chosen", "form_data",
)  # fmt: skip
_BASIS = "conversations that began in the window; bounces are none"
_STATUSES = ("OPEN", "RESOLVED", "ESCALATED")


class ConversationsAsked(MavenoidAsked):
    """Conversations with the assistant."""

    group_by: Words = Field(
        default_factory=list,
        description="of date week month flow_name touchpoint_name status label lang_code feedback_rating"
        " latest_live_support_session_status latest_live_support_session_resolution_label",
    )


async def _answered(reach: Reach, asked: Asked) -> Answer:
    assert isinstance(asked, ConversationsAsked)
    days, over = window(reach, asked)
    if asked.group_by:
        groups = await reach.send(assistant_conversations(days=days, group_by=asked.group_by))
        columns, rows = table(reach, groups, by=asked.group_by, days=days, limit=asked.limit, how=_HOW)
        n = sum(group.count for group in groups)
        return reach.answer(columns, rows, n=n, window=over, basis=_BASIS, units={"count": "conversations"})
    found = await reach.send(assistant_conversations(days=days))
    if asked.rows:
        rows = listed(reach, found, _FIELDS, newest="created_at", limit=asked.limit)
        units = {"feedback_rating": "1 to 4"}
        return reach.answer(_FIELDS, rows, n=len(found), window=over, basis=_BASIS, units=units)
    reach.note(RESOLVED)
    return reach.answer(COLUMNS, _headlines(found), n=len(found), window=over, basis=_BASIS, units=_UNITS)


_UNITS = {
    "value": "conversations, but for resolution_rate (a fraction) and rating_mean (1 to 4)",
    "share": "fraction of n",
}


def _headlines(found: Sequence[AssistantConversation]) -> list[list[Cell]]:
    n = len(found)
    over = sum(each.status in ("RESOLVED", "ESCALATED") for each in found)
    resolved = sum(each.status == "RESOLVED" for each in found)
    return [
        stated("conversations", n, n),
        *statuses([each.status for each in found], _STATUSES),
        stated("resolution_rate", resolved / over if over else None, over),
        counted("with_live_support", sum(each.latest_live_support_session_status is not None for each in found), n),
        counted("with_search", sum(each.latest_search_query is not None for each in found), n),
        *ratings([each.feedback_rating for each in found]),
    ]


def _figures(group: ConversationGroup) -> Mapping[str, Cell]:
    return {"count": group.count}


def _merged(groups: Sequence[ConversationGroup]) -> ConversationGroup:
    return ConversationGroup(count=sum(group.count for group in groups))


_HOW = Grouping(
    merged=_merged, size=lambda group: group.count, figures=_figures, besides={"status": "resolved_by"}
)  # fmt: skip

CONVERSATIONS = VendorTool(
    name="mavenoid_conversations",
    title="Conversations with the assistant",
    description="Mavenoid assistant conversations: counts by status, resolution rate (resolved of those no longer"
    " open), ratings 1-4; or counts by group; or rows.",
    platform="mavenoid",
    params=ConversationsAsked,
    answered=_answered,
    left_out="Ask for fewer days, fewer fields to group by, or a smaller limit.",
    own=frozenset({"measure", "partial", "resolved_by"}),
    unlisted=UNLISTED,
)
