"""What is true of the demo's telemetry: the figures that the warehouse has to answer, worked out without it.

All windows are absolute and end at `now` unless they say otherwise; the figures are unrounded (answers round to three
decimals), times are aware UTC, latencies and durations ms. `measure` says what each figure means.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from pydantic import TypeAdapter

from talkscope.jobs.demo.incidents import Incident
from talkscope.jobs.demo.measure import Attribution, Errors, Spread, Usage


@dataclass(frozen=True, slots=True)
class Figures:
    """The headline figures of one window."""

    start: datetime
    end: datetime
    sessions: int
    interactions: int
    end_users: int
    errors: Errors
    latency: Spread


@dataclass(frozen=True, slots=True)
class Headline:
    """A window and the one before it, equally long."""

    current: Figures
    before: Figures


@dataclass(frozen=True, slots=True)
class DayLatency:
    """User-to-bot latency of one UTC day, as far as the window covers it."""

    start: datetime
    latency: Spread


@dataclass(frozen=True, slots=True)
class SpanGroup:
    """Spans that share processor, provider and model (None: not grouped by it, or not known)."""

    processor: str
    provider: str | None
    model: str | None
    errors: Errors
    durations: Spread
    usage: Usage


@dataclass(frozen=True, slots=True)
class CharacterFigures:
    """One character's share of the traffic."""

    character_id: str
    character_name: str
    sessions: int
    interactions: int
    end_users: int
    latency: Spread


@dataclass(frozen=True, slots=True)
class HourErrors:
    """Errors of one UTC hour: of turns, or of one provider's tts spans."""

    start: datetime
    provider: str | None
    errors: Errors


@dataclass(frozen=True, slots=True)
class HandoffDay:
    """Handoffs of one UTC day, among the outcomes whose resolution is known and not open."""

    start: datetime
    outcomes: int
    decided: int
    handoffs: int
    handoff_rate: float | None


@dataclass(frozen=True, slots=True)
class SlowSession:
    """A session by the p95 of its turns in the window."""

    session_id: str
    latency: Spread


@dataclass(frozen=True, slots=True)
class SlowTurn:
    """The slowest turn with spans of one session, and where its time went."""

    session_id: str
    interaction_id: str
    latency_ms: float
    attribution: Attribution


@dataclass(frozen=True, slots=True)
class Tail:
    """The turns at or above a percentile, and where their time went."""

    threshold_ms: float
    attribution: Attribution


@dataclass(frozen=True, slots=True)
class Peak:
    """The most sessions at once, and when that was first so."""

    sessions: int
    at: datetime


@dataclass(frozen=True, slots=True)
class Comparison:
    """p95 now against p95 before; `group` is `overall` or a provider."""

    group: str
    baseline: Spread
    current: Spread
    ratio: float | None

    @staticmethod
    def of(group: str, baseline: Spread, current: Spread) -> Comparison:
        """The two spreads with the ratio of their p95, None where one has none."""
        ratio = current.p95 / baseline.p95 if current.p95 is not None and baseline.p95 else None
        return Comparison(group, baseline, current, ratio)


@dataclass(frozen=True, slots=True)
class Truth:
    """Everything that is known to be true of one demo."""

    now: datetime
    days: int
    seed: int
    records: dict[str, int]
    incidents: tuple[Incident, ...]
    headlines: dict[str, Headline]
    daily_30d: tuple[DayLatency, ...]
    processors_7d: tuple[SpanGroup, ...]
    llms_7d: tuple[SpanGroup, ...]
    llms_30d: tuple[SpanGroup, ...]
    characters_30d: tuple[CharacterFigures, ...]
    outage_day_turns: tuple[HourErrors, ...]
    outage_day_tts: tuple[HourErrors, ...]
    handoffs_30d: tuple[HandoffDay, ...]
    slowest_sessions_7d: tuple[SlowSession, ...]
    slowest_turn_7d: SlowTurn | None
    tail_7d: Tail | None
    peak_24h: Peak
    regression: tuple[Comparison, ...]
    events_7d: dict[str, int]

    def to_json(self) -> bytes:
        """The truth as indented JSON, times in ISO 8601."""
        return _JSON.dump_json(self, indent=1) + b"\n"

    @staticmethod
    def from_json(text: str | bytes) -> Truth:
        """The truth that `to_json` wrote; raises pydantic.ValidationError when it is something else."""
        return _JSON.validate_json(text)


_JSON = TypeAdapter(Truth)
