from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from talkscope.insights.concurrency import Stretch, concurrency, folded, sweep


def test_peak_mean_and_time_at_level_are_of_the_stretches() -> None:
    # Bucket 0: 60 at level 0, 40 at level 2. Bucket 100: 50 at 2, 50 at 1. (80 + 100 + 50) / 200 = 1.15.
    found = concurrency(
        [Stretch(0, 0, 60, 0), Stretch(0, 2, 40, 60), Stretch(100, 2, 50, 100), Stretch(100, 1, 50, 150)]
    )
    assert (found.peak, found.peak_at, found.mean) == (2, 60, 1.15)
    assert found.at_level == {0: 60, 1: 50, 2: 90}
    assert found.buckets == {0: (2, 0.8), 100: (2, 1.5)}


def test_a_quiet_window_has_a_peak_of_zero_at_no_time() -> None:
    found = concurrency([Stretch(0, 0, 10, 0)])
    assert (found.peak, found.peak_at, found.mean) == (0, None, 0)


def test_nothing_at_all_has_no_mean() -> None:
    assert concurrency([]).mean is None


def test_levels_that_last_no_time_do_not_exist() -> None:
    assert concurrency([Stretch(0, 9, 0, 0), Stretch(0, 1, 5, 0)]).peak == 1


def test_few_levels_keep_their_own_names_and_many_are_put_into_ranges() -> None:
    assert folded({0: 5, 12: 7}) == ({"0": 5, "12": 7}, 1)
    named, width = folded(dict.fromkeys(range(101), 1))
    assert width == 5
    assert (named["0-4"], named["100-104"], len(named)) == (5, 1, 21)


@given(st.dictionaries(st.integers(0, 100_000), st.integers(1, 10**9), max_size=300))
def test_folding_loses_no_time_and_leaves_few_levels(at_level: dict[int, int]) -> None:
    named, _ = folded(at_level)
    assert sum(named.values()) == sum(at_level.values())
    assert len(named) <= 50


def test_a_sweep_cuts_where_intervals_begin_and_end_and_at_the_edges_of_buckets() -> None:
    found = concurrency(sweep([(-5, 4), (4, 12), (3, 9), (7, 7), (30, 40)], 0, 20, [-10, 10]))
    assert (found.peak, found.peak_at) == (2, 3)
    assert found.at_level == {0: 8, 1: 6, 2: 6}
    assert found.buckets == {-10: (2, 1.6), 10: (1, 0.2)}
    assert concurrency(sweep([], 0, 20, [0])).at_level == {0: 20}
