from __future__ import annotations

from random import Random

from talkscope.insights.traces import containing


def test_a_span_is_as_deep_as_there_are_others_that_hold_it_whole() -> None:
    assert containing([]) == []
    assert containing([(0, 10), (0, 10), (2, 10), (0, 3), (2, 3), (9, 12)]) == [0, 0, 2, 2, 4, 0]


def test_depths_are_those_of_comparing_every_pair() -> None:
    rng = Random(5)
    for _ in range(200):
        spans = [(start := rng.randrange(12), start + rng.randrange(12)) for _ in range(rng.randrange(12))]
        held = [sum(a <= start and end <= b and (a, b) != (start, end) for a, b in spans) for start, end in spans]
        assert containing(spans) == held
