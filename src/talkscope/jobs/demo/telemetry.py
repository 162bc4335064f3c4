"""Five lists of records, as the demo makes them and as the NDJSON files hold them.

The names are those of `talkscope.models.records`; times are integer microseconds since 1970 in UTC, a record that is
silent about a name holds None, and a written line leaves that name out.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from pathlib import Path
from typing import TypeAlias

import orjson

from talkscope.models.records import EPOCH

HOUR = 3_600_000_000
DAY = 24 * HOUR
FAILURES = ("error", "timeout")

_TIMES = frozenset({"start_time", "end_time", "time"})


@dataclass(frozen=True, slots=True)
class Session:
    """One conversation; a missing `end_time` is one that is still open, or whose end was never reported."""

    session_id: str
    start_time: int
    end_time: int | None
    app_key: str
    character_id: str
    character_name: str
    experience_id: str
    channel: str
    language: str
    end_user_id: str | None
    attributes: dict[str, bool]


@dataclass(frozen=True, slots=True)
class Interaction:
    """One turn; `latency_ms` runs from the end of the user's words to the first audio or text of the answer."""

    interaction_id: str
    session_id: str
    start_time: int
    end_time: int
    index: int
    interaction_type: str
    latency_ms: float | None
    status: str
    failure_stage: str | None


@dataclass(frozen=True, slots=True)
class Span:
    """One component's work inside a turn."""

    span_id: str
    session_id: str
    interaction_id: str
    processor: str
    start_time: int
    end_time: int
    status: str
    parent_id: str | None = None
    provider: str | None = None
    voice_provider: str | None = None
    model: str | None = None
    error_code: str | None = None
    ttfb_ms: float | None = None
    input_tokens: int | None = None
    output_tokens: int | None = None
    characters: int | None = None
    cost_usd: float | None = None
    attributes: dict[str, str] | None = None

    @property
    def duration_ms(self) -> float:
        """How long the work took, as the warehouse derives it."""
        return (self.end_time - self.start_time) / 1_000


@dataclass(frozen=True, slots=True)
class Event:
    """Something that was noted at one moment."""

    session_id: str
    time: int
    metric_name: str
    interaction_id: str | None = None
    metric_type: str | None = None
    value: float | None = None
    unit: str | None = None
    processor: str | None = None
    provider: str | None = None
    model: str | None = None
    status: str | None = None
    error_code: str | None = None

    @property
    def is_error(self) -> bool:
        """Whether it counts as an error: by its name, or by its status."""
        return self.metric_name.startswith("error.") or self.status in FAILURES


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a session ended."""

    session_id: str
    time: int
    resolution: str | None
    handoff_reason: str | None
    deflection_quality: str | None
    rating: float | None
    rating_scale: float | None
    sentiment: str
    recontact_risk: str
    user_intent: str


Record: TypeAlias = "Session | Interaction | Span | Event | Outcome"


@dataclass(frozen=True, slots=True)
class Telemetry:
    """Everything that was recorded, each list in the order of its sessions."""

    sessions: Sequence[Session]
    interactions: Sequence[Interaction]
    spans: Sequence[Span]
    events: Sequence[Event]
    outcomes: Sequence[Outcome]

    def by_type(self) -> dict[str, Sequence[Record]]:
        """The lists under the names of their record types."""
        return {
            "session": self.sessions,
            "interaction": self.interactions,
            "span": self.spans,
            "event": self.events,
            "outcome": self.outcomes,
        }

    def write(self, folder: Path) -> None:
        """Write `<type>.ndjson` for each record type into the folder, over what is there."""
        for kind, records in self.by_type().items():
            with (folder / f"{kind}.ndjson").open("wb") as file:
                file.writelines(_lines(kind, records))


def moment(micros: int) -> datetime:
    """The moment in UTC, exactly."""
    return EPOCH + timedelta(microseconds=micros)


def _lines(kind: str, records: Sequence[Record]) -> Iterator[bytes]:
    if not records:
        return
    names = [(field.name, field.name in _TIMES) for field in fields(records[0])]
    for record in records:
        line: dict[str, object] = {"type": kind}
        for name, is_time in names:
            value = getattr(record, name)
            if value is not None:
                line[name] = moment(value) if is_time else value
        yield orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE | orjson.OPT_UTC_Z)
