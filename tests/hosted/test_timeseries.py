"""Measures of a hosted account over time, beside those of the warehouse behind it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytest

from talkscope.errors import BadAnswer, InvalidArgument, NotSupported
from tests.hosted.accounts import Hosted, by_label, same
from tests.hosted.conftest import NOW

VOLUME = ("sessions", "interactions", "end_users", "count", "errors")
ADDITIVE = ("interactions", "count", "errors")
SPRING = "2026-03-30T07:41:00.5+00:00"
"""A day after the clocks of Europe went forward, in the middle of a minute."""
AUTUMN = "2026-10-26T02:10:00+00:00"


def check(
    account: Hosted,
    measures: Sequence[str],
    truth: dict[str, Any] | None = None,
    by: Sequence[str] = (),
    **words: Any,
) -> None:
    """Both answer the same figures in the same buckets; `truth` are words for the warehouse alone."""
    asked = {"measures": list(measures), "group_by": list(by), "limit": 50, "max_rows": 50_000, **words}
    answer, expected = account.ask("timeseries", **asked), account.truth("timeseries", **asked, **(truth or {}))
    assert answer.columns == expected.columns
    assert answer.meta.granularity == expected.meta.granularity
    assert answer.rows
    labels = ["bucket", *by]
    got, known = by_label(answer, labels, measures), by_label(expected, labels, measures)
    assert [row[0] for row in answer.rows if not by] == [row[0] for row in expected.rows if not by]
    assert any(any(figures) for figures in got.values())
    for key in got.keys() | known.keys():
        for name, value, real in zip(measures, got.get(key, (None,) * 9), known.get(key, (None,) * 9), strict=False):
            assert same(value or None, real or None, 0.002), (key, name, value, real)
    cut = [note for note in expected.meta.notes if note.startswith("Cut")]
    assert [note for note in answer.meta.notes if note.startswith("Cut")] == cut


@pytest.mark.parametrize(
    ("range", "grain"),
    [("last_15m", "minute"), ("last_1h", "minute"), ("last_6h", "hour"), ("last_24h", "hour"), ("last_24h", "minute"),
     ("last_7d", "day"), ("last_7d", "hour"), ("last_30d", "day"), ("last_30d", None), ("last_24h", None)],
)  # fmt: skip
def test_the_services_own_buckets_are_exact(account: Hosted, range: str, grain: str | None):
    account.at("2026-03-28T13:01:30+00:00")
    words: dict[str, Any] = {"range": range, "granularity": grain} if grain else {"range": range}
    check(account, VOLUME, **words)
    check(account, ("p50", "p95", "avg"), {"metric_name": "voice.user_to_bot_latency"}, **words)
    check(account, ("p75", "max"), **words)


@pytest.mark.parametrize("grain", ["week", "month", "day"])
def test_weeks_and_months_are_added_up_from_days(account: Hosted, grain: str):
    check(account.at(SPRING), (*ADDITIVE, "max"), range="last_30d", granularity=grain)


@pytest.mark.parametrize("zone", ["Europe/Berlin", "America/Sao_Paulo", "Asia/Kolkata", "Australia/Lord_Howe"])
@pytest.mark.parametrize(
    ("time", "range", "grain"),
    [(SPRING, "last_7d", "day"), (SPRING, "last_30d", "week"), (AUTUMN, "last_7d", "day"), (AUTUMN, "last_24h", "hour"),
     ("2026-04-05T16:00:00+00:00", "last_24h", "hour"), ("2026-10-04T14:00:00+00:00", "last_24h", "hour")],
)  # fmt: skip
def test_buckets_of_another_zone_are_added_up_across_changes_of_its_clock(
    account: Hosted, zone: str, time: str, range: str, grain: str
):
    check(account.at(time), ADDITIVE, range=range, granularity=grain, timezone=zone)


def test_the_mean_and_the_highest_latency_can_be_regrouped(account: Hosted):
    words: dict[str, Any] = {"range": "last_7d", "granularity": "day", "timezone": "Europe/Berlin"}
    check(account.at(SPRING), ("avg",), {"metric_name": "voice.user_to_bot_latency"}, **words)
    check(account.at(SPRING), ("max",), **words)


def test_hours_of_a_zone_whole_hours_away_are_the_services_own(account: Hosted):
    words: dict[str, Any] = {"range": "last_24h", "granularity": "hour", "timezone": "Europe/Berlin"}
    check(account.at(SPRING), VOLUME, **words)
    check(account, ("p95",), {"metric_name": "voice.user_to_bot_latency"}, **words)


@pytest.mark.parametrize("measure", ["p95", "sessions", "end_users", "p75"])
@pytest.mark.parametrize(
    "words",
    [{"granularity": "day", "timezone": "Europe/Berlin"}, {"granularity": "week"}, {"granularity": "month"},
     {"granularity": "hour", "timezone": "Asia/Kolkata"}],
    ids=str,
)  # fmt: skip
def test_what_does_not_add_up_is_refused_with_what_would_do(account: Hosted, measure: str, words: dict[str, str]):
    with pytest.raises(NotSupported, match=f"{measure} of") as refused:
        account.ask("timeseries", measures=[measure], range="last_7d", **words)
    assert "timezone=UTC" in refused.value.hint or "granularity=day" in refused.value.hint
    assert not account.watched.seen


def test_n_is_counted_by_bucket(account: Hosted):
    asked = {"measures": ["p95", "interactions"], "range": "last_24h", "granularity": "hour"}
    answer = account.ask("timeseries", **asked)
    metric = {"measures": ["p95"], "metric_name": "voice.user_to_bot_latency", "granularity": "hour"}
    expected = by_label(account.truth("timeseries", **metric), ["bucket"], ["n"])
    assert by_label(answer, ["bucket"], ["n"]) == expected
    assert answer.meta.n == sum(n for (n,) in expected.values())
    assert answer.meta.requests == 3


def test_the_error_rate_of_a_bucket_is_a_fraction_of_its_interactions(account: Hosted):
    asked = {"measures": ["error_rate"], "range": "last_24h", "granularity": "hour"}
    got = by_label(account.ask("timeseries", **asked), ["bucket"], ["error_rate"])
    for key, (truth,) in by_label(account.truth("timeseries", **asked), ["bucket"], ["error_rate"]).items():
        rate = got[key][0]
        assert rate is None or rate / (1 + rate) - 1e-6 <= truth <= rate + 1e-6


@pytest.mark.parametrize("by", ["processor", "provider", "app_key", "character_id", "status"])
def test_groups_over_time(account: Hosted, by: str):
    check(account, ("interactions", "errors", "sessions"), by=[by], range="last_24h", granularity="hour")


@pytest.mark.parametrize("by", ["processor", "model"])
def test_durations_of_components_over_time(account: Hosted, by: str):
    check(account, ("p95", "avg", "error_rate"), by=[by], range="last_24h", granularity="hour")


def test_the_largest_groups_are_shown_and_how_many_there_are(account: Hosted):
    asked = {"measures": ["p95"], "group_by": "processor", "limit": 3, "range": "last_24h"}
    answer, expected = account.ask("timeseries", **asked), account.truth("timeseries", **asked)
    assert [row[1] for row in answer.rows[:3]] == [row[1] for row in expected.rows[:3]]
    assert [note for note in answer.meta.notes if "groups are shown" in note] == [
        note for note in expected.meta.notes if "groups are shown" in note
    ]
    assert {row[3] for row in answer.rows if row[2] is not None} == {None}
    assert any("n is null" in note for note in answer.meta.notes)


@pytest.mark.parametrize(
    "words",
    [{"metric_name": "llm.ttfb"}, {"metric_name_prefix": "error."}, {"filters": ["provider=openai"]},
     {"filters": ["app_key=app-1", "status=error"]}],
    ids=str,
)  # fmt: skip
def test_metrics_and_filters_over_time(account: Hosted, words: dict[str, Any]):
    check(account, ("count", "sessions", "interactions", "errors"), range="last_24h", granularity="hour", **words)


def test_granularity_is_coarsened_to_the_budget_of_rows_before_asking(account: Hosted):
    asked = {"measures": ["interactions"], "granularity": "minute", "range": "last_24h", "max_rows": 100}
    answer = account.ask("timeseries", **asked)
    assert answer.meta.granularity == "hour"
    assert any(note.startswith("Granularity is hour, not minute") for note in answer.meta.notes)
    assert "granularity=minute" not in str(account.watched.seen[0].url)


def test_a_window_with_nothing_in_it_has_no_rows(account: Hosted):
    answer = account.at("2025-06-08T00:00:00+00:00").ask("timeseries", measures=["p95", "interactions"])
    assert answer.rows == []
    assert answer.meta.n == 0
    assert any("longer range" in note for note in answer.meta.notes)
    assert account.ask("timeseries", measures=["p95"], group_by="processor").rows == []


def test_more_calls_than_the_budget_are_refused_before_the_first(made: Callable[[int], Hosted]):
    account = made(5).at(NOW)
    with pytest.raises(NotSupported, match="takes 6 requests"):
        account.ask("timeseries", measures=["p50", "p95", "p99", "sessions"], group_by="app_key")
    assert not account.watched.seen


def test_two_dimensions_are_for_get_breakdown(account: Hosted):
    with pytest.raises(InvalidArgument):
        account.ask("timeseries", group_by=["model", "processor"])


def series(points: list[dict[str, Any]], **more: Any) -> Callable[[str, object], dict[str, Any]]:
    return lambda path, params: {"measure": "x", "granularity": "hour", "points": points, "meta": {}, **more}


def point(start: str, value: float | None, **more: Any) -> dict[str, Any]:
    return {"bucketStart": start, "value": value, **more}


def test_missing_unordered_and_repeated_buckets_are_understood(faked: Callable[..., Hosted]):
    points = [
        point("2026-03-28T20:00:00Z", 4),
        point("2026-03-28T03:00:00+02:00", 2.0, extra=1),
        point("2026-03-28T20:00:00+00:00", 4),
        point("2026-03-28T22:00:00Z", None),
        point("2026-03-29T00:00:00Z", 0),
    ]
    answer = faked(series(points)).ask("timeseries", measures=["interactions"], granularity="hour")
    assert len(answer.rows) == 24
    assert {row[0]: row[1] for row in answer.rows if row[1]} == {"2026-03-28T01:00:00Z": 2, "2026-03-28T20:00:00Z": 4}
    assert answer.meta.n == 6


@pytest.mark.parametrize(
    "points",
    [
        [point("2026-03-28T20:00:00Z", 4), point("2026-03-28T20:00:00Z", 5)],
        [point("2026-03-28T20:30:00Z", 4)],
        [point("2026-02-28T20:00:00Z", 4)],
        [point("0001-01-01T00:00:00+14:00", 4)],
        [point("9999-12-31T23:00:00-12:00", 4)],
        [point("2026-03-28T20:00:00Z", -1)],
        [point("2026-03-28T20:00:00Z", 1e300)],
    ],
    ids=str,
)
def test_buckets_that_cannot_be_are_bad_answers(faked: Callable[..., Hosted], points: list[dict[str, Any]]):
    with pytest.raises(BadAnswer):
        faked(series(points)).ask("timeseries", measures=["interactions"], granularity="hour")


@pytest.mark.parametrize(
    "window",
    [
        ("2000-01-01T00:00:00Z", "2026-03-29T00:00:00Z"),
        ("2026-03-29T00:00:00Z", "2026-03-29T00:00:00Z"),
        ("0001-01-01T00:00:00Z", "0001-01-02T00:00:00Z"),
        ("9999-12-30T00:00:00Z", "9999-12-31T00:00:00Z"),
    ],
)
def test_windows_that_cannot_be_are_bad_answers(faked: Callable[..., Hosted], window: tuple[str, str]):
    meta = {"effectiveRange": {"startTime": window[0], "endTime": window[1]}}
    with pytest.raises(BadAnswer, match="last_24h"):
        faked(series([], meta=meta)).ask("timeseries", measures=["p95"], granularity="hour")


def test_an_answer_in_another_granularity_is_refused_with_it(faked: Callable[..., Hosted]):
    with pytest.raises(NotSupported) as refused:
        faked(series([], granularity="day")).ask("timeseries", measures=["p95"], granularity="hour")
    assert "granularity=day" in refused.value.hint


def test_groups_that_a_full_answer_leaves_out_are_unknown_and_not_0(faked: Callable[..., Hosted]):
    def reply(path: str, params: dict[str, str]) -> dict[str, Any]:
        names = [f"m{i}" for i in range(60)]
        if path == "/breakdown":
            return {"measure": "x", "groupBy": "model", "rows": [{"group": n, "value": 9} for n in names], "meta": {}}
        seen = names[:50] if params["measure"] == "count" else names[10:]
        points = [point("2026-03-28T20:00:00Z", 3, group=n) for n in seen]
        return {"measure": "x", "granularity": "hour", "points": points, "meta": {}}

    answer = faked(reply).ask(
        "timeseries", measures=["count", "sessions"], group_by="model", granularity="hour", limit=12
    )
    rows = {row[1]: row[2:4] for row in answer.rows if str(row[0]).endswith("T20:00:00Z")}
    assert rows["m0"] == [3, None]
    assert rows["m10"] == [3, 3]
    assert any("left out" in note for note in answer.meta.notes)


def test_a_percentile_of_no_values_is_null(faked: Callable[..., Hosted]):
    def reply(path: str, params: dict[str, str]) -> dict[str, Any]:
        value: list[float] = [2, 0] if params["measure"] == "count" else [0.0, 0.0]
        hours = ["2026-03-28T20:00:00Z", "2026-03-28T21:00:00Z"]
        return series([point(hour, each) for hour, each in zip(hours, value, strict=True)])(path, params)

    answer = faked(reply).ask("timeseries", measures=["p95"], granularity="hour")
    assert [row[1:] for row in answer.rows[20:22]] == [[0.0, 2], [None, 0]]
