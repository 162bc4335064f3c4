from __future__ import annotations

from collections.abc import Callable

import pytest

from talkscope.errors import InvalidArgument
from talkscope.models.window import iso
from tests.oracle import CASES, NO_VALUE, Case, World
from tests.warehouse.questions.loaded import Loaded, Record, column, numbers

Make = Callable[..., Loaded]
HOUR: dict[str, object] = {"start_time": "2026-05-04T10:00:00Z", "end_time": "2026-05-04T11:00:00Z"}


def turn(key: str, second: int, latency: float | None, **rest: object) -> Record:
    at = f"2026-05-04T10:00:{second:02d}Z"
    return {
        "type": "interaction",
        "session_id": "s",
        "interaction_id": key,
        "start_time": at,
        "latency_ms": latency,
    } | rest


def span(key: str, second: float, ms: float, processor: str, **rest: object) -> Record:
    at = f"2026-05-04T10:00:{second:09.6f}Z"
    own = {"session_id": "s", "interaction_id": key, "start_time": at, "duration_ms": ms, "processor": processor}
    return {"type": "span", **own, **rest}


def two_turns() -> list[Record]:
    """a: 1,000 ms, llm 600 of them with a tool of 200 inside, 400 uncovered. b: 200 ms, all tts."""
    return [
        turn("a", 0, 1_000),
        span("a", 0, 600, "llm", span_id="llm", provider="p"),
        span("a", 0.1, 200, "tool", span_id="tool", parent_id="llm"),
        turn("b", 10, 200),
        span("b", 9.9, 900, "tts", provider="p"),
        turn("c", 20, None),
        span("c", 20, 100, "tts"),
    ]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
@pytest.mark.parametrize("by", ["processor", "provider", "model", "character_id"])
@pytest.mark.parametrize("percentile", [None, "p50", "p95"])
def test_shares_are_the_oracles(loaded: Loaded, world: World, case: Case, by: str, percentile: str | None) -> None:
    expected = world.attribution(case.start, case.end, by, int(percentile[1:]) if percentile else None)
    answer = loaded.ask(
        "latency", start_time=iso(case.start), end_time=iso(case.end), by=by, percentile=percentile, limit=500
    )
    wanted = {"unattributed" if k is None else None if k == NO_VALUE else k: us for k, us in expected.shares.items()}
    assert dict(zip(column(answer, by), column(answer, "total_ms"), strict=True)) == pytest.approx(
        {name: us / 1_000 for name, us in wanted.items()}, rel=1e-12
    )
    shares = dict(zip(column(answer, by), column(answer, "share"), strict=True))
    assert shares == pytest.approx({name: us / expected.total for name, us in wanted.items()}, abs=1.1e-6)
    assert not wanted or sum(numbers(answer, "share")) == pytest.approx(1, abs=1e-9)
    assert answer.meta.n == expected.turns
    assert sum(numbers(answer, "mean_ms")) == pytest.approx(expected.total / 1_000 / max(1, expected.turns), abs=0.02)


@pytest.mark.parametrize(
    ("words", "where"),
    [
        (["channel=voice"], [("channel", "=", "voice")]),
        (["status!=ok", "language=en"], [("status", "!=", "ok"), ("language", "=", "en")]),
        (
            ["character_id=bot-1", "character_id=char-b"],
            [("character_id", "=", "bot-1"), ("character_id", "=", "char-b")],
        ),
        (["interaction_type=voice_turn"], [("interaction_type", "=", "voice_turn")]),
    ],
)
def test_filters_of_sessions_and_turns_choose_the_turns(
    loaded: Loaded, world: World, words: list[str], where: list[tuple[str, str, str]]
) -> None:
    case = CASES[0]
    expected = world.attribution(case.start, case.end, "processor", 75, where)
    answer = loaded.ask(
        "latency", start_time=iso(case.start), end_time=iso(case.end), percentile="p75", filters=words, limit=500
    )
    assert answer.meta.n == expected.turns > 0
    assert sum(numbers(answer, "total_ms")) == pytest.approx(expected.total / 1_000)
    assert column(answer, "total_ms")[0] == max(us / 1_000 for name, us in expected.shares.items() if name)


