from __future__ import annotations

from itertools import combinations
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from talkscope.insights.regression import Unit, benjamini_hochberg, blocks, change, draws_for, permutation


def test_a_side_that_is_clearly_worse_has_the_least_p_there_is() -> None:
    tested = permutation([(0, 10)] * 40, [(9, 10)] * 40, rng=Random(1))
    assert (tested.p, tested.draws) == (1 / 1_000, 999)


def test_a_side_that_is_clearly_better_is_given_up_early() -> None:
    tested = permutation([(9, 10)] * 40, [(0, 10)] * 40, rng=Random(1))
    assert (tested.p, tested.draws) == (1, 50)


def test_values_that_are_all_alike_are_no_regression() -> None:
    assert permutation([(0.1 * 3, 3)] * 30, [(0.3, 3)] * 7, rng=Random(1)).p == 1


def test_p_is_what_counting_every_way_to_draw_gives() -> None:
    baseline: list[Unit] = [(1, 3), (0, 2), (2, 4), (1, 1), (0, 3), (1, 5)]
    current: list[Unit] = [(2, 3), (1, 2), (3, 3)]
    units = [*baseline, *current]

    def ratio(chosen: list[Unit]) -> float:
        return sum(unit[0] for unit in chosen) / sum(unit[1] for unit in chosen)

    def difference(drawn: tuple[int, ...]) -> float:
        rest = [unit for index, unit in enumerate(units) if index not in drawn]
        return ratio([units[index] for index in drawn]) - ratio(rest)

    ways = [difference(drawn) for drawn in combinations(range(9), 3)]
    exact = sum(each >= difference((6, 7, 8)) - 1e-12 for each in ways) / len(ways)
    tested = permutation(baseline, current, rng=Random(3), draws=4_000, enough=10**9)
    assert tested.p == pytest.approx(exact, abs=0.012)
    # The same two sides the other way round: what is drawn is the other side, what is found its complement.
    turned = permutation(current, baseline, rng=Random(3), draws=4_000, enough=10**9)
    assert turned.p == pytest.approx(1 - exact, abs=0.03)


def test_p_is_about_uniform_when_nothing_changed() -> None:
    rng = Random(11)
    found = []
    for _ in range(200):
        sessions: list[Unit] = [
            (float(sum(rng.random() < rng.choice([0.1, 0.5]) for _ in range(5))), 5) for _ in range(40)
        ]
        found.append(permutation(sessions[:28], sessions[28:], rng=rng, draws=99, enough=99).p)
    assert 0.02 <= sum(p <= 0.1 for p in found) / 200 <= 0.18
    assert 0.4 <= sum(p <= 0.5 for p in found) / 200 <= 0.62


def test_sessions_are_drawn_whole_so_one_bad_session_proves_nothing() -> None:
    # 100 of 290 current values are bad, but all of one session: shuffled value by value this would be certain.
    baseline: list[Unit] = [(0, 10)] * 60
    current: list[Unit] = [*[(0.0, 10)] * 19, (100.0, 100)]
    assert permutation(baseline, current, rng=Random(5)).p > 0.1


def test_large_sides_are_joined_into_blocks_of_whole_sessions() -> None:
    alike: list[Unit] = [(1.0, 2)] * 1_003
    assert blocks(alike, 5, Random(1)) == [(5.0, 10)] * 200
    units: list[Unit] = [(float(index), 1) for index in range(100)]
    assert sorted(blocks(units, 1, Random(1))) == units
    tested = permutation([(0, 4), (1, 4)] * 4_000, [(1, 4), (2, 4)] * 2_000, rng=Random(2))
    assert tested.p == 1 / 1_000


def test_the_same_seed_gives_the_same_p() -> None:
    rng = Random(4)
    units: list[Unit] = [(rng.random(), 1) for _ in range(60)]
    first, second = (permutation(units[:40], units[40:], rng=Random(9)) for _ in range(2))
    assert first == second


def test_benjamini_hochberg_on_a_worked_example() -> None:
    # Sorted 0.01, 0.02, 0.03, 0.5: times 4/rank is 0.04, 0.04, 0.04, 0.5.
    assert benjamini_hochberg([0.5, 0.01, 0.03, 0.02]) == pytest.approx([0.5, 0.04, 0.04, 0.04])
    assert benjamini_hochberg([]) == []


@given(st.lists(st.floats(0.001, 1), min_size=1, max_size=30))
def test_a_q_is_never_below_its_p_nor_above_one_and_keeps_the_order(p_values: list[float]) -> None:
    q_values = benjamini_hochberg(p_values)
    assert all(p <= q * (1 + 1e-12) <= 1 + 1e-9 for p, q in zip(p_values, q_values, strict=True))
    pairs = sorted(zip(p_values, q_values, strict=True))
    assert [q for _, q in pairs] == sorted(q for _, q in pairs)


def test_more_groups_are_drawn_more_often_so_that_one_of_them_can_be_found() -> None:
    assert draws_for(1) == 999
    assert all(groups / (draws_for(groups) + 1) <= 0.05 for groups in (25, 60, 200))


def test_change_is_relative_and_unknown_from_nothing() -> None:
    assert change(200, 300) == 0.5
    assert change(0, 300) is None
    assert change(None, 300) is None
    assert change(200, None) is None
