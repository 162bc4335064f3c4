from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from talkscope.errors import (
    InvalidArgument,
    InvalidRange,
    TalkscopeError,
    UnknownArgument,
    UnknownName,
    UsageError,
)
from talkscope.platforms import convai
from talkscope.platforms.convai.vocabulary import values
from tests.client.analytics import Do, as_contracted

CONSTANTS = [convai.Measures, convai.GroupBy, convai.Segments]


def sent(do: Do) -> dict[str, str]:
    service = as_contracted()
    service.ask(do)
    return service.sent


def asking(ask: Callable[..., Any], words: Mapping[str, object]) -> Do:
    """What asks an account with these words."""
    return lambda account: ask(account, **words)


def by_group(account: Any, **words: object) -> Any:
    return account.breakdown(**words)


def restricted(account: Any, query: object) -> Any:
    return account.query(query)


def refused(do: Do) -> TalkscopeError:
    service = as_contracted()
    with pytest.raises(UsageError) as caught:
        service.ask(do)
    assert service.requests == [], "the words were sent all the same"
    return caught.value


@pytest.mark.parametrize(
    ("given", "wire"),
    [
        ("uniqueSessions", "unique_sessions"),
        ("uniqueTurns", "unique_turns"),
        ("uniqueEndUsers", "unique_end_users"),
        ("errorCount", "error_count"),
        ("avgValue", "avg_value"),
        ("p50Value", "p50_value"),
        ("p95Value", "p95_value"),
        ("p99Value", "p99_value"),
        ("turnP50", "turn_p50"),
        ("turnP95", "turn_p95"),
        ("turnP99", "turn_p99"),
        ("turnMax", "turn_max"),
        ("count", "count"),
        ("p95_value", "p95_value"),
        ("turnP75", "turnP75"),
        ("turn_p75", "turnP75"),
        ("turnP90", "turnP90"),
        ("turn_p90", "turnP90"),
        ("avg", "avg"),
        ("p95", "p95"),
    ],
)
def test_a_measure_goes_out_as_the_service_has_it(given: str, wire: str) -> None:
    assert sent(lambda account: account.timeseries(measure=given)) == {"measure": wire}
    assert sent(lambda account: account.breakdown(measure=given)) == {"measure": wire}


@pytest.mark.parametrize(
    ("given", "wire"),
    [
        ("voiceProvider", "voice_provider"),
        ("characterId", "character_id"),
        ("appKey", "app_key"),
        ("experienceId", "experience_id"),
        ("metricName", "metric_name"),
        ("metricType", "metric_type"),
        ("processor", "processor"),
        ("character-id", "character_id"),
        ("sessionId", "sessionId"),
        ("session_id", "sessionId"),
        ("errorCode", "errorCode"),
        ("error_code", "errorCode"),
    ],
)
def test_a_dimension_goes_out_as_the_service_has_it(given: str, wire: str) -> None:
    assert sent(lambda account: account.breakdown(group_by=given)) == {"group_by": wire}


@pytest.mark.parametrize(
    ("given", "wire"),
    [
        ("endToEndTurnLatency", "end_to_end_turn_latency"),
        ("neuroSyncTurnSummary", "neuro_sync_turn_summary"),
        ("customLatencyMetrics", "custom_latency_metrics"),
        ("userBotLatencyMetrics", "user_bot_latency_metrics"),
        ("smartTurnMetrics", "smart_turn_metrics"),
        ("sttMetrics", "stt_metrics"),
        ("vadMetrics", "vad_metrics"),
        ("ttsMetrics", "tts_metrics"),
        ("llmMetrics", "llm_metrics"),
        ("asrMetrics", "asrMetrics"),
        ("asr_metrics", "asrMetrics"),
        ("neurosyncMetrics", "neurosyncMetrics"),
        ("neurosync_metrics", "neurosyncMetrics"),
    ],
)
def test_a_segment_goes_out_as_the_service_has_it(given: str, wire: str) -> None:
    assert sent(lambda account: account.timeseries(segment=given)) == {"segment": wire}