def test_each_row_says_its_time_its_mean_and_the_turns_it_appears_in(warehouse: Make) -> None:
    answer = warehouse(two_turns()).ask("latency", **HOUR)
    assert answer.columns == ["processor", "share", "total_ms", "mean_ms", "turns"]
    # Of 1,200 ms: llm 400, tool 200, tts 200 (cut to its turn), uncovered 400.
    assert answer.rows == [
        ["llm", 0.333333, 400, 200, 1],
        ["tool", 0.166667, 200, 100, 1],
        ["tts", 0.166667, 200, 100, 1],
        ["unattributed", 0.333333, 400, 200, 1],
    ]
    assert (answer.meta.n, answer.meta.unknown_latency) == (2, 1)


def test_covered_time_without_a_value_is_a_row_without_a_name(warehouse: Make) -> None:
    answer = warehouse(two_turns()).ask("latency", **HOUR, by="provider")
    assert [row[0] for row in answer.rows] == ["p", None, "unattributed"]
    assert column(answer, "total_ms") == [600, 200, 400]
    assert column(answer, "turns") == [2, 1, 1]


def test_a_percentile_keeps_a_turn_that_lies_exactly_on_it(warehouse: Make) -> None:
    # Latencies 100, 200, ... 500: the p75 has rank 3 exactly, which is the turn of 400 ms.
    records = [turn(f"t{number}", number, 100 * number) for number in range(1, 6)]
    answer = warehouse(records).ask("latency", **HOUR, percentile="p75")
    assert answer.meta.n == 2
    assert "p75 of 400 ms" in str(answer.meta.basis)
    assert answer.rows == [["unattributed", 1, 900, 450, 2]]


def test_the_smallest_groups_are_folded_into_one_row_that_counts_a_turn_once(warehouse: Make) -> None:
    answer = warehouse(two_turns()).ask("latency", **HOUR, limit=1)
    assert [[row[0], row[2], row[4]] for row in answer.rows] == [
        ["llm", 400, 1],
        ["other (2 groups)", 400, 2],
        ["unattributed", 400, 1],
    ]


def test_a_turn_in_two_folded_groups_counts_once(warehouse: Make) -> None:
    records = [turn("a", 0, 1_000), *(span("a", at, ms, name) for at, ms, name in
               ((0, 800, "llm"), (0.8, 100, "asr"), (0.9, 100, "tts")))]  # fmt: skip
    answer = warehouse(records).ask("latency", **HOUR, limit=1)
    assert [[row[0], row[4]] for row in answer.rows] == [["llm", 1], ["other (2 groups)", 1]]


def test_a_filter_that_chooses_spans_is_refused_with_the_question_that_takes_it(warehouse: Make) -> None:
    with pytest.raises(InvalidArgument, match="get_breakdown"):
        warehouse(two_turns()).ask("latency", **HOUR, filters=["processor=llm"])


def test_a_window_without_turns_says_what_data_there_is(warehouse: Make) -> None:
    answer = warehouse(two_turns()).ask("latency", start_time="2026-06-01", end_time="2026-06-02")
    assert (answer.rows, answer.meta.n) == ([], 0)
    assert "2026-05-04T10:00:00Z" in answer.meta.notes[0]


def test_a_span_that_began_before_the_window_still_covers_its_turn(warehouse: Make) -> None:
    answer = warehouse(two_turns()).ask("latency", start_time="2026-05-04T10:00:10Z", end_time="2026-05-04T10:00:11Z")
    assert answer.rows == [["tts", 1, 200, 200, 1]]


def test_a_span_of_an_earlier_load_and_hour_covers_a_turn_of_a_later_one(warehouse: Make) -> None:
    early = {"session_id": "s", "interaction_id": "t", "start_time": "2026-05-04T09:00:00Z", "duration_ms": 7_200_000}
    made = warehouse([{"type": "span", "processor": "transport", **early}], [turn("t", 0, 500)])
    assert made.ask("latency", **HOUR).rows == [["transport", 1, 500, 500, 1]]
