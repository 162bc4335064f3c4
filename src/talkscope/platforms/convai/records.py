"""Convai's answers as records of the warehouse.

| Answer | Records |
|---|---|
| a session of a list | `session` |
| a session's timeline | also `interaction` by user-to-bot latency, `span` by a component's work, `outcome`, `event` |
| with the traces of its interactions | the same, its interactions and spans those of the traces where there is one |
| a trace alone | `interaction` and `span` |

The service has an event a metric. An interaction is its `voice.user_to_bot_latency`; a component's work is its
processing time, with the time to first byte at the same instant. Neither has an id for a span or an event: one is made
of what it is, when it was and how many like it came before. Words are taken as the service spells them.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from operator import attrgetter
from typing import Literal, TypeAlias

from talkscope.models.semantics import USER_TO_BOT
from talkscope.models.v1 import ComponentSpan, InteractionTrace, SessionDetail, SessionSummary, SessionTimelineEvent
from talkscope.models.values import micros
from talkscope.platforms.recording import Record, first, key, later, numbered, record

PLATFORM = "convai"
LATENCY_BASIS = (
    "voice.user_to_bot_latency of the interaction, as the service measured it; an interaction without it has none"
)
GAPS = (
    "Convai does not say a session's channel, language, status or the character's name.",
    "It says who the end user is in traces only: sessions synced without traces have none.",
    "It does not say which span holds another but by depth, and that not always: without it no span holds another.",
    "It tells neither tokens nor costs.",
    "Its windows reach back 30 days at most.",
    "Sessions without a time, interactions without a session, and spans of neither, cannot be kept.",
)

_LATENCY, _WORK, _FIRST_BYTE = "UserBotLatencyMetricsData", "ProcessingMetricsData", "TTFBMetricsData"
_DEEPEST = 100_000
_LONGEST = 1e11
_COLUMNS = ("provider", "voice_provider", "model", "error_code")
_OF_EVENTS = ("provider", "model", "error_code", "message")

Meaning: TypeAlias = Literal["interaction", "span", "first byte", "outcome", "event"]


@dataclass(frozen=True, slots=True)
class _Work:
    """A component's work; `depth` is how many spans hold it, where the service says so."""

    at: datetime
    processor: str
    length_ms: float | None
    ttfb_ms: float | None
    status: str | None
    interaction_id: str | None
    columns: Mapping[str, object]
    attributes: Mapping[str, object]
    depth: int | None = None


def session(
    found: SessionSummary | SessionDetail, traces: Iterable[InteractionTrace] = (), *, traced: Collection[str] = ()
) -> Iterator[Record]:
    """A session's records; nothing of one that is at no time.

    Args:
        found: The session, of a list or with its timeline.
        traces: Traces of its interactions, which say more of them than the timeline.
        traced: Interactions whose traces are stored apart from this: their work is left to these.
    """
    held = {each.interaction_id: each for each in traces}
    events = sorted(found.events, key=attrgetter("event_time")) if isinstance(found, SessionDetail) else []
    times = [each.start_time for each in held.values()] + [each.event_time for each in events[:1]]
    start = found.start_time or min((at for at in times if at), default=None) or found.end_time
    if start is None:
        return
    yield record(
        "session",
        PLATFORM,
        session_id=found.session_id,
        start_time=start,
        end_time=found.end_time,
        app_key=found.app_key,
        character_id=found.character_id,
        experience_id=found.experience_id,
        end_user_id=first(each.end_user_id for each in held.values()),
    )
    latencies = _latencies(events)
    for name, event in latencies.items():
        if name not in held:
            yield record(
                "interaction",
                PLATFORM,
                interaction_id=name,
                session_id=found.session_id,
                start_time=event.event_time,
                latency_ms=event.value,
                status=event.status,
                attributes=event.attributes,
            )
    for each in held.values():
        yield from interaction(each, session_id=found.session_id, latency=latencies.get(each.interaction_id))
    rest = [each for each in events if latencies.get(each.interaction_id or "") is not each]
    yield from _timeline(found.session_id, rest, {*held, *traced})


def interaction(
    found: InteractionTrace, *, session_id: str | None = None, latency: SessionTimelineEvent | None = None
) -> Iterator[Record]:
    """An interaction and its spans; nothing of one that is in no session or at no time.

    Args:
        found: The trace.
        session_id: Its session, where the trace may not say.
        latency: Its user-to-bot latency, out of the session's timeline; a trace does not tell it.
    """
    home = found.session_id or session_id
    start = found.start_time or min((span.start_time for span in found.spans), default=None)
    if home is None or start is None:
        return
    total = found.total_duration_ms if found.total_duration_ms > 0 else None
    yield record(
        "interaction",
        PLATFORM,
        interaction_id=found.interaction_id,
        session_id=home,
        start_time=start,
        end_time=found.end_time or later(start, total),
        interaction_type=found.interaction_type,
        latency_ms=latency.value if latency else None,
        status=found.terminal_status or (latency.status if latency else None),
        failure_stage=found.failure_stage,
        attributes={"total_duration_ms": total, "end_user_id": found.end_user_id},
    )
    yield from _spans(home, [_traced(each, found.interaction_id) for each in found.spans])


def _latencies(events: Iterable[SessionTimelineEvent]) -> dict[str, SessionTimelineEvent]:
    """The event that an interaction is, by its id: the first of its latencies."""
    found: dict[str, SessionTimelineEvent] = {}
    for event in events:
        if _meaning(event) == "interaction" and event.interaction_id:
            found.setdefault(event.interaction_id, event)
    return found


