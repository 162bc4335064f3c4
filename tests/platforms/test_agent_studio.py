"""Agent Studio, met through the client: what its calls send, what its answers mean, and everything odd about both."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta, timezone
from inspect import signature
from pathlib import Path
from typing import Any

import httpx
import pytest
from pydantic import SecretStr

from talkscope import Client
from talkscope.errors import (
    AuthenticationError,
    BadAnswer,
    InvalidArgument,
    InvalidRange,
    NotFound,
    PlanInsufficient,
    RateLimited,
    TalkscopeError,
    UnknownName,
    UsageError,
    ValidationError,
)
from talkscope.flow import Call, Manners, Policy
from talkscope.platforms import agent_studio
from talkscope.platforms.access import Limit
from talkscope.platforms.agent_studio import ACCESS, CALLS, calls, meaning

CONTRACT: dict[str, Any] = json.loads(
    (Path(__file__).parents[2] / "openapi" / "platforms" / "agent_studio.json").read_text(encoding="utf-8")
)
OPERATIONS: dict[str, tuple[str, dict[str, Any]]] = {
    operation["operationId"]: (place, operation)
    for place, ways in CONTRACT["paths"].items()
    for operation in ways.values()
}
STREAMS = {"calls_stream", "call_stream"}
KEY = "as_live_0123456789abcdef"
ENTRY = {
    "id": "c1-0",
    "call_id": "c1",
    "timestamp": "2026-01-17T10:30:00Z",
    "service": "stt",
    "level": "error",
    "message": "No answer",
    "details": {},
}
DETAIL: dict[str, Any] = {
    "id": "c1",
    "workflow_id": "w1",
    "workflow_slug": "daily",
    "user_id": "u1",
    "status": "completed",
    "direction": "outbound",
    "duration_seconds": 12.5,
    "agent_history": ["greeter", {"agent": "meals"}],
    "metrics": {"duration_seconds": 12.5, "stt_latency_ms": None, "total_tokens": 30, "agent_handoffs": 1},
    "started_at": "2026-01-17T10:30:00Z",
    "ended_at": None,
    "created_at": "2026-01-17T11:29:59+01:00",
}


def resolved(schema: dict[str, Any]) -> dict[str, Any]:
    held = dict(schema)
    while "$ref" in held:
        found: Any = CONTRACT
        for step in held.pop("$ref").removeprefix("#/").split("/"):
            found = found[step]
        held = {**found, **held}
    return held


def example(name: str) -> Any:
    content = OPERATIONS[name][1]["responses"]["200"]["content"]["application/json"]
    return content["examples"]["documented"]["value"]


def answered(
    call: Call[Any], *answers: object, status: int = 200, manners: Manners | None = None
) -> tuple[Any, list[httpx.Request]]:
    """What the call gives when the service answers so, page by page, and the requests that it took."""
    asked: list[httpx.Request] = []
    left = iter(answers)

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return httpx.Response(status, json=next(left))

    with Client(
        str(ACCESS.url), transport=httpx.MockTransport(answer), policy=Policy(attempts=1), manners=manners
    ) as client:
        return (list(client.pages(call)) if call.next else client.send(call)), asked


def failing(call: Call[Any], status: int, body: object, manners: Manners | None = None) -> TalkscopeError:
    with pytest.raises(TalkscopeError) as caught:
        answered(call, body, status=status, manners=manners)
    return caught.value


def test_every_operation_of_the_contract_is_a_call_or_a_stream() -> None:
    assert set(CALLS) | STREAMS == set(OPERATIONS)


@pytest.mark.parametrize("name", sorted(CALLS))
def test_a_call_takes_the_parameters_of_its_operation_and_goes_to_its_place(name: str) -> None:
    place, operation = OPERATIONS[name]
    taken = {"id" if word == "call_id" else word for word in signature(CALLS[name]).parameters}
    assert taken == {resolved(each)["name"] for each in operation.get("parameters", [])}
    call = CALLS[name]("c/1") if "{id}" in place else CALLS[name]()
    assert (call.method, call.path, call.read_only) == ("GET", place.replace("{id}", "c%2F1"), True)


@pytest.mark.parametrize("name", sorted(set(CALLS) - {"call_detail", "call_transcript"}))
def test_the_documents_own_examples_are_read_whole(name: str) -> None:
    told = example(name)
    answer, _ = answered(
        CALLS[name](limit=2) if name == "error_logs" else CALLS[name](), told, {"items": [], "total": 67}
    )
    read = [row.model_dump(mode="json") for row in answer] if isinstance(told, list) else None
    if name == "error_logs":
        read, told = answer[0].model_dump(mode="json"), {**told, "offset": 0, "limit": 2}
    elif name == "provider_latency":
        told = [{**row, "estimated": True} for row in told]
    elif read is None:
        read = answer.model_dump(mode="json")
    assert read == told


WINDOW: Any = {"started_after": "2026-01-01T00:00:00Z", "started_before": "2026-01-15T23:59:59Z"}


@pytest.mark.parametrize(
    ("call", "sent"),
    [
        (agent_studio.summary(period="7d"), "period=7d"),
        (
            agent_studio.summary(**WINDOW),
            "started_after=2026-01-01T00%3A00%3A00Z&started_before=2026-01-15T23%3A59%3A59Z",
        ),
        (agent_studio.call_volume(interval="week", period="30d"), "period=30d&interval=week"),
        (agent_studio.workflow_stats(limit=50), "limit=50"),
        (agent_studio.provider_latency(period="1h"), "period=1h"),
        (
            agent_studio.error_logs(service="tool", level="warning", offset=0, limit=200, period="24h"),
            "period=24h&service=tool&level=warning&offset=0&limit=200",
        ),
        (CALLS["workflow_stats"](limit="7"), "limit=7"),
    ],
)
def test_what_is_asked_goes_over_the_wire_as_documented(call: Call[Any], sent: str) -> None:
    name = next(name for name, (place, _) in OPERATIONS.items() if place == call.path)
    _, asked = answered(call, {"items": [], "total": 0} if name == "error_logs" else example(name))
    assert asked[0].url.query.decode() == sent
    assert str(asked[0].url).startswith("https://api.agentstudio.dev/api/v1/analytics/")


def test_moments_of_other_zones_are_sent_in_utc() -> None:
    late = datetime(2026, 1, 1, 1, tzinfo=timezone(timedelta(hours=2)))
    assert agent_studio.summary(started_after=late).params == (("started_after", "2025-12-31T23:00:00Z"),)


@pytest.mark.parametrize(
    ("kind", "ask"),
    [
        (UnknownName, lambda: CALLS["summary"](period="12h")),
        (UnknownName, lambda: CALLS["summary"](period=24)),
        (UnknownName, lambda: CALLS["call_volume"](interval="month")),
        (UnknownName, lambda: CALLS["error_logs"](service="vad")),
        (UnknownName, lambda: CALLS["error_logs"](level="info")),
        (InvalidArgument, lambda: CALLS["error_logs"](limit=201)),
        (InvalidArgument, lambda: CALLS["error_logs"](limit=True)),
        (InvalidArgument, lambda: CALLS["error_logs"](offset=-1)),
        (InvalidArgument, lambda: CALLS["workflow_stats"](limit=0)),
        (InvalidArgument, lambda: CALLS["workflow_stats"](limit="51")),
        (InvalidArgument, lambda: CALLS["summary"](started_after="2026-01-01")),
        (InvalidArgument, lambda: CALLS["summary"](started_after="2026-13-01T00:00:00Z")),
        (InvalidArgument, lambda: CALLS["summary"](started_after="2026-01-01T00:00:00")),
        (InvalidArgument, lambda: CALLS["summary"](started_after=datetime(2026, 1, 1))),  # noqa: DTZ001
        (
            InvalidRange,
            lambda: CALLS["summary"](started_after=WINDOW["started_before"], started_before="2026-01-01T00:00:00Z"),
        ),
    ],
)
def test_words_that_the_service_cannot_take_are_refused_with_a_hint_before_sending(
    kind: type[UsageError], ask: Callable[[], object]
) -> None:
    with pytest.raises(kind) as caught:
        ask()
    assert caught.value.hint


def test_words_that_can_be_chosen_and_bounds_are_those_of_the_contract() -> None:
    schemas, parameters = CONTRACT["components"]["schemas"], CONTRACT["components"]["parameters"]
    assert list(calls.PERIODS) == schemas["Period"]["enum"] == ["1h", "24h", "7d", "30d"]
    assert list(calls.INTERVALS) == schemas["Interval"]["enum"] == ["hour", "day", "week"]
    assert list(calls.SERVICES) == schemas["ErrorService"]["enum"] == ["stt", "llm", "tts", "workflow", "tool"]
    assert list(calls.LEVELS) == schemas["ErrorLevel"]["enum"] == ["error", "warning"]
    assert calls.MOST_WORKFLOWS == parameters["WorkflowLimit"]["schema"]["maximum"] == 50
    assert calls.MOST_ERRORS == parameters["ErrorLimit"]["schema"]["maximum"] == 200
    page = agent_studio.error_logs().parse({"items": [], "total": 0})
    assert page.limit == parameters["ErrorLimit"]["schema"]["default"] == 50


def test_an_id_that_would_lead_elsewhere_is_refused() -> None:
    for name in ("", ".", ".."):
        with pytest.raises(InvalidArgument):
            agent_studio.call_detail(name)


@pytest.mark.parametrize("name", ["summary", "call_volume", "workflow_stats", "provider_latency", "error_logs"])
def test_a_period_beside_moments_is_refused_because_no_document_says_which_wins(name: str) -> None:
    for moment in ("started_after", "started_before"):
        with pytest.raises(InvalidArgument, match="period and started_after or started_before"):
            CALLS[name](period="7d", **{moment: WINDOW[moment]})


def test_active_calls_take_no_period_whatever_the_page_says_of_all_endpoints() -> None:
    with pytest.raises(TypeError):
        CALLS["active_calls"](period="1h")


def test_keys_and_login_tokens_travel_each_in_their_own_header() -> None:
    told = [ACCESS.header(SecretStr(key)) for key in (KEY, " as_test_1 ", "eyJhbGciOi.x.y")]
    assert [(name, value.get_secret_value()) for name, value in told] == [
        ("x-api-key", KEY),
        ("x-api-key", "as_test_1"),
        ("authorization", "Bearer eyJhbGciOi.x.y"),
    ]


def test_a_hundred_calls_a_minute_share_one_limit_as_the_contract_has_it() -> None:
    stated = CONTRACT["x-rate-limit"]["buckets"][0]
    limit = Limit(stated["limit"], stated["per-seconds"])
    limits = agent_studio.PLATFORM.manners.limits
    assert [limits[agent_studio.bucket(CALLS[name]())] for name in ("summary", "active_calls")] == [limit, limit]


def test_an_answer_is_good_for_as_long_as_the_vendor_recommends() -> None:
    for name, (_, operation) in OPERATIONS.items():
        if name in CALLS:
            call = CALLS[name]("c1") if name.startswith("call_") and name != "call_volume" else CALLS[name]()
            assert agent_studio.refresh(call) == operation.get("x-refresh", {}).get("seconds"), name


def test_the_headers_of_an_answer_tell_what_is_left_of_the_minute() -> None:
    told = {"x-ratelimit-limit": "100", "x-ratelimit-remaining": "7", "x-ratelimit-reset": "1768645800"}
    assert agent_studio.allowance(told) == agent_studio.Allowance(7, 1768645800)
    assert agent_studio.allowance({**told, "x-ratelimit-reset": "soon"}) is None
    assert agent_studio.allowance({}) is None


def test_nothing_is_sent_while_the_headers_say_that_the_minute_is_used_up() -> None:
    asked: list[str] = []
    told = {"x-ratelimit-limit": "100", "x-ratelimit-remaining": "0", "x-ratelimit-reset": "1768645830"}

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request.url.path)
        return httpx.Response(200, json={"count": 3}, headers={**told, "date": "Sat, 17 Jan 2026 10:30:00 GMT"})

    with Client(
        str(ACCESS.url),
        transport=httpx.MockTransport(answer),
        policy=Policy(attempts=1, turn=0),
        manners=agent_studio.PLATFORM.manners,
    ) as client:
        assert client.send(agent_studio.active_calls()).count == 3
        with pytest.raises(RateLimited) as caught:
            client.send(agent_studio.summary())
    assert caught.value.details["retry_after"] == pytest.approx(30, abs=29)
    assert asked == ["/api/v1/analytics/active-calls"]


def entries(*numbers: int) -> list[dict[str, Any]]:
    return [{**ENTRY, "id": f"c1-{number}"} for number in numbers]


def test_pages_of_errors_are_followed_by_what_came_where_the_envelope_says_neither_limit_nor_offset() -> None:
    call = agent_studio.error_logs(limit=2, level="error")
    bodies = [{"items": entries(*page), "total": 5} for page in ([0, 1], [2, 3], [4])]
    pages, asked = answered(call, *bodies)
    assert [entry.id for page in pages for entry in page.items] == [f"c1-{number}" for number in range(5)]
    assert [(page.offset, page.limit, page.total) for page in pages] == [(0, 2, 5), (2, 2, 5), (4, 2, 5)]
    assert [dict(request.url.params) for request in asked] == [
        {"level": "error", "limit": "2"},
        {"level": "error", "limit": "2", "offset": "2"},
        {"level": "error", "limit": "2", "offset": "4"},
    ]


def test_pages_go_on_from_the_offset_asked_for_and_the_same_call_can_be_followed_twice() -> None:
    call = agent_studio.error_logs(offset=3)
    for _ in range(2):
        pages, asked = answered(call, {"items": entries(3), "total": 5}, {"items": entries(4), "total": 5})
        assert [page.offset for page in pages] == [3, 4]
        assert [request.url.params["offset"] for request in asked] == ["3", "4"]


def test_an_envelope_with_limit_and_offset_is_taken_too_and_a_wrong_offset_does_not_repeat_pages() -> None:
    body = {"total": 2, "limit": 1, "offset": 0}
    call = agent_studio.error_logs()
    pages, asked = answered(call, {**body, "items": entries(0)}, {**body, "items": entries(1)})
    assert [(page.offset, page.limit) for page in pages] == [(0, 1), (1, 1)]
    assert len(asked) == 2


def test_an_empty_page_ends_the_list_whatever_the_total_says() -> None:
    pages, _ = answered(agent_studio.error_logs(), {"items": [], "total": 67})
    assert [len(page.items) for page in pages] == [0]


def test_pages_may_be_followed_by_another_rule_than_the_calls_own() -> None:
    asked: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request.url.params.get("offset", "0"))
        return httpx.Response(200, json={"items": entries(0), "total": 99})

    steps: Iterator[int] = iter((10, 20))
    with Client(str(ACCESS.url), transport=httpx.MockTransport(answer)) as client:
        pages = client.pages(agent_studio.error_logs(), lambda page: {"offset": at} if (at := next(steps, 0)) else None)
        assert [page.offset for page in pages] == [0, 10, 20]
    assert asked == ["0", "10", "20"]


def latency(**figures: float | None) -> Any:
    row = {"provider_type": "stt", "provider_name": "deepgram", "call_count": 3, **figures}
    told = {f"{name}_latency_ms": None for name in ("avg", "p50", "p95", "p99")}
    answer, _ = answered(agent_studio.provider_latency(), [{**told, **row}])
    return answer[0]


@pytest.mark.parametrize("mean", [120.5, 280.3, 85.2, 33.3, 1000.0])
@pytest.mark.parametrize("cut", [lambda figure: int(figure * 10) / 10, lambda figure: round(figure, 1), float])
def test_percentiles_that_are_multiples_of_the_mean_say_so(mean: float, cut: Callable[[float], float]) -> None:
    row = latency(
        avg_latency_ms=mean,
        p50_latency_ms=cut(0.9 * mean),
        p95_latency_ms=cut(1.5 * mean),
        p99_latency_ms=cut(2.0 * mean),
    )
    assert row.estimated
    assert row.model_dump()["estimated"] is True
    assert agent_studio.notes(agent_studio.provider_latency(), [row]) == (meaning.ESTIMATED,)


@pytest.mark.parametrize(
    ("mean", "p50", "p95", "p99"),
    [(120.5, 108.4, 180.7, 260.0), (120.5, 120.5, 120.5, 120.5), (0.0, 0.0, 0.0, 0.0), (None, None, None, None),
     (120.5, 108.4, 180.7, None)],
)  # fmt: skip
def test_measured_or_missing_percentiles_are_not_flagged(
    mean: float | None, p50: float | None, p95: float | None, p99: float | None
) -> None:
    row = latency(avg_latency_ms=mean, p50_latency_ms=p50, p95_latency_ms=p95, p99_latency_ms=p99)
    assert not row.estimated
    assert agent_studio.notes(agent_studio.provider_latency(), [row]) == ()


def test_a_window_without_calls_has_no_latency_rather_than_one_of_zero() -> None:
    nulls = ("avg_duration_seconds", "success_rate", "avg_stt_latency_ms", "avg_llm_latency_ms", "avg_tts_latency_ms")
    answer, _ = answered(agent_studio.summary(), {**example("summary"), **dict.fromkeys(nulls)})
    assert [getattr(answer, name) for name in nulls] == [None] * 5
    # A service may write 0 where there is nothing to average.
    answer, _ = answered(agent_studio.summary(), {**example("summary"), "total_calls": 0, **dict.fromkeys(nulls, 0)})
    assert [getattr(answer, name) for name in nulls] == [None] * 5
    idle = {**example("workflow_stats")[0], "total_calls": 0, "success_rate": 0, "avg_duration_seconds": 0}
    rows, _ = answered(agent_studio.workflow_stats(), [idle])
    assert (rows[0].success_rate, rows[0].avg_duration_seconds) == (None, None)
    zeros = {f"{name}_latency_ms": 0.0 for name in ("avg", "p50", "p95", "p99")}
    assert latency(call_count=0, **zeros).model_dump(include=zeros.keys()) == dict.fromkeys(zeros)
    assert latency(call_count=1, **zeros).model_dump(include=zeros.keys()) == zeros


@pytest.mark.parametrize("name", ["workflow_stats", "provider_latency"])
def test_rows_are_read_from_a_bare_array_and_from_the_envelope_that_lists_are_promised_to_have(name: str) -> None:
    rows = example(name)
    bare, _ = answered(CALLS[name](), rows)
    wrapped, _ = answered(CALLS[name](), {"items": rows, "total": len(rows), "limit": 50, "offset": 0})
    assert bare == wrapped
    assert len(bare) == len(rows)


def test_an_answer_that_is_neither_is_a_bad_answer() -> None:
    error = failing(agent_studio.workflow_stats(), 200, {"rows": []})
    assert isinstance(error, BadAnswer)


def volume(interval: str, *starts: str) -> Any:
    data = [{"timestamp": start, "total": 1, "completed": 1, "failed": 0} for start in starts]
    answer, _ = answered(agent_studio.call_volume(), {"interval": interval, "data": data})
    return answer


def test_buckets_that_the_volume_leaves_out_are_told() -> None:
    hours = volume("hour", "2026-01-17T13:00:00Z", "2026-01-17T10:00:00Z")
    assert hours.missing() == (datetime(2026, 1, 17, 11, tzinfo=UTC), datetime(2026, 1, 17, 12, tzinfo=UTC))
    assert volume("day", "2026-01-17T00:00:00Z", "2026-01-18T00:00:00Z").missing() == ()
    # The day that a week starts on is the service's.
    weeks = volume("week", "2026-01-04T00:00:00Z", "2026-01-18T00:00:00Z")
    assert weeks.missing() == (datetime(2026, 1, 11, tzinfo=UTC),)
    assert volume("hour").missing() == volume("fortnight", "2026-01-17T00:00:00Z").missing() == ()


def test_buckets_an_age_apart_do_not_fill_the_memory() -> None:
    assert len(volume("hour", "1970-01-01T00:00:00Z", "2199-01-01T00:00:00Z").missing()) == 10_000


@pytest.mark.parametrize(
    "told", [{"user_data": {"name": "A"}, "livekit_url": "wss://m"}, {"user_context": {"name": "A"}, "url": "wss://m"}]
)
def test_both_published_versions_of_a_call_are_read_alike(told: dict[str, Any]) -> None:
    call, asked = answered(agent_studio.call_detail("c 1/2"), {**DETAIL, **told})
    assert (call.user, call.media_url) == ({"name": "A"}, "wss://m")
    assert call.created_at == datetime(2026, 1, 17, 10, 29, 59, tzinfo=UTC)
    assert (call.ended_at, call.current_agent, call.metrics.stt_latency_ms) == (None, None, None)
    assert call.agent_history == ("greeter", {"agent": "meals"})
    assert asked[0].url.raw_path == b"/api/v1/calls/c%201%2F2"


def test_a_transcript_is_read_in_any_shape_because_none_is_published() -> None:
    told = ["Hello", {"role": "user", "content": "Hi", "at": 3}, {"speaker": "agent", "text": "Well?"}, {"other": 1}]
    entries, _ = answered(agent_studio.call_transcript("c1"), told)
    assert [(entry.speaker, entry.text) for entry in entries] == [
        (None, "Hello"),
        ("user", "Hi"),
        ("agent", "Well?"),
        (None, None),
    ]
    assert entries[1].model_dump()["at"] == 3
    assert entries[3].model_dump()["other"] == 1


def test_what_started_before_means_is_said_where_the_pages_disagree_about_it() -> None:
    assert agent_studio.notes(agent_studio.summary(**WINDOW)) == ()
    for name in ("call_volume", "workflow_stats", "provider_latency", "error_logs"):
        assert agent_studio.notes(CALLS[name](**WINDOW)) == (meaning.STARTED_BEFORE,)
    assert agent_studio.notes(agent_studio.call_volume(interval="week")) == (meaning.WEEKS,)


@pytest.mark.parametrize(
    ("status", "code", "kind", "hint"),
    [
        (401, "authentication_error", AuthenticationError, "30 minutes"),
        (403, "authorization_error", PlanInsufficient, "scope"),
        (429, "rate_limit_exceeded", RateLimited, "100 times a minute"),
    ],
)
def test_the_services_own_refusals_come_with_hints_that_fit(
    status: int, code: str, kind: type[TalkscopeError], hint: str
) -> None:
    call = agent_studio.summary()
    body = {"error": {"code": code, "message": "No.", "details": []}}
    error = failing(call, status, body)
    told = agent_studio.explained(error, call)
    assert failing(call, status, body, agent_studio.PLATFORM.manners).hint == told.hint != error.hint
    assert type(told) is kind
    assert (told.message, told.code, told.status) == (error.message, code, status)
    assert hint in told.hint


def test_refused_values_and_missing_calls_are_told_in_the_services_words() -> None:
    call = agent_studio.call_detail("c1")
    details = [{"field": "limit", "message": "Must be at most 50."}]
    refused = failing(call, 422, {"error": {"code": "validation_error", "message": "Not valid.", "details": details}})
    assert isinstance(refused, ValidationError)
    assert refused.message == "Not valid: limit: Must be at most 50."
    missing = failing(call, 404, {"error": {"code": "not_found", "message": "No such call."}})
    assert isinstance(missing, NotFound)
    told = agent_studio.explained(missing, call)
    assert (type(told), told.message) == (NotFound, missing.message)
    assert "call's id" in told.hint
    assert "/api/v1" in agent_studio.explained(missing, agent_studio.summary()).hint


def test_the_streams_are_those_of_the_contract_and_know_their_events() -> None:
    for name, stream in (
        ("calls_stream", agent_studio.calls_stream()),
        ("call_stream", agent_studio.call_stream("c/1")),
    ):
        place, operation = OPERATIONS[name]
        assert stream.path == place.replace("{id}", "c%2F1")
        assert stream.events == set(operation["responses"]["200"]["content"]["text/event-stream"]["x-events"])
    assert agent_studio.call_stream("c1").ends == {"ended"}


@pytest.mark.parametrize(
    ("timestamp", "at"),
    [
        ('"2026-01-17T10:00:00Z"', datetime(2026, 1, 17, 10, tzinfo=UTC)),
        ('"2026-01-17T10:00:00"', datetime(2026, 1, 17, 10, tzinfo=UTC)),
        ("1768644000", datetime(2026, 1, 17, 10, tzinfo=UTC)),
        ("1768644000000", datetime(2026, 1, 17, 10, tzinfo=UTC)),
        ('"soon"', None),
        ("1e300", None),
        ("null", None),
    ],
)
def test_the_active_count_is_read_whatever_form_its_timestamp_has(timestamp: str, at: datetime | None) -> None:
    event = agent_studio.calls_stream().read("active_count", f'{{"count": 3, "timestamp": {timestamp}}}')
    assert (event.count, event.at) == (3, at)


def test_events_that_nobody_announced_and_data_that_is_no_json_are_kept() -> None:
    stream = agent_studio.calls_stream()
    assert stream.read("heartbeat", "").data is None
    assert stream.read("news", "plain \ud800").data == "plain \ufffd"
    assert stream.read("calls_update", '{"count": 4}').count is None
    assert stream.read("active_count", '{"count": "4"}').count is None


def test_fields_about_people_and_free_text_are_named_as_the_contract_marks_them() -> None:
    schemas = CONTRACT["components"]["schemas"]
    ours = {"Call": "CallDetail", "StreamData": "Event"}
    for mark, named in (("x-personal-data", agent_studio.PERSONAL), ("x-untrusted-text", agent_studio.UNTRUSTED)):
        marked = {
            f"{ours.get(model, model)}.{'user' if field in {'user_data', 'user_context'} else field}"
            for model, schema in schemas.items()
            for field, said in schema.get("properties", {}).items()
            if said.get(mark)
        }
        assert named == marked | {"TranscriptEntry.*", "Event.data"}
