"""One session or one interaction of the service's as facts: metrics of one fact put together again.

The service has an event a metric. An interaction is the event of its user-to-bot latency; a component's work is the
event of its processing time, with that of its time to first byte at the same instant.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from talkscope.errors import BadAnswer
from talkscope.hosted.listing import PLATFORM, instant
from talkscope.hosted.reading import measured
from talkscope.insights.traces import Span, Trace, Turn, containing, traced
from talkscope.models.answers import SessionFacts
from talkscope.models.semantics import USER_TO_BOT
from talkscope.models.v1 import ComponentSpan, InteractionTrace, SessionDetail, SessionTimelineEvent
from talkscope.models.window import SECOND, iso

_LATENCY, _WORK, _FIRST_BYTE = "UserBotLatencyMetricsData", "ProcessingMetricsData", "TTFBMetricsData"
_FAILED = ("error", "timeout")
_DEEPEST = 100_000


@dataclass(frozen=True, slots=True)
class Fact:
    """One row of a timeline: `at` in microseconds; lengths, latencies and times to first byte in milliseconds."""

    at: int
    kind: str
    name: str | None
    duration_ms: float | None
    status: str | None
    value: float | None
    provider: str | None
    model: str | None
    interaction_id: str | None

    @property
    def failed(self) -> bool:
        """Whether it tells of a failure."""
        return (self.status or "").lower() in _FAILED or (
            self.kind == "event" and (self.name or "").startswith("error.")
        )


@dataclass(frozen=True, slots=True)
class Timeline:
    """A session with its facts in order of time; `start` and `end` in microseconds."""

    told: SessionDetail
    start: int
    end: int
    facts: list[Fact]

    @property
    def latencies(self) -> list[Fact]:
        """The interactions whose latency is known."""
        return [fact for fact in self.facts if fact.kind == "interaction" and fact.value is not None]

    @property
    def interactions(self) -> set[str]:
        """The ids of its interactions: those with a latency, and those that any other fact names."""
        return {fact.interaction_id for fact in self.facts if fact.interaction_id}

    @property
    def traced(self) -> set[str]:
        """The ids of the interactions of which some component's work is known."""
        return {fact.interaction_id for fact in self.facts if fact.kind == "span" and fact.interaction_id}

    def session(self, zone: str) -> SessionFacts:
        """The session as an answer shows it, with the figures of all its facts."""
        said = [fact for fact in self.facts if fact.failed and fact.kind in ("interaction", "event")]
        failed = {fact.interaction_id for fact in said if fact.interaction_id}
        alone = sum(not fact.interaction_id for fact in said)
        return SessionFacts(
            session_id=self.told.session_id,
            platform=PLATFORM,
            start_time=iso(self.start, zone),
            end_time=iso(self.end, zone),
            duration_sec=max(0, self.end - self.start) / SECOND,
            app_key=self.told.app_key,
            character_id=self.told.character_id,
            experience_id=self.told.experience_id,
            interactions=len(self.interactions),
            errors=len(failed) + alone,
            p95_ms=_quantile([fact.value for fact in self.latencies if fact.value is not None], 0.95),
        )


def timeline(told: SessionDetail) -> Timeline:
    """The session's facts. Raises BadAnswer for times and lengths that cannot be, and for a session at no time."""
    facts = _facts(told.events)
    known = [instant(at) for at in (told.start_time, told.end_time) if at]
    known += [facts[0].at] if facts else []
    if not known:
        raise BadAnswer("The service says neither when the session was nor what happened in it.")
    last = max((fact.at + _micros(fact.duration_ms) for fact in facts), default=known[0])
    start = instant(told.start_time) if told.start_time else facts[0].at if facts else known[0]
    return Timeline(told, start, instant(told.end_time) if told.end_time else max(start, _possible(last)), facts)


def _facts(events: Sequence[SessionTimelineEvent]) -> list[Fact]:
    found: list[Fact] = []
    turns: set[str] = set()
    # Where the work is that a time to first byte belongs to: the latest like it that has none.
    waiting: dict[tuple[int, str | None, str | None, str | None, str | None], list[int]] = {}
    for each in sorted(events, key=lambda event: instant(event.event_time)):
        fact = _fact(each)
        alike = (fact.at, fact.name, fact.interaction_id, fact.provider, fact.model)
        if fact.kind == "interaction" and fact.interaction_id:
            if fact.interaction_id in turns:
                fact = replace(fact, kind="event", name=each.metric_name)
            turns.add(fact.interaction_id or "")
        elif fact.kind == "first byte":
            if waiting.get(alike):
                place = waiting[alike].pop()
                found[place] = replace(found[place], value=fact.value)
                continue
            fact = replace(fact, kind="event", name=each.metric_name)
        elif fact.kind == "span":
            waiting.setdefault(alike, []).append(len(found))
        found.append(fact)
    return found


