"""Sessions active at once, exactly: the peak of each bucket and of the window, the mean, and the time at each level."""

from __future__ import annotations

from talkscope.errors import InvalidArgument
from talkscope.insights.concurrency import Stretch, concurrency, folded, notes, rows, width_notes
from talkscope.models.answers import ConcurrencyAnswer
from talkscope.models.buckets import Grain, choose, coarsen, edges
from talkscope.models.questions import ConcurrencyAsked
from talkscope.models.semantics import Filter
from talkscope.models.window import Window, iso
from talkscope.warehouse.ask import Ask
from talkscope.warehouse.rows import Sql, Which, bucketed, facts
from talkscope.warehouse.traces import whole_number

MOST_ROWS = 60
_SECOND = 1_000_000


def answer(asked: ConcurrencyAsked, ask: Ask) -> ConcurrencyAnswer:
    """A row for each bucket; at one instant ends come before starts. Raises InvalidArgument for a filter of facts."""
    window = ask.window(asked)
    grain = coarsen(window, asked.granularity or choose(window, MOST_ROWS), asked.max_rows)
    sessions = _sessions(ask, window, _filters(ask, asked.filters))
    n, without_length = _count(ask, window, sessions)
    found = concurrency(_stretches(ask, window, grain, sessions))
    spent, width = folded(found.at_level)
    told = notes(window, grain, asked.granularity, asked.max_rows, without_length)
    return ConcurrencyAnswer(
        columns=["bucket", "peak", "mean"],
        rows=rows(found, grain, window.zone),
        meta=ask.meta(
            n=n,
            window=window,
            basis="sessions from start to end, or to their last fact where no end is recorded, clipped to the window",
            units={"peak": "sessions", "mean": "sessions", "time_at_level": "seconds"},
            granularity=grain,
            notes=[*told, *width_notes(found.at_level, width)],
        ),
        peak=found.peak,
        peak_at=None if found.peak_at is None else iso(found.peak_at, window.zone),
        mean=None if found.mean is None else round(found.mean, 6),
        time_at_level={level: length / _SECOND for level, length in spent.items()},
    )


def _filters(ask: Ask, words: list[str]) -> tuple[Filter, ...]:
    filters = ask.filters(words)
    for each in filters:
        if each.dimension.own is not None and each.dimension.name != "status":
            raise InvalidArgument(
                f"{each.dimension.name} is not a dimension of sessions, which concurrency counts.",
                hint="Filter by platform, channel, language, app_key, character_id, experience_id or end_user_id.",
                details={"dimension": each.dimension.name},
            )
    return filters


def _sessions(ask: Ask, window: Window, filters: tuple[Filter, ...]) -> Sql:
    """A SELECT of `a` and `b`, each matching session's interval cut to the window, and `length`, its own."""
    ever = Window(-(2**62), window.end, window.zone)
    every = facts(ask, "sessions", Which(ever, filters), ["end_t", "last_t"])
    end = "coalesce(end_t, last_t)"
    return Sql(
        f"SELECT greatest(t, {window.start}) AS a, least({end}, {window.end}) AS b, {end} - t AS length"
        f" FROM ({every.text}) WHERE {end} >= {window.start}",
        every.params,
    )


def _count(ask: Ask, window: Window, sessions: Sql) -> tuple[int, int]:
    """How many sessions are active in the window, and how many of no length lie in it."""
    sql = (
        f"SELECT count(*) FILTER (a < b), count(*) FILTER (length <= 0 AND a < {window.end} AND a >= {window.start})"
        f" FROM ({sessions.text})"
    )
    active, without_length = ask.snapshot.fetch(sql, sessions.params)[0]
    return whole_number(active), whole_number(without_length)


def _stretches(ask: Ask, window: Window, grain: Grain, sessions: Sql) -> list[Stretch]:
    """The time at each level in each bucket, by one running sum; edges of buckets are changes by nothing."""
    cut = bucketed(window, grain)
    starts = ", ".join(str(max(edge, window.start)) for edge in edges(window, grain))
    sql = (
        f"WITH active AS MATERIALIZED (SELECT a, b FROM ({sessions.text}) WHERE a < b),"
        " changes AS (SELECT moment, sum(change) AS change FROM ("
        "  SELECT a AS moment, 1 AS change FROM active UNION ALL SELECT b, -1 FROM active"
        f"  UNION ALL SELECT unnest([{starts}]), 0"
        f" ) WHERE moment < {window.end} GROUP BY moment),"
        " levels AS (SELECT moment AS t, sum(change) OVER (ORDER BY moment) AS level,"
        f"  lead(moment, 1, {window.end}) OVER (ORDER BY moment) - moment AS length FROM changes)"
        f" SELECT {cut.expression} AS b, level, sum(length), min(t) FROM levels GROUP BY b, level"
    )
    return [
        Stretch(cut.starts[whole_number(b)], whole_number(level), whole_number(length), whole_number(first))
        for b, level, length, first in ask.snapshot.fetch(sql, sessions.params)
    ]
