"""Percentiles by linear interpolation, and sums that do not drift."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence


def percentile(values: Iterable[float], percent: int) -> float | None:
    """The `percent`-th percentile (0 to 100), linear between neighbours; None of no values.

    The rank is exact: (n - 1) * percent / 100 in whole numbers, so that a rank that falls on a value is that value.
    """
    ordered = sorted(values)
    if not ordered:
        return None
    below, hundredths = divmod((len(ordered) - 1) * percent, 100)
    if hundredths == 0:
        return float(ordered[below])
    low, high = ordered[below], ordered[below + 1]
    return low + (high - low) * (hundredths / 100)


def mean(values: Sequence[float]) -> float | None:
    """The arithmetic mean; None of no values."""
    return math.fsum(values) / len(values) if values else None


def statistic(name: str, values: Sequence[float]) -> float | None:
    """`avg`, `max` or `p50` and its like over the values; None of no values."""
    if name == "avg":
        return mean(values)
    if name == "max":
        return float(max(values)) if values else None
    return percentile(values, int(name.removeprefix("p")))
