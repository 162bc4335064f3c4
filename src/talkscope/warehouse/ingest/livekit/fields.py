"""Reading one field of what LiveKit's agents log, and the ids that are written beside it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from talkscope.models.records import Refused
from talkscope.warehouse.documents import Item, number_of, text_of

PLATFORM = "livekit"

_LATEST = 1e11
"""Seconds since 1970 in the year 5138; more is another unit."""
_SESSION = ("session_id", "room_id", "room_sid", "job_id", "room_name", "room")
_TOLD = {
    "character_id": ("agent_id", "agent_name"),
    "character_name": ("agent_name",),
    "end_user_id": ("participant_identity", "participant_id", "user_id"),
    "channel": ("channel",),
    "language": ("language",),
    "app_key": ("project_id",),
}
BESIDE = frozenset(_SESSION).union(*_TOLD.values())
"""The names under which a line says whose it is."""
_HOST = re.compile(r"api\.([a-z0-9-]+)\.(?:com|ai|io)")
_PLUGIN = re.compile(r"livekit\.plugins\.([a-z0-9_]+)")


@dataclass(frozen=True, slots=True)
class Home:
    """Whose a line is: the session's id, None when nothing names it, and what the line tells of the session."""

    session: str | None
    told: Mapping[str, str]


def home_of(beside: Item) -> Home:
    """The session that a line belongs to, by the ids on and around it, the surest first."""
    room = beside.get("room")
    named = {**beside, "room_id": room.get("sid"), "room": room.get("name")} if isinstance(room, dict) else beside
    session = next((found for name in _SESSION if (found := text_of(named.get(name)))), None)
    told = {
        ours: found
        for ours, theirs in _TOLD.items()
        if (found := next((text for name in theirs if (text := text_of(beside.get(name)))), None))
    }
    return Home(session, told)


def seconds_of(value: object) -> float | None:
    """A duration in seconds; None for what never happened, which LiveKit writes as -1."""
    number = number_of(value)
    return None if number is None or number < 0 else number


def ms(seconds: float | None) -> float | None:
    """The seconds in milliseconds."""
    return None if seconds is None else round(seconds * 1_000, 3)


def moment_of(item: Item, name: str) -> float:
    """Seconds since 1970 that a field names; raises Refused."""
    number = number_of(item.get(name))
    if number is None:
        raise Refused(f"has no {name}")
    if not 0 < number < _LATEST:
        raise Refused(f"{name} is not in seconds since 1970: {number:g}")
    return number


def micros(seconds: float) -> int:
    """The moment as integer microseconds since 1970."""
    return round(seconds * 1_000_000)


def provider_of(metadata: Item, label: object = None) -> str | None:
    """The vendor's name in lower case, out of what a plugin calls itself: a name, its host, or its module."""
    said = (text_of(metadata.get("model_provider")) or "").lower()
    if said and said != "unknown":
        host = _HOST.fullmatch(said)
        return host[1] if host else said
    plugin = _PLUGIN.match(str(label))
    return plugin[1] if plugin else None


def model_of(metadata: Item) -> str | None:
    """The model's name; None when it is not known."""
    model = text_of(metadata.get("model_name"))
    return None if model == "unknown" else model
