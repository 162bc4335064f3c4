from __future__ import annotations

from collections.abc import Callable

import pytest

from talkscope.errors import InvalidArgument, NotFound
from talkscope.models.answers import ExplainAnswer
from talkscope.models.window import iso
from tests.oracle import CASES, Case, World
from tests.warehouse.questions.loaded import Loaded, Record, numbers

Make = Callable[[list[Record]], Loaded]
DAY: dict[str, object] = {"start_time": "2026-05-04", "end_time": "2026-05-05"}


def ask(loaded: Loaded, **words: object) -> ExplainAnswer:
    answer = loaded.ask("explain", **words)
    assert isinstance(answer, ExplainAnswer)
    return answer


def check_trace(answer: ExplainAnswer, world: World) -> None:
    """The rows are the self times of the oracle's trace of the turn."""
    turn = answer.interaction
    assert turn is not None
    trace = world.trace(turn.interaction_id, turn.platform)
    own = sorted((span.self_us / 1_000 for span in trace.spans if span.self_us), reverse=True)
    spans = [row for row in answer.rows if row[0] != "unattributed"]
    assert [row[3] for row in spans] == own
    lost = sum(last - first for first, last in trace.gaps) / 1_000
    assert [row[3] for row in answer.rows[len(spans) :]] == ([lost] if lost else [])
    assert not trace.length or sum(numbers(answer, "share")) == pytest.approx(1, abs=1e-9)


def test_a_sessions_slowest_turn_is_the_oracles(loaded: Loaded, world: World) -> None:
    for session in world.data.sessions:
        expected = world.slowest_turn(session.session_id, platform=session.platform)
        answer = ask(loaded, session_id=f"{session.platform}:{session.session_id}")
        found = answer.interaction.interaction_id if answer.interaction else None
        assert found == (expected.turn.key if expected.turn else None), session.session_id
        assert answer.slower_without_spans == [turn.key for turn in expected.untraced]
        if answer.interaction is not None:
            check_trace(answer, world)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_the_slowest_session_of_a_window_is_the_oracles(loaded: Loaded, world: World, case: Case) -> None:
    answer = ask(loaded, start_time=iso(case.start), end_time=iso(case.end))
    for row in world.sessions(case.start, case.end, "slowest"):
        expected = world.slowest_turn(row.session_id, case.start, case.end, row.platform)
        if expected.turn is not None:
            assert answer.session is not None
            assert (answer.session.platform, answer.session.session_id) == (row.platform, row.session_id)
            assert answer.interaction is not None
            assert answer.interaction.interaction_id == expected.turn.key
            assert answer.slower_without_spans == [turn.key for turn in expected.untraced]
            check_trace(answer, world)
            return
    assert (answer.session, answer.interaction, answer.rows) == (None, None, [])


def turn(key: str, minute: int, latency: float, **rest: object) -> Record:
    at = f"2026-05-04T10:{minute:02d}:00Z"
    own: Record = {"session_id": "s", "interaction_id": key, "start_time": at, "latency_ms": latency}
    return {"type": "interaction", **own, **rest}


def span(key: str, minute: int, offset: int, ms: int, processor: str, **rest: object) -> Record:
    at = f"2026-05-04T10:{minute:02d}:{offset / 1_000:09.6f}Z"
    own: Record = {"session_id": "s", "interaction_id": key, "start_time": at, "duration_ms": ms}
    return {"type": "span", "processor": processor, **own, **rest}


def usual_turns(many: int, **rest: object) -> list[Record]:
    """Turns of 500 ms with an llm span of 400."""
    made: list[Record] = []
    for number in range(many):
        made += [turn(f"u{number}", number, 500), span(f"u{number}", number, 0, 400, "llm", **rest)]
    return made


def test_the_verdict_names_the_bottleneck_its_share_and_what_is_usual(warehouse: Make) -> None:
    slow = [turn("slow", 50, 2_000), span("slow", 50, 0, 1_600, "llm", provider="openai", model="gpt"),
            span("slow", 50, 1_600, 300, "tts")]  # fmt: skip
    answer = ask(warehouse([*usual_turns(4), *slow]), **DAY)
    assert answer.rows[0] == ["llm", "openai", "gpt", 1_600, 0.8, 0, 1_600, None, 400, 4]
    assert answer.rows[1] == ["tts", None, None, 300, 0.15, 1_600, 300, None, None, None]
    assert answer.rows[2][:5] == ["unattributed", None, None, 100, 0.05]
    assert answer.verdict == (
        "llm (openai gpt) took 1,600 ms (80 %) of the turn's 2,000 ms; it lasted 1,600 ms, 4 times the usual 400 ms."
    )


def test_a_model_with_twenty_spans_is_compared_with_itself(warehouse: Make) -> None:
    other = [span(f"u{number}", number, 10, 50, "llm", model="small") for number in range(20)]
    slow = [turn("slow", 50, 2_000), span("slow", 50, 0, 1_600, "llm", model="big"),
            span("slow", 50, 1_600, 100, "llm", model="small")]  # fmt: skip
    answer = ask(warehouse([*usual_turns(20, model="big"), *other, *slow]), **DAY)
    assert {row[2]: row[8] for row in answer.rows if row[0] == "llm"} == {"big": 400, "small": 50}


def test_transport_is_no_bottleneck_unless_there_is_nothing_else(warehouse: Make) -> None:
    both = [turn("t", 0, 1_000), span("t", 0, 0, 700, "transport"), span("t", 0, 700, 300, "tts")]
    assert ask(warehouse(both), **DAY).verdict.startswith("tts took 300 ms (30 %)")
    alone = [turn("t", 0, 1_000), span("t", 0, 0, 700, "transport")]
    assert ask(warehouse(alone), **DAY).verdict.startswith("transport took 700 ms (70 %)")


