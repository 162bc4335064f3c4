"""Measures of a hosted account by one or two dimensions, beside those of the warehouse behind it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytest

from talkscope.errors import BadAnswer, InvalidArgument, NotSupported, UnknownName
from tests.hosted.accounts import Hosted, by_label, same

TURN_WORDS = ("app_key", "character_id", "experience_id", "session_id", "status", "end_user_id", "interaction_type")
SPAN_WORDS = ("processor", "provider", "voice_provider", "model", "error_code")
VOLUME = ("sessions", "interactions", "end_users", "count", "errors")
DAY: dict[str, Any] = {"range": "last_24h", "limit": 500}


def check(
    account: Hosted, measures: Sequence[str], by: Sequence[str], truth: dict[str, Any] | None = None, **words: Any
) -> None:
    """Both answer the same figures of every group that has any; `truth` are words for the warehouse alone."""
    asked = {"measures": list(measures), "group_by": list(by), **DAY, **words}
    answer, expected = account.ask("breakdown", **asked), account.truth("breakdown", **asked, **(truth or {}))
    assert answer.columns == expected.columns
    got, known = by_label(answer, by, measures), by_label(expected, by, measures)
    assert got
    assert {key for key in got if any(got[key])} == {key for key in known if any(known[key])}
    for key, figures in got.items():
        for name, value, real in zip(measures, figures, known.get(key, figures), strict=True):
            assert same(value, real), (key, name, value, real)


@pytest.mark.parametrize("word", TURN_WORDS + SPAN_WORDS)
def test_counts_by_a_dimension_are_exact(account: Hosted, word: str):
    check(account, VOLUME, [word])


@pytest.mark.parametrize("word", SPAN_WORDS)
def test_durations_of_components_are_exact_and_carry_their_n(account: Hosted, word: str):
    measures = ("avg", "p50", "p95", "p99", "error_rate")
    check(account, measures, [word])
    asked = {"measures": ["p95"], "group_by": word, **DAY}
    assert by_label(account.ask("breakdown", **asked), [word], ["n"]) == by_label(
        account.truth("breakdown", **asked), [word], ["n"]
    )


@pytest.mark.parametrize("word", TURN_WORDS)
def test_latencies_of_turns_are_those_of_the_headline_metric(account: Hosted, word: str):
    check(account, ("avg", "p50", "p95", "p99"), [word], truth={"metric_name": "voice.user_to_bot_latency"})


@pytest.mark.parametrize("word", ["app_key", "status"])
def test_percentiles_and_highest_of_turns_that_the_metric_has_not_are_the_turn_measures(account: Hosted, word: str):
    check(account, ("p75", "p90", "max"), [word])


@pytest.mark.parametrize("word", ["app_key", "character_id", "status"])
def test_the_error_rate_is_exact_but_for_errors_outside_interactions(account: Hosted, word: str):
    asked = {"measures": ["error_rate", "errors"], "group_by": word, **DAY}
    got = by_label(account.ask("breakdown", **asked), [word], ["error_rate", "n"])
    known = by_label(account.truth("breakdown", **asked), [word], ["error_rate", "errors", "n"])
    for key, (rate, n) in got.items():
        truth, errors, of = known.get(key, (None, 0, 0))
        assert n <= of <= n + errors
        if rate is not None:
            assert rate / (1 + rate) - 1e-6 <= truth <= rate + 1e-6


@pytest.mark.parametrize(
    "words", [{"metric_name": "llm.ttfb"}, {"metric_name": "mos"}, {"metric_name_prefix": "error."}]
)
@pytest.mark.parametrize("by", ["metric_name", "processor", "app_key"])
def test_metrics_by_name_and_prefix(account: Hosted, words: dict[str, Any], by: str):
    check(account, ("count", "errors", "avg", "p95", "sessions", "interactions"), [by], **words)


@pytest.mark.parametrize(
    "filters",
    [["app_key=app-1"], ["processor=llm"], ["provider=openai", "status=error"], ["character_id=bot-1"], ["status=ok"]],
    ids=" ".join,
)
@pytest.mark.parametrize("by", ["app_key", "model", "session_id"])
def test_filters(account: Hosted, filters: list[str], by: str):
    check(account, ("sessions", "interactions", "count", "errors"), [by], filters=filters)


@pytest.mark.parametrize(
    "by", [["provider", "model"], ["processor", "app_key"], ["error_code", "status"], ["character_id", "experience_id"]]
)
def test_two_dimensions_are_one_question_for_each_value(account: Hosted, by: list[str]):
    measures = ["count", "sessions", "p95"]
    asked = {"measures": measures, "group_by": by, **DAY}
    answer, expected = account.ask("breakdown", **asked), account.truth("breakdown", **asked)
    got, known = by_label(answer, by, ["count", "sessions"]), by_label(expected, by, ["count", "sessions"])
    assert len(got) > 1
    assert all(known[key] == figures for key, figures in got.items())
    missing = set(known) - set(got)
    nameless = [{key for key in known if key[place] is None} for place in (0, 1)]
    assert missing in nameless
    outer = [name for name, each in zip(by, nameless, strict=True) if each == missing]
    assert not missing or any(f"What has no {name} is left out" in " ".join(answer.meta.notes) for name in outer)


def test_two_dimensions_that_cannot_be_filtered_are_refused(account: Hosted):
    with pytest.raises(NotSupported, match="error_code and voice_provider") as refused:
        account.ask("breakdown", group_by=["error_code", "voice_provider"])
    assert "Group by one of them" in refused.value.hint
    assert not account.watched.seen


def test_two_dimensions_within_the_budget_or_not_at_all(made: Callable[[int], Hosted]):
    account = made(12).at("2026-03-29T00:00:00+00:00")
    with pytest.raises(NotSupported, match="values of") as refused:
        account.ask("breakdown", measures=["p95", "count"], group_by=["processor", "session_id"])
    assert refused.value.code == "request_budget"
    assert "TALKSCOPE_REQUEST_BUDGET" in refused.value.hint
    assert len(account.watched.seen) == 1


def test_beyond_the_limit_counts_add_up_and_percentiles_are_null(account: Hosted):
    asked = {"measures": ["count", "errors", "avg", "p95", "sessions"], "group_by": "processor", "limit": 3}
    answer, expected = account.ask("breakdown", **asked), account.truth("breakdown", **asked)
    got, known = answer.records()[-1], expected.records()[-1]
    assert got["processor"] == known["processor"]
    assert str(got["processor"]).startswith("other (")
    for name in ("count", "errors", "avg", "n", "n_latency"):
        assert same(got[name], known[name]), name  # type: ignore[arg-type]
    assert (got["p95"], got["sessions"]) == (None, None)
    assert any("p95, sessions of several groups" in note for note in answer.meta.notes)


def test_rows_are_sorted_as_the_warehouse_sorts_them(account: Hosted):
    for sort in ("p95", "count", "error_rate"):
        asked = {"measures": ["count", "p95", "error_rate"], "group_by": "processor", "sort": sort, **DAY}
        first = [row[0] for row in account.ask("breakdown", **asked).rows]
        assert first == [row[0] for row in account.truth("breakdown", **asked).rows]


def test_ids_of_characters_come_without_names_and_say_so(account: Hosted):
    answer = account.ask("breakdown", measures=["sessions"], group_by="character_id")
    assert answer.columns[:2] == ["character_id", "character_name"]
    assert {row[1] for row in answer.rows} == {None}
    assert any("no names" in note for note in answer.meta.notes)


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        ({"measures": ["cost_usd"]}, "warehouse"),
        ({"measures": ["handoff_rate"]}, "warehouse"),
        ({"group_by": "channel"}, "groups by"),
        ({"group_by": "resolution"}, "groups by"),
        ({"measures": ["max"], "group_by": "processor"}, "p95"),
        ({"measures": ["p90"], "metric_name": "llm.ttfb", "group_by": "model"}, "p95"),
        ({"filters": ["channel=voice"]}, "filters by"),
        ({"filters": ["processor!=llm"]}, "Ask once"),
        ({"filters": ["end_user_id=email:ab12"]}, "id itself"),
        ({"filters": ["provider="]}, "Group by provider"),
        ({"range": "yesterday"}, "last_24h"),
    ],
    ids=str,
)
def test_what_the_service_has_not_is_refused_with_what_has_it(account: Hosted, words: dict[str, Any], hint: str):
    with pytest.raises(NotSupported) as refused:
        account.ask("breakdown", **words)
    assert hint in refused.value.hint
    assert not account.watched.seen


@pytest.mark.parametrize(
    "words",
    [
        {"measures": ["speed"]},
        {"group_by": "colour"},
        {"measures": ["turn_p95"], "group_by": "processor"},
        {"measures": ["error_rate"], "metric_name": "mos", "group_by": "app_key"},
        {"measures": ["count"], "sort": "p95"},
        {"metric_name": ""},
    ],
    ids=str,
)
def test_words_that_no_source_understands_are_refused_as_a_warehouse_refuses_them(
    account: Hosted, words: dict[str, Any]
):
    with pytest.raises((InvalidArgument, UnknownName)):
        account.ask("breakdown", **words)
    assert not account.watched.seen


def reply_with(rows: Sequence[object]) -> Callable[[str, object], dict[str, Any]]:
    return lambda path, params: {"measure": "count", "groupBy": "processor", "rows": rows, "meta": {}, "new": 1}


def test_rows_out_of_order_missing_numbers_and_unknown_fields_are_understood(faked: Callable[..., Hosted]):
    rows = [
        {"group": "tts", "value": None},
        {"group": "", "value": 3},
        {"group": "llm", "value": 12.0, "sampleCount": 12, "share": 0.8},
        {"group": "llm", "value": 12.0, "sampleCount": 12},
    ]
    answer = faked(reply_with(rows)).ask("breakdown", measures=["count"])
    assert answer.rows == [["llm", 12, 12], [None, 3, 3], ["tts", 0, 0]]
    assert answer.meta.n == 15
    assert answer.meta.covers == "the window"


def test_a_full_list_says_that_there_may_be_more_and_makes_nothing_up(faked: Callable[..., Hosted]):
    def reply(path: str, params: dict[str, str]) -> dict[str, Any]:
        shift = 400 if params["measure"] == "unique_sessions" else 0
        rows = [{"group": f"s{i + shift}", "value": 900 - i, "sampleCount": 1} for i in range(500)]
        return {"measure": "x", "groupBy": "model", "rows": rows, "meta": {}}

    answer = faked(reply).ask("breakdown", measures=["count", "sessions"], group_by="model", limit=450)
    assert answer.rows[0] == ["s0", 900, None, 900]
    assert answer.rows[-1] == ["other (450 groups)", None, None, None]
    assert any("may be more" in note for note in answer.meta.notes)
    assert answer.meta.covers == "the 500 largest groups of the window"


@pytest.mark.parametrize(
    "rows",
    [
        [{"group": "llm", "value": 1}, {"group": "llm", "value": 2}],
        [{"group": "llm", "value": -1}],
        [{"group": "llm", "value": 1.5}],
        [{"group": "llm", "value": 1e300}],
        [{"group": "llm", "value": 1, "sampleCount": -4}],
        [{"group": "llm", "value": 1, "sampleCount": 10**40}],
        [{"group": str(i), "value": 1} for i in range(200_001)],
        [{"value": 1}],
    ],
    ids=lambda rows: str(rows)[:60],
)
def test_counts_that_cannot_be_are_bad_answers(faked: Callable[..., Hosted], rows: list[dict[str, Any]]):
    with pytest.raises(BadAnswer):
        faked(reply_with(rows)).ask("breakdown", measures=["count"])


def test_a_latency_below_zero_is_a_bad_answer_and_a_metric_below_zero_is_none(faked: Callable[..., Hosted]):
    account = faked(reply_with([{"group": "llm", "value": -2.5, "sampleCount": 3}]))
    with pytest.raises(BadAnswer):
        account.ask("breakdown", measures=["p95"])
    assert account.ask("breakdown", measures=["p95"], metric_name="drift").rows == [["llm", -2.5, 3]]


def test_a_percentile_without_samples_is_null_and_one_without_a_count_has_no_n(faked: Callable[..., Hosted]):
    rows = [{"group": "asr", "value": 0.0, "sampleCount": 0}, {"group": "llm", "value": 7.0}]
    assert faked(reply_with(rows)).ask("breakdown", measures=["p95"]).rows == [["llm", 7.0, None], ["asr", None, 0]]


def test_windows_that_drift_apart_are_told(faked: Callable[..., Hosted]):
    ends = iter(["2026-03-28T23:55:00Z", "2026-03-29T00:00:00Z"])

    def reply(path: str, params: object) -> dict[str, Any]:
        meta = {"effectiveRange": {"startTime": "2026-03-28T00:00:00Z", "endTime": next(ends)}, "cacheHit": True}
        return {"measure": "x", "groupBy": "y", "rows": [{"group": "llm", "value": 1}], "meta": meta}

    answer = faked(reply).ask("breakdown", measures=["count", "sessions"])
    assert any("300 s apart" in note for note in answer.meta.notes)


def test_a_character_that_nothing_matches_may_be_a_name(faked: Callable[..., Hosted]):
    answer = faked(reply_with([])).ask("breakdown", measures=["count"], filters=["character_id=Ava"])
    assert answer.rows == []
    assert any("by id and not by name" in note for note in answer.meta.notes)
