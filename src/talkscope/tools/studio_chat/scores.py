"""How conversations were scored, and scoring one that was not."""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import Field

from talkscope.models.answers import Answer, Cell
from talkscope.models.questions import Asked, Words
from talkscope.platforms import studio_chat
from talkscope.platforms.studio_chat.models import ConversationMetrics
from talkscope.tools.studio_chat.asking import project
from talkscope.tools.studio_chat.cells import at
from talkscope.tools.vendor import Reach, VendorTool
from talkscope.tools.vendor.said import words

_MOST = 10
_PAIRS = {
    "sentiment": ("sentiment_label", "sentiment_reason"),
    "resources": ("resources_label", "resources_reason"),
    "sentiment_shift": ("sentiment_shift", "sentiment_shift_reason"),
    "deflection_quality": ("deflection_quality", "deflection_quality_reason"),
    "handoff_reason": ("handoff_reason", "handoff_reason_detail"),
    "recontact_risk": ("recontact_risk", "recontact_risk_reason"),
}
SCORED = ("conversation_id", "summary", "user_intent", *(field for pair in _PAIRS.values() for field in pair))
"""The fields of a scoring that a conversation repeats."""


def scores(reach: Reach, found: Sequence[tuple[str, ConversationMetrics]], zone: str) -> Answer:
    """Each signal with its label and the reason for it; nulls where a conversation is not scored."""
    rows: list[list[Cell]] = []
    for which, each in found:
        rows += [[which, name, getattr(each, label), getattr(each, reason)] for name, (label, reason) in _PAIRS.items()]
        rows += [[which, "user_intent", None, each.user_intent], [which, "summary", None, each.summary]]
        if each.scored_at is not None:
            count = each.message_count_at_scoring
            rows += [[which, "scored_at", at(each.scored_at, zone), None], [which, "messages_at_scoring", count, None]]
    unscored = [which for which, each in found if each.sentiment_label is None]
    if unscored:
        reach.note(f"Not scored, so that nothing is known of their labels: {words(unscored)}.")
    return reach.answer(
        ("conversation_id", "signal", "label", "why"), rows, n=len(found), basis="n counts conversations"
    )


class AnalyzeAsked(Asked):
    """Conversations to be scored."""

    ids: Words = Field(min_length=1, max_length=_MOST, description="1-10 conversation ids")


async def analyze(reach: Reach, asked: Asked) -> Answer:
    """Have conversations scored, one after the other, and tell how they were."""
    assert isinstance(asked, AnalyzeAsked)
    found: list[tuple[str, ConversationMetrics]] = []
    for each in dict.fromkeys(asked.ids):
        told = await reach.send(studio_chat.analyze_conversation(project(reach), each))
        found.append((each, told))
    return scores(reach, found, "UTC")


ANALYZE = VendorTool(
    name="studio_analyze",
    title="Studio Chat: score a conversation",
    description=(
        "Have Studio Chat score conversations of two messages or more now: sentiment, deflection quality and the other"
        " signals, with reasons. This changes what Studio Chat holds."
    ),
    platform="studio_chat",
    params=AnalyzeAsked,
    answered=analyze,
    left_out="Ask for fewer conversations.",
    own=frozenset({"signal"}),
    read_only=False,
)
