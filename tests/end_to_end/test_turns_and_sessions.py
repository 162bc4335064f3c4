"""One turn, one session, what made it slow and what got worse: each figure computed a second time in plain Python."""

from __future__ import annotations

import pytest

from talkscope.models.window import iso
from tests.end_to_end.asking import ask, by_label, refused, same, shown, within
from tests.oracle import CASES, World
from tests.server.wire import Wire

YEAR = CASES[0]


def plain(text: str) -> bool:
    """Whether an id is shown as it is, so that it can be asked for."""
    return shown([text])[0] == text


def test_the_turns_of_the_scenario(server: Wire, world: World):
    turns = [turn for turn in world.data.interactions if plain(turn.key) and plain(turn.platform)]
    odd = [turn for turn in turns if not turn.session_id.startswith("s-")]
    made_by_chance = [turn for turn in turns if turn.session_id.startswith("s-")]
    assert len(odd) > 50
    assert len(made_by_chance) > 200
    # Each turn that was made to be awkward, and every fourth of those that chance made.
    for turn in [*odd, *made_by_chance[::4]]:
        answer = ask(server, "get_interaction", interaction_id=f"{turn.platform}:{turn.key}")
        expected = world.trace(turn.key, turn.platform)
        names = ["kind", "offset_ms", "duration_ms", "self_ms", "depth"]
        rows = [[row[answer["columns"].index(name)] for name in names] for row in answer["rows"]]
        spans = [row for row in rows if row[0] == "span"]
        gaps = [row for row in rows if row[0] == "gap"]
        assert len(spans) == len(expected.spans), turn.key
        for row, span in zip(spans, expected.spans, strict=True):
            assert same(row[1], span.offset / 1e3), turn.key
            assert same(row[3], span.self_us / 1e3), turn.key
            assert row[4] == span.depth, turn.key
        assert [edge for row in gaps for edge in (row[1], row[1] + row[2])] == pytest.approx(
            [edge / 1e3 for gap in expected.gaps for edge in gap], abs=0.00101
        ), turn.key


def test_the_slowest_turn_of_every_session_is_explained(server: Wire, world: World):
    explained = 0
    ids = [session.key for session in world.data.sessions]
    # Each session that was made to be awkward, and every second of those that chance made.
    made_by_chance = [each for each in world.data.sessions if each.key.startswith("s-")]
    odd = [each for each in world.data.sessions if each not in made_by_chance]
    for session in [*odd, *made_by_chance[::2]]:
        if ids.count(session.key) > 1 or not plain(session.key):
            continue
        answer = ask(server, "explain_slow_session", session_id=session.key)
        expected = world.slowest_turn(session.key)
        if expected.turn is None:
            assert answer.get("interaction") is None
            continue
        explained += 1
        turn = answer["interaction"]
        assert turn["interaction_id"] == expected.turn.key
        assert same(turn["latency_ms"], expected.turn.value)
        assert sum(row[answer["columns"].index("self_ms")] for row in answer["rows"]) == pytest.approx(
            expected.turn.value, abs=0.01
        )
        assert answer.get("slower_without_spans", []) == [each.key for each in expected.untraced]
    assert explained > 30


def test_an_unknown_turn_is_an_error_that_says_what_to_do(server: Wire):
    error = refused(server, "get_interaction", interaction_id="no-such-turn")
    assert error["code"] == "not_found"
    assert error["hint"]


@pytest.mark.parametrize("measure", ["avg", "p50", "p95", "error_rate"])
@pytest.mark.parametrize("by", ["overall", "channel", "platform"])
def test_both_sides_of_a_regression(server: Wire, world: World, measure: str, by: str):
    split = next(case for case in CASES if case.name == "cut weeks and months")
    middle = (split.start + split.end) // 2
    words = within(split)
    answer = ask(
        server, "detect_regressions", measure=measure, group_by=by, limit=100,
        start_time=iso(middle), end_time=words["end_time"], baseline_start_time=words["start_time"],
    )  # fmt: skip
    expected = world.regression(
        measure, current=(middle, split.end), baseline=(split.start, middle), by=() if by == "overall" else (by,)
    )
    got = by_label(answer, [answer["columns"][0]], ["baseline", "current", "change"])
    for key, each in expected.items():
        baseline, current, change = got[shown(key) if by != "overall" else ("overall",)]
        assert same(baseline, each.baseline[0])
        assert same(current, each.current[0])
        assert same(change, each.change, 0.0001)
