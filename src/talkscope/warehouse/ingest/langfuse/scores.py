"""Scores as outcomes where they say how a session ended, else as events."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime

from talkscope.models.records import Refused
from talkscope.warehouse.documents import Found, Item, listed, mapping_of, number_of, rest, text_of
from talkscope.warehouse.endings import FLAGS, RATINGS, RESOLUTIONS, WORDS
from talkscope.warehouse.ingest.langfuse.fields import PLATFORM, facts_of, moment_of, said


def scored(scores: Iterable[tuple[str, Item]], home: Mapping[str, str]) -> Iterator[Found]:
    """One outcome a session from the latest score of each kind; every other score as an event.

    `home` has the session of each trace.
    """
    timed: list[tuple[datetime, str, str, Item]] = []
    # The same score may come with its trace and by itself.
    for where, score in {text_of(each[1].get("id")) or number: each for number, each in enumerate(scores)}.values():
        trace = text_of(score.get("traceId")) or ""
        session = text_of(score.get("sessionId")) or home.get(trace, trace)
        try:
            time = moment_of(score.get("timestamp") or score.get("createdAt"), "timestamp")
            if not session or time is None:
                raise Refused("has no timestamp" if session else "belongs to no trace or session")
            timed.append((time, session, where, score))
        except Refused as refusal:
            yield where, refusal
    timed.sort(key=lambda each: each[0])
    latest = {(session, next(iter(fields))): score for _, session, _, score in timed if (fields := _outcome(score))}
    outcomes: dict[str, Item] = {}
    for time, session, where, score in timed:
        fields = _outcome(score)
        if fields and latest[session, next(iter(fields))] is score:
            outcome = outcomes.setdefault(session, {"type": "outcome", "platform": PLATFORM, "session_id": session})
            sources = [*listed(mapping_of(outcome.get("attributes")).get("scores")), rest(score, {"projectId"})]
            outcome |= {**fields, "time": time.isoformat(), "attributes": {"scores": sources}}
        else:
            yield where, _event(score, session, time)
    for session, outcome in outcomes.items():
        yield f"session {session} / scores", outcome


def _outcome(score: Item) -> Item:
    """The outcome's fields that a score stands for, the one it is about first; nothing when it says none.

    A flag that is not set (`handoff` 0) says nothing of how the session ended instead.
    """
    name = re.sub(r"[^a-z]", "", str(score.get("name")).lower())
    word, value, sort = text_of(score.get("stringValue")), number_of(score.get("value")), text_of(score.get("dataType"))
    if name in RATINGS and value is not None and sort in {None, "NUMERIC", "BOOLEAN"}:
        top = 1 if sort == "BOOLEAN" else number_of(said(facts_of(score), ("maxValue", "max_value", "scale")))
        remark = text_of(score.get("comment")) if score.get("source") == "API" else None
        # More than the best there is, as any other figure, is an event.
        return {"rating": value, "rating_scale": top, "remark": remark} if top is None or value <= top > 0 else {}
    if name in FLAGS and (value == 1 or (word or "").lower() in {"true", "yes"}):
        return {"resolution": FLAGS[name]}
    if name in {"resolution", "outcome"} and word and word.lower() in RESOLUTIONS:
        return {"resolution": word.lower()}
    return {WORDS[name]: word} if name in WORDS and word and sort != "BOOLEAN" else {}


def _event(score: Item, session: str, time: datetime) -> Item:
    counts = text_of(score.get("dataType")) in {
        None,
        "NUMERIC",
        "BOOLEAN",
    }  # of a category or a text it is only an index
    return {
        "type": "event",
        "platform": PLATFORM,
        "session_id": session,
        "interaction_id": text_of(score.get("traceId")),
        "time": time.isoformat(),
        "metric_name": f"score.{text_of(score.get('name')) or 'unnamed'}",
        "metric_type": "score",
        "value": number_of(score.get("value")) if counts else None,
        "attributes": rest(score, {"traceId", "sessionId", "projectId", "timestamp"}),
    }
