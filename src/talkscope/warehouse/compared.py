"""What a regression compares: which values of which facts, by which group, from the words of the question."""

from __future__ import annotations

from dataclasses import dataclass

from talkscope.errors import InvalidArgument, UnknownName
from talkscope.models.questions import RegressionsAsked
from talkscope.models.semantics import MEASURES, Measure, Scope, dimension, measure, scope_of
from talkscope.models.window import Window
from talkscope.warehouse.ask import Ask
from talkscope.warehouse.rows import Facts, Sql, Which, facts

OVERALL = "overall"


@dataclass(frozen=True, slots=True)
class Compared:
    """A SELECT of the facts, and the SQL of a fact's group and value; a quantile, or None for a mean or a rate."""

    measure: Measure
    rows: Sql
    once: Sql
    """The same facts ungrouped: a session with several assistants is in `rows` once for each, and here once."""
    group: str
    column: str
    value: str
    quantile: float | None
    unit: str
    basis: str

    @property
    def decimals(self) -> int:
        """How many decimals a figure is answered with."""
        return 6 if self.measure.name == "error_rate" else 3


def _measured(asked: RegressionsAsked, ask: Ask) -> tuple[Measure, str | None]:
    """The measure and the metric it is over; a metric's name in the measure's place means p95 of that metric."""
    try:
        return measure(asked.measure), asked.metric_name
    except UnknownName:
        name = asked.measure.strip()
        if asked.metric_name is not None or ("." not in name and not _is_metric(ask, name)):
            raise
        return MEASURES["p95"], name


def _is_metric(ask: Ask, name: str) -> bool:
    found = facts(ask, "metrics", Which(Window(-(2**62), 2**62), (), name), ["metric_name"])
    return bool(ask.snapshot.fetch(f"SELECT 1 FROM ({found.text}) LIMIT 1", found.params))


def compared(asked: RegressionsAsked, ask: Ask, both: Window) -> Compared:
    """What is compared over both windows; InvalidArgument for what cannot be worse by more than chance."""
    chosen, metric = _measured(asked, ask)
    _check(chosen)
    group = None if asked.group_by.strip().lower() in ("", OVERALL) else dimension(asked.group_by)
    filters = ask.filters(asked.filters)
    named = [*([group] if group else []), *(each.dimension for each in filters)]
    kind, basis = _facts(chosen, scope_of(named, metric=metric is not None), metric)
    rate = chosen.name == "error_rate"
    value = "bad" if rate else "value"
    which = Which(both, filters, metric)
    return Compared(
        measure=chosen,
        rows=facts(ask, kind, which, ["platform", "session_id", value, *([group.name] if group else [])]),
        once=facts(ask, kind, which, [value]),
        group=group.name if group else f"'{OVERALL}'",
        column=group.name if group else "group",
        value="bad::INTEGER" if rate else "value",
        quantile=chosen.quantile,
        unit="fraction" if rate else "the metric's unit" if kind == "metrics" else "ms",
        basis=basis,
    )


def _check(chosen: Measure) -> None:
    """Refuse what is no quantile, mean or rate."""
    if chosen.name != "error_rate" and chosen.quantile is None and chosen.name != "avg":
        kinder = {"errors": "error_rate", "max": "p99", "turn_max": "turn_p99"}.get(chosen.name)
        raise InvalidArgument(
            f"{chosen.name} is not compared with a baseline: windows of different length differ in it anyway.",
            hint=f"Use {kinder}." if kinder else "Use avg, p50, p75, p90, p95, p99, turn_p95 or error_rate.",
            details={"measure": chosen.name},
        )


def _facts(chosen: Measure, scope: Scope, metric: str | None) -> tuple[Facts, str]:
    """The facts that are compared, and what they are in words."""
    rate = chosen.name == "error_rate"
    kinds: dict[tuple[Scope, bool], tuple[Facts, str]] = {
        ("turn", False): ("turns", "user-to-bot latency of interactions"),
        ("span", False): ("leaves", "durations of leaf spans"),
        ("metric", False): ("metrics", f"values of {metric or 'all metrics'}"),
        ("turn", True): ("errors", "interactions, and error events without one"),
        ("span", True): ("spans", "spans"),
    }
    found = kinds.get((scope, rate))
    if found is None or (chosen.turns_only and scope != "turn"):
        raise InvalidArgument(
            f"{chosen.name} is not compared over {scope}s, which the dimensions or the metric ask for.",
            hint="Drop that dimension or metric_name, or choose another measure.",
        )
    return found