def test_time_that_no_span_covers_is_said_when_it_is_most(warehouse: Make) -> None:
    verdict = ask(warehouse([turn("t", 0, 1_000), span("t", 0, 0, 300, "llm")]), **DAY).verdict
    assert verdict.startswith("Most of the time is unattributed: no span covers 700 ms (70 %) of the turn's 1,000 ms")
    assert "llm took 300 ms (30 %)" in verdict


def test_spans_of_one_component_are_weighed_together(warehouse: Make) -> None:
    records = [turn("t", 0, 1_000), span("t", 0, 0, 400, "asr"), span("t", 0, 400, 300, "llm"),
               span("t", 0, 700, 300, "llm", span_id="z")]  # fmt: skip
    answer = ask(warehouse(records), **DAY)
    assert [row[0] for row in answer.rows] == ["asr", "llm", "llm"]
    assert answer.verdict.startswith("llm took 600 ms (60 %) of the turn's 1,000 ms in 2 spans")


def test_of_equally_slow_turns_the_earlier_then_the_smaller_id_is_explained(warehouse: Make) -> None:
    early, late = ([turn(key, minute, 500), span(key, minute, 0, 300, "llm")] for key, minute in (("z", 1), ("a", 2)))
    answer = ask(warehouse([*late, *early]), **DAY)
    assert answer.interaction is not None
    assert answer.interaction.interaction_id == "z"
    together = [turn("b", 1, 500), span("b", 1, 0, 300, "llm"), *early]
    answer = ask(warehouse(together), **DAY)
    assert answer.interaction is not None
    assert answer.interaction.interaction_id == "b"


def test_slower_turns_without_spans_are_named(warehouse: Make) -> None:
    records = [turn("untraced", 1, 9_000), turn("fast", 2, 10), turn("t", 0, 1_000), span("t", 0, 0, 300, "llm")]
    answer = ask(warehouse(records), **DAY)
    assert answer.interaction is not None
    assert answer.interaction.interaction_id == "t"
    assert answer.slower_without_spans == ["untraced"]


def test_a_session_with_spans_is_found_behind_many_slower_ones_without(warehouse: Make) -> None:
    bare = [{**turn(f"bare {number}", 0, 5_000 + number), "session_id": f"bare {number:02d}"} for number in range(120)]
    made = warehouse([*bare, turn("t", 0, 1_000), span("t", 0, 0, 300, "llm")])
    answer = ask(made, **DAY)
    assert answer.interaction is not None
    assert (answer.interaction.interaction_id, answer.meta.n) == ("t", 121)
    empty = ask(made, **DAY, filters=["session_id!=s"])
    assert len(empty.slower_without_spans) == 20
    assert empty.slower_without_spans[0] == "bare 119"
    assert any("120 slower turns" in note for note in empty.meta.notes)


def test_a_session_without_a_window_is_looked_at_whole_against_the_week_before(warehouse: Make) -> None:
    old = [{**record, "session_id": "old"} for record in usual_turns(3)]
    slow = [turn("t", 30, 1_000), span("t", 30, 0, 800, "llm")]
    later = [turn("v", 40, 900), span("v", 40, 0, 1, "llm")]
    answer = ask(warehouse([*old, *slow, *later]), session_id="s")
    assert answer.meta.window is None
    assert answer.rows[0][7:] == [None, 400, 2]
    assert "from 2026-04-27T10:30:00Z to 2026-05-04T10:30:00Z" in str(answer.meta.basis)


def test_a_window_that_is_named_bounds_a_session_too(warehouse: Make) -> None:
    records = [turn("early", 0, 1_000), span("early", 0, 0, 800, "llm"), turn("late", 30, 500),
               span("late", 30, 0, 80, "llm")]  # fmt: skip
    answer = ask(warehouse(records), session_id="s", start_time="2026-05-04T10:20:00Z", end_time="2026-05-05")
    assert answer.interaction is not None
    assert answer.interaction.interaction_id == "late"


def test_without_timed_turns_or_spans_the_verdict_says_which_is_missing(warehouse: Make) -> None:
    made = warehouse([turn("t", 0, 1_000)])
    answer = ask(made, **DAY)
    assert (answer.session, answer.meta.n, answer.slower_without_spans) == (None, 1, ["t"])
    assert answer.verdict.startswith("None of the 1 timed turns")
    answer = ask(made, start_time="2026-06-01", end_time="2026-06-02")
    assert (answer.session, answer.meta.n) == (None, 0)
    assert answer.verdict.startswith("There is no turn with a known latency from 2026-06-01T00:00:00Z")
    answer = ask(made, session_id="s")
    assert answer.session is not None
    assert (answer.session.session_id, answer.interaction) == ("s", None)


def test_an_unknown_session_and_a_filter_of_spans_are_refused(loaded: Loaded) -> None:
    with pytest.raises(NotFound):
        loaded.ask("explain", session_id="no such session")
    with pytest.raises(InvalidArgument, match="get_breakdown"):
        loaded.ask("explain", filters=["provider=openai"])


def test_names_from_telemetry_reach_the_verdict_without_control_characters(warehouse: Make) -> None:
    records = [turn("t", 0, 1_000), span("t", 0, 0, 900, "llm", provider="a\u202e\nb")]
    assert ask(warehouse(records), **DAY).verdict.startswith("llm (a b) took")
