"""Measures as v1 calls: which calls a measure takes by the kind of fact that is asked about, and what they answered.

The same dimensions decide the kind of fact as on a warehouse. Interactions, errors and counts of a part of the window
add up to those of the window; distinct sessions and users, and percentiles, never do.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from talkscope.errors import InvalidArgument, NotSupported
from talkscope.hosted.words import filters_of, known_grouping, range_of
from talkscope.models.answers import Cell
from talkscope.models.questions import BreakdownAsked, TimeseriesAsked
from talkscope.models.semantics import (
    USER_TO_BOT,
    Dimension,
    Measure,
    Scope,
    dimension,
    measure,
    parse_filters,
    scope_of,
)

Merge: TypeAlias = Literal["sum", "mean", "max", "never"]
Key: TypeAlias = "tuple[int | str | None, ...]"
"""The bucket's start in microseconds where time is cut, then the groups."""


@dataclass(frozen=True, slots=True)
class Part:
    """One v1 measure: the words that only its call needs, and how values of parts of the window become one."""

    measure: str
    merge: Merge
    words: tuple[tuple[str, str], ...] = ()

    @property
    def counts(self) -> bool:
        """Whether it counts something, so that nothing is 0."""
        return self.measure.startswith("unique_") or self.measure in ("count", "error_count")


@dataclass(slots=True)
class Reading:
    """What the service says of one group: a value, and its n where it says so."""

    value: float | None = None
    n: int | None = None


Readings: TypeAlias = "Mapping[Part, Mapping[Key, Reading]]"


@dataclass(slots=True)
class Figure:
    """The measures of one group, by name: each value with its n, None where the service does not say."""

    values: dict[str, float | int | None] = field(default_factory=dict)
    n: dict[str, int | None] = field(default_factory=dict)

    @property
    def empty(self) -> bool:
        """Whether nothing is known of the group but that it has nothing."""
        return not any(self.values.values())


_TURN = (("metric_name", USER_TO_BOT),)
_SPAN = (("segment", "end_to_end_turn_latency"),)
_VALUES = {"avg": "avg_value", "p50": "p50_value", "p95": "p95_value", "p99": "p99_value"}
_TURNS_ONLY = ("p75", "p90", "max")
_KNOWN = ("volume", "errors", "latency")


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be measured: measures, the kind of fact, the dimensions, and the words that every call takes."""

    measures: tuple[Measure, ...]
    scope: Scope
    by: tuple[Dimension, ...]
    words: Mapping[str, str]

    @property
    def interactions(self) -> Part:
        """Distinct interactions; only where interactions are the facts do those of parts add up."""
        return Part("unique_turns", "sum" if self.scope == "turn" else "never")

    @property
    def facts(self) -> Part:
        """What n of errors counts: interactions, or the service's rows."""
        return self.interactions if self.scope == "turn" else Part("count", "sum")

    def part(self, each: Measure) -> Part:
        """The v1 measure whose values the measure is, or that it is a fraction of. Raises NotSupported."""
        if each.family == "latency":
            return self._latency(each)
        if each.family == "errors":
            return Part("count" if self.scope == "metric" else "error_count", "sum")
        people = {"sessions": "unique_sessions", "end_users": "unique_end_users"}.get(each.name)
        if people:
            return Part(people, "never")
        return self.interactions if each.name == "interactions" else self.facts

    def _latency(self, each: Measure) -> Part:
        name = each.name.removeprefix("turn_")
        merge: Merge = {"avg": "mean", "max": "max"}.get(name, "never")  # type: ignore[assignment]
        if self.scope == "turn" and (each.turns_only or name in _TURNS_ONLY):
            return Part(f"turn_{name}", merge)
        if each.turns_only:
            raise InvalidArgument(
                f"{each.name} is over interactions and cannot be grouped or filtered by a dimension of {self.scope}s.",
                hint=f"Use {name}.",
            )
        if name in _TURNS_ONLY:
            raise NotSupported(
                f"The hosted API has no {name} of {self.scope}s, which the dimensions or the metric ask for.",
                hint="Use p50, p95, p99 or avg; or load the telemetry into a warehouse.",
                code="unsupported_measure",
            )
        return Part(_VALUES[name], merge, {"turn": _TURN, "span": _SPAN}.get(self.scope, ()))

    @property
    def timed(self) -> Part | None:
        """What counts the values of latency measures where their own answers do not; None where nothing does."""
        if self.scope == "span":
            return None
        return Part("count", "sum", _TURN if self.scope == "turn" else ())

    def parts(self, measures: Sequence[Measure] | None = None, *, counted: bool = False) -> list[Part]:
        """Every call that the measures take, each once; with `counted`, also those that count latencies."""
        found: dict[Part, None] = {}
        for each in measures or self.measures:
            found[self.part(each)] = None
            if each.family == "errors":
                found[self.facts] = None
            if counted and each.family == "latency" and self.timed is not None:
                found[self.timed] = None
        return list(found)

    def figure(self, readings: Readings, key: Key) -> Figure:
        """The measures of one group; counts that an answer does not state are 0."""
        return Figure(
            {each.name: self._value(each, readings, key) for each in self.measures},
            {each.name: self._n(each, readings, key) for each in self.measures},
        )

    def _value(self, each: Measure, readings: Readings, key: Key) -> float | int | None:
        value = _read(readings, self.part(each), key).value
        if each.family == "latency":
            return None if value is None else round(value, 3)
        if each.name == "error_rate":
            return rate(value, _read(readings, self.facts, key).value)
        return None if value is None else int(value)

    def _n(self, each: Measure, readings: Readings, key: Key) -> int | None:
        if each.family == "latency":
            return _read(readings, self.part(each), key).n
        value = _read(readings, self.facts if each.family == "errors" else self.part(each), key).value
        return None if value is None else int(value)

    @property
    def basis(self) -> str:
        """What the figures are over, in words."""
        if not any(each.family == "latency" for each in self.measures):
            return "as the service counts them"
        name = self.words.get("metric_name") or f"{self.words.get('metric_name_prefix', '')}*"
        what = {
            "turn": "user-to-bot latency of interactions",
            "span": "durations of components in turns",
            "metric": f"values of {name}" if name != "*" else "values of the metric",
        }[self.scope]
        return f"{what}, as the service measures them"

    @property
    def notes(self) -> list[str]:
        """What must be known to read the figures."""
        if self.scope == "turn" and any(each.name == "error_rate" for each in self.measures):
            return ["error_rate is errors / interactions: errors outside interactions are in errors, and not in n."]
        return []


