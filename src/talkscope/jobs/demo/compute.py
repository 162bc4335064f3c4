"""Works the demo's truth out from its records, and from nothing that the generator meant to do."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from talkscope.jobs.demo.incidents import Incident
from talkscope.jobs.demo.measure import (
    Facts,
    Window,
    attribution,
    end_users,
    events_by_name,
    latency,
    latest_outcomes,
    peak_concurrency,
    session_p95s,
    sessions_seen,
    span_errors,
    spans_by,
    spread,
    turn_errors,
    turns,
    usage,
    within,
)
from talkscope.jobs.demo.telemetry import DAY, HOUR, Outcome, Span, Telemetry, moment
from talkscope.jobs.demo.truth import (
    CharacterFigures,
    Comparison,
    DayLatency,
    Figures,
    HandoffDay,
    Headline,
    HourErrors,
    Peak,
    SlowSession,
    SlowTurn,
    SpanGroup,
    Tail,
    Truth,
)
from talkscope.models.records import micros

RANGES = {"last_24h": DAY, "last_7d": 7 * DAY, "last_30d": 30 * DAY}


def truth_of(telemetry: Telemetry, *, now: datetime, days: int, seed: int, incidents: Sequence[Incident]) -> Truth:
    """Everything that `Truth` holds; `days`, `seed` and `incidents` are only noted, the outage names its day."""
    facts, end = Facts(telemetry), micros(now)
    day, week, month = ((end - length, end) for length in RANGES.values())
    outage = next(micros(i.start) // DAY * DAY for i in incidents if i.kind == "tts_outage")
    slowest = [SlowSession(name, of) for name, of in session_p95s(facts, week).items()][:5]
    peak, at = peak_concurrency(facts, day)
    return Truth(
        now=moment(end),
        days=days,
        seed=seed,
        records={kind: len(records) for kind, records in telemetry.by_type().items()},
        incidents=tuple(incidents),
        headlines={name: _headline(facts, (end - length, end)) for name, length in RANGES.items()},
        daily_30d=_daily(facts, month),
        processors_7d=_span_groups(facts, week, by_model=False),
        llms_7d=_span_groups(facts, week, by_model=True),
        llms_30d=_span_groups(facts, month, by_model=True),
        characters_30d=_characters(facts, month),
        outage_day_turns=_turn_errors_by_hour(facts, (outage, outage + DAY)),
        outage_day_tts=_tts_errors_by_hour(facts, (outage, outage + DAY)),
        handoffs_30d=_handoffs(facts, month),
        slowest_sessions_7d=tuple(slowest),
        slowest_turn_7d=_slowest_turn(facts, week, slowest[0].session_id) if slowest else None,
        tail_7d=_tail(facts, week),
        peak_24h=Peak(peak, moment(at)),
        regression=_regression(facts, (week[0], day[0]), day),
        events_7d=events_by_name(telemetry.events, week),
    )


def _buckets(window: Window, size: int) -> list[tuple[int, Window]]:
    """Each UTC day or hour that the window touches: its own start, and the part of it inside the window."""
    starts = range(window[0] // size * size, window[1], size)
    return [(start, (max(start, window[0]), min(start + size, window[1]))) for start in starts]


def _figures(facts: Facts, window: Window) -> Figures:
    seen, started = sessions_seen(facts, window), turns(facts, window)
    return Figures(
        start=moment(window[0]),
        end=moment(window[1]),
        sessions=len(seen),
        interactions=len(started),
        end_users=end_users(facts, seen),
        errors=turn_errors(facts, window),
        latency=latency(started),
    )


def _headline(facts: Facts, window: Window) -> Headline:
    return Headline(_figures(facts, window), _figures(facts, (2 * window[0] - window[1], window[0])))


def _daily(facts: Facts, window: Window) -> tuple[DayLatency, ...]:
    return tuple(DayLatency(moment(start), latency(turns(facts, part))) for start, part in _buckets(window, DAY))


def _span_groups(facts: Facts, window: Window, *, by_model: bool) -> tuple[SpanGroup, ...]:
    """By processor; or by provider and model, llm only. Counted over all spans, timed over leaf spans."""

    def key(span: Span) -> tuple[str, str, str]:
        return (span.processor, span.provider or "", span.model or "") if by_model else (span.processor, "", "")

    every = spans_by(facts.telemetry.spans, window, key)
    leaves = spans_by(facts.leaves, window, key)
    return tuple(
        SpanGroup(
            processor=group[0],
            provider=group[1] or None,
            model=group[2] or None,
            errors=span_errors(spans),
            durations=spread(span.duration_ms for span in leaves.get(group, [])),
            usage=usage(spans),
        )
        for group, spans in sorted(every.items())
        if group[0] == "llm" or not by_model
    )


def _characters(facts: Facts, window: Window) -> tuple[CharacterFigures, ...]:
    names = {s.character_id: s.character_name for s in facts.telemetry.sessions}
    seen, started = sessions_seen(facts, window), turns(facts, window)
    found = []
    for character, name in sorted(names.items()):
        theirs = {session for session in seen if facts.sessions[session].character_id == character}
        talks = [turn for turn in started if turn.session_id in theirs]
        found.append(
            CharacterFigures(character, name, len(theirs), len(talks), end_users(facts, theirs), latency(talks))
        )
    return tuple(found)


def _turn_errors_by_hour(facts: Facts, window: Window) -> tuple[HourErrors, ...]:
    return tuple(HourErrors(moment(start), None, turn_errors(facts, part)) for start, part in _buckets(window, HOUR))


def _tts_errors_by_hour(facts: Facts, window: Window) -> tuple[HourErrors, ...]:
    speech = [span for span in facts.telemetry.spans if span.processor == "tts"]
    return tuple(
        HourErrors(moment(start), provider, span_errors(spans))
        for start, part in _buckets(window, HOUR)
        for provider, spans in sorted(spans_by(speech, part, lambda span: span.provider or "").items())
    )


def _handoffs(facts: Facts, window: Window) -> tuple[HandoffDay, ...]:
    latest = latest_outcomes(facts, window)
    found = []
    for start, part in _buckets(window, DAY):
        today: list[Outcome] = [outcome for outcome in latest if within(outcome.time, part)]
        decided = sum(1 for outcome in today if outcome.resolution not in (None, "open"))
        handoffs = sum(1 for outcome in today if outcome.resolution == "handoff")
        found.append(HandoffDay(moment(start), len(today), decided, handoffs, handoffs / decided if decided else None))
    return tuple(found)


def _slowest_turn(facts: Facts, window: Window, session_id: str) -> SlowTurn | None:
    traced = [
        (turn.latency_ms, turn)
        for turn in turns(facts, window)
        if turn.session_id == session_id and turn.latency_ms is not None and turn.interaction_id in facts.spans_of
    ]
    if not traced:
        return None
    slowest, turn = max(traced, key=lambda pair: (pair[0], -pair[1].start_time))
    return SlowTurn(session_id, turn.interaction_id, slowest, attribution(facts, [turn]))


def _tail(facts: Facts, window: Window) -> Tail | None:
    started = turns(facts, window)
    threshold = latency(started).p95
    if threshold is None:
        return None
    slow = [turn for turn in started if turn.latency_ms is not None and turn.latency_ms >= threshold]
    return Tail(threshold, attribution(facts, slow))


def _regression(facts: Facts, baseline: Window, current: Window) -> tuple[Comparison, ...]:
    """User-to-bot latency overall, then llm span durations by provider; the windows do not overlap."""
    found = [Comparison.of("overall", latency(turns(facts, baseline)), latency(turns(facts, current)))]
    calls = [span for span in facts.leaves if span.processor == "llm"]
    before = spans_by(calls, baseline, lambda span: span.provider or "")
    after = spans_by(calls, current, lambda span: span.provider or "")
    for provider in sorted(before.keys() | after.keys()):
        earlier = spread(span.duration_ms for span in before.get(provider, []))
        found.append(Comparison.of(provider, earlier, spread(span.duration_ms for span in after.get(provider, []))))
    return tuple(found)
