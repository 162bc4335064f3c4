"""Measures by group and bucket: which facts each family is over, one SELECT a family, finished in Python."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeAlias

from talkscope.errors import InvalidArgument
from talkscope.models.answers import Cell
from talkscope.models.buckets import Grain
from talkscope.models.semantics import Dimension, Measure, Scope, measure, scope_of
from talkscope.warehouse.ask import Ask, cell
from talkscope.warehouse.rows import HANDED, Buckets, Facts, Sql, Which, bucketed, facts, outside
from talkscope.warehouse.store import Out

MOST_GROUPS = 200_000
"""Groups times buckets that one question may make: what they are sorted and cut from must fit in memory."""

Key: TypeAlias = tuple[Cell, ...]
"""The values of the dimensions, after the bucket's start in microseconds where time is cut."""


@dataclass(slots=True)
class Figure:
    """The measures of one group: each value with its n, by measure name; turns left out because latency is unknown."""

    values: dict[str, float | int | None] = field(default_factory=dict)
    n: dict[str, int] = field(default_factory=dict)
    unknown: int = 0


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be measured: measures, over which facts, by which dimensions and buckets."""

    measures: tuple[Measure, ...]
    which: Which
    by: tuple[Dimension, ...] = ()
    grain: Grain | None = None

    @property
    def scope(self) -> Scope:
        """The kind of fact that the question is about."""
        named = [*self.by, *(each.dimension for each in self.which.filters)]
        metric = self.which.metric_name is not None or self.which.metric_name_prefix is not None
        return scope_of(named, metric=metric)


_BASIS: Mapping[Scope, str] = {
    "turn": "user-to-bot latency of interactions",
    "span": "durations of leaf spans",
    "metric": "values of the metric",
    "outcome": "latest outcome of each session",
}


def basis(wanted: Wanted) -> str | None:
    """What the latency measures of the question are over, in words; None when it asks for none."""
    if not any(each.family == "latency" for each in wanted.measures):
        return None
    name = wanted.which.metric_name or (wanted.which.metric_name_prefix or "") + "*"
    return f"values of {name}" if wanted.scope == "metric" and name != "*" else _BASIS[wanted.scope]


def _kind(measure: Measure, scope: Scope) -> Facts:
    """The facts that a measure is over, or InvalidArgument where it is not about the question's kind of fact."""
    family = measure.family
    if measure.turns_only and scope != "turn":
        raise InvalidArgument(
            f"{measure.name} is over interactions and cannot be grouped or filtered by a dimension of {scope}s.",
            hint=f"Use {measure.name.removeprefix('turn_')}.",
        )
    people = measure.name in ("sessions", "end_users")
    table: dict[tuple[Scope, str], Facts] = {
        ("turn", "volume"): "people" if people else "turns",
        ("turn", "errors"): "errors",
        ("turn", "latency"): "turns",
        ("turn", "usage"): "spans",
        ("turn", "outcomes"): "outcomes",
        ("turn", "closed"): "outcomes",
        ("span", "volume"): "spans",
        ("span", "errors"): "spans",
        ("span", "latency"): "leaves",
        ("span", "usage"): "spans",
        ("metric", "volume"): "metrics",
        ("metric", "latency"): "metrics",
        ("outcome", "outcomes"): "outcomes",
        ("outcome", "closed"): "outcomes",
    }
    if scope == "outcome" and measure.name in ("sessions", "end_users", "count"):
        return "outcomes"
    if scope == "metric" and measure.name == "errors":
        return "metrics"
    found = table.get((scope, family))
    if found is None:
        raise InvalidArgument(
            f"{measure.name} is not measured over {scope}s, which the dimensions or the metric ask for.",
            hint="Ask for it without that dimension, or choose another measure; list_metrics shows what fits.",
        )
    return found


_SESSION = "CASE WHEN session_id IS NOT NULL THEN platform || chr(31) || session_id END"
_TURN = "CASE WHEN interaction_id IS NOT NULL THEN platform || chr(31) || interaction_id END"