def _read(readings: Readings, part: Part, key: Key) -> Reading:
    return readings[part].get(key) or Reading(0.0 if part.counts else None, 0)


def rate(errors: float | None, of: float | None) -> float | None:
    """The fraction; None of nothing, and where errors outside of what is counted make it no fraction."""
    return round(errors / of, 6) if errors is not None and of and errors <= of else None


def wanted_of(asked: TimeseriesAsked | BreakdownAsked) -> Wanted:
    """What the question's words want of the hosted API. Raises NotSupported, or InvalidArgument as a warehouse does."""
    measures = tuple(dict.fromkeys(measure(word) for word in asked.measures))
    by = tuple(dict.fromkeys(dimension(word) for word in asked.group_by))
    for each in measures:
        if each.family not in _KNOWN:
            raise NotSupported(
                f"The hosted API does not measure {each.name}.",
                hint="Load the telemetry into a warehouse, which does; list_metrics shows what the hosted API has.",
                code="unsupported_measure",
            )
    words = {"range": range_of(asked)}
    filters = [each.dimension for each in parse_filters(asked.filters)]
    for each_dimension in by:
        known_grouping(each_dimension.name)
    words |= filters_of(asked.filters)
    for name in ("metric_name", "metric_name_prefix"):
        value = getattr(asked, name)
        if value == "":
            raise InvalidArgument(f"{name} is empty.", hint="Leave it out, or name a metric of list_metrics.")
        if value is not None:
            words[name] = value
    scope = scope_of([*by, *filters], metric="metric_name" in words or "metric_name_prefix" in words)
    if scope == "metric" and any(each.name == "error_rate" for each in measures):
        raise InvalidArgument(
            "error_rate is not measured over metrics, which the dimensions or the metric ask for.",
            hint="Ask for errors, which counts the metric's values.",
        )
    found = Wanted(measures, scope, by, words)
    found.parts()
    return found


def merged(part: Part, readings: Iterable[Reading]) -> Reading:
    """One reading for several; unknown where the measure's values of parts say nothing of the whole."""
    known = [each for each in readings if each.value is not None]
    numbers = [each.n for each in known]
    n = sum(each for each in numbers if each is not None) if None not in numbers else None
    values = [each.value for each in known if each.value is not None]
    if part.merge == "sum":
        return Reading(sum(values), n)
    if part.merge == "never" or not known:
        return Reading(None, n)
    if part.merge == "max":
        return Reading(max(values), n)
    weights = [each.n or 0 for each in known]
    total = sum(weights)
    return Reading(sum(v * w for v, w in zip(values, weights, strict=True)) / total if total and n else None, n)


class Layout:
    """The columns that carry the measures and their n: `n` for the first, `n_<what>` where another's differs."""

    def __init__(self, measures: Sequence[Measure]) -> None:
        self._measures = measures
        self._n = {"n": measures[0].name}
        for each in measures[1:]:
            if each.n_of not in (None, measures[0].n_of):
                self._n.setdefault(f"n_{each.n_of}", each.name)

    @property
    def columns(self) -> list[str]:
        """The column names, after the groups."""
        return [*(each.name for each in self._measures), *self._n]

    @property
    def units(self) -> dict[str, str]:
        """Column to unit, for those that are no plain counts."""
        return {each.name: each.unit for each in self._measures if each.family != "volume" and each.name != "errors"}

    def cells(self, figure: Figure) -> list[Cell]:
        """The cells of one group, in the order of the columns."""
        return [*(figure.values[each.name] for each in self._measures), *(figure.n[name] for name in self._n.values())]


def rank(figure: Figure, key: Key, name: str) -> tuple[bool, float, tuple[tuple[bool, str], ...]]:
    """Largest value first, missing values last, ties by the group's name."""
    value = figure.values[name]
    return value is None, -(value or 0), tuple((each is None, str(each)) for each in key)


def named(by: Sequence[Dimension]) -> tuple[list[str], list[str]]:
    """The group columns, and the note on names that the hosted API does not know."""
    columns: list[str] = []
    for each in by:
        columns += [each.name, "character_name"] if each.name == "character_id" else [each.name]
    return columns, ["The hosted API gives ids of characters, and no names."] if "character_name" in columns else []


def labels(by: Sequence[Dimension], key: Sequence[int | str | None]) -> list[Cell]:
    """The group's cells: a character's name is not known."""
    cells: list[Cell] = []
    for each, value in zip(by, key, strict=True):
        cells += [value, None] if each.name == "character_id" else [value]
    return cells