def _meaning(event: SessionTimelineEvent) -> Meaning:
    name, kind, processor = event.metric_name, event.metric_type, event.processor
    if name == USER_TO_BOT and event.interaction_id and kind in (None, _LATENCY):
        return "interaction"
    if kind == _WORK or (processor and name == f"{processor}.processing"):
        return "span"
    if kind == _FIRST_BYTE or (processor and name == f"{processor}.ttfb"):
        return "first byte"
    return "outcome" if name == "session.outcome" else "event"


def _timeline(session_id: str, events: Iterable[SessionTimelineEvent], traced: Collection[str]) -> Iterator[Record]:
    """What is no interaction: outcomes, the work of components that no trace tells, and single metrics."""
    work: list[_Work] = []
    # Where the work is that a time to first byte belongs to: the latest like it that has none.
    waiting: dict[tuple[object, ...], list[int]] = {}
    rest: list[SessionTimelineEvent] = []
    for event in events:
        meaning, told = _meaning(event), _worked(event)
        alike = (told.at, told.processor, told.interaction_id, *map(told.columns.get, ("provider", "model")))
        if meaning in ("span", "first byte") and event.interaction_id in traced:
            continue
        if meaning == "span":
            waiting.setdefault(alike, []).append(len(work))
            work.append(told)
        elif meaning == "first byte" and waiting.get(alike):
            place = waiting[alike].pop()
            work[place] = replace(work[place], ttfb_ms=_known(event.value))
        else:
            rest.append(event)
    yield from _spans(session_id, work)
    names = [key(session_id, each.metric_name, micros(each.event_time), each.interaction_id or "") for each in rest]
    for name, event in numbered(zip(names, rest, strict=True)):
        yield _outcome(session_id, name, event) if _meaning(event) == "outcome" else _event(session_id, name, event)


def _worked(event: SessionTimelineEvent) -> _Work:
    columns, attributes = _split(event.attributes)
    return _Work(
        at=event.event_time,
        processor=event.processor or event.metric_name.rpartition(".")[0] or event.metric_name,
        length_ms=_known(event.value),
        ttfb_ms=None,
        status=event.status,
        interaction_id=event.interaction_id or None,
        columns=columns,
        attributes=attributes,
    )


def _traced(span: ComponentSpan, interaction_id: str) -> _Work:
    columns, attributes = _split(span.attributes)
    told = first(attributes.pop(name, None) for name in ("ttfbMs", "ttfb_ms"))
    depth = _known(attributes.pop("depth", None), _DEEPEST)
    length = _known(span.duration_ms)
    if span.end_time and span.end_time > span.start_time:
        length = (span.end_time - span.start_time) / timedelta(milliseconds=1)
    said = {"provider": span.provider, "model": span.model, "error_code": span.error_code}
    return _Work(
        at=span.start_time,
        processor=span.processor or (span.metric_name or "").rpartition(".")[0] or "unknown",
        length_ms=length,
        ttfb_ms=_known(told),
        status=span.status,
        interaction_id=interaction_id,
        columns=columns | {name: value for name, value in said.items() if value},
        attributes=attributes,
        depth=None if depth is None else int(depth),
    )


def _spans(session_id: str, work: Sequence[_Work]) -> Iterator[Record]:
    """The work as spans in order of time, each below the one that holds it where the depths of all are known."""
    ordered = sorted(work, key=lambda each: (each.at, each.depth or 0))
    names = [key(session_id, each.interaction_id or "", each.processor, micros(each.at)) for each in ordered]
    known = all(each.depth is not None for each in ordered)
    above: dict[int, list[tuple[datetime, str]]] = {}
    for name, each in numbered(zip(names, ordered, strict=True)):
        depth, end = each.depth or 0, later(each.at, each.length_ms) or each.at
        parents = above.get(depth - 1, []) if known else []
        if known:
            above.setdefault(depth, []).append((end, name))
        # Of neighbours that overlap, the parent is the one that holds it whole.
        holding = next((parent for until, parent in reversed(parents) if until >= end), None)
        yield record(
            "span",
            PLATFORM,
            span_id=name,
            parent_id=holding or (parents[-1][1] if parents else None),
            session_id=session_id,
            interaction_id=each.interaction_id,
            processor=each.processor,
            start_time=each.at,
            duration_ms=each.length_ms or 0.0,
            ttfb_ms=each.ttfb_ms,
            status=each.status,
            **each.columns,
            attributes=each.attributes,
        )


def _event(session_id: str, name: str, event: SessionTimelineEvent) -> Record:
    columns, attributes = _split(event.attributes, _OF_EVENTS)
    failed = event.metric_name.startswith("error.") or (event.status or "").lower() in ("error", "timeout")
    return record(
        "event",
        PLATFORM,
        event_id=name,
        session_id=session_id,
        interaction_id=event.interaction_id,
        time=event.event_time,
        metric_name=event.metric_name,
        metric_type=event.metric_type,
        processor=event.processor,
        status=event.status,
        value=event.value,
        level="error" if failed else None,
        **columns,
        attributes=attributes,
    )


def _outcome(session_id: str, name: str, event: SessionTimelineEvent) -> Record:
    return record(
        "outcome",
        PLATFORM,
        outcome_id=name,
        session_id=session_id,
        time=event.event_time,
        resolution=event.status,
        rating=event.value,
        attributes=event.attributes,
    )


def _split(
    attributes: Mapping[str, object] | None, names: Iterable[str] = _COLUMNS
) -> tuple[dict[str, object], dict[str, object]]:
    """The attributes that are columns of a record, and the rest."""
    told = dict(attributes or {})
    columns = {name: told.pop(name) for name in names if isinstance(told.get(name), str) and told[name]}
    return columns, told


def _known(value: object, most: float = _LONGEST) -> float | None:
    """A number that a length can be."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return value if 0 <= value < most else None
