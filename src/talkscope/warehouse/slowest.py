"""The slowest turn that has spans to explain it: of one session, or of the slowest session of a window."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from talkscope.insights.traces import Turn
from talkscope.models.semantics import DIMENSIONS, Filter
from talkscope.models.window import Window
from talkscope.warehouse.ask import Ask
from talkscope.warehouse.rows import Sql
from talkscope.warehouse.traces import SessionRow, session_at, turn_at, whole_number
from talkscope.warehouse.turns import timed_turns

PAGE = 50
_UNTRACED = 1_000


@dataclass(frozen=True, slots=True)
class Slowest:
    """The turn, None when no timed one has spans; slower ones without spans, slowest first; how many timed turns."""

    turn: Turn | None
    untraced: list[str]
    n: int


def slowest_of_session(ask: Ask, session: SessionRow, window: Window, filters: tuple[Filter, ...]) -> Slowest:
    """The session's slowest turn of the window that has spans; ties go to the earlier, then to the smaller id."""
    own = (
        Filter(DIMENSIONS["platform"], True, (session.platform,)),
        Filter(DIMENSIONS["session_id"], True, (session.session_id,)),
    )
    turns = timed_turns(ask, window, (*filters, *own))
    sql = (
        f"SELECT interaction_id, latency_ms FROM ({turns.text}) WHERE latency_ms IS NOT NULL"
        " ORDER BY latency_ms DESC, t, interaction_id"
    )
    timed = [(str(row[0]), float(str(row[1]))) for row in ask.snapshot.fetch(sql, turns.params)]
    traced = _traced(ask, session.window, [(session.platform, turn) for turn, _ in timed])
    chosen = next(((turn, latency) for turn, latency in timed if (session.platform, turn) in traced), None)
    slower = [
        turn
        for turn, latency in timed
        if (session.platform, turn) not in traced and (chosen is None or latency > chosen[1])
    ]
    found = None if chosen is None else turn_at(ask, session.platform, chosen[0])
    return Slowest(found, slower, len(timed))


def slowest_in_window(ask: Ask, window: Window, filters: tuple[Filter, ...]) -> Slowest:
    """The same of the session with the highest in-window p95 that has a timed turn with spans; ties by session id."""
    turns = timed_turns(ask, window, filters)
    sql = f"SELECT count(latency_ms) FROM ({turns.text})"
    n = whole_number(ask.snapshot.fetch(sql, turns.params)[0][0])
    for page in _pages(ask, turns, n):
        key = _first_traced(ask, turns, page)
        if key is not None:
            found = slowest_of_session(ask, session_at(ask, *key), window, filters)
            return Slowest(found.turn, found.untraced, n)
    sql = (
        f"SELECT interaction_id FROM ({turns.text}) WHERE latency_ms IS NOT NULL"
        f" ORDER BY latency_ms DESC, t, interaction_id LIMIT {_UNTRACED}"
    )
    return Slowest(None, [str(row[0]) for row in ask.snapshot.fetch(sql, turns.params)], n)


def _pages(ask: Ask, turns: Sql, n: int) -> Iterator[list[tuple[str, str]]]:
    """(platform, session id), slowest first, a page at a time."""
    for offset in range(0, n, PAGE):
        sql = (
            f"SELECT platform, session_id FROM ({turns.text}) WHERE latency_ms IS NOT NULL"
            " GROUP BY platform, session_id"
            f" ORDER BY quantile_cont(latency_ms, 0.95) DESC, session_id, platform LIMIT {PAGE} OFFSET {offset}"
        )
        page = [(str(row[0]), str(row[1])) for row in ask.snapshot.fetch(sql, turns.params)]
        if not page:
            return
        yield page


def _first_traced(ask: Ask, turns: Sql, page: Sequence[tuple[str, str]]) -> tuple[str, str] | None:
    """The first session of the page that has a timed turn with spans."""
    keys = [f"{platform}\x1f{session}" for platform, session in page]
    among = "platform || chr(31) || session_id IN (SELECT unnest(?::VARCHAR[]))"
    sql = f"SELECT min(min_t), max(max_t) FROM {ask.snapshot.table('sessions')} WHERE {among}"
    first, last = (whole_number(value) for value in ask.snapshot.fetch(sql, [keys])[0])
    sql = f"SELECT platform, session_id, interaction_id FROM ({turns.text}) WHERE latency_ms IS NOT NULL AND {among}"
    timed = [(str(row[0]), str(row[1]), str(row[2])) for row in ask.snapshot.fetch(sql, [*turns.params, keys])]
    traced = _traced(ask, Window(first, last + 1), [(platform, turn) for platform, _, turn in timed])
    able = {(platform, session) for platform, session, turn in timed if (platform, turn) in traced}
    return next((key for key in page if key in able), None)


def _traced(ask: Ask, window: Window, turns: Sequence[tuple[str, str]]) -> set[tuple[str, str]]:
    """Which of the turns, by platform and id, have spans that start in the window."""
    sql = (
        f"SELECT DISTINCT platform, interaction_id FROM {ask.snapshot.table('spans', window)}"
        f" WHERE t >= {window.start} AND t < {window.end} AND interaction_id IN (SELECT unnest(?::VARCHAR[]))"
    )
    return {(str(row[0]), str(row[1])) for row in ask.snapshot.fetch(sql, [[turn for _, turn in turns]])}