@pytest.mark.parametrize(("word", "constants"), list(zip(["measure", "group_by", "segment"], CONSTANTS, strict=True)))
def test_constants_are_spelled_as_they_go_out(word: str, constants: type) -> None:
    assert values(constants)
    for value in values(constants):
        assert sent(asking(by_group, {word: value})) == {word: value}


def test_constants_hold_every_known_name() -> None:
    assert len(values(convai.Measures)) == 15
    assert len(values(convai.GroupBy)) == 14
    assert len(values(convai.Segments)) == 11
    assert len(values(convai.MetricNames)) == 17
    assert values(convai.MetricNamePrefixes) == ("error.", "llm.", "tts.", "asr.", "neurosync.", "LLMService.")
    assert convai.MetricNames.VOICE_USER_TO_BOT_LATENCY == "voice.user_to_bot_latency"


@pytest.mark.parametrize(
    ("do", "word", "hint"),
    [
        (lambda account: account.timeseries(measure="p95Valu"), "p95Valu", "p95_value"),
        (lambda account: account.timeseries(measure="audio_minutes"), "audio_minutes", "Known: count, unique_sessions"),
        (lambda account: account.breakdown(group_by="procesor"), "procesor", "processor"),
        (lambda account: account.breakdown(segment="llm"), "llm", "llm_metrics"),
        (lambda account: account.timeseries(granularity="second"), "second", "minute, hour, day"),
        (lambda account: account.sessions.list(sort="slow"), "slow", "slowest"),
        (lambda account: account.latency.by_component(percentile="p9"), "p9", "p9"),
        (lambda account: account.latency.by_component(percentile=95), "95", "p95"),
        (lambda account: account.providers.compare(component="vad"), "vad", "llm, tts, asr, neurosync"),
        (lambda account: account.regression_detection(group_by="processor"), "processor", "provider"),
        (lambda account: account.regression_detection(group_by="all"), "all", "overall"),
        (lambda account: account.errors.summary(group_by="xyzzy"), "xyzzy", "Known: processor"),
    ],
)
def test_a_name_that_is_unknown_is_refused_with_the_nearest(do: Do, word: str, hint: str) -> None:
    error = refused(do)
    assert isinstance(error, UnknownName)
    assert error.code == "unknown_name"
    assert word in error.message
    assert hint in error.hint


@pytest.mark.parametrize(
    ("do", "name"),
    [
        (lambda account: account.summary(range="last_2d"), "range"),
        (lambda account: account.timeseries(range="7d"), "range"),
        (lambda account: account.breakdown(range="last-7d"), "range"),
        (lambda account: account.sessions.list(range=""), "range"),
        (lambda account: account.regression_detection(baseline_range="last_90d"), "baseline_range"),
        (lambda account: account.regression_detection(current_range="today"), "current_range"),
        (lambda account: account.latency.over_time(range="last_week"), "range"),
    ],
)
def test_a_range_that_is_none_is_refused_with_those_that_are(do: Do, name: str) -> None:
    error = refused(do)
    assert isinstance(error, InvalidRange)
    assert error.code == "invalid_range"
    assert error.message.startswith(f"{name} ")
    assert error.details["allowed"] == ["last_15m", "last_1h", "last_6h", "last_24h", "last_7d", "last_30d"]
    assert isinstance(error.details["received"], str)


@pytest.mark.parametrize("range", ["last_15m", "last_1h", "last_6h", "last_24h", "last_7d", "last_30d"])
def test_every_range_of_the_contract_is_sent(range: str) -> None:
    assert sent(lambda account: account.summary(range=range)) == {"range": range}


