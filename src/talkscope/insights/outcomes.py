"""How sessions ended: from counts to shares and rates, each with its numerator and its n; no rate of nothing."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field

from talkscope.models.outcomes import LABELS, OutcomeMeasure, middle

MOST_LABELS = 20
"""Labels of one measure that are told apart in one group; the rest is one."""
_FULL_SCALE = 10


@dataclass(slots=True)
class Tally:
    """What was counted of one group of sessions.

    Args:
        counts: Sessions by what is counted.
        labels: By measure, how many sessions have each label.
        ratings: By scale, how often each rating was given.
        deflected: By platform, sessions known not to be handed over.
        converting: By platform and metric, sessions with a conversion.
        values: By platform, metric and unit: sessions whose conversions have a value, and the sum of the values.
    """

    counts: dict[str, int] = field(default_factory=dict)
    labels: dict[str, dict[str, int]] = field(default_factory=dict)
    ratings: dict[float | None, dict[float, int]] = field(default_factory=dict)
    deflected: dict[str, int] = field(default_factory=dict)
    converting: dict[tuple[str, str], int] = field(default_factory=dict)
    values: dict[tuple[str, str, str | None], tuple[int, float]] = field(default_factory=dict)

    def of(self, name: str) -> int:
        """A count; 0 where nothing was counted."""
        return self.counts.get(name, 0)


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure: of a label where the measure has several; a value of nothing is None."""

    label: str | None
    value: int | float | None
    count: int | float
    n: int


Silent = Collection[tuple[str, str]]
"""Conversion metrics with the platforms of which nothing was to be expected: none of these is no share of 0."""
Metrics = Mapping[str, Mapping[str, frozenset[str | None]]]
"""The conversion metrics that are known: by name and platform, the units of their values."""


def figures(measure: OutcomeMeasure, tally: Tally, metrics: Metrics, silent: Silent = ()) -> list[Figure]:
    """The measure's figures, in order; a single one without a label, a value and an n where there is nothing to say."""
    if measure.name in LABELS:
        found = _shares(tally.labels.get(measure.name, {}))
    elif measure.name == "outcomes":
        n = tally.of("outcomes")
        found = [Figure(None, n, n, n)]
    elif measure.name in _RATES:
        counted, of = _RATES[measure.name]
        found = [_rate(None, tally.of(counted), tally.of(of))]
    else:
        found = {
            "csat": lambda: _of_ratings(tally, lambda rating, scale: rating > middle(scale)),
            "dsat": lambda: _of_ratings(tally, lambda rating, scale: rating < middle(scale)),
            "rating": lambda: _ratings(tally),
            "rating_mean": lambda: _rating_means(tally),
            "conversions": lambda: _conversions(tally, metrics, silent),
            "conversion_value": lambda: _conversion_values(tally, metrics),
            "winback_rate": lambda: [
                _rate("sent", tally.of("sent"), tally.of("sent_known")),
                _rate("answered", tally.of("answered"), tally.of("answered_known")),
                _rate("converted", tally.of("converted"), tally.of("converted_known")),
            ],
        }[measure.name]()
    return found or [Figure(None, None, 0, 0)]


_RATES: Mapping[str, tuple[str, str]] = {
    "deflection_rate": ("kept", "handoff_known"),
    "handoff_rate": ("handed", "handoff_known"),
    "resolution_rate": ("resolved", "closed"),
    "recontacted_within_7d": ("recontacted", "followed"),
    "response_rate": ("answering", "asked"),
    "coverage": ("scored", "outcomes"),
}


def _rate(label: str | None, count: int, n: int) -> Figure:
    return Figure(label, _ratio(count, n), count, n)


def _ratio(count: float, n: int) -> float | None:
    return round(count / n, 6) if n else None


def _shares(counted: Mapping[str, int]) -> list[Figure]:
    """Shares of the sum, largest first; what comes after the twentieth is one label."""
    n = sum(counted.values())
    ranked = sorted(counted.items(), key=lambda each: (-each[1], each[0]))
    found = [_rate(label, count, n) for label, count in ranked[:MOST_LABELS]]
    rest = ranked[MOST_LABELS:]
    if rest:
        found.append(_rate(f"other ({len(rest)} label{'s' if len(rest) > 1 else ''})", sum(c for _, c in rest), n))
    return found


def _scale(scale: float) -> str:
    return f"scale {scale:g}"


def _scales(tally: Tally) -> list[tuple[float, dict[float, int]]]:
    """The ratings whose scale is known, by scale."""
    return sorted((scale, given) for scale, given in tally.ratings.items() if scale is not None)


def _of_ratings(tally: Tally, good: Callable[[float, float], bool]) -> list[Figure]:
    return [
        _rate(_scale(scale), sum(n for rating, n in given.items() if good(rating, scale)), sum(given.values()))
        for scale, given in _scales(tally)
    ]


def _ratings(tally: Tally) -> list[Figure]:
    """Each rating of each scale, lowest first, with those that nobody gave where the scale is a short one."""
    found: list[Figure] = []
    for scale, given in _scales(tally):
        every = range(1 if scale > 1 else 0, int(scale) + 1) if scale.is_integer() and 1 <= scale <= _FULL_SCALE else ()
        found += _values({**{float(each): 0 for each in every}, **given}, f" of {scale:g}")
    return found + _values(tally.ratings.get(None, {}), "")


def _values(counted: Mapping[float, int], suffix: str) -> list[Figure]:
    n = sum(counted.values())
    kept = sorted(sorted(counted, key=lambda rating: (-counted[rating], rating))[:MOST_LABELS])
    found = [_rate(f"{rating:g}{suffix}", counted[rating], n) for rating in kept]
    rest = n - sum(counted[rating] for rating in kept)
    return [*found, _rate(f"other{suffix}", rest, n)] if rest else found


def _rating_means(tally: Tally) -> list[Figure]:
    unscaled = tally.ratings.get(None)
    every = [(_scale(scale), given) for scale, given in _scales(tally)]
    every += [("no scale stated", unscaled)] if unscaled else []
    return [_mean(label, sum(r * n for r, n in given.items()), sum(given.values())) for label, given in every]


def _mean(label: str | None, total: float, n: int) -> Figure:
    return Figure(label, _ratio(total, n), round(total, 6), n)


def _conversions(tally: Tally, metrics: Metrics, silent: Silent) -> list[Figure]:
    """By metric; out of the sessions that nobody was handed, on the platforms that report the metric."""
    found = []
    for metric, every in sorted(metrics.items()):
        platforms = [each for each in every if (metric, each) not in silent]
        n = sum(tally.deflected.get(platform, 0) for platform in platforms or every)
        count = sum(tally.converting.get((platform, metric), 0) for platform in platforms)
        if n or count:
            found.append(_rate(metric, count, n) if platforms else Figure(metric, None, 0, n))
    return found


def _conversion_values(tally: Tally, metrics: Metrics) -> list[Figure]:
    """By metric, and by unit where a metric has several: unlike things are not added."""
    found = []
    for metric, platforms in sorted(metrics.items()):
        units = units_of(platforms.values())
        for unit in units:
            known = [tally.values.get((platform, metric, unit), (0, 0.0)) for platform in platforms]
            n = sum(sessions for sessions, _ in known)
            label = metric if len(units) == 1 else f"{metric} ({unit or 'no unit'})"
            if n:
                found.append(_mean(label, sum(total for _, total in known), n))
    return found


def units_of(units: Iterable[frozenset[str | None]]) -> list[str | None]:
    """The different units, by name, none last."""
    return sorted(frozenset[str | None]().union(*units), key=lambda unit: (unit is None, unit or ""))
