"""How many were active at once: stretches of equal level, added up to peaks, means and time at each level."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

MOST_LEVELS = 50
_WIDTHS = tuple(step * 10**power for power in range(12) for step in (1, 2, 5))


@dataclass(frozen=True, slots=True)
class Stretch:
    """Time spent at one level inside one bucket, in microseconds, and the first instant of it."""

    bucket: int
    level: int
    length: int
    first: int


@dataclass(frozen=True, slots=True)
class Concurrency:
    """The peak and its first instant, the mean over time, the time at each level, and (peak, mean) of each bucket."""

    peak: int
    peak_at: int | None
    mean: float | None
    at_level: Mapping[int, int]
    buckets: Mapping[int, tuple[int, float]]


def concurrency(stretches: Iterable[Stretch]) -> Concurrency:
    """Add up the stretches; `peak_at` is None when nothing was ever active."""
    lasting = [each for each in stretches if each.length > 0]
    at_level: dict[int, int] = {}
    inside: dict[int, list[Stretch]] = {}
    for each in lasting:
        at_level[each.level] = at_level.get(each.level, 0) + each.length
        inside.setdefault(each.bucket, []).append(each)
    peak = max(at_level, default=0)
    return Concurrency(
        peak=peak,
        peak_at=min(each.first for each in lasting if each.level == peak) if peak else None,
        mean=_mean(lasting) if lasting else None,
        at_level=dict(sorted(at_level.items())),
        buckets={bucket: (max(each.level for each in own), _mean(own)) for bucket, own in sorted(inside.items())},
    )


def _mean(stretches: Iterable[Stretch]) -> float:
    own = list(stretches)
    return sum(each.level * each.length for each in own) / sum(each.length for each in own)


def folded(at_level: Mapping[int, int], most: int = MOST_LEVELS) -> tuple[dict[str, int], int]:
    """The time at each level by name, in ranges such as `50-59` when there are more than `most`; and their width."""
    width = next(each for each in _WIDTHS if len({level // each for level in at_level}) <= most)
    named: dict[str, int] = {}
    for level, length in sorted(at_level.items()):
        low = level // width * width
        name = str(level) if width == 1 else f"{low}-{low + width - 1}"
        named[name] = named.get(name, 0) + length
    return named, width
