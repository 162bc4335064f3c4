"""Where the time of turns goes: the share of each component, provider, model or character, adding up to 1."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from talkscope.insights.attribution import shares
from talkscope.models.answers import Answer, Cell
from talkscope.models.questions import LatencyBreakdownAsked
from talkscope.models.window import Window
from talkscope.warehouse.ask import Ask, platforms_of
from talkscope.warehouse.rows import Sql
from talkscope.warehouse.store import Param
from talkscope.warehouse.traces import text, whole_number
from talkscope.warehouse.turns import LENGTH, timed_turns, turn_filters

UNATTRIBUTED = "unattributed"


@dataclass(frozen=True, slots=True)
class _Turns:
    """The chosen turns: how many, their summed microseconds, when the last of them ends, who was left out and why."""

    n: int
    total: int
    until: int
    unknown: int
    threshold: float | None


@dataclass(frozen=True, slots=True)
class _Group:
    """One group's summed microseconds and the turns it appears in; `folded` is how many groups it stands for, or 0."""

    value: str | None
    total: int
    turns: int
    folded: int = 0


def answer(asked: LatencyBreakdownAsked, ask: Ask) -> Answer:
    """Shares of the summed latency by group, largest first, what no span covers last.

    A null group is time covered by spans that say nothing on the dimension. Raises InvalidArgument for a filter that
    chooses spans.
    """
    window = ask.window(asked)
    filters = turn_filters(ask, asked.filters)
    turns = timed_turns(ask, window, filters)
    chosen = _choose(ask, turns, asked.percentile)
    groups = _groups(ask, asked, window, turns, chosen) if chosen.n else []
    names = ask.character_names() if asked.by == "character_id" else None
    columns = [asked.by, *([] if names is None else ["character_name"]), "share", "total_ms", "mean_ms", "turns"]
    return Answer(
        columns=columns,
        rows=_rows(groups, chosen, names),
        meta=ask.meta(
            n=chosen.n,
            window=window,
            basis=_basis(asked, chosen),
            units={"share": "fraction", "total_ms": "ms", "mean_ms": "ms", "turns": "turns"},
            unknown_latency=chosen.unknown,
            notes=_notes(groups, chosen),
            platforms=platforms_of(filters),
        ),
    )


def _choose(ask: Ask, turns: Sql, percentile: str | None) -> _Turns:
    """The timed turns at or above the percentile: linear between the two order statistics about its exact rank."""
    sql = f"SELECT count(*), count(latency_ms) FROM ({turns.text})"
    every, timed = (whole_number(each) for each in ask.snapshot.fetch(sql, turns.params)[0])
    threshold = None
    if percentile and timed:
        below, hundredths = divmod((timed - 1) * int(percentile.removeprefix("p")), 100)
        sql = (
            f"SELECT latency_ms FROM ({turns.text}) WHERE latency_ms IS NOT NULL"
            f" ORDER BY latency_ms LIMIT 2 OFFSET {below}"
        )
        around = [float(str(row[0])) for row in ask.snapshot.fetch(sql, turns.params)]
        threshold = around[0] + ((around[1] - around[0]) * (hundredths / 100) if hundredths else 0.0)
    where, bound = _at_least(threshold)
    sql = f"SELECT count(*), sum({LENGTH}), max(t + {LENGTH}) FROM ({turns.text}) WHERE {where}"
    n, total, until = ask.snapshot.fetch(sql, [*turns.params, *bound])[0]
    return _Turns(whole_number(n), whole_number(total or 0), whole_number(until or 0), every - timed, threshold)


def _at_least(threshold: float | None) -> tuple[str, list[Param]]:
    if threshold is None:
        return "latency_ms IS NOT NULL", []
    return "latency_ms >= ?", [threshold]


