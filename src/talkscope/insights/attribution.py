"""Where a stretch of time goes: each instant to the deepest active span, the latest started first."""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Sequence
from dataclasses import dataclass

MILLIONTHS = 1_000_000


@dataclass(frozen=True, slots=True)
class Interval:
    """A span as [start, end), how deep it is nested, and the key that decides between equals."""

    start: int
    end: int
    depth: int
    key: str


@dataclass(frozen=True, slots=True)
class Attribution:
    """The time each span has of its own, in the order of the spans, and the stretches [from, to) that none covers."""

    own: list[int]
    gaps: list[tuple[int, int]]

    @property
    def unattributed(self) -> int:
        """The time that no span covers."""
        return sum(end - start for start, end in self.gaps)


def attribute(start: int, end: int, spans: Sequence[Interval]) -> Attribution:
    """Give every instant of [start, end) to the active span that is deepest, then started last, then has the least key.

    The spans' own times and the gaps add up to `end - start` exactly.
    """
    active = [index for index, span in enumerate(spans) if max(span.start, start) < min(span.end, end)]
    entering = sorted(active, key=lambda index: spans[index].start)
    cuts = {start, end} if start < end else set()
    for index in active:
        cuts |= {max(spans[index].start, start), min(spans[index].end, end)}
    own = [0] * len(spans)
    gaps: list[tuple[int, int]] = []
    best: list[tuple[int, int, str, int]] = []
    entered = 0
    for here, there in itertools.pairwise(sorted(cuts)):
        while entered < len(entering) and spans[entering[entered]].start <= here:
            index = entering[entered]
            heapq.heappush(best, (-spans[index].depth, -spans[index].start, spans[index].key, index))
            entered += 1
        while best and spans[best[0][3]].end <= here:
            heapq.heappop(best)
        if best:
            own[best[0][3]] += there - here
        elif gaps and gaps[-1][1] == here:
            gaps[-1] = (gaps[-1][0], there)
        else:
            gaps.append((here, there))
    return Attribution(own, gaps)


def shares(parts: Sequence[int], total: int) -> list[float | None]:
    """Each part as a fraction of the total, rounded to six decimals so that parts that make up the total sum to 1.

    What rounding down leaves over goes to the largest remainders. All are None when the total is 0.
    """
    if total <= 0:
        return [None] * len(parts)
    floors = [part * MILLIONTHS // total for part in parts]
    missing = sum(parts) * MILLIONTHS // total - sum(floors)
    by_remainder = sorted(range(len(parts)), key=lambda index: (-(parts[index] * MILLIONTHS % total), index))
    for index in by_remainder[:missing]:
        floors[index] += 1
    return [floor / MILLIONTHS for floor in floors]
