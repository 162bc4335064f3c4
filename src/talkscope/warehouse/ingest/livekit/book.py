"""What is known of a file so far: speeches and conversations that may still grow, and what is told of sessions."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from talkscope.models.records import Refused
from talkscope.warehouse.documents import Found, Item, bounded, listed, mapping_of, number_of, rest, text_of
from talkscope.warehouse.ingest.livekit.events import event_of, usage_of
from talkscope.warehouse.ingest.livekit.fields import (
    PLATFORM,
    Home,
    micros,
    moment_of,
    ms,
)
from talkscope.warehouse.ingest.livekit.metrics import Part, also_of, part_of
from talkscope.warehouse.ingest.livekit.turns import Turn, turn_records, turns_of

NEAR = 0.5
"""Seconds between what two clocks say of one moment; two turns are never that close."""


@dataclass(slots=True)
class _Speech:
    """One thing that the agent said, as its metrics tell it; times in seconds."""

    session: str
    parts: dict[str, list[Part]] = field(default_factory=dict)
    places: list[tuple[str, Part]] = field(default_factory=list)

    def began(self) -> float | None:
        """When the user stopped to speak."""
        return next((part.start for part in self._noticed()), None)

    def _noticed(self) -> list[Part]:
        return [part for part in self.parts.get("eou_metrics", []) if part.first]

    def sounded(self) -> float | None:
        """When its first audio was there."""
        return min((part.start + part.first for part in self.parts.get("tts_metrics", []) if part.first), default=None)

    def latency(self) -> float | None:
        """The three waits together; None when one is missing, or the model was asked again before anything sounded."""
        ended, sounded = self.began(), self.sounded()
        models = sorted(self.parts.get("llm_metrics", []), key=lambda part: part.start)
        voices = sorted(self.parts.get("tts_metrics", []), key=lambda part: part.start)
        if ended is None or sounded is None or not models:
            return None
        waits = [self._noticed()[0].first, models[0].first, voices[0].first]
        known = [wait for wait in waits if wait is not None]
        again = any(part.start < sounded for part in models[1:])
        return None if again or len(known) < len(waits) else sum(known)

    def cancelled(self) -> bool:
        """Whether any part of it was broken off."""
        return any(part.cancelled for parts in self.parts.values() for part in parts)

    def timed(self) -> set[str]:
        """The processors whose work it has measured."""
        return {str(part.record["processor"]) for parts in self.parts.values() for part in parts}

    def records(self) -> Iterator[Found]:
        """Its spans; those of an answer that was prepared too early and never heard are of no turn."""
        unheard = self.cancelled() and self.parts.keys() == {"llm_metrics"}
        for place, part in self.places:
            yield place, part.record | ({"interaction_id": None} if unheard else {})


@dataclass(slots=True)
class _Session:
    """One session: its conversation's items, when it was, and its record as far as a line tells any of it."""

    items: dict[object, Item] = field(default_factory=dict)
    speeches: dict[str, _Speech] = field(default_factory=dict)
    responses: dict[str, Part] = field(default_factory=dict)
    told: dict[str, object] = field(default_factory=dict)
    agents: list[str] = field(default_factory=list)
    start: float | None = None
    end: float | None = None

    def meet(self, at: float) -> None:
        """Take note of a moment of it."""
        self.start = at if self.start is None else min(self.start, at)


class _Moments:
    """When the users of speeches fell silent, or else when the speeches sounded: by this a turn is known to be one."""

    def __init__(self, speeches: Mapping[str, _Speech]) -> None:
        began = ((speech.began(), key) for key, speech in speeches.items())
        self._began = sorted((at, key) for at, key in began if at)
        sounded = ((speech.sounded(), key) for key, speech in speeches.items() if not speech.began())
        self._sounded = sorted((at, key) for at, key in sounded if at)

    def speech_of(self, turn: Turn, left: Mapping[str, _Speech]) -> str | None:
        """The speech among those left that a turn is: LiveKit's items do not name it."""
        near: list[tuple[float, str]] = []
        for at, moments in ((turn.ended(), self._began), (turn.spoken(), self._sounded)):
            if at:
                around = moments[bisect_left(moments, (at - NEAR, "")) : bisect_left(moments, (at + NEAR, ""))]
                near += [(abs(at - theirs), key) for theirs, key in around if key in left]
        return min(near)[1] if near else None