@pytest.mark.parametrize(
    ("do", "nearest"),
    [
        (lambda account: account.summary(processor="llm"), None),
        (lambda account: account.summary(start_time="2026-01-01"), None),
        (lambda account: account.summary(characterid="c"), "character_id"),
        (lambda account: account.timeseries(granulrity="day"), "granularity"),
        (lambda account: account.breakdown(groupby="model"), "group_by"),
        (lambda account: account.sessions.list(provider="openai"), None),
        (lambda account: account.regression_detection(range="last_7d"), "current_range"),
        (lambda account: account.latency.by_component(measure="count"), None),
        (lambda account: account.latency.over_time(metric_name="llm.ttfb"), None),
        (lambda account: account.errors.over_time(metric_name_prefix="llm."), "metric_name"),
        (lambda account: account.usage.summary(limt=5), "limit"),
        (lambda account: account.query({"measures": ["SessionMetrics.count"], "timeDimension": []}), "time_dimensions"),
    ],
)
def test_an_argument_that_a_call_does_not_take_is_an_error_and_never_left_out(do: Do, nearest: str | None) -> None:
    error = refused(do)
    assert isinstance(error, UnknownArgument)
    assert isinstance(error, ValueError)
    assert error.code == "unknown_argument"
    if nearest is not None:
        assert error.details["nearest"] == nearest


def test_arguments_may_be_camel_case_and_go_out_in_snake_case() -> None:
    wire = sent(lambda account: account.breakdown(groupBy="errorCode", characterId="c", metricNamePrefix="error."))
    assert wire == {"group_by": "errorCode", "character_id": "c", "metric_name_prefix": "error."}
    assert sent(lambda account: account.usage.summary(groupBy="experienceId"))["group_by"] == "experience_id"
    error = refused(lambda account: account.breakdown(groupBy="model", group_by="model"))
    assert error.message == "group_by is given twice, as groupBy too."


def test_what_is_none_is_left_out() -> None:
    assert sent(lambda account: account.summary(range="last_24h", character_id=None)) == {"range": "last_24h"}
    assert sent(lambda account: account.errors.over_time(granularity=None)) == {
        "measure": "count",
        "metric_name_prefix": "error.",
    }


def test_what_is_said_is_sent_even_when_it_is_the_default() -> None:
    wire = sent(lambda account: account.sessions.list(range="last_24h", limit=25))
    assert wire == {"range": "last_24h", "limit": "25"}


@pytest.mark.parametrize(
    ("do", "most"),
    [
        *((lambda account, n=n: account.breakdown(limit=n), 500) for n in (0, -1, 501, True, "10", 2.5)),
        *((lambda account, n=n: account.sessions.list(limit=n), 100) for n in (0, 101)),
        *(
            (lambda account, n=n: account.query({"measures": ["SessionMetrics.count"], "limit": n}), 5_000)
            for n in (0, 5_001, "many")
        ),
    ],
)
def test_a_limit_out_of_its_bounds_is_refused(do: Do, most: int) -> None:
    error = refused(do)
    assert isinstance(error, InvalidArgument)
    assert error.code == "invalid_limit"
    assert (error.details["min"], error.details["max"]) == (1, most)


def test_limits_at_their_bounds_are_sent() -> None:
    assert sent(lambda account: account.breakdown(limit=500)) == {"limit": "500"}
    assert sent(lambda account: account.sessions.list(limit=100)) == {"limit": "100"}


@pytest.mark.parametrize("threshold", [-0.1, 10.1, float("nan"), float("inf"), "much"])
def test_a_threshold_out_of_its_bounds_is_refused(threshold: object) -> None:
    assert "threshold" in refused(lambda account: account.regression_detection(threshold=threshold)).message


def test_a_value_of_the_wrong_kind_is_refused_without_being_repeated() -> None:
    error = refused(lambda account: account.timeseries(character_id=["s3cret"], end_user_id=4711))
    assert isinstance(error, InvalidArgument)
    assert error.message.startswith("character_id: Input should be a valid string")
    assert "s3cret" not in str(error)
    assert "4711" not in str(error)


def test_the_regression_call_that_the_service_refuses_is_refused_here_with_what_to_say() -> None:
    error = refused(
        lambda account: account.regression_detection(
            baseline_range="last_7d", current_range="last_24h", measure="p95Value", group_by="processor"
        )
    )
    assert isinstance(error, InvalidArgument)
    assert "p95Value is a statistic" in error.message
    assert "voice.user_to_bot_latency" in error.hint


