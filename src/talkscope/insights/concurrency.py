"""How many were active at once: stretches of equal level, added up to peaks, means and time at each level."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from talkscope.models.answers import Cell
from talkscope.models.buckets import Grain, buckets, label
from talkscope.models.window import Window

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


def sweep(intervals: Iterable[tuple[int, int]], start: int, end: int, edges: Sequence[int]) -> list[Stretch]:
    """[start, end) cut wherever one of the intervals begins or ends, and at the edges of buckets.

    The intervals [from, to) may reach outside; those of no length are never active. The edges are the buckets' starts
    in order, the first at or before `start`. At one instant ends come before starts.
    """
    change: Counter[int] = Counter()
    for first, last in intervals:
        if max(first, start) < min(last, end):
            change[max(first, start)] += 1
            change[min(last, end)] -= 1
    cuts = sorted({start, end, *change, *(edge for edge in edges if start < edge < end)})
    found: list[Stretch] = []
    level = bucket = 0
    for here, there in itertools.pairwise(cuts):
        level += change[here]
        while bucket + 1 < len(edges) and edges[bucket + 1] <= here:
            bucket += 1
        found.append(Stretch(edges[bucket], level, there - here, here))
    return found


def rows(found: Concurrency, grain: Grain, zone: str) -> list[list[Cell]]:
    """A row a bucket: when it begins, its peak and its mean."""
    return [[label(start, grain, zone), peak, round(mean, 6)] for start, (peak, mean) in found.buckets.items()]


def notes(window: Window, grain: Grain, asked: Grain | None, most: int, without_length: int) -> list[str]:
    """What to know of the rows: cut buckets, sessions of no length, a granularity other than the asked one."""
    said = []
    cut = [each for each in buckets(window, grain) if each.partial]
    if cut:
        said.append(f"The window cuts {len(cut)} of the buckets; their figures are of the part inside.")
    if without_length:
        said.append(f"{without_length:,} sessions of no length are not counted: they are active at no time.")
    if asked not in (None, grain):
        said.append(f"The granularity is {grain}, because {asked} would need over {most} rows.")
    return said


def width_notes(at_level: Mapping[int, int], width: int) -> list[str]:
    """What to know of folded levels."""
    if width == 1:
        return []
    return [f"time_at_level is in ranges of {width} levels, because {len(at_level)} levels occur."]


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
