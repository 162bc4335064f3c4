"""The headlines of a hosted account: the service's own, and of the window before what its buckets reach."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest

from talkscope.errors import BadAnswer, NotSupported
from tests.hosted.accounts import Hosted, by_label, same
from tests.hosted.conftest import NOW

RANGES = ("last_15m", "last_1h", "last_6h", "last_24h", "last_7d", "last_30d")
TIMES = (NOW, "2026-03-28T13:02:00+00:00", "2026-03-29T07:41:23.5+00:00", "2026-10-25T17:03:09+00:00")
HEADLINES = ("sessions", "interactions", "end_users", "errors", "error_rate", "avg", "p50", "p95", "p99")


def one_metric(account: Hosted, measure: str, range: str) -> tuple[Any, Any]:
    """The warehouse's figure over the values of the headline metric, recorded events of that name included."""
    answer = account.truth(
        "breakdown", measures=[measure], metric_name="voice.user_to_bot_latency", group_by="metric_name", range=range
    )
    return (answer.rows[0][1], answer.rows[0][2]) if answer.rows else (None, 0)


@pytest.mark.parametrize("range", RANGES)
@pytest.mark.parametrize("time", TIMES)
def test_the_headlines_are_the_warehouses(account: Hosted, time: str, range: str):
    account.at(time)
    got = by_label(account.ask("summary", range=range), ["measure"], ["value", "n"])
    truth = by_label(account.truth("summary", range=range), ["measure"], ["value", "n"])
    if not got:
        assert all(not value for name, (value, _) in truth.items() if name[0] in HEADLINES[:4])
        return
    for name in ("sessions", "interactions", "end_users", "errors"):
        assert got[name,][0] == truth[name,][0], name
    for name in ("p50", "p95", "p99"):
        assert same(got[name,][0], truth[name,][0]), name
    mean, n = one_metric(account, "avg", range)
    assert same(got["avg",][0], mean)
    assert got["avg",][1] == n


@pytest.mark.parametrize("time", TIMES)
def test_the_error_rate_is_that_of_the_warehouse_apart_from_errors_outside_interactions(account: Hosted, time: str):
    account.at(time)
    for token in RANGES:
        rate = by_label(account.ask("summary", range=token), ["measure"], ["value"]).get(("error_rate",), (None,))[0]
        if rate is None:
            continue
        truth = by_label(account.truth("summary", range=token), ["measure"], ["value"])["error_rate",][0]
        assert rate / (1 + rate) - 1e-6 <= truth <= rate + 1e-6


@pytest.mark.parametrize("time", TIMES)
@pytest.mark.parametrize("range", RANGES[:-1])
def test_the_window_before_is_within_what_the_answer_says(account: Hosted, time: str, range: str):
    answer = account.at(time).ask("summary", range=range)
    truth = account.truth("summary", range=range)
    assert answer.meta.previous is not None
    assert truth.meta.previous is not None
    assert (answer.meta.previous.start, answer.meta.previous.end) == (
        truth.meta.previous.start,
        truth.meta.previous.end,
    )
    got = by_label(answer, ["measure"], ["previous", "change"])
    expected = by_label(truth, ["measure"], ["previous", "value"])
    note = " ".join(answer.meta.notes)
    for name in ("interactions", "errors"):
        if (name,) not in got:
            assert not expected.get((name,), (0,))[0]
            continue
        previous, change = got[name,]
        within = re.search(rf"{name} (exactly|within (\d+) of {previous})", note)
        assert within is not None, note
        assert abs(previous - expected[name,][0]) <= int(within[2] or 0)
        if previous:
            assert change == pytest.approx((expected[name,][1] - previous) / previous, abs=1e-6)
    for name in ("sessions", "end_users", "avg", "p50", "p95", "p99"):
        assert got.get((name,), (None, None)) == (None, None)


def test_the_whole_minutes_of_the_window_before_are_exact(account: Hosted):
    answer = account.at(NOW).ask("summary", range="last_6h")
    expected = by_label(account.truth("summary", range="last_6h"), ["measure"], ["previous"])
    got = by_label(answer, ["measure"], ["previous"])
    assert expected["interactions",][0] > 5
    assert got["interactions",] == expected["interactions",]
    assert got["errors",] == expected["errors",]
    assert "interactions exactly, errors exactly" in answer.meta.notes[1]


def test_nothing_before_the_last_30_days_is_asked_for(account: Hosted):
    answer = account.ask("summary", range="last_30d")
    assert [row[2] for row in answer.rows] == [None] * len(HEADLINES)
    assert any("30 days" in note for note in answer.meta.notes)
    assert answer.meta.requests == len(account.watched.seen) == 2