def test_a_regressions_words_go_out() -> None:
    wire = sent(
        lambda account: account.regression_detection(
            measure="llm.ttfb",
            baseline_range="last_30d",
            current_range="last_7d",
            group_by="voiceProvider",
            threshold=0.2,
        )
    )
    assert wire == {
        "measure": "llm.ttfb",
        "baseline_range": "last_30d",
        "current_range": "last_7d",
        "group_by": "voice_provider",
        "threshold": "0.2",
    }


@pytest.mark.parametrize(
    "words",
    [
        {"baseline_range": "last_24h", "current_range": "last_7d"},
        {"baseline_range": "last_7d", "current_range": "last_7d"},
        {"current_range": "last_30d"},
        {"baseline_range": "last_1h"},
    ],
)
def test_a_baseline_that_is_no_longer_than_the_current_range_is_refused(words: dict[str, str]) -> None:
    error = refused(lambda account: account.regression_detection(**words))
    assert isinstance(error, InvalidRange)
    assert "is no longer than the current range" in error.message


QUERIES: list[tuple[object, str]] = [
    ({}, "empty_query"),
    (
        {"measures": [], "dimensions": None, "timeDimensions": [{"dimension": "SessionMetrics.eventTime"}]},
        "empty_query",
    ),
    ({"measures": [f"SessionMetrics.m{n}" for n in range(13)]}, "query_too_wide"),
    (
        {
            "measures": ["SessionMetrics.a"] * 5,
            "dimensions": ["SessionMetrics.b"] * 5,
            "segments": ["SessionMetrics.c"] * 3,
        },
        "query_too_wide",
    ),
    ({"measures": ["Other.count"]}, "invalid_member"),
    ({"measures": ["SessionMetrics."]}, "invalid_member"),
    ({"measures": [None]}, "invalid_member"),
    ({"dimensions": ["sessionmetrics.model"]}, "invalid_member"),
    ({"segments": ["Users.all"]}, "invalid_member"),
    (
        {"measures": ["SessionMetrics.count"], "filters": [{"member": "Other.x", "operator": "set"}]},
        "invalid_member",
    ),
    ({"measures": ["SessionMetrics.count"], "filters": [{"operator": "set"}]}, "invalid_member"),
    ({"measures": ["SessionMetrics.count"], "time_dimensions": [{"dimension": "Wrong.eventTime"}]}, "invalid_member"),
    ({"measures": ["SessionMetrics.count"], "order": {"Wrong.count": "asc"}}, "invalid_member"),
    (
        {
            "measures": ["SessionMetrics.count"],
            "timeDimensions": [{"dimension": "SessionMetrics.eventTime", "granularity": "second"}],
        },
        "forbidden_granularity",
    ),
    (
        {
            "measures": ["SessionMetrics.count"],
            "timeDimensions": [{"dimension": "SessionMetrics.eventTime", "dateRange": ["2026-01-01"]}],
        },
        "invalid_range",
    ),
    ({"measures": ["SessionMetrics.count"], "limit": 6_000}, "invalid_limit"),
    ({"measures": "SessionMetrics.count"}, "empty_query"),
    (
        {"measures": ["SessionMetrics.count"], "filters": [{"member": "SessionMetrics.model", "operator": "like"}]},
        "invalid_argument",
    ),
    (None, "missing_argument"),
    ("SELECT 1", "missing_argument"),
]


@pytest.mark.parametrize(("request_", "code"), QUERIES)
def test_a_query_against_the_rules_costs_no_request(request_: object, code: str) -> None:
    assert refused(lambda account: account.query(request_)).code == code


def test_a_query_goes_out_in_camel_case_whichever_way_it_is_written() -> None:
    written: list[dict[str, Any]] = [
        {
            "measures": ["SessionMetrics.uniqueSessions"],
            "timeDimensions": [
                {"dimension": "SessionMetrics.eventTime", "granularity": "day", "dateRange": "last 30 days"}
            ],
            "order": {"SessionMetrics.uniqueSessions": "desc"},
            "limit": 100,
        },
        {
            "measures": ["SessionMetrics.uniqueSessions"],
            "time_dimensions": [
                {"dimension": "SessionMetrics.eventTime", "granularity": "day", "date_range": "last 30 days"}
            ],
            "order": {"SessionMetrics.uniqueSessions": "desc"},
            "limit": 100,
        },
    ]
    for query in written:
        service = as_contracted()
        answer = service.ask(asking(restricted, {"query": query}))
        assert json.loads(service.requests[0].content) == written[0]
        assert service.requests[0].headers["content-type"] == "application/json"
        assert answer.data == [{"SessionMetrics.uniqueSessions": "12", "SessionMetrics.model": None}]