def _expressions(measure: Measure, kind: Facts) -> tuple[str, str]:
    """The SQL of a measure's value and of its n."""
    name = measure.name
    if measure.family == "volume":
        distinct = {
            "sessions": f"count(DISTINCT {_SESSION})",
            "end_users": "count(DISTINCT end_user_id)",
            "interactions": "count(*)" if kind == "turns" else f"count(DISTINCT {_TURN})",
        }.get(name, "count(*)")
        return distinct, distinct
    if measure.family == "errors":
        bad = "count(*)" if kind == "metrics" else "count(*) FILTER (bad)"
        return (bad if name == "errors" else f"{bad} / nullif(count(*), 0)"), "count(*)"
    if measure.family == "latency":
        value = f"quantile_cont(value, {measure.quantile})" if measure.quantile is not None else None
        return value or f"{'max' if name.endswith('max') else 'avg'}(value)", "count(value)"
    if measure.family == "usage":
        return f"sum({name})", f"count({name})"
    handed, closed = f"count(*) FILTER ({HANDED})", f"count({HANDED})"
    return {
        "outcomes": ("count(*)", "count(*)"),
        "handoffs": (handed, "count(*)"),
        "handoff_rate": (f"{handed} / nullif({closed}, 0)", closed),
        "deflection_rate": (f"1 - {handed} / nullif({closed}, 0)", closed),
    }[name]


_COLUMNS: Mapping[str, tuple[str, ...]] = {
    "errors": ("bad",),
    "latency": ("value",),
    "outcomes": ("handoff", "resolution"),
    "closed": ("handoff", "resolution"),
}


def _needs(measure: Measure, kind: Facts) -> tuple[str, ...]:
    if measure.family == "usage":
        return (measure.name,)
    if measure.family == "volume":
        return {
            "sessions": ("platform", "session_id"),
            "end_users": ("end_user_id",),
            "interactions": () if kind == "turns" else ("platform", "interaction_id"),
        }.get(measure.name, ())
    return _COLUMNS[measure.family]


def _select(ask: Ask, wanted: Wanted, kind: Facts, measures: Sequence[Measure], rest: Rest | None) -> Sql:
    """One SELECT for all measures over the same facts, by bucket and group; with `rest`, of what it leaves."""
    dims = [each.name for each in wanted.by] if rest is None or rest.without else []
    columns = list(dict.fromkeys([*dims, *(name for each in measures for name in _needs(each, kind))]))
    rows = facts(ask, kind, wanted.which, columns)
    if rest is not None and rest.without:
        rows = outside(ask, rows, dims, rest.without)
    cut = _buckets(wanted)
    keys = {"b": cut.expression} if cut else {}
    if rest is None:
        keys |= {f"g{index}": name for index, name in enumerate(dims)}
    listed = [f"{expression} AS {name}" for name, expression in keys.items()]
    for each in measures:
        value, n = _expressions(each, kind)
        listed += [f"{value} AS v_{each.name}", f"{n} AS n_{each.name}"]
    listed.append("count(*) - count(value) AS missing" if "value" in columns else "0 AS missing")
    text = f"SELECT {', '.join(listed)} FROM ({rows.text})"
    if keys:
        text += f" GROUP BY {', '.join(keys)}"
    return Sql(text, rows.params)


def _buckets(wanted: Wanted) -> Buckets | None:
    return bucketed(wanted.which.window, wanted.grain) if wanted.grain else None


@dataclass(frozen=True, slots=True)
class Rest:
    """All facts of the question as one group, without those of the groups with these keys."""

    without: tuple[Key, ...] = ()


