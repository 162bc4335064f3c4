"""One session, one turn and its spans, found by id: what the questions about a single conversation share.

An id that several platforms use is written `platform:id`. The session is found first: its first and last instant bound
every other read, so that the zone maps of the segments leave almost everything out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from talkscope.errors import AmbiguousName, Json, NotFound
from talkscope.insights.traces import Span, Trace, Turn, traced
from talkscope.models.answers import SessionFacts
from talkscope.models.text import clean
from talkscope.models.window import Window, iso
from talkscope.warehouse.ask import Ask, ms
from talkscope.warehouse.schema import ERROR_EVENT
from talkscope.warehouse.store import Out, Param, Snapshot

_TURN = (
    "interaction_id, session_id, platform, t, end_t, latency_ms, interaction_type, status, failure_stage,"
    " character_id, character_name, end_user_id, derived"
)
_SPAN = "key, span_id, t, end_t, depth, processor, provider, model, status, error_code, ttfb_ms"
_SESSION = (
    "session_id, platform, t, end_t, last_t, min_t, max_t, channel, language, app_key, character_id, character_name,"
    " experience_id, end_user_id, status, derived"
)


def whole_number(value: Out) -> int:
    """A column that is never null and holds whole numbers."""
    if not isinstance(value, int):
        raise TypeError(f"{type(value).__name__} where a whole number is stored")
    return int(value)


def text(value: Out) -> str | None:
    """A column of text."""
    return None if value is None else str(value)


def _maybe(value: Out) -> int | None:
    return None if value is None else whole_number(value)


@dataclass(frozen=True, slots=True)
class SessionRow:
    """A session's row: times in microseconds; `last` is its recorded end, or its last fact when there is none."""

    session_id: str
    platform: str
    start: int
    end: int | None
    last: int
    first_fact: int
    last_fact: int
    texts: dict[str, str | None]
    derived: bool

    @property
    def window(self) -> Window:
        """Microseconds that hold the start of each of the session's facts."""
        return Window(self.first_fact, self.last_fact + 1)


def _named(snapshot: Snapshot, table: str, columns: str, word: str) -> list[tuple[Out, ...]]:
    """The rows of that id, one for each platform; only the platform's when the word is `platform:id`."""
    column = {"sessions": "session_id", "interactions": "interaction_id"}[table]
    sql = f"SELECT {columns} FROM {snapshot.table(table)} WHERE {column} = ?"
    found = snapshot.fetch(f"{sql} ORDER BY platform", [word])
    platform, colon, own = word.partition(":")
    return found if found or not colon else snapshot.fetch(f"{sql} AND platform = ?", [own, platform])


def _only(kind: str, word: str, platforms: Sequence[str]) -> None:
    """Raise unless exactly one platform has the id."""
    if not platforms:
        raise NotFound(
            f"There is no {kind} {clean(word, 80)!r} in this warehouse.",
            hint="list_sessions shows the ids of sessions, get_session those of a session's interactions.",
        )
    if len(platforms) > 1:
        candidates: list[Json] = [f"{platform}:{word}" for platform in platforms]
        raise AmbiguousName(
            f"{clean(word, 80)!r} is the id of {len(platforms)} {kind}s, on {', '.join(platforms)}.",
            hint=f"Name the platform too: {', '.join(clean(str(each), 90) for each in candidates[:5])}.",
            details={"candidates": candidates},
        )


def find_session(ask: Ask, word: str) -> SessionRow:
    """The session of that id; raises NotFound or AmbiguousName."""
    rows = _named(ask.snapshot, "sessions", _SESSION, word)
    _only("session", word, [str(row[1]) for row in rows])
    return _session(rows[0])


def session_at(ask: Ask, platform: str, session_id: str) -> SessionRow:
    """The session of that platform and id, which some fact names, so that it exists."""
    sql = f"SELECT {_SESSION} FROM {ask.snapshot.table('sessions')} WHERE platform = ? AND session_id = ?"
    return _session(ask.snapshot.fetch(sql, [platform, session_id])[0])


