"""One session's timeline, put together from its metrics and paged here."""

from __future__ import annotations

import base64
import binascii

import orjson

from talkscope.errors import InvalidArgument
from talkscope.hosted.account import Account
from talkscope.hosted.detail import Fact, Timeline, timeline
from talkscope.models.answers import Cell, SessionAnswer
from talkscope.models.questions import SessionAsked
from talkscope.models.window import iso, zone_of
from talkscope.platforms import convai

COLUMNS = "time offset_ms kind name duration_ms status value provider model interaction_id".split()
_UNITS = {
    "offset_ms": "ms",
    "duration_ms": "ms",
    "value": "interactions: latency in ms; spans: time to first byte in ms; events: the event's value in its own unit",
}
_BASIS = (
    "value is the user-to-bot latency of interactions, the time to first byte of spans, the value of events; the"
    " session's interactions, errors and p95_ms are worked out from these metrics"
)
_UNSAID = (
    "The hosted API does not say: the names and lengths of interactions, and the session's channel, language, status,"
    " character_name and end_user_id."
)


async def answer(asked: SessionAsked, account: Account) -> SessionAnswer:
    """A page of the session's facts; raises NotFound, or InvalidArgument for a cursor of another session."""
    zone_of(asked.timezone)
    after = None if asked.cursor is None else _position(asked.cursor, asked.session_id)
    session = timeline(await account.send(convai.get_session(asked.session_id)))
    first = 0 if after is None else _after(session, *after)
    page = session.facts[first : first + asked.limit]
    total = len(session.facts)
    more = first + len(page) < total
    notes = [f"{total:,} rows in all; {len(page):,} are shown."] if len(page) < total else []
    if session.told.end_time is None:
        notes.append("The service gives the session no end: end_time is that of its last fact.")
    return SessionAnswer(
        columns=list(COLUMNS),
        rows=[_row(fact, session, asked.timezone) for fact in page],
        meta=account.meta(
            session.told.meta,
            n=total,
            zone=asked.timezone,
            basis=_BASIS,
            units=_UNITS,
            covers="the whole session",
            next_cursor=_cursor(session, first + len(page), asked.session_id) if more else None,
            notes=[*notes, _UNSAID],
        ),
        session=session.session(asked.timezone),
    )


def _row(fact: Fact, session: Timeline, zone: str) -> list[Cell]:
    return [
        iso(fact.at, zone),
        (fact.at - session.start) / 1_000,
        fact.kind,
        fact.name,
        fact.duration_ms,
        fact.status,
        fact.value,
        fact.provider,
        fact.model,
        fact.interaction_id,
    ]


def _cursor(session: Timeline, place: int, session_id: str) -> str:
    """Where the page ends, tied to its session: the last fact's instant, and how many of that instant were shown."""
    last = session.facts[place - 1].at
    shown = sum(fact.at == last for fact in session.facts[:place])
    return base64.urlsafe_b64encode(orjson.dumps([session_id, last, shown])).decode().rstrip("=")


def _position(cursor: str, session_id: str) -> tuple[int, int]:
    try:
        said = orjson.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except (binascii.Error, ValueError):
        said = None
    match said:
        case [str(own), int(at), int(shown)] if own == session_id:
            return at, shown
    raise InvalidArgument(
        "cursor is not a cursor of this session.", hint="Give the next_cursor of the page before, or leave it out."
    )


def _after(session: Timeline, at: int, shown: int) -> int:
    """The place of the first fact after so many of that instant: facts that came in earlier since do not shift it."""
    before = sum(fact.at < at for fact in session.facts)
    same = sum(fact.at == at for fact in session.facts)
    return before + max(0, min(shown, same))
