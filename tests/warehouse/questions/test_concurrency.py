from __future__ import annotations

from collections.abc import Callable

import pytest

from talkscope.errors import InvalidArgument
from talkscope.models.answers import ConcurrencyAnswer
from talkscope.models.buckets import GRAINS, Grain, label
from talkscope.models.window import iso
from tests.oracle import CASES, Case, World
from tests.warehouse.questions.loaded import Loaded, Record, column

Make = Callable[[list[Record]], Loaded]
DAY: dict[str, object] = {"start_time": "2026-05-04", "end_time": "2026-05-05"}


def ask(loaded: Loaded, **words: object) -> ConcurrencyAnswer:
    answer = loaded.ask("concurrency", **words)
    assert isinstance(answer, ConcurrencyAnswer)
    return answer


def words_of(case: Case) -> dict[str, object]:
    return {"start_time": iso(case.start), "end_time": iso(case.end), "timezone": case.zone, "max_rows": 50_000}


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
@pytest.mark.parametrize("grain", GRAINS)
def test_the_peak_of_each_bucket_is_the_oracles(loaded: Loaded, world: World, case: Case, grain: Grain) -> None:
    if (case.end - case.start) / 60_000_000 > 50_000 and grain == "minute":
        assert ask(loaded, **words_of(case), granularity=grain).meta.granularity == "hour"
        return
    answer = ask(loaded, **words_of(case), granularity=grain)
    expected = world.concurrency_buckets(case.start, case.end, (grain, case.zone))
    assert column(answer, "peak") == list(expected.values())
    assert column(answer, "bucket") == [label(start, grain, case.zone) for start in expected]


WHERE: list[list[tuple[str, str, str]]] = [
    [],
    [("channel", "=", "voice")],
    [("character_id", "!=", "char-a"), ("platform", "=", "own")],
    [("status", "=", "completed")],
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
@pytest.mark.parametrize("where", WHERE)
def test_the_peak_and_the_time_at_each_level_are_the_oracles(
    loaded: Loaded, world: World, case: Case, where: list[tuple[str, str, str]]
) -> None:
    peak, peak_at, spent = world.concurrency(case.start, case.end, where)
    answer = ask(loaded, **words_of(case), filters=[f"{name}{sign}{value}" for name, sign, value in where])
    assert answer.peak == peak
    assert answer.peak_at == (iso(peak_at, case.zone) if peak else None)
    assert answer.time_at_level == pytest.approx({str(level): us / 1_000_000 for level, us in spent.items()})
    length = case.end - case.start
    assert sum(answer.time_at_level.values()) == pytest.approx(length / 1_000_000)
    assert answer.mean == pytest.approx(sum(level * us for level, us in spent.items()) / length, abs=1e-6)


def session(key: str, start: str, end: str | None, **rest: object) -> Record:
    record = {"type": "session", "session_id": key, "start_time": f"2026-05-04T{start}Z"} | rest
    return record | ({"end_time": f"2026-05-04T{end}Z"} if end else {})


def test_a_session_that_begins_as_another_ends_is_not_beside_it(warehouse: Make) -> None:
    records = [session("a", "10:00:00", "11:00:00"), session("b", "11:00:00", "12:00:00")]
    answer = ask(warehouse(records), **DAY, granularity="hour")
    assert (answer.peak, answer.peak_at, answer.meta.n) == (1, "2026-05-04T10:00:00Z", 2)
    assert answer.time_at_level == {"0": 22 * 3_600, "1": 2 * 3_600}


def test_the_level_is_carried_into_buckets_in_which_nothing_begins_or_ends(warehouse: Make) -> None:
    records = [session("a", "10:30:00", "13:15:00"), session("b", "10:45:00", "10:50:00")]
    answer = ask(warehouse(records), **DAY, granularity="hour")
    shown = {str(row[0])[11:13]: row[1:] for row in answer.rows}
    assert shown["10"] == [2, pytest.approx((30 + 5) / 60, abs=1e-6)]
    assert (shown["11"], shown["12"], shown["13"], shown["14"]) == ([1, 1.0], [1, 1.0], [1, 0.25], [0, 0.0])


def test_sessions_without_a_length_are_left_out_and_named(warehouse: Make) -> None:
    records = [
        session("a", "10:00:00", "10:00:00"),
        session("b", "10:00:00", None),
        session("c", "10:00:00", "11:00:00"),
    ]
    answer = ask(warehouse(records), **DAY)
    assert (answer.peak, answer.meta.n) == (1, 1)
    assert any(note.startswith("2 sessions of no length") for note in answer.meta.notes)


def test_more_than_fifty_levels_are_answered_in_ranges(warehouse: Make) -> None:
    records = [session(str(number), f"10:{number:02d}:00", "12:00:00") for number in range(60)]
    answer = ask(warehouse(records), **DAY)
    assert answer.peak == 60
    assert list(answer.time_at_level)[:2] == ["0-1", "2-3"]
    assert sum(answer.time_at_level.values()) == 86_400
    assert any("ranges of 2 levels" in note for note in answer.meta.notes)


def test_a_granularity_with_too_many_rows_is_made_coarser_and_said(warehouse: Make) -> None:
    answer = ask(warehouse([session("a", "10:00:00", "11:00:00")]), **DAY, granularity="minute", max_rows=30)
    assert (answer.meta.granularity, len(answer.rows)) == ("hour", 24)
    assert any("granularity is hour" in note for note in answer.meta.notes)


@pytest.mark.parametrize("word", ["processor=llm", "interaction_type=voice_turn", "resolution=handoff"])
def test_a_filter_that_sessions_do_not_carry_is_refused(loaded: Loaded, word: str) -> None:
    with pytest.raises(InvalidArgument, match="not a dimension of sessions"):
        loaded.ask("concurrency", **DAY, filters=[word])