def _fact(event: SessionTimelineEvent) -> Fact:
    kind, name, length, status, value = _meaning(event)
    told = event.attributes or {}
    provider, model = told.get("provider"), told.get("model")
    return Fact(
        at=instant(event.event_time),
        kind=kind,
        name=name,
        duration_ms=length,
        status=status,
        value=value,
        provider=provider if isinstance(provider, str) else None,
        model=model if isinstance(model, str) else None,
        interaction_id=event.interaction_id or None,
    )


def _meaning(event: SessionTimelineEvent) -> tuple[str, str | None, float | None, str | None, float | None]:
    """What kind of fact it is of, the fact's name, its length, its status and its value."""
    name, kind, value = event.metric_name, event.metric_type, event.value
    if name == USER_TO_BOT and event.interaction_id and kind in (None, _LATENCY):
        return "interaction", None, None, event.status, _ms(value)
    if kind == _WORK or (event.processor and name == f"{event.processor}.processing"):
        return "span", event.processor or name.rpartition(".")[0] or name, _ms(value), event.status, None
    if kind == _FIRST_BYTE or (event.processor and name == f"{event.processor}.ttfb"):
        return "first byte", event.processor or name.rpartition(".")[0] or name, None, event.status, _ms(value)
    if name == "session.outcome":
        return "outcome", event.status, None, None, value
    return "event", name, None, event.status, value


def trace(told: InteractionTrace, latency_ms: float | None = None) -> Trace:
    """The interaction with its spans; its frame is the total that the service gives, else its end, else its spans.

    Raises BadAnswer for times and lengths that cannot be, and for an interaction at no time.
    """
    started = [instant(told.start_time)] if told.start_time else [instant(each.start_time) for each in told.spans]
    if not started:
        raise BadAnswer("The service says neither when the interaction was nor what happened in it.")
    turn = Turn(
        interaction_id=told.interaction_id,
        session_id=told.session_id or "",
        platform=PLATFORM,
        start=min(started),
        end=instant(told.end_time) if told.end_time else None,
        latency_ms=latency_ms,
        texts={
            "interaction_type": told.interaction_type,
            "status": told.terminal_status,
            "failure_stage": told.failure_stage,
            "character_id": told.character_id,
            "end_user_id": told.end_user_id,
        },
    )
    total = measured(told.total_duration_ms)
    # A length that is not known is 0.0 on the wire.
    end = turn.start + _micros(total) if total and latency_ms is None else None
    return traced(turn, _spans(told.spans), end)


def _spans(told: Sequence[ComponentSpan]) -> list[Span]:
    placed = [_between(each) for each in told]
    said = _depths(told)
    depths = containing(placed) if said is None else said
    order = sorted(range(len(told)), key=lambda index: (placed[index][0], depths[index], index))
    return [_span(told[index], *placed[index], depths[index], key=f"{place:09}") for place, index in enumerate(order)]


def _between(span: ComponentSpan) -> tuple[int, int]:
    start, length = instant(span.start_time), measured(span.duration_ms)
    end = instant(span.end_time) if span.end_time else start
    return start, end if end > start else start + _micros(length)


def _depths(told: Sequence[ComponentSpan]) -> list[int] | None:
    """How deep each span lies, where the service says it of all."""
    said = [(each.attributes or {}).get("depth") for each in told]
    known = [each for each in said if isinstance(each, int) and not isinstance(each, bool) and 0 <= each <= _DEEPEST]
    return known if len(known) == len(said) else None


def _span(told: ComponentSpan, start: int, end: int, depth: int, *, key: str) -> Span:
    attributes = told.attributes or {}
    ttfb = next((attributes[name] for name in ("ttfbMs", "ttfb_ms") if name in attributes), None)
    known = isinstance(ttfb, int | float) and not isinstance(ttfb, bool)
    name = (told.metric_name or "").rpartition(".")[0]
    return Span(
        key=key,
        span_id=None,
        start=start,
        end=end,
        depth=depth,
        processor=told.processor or name or "unknown",
        provider=told.provider,
        model=told.model,
        status=told.status,
        error_code=told.error_code,
        ttfb_ms=_ms(float(str(ttfb))) if known else None,
    )


def depth_basis(told: InteractionTrace) -> str:
    """Where the spans' depths come from, in words."""
    return "" if _depths(told.spans) is not None else "; depth is how many of the turn's other spans hold a span whole"


def _ms(value: float | None) -> float | None:
    known = measured(value)
    return None if known is None else round(known, 3)


def _micros(ms: float | None) -> int:
    return round((ms or 0.0) * 1_000)


def _possible(us: int) -> int:
    """A worked out time, where that can be written."""
    latest = 253_402_000_000 * SECOND
    if us > latest:
        raise BadAnswer("The service gave a length that cannot be.")
    return us


def _quantile(values: Sequence[float], q: float) -> float | None:
    """The quantile with linear interpolation; None of nothing."""
    if not values:
        return None
    ordered = sorted(values)
    at = (len(ordered) - 1) * q
    low, high = ordered[math.floor(at)], ordered[math.ceil(at)]
    return round(low + (high - low) * (at - math.floor(at)), 3)