def _session(row: Sequence[Out]) -> SessionRow:
    session_id, platform, start, end, last, first_fact, last_fact, *rest = row
    names = ("channel language app_key character_id character_name experience_id end_user_id status").split()
    ended = _maybe(end)
    return SessionRow(
        session_id=str(session_id),
        platform=str(platform),
        start=whole_number(start),
        end=ended,
        last=whole_number(last) if ended is None else ended,
        first_fact=whole_number(first_fact),
        last_fact=whole_number(last_fact),
        texts={name: text(value) for name, value in zip(names, rest, strict=False)},
        derived=bool(rest[-1]),
    )


def _turn(row: Sequence[Out]) -> Turn:
    names = ("interaction_type status failure_stage character_id character_name end_user_id").split()
    latency = row[5]
    return Turn(
        interaction_id=str(row[0]),
        session_id=str(row[1]),
        platform=str(row[2]),
        start=whole_number(row[3]),
        end=_maybe(row[4]),
        latency_ms=float(latency) if isinstance(latency, int | float) else None,
        texts={name: text(value) for name, value in zip(names, row[6:12], strict=True)},
        derived=bool(row[12]),
    )


def find_turn(ask: Ask, word: str) -> Turn:
    """The interaction of that id; raises NotFound or AmbiguousName."""
    rows = _named(ask.snapshot, "interactions", _TURN, word)
    _only("interaction", word, [str(row[2]) for row in rows])
    return _turn(rows[0])


def turn_at(ask: Ask, platform: str, interaction_id: str) -> Turn:
    """The interaction of that platform and id, which some fact names, so that it exists."""
    sql = f"SELECT {_TURN} FROM {ask.snapshot.table('interactions')} WHERE platform = ? AND interaction_id = ?"
    return _turn(ask.snapshot.fetch(sql, [platform, interaction_id])[0])


def trace_of(ask: Ask, turn: Turn) -> Trace:
    """The turn with its spans: those of its platform that carry its id and start while its session lasts."""
    home = session_at(ask, turn.platform, turn.session_id)
    sql = (
        f"SELECT {_SPAN} FROM {ask.snapshot.table('spans', home.window)}"
        f" WHERE t >= {home.first_fact} AND t <= {home.last_fact} AND platform = ? AND interaction_id = ?"
        " ORDER BY t, depth, key"
    )
    rows = ask.snapshot.fetch(sql, [turn.platform, turn.interaction_id])
    return traced(turn, [_span(row) for row in rows])


def _span(row: Sequence[Out]) -> Span:
    ttfb = row[10]
    return Span(
        key=str(row[0]),
        span_id=text(row[1]),
        start=whole_number(row[2]),
        end=whole_number(row[2] if row[3] is None else row[3]),
        depth=whole_number(row[4]),
        processor=str(row[5]),
        provider=text(row[6]),
        model=text(row[7]),
        status=text(row[8]),
        error_code=text(row[9]),
        ttfb_ms=float(ttfb) if isinstance(ttfb, int | float) else None,
    )


def session_facts(ask: Ask, session: SessionRow, zone: str) -> SessionFacts:
    """The session as an answer shows it, with the figures of all its facts."""
    where = f"t >= {session.first_fact} AND t <= {session.last_fact} AND platform = ? AND session_id = ?"
    key: list[Param] = [session.platform, session.session_id]
    interactions = ask.snapshot.table("interactions", session.window)
    sql = (
        f"SELECT count(*), count(*) FILTER (failed), quantile_cont(latency_ms, 0.95) FROM {interactions} WHERE {where}"
    )
    turns, failed, p95 = ask.snapshot.fetch(sql, key)[0]
    events = ask.snapshot.table("events", session.window)
    sql = f"SELECT count(*) FROM {events} WHERE {where} AND interaction_id IS NULL AND {ERROR_EVENT}"
    alone = ask.snapshot.fetch(sql, key)[0][0]
    return SessionFacts(
        session_id=session.session_id,
        platform=session.platform,
        start_time=iso(session.start, zone),
        end_time=iso(session.last, zone),
        duration_sec=max(0, session.last - session.start) / 1_000_000,
        interactions=whole_number(turns),
        errors=whole_number(failed) + whole_number(alone),
        p95_ms=ms(p95),
        derived=session.derived,
        **session.texts,
    )
