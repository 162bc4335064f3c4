"""What the measures mean, once more and slowly: plain Python over lists of records, no SQL and no shortcuts.

The demo holds the warehouse's answers against these. Windows are half-open pairs of microseconds UTC; percentiles
interpolate linearly; nothing is rounded; a statistic over no values is None.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TypeAlias, TypeVar

from talkscope.jobs.demo.telemetry import FAILURES, Event, Interaction, Outcome, Session, Span, Telemetry

Window: TypeAlias = tuple[int, int]
Key = TypeVar("Key")

UNATTRIBUTED = "unattributed"


@dataclass(frozen=True, slots=True)
class Spread:
    """Latency or duration in ms over the n that are known."""

    n: int
    avg: float | None
    p50: float | None
    p95: float | None
    p99: float | None


@dataclass(frozen=True, slots=True)
class Errors:
    """How many of n failed, and the fraction."""

    n: int
    errors: int
    error_rate: float | None


@dataclass(frozen=True, slots=True)
class Usage:
    """What spans used, over those that know it; None where none does."""

    input_tokens: int | None
    output_tokens: int | None
    characters: int | None
    cost_usd: float | None


@dataclass(frozen=True, slots=True)
class Attribution:
    """Where the time of some turns went: summed latency, ms and share by processor, largest first."""

    turns: int
    total_ms: float
    ms: dict[str, float]
    shares: dict[str, float]


class Facts:
    """Telemetry, indexed for the questions below."""

    def __init__(self, telemetry: Telemetry) -> None:
        """Index it once: sessions by id, failed turns, leaf spans, spans by turn, each session's last fact."""
        self.telemetry = telemetry
        self.sessions: dict[str, Session] = {s.session_id: s for s in telemetry.sessions}
        self.failed = {i.interaction_id for i in telemetry.interactions if i.status in FAILURES}
        self.failed |= {e.interaction_id for e in telemetry.events if e.is_error and e.interaction_id is not None}
        self.spans_of: dict[str, list[Span]] = {}
        self.parent_of: dict[tuple[str, str], str | None] = {}
        for span in telemetry.spans:
            self.spans_of.setdefault(span.interaction_id, []).append(span)
            self.parent_of[span.session_id, span.span_id] = span.parent_id
        parents = {(span.session_id, span.parent_id) for span in telemetry.spans if span.parent_id is not None}
        self.leaves = [span for span in telemetry.spans if (span.session_id, span.span_id) not in parents]
        self.last_fact = {s.session_id: s.start_time for s in telemetry.sessions}
        for fact, end in [
            *((i.session_id, i.end_time) for i in telemetry.interactions),
            *((s.session_id, s.end_time) for s in telemetry.spans),
            *((e.session_id, e.time) for e in telemetry.events),
        ]:
            self.last_fact[fact] = max(self.last_fact[fact], end)

    def depth(self, span: Span) -> int:
        """How many spans of its session lie above it."""
        above, depth = span.parent_id, 0
        while above is not None and (span.session_id, above) in self.parent_of:
            above, depth = self.parent_of[span.session_id, above], depth + 1
        return depth


def within(moment: int, window: Window) -> bool:
    """Whether the moment lies in the half-open window."""
    return window[0] <= moment < window[1]


def percentile(values: Sequence[float], q: float) -> float | None:
    """The q-quantile of sorted values, interpolated linearly between the two nearest ranks."""
    if not values:
        return None
    rank = (len(values) - 1) * q
    low = math.floor(rank)
    high = min(low + 1, len(values) - 1)
    return values[low] + (values[high] - values[low]) * (rank - low)


def spread(values: Iterable[float]) -> Spread:
    """Mean and percentiles of the values."""
    known = sorted(values)
    avg = math.fsum(known) / len(known) if known else None
    return Spread(len(known), avg, percentile(known, 0.50), percentile(known, 0.95), percentile(known, 0.99))


def rate(errors: int, n: int) -> Errors:
    """The counts with their fraction, None over nothing."""
    return Errors(n, errors, errors / n if n else None)


def turns(facts: Facts, window: Window) -> list[Interaction]:
    """The interactions that start in the window."""
    return [i for i in facts.telemetry.interactions if within(i.start_time, window)]


def latency(interactions: Iterable[Interaction]) -> Spread:
    """User-to-bot latency over those that have one, failed ones included."""
    return spread(i.latency_ms for i in interactions if i.latency_ms is not None)


def turn_errors(facts: Facts, window: Window) -> Errors:
    """Failed interactions that start in the window, and error events in it that belong to no interaction."""
    started = turns(facts, window)
    orphans = sum(
        1 for e in facts.telemetry.events if e.is_error and e.interaction_id is None and within(e.time, window)
    )
    failed = sum(1 for i in started if i.interaction_id in facts.failed)
    return rate(failed + orphans, len(started) + orphans)


