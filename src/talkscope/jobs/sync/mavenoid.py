"""Mavenoid: conversations, live-support sessions and availabilities, each asked for as a whole, and read by row."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from datetime import timedelta

from talkscope.jobs.sync.asked import Asked
from talkscope.jobs.sync.gathered import Ask, Found, Gathered, Gathering, figure
from talkscope.platforms import mavenoid as api
from talkscope.platforms.mavenoid import models, records
from talkscope.platforms.recording import Record

GAPS, LATENCY_BASIS = records.GAPS, records.LATENCY_BASIS
REACH: timedelta | None = timedelta(days=120)
USUAL = timedelta(days=120)
# A conversation is escalated, rated and resolved days after it began, and windows go by when it began.
OVERLAP = timedelta(days=14)


def plan(asked: Asked) -> Gathering:
    """The rows of the last days; the vendor's windows end now, whatever is wanted."""
    days = max(1, min(120, math.ceil(asked.back / timedelta(days=1))))
    return Gathered(
        [
            Ask("conversations", api.assistant_conversations(days=days), refusable=False),
            figure("support", api.live_support_sessions(days=days)),
            figure("availability", api.agent_availabilities(days=days)),
        ]
    )


def recorded(found: Iterable[Found], asked: Asked) -> Iterator[Record]:
    """The records of everything that was found."""
    del asked
    for each in found:
        if isinstance(each.value, models.AssistantConversation):
            yield from records.assistant_conversation(each.value)
        elif isinstance(each.value, models.LiveSupportSession):
            yield from records.live_support_session(each.value)
        elif isinstance(each.value, models.AgentAvailability):
            yield from records.agent_availability(each.value)
