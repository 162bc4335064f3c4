"""How many sessions were active at once: the exact level at every instant of a window."""

from __future__ import annotations

import itertools
from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Sequence

from .clock import buckets
from .facts import SESSION_DIMENSIONS, Telemetry
from .measures import Where, check_where, matches


def levels(data: Telemetry, start: int, end: int, where: Where = ()) -> list[tuple[int, int, int]]:
    """The window as stretches (from, to, sessions active), in order, each of positive length, joined where equal.

    A session is active on [start, end), clipped to the window; at one instant ends count before starts, so a level
    exists only where it lasts.
    """
    if start >= end:
        raise ValueError("an empty window")
    check_where(where, [*SESSION_DIMENSIONS, "status"])
    change: Counter[int] = Counter({start: 0, end: 0})
    for session in data.sessions:
        first, last = max(session.start, start), min(session.end or session.start, end)
        if first < last and matches(session, where):
            change[first] += 1
            change[last] -= 1
    stretches: list[tuple[int, int, int]] = []
    instants = sorted(change)
    active = 0
    for here, there in itertools.pairwise(instants):
        active += change[here]
        if stretches and stretches[-1][2] == active:
            stretches[-1] = (stretches[-1][0], there, active)
        else:
            stretches.append((here, there, active))
    return stretches


def concurrency(data: Telemetry, start: int, end: int, where: Where = ()) -> tuple[int, int, dict[int, int]]:
    """The peak, the first instant at it, and the microseconds at each level that occurs (they fill the window)."""
    stretches = levels(data, start, end, where)
    peak = max(level for _, _, level in stretches)
    spent: Counter[int] = Counter()
    for first, last, level in stretches:
        spent[level] += last - first
    return peak, next(first for first, _, level in stretches if level == peak), dict(spent)


def concurrency_buckets(
    data: Telemetry, start: int, end: int, bucket: tuple[str, str] | Sequence[int], where: Where = ()
) -> dict[int, int]:
    """The highest level of each bucket's part inside the window, by the bucket's start; quiet buckets are 0.

    `bucket` is (grain, zone), or the buckets' own edges in microseconds, one more than there are buckets.
    """
    if isinstance(bucket, tuple) and isinstance(bucket[0], str):
        edges = [(each.start, each.end) for each in buckets(start, end, bucket[0], str(bucket[1]))]
    else:
        instants = [int(instant) for instant in bucket]
        edges = list(itertools.pairwise(instants))
    stretches = levels(data, start, end, where)
    begins = [here for here, _, _ in stretches]

    def touching(first: int, last: int) -> list[tuple[int, int, int]]:
        # The stretches follow each other without a gap, so the first of them is the last that begins no later.
        return stretches[max(0, bisect_right(begins, first) - 1) : bisect_left(begins, last)]

    return {first: max(level for _, _, level in touching(first, last)) for first, last in edges}
