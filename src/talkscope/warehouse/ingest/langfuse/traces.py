"""Traces as interactions, and the sessions that they belong to, put together from the pieces of a file."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime

from talkscope.models.records import Refused
from talkscope.warehouse.documents import Found, Item, bounded, listed, number_of, rest, text_of
from talkscope.warehouse.ingest.langfuse.fields import PLATFORM, camel, facts_of, moment_of, said
from talkscope.warehouse.ingest.langfuse.observations import (
    AGENT_IDS,
    AGENT_NAMES,
    MILLISECOND,
    Part,
    count_once,
    observation,
)
from talkscope.warehouse.ingest.langfuse.scores import scored

_CONTEXT = {"sessionId": "sessionId", "userId": "userId", "traceName": "name", "traceTags": "tags"} | {
    name: name for name in ("tags", "release", "bookmarked", "public")
}
"""What enriched observations repeat of their trace."""
_CHANNELS = {"voice", "phone", "chat", "web", "sms", "email", "whatsapp"}


def kind_of(item: Item) -> str | None:
    """What an object of the file is: `trace`, `observation`, `score`, or None when it is nothing of Langfuse's."""
    if isinstance(item.get("trace"), dict):
        return "trace"
    has = camel(item).keys()
    if {"startTime", "type", "traceId"} <= has:
        return "observation"
    if "name" in has and has & {"value", "stringValue"} and has & {"traceId", "sessionId", "dataType"}:
        return "score"
    return "trace" if "id" in has and has & {"timestamp", "observations"} else None


@dataclass(slots=True)
class _Turn:
    """One trace: its own fields as far as they are known, and its observations."""

    id: str
    trace: Item = field(default_factory=dict)
    parts: list[Part] = field(default_factory=list)

    def roots(self) -> list[Part]:
        """The observations that no other one of the trace holds."""
        ids = {part.id for part in self.parts}
        return [part for part in self.parts if part.parent not in ids]


@dataclass(slots=True)
class _Session:
    start: datetime
    end: datetime
    record: Item
    characters: list[str] = field(default_factory=list)


class Book:
    """What is known of a file so far: traces that may still grow, sessions, and scores that wait for both."""

    def __init__(self) -> None:
        self._turns: dict[str, _Turn] = {}
        self._sessions: dict[str, _Session] = {}
        self._home: dict[str, str] = {}
        self._scores: list[tuple[str, Item]] = []
        self._marked: set[str] = set()

    def take(self, raw: Item) -> Iterator[Found]:
        """Map one object; a trace that comes with its observations is complete, everything else waits for `close`."""
        item, kind = camel(raw), kind_of(raw)
        if kind == "score":
            self._scores.append((_place(text_of(item.get("traceId")), "score", item), item))
        elif kind == "observation":
            yield from self._observe(None, item)
        else:
            yield from self._trace(camel(item["trace"]) if isinstance(item.get("trace"), dict) else item, item)

    def _trace(self, trace: Item, holder: Item) -> Iterator[Found]:
        observations = [camel(each) for each in listed(holder.get("observations")) if isinstance(each, dict)]
        own = text_of(trace.get("id")) or next((text_of(each.get("traceId")) for each in observations), None)
        if own is None:
            yield "trace without id", Refused("has no id")
            return
        scores = listed(trace.get("scores")) + (listed(holder.get("scores")) if holder is not trace else [])
        for score in (camel(each) for each in scores if isinstance(each, dict)):
            self._scores.append((_place(own, "score", score), {"traceId": own, **score}))
        turn = self._turns.setdefault(own, _Turn(own))
        beside = {key: value for key, value in holder.items() if key not in {"trace", "observations", "scores"}}
        turn.trace = {**turn.trace, **beside, **trace}
        for each in observations:
            yield from self._observe(own, each)
        if observations:
            yield from self._finish(self._turns.pop(own))

    def _observe(self, trace: str | None, item: Item) -> Iterator[Found]:
        trace = text_of(item.get("traceId")) or trace
        where = _place(trace, "observation", item)
        if trace is None:
            yield where, Refused("has no traceId")
            return
        turn = self._turns.setdefault(trace, _Turn(trace))
        context = {ours: item.pop(theirs) for theirs, ours in _CONTEXT.items() if item.get(theirs)}
        if context:
            own = {name: item[name] for name in ("projectId", "environment") if item.get(name)}
            turn.trace = {**own, **context, **turn.trace}
        try:
            turn.parts.append(observation(where, trace, item))
        except Refused as refusal:
            yield where, refusal

    def close(self) -> Iterator[Found]:
        """What had to wait: traces in pieces, sessions, scores."""
        for turn in self._turns.values():
            yield from self._finish(turn)
        for name, session in self._sessions.items():
            record = {**session.record, "start_time": session.start.isoformat(), "end_time": session.end.isoformat()}
            if len(session.characters) > 1:
                record["participants"] = session.characters
            yield f"session {name}", record
        yield from scored(self._scores, self._home)

    def _finish(self, turn: _Turn) -> Iterator[Found]:
        where, known = f"trace {turn.id}", bool(turn.trace)
        session = text_of(turn.trace.get("sessionId")) or self._home.get(turn.id, turn.id)
        self._home[turn.id] = session
        count_once(turn.parts)
        for part in turn.parts:
            if part.record["type"] == "event" and part.id is not None:
                if part.id in self._marked:
                    continue  # An event has no key of its own: the same trace on two pages must not make two.
                self._marked.add(part.id)
            yield part.where, {"session_id": session, **part.record}
        if not known and all(part.parent for part in turn.roots()):
            return  # Nothing is known of the trace and its root is elsewhere: the warehouse derives the interaction.
        try:
            begun = moment_of(turn.trace.get("timestamp"), "timestamp")
        except Refused as refusal:
            yield where, refusal
            begun = None
        seen = [moment for part in turn.parts for moment in (part.start, part.end) if moment]
        if not seen and begun is None:
            yield where, Refused("has no timestamp and no observations")
            return
        start = min([*seen, *([begun] if begun else [])])
        end = max(start, *seen) if seen else None
        times = {"start_time": start.isoformat(), "end_time": end.isoformat() if end else None}
        yield where, _interaction(turn, session) | times
        if known:
            self._meet(session, turn, start, end or start)

    def _meet(self, id: str, turn: _Turn, start: datetime, end: datetime) -> None:
        """Note what a trace says of its session; the earliest trace has the word on who took part and how."""
        record = _session(id, turn)
        known = self._sessions.setdefault(id, _Session(start, end, record))
        first, then = (record, known.record) if start < known.start else (known.record, record)
        known.record = {**then, **{key: value for key, value in first.items() if value}}
        known.start, known.end = min(known.start, start), max(known.end, end)
        character = text_of(record["character_id"])
        if character and character not in known.characters:
            known.characters.append(character)