# A span's own time is its length without what spans before it in rank cover of it. Only spans that overlap another of
# their turn meet each other, which is far less work than cutting every turn into elementary intervals; it is the same.
_OWN = """
turns AS MATERIALIZED (
  SELECT row_number() OVER () AS turn, platform, interaction_id, t AS a, t + {length} AS b
  FROM ({turns}) WHERE {where}
),
active AS MATERIALIZED (
  SELECT row_number() OVER () AS span, w.turn, s.depth, s.t, s.key, s.{by} AS g,
    greatest(s.t, w.a) AS a, least(s.end_t, w.b) AS b
  FROM {spans} s JOIN turns w ON w.platform = s.platform AND w.interaction_id = s.interaction_id
  WHERE s.t < {until} AND s.end_t > {start} AND s.t < w.b AND s.end_t > w.a AND s.end_t > s.t AND w.b > w.a
),
hidden AS (
  SELECT x.span, greatest(x.a, y.a) AS a, least(x.b, y.b) AS b FROM active x JOIN active y ON x.turn = y.turn
  WHERE y.a < x.b AND y.b > x.a
    AND (y.depth > x.depth OR y.depth = x.depth AND (y.t > x.t OR y.t = x.t AND y.key < x.key))
),
covered AS (
  SELECT span, sum(greatest(0, b - greatest(a, coalesce(before, a)))) AS us FROM (
    SELECT span, a, b, max(b) OVER (PARTITION BY span ORDER BY a, b ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)
      AS before FROM hidden
  ) GROUP BY span
),
own AS MATERIALIZED (
  SELECT x.turn, x.g, sum(x.b - x.a - coalesce(c.us, 0)) AS us FROM active x LEFT JOIN covered c ON c.span = x.span
  GROUP BY x.turn, x.g HAVING us > 0
)"""
_TOTALS = """
ranked AS (
  SELECT g, sum(us) AS us, row_number() OVER (ORDER BY sum(us) DESC, g NULLS LAST) AS place FROM own GROUP BY g
),
kept AS (SELECT own.turn, own.us, r.g, r.place FROM own JOIN ranked r ON r.g IS NOT DISTINCT FROM own.g)
SELECT 0, g, sum(us), count(*), 0 FROM kept WHERE place <= {limit} GROUP BY g
UNION ALL SELECT 1, NULL, sum(us), count(DISTINCT turn), count(DISTINCT place) FROM kept WHERE place > {limit}
UNION ALL SELECT 2, NULL, sum(w.b - w.a - coalesce(o.us, 0)), count(*), 0 FROM turns w
  LEFT JOIN (SELECT turn, sum(us) AS us FROM own GROUP BY turn) o ON o.turn = w.turn
  WHERE w.b - w.a > coalesce(o.us, 0)"""


def _groups(ask: Ask, asked: LatencyBreakdownAsked, window: Window, turns: Sql, chosen: _Turns) -> list[_Group]:
    """The groups by time, the smallest folded into one, and what no span covers."""
    where, bound = _at_least(chosen.threshold)
    # A span may start long before the turn: the segments before the window are left to their zone maps on end_t.
    spans = ask.snapshot.table("spans", Window(-(2**62), max(chosen.until, window.start + 1)))
    own = _OWN.format(
        length=LENGTH, turns=turns.text, where=where, by=asked.by, spans=spans, until=chosen.until, start=window.start
    )
    sql = f"WITH {own}, {_TOTALS.format(limit=asked.limit)}"
    found = []
    for place, value, total, count, folded in ask.snapshot.fetch(sql, [*turns.params, *bound]):
        if total:
            many = whole_number(folded)
            name = text(value)
            if place == 1:
                name = f"other ({many} group{'s' if many > 1 else ''})"
            elif place == 2:
                name = UNATTRIBUTED
            found.append((whole_number(place), _Group(name, whole_number(total), whole_number(count), many)))
    found.sort(key=lambda each: (each[0], -each[1].total, each[1].value is None, each[1].value or ""))
    return [group for _, group in found]


def _rows(groups: Sequence[_Group], chosen: _Turns, names: dict[str, str] | None) -> list[list[Cell]]:
    rows: list[list[Cell]] = []
    for group, share in zip(groups, shares([each.total for each in groups], chosen.total), strict=True):
        shown: list[Cell] = [] if names is None else [names.get(group.value or "")]
        mean = round(group.total / chosen.n / 1_000, 3)
        rows.append([group.value, *shown, share, group.total / 1_000, mean, group.turns])
    return rows


def _basis(asked: LatencyBreakdownAsked, chosen: _Turns) -> str:
    which = "turns with a known latency"
    if chosen.threshold is not None:
        which += f" at or above their {asked.percentile} of {round(chosen.threshold, 3):g} ms"
    return (
        f"{which}; each instant from a turn's start to its latency goes to the deepest active span, latest started"
        " first; mean_ms is per turn of the selection and adds up to its mean latency"
    )


def _notes(groups: Sequence[_Group], chosen: _Turns) -> list[str]:
    notes = []
    if any(each.value is None for each in groups):
        notes.append("The row without a name is time of spans that say nothing on this dimension.")
    if any(each.folded for each in groups):
        notes.append("The smallest groups are folded into one row; raise limit to see them.")
    if groups and all(each.value == UNATTRIBUTED for each in groups):
        notes.append("No span covers any of this time: the telemetry has no spans for these turns.")
    if chosen.n and not chosen.total:
        notes.append("Every latency is 0: there is no time to share out.")
    return notes
