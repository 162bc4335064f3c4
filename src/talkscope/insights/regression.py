"""Whether something got worse by more than chance: permutation tests over whole sessions, corrected for many groups.

A unit is one session's (amount, n): how many of its n values lie above the pooled quantile (those at it by half), how
many failed, or their sum. Sessions are drawn whole, because values of one session resemble each other.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from typing import TypeAlias

Unit: TypeAlias = tuple[float, int]
"""One session's amount and its number of values, at least 1."""

DRAWS = 999
ENOUGH = 50
"""A test ends once that many draws were at least as bad: its p is well above any level of interest by then."""
BLOCKS = 500


@dataclass(frozen=True, slots=True)
class Tested:
    """The p-value of one test and how many draws it took."""

    p: float
    draws: int


def permutation(
    baseline: Sequence[Unit], current: Sequence[Unit], *, rng: Random, draws: int = DRAWS, enough: int = ENOUGH
) -> Tested:
    """How likely chance alone makes the current side worse (higher) by at least this much, if sessions are alike.

    The statistic is the difference of ratios of sums. p is (k + 1) / (draws + 1) for k draws at least as bad, or
    enough / (draws so far) when it ends early. Both sides must have units. Large sides are joined into blocks of
    equally many sessions first, which keeps the test valid and its cost bounded.
    """
    size = max(1, min(len(baseline), len(current)) // BLOCKS)
    old, new = blocks(baseline, size, rng), blocks(current, size, rng)
    units = [*old, *new]
    amount, count = sum(unit[0] for unit in units), sum(unit[1] for unit in units)
    # Drawing the smaller side is cheaper and the same draw; `sign` turns the difference round.
    few, sign = (len(new), 1) if len(new) <= len(old) else (len(old), -1)

    def difference(drawn: Sequence[Unit]) -> float:
        a, n = sum(unit[0] for unit in drawn), sum(unit[1] for unit in drawn)
        return sign * (a / n - (amount - a) / (count - n))

    seen = difference(new if sign > 0 else old)
    # Sums of floats in another order differ in their last bits: such a draw is a tie, not a better one.
    floor = seen - 1e-9 * max(abs(seen), abs(amount / count))
    worse = 0
    for drawn in range(1, draws + 1):
        worse += difference(rng.sample(units, few)) >= floor
        if worse >= enough:
            return Tested(worse / drawn, drawn)
    return Tested((worse + 1) / (draws + 1), draws)


def blocks(units: Sequence[Unit], size: int, rng: Random) -> list[Unit]:
    """The units in random order joined by `size`; an incomplete last block is left out, so that blocks are alike."""
    if size == 1:
        return list(units)
    mixed = rng.sample(list(units), len(units))
    whole = range(0, len(mixed) - size + 1, size)
    return [
        (sum(unit[0] for unit in mixed[at : at + size]), sum(unit[1] for unit in mixed[at : at + size])) for at in whole
    ]


def draws_for(groups: int) -> int:
    """How many draws let one group among so many still be significant: the least p is 1 / (draws + 1)."""
    return min(9_999, max(DRAWS, 40 * groups - 1))


def benjamini_hochberg(p_values: Sequence[float]) -> list[float]:
    """Each p-value's q: the share of false alarms to expect when it and all smaller ones are called significant."""
    order = sorted(range(len(p_values)), key=lambda index: p_values[index])
    q_values = [1.0] * len(p_values)
    least = 1.0
    for rank in range(len(order), 0, -1):
        index = order[rank - 1]
        least = min(least, p_values[index] * len(order) / rank)
        q_values[index] = least
    return q_values


def change(baseline: float | None, current: float | None) -> float | None:
    """The relative change; None where either side is unknown or the baseline is 0."""
    if not baseline or current is None:
        return None
    return (current - baseline) / baseline
