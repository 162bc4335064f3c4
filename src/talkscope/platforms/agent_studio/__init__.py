"""Agent Studio: six analytics calls, two about one call, and two event streams."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import cast

from talkscope.flow import Allowance, Call, Manners
from talkscope.platforms.access import Platform
from talkscope.platforms.agent_studio.access import (
    ACCESS,
    LIMITS,
    PERSONAL,
    REFRESH,
    UNTRUSTED,
    allowance,
    bucket,
    refresh,
)
from talkscope.platforms.agent_studio.calls import (
    active_calls,
    call_detail,
    call_transcript,
    call_volume,
    error_logs,
    provider_latency,
    summary,
    workflow_stats,
)
from talkscope.platforms.agent_studio.live import Event, Stream, call_stream, calls_stream
from talkscope.platforms.agent_studio.meaning import explained, notes

_ALL = (
    summary, call_volume, workflow_stats, provider_latency, error_logs, active_calls, call_detail, call_transcript,
)  # fmt: skip
CALLS: Mapping[str, Callable[..., Call[object]]] = cast(
    "Mapping[str, Callable[..., Call[object]]]", {call.__name__: call for call in _ALL}
)
"""Each call by its name: a function of keyword arguments that returns a `Call`."""

PLATFORM = Platform(
    access=ACCESS,
    calls=CALLS,
    manners=Manners(limits=LIMITS, bucket=bucket, allowance=allowance, explained=explained, refresh=refresh),
    personal=PERSONAL,
    untrusted=UNTRUSTED,
    notes=lambda call, answer, _key, _now: notes(call, answer),
    probes=lambda _: (active_calls(),),
)
"""All of the above, as the clients, the tools and the command line take it."""

__all__ = [
    "ACCESS",
    "CALLS",
    "LIMITS",
    "PERSONAL",
    "PLATFORM",
    "REFRESH",
    "UNTRUSTED",
    "Allowance",
    "Event",
    "Stream",
    "active_calls",
    "allowance",
    "bucket",
    "call_detail",
    "call_stream",
    "call_transcript",
    "call_volume",
    "calls_stream",
    "error_logs",
    "explained",
    "notes",
    "provider_latency",
    "refresh",
    "summary",
    "workflow_stats",
]  # fmt: skip
