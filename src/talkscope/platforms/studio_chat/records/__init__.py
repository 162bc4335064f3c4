"""Studio Chat's answers as records of the warehouse.

| Answer | Records |
|---|---|
| a conversation of a list | `session`, `outcome`, and an `event` `winback.sent` where a winback was |
| the same with its messages | also `interaction` by turn, `resource_call` of kind `tool` and `knowledge_base` |
| satisfaction | `rating` by row; `snapshot` whether it is configured, of how many were eligible and of the score |
| a conversion metric | `conversion` by event; `snapshot` whether it is configured and of how many were eligible |
| calls of API tools and toolkits, loads of skills | `resource_call` of kind `api_tool`, `toolkit`, `skill` by row |
| citations of knowledge bases | `resource_call` of kind `knowledge_base` by recent row; `snapshot` by source, item |
| signals of all conversations | `snapshot` of how many were scored |
| analytics of a project or an account | `snapshot` of winbacks, of latencies by bucket, of messages of assistants |

A conversation counts by its last message, as the vendor's own date filters have it: that is the time of its outcome.
Its `resolution` is `handoff` with a handoff; without one, `resolved` and `abandoned` where `deflection_quality` says
`resolved` and `no_response`; `partial`, `actioned` and what is not scored are neither, and have none.
"""

from __future__ import annotations

from talkscope.platforms.studio_chat.records.citing import Titles, titles_of
from talkscope.platforms.studio_chat.records.conversations import bases_of, conversation
from talkscope.platforms.studio_chat.records.figures import (
    account_analytics,
    conversation_analytics,
    conversions,
    item_citations,
    ratings,
    signals,
)
from talkscope.platforms.studio_chat.records.resources import api_tool_calls, citations, skill_loads, toolkit_calls

__all__ = [
    "GAPS", "LATENCY_BASIS", "Titles", "account_analytics", "api_tool_calls", "bases_of", "citations", "conversation",
    "conversation_analytics", "conversions", "item_citations", "ratings", "signals", "skill_loads", "titles_of",
    "toolkit_calls",
]  # fmt: skip

LATENCY_BASIS = (
    "response_latency_ms of the first message with which the assistant answered a turn, as Studio Chat measured it;"
    " conversations synced without their messages have no turns"
)

GAPS = (
    "Studio Chat does not say who the end user is: what it knows of the person is in a conversation's context.",
    "It tells no components of an answer and no tokens: there are no spans, costs or usage of models.",
    "It does not say which message a citation is of: its time is its search's, or else the conversation's last.",
    "Whether a tool that a message called succeeded is not said; calls of API tools and toolkits say it.",
    "Of citations of knowledge bases only the recent ones are rows, and rows without a time are not kept.",
    "How often an item was cited is told of the 50 items that a knowledge base is cited for most.",
    "Conversations without a message are at no time, and ratings of no known date either: they are not kept.",
    "Conversations that are not scored have no labels; a label can be missing because it does not apply.",
    "Whether a winback was answered or converted is told of all conversations together only.",
)