def sessions_seen(facts: Facts, window: Window) -> set[str]:
    """The sessions with a start, an interaction, a span, an event or an outcome in the window."""
    data = facts.telemetry
    seen = {s.session_id for s in data.sessions if within(s.start_time, window)}
    seen |= {i.session_id for i in data.interactions if within(i.start_time, window)}
    seen |= {s.session_id for s in data.spans if within(s.start_time, window)}
    seen |= {e.session_id for e in data.events if within(e.time, window)}
    return seen | {o.session_id for o in data.outcomes if within(o.time, window)}


def end_users(facts: Facts, session_ids: Iterable[str]) -> int:
    """How many known end users the sessions have."""
    return len({facts.sessions[name].end_user_id for name in session_ids} - {None})


def spans_by(spans: Iterable[Span], window: Window, key: Callable[[Span], Key]) -> dict[Key, list[Span]]:
    """The spans that start in the window, by a key."""
    groups: dict[Key, list[Span]] = {}
    for span in spans:
        if within(span.start_time, window):
            groups.setdefault(key(span), []).append(span)
    return groups


def span_errors(spans: Sequence[Span]) -> Errors:
    """Failed spans among all spans."""
    return rate(sum(1 for span in spans if span.status in FAILURES), len(spans))


def usage(spans: Sequence[Span]) -> Usage:
    """Tokens, characters and cost, each summed over the spans that know it."""
    tokens_in = [s.input_tokens for s in spans if s.input_tokens is not None]
    tokens_out = [s.output_tokens for s in spans if s.output_tokens is not None]
    characters = [s.characters for s in spans if s.characters is not None]
    costs = [s.cost_usd for s in spans if s.cost_usd is not None]
    return Usage(
        sum(tokens_in) if tokens_in else None,
        sum(tokens_out) if tokens_out else None,
        sum(characters) if characters else None,
        math.fsum(costs) if costs else None,
    )


def attribution(facts: Facts, interactions: Iterable[Interaction]) -> Attribution:
    """Every instant of [start, start + latency) given to the deepest active span, the latest started first."""
    spent: dict[str, int] = {}
    count = total = 0
    for turn in interactions:
        if turn.latency_ms is None:
            continue
        end = turn.start_time + round(turn.latency_ms * 1_000)
        count, total = count + 1, total + end - turn.start_time
        spans = facts.spans_of.get(turn.interaction_id, [])
        edges = {turn.start_time, end} | {edge for s in spans for edge in (s.start_time, s.end_time)}
        for left, right in pairwise(sorted(edge for edge in edges if turn.start_time <= edge <= end)):
            active = [s for s in spans if s.start_time <= left and right <= s.end_time]
            owner = max(active, key=lambda s: (facts.depth(s), s.start_time, s.span_id), default=None)
            name = UNATTRIBUTED if owner is None else owner.processor
            spent[name] = spent.get(name, 0) + right - left
    ranked = sorted(spent.items(), key=lambda item: (-item[1], item[0]))
    return Attribution(
        turns=count,
        total_ms=total / 1_000,
        ms={name: time / 1_000 for name, time in ranked},
        shares={name: time / total for name, time in ranked} if total else {},
    )


def session_p95s(facts: Facts, window: Window) -> dict[str, Spread]:
    """Each session's latency over its turns in the window, slowest p95 first, ties by session id."""
    by_session: dict[str, list[Interaction]] = {}
    for turn in turns(facts, window):
        by_session.setdefault(turn.session_id, []).append(turn)
    found = {name: latency(its) for name, its in by_session.items()}
    known = [(name, of) for name, of in found.items() if of.p95 is not None]
    return dict(sorted(known, key=lambda item: (-(item[1].p95 or 0.0), item[0])))


def peak_concurrency(facts: Facts, window: Window) -> tuple[int, int]:
    """The most sessions at once in the window, and the first moment of it; ends come before starts."""
    steps = []
    for session in facts.telemetry.sessions:
        end = facts.last_fact[session.session_id] if session.end_time is None else session.end_time
        left, right = max(session.start_time, window[0]), min(end, window[1])
        if left < right:
            steps += [(left, 1), (right, -1)]
    level, peak, at = 0, 0, window[0]
    for moment, step in sorted(steps):
        level += step
        if level > peak:
            peak, at = level, moment
    return peak, at


def latest_outcomes(facts: Facts, window: Window) -> list[Outcome]:
    """The latest outcome in the window of each session that has one."""
    latest: dict[str, Outcome] = {}
    for outcome in facts.telemetry.outcomes:
        if within(outcome.time, window):
            before = latest.get(outcome.session_id)
            if before is None or outcome.time >= before.time:
                latest[outcome.session_id] = outcome
    return list(latest.values())


def events_by_name(events: Iterable[Event], window: Window) -> dict[str, int]:
    """How many events of each metric name lie in the window."""
    counts: dict[str, int] = {}
    for event in events:
        if within(event.time, window):
            counts[event.metric_name] = counts.get(event.metric_name, 0) + 1
    return dict(sorted(counts.items()))
