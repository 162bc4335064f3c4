from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from talkscope.errors import InvalidArgument, InvalidRange, UnknownName
from talkscope.models.answers import Answer
from tests.oracle import World, at
from tests.warehouse.questions.loaded import Loaded, Record, column, numbers

Make = Callable[[list[Record]], Loaded]
WINDOWS = [
    ("2026-01-01T00:00:00Z", "2026-06-01T00:00:00Z", "2027-01-01T00:00:00Z"),
    ("2026-03-20T00:00:00Z", "2026-03-29T00:00:00Z", "2026-03-30T12:00:00Z"),
    ("2025-01-01T00:00:00Z", "2025-02-01T00:00:00Z", "2025-02-02T00:00:00Z"),
]
NOW = datetime(2026, 5, 11, tzinfo=UTC)


@pytest.mark.parametrize("windows", WINDOWS, ids=lambda windows: windows[1])
@pytest.mark.parametrize(
    ("measure", "by", "metric", "where"),
    [
        ("p95", None, None, []),
        ("avg", "character_id", None, []),
        ("p50", "processor", None, [("status", "!=", "error")]),
        ("p99", "provider", None, []),
        ("error_rate", None, None, []),
        ("error_rate", "channel", None, []),
        ("error_rate", "model", None, [("processor", "=", "llm")]),
        ("p75", "platform", "voice.user_to_bot_latency", []),
        ("avg", "metric_name", "llm.ttfb", []),
    ],
)
def test_both_windows_figures_are_the_oracles(
    loaded: Loaded,
    world: World,
    windows: tuple[str, str, str],
    measure: str,
    by: str | None,
    metric: str | None,
    where: list[tuple[str, str, str]],
) -> None:
    start, middle, end = windows
    wanted = world.regression(
        measure,
        current=(at(middle), at(end)),
        baseline=(at(start), at(middle)),
        by=[by] if by and by != "metric_name" else [],
        metric_name=metric,
        where=where,
    )
    answer = loaded.ask(
        "regressions",
        measure=measure,
        group_by=by or "overall",
        metric_name=metric,
        baseline_start_time=start,
        start_time=middle,
        end_time=end,
        filters=[f"{name}{sign}{value}" for name, sign, value in where],
        limit=100,
    )
    found = {row["group" if by is None else by]: row for row in answer.records()}
    known = {
        (metric if by == "metric_name" else group[0] if group else "overall"): each
        for group, each in wanted.items()
        if each.baseline_values or each.current_values
    }
    assert found.keys() == known.keys()
    for name, each in known.items():
        row = found[name]
        for side in ("baseline", "current"):
            value, n = getattr(each, side)
            values = getattr(each, f"{side}_values")
            assert row[side] == (None if value is None or not values else pytest.approx(value, abs=0.0006)), name
            assert row[f"n_{side}"] == n
            assert row[f"sessions_{side}"] == len(values)
        assert row["change"] == (None if each.change is None else pytest.approx(each.change, abs=1e-6))


def turns(day: str, many: int, latency: Callable[[int], float], **rest: object) -> list[Record]:
    """Sessions of a day with four turns each."""
    made: list[Record] = []
    for number in range(many):
        key = f"{day} {number} {rest.get('platform', '')}"
        for turn in range(4):
            start = f"2026-05-{day}T{number % 24:02d}:{turn:02d}:00Z"
            made.append(
                {"type": "interaction", "session_id": key, "interaction_id": f"{key} {turn}", "start_time": start}
                | {"latency_ms": latency(number * 4 + turn)}
                | rest
            )
    return made


def steady(number: int) -> float:
    return 500 + (number * 37) % 200


def slower(number: int) -> float:
    return 900 + (number * 37) % 200


def ask(loaded: Loaded, **words: object) -> Answer:
    return loaded.ask("regressions", now=NOW, **words)


def test_a_rise_beyond_threshold_and_chance_is_significant(warehouse: Make) -> None:
    made = warehouse([*turns("07", 20, steady), *turns("10", 20, slower)])
    for measure in ("p95", "avg", "turn_p50", "p75Value"):
        row = ask(made, measure=measure).records()[0]
        assert (row["group"], row["significant"]) == ("overall", "yes")
        assert (row["n_baseline"], row["n_current"]) == (80, 80)
        assert row["p_value"] == row["q_value"] == (0.001 if measure != "p95" else pytest.approx(0.004, abs=0.004))


def test_turns_that_all_end_at_one_time_limit_are_found_to_be_more(warehouse: Make) -> None:
    rarely = turns("07", 20, lambda number: 8_000 if number % 40 == 0 else steady(number))
    often = turns("10", 20, lambda number: 8_000 if number % 3 == 0 else steady(number))
    answer = ask(warehouse([*rarely, *often]), measure="p95")
    assert (numbers(answer, "current"), column(answer, "significant")) == ([8_000], ["yes"])
    assert numbers(answer, "baseline")[0] < 1_000
    assert numbers(answer, "p_value")[0] < 0.01


def test_the_same_rise_below_the_threshold_is_not(warehouse: Make) -> None:
    made = warehouse([*turns("07", 20, steady), *turns("10", 20, slower)])
    assert column(ask(made, threshold=2), "significant") == ["no"]


def test_nothing_worse_is_not_significant_at_any_threshold(warehouse: Make) -> None:
    made = warehouse([*turns("07", 20, slower), *turns("10", 20, steady)])
    answer = ask(made, threshold=0)
    assert (column(answer, "significant"), column(answer, "p_value")) == (["no"], [1])
    assert numbers(answer, "change")[0] < 0


