"""The critical path of a turn: which span its time goes to, instant by instant."""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Stretch:
    """A span in milliseconds from the turn's start, how deep it is nested, and how much of its time is its own."""

    offset: float
    length: float
    depth: int
    own: float


def path(spans: Sequence[Stretch], total: float) -> list[tuple[int, float, float]]:
    """Where each span is the deepest running, latest started first: its index, offset and length, in order of time.

    Of spans alike in both, the one that is given more time is first.
    """
    frame = round(total * 1_000)
    sides = [(_us(each.offset), _us(each.offset) + _us(each.length)) for each in spans]
    active = [at for at, (start, end) in enumerate(sides) if max(start, 0) < min(end, frame)]
    cuts = sorted({edge for at in active for edge in (max(sides[at][0], 0), min(sides[at][1], frame))})
    entering = iter(sorted(active, key=lambda at: sides[at][0]))
    coming = next(entering, None)
    best: list[tuple[int, int, float, int]] = []
    found: list[list[int]] = []
    for here, there in itertools.pairwise(cuts):
        while coming is not None and sides[coming][0] <= here:
            heapq.heappush(best, (-spans[coming].depth, -sides[coming][0], -spans[coming].own, coming))
            coming = next(entering, None)
        while best and sides[best[0][3]][1] <= here:
            heapq.heappop(best)
        if best and found and found[-1][0] == best[0][3] and found[-1][2] == here:
            found[-1][2] = there
        elif best:
            found.append([best[0][3], here, there])
    return [(at, start / 1_000, (end - start) / 1_000) for at, start, end in found]


def _us(ms: float) -> int:
    return round(ms * 1_000)
