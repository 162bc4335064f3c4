"""Agent Studio's server: it keeps its contract, and its figures are those of the calls behind it."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from statistics import fmean, median, quantiles
from typing import Any

import httpx
import jsonschema_rs
import pytest

from tests.vendors.agent_studio import JWT, KEY, LOCKED_KEY, OTHER_KEY, Feed, agent_studio, make_tenant
from tests.vendors.agent_studio_world import CallRecord, Tenant
from tests.vendors.engine import Vendor, served
from tests.vendors.holding import hold

NOW = datetime(2026, 5, 5, 16, 30, tzinfo=UTC)
TENANT = make_tenant(NOW)
UNLIMITED = 1_000_000
PERIODS = {"1h": timedelta(hours=1), "24h": timedelta(days=1), "7d": timedelta(days=7), "30d": timedelta(days=30)}


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with served(agent_studio(TENANT, most=UNLIMITED)) as found:
        yield found


def answer(url: str, path: str, **headers: str) -> httpx.Response:
    return httpx.get(f"{url}{path}", headers=headers or {"x-api-key": KEY}, trust_env=False, verify=False)


def get(url: str, path: str) -> Any:
    found = answer(url, path)
    assert found.status_code == 200, found.text
    return found.json()


def ended(period: str) -> list[CallRecord]:
    return [call for call in TENANT.calls if call.ended and call.started >= NOW - PERIODS[period]]


def test_schemathesis_finds_that_it_keeps_its_contract(tmp_path: Path) -> None:
    vendor = agent_studio(TENANT, most=UNLIMITED)
    assert "8 passed" in hold(vendor, f"X-API-Key: {KEY}", tmp_path, "--exclude-path-regex", "^/sse/")
    assert {200, 401, 404, 405, 422} <= {one.status for one in vendor.seen}


@pytest.mark.parametrize("period", PERIODS)
def test_the_summary_counts_the_calls_of_the_period(url: str, period: str) -> None:
    calls = ended(period)
    completed = sum(call.status == "completed" for call in calls)
    assert get(url, f"/analytics/summary?period={period}") == {
        "total_calls": len(calls), "completed_calls": completed, "failed_calls": len(calls) - completed,
        "active_calls": 3, "success_rate": round(100 * completed / len(calls), 1),
        "avg_duration_seconds": round(fmean(call.seconds or 0 for call in calls), 1),
        "total_tokens": sum(call.tokens for call in calls),
        **{f"avg_{kind}_latency_ms": round(fmean(call.latencies[kind] for call in calls if kind in call.latencies), 1)
           for kind in ("stt", "llm", "tts")},
    }  # fmt: skip


def test_without_a_period_it_is_the_last_24_hours(url: str) -> None:
    assert get(url, "/analytics/summary") == get(url, "/analytics/summary?period=24h")
    assert get(url, "/analytics/summary") != get(url, "/analytics/summary?period=7d")


def test_dates_win_over_a_period(url: str) -> None:
    dates = "started_after=2026-04-20T00:00:00Z&started_before=2026-04-21T02:00:00%2B02:00"
    day = [call for call in TENANT.calls if call.started.date().isoformat() == "2026-04-20"]
    assert get(url, f"/analytics/summary?{dates}&period=1h")["total_calls"] == len(day) > 0
    assert get(url, "/analytics/summary?started_after=2020-01-01T00:00:00Z")["total_calls"] == 800


def test_a_window_without_calls_has_no_averages() -> None:
    empty = Tenant(NOW)
    with served(agent_studio(empty)) as url:
        found = get(url, "/analytics/summary")
        assert (found["total_calls"], found["success_rate"], found["avg_stt_latency_ms"]) == (0, None, None)
        assert get(url, "/analytics/provider-latency") == []
    with served(agent_studio(empty, forms=["zero"])) as url:
        assert get(url, "/analytics/summary")["success_rate"] == 0


@pytest.mark.parametrize("interval", ["hour", "day", "week"])
def test_volume_is_counted_by_the_start_of_the_call(url: str, interval: str) -> None:
    def start(at: datetime) -> str:
        day = at.date() - timedelta(days=at.weekday() if interval == "week" else 0)
        return f"{day.isoformat()}T{at.hour if interval == 'hour' else 0:02}:00:00Z"

    expected = Counter(start(call.started) for call in ended("30d"))
    failed = Counter(start(call.started) for call in ended("30d") if call.status == "failed")
    found = get(url, f"/analytics/call-volume?period=30d&interval={interval}")
    assert found["interval"] == interval
    assert {row["timestamp"]: row["total"] for row in found["data"]} == expected
    assert all(row["failed"] == failed[row["timestamp"]] for row in found["data"])
    assert all(row["total"] == row["completed"] + row["failed"] for row in found["data"])
    assert [row["timestamp"] for row in found["data"]] == sorted(expected)


def test_the_busiest_workflows_come_first_and_no_more_than_asked_for(url: str) -> None:
    expected = Counter(call.workflow.slug for call in ended("30d"))
    found = get(url, "/analytics/workflow-stats?period=30d&limit=50")
    assert {row["workflow_slug"]: row["total_calls"] for row in found} == expected
    assert all(more["total_calls"] >= fewer["total_calls"] for more, fewer in pairwise(found))
    assert len(expected) == 13
    assert get(url, "/analytics/workflow-stats?period=30d") == found[:10]
    assert get(url, "/analytics/workflow-stats?period=30d&limit=2") == found[:2]


def test_latencies_are_real_percentiles_of_the_calls(url: str) -> None:
    groups = defaultdict(list)
    for call in ended("30d"):
        for kind, name in call.providers.items():
            groups[kind, name].append(call.latencies[kind])
    found = get(url, "/analytics/provider-latency?period=30d")
    assert {(row["provider_type"], row["provider_name"]) for row in found} == set(groups)
    for row in found:
        values = groups[row["provider_type"], row["provider_name"]]
        cuts = quantiles(values, n=100, method="inclusive")
        assert row["call_count"] == len(values)
        assert row["avg_latency_ms"] == round(fmean(values), 1)
        assert row["p50_latency_ms"] == pytest.approx(median(values), abs=0.06)
        assert row["p95_latency_ms"] == pytest.approx(cuts[94], abs=0.06)
        assert row["p99_latency_ms"] == pytest.approx(cuts[98], abs=0.06)


def test_percentiles_can_be_the_multiples_of_the_document_s_example() -> None:
    with served(agent_studio(TENANT, forms=["synthetic"])) as url:
        for row in get(url, "/analytics/provider-latency?period=30d"):
            mean = row["avg_latency_ms"]
            cuts = (row["p50_latency_ms"], row["p95_latency_ms"], row["p99_latency_ms"])
            assert all(0 <= mean * ratio - cut < 0.11 for ratio, cut in zip((0.9, 1.5, 2), cuts, strict=True))


@pytest.mark.parametrize("query", ["", "&service=llm", "&level=error", "&service=tool&level=warning"])
def test_errors_are_paged_newest_first_and_filtered(url: str, query: str) -> None:
    wanted = dict(pair.split("=") for pair in query.split("&") if pair)
    expected = [
        one for call in TENANT.calls if call.started >= NOW - PERIODS["30d"] for one in call.problems
        if all(getattr(one, name) == value for name, value in wanted.items())
    ]  # fmt: skip
    items: list[dict[str, Any]] = []
    while True:
        page = get(url, f"/analytics/errors?period=30d&limit=40&offset={len(items)}{query}")
        assert set(page) == {"items", "total"}
        assert page["total"] == len(expected) > 5
        items += page["items"]
        if len(page["items"]) < 40:
            break
    assert Counter(item["id"] for item in items) == Counter(one.id for one in expected)
    assert [item["timestamp"] for item in items] == sorted((item["timestamp"] for item in items), reverse=True)


def test_every_failed_call_has_an_error_of_that_level(url: str) -> None:
    failed = get(url, "/analytics/summary?period=30d")["failed_calls"]
    assert get(url, "/analytics/errors?period=30d&level=error")["total"] == failed


def test_the_list_of_errors_may_say_which_page_it_is() -> None:
    with served(agent_studio(TENANT, forms=["envelope"])) as url:
        page = get(url, "/analytics/errors?limit=2&offset=1")
        assert (page["limit"], page["offset"]) == (2, 1)


def test_started_before_may_bound_the_end_of_a_call_but_in_the_summary() -> None:
    cut = next(call for call in TENANT.calls if call.ended and call.ended - call.started > timedelta(minutes=5))
    before = (cut.started + timedelta(minutes=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
    counts = []
    for forms in ((), ("before_is_end",)):
        with served(agent_studio(TENANT, forms=forms)) as url:
            volume = get(url, f"/analytics/call-volume?started_before={before}")["data"]
            counts.append((get(url, f"/analytics/summary?started_before={before}")["total_calls"],
                           sum(row["total"] for row in volume)))  # fmt: skip
    (summary, by_start), (same, by_end) = counts
    assert summary == same == by_start
    assert by_end < by_start


def test_calls_under_way_are_counted_whatever_else_is_asked(url: str) -> None:
    assert get(url, "/analytics/active-calls") == {"count": 3}
    assert get(url, "/analytics/active-calls?period=1h") == {"count": 3}


def test_a_call_tells_what_is_known_of_it(url: str) -> None:
    call = next(call for call in TENANT.calls if call.status == "completed")
    found = get(url, f"/calls/{call.id}")
    assert (found["workflow_slug"], found["duration_seconds"]) == (call.workflow.slug, call.seconds)
    assert found["metrics"]["llm_latency_ms"] == call.latencies["llm"]
    assert found["metrics"]["agent_handoffs"] == len(call.agents) - 1
    assert datetime.fromisoformat(found["ended_at"]) == call.ended
    assert "livekit_url" in found
    assert [entry["role"] for entry in get(url, f"/calls/{call.id}/transcript")] == ["agent", "user"]
    active = get(url, f"/calls/{TENANT.active[0].id}")
    assert (active["ended_at"], active["duration_seconds"], active["metrics"]) == (None, None, None)
    assert active["current_agent"] == TENANT.active[0].agents[-1]


def test_a_call_may_have_the_fields_of_the_other_version_of_the_page() -> None:
    with served(agent_studio(TENANT, forms=["context"])) as url:
        found = get(url, f"/calls/{TENANT.calls[0].id}")
        assert {"user_context", "url"} <= set(found)
        assert not {"user_data", "livekit_url"} & set(found)


@pytest.mark.parametrize("path", ["/calls/none", f"/calls/{TENANT.calls[0].id}x/transcript", "/sse/calls/none/stream"])
def test_an_unknown_call_is_not_found(url: str, path: str) -> None:
    found = answer(url, path)
    assert (found.status_code, found.json()["error"]["code"]) == (404, "not_found")


def test_a_call_of_another_tenant_is_not_found() -> None:
    other = make_tenant(NOW, seed=4, calls=10)
    with served(agent_studio(TENANT, other=other)) as url:
        assert answer(url, f"/calls/{other.calls[0].id}").status_code == 404
        assert answer(url, f"/calls/{other.calls[0].id}", **{"x-api-key": OTHER_KEY}).status_code == 200


@pytest.mark.parametrize(
    ("query", "field"),
    [("summary?period=90d", "period"), ("summary?started_before=2016-12-31T23:59:60Z", "started_before"),
     ("summary?started_after=yesterday", "started_after"),
     ("summary?started_after=2026-01-01", "started_after"), ("call-volume?interval=month", "interval"),
     ("workflow-stats?limit=51", "limit"), ("workflow-stats?limit=0", "limit"), ("errors?limit=201", "limit"),
     ("errors?offset=-1", "offset"), ("errors?service=vad", "service"), ("errors?level=info", "level")],
)  # fmt: skip
def test_a_parameter_that_is_not_valid_is_named(url: str, query: str, field: str) -> None:
    found = answer(url, f"/analytics/{query}")
    assert found.status_code == 422
    error = found.json()["error"]
    assert error["code"] == "validation_error"
    assert [detail["field"] for detail in error["details"]] == [field]


@pytest.mark.parametrize(
    ("headers", "status"),
    [({"x-api-key": KEY}, 200), ({"authorization": f"Bearer {JWT}"}, 200), ({"x-api-key": OTHER_KEY}, 200),
     ({"x-api-key": "as_test_unknown"}, 401), ({"x-api-key": JWT}, 401), ({"authorization": f"Bearer {KEY}"}, 401),
     ({"authorization": "Bearer expired"}, 401), ({"x-nothing": "1"}, 401), ({"x-api-key": LOCKED_KEY}, 403)],
)  # fmt: skip
def test_keys_and_tokens_count_in_their_own_headers(url: str, headers: dict[str, str], status: int) -> None:
    found = answer(url, "/analytics/active-calls", **headers)
    assert found.status_code == status
    if status != 200:
        assert found.json()["error"]["code"] == {401: "authentication_error", 403: "authorization_error"}[status]


class Clock:
    def __init__(self) -> None:
        self.now = 1_777_998_600.25

    def __call__(self) -> float:
        return self.now


def test_a_key_may_ask_a_hundred_times_a_minute_and_is_told_how_often_still() -> None:
    clock = Clock()
    vendor = agent_studio(TENANT, clock=clock)
    with served(vendor) as url, httpx.Client(headers={"x-api-key": KEY}, trust_env=False, verify=False) as client:
        path = f"{url}/analytics/active-calls"
        found = [client.get(path) for _ in range(101)]
        assert [one.status_code for one in found] == [200] * 100 + [429]
        assert [found[at].headers["x-ratelimit-remaining"] for at in (0, 99, 100)] == ["99", "0", "0"]
        assert {one.headers["x-ratelimit-limit"] for one in found} == {"100"}
        assert {one.headers["x-ratelimit-reset"] for one in found} == {"1777998661"}
        assert found[-1].json()["error"]["code"] == "rate_limit_exceeded"
        assert answer(url, "/analytics/active-calls", **{"x-api-key": OTHER_KEY}).status_code == 200
        clock.now += 60
        assert client.get(path).headers["x-ratelimit-remaining"] == "99"


def events(answer: httpx.Response) -> Iterator[tuple[str, Any]]:
    name = ""
    for line in answer.iter_lines():
        if line.startswith("event: "):
            name = line.removeprefix("event: ")
        elif line.startswith("data: "):
            yield name, json.loads(line.removeprefix("data: "))


def test_the_stream_of_calls_begins_with_those_under_way_and_tells_what_comes() -> None:
    feed = Feed()
    with served(agent_studio(TENANT, feed=feed)) as url:
        with httpx.stream(
            "GET", f"{url}/sse/calls/stream", headers={"x-api-key": KEY}, trust_env=False, timeout=60
        ) as live:
            found = events(live)
            assert [next(found)[0] for _ in range(3)] == ["connected", "active_count", "calls_update"]
            feed.push("active_count", {"count": 4, "timestamp": "2026-05-05T16:31:00Z"})
            assert next(found) == ("active_count", {"count": 4, "timestamp": "2026-05-05T16:31:00Z"})
            feed.end()
            assert list(found) == []


def test_a_stream_that_has_nothing_to_tell_has_a_heartbeat() -> None:
    with served(agent_studio(TENANT, beat=0)) as url:
        with httpx.stream(
            "GET", f"{url}/sse/calls/stream", headers={"x-api-key": KEY}, trust_env=False, timeout=60
        ) as live:
            found = events(live)
            assert next(event for event, _ in found if event not in {"connected", "active_count", "calls_update"}) == (
                "heartbeat"
            )


def test_the_stream_of_a_call_ends_with_it() -> None:
    feed, active = Feed(), TENANT.active[0].id
    with served(agent_studio(TENANT, feed=feed)) as url:
        over = next(call for call in TENANT.calls if call.ended)
        with httpx.stream(
            "GET", f"{url}/sse/calls/{over.id}/stream", headers={"x-api-key": KEY}, trust_env=False
        ) as live:
            assert [event for event, _ in events(live)] == ["status", "transcript", "transcript", "ended"]
        feed.push("ended", {}, call="another")
        feed.push("agent_changed", {"agent": "meal-agent"}, call=active)
        feed.push("ended", {}, call=active)
        with httpx.stream(
            "GET", f"{url}/sse/calls/{active}/stream", headers={"x-api-key": KEY}, trust_env=False
        ) as live:
            assert [event for event, _ in events(live)][-2:] == ["agent_changed", "ended"]


def test_only_documented_events_are_told() -> None:
    feed = Feed()
    with pytest.raises(AssertionError, match="hung_up is no event of calls_stream"):
        feed.push("hung_up", {})
    with pytest.raises(jsonschema_rs.ValidationError):
        feed.push("active_count", {"count": -1, "timestamp": 0})


@pytest.mark.parametrize(
    "operation", ["summary", "call_volume", "workflow_stats", "provider_latency", "error_logs", "active_calls"]
)
def test_a_document_s_example_is_served_where_a_test_asks_for_it(operation: str) -> None:
    vendor: Vendor = agent_studio(TENANT)
    shown = vendor.answer_with_example(operation)
    with served(vendor) as url:
        assert get(url, vendor.contract.operations[operation].path) == shown


def test_the_same_seed_makes_the_same_calls() -> None:
    assert make_tenant(NOW) == TENANT
    assert make_tenant(NOW, seed=9) != TENANT