def test_filters_that_the_service_takes_are_passed_on(account: Hosted):
    words = {"range": "last_24h", "filters": ["character_id=char-a", "app_key=app-1"]}
    got = by_label(account.ask("summary", **words), ["measure"], ["value", "previous"])
    truth = by_label(account.truth("summary", **words), ["measure"], ["value", "previous"])
    assert got["interactions",] == truth["interactions",]
    assert got["sessions",][0] == truth["sessions",][0] > 0
    assert all("character_id=char-a" in str(each.url) for each in account.watched.seen)


@pytest.mark.parametrize("word", ["provider=openai", "status=error", "end_user_id=user-1", "channel=voice"])
def test_other_filters_are_refused_before_anything_is_sent(account: Hosted, word: str):
    with pytest.raises(NotSupported, match=word.split("=", maxsplit=1)[0]) as refused:
        account.ask("summary", filters=[word])
    assert "get_breakdown" in refused.value.hint
    assert not account.watched.seen


@pytest.mark.parametrize(
    "words",
    [
        {"filters": ["app_key!=app-1"]},
        {"filters": ["app_key=app-1", "app_key=app-2"]},
        {"filters": ["app_key="]},
        {"range": "today"},
        {"start_time": "2026-03-28T00:00:00Z"},
    ],
)
def test_what_the_service_would_misread_is_refused(account: Hosted, words: dict[str, object]):
    with pytest.raises(NotSupported) as refused:
        account.ask("summary", **words)
    assert refused.value.hint
    assert not account.watched.seen


def test_times_are_shown_in_the_asked_zone(account: Hosted):
    answer = account.ask("summary", range="last_24h", timezone="Europe/Berlin")
    assert answer.meta.window is not None
    assert answer.meta.window.start == "2026-03-28T01:00:00+01:00"
    assert answer.meta.source == "convai"
    assert answer.meta.requests == 4


def empty(path: str, params: object) -> dict[str, object]:
    meta: dict[str, object] = {"meta": {}}
    if path == "/summary":
        names = "sessions uniqueEndUsers interactions errorCount p50EndToEndMs p95EndToEndMs p99EndToEndMs".split()
        return dict.fromkeys(names, 0) | meta
    if path == "/breakdown":
        return {"measure": "avgValue", "groupBy": "metricName", "rows": []} | meta
    return {"measure": "count", "granularity": "minute", "points": []} | meta


def test_zeros_of_nothing_are_no_latencies(faked: Callable[..., Hosted]):
    def reply(path: str, params: object) -> dict[str, object]:
        return empty(path, params) | ({"interactions": 7, "sessions": 2} if path == "/summary" else {})

    got = by_label(faked(reply).ask("summary"), ["measure"], ["value", "n"])
    assert got["interactions",] == (7, 7)
    assert got["p95",] == (None, 0)
    assert got["avg",] == (None, 0)


def test_a_service_that_knows_nothing_gets_no_rows_and_a_note(faked: Callable[..., Hosted]):
    answer = faked(empty).ask("summary")
    assert answer.rows == []
    assert answer.meta.n == 0
    assert any("longer range" in note for note in answer.meta.notes)


@pytest.mark.parametrize(
    "ill",
    [
        {"sessions": -1},
        {"interactions": 2**60},
        {"p95EndToEndMs": -3.0},
        {"p95EndToEndMs": 1e200},
        {
            "meta": {
                "effectiveRange": {"startTime": "0001-01-01T00:00:00+00:00", "endTime": "9999-12-31T23:59:59-12:00"}
            }
        },
        {"meta": {"effectiveRange": {"startTime": "2026-03-28T00:00:00Z", "endTime": "2026-03-27T00:00:00Z"}}},
        {"meta": {"freshnessAt": "0001-01-01T00:00:00+14:00"}},
    ],
)
def test_figures_that_cannot_be_are_bad_answers(faked: Callable[..., Hosted], ill: dict[str, object]):
    def reply(path: str, params: object) -> dict[str, object]:
        return empty(path, params) | (ill if path == "/summary" else {})

    with pytest.raises(BadAnswer):
        faked(reply).ask("summary", timezone="America/Sao_Paulo")


def test_too_small_a_budget_is_said_before_anything_is_sent(faked: Callable[..., Hosted]):
    account = faked(empty, budget=3)
    with pytest.raises(NotSupported, match="takes 4 requests") as refused:
        account.ask("summary")
    assert refused.value.code == "request_budget"
    assert not account.watched.seen
