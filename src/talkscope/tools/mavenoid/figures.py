"""Exact figures of single rows: counts with their shares, ratings, and how long things took."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Collection, Sequence
from statistics import fmean

from talkscope.models.answers import Cell

COLUMNS = ["measure", "value", "share", "n"]
RATINGS = (1, 2, 3, 4)

Row = list[Cell]


def counted(measure: str, count: int, n: int) -> Row:
    """A count, and its share of n."""
    return [measure, count, count / n if n else None, n]


def stated(measure: str, value: float | None, n: int) -> Row:
    """A figure that has no share, over n."""
    return [measure, value, None, n]


def statuses(found: Sequence[str], known: Collection[str]) -> list[Row]:
    """How many have each known status; all others together, where there are any."""
    counts = Counter(status.strip().upper() for status in found)
    rows = [counted(status.lower(), counts.pop(status, 0), len(found)) for status in known]
    return [*rows, *([counted("other_status", counts.total(), len(found))] if counts else [])]


def ratings(found: Sequence[int | None]) -> list[Row]:
    """How many rated, how they rated from 1 to 4, and the mean."""
    known = [rating for rating in found if rating is not None]
    counts = Counter(known)
    return [
        counted("rated", len(known), len(found)),
        *(counted(f"rating_{rating}", counts[rating], len(known)) for rating in RATINGS),
        stated("rating_mean", fmean(known) if known else None, len(known)),
    ]


def spread(measure: str, found: Sequence[float | None]) -> list[Row]:
    """Mean, median, 95th percentile, longest and sum of the durations that are known."""
    known = sorted(length for length in found if length is not None)
    n = len(known)
    return [
        stated(f"{measure}_mean", fmean(known) if known else None, n),
        stated(f"{measure}_p50", _percentile(known, 0.50), n),
        stated(f"{measure}_p95", _percentile(known, 0.95), n),
        stated(f"{measure}_max", known[-1] if known else None, n),
        stated(f"{measure}_sum", sum(known) if known else None, n),
    ]


def _percentile(ordered: Sequence[float], part: float) -> float | None:
    """By linear interpolation between neighbours, as everywhere here."""
    if not ordered:
        return None
    place = (len(ordered) - 1) * part
    low = math.floor(place)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (ordered[high] - ordered[low]) * (place - low)
