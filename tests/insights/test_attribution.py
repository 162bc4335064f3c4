from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from talkscope.insights.attribution import Interval, attribute, shares


def test_each_instant_goes_to_the_deepest_span_that_is_active() -> None:
    # 0-100: turn; 20-80 llm below it; 30-50 tool below llm. llm keeps 60 - 20, turn keeps 100 - 60.
    spans = [Interval(0, 100, 0, "turn"), Interval(20, 80, 1, "llm"), Interval(30, 50, 2, "tool")]
    found = attribute(0, 100, spans)
    assert found.own == [40, 40, 20]
    assert found.gaps == []


def test_of_equally_deep_spans_the_one_that_started_last_has_the_time() -> None:
    found = attribute(0, 100, [Interval(0, 60, 0, "a"), Interval(40, 100, 0, "b")])
    assert found.own == [40, 60]


def test_of_spans_that_start_together_the_smaller_key_has_the_time() -> None:
    assert attribute(0, 10, [Interval(0, 10, 0, "b"), Interval(0, 6, 0, "a")]).own == [4, 6]


def test_a_span_that_ends_gives_the_time_back_to_what_still_runs() -> None:
    found = attribute(0, 30, [Interval(0, 30, 0, "outer"), Interval(10, 20, 1, "inner")])
    assert found.own == [20, 10]


def test_what_no_span_covers_is_a_gap_and_what_reaches_outside_is_cut() -> None:
    found = attribute(
        100, 200, [Interval(0, 110, 0, "before"), Interval(150, 160, 0, "in"), Interval(190, 900, 0, "on")]
    )
    assert found.own == [10, 10, 10]
    assert found.gaps == [(110, 150), (160, 190)]
    assert found.unattributed == 70


def test_a_span_of_no_length_and_a_stretch_of_no_length_have_no_time() -> None:
    assert attribute(0, 10, [Interval(5, 5, 9, "point")]).own == [0]
    assert attribute(0, 10, [Interval(5, 5, 9, "point")]).gaps == [(0, 10)]
    assert attribute(7, 7, [Interval(0, 10, 0, "all")]).own == [0]
    assert attribute(7, 7, []).gaps == []


_spans = st.lists(
    st.builds(
        lambda start, length, depth, key: Interval(start, start + length, depth, key),
        st.integers(-5, 25), st.integers(0, 15), st.integers(0, 2), st.uuids().map(str),
    ),
    max_size=8,
)  # fmt: skip


@given(_spans)
def test_every_instant_is_given_to_exactly_one_span_or_to_none(spans: list[Interval]) -> None:
    found = attribute(0, 20, spans)
    own = [0] * len(spans)
    uncovered = 0
    for instant in range(20):
        active = [index for index, span in enumerate(spans) if span.start <= instant < span.end]
        if active:
            own[min(active, key=lambda index: (-spans[index].depth, -spans[index].start, spans[index].key))] += 1
        else:
            uncovered += 1
    assert found.own == own
    assert found.unattributed == uncovered
    assert all(earlier[1] < later[0] for earlier, later in zip(found.gaps, found.gaps[1:], strict=False))


def test_thirds_are_rounded_so_that_they_sum_to_one() -> None:
    assert shares([1, 1, 1], 3) == [0.333334, 0.333333, 0.333333]


def test_shares_of_nothing_are_unknown() -> None:
    assert shares([0, 0], 0) == [None, None]


@given(st.lists(st.integers(0, 10**12), min_size=1, max_size=20).filter(any))
def test_shares_of_a_whole_sum_to_one_and_none_is_off_by_a_millionth(parts: list[int]) -> None:
    found = shares(parts, sum(parts))
    assert round(sum(share or 0 for share in found), 9) == 1
    for part, share in zip(parts, found, strict=True):
        assert share is not None
        assert abs(share - part / sum(parts)) < 1.001e-6
