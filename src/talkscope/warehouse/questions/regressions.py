"""What got worse against a baseline, and whether by more than chance."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from random import Random

from talkscope.errors import InvalidRange
from talkscope.insights import regression
from talkscope.models.answers import Answer, Cell
from talkscope.models.questions import RegressionsAsked
from talkscope.models.window import Window, iso, moment, parse_moment, resolve, zone_of
from talkscope.warehouse.ask import Ask
from talkscope.warehouse.compared import OVERALL, Compared, compared
from talkscope.warehouse.rows import Sql
from talkscope.warehouse.store import Param
from talkscope.warehouse.traces import text, whole_number

SEED = 20_260_704
LEAST_VALUES = 30
LEAST_SESSIONS = 5
LEVEL = 0.05
MOST_SESSIONS = 20_000


@dataclass(slots=True)
class _Side:
    """One window's figure of a group: its value, its n and the sessions behind it."""

    value: float | None = None
    n: int = 0
    sessions: int = 0

    @property
    def enough(self) -> bool:
        """Whether there is enough to test."""
        return self.n >= LEAST_VALUES and self.sessions >= LEAST_SESSIONS


@dataclass(slots=True)
class _Group:
    """One group, compared; p and q stay None where there is too little to test."""

    name: str | None
    baseline: _Side = field(default_factory=_Side)
    current: _Side = field(default_factory=_Side)
    p: float | None = None
    q: float | None = None

    @property
    def change(self) -> float | None:
        """The relative change."""
        return regression.change(self.baseline.value, self.current.value)

    def verdict(self, threshold: float) -> str:
        """yes, no or too few. From a baseline of 0 any rise is beyond every threshold."""
        if self.q is None:
            return "too few"
        change = self.change
        if change is None:
            change = float("inf") if self.current.value else 0.0
        return "yes" if change >= threshold and change > 0 and self.q <= LEVEL else "no"


def answer(asked: RegressionsAsked, ask: Ask) -> Answer:
    """A row for each group, significant ones first, then by change, largest rise first."""
    current, baseline = _windows(asked, ask)
    what = compared(asked, ask, Window(baseline.start, current.end, current.zone))
    values = _values(what, current, baseline)
    groups = _figures(ask, what, values)
    tested = [group for group in groups if group.baseline.enough and group.current.enough]
    capped = _test(ask, what, values, tested)
    order = {"yes": 0, "no": 1, "too few": 2}

    def rank(group: _Group) -> tuple[int, bool, float, str]:
        change = group.change
        return order[group.verdict(asked.threshold)], change is None, -(change or 0.0), group.name or ""

    names = ask.character_names() if what.column == "character_id" else None
    head = [what.column, *([] if names is None else ["character_name"])]
    figures = (
        "baseline current change n_baseline n_current sessions_baseline sessions_current p_value q_value significant"
    )
    return Answer(
        columns=[*head, *figures.split()],
        rows=[_row(each, asked, what, names) for each in sorted(groups, key=rank)[: asked.limit]],
        meta=ask.meta(
            n=_n(ask, what, current),
            window=current,
            previous=baseline,
            basis=f"{what.measure.name} of {what.basis}; higher is worse",
            units={"baseline": what.unit, "current": what.unit, "change": "fraction of baseline"},
            notes=_notes(asked, groups, tested, current, baseline, capped),
        ),
    )


def _n(ask: Ask, what: Compared, current: Window) -> int:
    """How many values the current window holds, each once, also where a session has several assistants."""
    sql = f"SELECT count({what.value}) FROM ({what.once.text}) WHERE t >= {current.start}"
    return whole_number(ask.snapshot.fetch(sql, what.once.params)[0][0])


def _windows(asked: RegressionsAsked, ask: Ask) -> tuple[Window, Window]:
    """The current window, and the baseline with the current window cut out of it.

    baseline_range is the one that is current when the current window ends. Raises InvalidRange when nothing is left.
    """
    zone = zone_of(asked.timezone)
    given = asked.model_fields_set
    absolute = asked.start_time is not None or asked.end_time is not None
    current = resolve(
        now=ask.now,
        range=asked.current_range if "current_range" in given or not absolute else None,
        start_time=asked.start_time,
        end_time=asked.end_time,
        timezone=asked.timezone,
    )
    token: str | None = None
    if asked.baseline_start_time is not None:
        if "baseline_range" in given:
            raise InvalidRange(
                "baseline_range and baseline_start_time exclude each other.", hint="Give one of the two."
            )
        start, end = parse_moment("baseline_start_time", asked.baseline_start_time, zone), current.start
    else:
        before = resolve(now=moment(current.end), range=asked.baseline_range, timezone=asked.timezone)
        start, end, token = before.start, min(before.end, current.start), before.range
    if start >= end:
        raise InvalidRange(
            f"The baseline is empty: it starts at {iso(start, asked.timezone)}, the current window at"
            f" {iso(current.start, asked.timezone)}.",
            hint="Choose a baseline_range that begins before the current window, or give baseline_start_time.",
        )
    return current, Window(start, end, asked.timezone, token)


def _values(what: Compared, current: Window, baseline: Window) -> Sql:
    """CTE `v`: the values of both windows as group `g`, whether they are current, session `s` and value `v`."""
    return Sql(
        f"WITH v AS MATERIALIZED (SELECT {what.group} AS g, t >= {current.start} AS now,"
        f" platform || chr(31) || session_id AS s, {what.value} AS v FROM ({what.rows.text})"
        f" WHERE {what.value} IS NOT NULL AND (t >= {current.start} OR t < {baseline.end}))",
        list(what.rows.params),
    )