def test_too_few_values_or_sessions_are_called_that_and_not_tested(warehouse: Make) -> None:
    made = warehouse([*turns("07", 20, steady), *turns("10", 7, slower)])
    row = ask(made).records()[0]
    assert (row["n_current"], row["p_value"], row["q_value"], row["significant"]) == (28, None, None, "too few")


def test_groups_are_corrected_together_and_significant_ones_come_first(warehouse: Make) -> None:
    made = warehouse([
        *turns("07", 20, steady, platform="steady"), *turns("10", 20, steady, platform="steady"),
        *turns("07", 20, steady, platform="worse"), *turns("10", 20, slower, platform="worse"),
        *turns("07", 2, steady, platform="rare"), *turns("10", 2, lambda _: 9_000, platform="rare"),
    ])  # fmt: skip
    answer = ask(made, group_by="platform")
    assert column(answer, "platform") == ["worse", "steady", "rare"]
    assert column(answer, "significant") == ["yes", "no", "too few"]
    assert answer.rows[0][8:10] == [0.001, 0.002]
    assert "2 tested groups" in answer.meta.notes[0]


def test_errors_from_none_at_all_pass_every_threshold(warehouse: Make) -> None:
    made = warehouse([*turns("07", 20, steady, status="ok"), *turns("10", 20, steady, status="error")])
    answer = ask(made, measure="error_rate", threshold=10)
    row = answer.records()[0]
    assert (row["baseline"], row["current"], row["change"], row["significant"]) == (0, 1, None, "yes")
    assert any("baseline is 0" in note for note in answer.meta.notes)


def test_the_current_window_is_cut_out_of_the_baseline_range(warehouse: Make) -> None:
    made = warehouse([*turns("07", 20, steady), *turns("10", 20, slower)])
    answer = ask(made, current_range="last_24h", baseline_range="last_7d")
    assert answer.meta.window is not None
    assert answer.meta.previous is not None
    assert (answer.meta.window.start, answer.meta.window.end) == ("2026-05-10T00:00:00Z", "2026-05-11T00:00:00Z")
    assert (answer.meta.previous.start, answer.meta.previous.end) == ("2026-05-04T00:00:00Z", "2026-05-10T00:00:00Z")
    whole = ask(made, current_range="last_24h", baseline_range="last_week").meta.previous
    assert whole is not None
    assert (whole.start, whole.end) == ("2026-05-04T00:00:00Z", "2026-05-10T00:00:00Z")


def test_a_baseline_with_nothing_left_is_refused(warehouse: Make) -> None:
    made = warehouse(turns("07", 2, steady))
    with pytest.raises(InvalidRange, match="baseline is empty"):
        ask(made, current_range="last_7d", baseline_range="last_24h")
    with pytest.raises(InvalidRange, match="baseline is empty"):
        ask(made, start_time="2026-05-05", baseline_start_time="2026-05-06")


def test_two_ways_to_say_one_window_exclude_each_other(warehouse: Make) -> None:
    made = warehouse(turns("07", 2, steady))
    with pytest.raises(InvalidRange, match="exclude each other"):
        ask(made, current_range="last_24h", start_time="2026-05-10")
    with pytest.raises(InvalidRange, match="exclude each other"):
        ask(made, baseline_range="last_7d", baseline_start_time="2026-05-01")


def test_a_baseline_that_is_not_longer_is_said(warehouse: Make) -> None:
    made = warehouse([*turns("07", 20, steady), *turns("10", 20, slower)])
    words = {"start_time": "2026-05-07T12:00:00Z", "baseline_start_time": "2026-05-07"}
    assert any("not longer" in note for note in ask(made, **words).meta.notes)


def test_a_metrics_name_in_the_measures_place_means_its_p95(warehouse: Make) -> None:
    made = warehouse([*turns("07", 20, steady), *turns("10", 20, slower)])
    by_name = ask(made, measure="voice.user_to_bot_latency")
    assert by_name.rows == ask(made, measure="p95").rows
    assert "p95 of values of voice.user_to_bot_latency" in str(by_name.meta.basis)
    with pytest.raises(UnknownName):
        ask(made, measure="no_such_metric")


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        ({"measure": "errors"}, "error_rate"),
        ({"measure": "max"}, "p99"),
        ({"measure": "sessions"}, "p95"),
        ({"measure": "turn_p95", "group_by": "processor"}, "another measure"),
        ({"measure": "error_rate", "metric_name": "mos"}, "another measure"),
        ({"group_by": "resolution"}, "another measure"),
    ],
)
def test_what_cannot_be_compared_is_refused_with_what_can(loaded: Loaded, words: dict[str, object], hint: str) -> None:
    with pytest.raises(InvalidArgument, match=hint):
        ask(loaded, **words)


def test_assistants_of_one_session_are_each_compared_and_its_values_counted_once(loaded: Loaded) -> None:
    words = {"baseline_start_time": "2026-01-01", "start_time": "2026-03-01", "end_time": "2027-01-01"}
    one = loaded.ask("regressions", **words)
    each = loaded.ask("regressions", **words, group_by="character", limit=100)
    assert each.columns[:2] == ["character_id", "character_name"]
    assert each.meta.n == one.meta.n < sum(numbers(each, "n_current"))


def test_two_questions_alike_have_one_answer(loaded: Loaded) -> None:
    words = {"baseline_start_time": "2026-01-01", "start_time": "2026-06-01", "group_by": "provider"}
    assert loaded.ask("regressions", **words) == loaded.ask("regressions", **words)