def figures(ask: Ask, wanted: Wanted, rest: Rest | None = None) -> dict[Key, Figure]:
    """The measures of every group that has facts; an ungrouped, uncut question always has the group ().

    With `rest` nothing is grouped by dimension: what is left is recomputed from its facts, never merged from groups.
    """
    scope = wanted.scope
    families: dict[Facts, list[Measure]] = {}
    for each in wanted.measures:
        families.setdefault(_kind(each, scope), []).append(each)
    if "outcomes" in families:
        dimensions = [*wanted.by, *(each.dimension for each in wanted.which.filters)]
        strangers = [each.name for each in dimensions if "outcome" not in each.scopes]
        if strangers:
            raise InvalidArgument(
                f"{families['outcomes'][0].name} is measured over outcomes, which have no {', '.join(strangers)}.",
                hint="Group or filter by dimensions of sessions or outcomes, such as channel or resolution.",
            )
    cut = _buckets(wanted)
    width = (1 if cut else 0) + (0 if rest is not None else len(wanted.by))
    found: dict[Key, Figure] = {}
    for kind, measures in families.items():
        sql = _select(ask, wanted, kind, measures, rest)
        rows = ask.snapshot.fetch(f"{sql.text} LIMIT {MOST_GROUPS + 1}", sql.params)
        if len(rows) > MOST_GROUPS:
            raise InvalidArgument(
                f"The question makes more than {MOST_GROUPS:,} groups.",
                hint="Filter, ask a shorter window, or group by something coarser; list_sessions pages sessions.",
            )
        for row in rows:
            key = _key(row[:width], cut)
            _fill(found.setdefault(key, Figure()), measures, row[width:])
    nothing = nothing_of(wanted.measures)
    for figure in found.values():
        figure.values = {**nothing.values, **figure.values}
        figure.n = {**nothing.n, **figure.n}
    return found


def nothing_of(measures: Sequence[Measure]) -> Figure:
    """What the measures are where there are no facts: counts are 0, everything else is unknown."""
    return Figure({each.name: 0 if counts(each) else None for each in measures}, {each.name: 0 for each in measures})


def counts(measure: Measure) -> bool:
    """Whether the measure is a plain count, which is 0 where there is nothing, and not unknown."""
    return measure.family == "volume" or measure.name in ("errors", "outcomes", "handoffs")


def _key(row: Sequence[Out], cut: Buckets | None) -> Key:
    if cut is None:
        return tuple(cell(value) for value in row)
    return (cut.starts[int(str(row[0]))], *(cell(value) for value in row[1:]))


def _fill(figure: Figure, measures: Sequence[Measure], row: Sequence[Out]) -> None:
    for index, each in enumerate(measures):
        value, n = row[2 * index], row[2 * index + 1]
        figure.values[each.name] = rounded(each, value)
        figure.n[each.name] = int(n) if isinstance(n, int) else 0
    missing = row[-1]
    figure.unknown += int(missing) if isinstance(missing, int) else 0


_DECIMALS: Mapping[str, int] = {"latency": 3, "closed": 6}


def rounded(measure: Measure, value: Out) -> float | int | None:
    """The value as answered: counts whole, milliseconds with three decimals, rates with six, dollars with nine."""
    if not isinstance(value, int | float) or isinstance(value, bool):
        return None
    if measure.name == "error_rate":
        return round(float(value), 6)
    if measure.name == "cost_usd":
        return round(float(value), 9)
    if measure.family in _DECIMALS:
        return round(float(value), _DECIMALS[measure.family])
    return int(value)


def total(ask: Ask, wanted: Wanted) -> Figure:
    """The same measures over all facts of the question, neither cut nor grouped."""
    return figures(ask, replace(wanted, grain=None), Rest())[()]


def coverage(ask: Ask, wanted: Wanted) -> tuple[int, int]:
    """The n of the first measure over all facts of the question, and the turns left out because latency is unknown.

    Latency measures share one n, so a mean stands in for the percentiles, which cost more.
    """
    mean, first = measure("avg"), wanted.measures[0]
    counted = mean if first.family == "latency" else first
    timed = (mean,) if any(each.family == "latency" for each in wanted.measures) else ()
    found = total(ask, replace(wanted, measures=tuple(dict.fromkeys((counted, *timed)))))
    return found.n[counted.name], found.unknown


def measured(words: Sequence[str]) -> tuple[Measure, ...]:
    """The measures of these names, each once."""
    return tuple(dict.fromkeys(measure(word) for word in words))
