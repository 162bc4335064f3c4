"""What can be asked of a hosted account, and restricted queries passed on to it."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from talkscope.errors import BadAnswer, InvalidArgument, NotSupported, UnknownName
from tests.hosted.accounts import Hosted, by_label, same


@pytest.mark.parametrize("kind", ["all", "measure", "dimension", "metric"])
def test_the_catalogue_has_the_metrics_of_the_service(account: Hosted, kind: str):
    answer, truth = account.ask("catalog", kind=kind), account.truth("catalog", kind=kind)
    assert answer.columns == truth.columns
    got, known = by_label(answer, ["kind", "name"], ["unit"]), by_label(truth, ["kind", "name"], ["unit"])
    assert got.items() <= known.items()
    assert {name for what, name in got if what == "metric"} == {name for what, name in known if what == "metric"}
    assert answer.meta.requests == (1 if kind in ("all", "metric") else 0)
    assert answer.meta.n == len(answer.rows)


def test_everything_in_the_catalogue_can_be_asked_for(account: Hosted):
    names = by_label(account.ask("catalog"), ["kind", "name"], [])
    for kind, name in names:
        if kind == "measure":
            assert account.ask("breakdown", measures=[name], group_by="app_key").columns
        elif kind == "dimension":
            assert account.ask("breakdown", measures=["count"], group_by=name).columns
    assert not {"cost_usd", "channel", "resolution"} & {name for _, name in names}


def test_a_catalogue_that_repeats_itself_lists_each_metric_once(faked: Callable[..., Hosted]):
    metric = {"metricName": "b\u0000", "metricType": "T", "description": "d", "visibility": "public", "new": [1]}
    reply = {"metrics": [metric, metric, {**metric, "metricName": "a", "unit": ""}], "meta": {}}
    answer = faked(lambda path, params: reply).ask("catalog", kind="metric")
    assert [row[1:3] for row in answer.rows] == [["a", None], ["b\u0000", None]]


@pytest.mark.parametrize(
    ("question", "code", "instead"),
    [
        ("outcomes", "no_outcomes", "talkscope sync"),
        ("live_support", "no_such_records", "talkscope sync mavenoid"),
        ("resources", "no_such_records", "get_breakdown by processor"),
        ("errors", "no_such_records", "errors by error_code"),
    ],
)
def test_records_that_the_service_does_not_tell_are_refused_before_anything_is_sent(
    faked: Callable[..., Hosted], question: str, code: str, instead: str
):
    account = faked(lambda path, params: {})
    with pytest.raises(NotSupported, match=instead) as refused:
        account.ask(question)
    assert refused.value.code == code
    assert not account.watched.seen


def query(**words: Any) -> dict[str, Any]:
    time = {"dimension": "SessionMetrics.eventTime", "dateRange": words.pop("dateRange", "last 7 days")}
    grain = words.pop("granularity", None)
    return {"timeDimensions": [time | ({"granularity": grain} if grain else {})], **words}


@pytest.mark.parametrize(
    "asked",
    [
        query(measures=["SessionMetrics.p95Value", "SessionMetrics.count"], dimensions=["SessionMetrics.model"]),
        query(measures=["p95", "count", "sessions"], dimensions=["processor", "app_key"], limit=40),
        query(measures=["errors", "end_users"], granularity="day", dateRange="last_30d"),
        query(measures=["interactions"], granularity="hour", dateRange=["2026-03-28", "2026-03-28"]),
        query(measures=["interactions"], granularity="month", dateRange="last 30 days"),
        query(measures=["avg", "p75"], dimensions=["characterId"], order={"avg": "asc"}),
        query(measures=["count"], dimensions=["model"], segments=["llm_metrics"]),
        query(
            measures=["count"],
            dimensions=["processor"],
            filters=[{"member": "SessionMetrics.count", "operator": "gt", "values": ["10"]}],
            order={"SessionMetrics.count": "desc"},
        ),
        {"measures": ["sessions"], "dimensions": ["status"]},
    ],
    ids=lambda asked: " ".join(asked["measures"]),
)
def test_a_query_answers_what_the_warehouse_answers(account: Hosted, asked: dict[str, Any]):
    answer, truth = account.ask("query", query=asked), account.truth("query", query=asked)
    shared = [name for name in answer.columns if name in truth.columns and name != "n"]
    assert answer.columns == [*shared, "n"]
    at = [truth.columns.index(name) for name in shared]
    assert len(answer.rows) == len(truth.rows) > 0
    for got, known in zip(answer.rows, truth.rows, strict=True):
        for value, real in zip(got, (known[place] for place in at), strict=False):
            if isinstance(real, int | float):
                assert same(value, real)  # type: ignore[arg-type]
            else:
                assert value == real
    assert answer.meta.window is not None
    assert truth.meta.window is not None
    assert (answer.meta.window.start, answer.meta.window.end) == (truth.meta.window.start, truth.meta.window.end)


def test_members_travel_as_the_service_names_them(account: Hosted):
    account.ask("query", query={"measures": ["sessions", "p95"], "dimensions": ["character_id"]})
    body = json.loads(account.watched.seen[0].content)
    assert body["measures"] == ["SessionMetrics.uniqueSessions", "SessionMetrics.p95Value"]
    assert body["dimensions"] == ["SessionMetrics.characterId"]
    assert body["timeDimensions"] == [{"dimension": "SessionMetrics.eventTime", "dateRange": "last 24 hours"}]


@pytest.mark.parametrize(
    "asked",
    [
        {},
        {"measures": [f"m{i}" for i in range(13)]},
        {"measures": ["count"], "timeDimensions": [{"dimension": "born"}]},
    ],
    ids=str,
)
def test_queries_that_are_none_are_refused_before_anything_is_sent(account: Hosted, asked: dict[str, Any]):
    with pytest.raises((InvalidArgument, UnknownName)):
        account.ask("query", query=asked)
    assert not account.watched.seen


def test_a_query_is_in_utc(account: Hosted):
    with pytest.raises(NotSupported, match="Europe/Berlin"):
        account.ask("query", query={"measures": ["count"]}, timezone="Europe/Berlin")
    assert not account.watched.seen


def fake(*rows: dict[str, Any]) -> Callable[[str, object], dict[str, Any]]:
    return lambda path, params: {"data": list(rows), "meta": {}}


def test_rows_in_any_spelling_are_understood(faked: Callable[..., Hosted]):
    asked = {"measures": ["p95", "count"], "dimensions": ["model"], "timeDimensions": [
        {"dimension": "SessionMetrics.eventTime", "granularity": "day"}]}  # fmt: skip
    day = "SessionMetrics.eventTime.day"
    reply = fake(
        {"SessionMetrics.p95Value": "12.5", "SessionMetrics.count": "3", "SessionMetrics.model": "",
         day: "2026-03-28T00:00:00.000"},
        {"SessionMetrics.p95_value": None, "count": 4.0, "model": "x", "SessionMetrics.eventTime": "2026-03-27"},
    )  # fmt: skip
    answer = faked(reply).ask("query", query=asked)
    assert answer.columns == ["bucket", "model", "p95", "count", "n"]
    assert answer.rows == [["2026-03-28", None, 12.5, 3, None], ["2026-03-27", "x", None, 4, None]]


def test_a_member_that_only_the_service_knows_is_passed_on(faked: Callable[..., Hosted]):
    account = faked(fake({"SessionMetrics.minutesOfAudio": 2.5, "SessionMetrics.region": "eu"}))
    asked = {"measures": ["SessionMetrics.minutesOfAudio"], "dimensions": ["SessionMetrics.region"]}
    answer = account.ask("query", query=asked)
    assert answer.columns == ["region", "minutesOfAudio", "n"]
    assert answer.rows == [["eu", 2.5, None]]


@pytest.mark.parametrize(
    "row",
    [
        {"count": "many"}, {"count": -1}, {"count": [1]}, {"count": 1e300}, {"count": True}, {"count": 1, "model": {}},
        {"count": 1, "eventTime": "soon"}, {"count": 1, "eventTime": 5}, {"count": 1, "model": 1e200},
        {"count": 1, "eventTime": "0001-01-01T00:00:00+14:00"}, {"count": "1" * 400},
    ],
    ids=lambda row: str(row)[:50],
)  # fmt: skip
def test_rows_that_cannot_be_are_bad_answers(faked: Callable[..., Hosted], row: dict[str, Any]):
    asked = {"measures": ["count"], "dimensions": ["model"], "timeDimensions": [
        {"dimension": "eventTime", "granularity": "hour"}]}  # fmt: skip
    with pytest.raises(BadAnswer):
        faked(fake(row)).ask("query", query=asked)