def _session(id: str, turn: _Turn) -> Item:
    trace, facts = turn.trace, facts_of(turn.trace)
    told = [facts, *(part.facts for part in turn.roots())]
    name = next((found for each in told if (found := said(each, AGENT_NAMES))), None) or text_of(trace.get("name"))
    words = [*listed(trace.get("tags")), trace.get("environment")]
    channels = (str(word).lower().removeprefix("channel:").strip() for word in words)
    return {
        "type": "session",
        "platform": PLATFORM,
        "session_id": id,
        "end_user_id": text_of(trace.get("userId")),
        "app_key": text_of(trace.get("projectId")),
        "character_id": next((found for each in told if (found := said(each, AGENT_IDS))), None) or name,
        "character_name": name,
        "channel": said(facts, ("channel",)) or next((word for word in channels if word in _CHANNELS), None),
        "language": said(facts, ("language",)),
        "attributes": rest({key: trace.get(key) for key in ("environment", "tags", "release")}, ()),
    }


def _interaction(turn: _Turn, session: str) -> Item:
    roots = turn.roots()
    attributes = rest(turn.trace, {"id", "sessionId", "userId", "latency", "timestamp", "projectId"})
    for name in ("observations", "scores"):  # A list of ids names what is elsewhere; objects have been mapped.
        ids = [each for each in listed(attributes.pop(name, None)) if isinstance(each, str)]
        attributes |= {name: bounded(ids)} if ids else {}
    failed = [part for part in turn.parts if part.failed]
    holders = {part.parent for part in failed}
    innermost = [part for part in failed if part.id is None or part.id not in holders]
    broken = any(part.failed for part in roots)
    return {
        "type": "interaction",
        "platform": PLATFORM,
        "interaction_id": turn.id,
        "session_id": session,
        "latency_ms": _latency(turn, roots),
        "status": ("error" if broken else "ok") if roots else None,
        "failure_stage": min(innermost or failed, key=lambda part: part.start).record["processor"] if broken else None,
        "attributes": attributes,
    }


def _latency(turn: _Turn, roots: list[Part]) -> float | None:
    stated = number_of(turn.trace.get("latency"))
    if stated is not None and (stated > 0 or (stated == 0 and any(part.end for part in turn.parts))):
        return round(stated * 1_000, 3)
    if len(roots) == 1 and roots[0].end is not None and roots[0].end >= roots[0].start:
        return (roots[0].end - roots[0].start) / MILLISECOND
    return None


def _place(trace: str | None, kind: str, item: Item) -> str:
    return f"trace {trace} / {kind} {text_of(item.get('id')) or 'without id'}"