FILTERS = {
    "range": "last_7d",
    "character_id": "c",
    "app_key": "a",
    "experience_id": "e",
    "end_user_id": "u",
    "provider": "openai",
    "model": "m",
    "processor": "llm",
    "status": "error",
}
FACADES: list[tuple[str, Callable[..., Any], str, dict[str, str]]] = [
    (
        "latency.by_component",
        lambda account, **words: account.latency.by_component(**words),
        "breakdown",
        {"measure": "p95_value", "group_by": "processor", "segment": "end_to_end_turn_latency"},
    ),
    (
        "latency.over_time",
        lambda account, **words: account.latency.over_time(**words),
        "timeseries",
        {"measure": "p95_value", "metric_name": "voice.user_to_bot_latency"},
    ),
    (
        "providers.compare",
        lambda account, **words: account.providers.compare(**words),
        "breakdown",
        {"measure": "p95_value", "group_by": "provider", "segment": "llm_metrics"},
    ),
    (
        "errors.summary",
        lambda account, **words: account.errors.summary(**words),
        "breakdown",
        {"measure": "count", "group_by": "processor", "metric_name_prefix": "error."},
    ),
    (
        "errors.over_time",
        lambda account, **words: account.errors.over_time(**words),
        "timeseries",
        {"measure": "count", "metric_name_prefix": "error."},
    ),
    (
        "usage.summary",
        lambda account, **words: account.usage.summary(**words),
        "breakdown",
        {"measure": "unique_sessions", "group_by": "character_id"},
    ),
    (
        "usage.interactions",
        lambda account, **words: account.usage.interactions(**words),
        "breakdown",
        {"measure": "unique_turns", "group_by": "character_id"},
    ),
]


@pytest.mark.parametrize(("name", "facade", "route", "chosen"), FACADES, ids=[each[0] for each in FACADES])
def test_an_everyday_question_is_a_call_with_its_words_chosen_and_the_rest_passed_on(
    name: str, facade: Callable[..., Any], route: str, chosen: dict[str, str]
) -> None:
    for words in ({}, FILTERS):
        service, in_async = as_contracted(), as_contracted()
        answer = service.ask(asking(facade, words))
        assert in_async.ask_async(asking(facade, words)) == answer
        assert service.requests[0].url == in_async.requests[0].url
        assert service.requests[0].url.path == f"/v1/analytics/{route}"
        assert service.sent == {**chosen, **words}


@pytest.mark.parametrize(
    ("percentile", "measure"),
    [("p50", "p50_value"), ("p75", "turnP75"), ("p90", "turnP90"), ("p95", "p95_value"), ("p99", "p99_value")],
)
def test_a_percentile_that_values_do_not_have_is_that_of_turns(percentile: str, measure: str) -> None:
    for do in (
        lambda account: account.latency.by_component(percentile=percentile),
        lambda account: account.latency.over_time(percentile=percentile, granularity="day"),
        lambda account: account.providers.compare(percentile=percentile),
    ):
        assert sent(do)["measure"] == measure


@pytest.mark.parametrize(
    ("component", "group_by", "segment"),
    [
        ("llm", "provider", "llm_metrics"),
        ("tts", "voice_provider", "tts_metrics"),
        ("asr", "provider", "asrMetrics"),
        ("neurosync", "provider", "neurosyncMetrics"),
    ],
)
def test_providers_are_compared_within_a_component(component: str, group_by: str, segment: str) -> None:
    wire = sent(lambda account: account.providers.compare(component=component, percentile="p99", limit=3))
    assert wire == {"measure": "p99_value", "group_by": group_by, "segment": segment, "limit": "3"}