def _figures(ask: Ask, what: Compared, values: Sql) -> list[_Group]:
    """Each group's exact figures of both windows."""
    figure = "avg(v)" if what.quantile is None else f"quantile_cont(v, {what.quantile})"
    sql = f"{values.text} SELECT g, now, {figure}, count(*), count(DISTINCT s) FROM v GROUP BY g, now"
    groups: dict[str | None, _Group] = {}
    for name, now, value, n, sessions in ask.snapshot.fetch(sql, values.params):
        group = groups.setdefault(text(name), _Group(text(name)))
        side = group.current if now else group.baseline
        side.value = float(str(value)) if value is not None else None
        side.n, side.sessions = whole_number(n), whole_number(sessions)
    return list(groups.values())


def _test(ask: Ask, what: Compared, values: Sql, tested: Sequence[_Group]) -> bool:
    """Give each group its p and q; whether any of them had more sessions than are drawn from."""
    if not tested:
        return False
    units = _units(ask, what, values, [group.name for group in tested])
    draws = regression.draws_for(len(tested))
    for group in tested:
        rng = Random(f"{SEED} {group.name}")
        old, new = units[group.name, False], units[group.name, True]
        group.p = regression.permutation(old, new, rng=rng, draws=draws).p
    p_values = [group.p for group in tested if group.p is not None]
    for group, q in zip(tested, regression.benjamini_hochberg(p_values), strict=True):
        group.q = q
    return any(max(group.baseline.sessions, group.current.sessions) > MOST_SESSIONS for group in tested)


def _units(
    ask: Ask, what: Compared, values: Sql, names: Sequence[str | None]
) -> dict[tuple[str | None, bool], list[regression.Unit]]:
    """Each session's (amount, n) by group and window, at most so many of a window, the same ones each time."""
    # A value at the quantile counts by half: where many tie there, as at a time limit, none may lie above it.
    above = "count(*) FILTER (v.v > cuts.cut) + count(*) FILTER (v.v = cuts.cut) / 2"
    amount = "sum(v.v)" if what.quantile is None else above
    cut = "NULL" if what.quantile is None else f"quantile_cont(v, {what.quantile})"
    params: list[Param] = [*values.params, *(name for name in names if name is not None)]
    named = (
        f"g IN ({', '.join('?' for name in names if name is not None)})"
        if len(params) > len(values.params)
        else "false"
    )
    sql = (
        f"{values.text}, cuts AS (SELECT g, {cut} AS cut FROM v GROUP BY g),"
        f" units AS (SELECT v.g AS g, now, s, {amount} AS amount, count(*) AS n"
        " FROM v JOIN cuts ON cuts.g IS NOT DISTINCT FROM v.g GROUP BY v.g, now, s),"
        f" kept AS (SELECT * FROM units WHERE {named} OR g IS NULL"
        f" QUALIFY row_number() OVER (PARTITION BY g, now ORDER BY md5(s), s) <= {MOST_SESSIONS})"
        " SELECT g, now, amount, n, count(*) FROM kept GROUP BY ALL ORDER BY ALL"
    )
    found: dict[tuple[str | None, bool], list[regression.Unit]] = {}
    for name, now, total, n, times in ask.snapshot.fetch(sql, params):
        unit = (float(str(total)), whole_number(n))
        found.setdefault((text(name), bool(now)), []).extend([unit] * whole_number(times))
    return found


def _row(group: _Group, asked: RegressionsAsked, what: Compared, names: dict[str, str] | None) -> list[Cell]:
    def shown(value: float | None, decimals: int) -> float | None:
        return None if value is None else round(value, decimals)

    name: list[Cell] = [group.name] if names is None else [group.name, names.get(group.name or "")]
    old, new = group.baseline, group.current
    return [
        *name,
        shown(old.value, what.decimals),
        shown(new.value, what.decimals),
        shown(group.change, 6),
        old.n,
        new.n,
        old.sessions,
        new.sessions,
        shown(group.p, 4),
        shown(group.q, 4),
        group.verdict(asked.threshold),
    ]


def _notes(
    asked: RegressionsAsked,
    groups: Sequence[_Group],
    tested: Sequence[_Group],
    current: Window,
    baseline: Window,
    capped: bool,
) -> list[str]:
    said = (
        f"significant is yes when change is at least {asked.threshold:g} and q_value at most {LEVEL:g}: a one-sided"
        f" permutation test that draws whole sessions (up to {regression.draws_for(len(tested)):,} times, fixed seed),"
        f" corrected over {len(tested)} tested group{'s' if len(tested) != 1 else ''} (Benjamini-Hochberg); too few"
        f" means under {LEAST_VALUES} values or {LEAST_SESSIONS} sessions in a window."
    )
    notes = [said]
    if baseline.seconds <= current.seconds:
        notes.append("The baseline is not longer than the current window; a longer one is steadier.")
    if len(groups) > asked.limit:
        notes.append(f"{asked.limit} of {len(groups):,} groups are shown; raise limit to see more.")
    if any(group.change is None and group.baseline.value == 0 and group.current.value for group in groups):
        notes.append("change is null where the baseline is 0; a rise from 0 passes every threshold.")
    if capped:
        notes.append(f"The test draws from {MOST_SESSIONS:,} sessions of a window at most; the figures are of all.")
    if groups and not any(group.baseline.n for group in groups):
        notes.append(f"The baseline holds no values, so nothing can be compared with it; {OVERALL} needs data before.")
    return notes
