"""Mavenoid: three calls, each for single records and for groups, and what their figures allow."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import cast

from talkscope.flow import Call, Manners
from talkscope.platforms.access import Platform
from talkscope.platforms.mavenoid.access import ACCESS, LIMITS, PERSONAL, UNTRUSTED, bucket, is_sample
from talkscope.platforms.mavenoid.calls import (
    agent_availabilities,
    assistant_conversations,
    live_support_sessions,
    respelled,
)
from talkscope.platforms.mavenoid.groups import disagreements, merged, partial
from talkscope.platforms.mavenoid.meaning import explained, notes

CALLS: Mapping[str, Callable[..., Call[object]]] = cast(
    "Mapping[str, Callable[..., Call[object]]]",
    {
        "assistant_conversations": assistant_conversations,
        "live_support_sessions": live_support_sessions,
        "agent_availabilities": agent_availabilities,
    },
)
"""Each call by its name: a function of keyword arguments that returns a `Call`."""

PLATFORM = Platform(
    access=ACCESS,
    calls=CALLS,
    manners=Manners(limits=LIMITS, bucket=bucket, explained=explained, again=respelled),
    personal=PERSONAL,
    untrusted=UNTRUSTED,
    notes=lambda call, answer, key, _now: notes(call, answer, key=key),
    probes=lambda _: (assistant_conversations(days=1, group_by=["status"]),),
)
"""All of the above, as the clients, the tools and the command line take it."""

__all__ = [
    "ACCESS",
    "CALLS",
    "LIMITS",
    "PERSONAL",
    "PLATFORM",
    "UNTRUSTED",
    "agent_availabilities",
    "assistant_conversations",
    "bucket",
    "disagreements",
    "explained",
    "is_sample",
    "live_support_sessions",
    "merged",
    "notes",
    "partial",
    "respelled",
]  # fmt: skip
