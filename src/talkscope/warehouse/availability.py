"""How long agents were available in a window, and how much of that they were active.

A stretch counts by its overlap with the window, which is exact. How active an agent was is known of a stretch as a
whole only, so the active time, and the occupancy that is made of it, are of stretches that lie inside the window.
"""

from __future__ import annotations

from collections.abc import Sequence

from talkscope.models.records import micros
from talkscope.models.semantics import Filter
from talkscope.models.window import Window
from talkscope.warehouse.ask import Ask
from talkscope.warehouse.figures import Key
from talkscope.warehouse.own import grouped
from talkscope.warehouse.rows import Sql, condition
from talkscope.warehouse.store import Out

MEASURES = ("agents", "availability_ms", "active_ms", "occupancy")
COLUMNS = ("agent_id", "agent_group", "platform")
"""What stretches can be grouped and filtered by: they belong to no session."""

SPREAD = ("avg({0})", "quantile_cont({0}, 0.5)", "quantile_cont({0}, 0.9)", "quantile_cont({0}, 0.95)", "max({0})")
"""Mean, percentiles and maximum of a column, in the order of the answer's columns; its sum follows."""
_WHOLE = "FILTER (whole AND active_ms IS NOT NULL)"
_LISTED = (
    "count(*)",
    "count(DISTINCT platform || chr(31) || agent_id)",
    *(each.format("ms") for each in (*SPREAD, "sum({0})")),
    f"count(active_ms) {_WHOLE}",
    *(f"{each.format('active_ms')} {_WHOLE}" for each in (*SPREAD, "sum({0})")),
    f"sum(ms) {_WHOLE}",
    "count(*) FILTER (NOT inside)",
    "count(*) FILTER (still)",
    "count(*) FILTER (still AND duration_ms IS NULL)",
)  # fmt: skip
_EACH = len(SPREAD) + 1


class Stretches:
    """The figures of one group of stretches, by measure: n, missing, then mean, percentiles, maximum and sum."""

    def __init__(self, row: Sequence[Out]) -> None:
        numbers = [value if isinstance(value, int | float) else None for value in row]
        self.n, self.agents = int(numbers[0] or 0), int(numbers[1] or 0)
        self.available = numbers[2 : 2 + _EACH]
        self.whole = int(numbers[2 + _EACH] or 0)
        self.active = numbers[3 + _EACH : 3 + 2 * _EACH]
        whole_ms, cut, still, guessed = numbers[3 + 2 * _EACH :]
        self.cut, self.still, self.guessed = int(cut or 0), int(still or 0), int(guessed or 0)
        active = self.active[-1]
        self.occupancy = active / whole_ms if active is not None and whole_ms else None


def stretches(
    ask: Ask, window: Window, filters: Sequence[Filter], keys: Sequence[str], without: Sequence[Key] | None = None
) -> dict[Key, Stretches]:
    """The figures of each group that has stretches in the window; with `without`, of those outside these groups."""
    found = grouped(ask, _overlaps(ask, window, filters), keys, _LISTED, without)
    return {key: figures for key, row in found.items() if (figures := Stretches(row)).n}


def _overlaps(ask: Ask, window: Window, filters: Sequence[Filter]) -> Sql:
    """Each stretch that overlaps the window, with the overlap in ms and whether it lies inside.

    One without an end lasts as long as its length says, or up to the newest record where it does not say one; never
    beyond now.
    """
    extent = ask.snapshot.extent
    newest = extent[1] if extent else window.start
    passing = condition(filters)
    till = (
        "coalesce(end_t, greatest(t, least("
        f"coalesce(t + CAST(least(duration_ms, 1e14) * 1000 AS BIGINT), {newest}), {micros(ask.now)})))"
    )
    stored = (
        f"SELECT *, {till} AS till, end_t IS NULL AS still"
        # A stretch that began before the window may reach into it, so that only later segments are left out.
        f" FROM {ask.snapshot.table('availability', Window(-(2**62), window.end))} WHERE t < {window.end}"
        f" AND {passing.text}"
    )
    return Sql(
        "SELECT agent_id, agent_group, platform, duration_ms, active_ms, still,"
        f" (least(till, {window.end}) - greatest(t, {window.start})) / 1000 AS ms,"
        f" t >= {window.start} AND till <= {window.end} AS inside,"
        " inside AND NOT (still AND duration_ms IS NULL) AS whole"
        f" FROM ({stored}) WHERE till > {window.start} AND till > t",
        passing.params,
    )
