"""Timing two ways of doing one thing side by side, so that a busy machine slows both, and printing their ratio."""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

Way = Callable[[], object]


@dataclass(frozen=True, slots=True)
class Timed:
    """One way of doing it: its name and the seconds of each run."""

    name: str
    seconds: Sequence[float]

    @property
    def median(self) -> float:
        """The run in the middle, in seconds."""
        return statistics.median(self.seconds)


def took(way: Way) -> float:
    """Seconds that it takes once."""
    began = time.perf_counter()
    way()
    return time.perf_counter() - began


def side_by_side(ways: Mapping[str, Way], *, runs: int, warm: int = 1) -> list[Timed]:
    """Each way `runs` times, in turn and in changing order, after `warm` rounds that do not count."""
    names = list(ways)
    seconds: dict[str, list[float]] = {name: [] for name in names}
    for turn in range(warm + runs):
        for name in names if turn % 2 else reversed(names):
            spent = took(ways[name])
            if turn >= warm:
                seconds[name].append(spent)
    return [Timed(name, tuple(spent)) for name, spent in seconds.items()]


def ratio(ours: Timed, theirs: Timed) -> float:
    """Ours against theirs: the median over the rounds of the quotient of one round's two runs."""
    return statistics.median(a / b for a, b in zip(ours.seconds, theirs.seconds, strict=True))


def show(timed: Sequence[Timed], against: Timed, *, goal: str = "") -> None:
    """Print each way's median and range, and its ratio to the one it is measured against."""
    width = max(len(each.name) for each in timed)
    for each in timed:
        low, high = min(each.seconds), max(each.seconds)
        line = f"  {each.name:<{width}}  {each.median * 1e3:9.1f} ms  ({low * 1e3:.1f} to {high * 1e3:.1f})"
        print(line)
    for each in timed:
        if each is not against:
            print(f"ratio: {ratio(each, against):.2f}  {each.name} / {against.name}{goal}")
    sys.stdout.flush()