class Book:
    """Takes the objects of a file one by one; what had to wait for others comes with `close`."""

    def __init__(self) -> None:
        self._sessions: dict[str, _Session] = {}

    def metric(self, place: str, item: Item, home: Home) -> Iterator[Found]:
        """One metrics object."""
        session, part = self._at(home), part_of(item, _named(home))
        session.meet(part.start)
        if part.speech:
            speech = session.speeches.setdefault(part.speech, _Speech(_named(home)))
            speech.parts.setdefault(part.kind, []).append(part)
            speech.places.append((place, part))
        elif part.kind == "realtime_model_metrics" and part.request:
            session.responses[part.request] = part
        else:
            yield place, part.record
        also = also_of(item, part)
        if also:
            yield place, also

    def event(self, place: str, item: Item, home: Home) -> Iterator[Found]:
        """One event of an agent's session; items of the conversation are kept for its turns."""
        session = self._at(home)
        kind, at = str(item["type"]), moment_of(item, "created_at")
        session.meet(at)
        if kind == "conversation_item_added":
            yield from self._keep(place, session, [item.get("item")])
        elif kind == "function_tools_executed":
            made = [*listed(item.get("function_calls")), *listed(item.get("function_call_outputs"))]
            yield from self._keep(place, session, made)
        else:
            yield place, event_of(item, _named(home), at)
        if kind == "close":
            session.end = at

    def report(self, place: str, item: Item, home: Home) -> Iterator[Found]:
        """A session's report: its events, conversation and usage; the earliest moment in it is the session's start."""
        session, name = self._at(home), _named(home)
        at = moment_of(item, "timestamp") if item.get("timestamp") is not None else None
        history = listed(mapping_of(item.get("chat_history")).get("items"))
        yield from self._keep(place, session, history)
        for number, event in enumerate(listed(item.get("events")), 1):
            where = f"{place}, event {number}"
            if not isinstance(event, dict) or not isinstance(event.get("type"), str):
                yield where, Refused("is no event")
                continue
            try:
                yield from self.event(where, event, Home(name, {}))
            except Refused as refusal:
                yield where, refusal
        for each in listed(item.get("usage")):
            if isinstance(each, dict) and at is not None:
                yield f"{place}, usage", usage_of(each, name, at)
        session.end = session.end or at
        held = {"job_id", "room_id", "room", "events", "chat_history", "timestamp", "usage"}
        attributes = rest({"job_id": item.get("job_id"), "room": item.get("room")}, ()) | rest(item, held)
        reasons = [
            each for each in listed(item.get("events")) if isinstance(each, dict) and each.get("type") == "close"
        ]
        closed = text_of(reasons[-1].get("reason")) if reasons else None
        session.told |= {"channel": session.told.get("channel") or "voice", "attributes": attributes}
        session.told["status"] = ("error" if closed == "error" else "ok") if closed else None

    def close(self) -> Iterator[Found]:
        """Turns, speeches and sessions, now that the whole file is read."""
        for name, session in self._sessions.items():
            turns, others = turns_of(
                sorted(session.items.values(), key=lambda each: number_of(each["created_at"]) or 0)
            )
            for item in others:
                yield from self._other(item, name, session)
            for speech in session.speeches.values():
                yield from speech.records()
            spoken = dict(session.speeches)
            moments = _Moments(spoken)
            for turn in turns:
                yield from self._turn(turn, name, session, spoken, moments.speech_of(turn, spoken))
            for response, part in session.responses.items():
                yield f"response {response}", part.record
            for key, speech in spoken.items():
                began = speech.began()
                if began is not None:
                    yield f"speech {key}", _interaction(key, speech, began)
            if session.told and session.start is not None:
                yield f"session {name}", _session(name, session, session.start)

    def _at(self, home: Home) -> _Session:
        session = self._sessions.setdefault(_named(home), _Session())
        session.told = {**home.told, **session.told}
        return session

    def _keep(self, place: str, session: _Session, items: list[object]) -> Iterator[Found]:
        for number, item in enumerate(items, 1):
            if not isinstance(item, dict) or not isinstance(item.get("type"), str):
                yield f"{place}, item {number}", Refused("is no item of a conversation")
                continue
            try:
                session.meet(moment_of(item, "created_at"))
            except Refused as refusal:
                yield f"{place}, item {number}", refusal
                continue
            # A call and its output have one call_id, and new ids wherever they are told.
            key = (item["type"], text_of(item.get("call_id")) or text_of(item.get("id")) or len(session.items))
            session.items.setdefault(key, item)

    def _turn(
        self, turn: Turn, name: str, session: _Session, spoken: dict[str, _Speech], speech: str | None
    ) -> Iterator[Found]:
        timed = spoken.pop(speech).timed() if speech else set()
        for response in turn.responses() & session.responses.keys():
            session.responses[response].record["interaction_id"] = speech or turn.id
            timed |= {"llm"}
        ended = turn.ended()
        if ended:
            session.meet(ended)
        yield from turn_records(turn, name, speech, timed)

    def _other(self, item: Item, name: str, session: _Session) -> Iterator[Found]:
        where = f"item {item.get('id') or item.get('type')}"
        if item.get("type") == "agent_handoff":
            agent = text_of(item.get("new_agent_id"))
            if agent and agent not in session.agents:
                session.agents.append(agent)
        yield where, event_of(item, name, moment_of(item, "created_at"))


def _named(home: Home) -> str:
    if home.session is None:
        raise Refused("names no session: write room_id or job_id beside what is logged, or load the session's report")
    return home.session


def _interaction(key: str, speech: _Speech, began: float) -> Item:
    return {
        "type": "interaction",
        "platform": PLATFORM,
        "interaction_id": key,
        "session_id": speech.session,
        "start_time_us": micros(began),
        "latency_ms": ms(speech.latency()),
        # Whether all went well is not known from a part of a file.
        "status": "cancelled" if speech.cancelled() else None,
    }


def _session(name: str, session: _Session, start: float) -> Item:
    record: Item = {
        "type": "session",
        "platform": PLATFORM,
        "session_id": name,
        "start_time_us": micros(start),
        "end_time_us": micros(max(session.end, start)) if session.end else None,
        **session.told,
    }
    if session.agents:
        record["character_id"] = record.get("character_id") or session.agents[0]
        if len(session.agents) > 1:
            record["participants"] = bounded(session.agents)
    return record
