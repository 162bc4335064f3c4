"""How many conversations were there, how long, and how did they end?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from pydantic import Field

from talkscope.models.answers import Answer
from talkscope.models.questions import Asked
from talkscope.platforms.general_bots import (
    conversation_duration,
    conversation_resolution,
    conversation_volume,
    conversations,
    engagement,
    retention,
    satisfaction,
)
from talkscope.platforms.general_bots.models import OpenAnswer
from talkscope.platforms.general_bots.planned import Windowed
from talkscope.tools.general_bots.asking import BotsAsked, dates, sent, told
from talkscope.tools.vendor import Reach, VendorTool

_CALLS: Mapping[str, Windowed[OpenAnswer]] = {
    "overall": conversations,
    "volume": conversation_volume,
    "duration": conversation_duration,
    "resolution": conversation_resolution,
    "engagement": engagement,
    "retention": retention,
    "satisfaction": satisfaction,
}


class ConversationsAsked(BotsAsked):
    """Conversations."""

    about: Literal["overall", "volume", "duration", "resolution"] = "overall"


class EngagementAsked(BotsAsked):
    """What users make of the bots."""

    about: Literal["engagement", "retention", "satisfaction"] = Field(default="engagement")


async def _answered(reach: Reach, asked: Asked) -> Answer:
    assert isinstance(asked, ConversationsAsked | EngagementAsked)
    window = reach.window(asked)
    call = _CALLS[asked.about](
        **dates(window), group_by=asked.group_by, bot_id=asked.bot_id, user_id=asked.user_id
    )  # fmt: skip
    return told(reach, call, await sent(reach, call), window, asked.group_by)


CONVERSATIONS = VendorTool(
    name="bots_conversations",
    title="Conversations with bots",
    description="General Bots conversations: overall, volume, duration or resolution, fields as the server gives them."
    " Planned by the vendor: many servers lack it and say so.",
    platform="general_bots",
    params=ConversationsAsked,
    answered=_answered,
    left_out="Ask for a coarser group_by or a shorter window.",
)
ENGAGEMENT = VendorTool(
    name="bots_engagement",
    title="Engagement with bots",
    description="General Bots engagement, retention or satisfaction, fields as the server gives them. Planned by the"
    " vendor: many servers lack it and say so.",
    platform="general_bots",
    params=EngagementAsked,
    answered=_answered,
    left_out="Ask for a coarser group_by or a shorter window.",
)
