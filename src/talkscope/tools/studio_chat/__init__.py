"""Studio Chat's tools, in the order in which they are listed."""

from __future__ import annotations

from talkscope.tools.studio_chat.config import CONFIG
from talkscope.tools.studio_chat.conversation import CONVERSATION
from talkscope.tools.studio_chat.conversations import CONVERSATIONS
from talkscope.tools.studio_chat.conversions import CONVERSIONS
from talkscope.tools.studio_chat.csat import CSAT
from talkscope.tools.studio_chat.evals import EVALS
from talkscope.tools.studio_chat.kb_items import KB_ITEMS
from talkscope.tools.studio_chat.overview import OVERVIEW
from talkscope.tools.studio_chat.resources import RESOURCES
from talkscope.tools.studio_chat.scores import ANALYZE
from talkscope.tools.studio_chat.topics import TOPICS, TOPICS_START
from talkscope.tools.vendor import VendorTool

TOOLS: tuple[VendorTool, ...] = (
    OVERVIEW,
    CONVERSATIONS,
    CONVERSATION,
    TOPICS,
    RESOURCES,
    KB_ITEMS,
    CSAT,
    CONVERSIONS,
    CONFIG,
    EVALS,
    ANALYZE,
    TOPICS_START,
)
