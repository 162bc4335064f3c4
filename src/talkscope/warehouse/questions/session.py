"""One session's timeline: every interaction, span, event and outcome, in order of time."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence

import orjson

from talkscope.errors import InvalidArgument
from talkscope.models.answers import Cell, SessionAnswer
from talkscope.models.questions import SessionAsked
from talkscope.models.window import iso, zone_of
from talkscope.warehouse.ask import Ask, cell, ms
from talkscope.warehouse.store import Out, Param
from talkscope.warehouse.traces import SessionRow, find_session, session_facts, whole_number

COLUMNS = "time offset_ms kind name duration_ms status value provider model interaction_id".split()
_UNITS = {
    "offset_ms": "ms",
    "duration_ms": "ms",
    "value": "interactions: latency in ms; spans: time to first byte in ms; events: the event's value in its own unit",
}
# Facts of one instant stand in this order, outer spans before inner ones.
_PARTS = (
    (
        "interactions",
        "interaction",
        "0",
        "interaction_type",
        "(end_t - t) / 1000",
        "status",
        "latency_ms",
        "NULL",
        "NULL",
    ),
    ("spans", "span", "1 + depth", "processor", "(end_t - t) / 1000", "status", "ttfb_ms", "provider", "model"),
    ("events", "event", "1000", "metric_name", "NULL", "status", "value", "provider", "model"),
    ("outcomes", "outcome", "1001", "resolution", "NULL", "NULL", "rating", "NULL", "NULL"),
)


def answer(asked: SessionAsked, ask: Ask) -> SessionAnswer:
    """A page of the session's facts; raises NotFound, AmbiguousName, or InvalidArgument for a cursor of another one."""
    zone_of(asked.timezone)
    session = find_session(ask, asked.session_id)
    after = None if asked.cursor is None else _position(asked.cursor, session)
    total = whole_number(ask.snapshot.fetch(f"SELECT count(*) FROM ({_facts(ask, session)})", _keys(session))[0][0])
    found = _page(ask, session, after, asked.limit + 1)
    page = found[: asked.limit]
    more = len(found) > len(page)
    notes = [f"{total:,} rows in all; {len(page):,} are shown."] if len(page) < total else []
    if session.derived:
        notes.append("The session itself was never recorded: it is implied by its facts.")
    elif session.end is None:
        notes.append("The session has no recorded end: end_time is the time of its last fact.")
    return SessionAnswer(
        columns=list(COLUMNS),
        rows=[_row(row, session, asked.timezone) for row in page],
        meta=ask.meta(
            n=total,
            basis="value is latency_ms of interactions, ttfb_ms of spans, value of events, rating of outcomes",
            units=_UNITS,
            next_cursor=_cursor(page[-1], session) if more else None,
            notes=notes,
            platforms=[session.platform],
        ),
        session=session_facts(ask, session, asked.timezone),
    )


def _facts(ask: Ask, session: SessionRow) -> str:
    """A SELECT of all facts; each of its parts takes the platform and the session's id."""
    parts = []
    for table, kind, place, name, length, status, value, provider, model in _PARTS:
        turn = "NULL" if table == "outcomes" else "interaction_id"
        parts.append(
            f"SELECT t, {place} AS place, key, '{kind}' AS kind, {name} AS name, {length} AS duration_ms,"
            f" {status} AS status, {value} AS value, {provider} AS provider, {model} AS model, {turn} AS interaction_id"
            f" FROM {ask.snapshot.table(table, session.window)}"
            f" WHERE t >= {session.first_fact} AND t <= {session.last_fact} AND platform = ? AND session_id = ?"
        )
    return " UNION ALL ".join(parts)


def _keys(session: SessionRow) -> list[Param]:
    return [session.platform, session.session_id] * len(_PARTS)


def _page(ask: Ask, session: SessionRow, after: tuple[int, int, str] | None, limit: int) -> list[tuple[Out, ...]]:
    params = _keys(session)
    where = ""
    if after is not None:
        where = " WHERE (t, place, key) > (?, ?, ?)"
        params += list(after)
    sql = f"SELECT * FROM ({_facts(ask, session)}){where} ORDER BY t, place, key LIMIT {limit}"
    return ask.snapshot.fetch(sql, params)


def _row(row: Sequence[Out], session: SessionRow, zone: str) -> list[Cell]:
    t, _, _, kind, name, length, status, value, *rest = row
    at = whole_number(t)
    shown = ms(value) if kind in ("interaction", "span") else cell(value)
    return [
        iso(at, zone),
        (at - session.start) / 1_000,
        cell(kind),
        cell(name),
        ms(length),
        cell(status),
        shown,
        *(cell(each) for each in rest),
    ]


def _cursor(row: Sequence[Out], session: SessionRow) -> str:
    """The position after a row, tied to its session; opaque to who holds it."""
    made = orjson.dumps([session.platform, session.session_id, *row[:3]])
    return base64.urlsafe_b64encode(made).decode().rstrip("=")


def _position(cursor: str, session: SessionRow) -> tuple[int, int, str]:
    try:
        said = orjson.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except (binascii.Error, ValueError):
        said = None
    match said:
        case [session.platform, session.session_id, int(t), int(place), str(key)] if max(abs(t), abs(place)) < 2**62:
            return t, place, key
    raise InvalidArgument(
        "cursor is not a cursor of this session.", hint="Give the next_cursor of the page before, or leave it out."
    )
