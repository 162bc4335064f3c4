"""The event streams of Agent Studio: where they are, and what their events mean.

A stream is text/event-stream over GET, below the service's url and with the service's key; it stays open until one side
ends it. How often a heartbeat comes, and whether a stream can be resumed, is published nowhere.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from talkscope.errors import BadAnswer, Json
from talkscope.flow import path
from talkscope.flow.reading import parse_any
from talkscope.models.text import clean, whole


@dataclass(frozen=True, slots=True)
class Event:
    """One event: its name, its data, and the active calls and moment that an `active_count` states."""

    name: str
    data: Json
    count: int | None = None
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Stream:
    """An event stream: its path, the events it is known to send, and those after which nothing comes."""

    path: str
    events: frozenset[str]
    ends: frozenset[str] = frozenset()

    def read(self, name: str, data: str) -> Event:
        """The event of that name; one that is not known is read too, and data that is no JSON is a text."""
        try:
            value: Json = parse_any(data.encode()) if data.strip() else None
        except (BadAnswer, UnicodeEncodeError):
            value = whole(data)
        event = Event(clean(name, 60), value)
        if name != "active_count" or not isinstance(value, dict):
            return event
        told = value.get("count")
        count = told if isinstance(told, int) and not isinstance(told, bool) else None
        return Event(event.name, value, count, _at(value))


def calls_stream() -> Stream:
    """Calls as they come and go; `active_count` says how many are under way."""
    events = {"connected", "active_count", "calls_update", "heartbeat", "error"}
    return Stream("/sse/calls/stream", frozenset(events))


def call_stream(call_id: str) -> Stream:
    """One call as it goes on, what is said included; it ends with `ended`."""
    events = {"status", "transcript", "agent_changed", "ended"}
    return Stream(path("/sse/calls/{id}/stream", id=call_id), frozenset(events), frozenset({"ended"}))


def _at(value: dict[str, Json]) -> datetime | None:
    """The timestamp, which may be a text or seconds or milliseconds since 1970: the pages do not say."""
    told = value.get("timestamp")
    try:
        if isinstance(told, str):
            at = datetime.fromisoformat(told)
            return at.astimezone(UTC) if at.tzinfo else at.replace(tzinfo=UTC)
        if isinstance(told, int | float) and not isinstance(told, bool):
            return datetime.fromtimestamp(told / 1000 if told > 1e11 else told, UTC)
    except (ValueError, OverflowError, OSError):
        return None
    return None
