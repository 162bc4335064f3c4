"""Everything that is known to be odd about the service's answers, met by the client that users hold."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
import respx

from talkscope import ConvaiAnalytics
from talkscope.errors import (
    APIError,
    AuthenticationError,
    BadAnswer,
    BadRequest,
    InvalidArgument,
    NotFound,
    PlanInsufficient,
    PlanRequired,
    RateLimited,
    ServerError,
    TalkscopeError,
    ValidationError,
)
from tests.client.analytics import (
    BREAKDOWN,
    KEY,
    META,
    NINE,
    REGRESSION,
    SESSIONS,
    SUMMARY,
    TIMESERIES,
    URL,
    Do,
    Scripted,
    always,
    as_contracted,
)

DENIED = {"error": {"code": "plan_required", "message": "No plan.", "details": {"required_plan": "scale"}}}


def summary(account: Any) -> Any:
    return account.summary()


def failing(status: int, body: object = None, **headers: str) -> TalkscopeError:
    service = always(status, body, **headers)
    with pytest.raises(TalkscopeError) as caught:
        service.ask(summary)
    return caught.value


@pytest.mark.parametrize(("name", "do"), NINE.items(), ids=list(NINE))
def test_each_of_the_nine_calls_is_answered_in_blocking_and_in_async_code(name: str, do: Do) -> None:
    service, in_async = as_contracted(), as_contracted()
    answer = service.ask(do)
    assert in_async.ask_async(do) == answer
    assert answer.meta is not None
    for (request,) in (service.requests, in_async.requests):
        assert request.headers["convai-api-key"] == KEY
        assert request.headers["accept"] == "application/json"
        assert (request.method, str(request.url).startswith(f"{URL}/")) == ("POST" if name == "query" else "GET", True)


# 1.3: bodies of errors


def test_a_422_in_fastapis_shape_says_which_parameter_and_never_what_was_sent() -> None:
    detail = [
        {
            "loc": ["query", "limit"],
            "msg": "Input should be less than or equal to 500",
            "type": "less_than_equal",
            "input": "s3cret",
            "ctx": {"le": 500},
        },
        {"loc": ["query", "range"], "msg": "Input should be 'last_24h'", "type": "literal_error"},
    ]
    error = failing(422, {"detail": detail})
    assert isinstance(error, ValidationError)
    assert (error.status, error.code) == (422, "validation_error")
    assert error.message == "limit: Input should be less than or equal to 500; range: Input should be 'last_24h'"
    assert "s3cret" not in str(error.to_json())
    assert error.details["errors"]


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"detail": "Not authenticated"}, "Not authenticated"),
        ({"error": "invalid key"}, "invalid key"),
        ({"error": ["no key", "no plan"]}, "no key; no plan"),
        ({"errors": [{"field": "range", "message": "is odd"}]}, "range: is odd"),
        (["first", "second"], "first; second"),
        ("a mere text", "a mere text"),
        ({"message": "Sorry."}, "Sorry."),
        ({"error": {"message": "Odd.", "code": 7}}, "Odd."),
        ({"error": None}, "The service answered 401 (Unauthorized)."),
        ({}, "The service answered 401 (Unauthorized)."),
        (None, "The service answered 401 (Unauthorized)."),
        (b"<html><head><style>p{}</style></head><body><h1>401</h1> Who are you?</body></html>", "401 Who are you?"),
        (b"\xff\xfe\x00", ""),
        (b"{", "{"),
    ],
)
def test_an_errors_body_may_be_anything(body: object, said: str) -> None:
    error = failing(401, body)
    assert isinstance(error, AuthenticationError)
    assert said in error.message.replace("  ", " ")
    assert error.code == "unauthorized"


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, BadRequest),
        (401, AuthenticationError),
        (402, PlanRequired),
        (403, PlanInsufficient),
        (404, NotFound),
        (418, APIError),
        (422, ValidationError),
        (429, RateLimited),
        (500, ServerError),
        (501, ServerError),
    ],
)
def test_each_status_has_its_error_and_the_services_code_stays(status: int, kind: type[APIError]) -> None:
    error = failing(status, {"error": {"code": "their_code", "message": "Their words.", "details": {"a": [1]}}})
    assert type(error) is kind
    assert (error.status, error.code, error.message, error.details) == (
        status,
        "their_code",
        "Their words.",
        {"a": [1]},
    )


def test_a_web_page_in_place_of_an_answer_is_a_bad_answer() -> None:
    error = failing(200, b"<!doctype html><title>Sign in</title>")
    assert isinstance(error, BadAnswer)
    assert error.code == "bad_answer"


# 1.2 and 1.3: plans and quotas


@pytest.mark.parametrize("name", ["required_plan", "requiredPlan", "plan", "minimum_plan", "minimumPlan"])
@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (402, "plan_required", PlanRequired),
        (403, "plan_below_required", PlanInsufficient),
        (403, "plan_insufficient", PlanInsufficient),
    ],
)
def test_a_plan_gate_names_the_plan(name: str, status: int, code: str, kind: type[APIError]) -> None:
    details = {name: "business", "current_plan": "scale"}
    error = failing(status, {"error": {"code": code, "message": "Not in your plan.", "details": details}})
    assert type(error) is kind
    assert error.required_plan == "business"
    assert error.code == code


@pytest.mark.parametrize("do", NINE.values(), ids=list(NINE))
def test_any_call_may_be_refused_for_the_plan(do: Do) -> None:
    for status, kind in ((402, PlanRequired), (403, PlanInsufficient)):
        service = always(status, DENIED)
        with pytest.raises(kind) as caught:
            service.ask(do)
        assert caught.value.required_plan == "scale"
        assert len(service.requests) == 1


def test_a_plan_gate_that_names_no_plan_is_one_all_the_same() -> None:
    error = failing(403, {"error": {"code": "plan_below_required", "message": "No."}})
    assert isinstance(error, PlanInsufficient)
    assert error.required_plan is None


@pytest.mark.parametrize(
    ("code", "message", "details"),
    [
        ("quota_exceeded", "Too much.", {}),
        ("rate_limited", "Monthly quota exceeded.", {}),
        ("rate_limited", "Too much.", {"quota": "monthly"}),
    ],
)
def test_a_used_up_quota_is_not_asked_again(code: str, message: str, details: dict[str, str]) -> None:
    body = {"error": {"code": code, "message": message, "details": details}}
    service = always(429, body, Retry_After="0")
    with pytest.raises(RateLimited) as caught:
        service.ask(summary)
    assert len(service.requests) == 1
    assert "waiting does not help" in caught.value.hint


@pytest.mark.parametrize(
    ("header", "seconds"),
    [("61", 61.0), ("90.5", 90.5), ("-5", 0.0), ("NaN", None), ("soon", None), ("1e300", 366 * 86_400.0)],
)
def test_retry_after_in_seconds_is_read_and_a_long_one_is_not_slept_through(header: str, seconds: float | None) -> None:
    # A quota's 429 is never repeated, so that what is read can be looked at without waiting.
    error = failing(429, {"error": {"code": "quota", "message": "Slow down."}}, Retry_After=header)
    assert isinstance(error, RateLimited)
    assert error.retry_after == seconds


def test_retry_after_as_a_date_is_read() -> None:
    service = always(429, {"error": {"code": "rate_limited"}}, Retry_After="Fri, 31 Dec 2100 23:59:59 GMT")
    with pytest.raises(RateLimited) as caught:
        service.ask(summary)
    assert caught.value.retry_after == 366 * 86_400
    assert len(service.requests) == 1


def test_retry_after_as_a_date_that_has_passed_is_no_wait() -> None:
    answers = [
        httpx.Response(429, headers={"Retry-After": "Wed, 01 Jan 2020 00:00:00 GMT"}),
        httpx.Response(200, json=SUMMARY),
    ]
    service = Scripted(lambda request: answers.pop(0))
    assert service.ask(summary).sessions == 90
    assert len(service.requests) == 2


# 1.5: answers


def snake_case(value: Any) -> Any:
    """The same with every name in snake_case."""
    if isinstance(value, dict):
        return {"".join(f"_{c.lower()}" if c.isupper() else c for c in k): snake_case(v) for k, v in value.items()}
    return [snake_case(each) for each in value] if isinstance(value, list) else value


@pytest.mark.parametrize(
    ("do", "body"),
    [
        (NINE["summary"], SUMMARY),
        (NINE["timeseries"], TIMESERIES),
        (NINE["breakdown"], BREAKDOWN),
        (NINE["sessions.list"], SESSIONS),
        (NINE["regression_detection"], REGRESSION),
    ],
)
def test_an_answer_is_read_in_camel_case_and_in_snake_case(do: Do, body: dict[str, Any]) -> None:
    renamed = snake_case(body)
    assert renamed != body
    assert always(200, renamed).ask(do) == always(200, body).ask(do)


def test_an_answers_fields_are_snake_case_and_its_json_is_the_services() -> None:
    answer = always(200, SUMMARY).ask(summary)
    assert (answer.unique_end_users, answer.p95_end_to_end_ms, answer.meta.sample_count) == (31, 2100.0, 90)
    assert answer.meta.freshness_at == datetime(2026, 5, 5, 16, tzinfo=UTC)
    assert answer.meta.backend == "cube"
    assert answer.model_dump(mode="json") == SUMMARY


def test_percentiles_without_a_sample_are_none() -> None:
    nothing = {**SUMMARY, "p50EndToEndMs": None, "p95EndToEndMs": None, "p99EndToEndMs": None}
    answer = always(200, nothing).ask(summary)
    assert (answer.p50_end_to_end_ms, answer.p95_end_to_end_ms, answer.p99_end_to_end_ms) == (None, None, None)
    points = {**TIMESERIES, "points": [{"bucketStart": "2026-05-05T15:00:00Z", "value": None}]}
    assert always(200, points).ask(lambda account: account.timeseries()).points[0].value is None


def test_numbers_that_the_contract_lets_default_may_be_null() -> None:
    odd = {"sessionId": "s", "durationSec": None, "interactionCount": None, "p95EndToEndMs": None, "errorCount": None}
    (session,) = always(200, {"sessions": [odd]}).ask(lambda account: account.sessions.list()).sessions
    assert (session.duration_sec, session.interaction_count, session.p95_end_to_end_ms) == (0.0, 0, 0.0)
    rows = {**BREAKDOWN, "rows": [{"group": None, "value": "12.5", "sampleCount": None}]}
    (row,) = always(200, rows).ask(lambda account: account.breakdown()).rows
    assert (row.group, row.value, row.sample_count) == ("", 12.5, 0)


@pytest.mark.parametrize("meta", [{}, None, "absent", {**META, "effectiveRange": None, "cacheHit": None}])
def test_meta_may_be_empty_null_or_absent(meta: object) -> None:
    body = {name: value for name, value in SUMMARY.items() if name != "meta"}
    if meta != "absent":
        body["meta"] = meta
    answer = always(200, body).ask(summary)
    assert answer.sessions == 90
    assert (answer.meta.effective_range, answer.meta.cache_hit) == (None, False)


def test_fields_and_values_of_a_newer_service_are_no_error() -> None:
    newer = {**SUMMARY, "audioMinutes": 12, "meta": {**META, "backend": "clickhouse", "trace": {"id": 1}}}
    answer = always(200, newer).ask(summary)
    assert answer.meta.backend == "clickhouse"
    assert not hasattr(answer, "audio_minutes")
    trace = {
        "interactionId": "i",
        "interactionType": "hologram_turn",
        "terminalStatus": "paused",
        "spans": [{"startTime": "2026-05-05T15:00:00+00:00", "processor": "lipsync", "status": "skipped"}],
    }
    got = always(200, trace).ask(lambda account: account.interactions.get("i"))
    assert (got.terminal_status, got.spans[0].processor, got.spans[0].status) == ("paused", "lipsync", "skipped")


def test_a_time_without_an_offset_is_utc() -> None:
    points = {**TIMESERIES, "points": [{"bucketStart": "2026-05-05T15:00:00.000", "value": 1}]}
    (point,) = always(200, points).ask(lambda account: account.timeseries()).points
    assert point.bucket_start == datetime(2026, 5, 5, 15, tzinfo=UTC)


@pytest.mark.parametrize("group", ["all", "overall"])
def test_the_group_of_a_regression_without_groups_is_whatever_the_service_calls_it(group: str) -> None:
    body = {"rows": [{**REGRESSION["rows"][0], "group": group}], "triggered": True, "meta": {}}
    (row,) = always(200, body).ask(lambda account: account.regression_detection()).rows
    assert (row.group, row.relative_change, row.significant, row.sample_count) == (group, 0.2, True, 0)


@pytest.mark.parametrize(
    "body",
    [
        {},
        [],
        {"sessions": "many"},
        {**SUMMARY, "sessions": None},
        {**SUMMARY, "interactions": "12 or so"},
        {**SUMMARY, "p95EndToEndMs": {"value": 1}},
        {**SUMMARY, "meta": [1]},
        {**SUMMARY, "meta": {"freshnessAt": "yesterday"}},
        b'{"sessions": NaN}',
        b"null",
        b"[" * 5_000,
        b'{"sessions": 1' + b"0" * 5_000 + b"}",
        b"",
    ],
)
def test_an_answer_that_is_not_the_contract_is_a_bad_answer_and_shows_nothing_of_it(body: object) -> None:
    error = failing(200, body)
    assert isinstance(error, BadAnswer)
    assert "yesterday" not in str(error)
    assert "12 or so" not in str(error)
    assert len(str(error)) < 2_000


# 1.1: ids in paths

IDS = {
    "../../keys": "..%2F..%2Fkeys",
    "a/b": "a%2Fb",
    "..%2f..": "..%252f..",
    "s é?#;": "s%20%C3%A9%3F%23%3B",
    "日本": "%E6%97%A5%E6%9C%AC",
    ".hidden": ".hidden",
    "a\r\nX-Other: 1": "a%0D%0AX-Other%3A%201",
}
WAYS: list[tuple[str, Callable[..., Any]]] = [
    ("sessions", lambda account, asked: account.sessions.get(asked)),
    ("interactions", lambda account, asked: account.interactions.get(asked)),
]


@pytest.mark.parametrize(("route", "get"), WAYS)
@pytest.mark.parametrize("id", IDS)
def test_an_id_stays_one_part_of_the_path(route: str, get: Callable[..., Any], id: str) -> None:
    service = as_contracted()
    service.ask(lambda account: get(account, id))
    assert service.requests[0].url.raw_path == f"/v1/analytics/{route}/{IDS[id]}".encode()


@pytest.mark.parametrize(("route", "get"), WAYS)
@pytest.mark.parametrize("id", ["", " ", ".", "..", "\ud800", None, 7])
def test_what_is_no_id_is_not_sent(route: str, get: Callable[..., Any], id: object) -> None:
    service = as_contracted()
    with pytest.raises(InvalidArgument):
        service.ask(lambda account: get(account, id))
    assert service.requests == []


# Cursors


def test_pages_follow_the_cursor_and_keep_the_words() -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        at = int(request.url.params.get("cursor", "0"))
        assert (request.url.params["limit"], request.url.params["sort"]) == ("2", "slowest")
        return httpx.Response(200, json={**SESSIONS, "nextCursor": str(at + 1) if at < 2 else None})

    service, in_async = Scripted(answer), Scripted(answer)
    pages = service.ask(lambda account: list(account.sessions.pages(limit=2, sort="slowest")))

    async def gather(account: Any) -> list[Any]:
        return [page async for page in account.sessions.pages(limit=2, sort="slowest")]

    assert in_async.ask_async(gather) == pages
    assert [page.next_cursor for page in pages] == ["1", "2", None]
    assert len(service.requests) == 3


@pytest.mark.parametrize("circle", [["1", "1"], ["1", "2", "1"], [""]])
def test_a_cursor_that_comes_back_ends_the_pages(circle: list[str]) -> None:
    service = Scripted(
        lambda request: httpx.Response(
            200, json={**SESSIONS, "nextCursor": circle[(len(service.requests) - 1) % len(circle)]}
        )
    )

    def gather(account: Any) -> list[Any]:
        return list(account.sessions.pages())

    if circle == [""]:
        assert len(service.ask(gather)) == 1
    else:
        with pytest.raises(BadAnswer, match="same page cursor twice"):
            service.ask(gather)
    assert len(service.requests) == len(circle)


# Requests as others mock them


@respx.mock
def test_the_client_can_be_mocked_as_any_httpx_client_is(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.setenv("CONVAI_API_KEY", KEY)
    monkeypatch.delenv("CONVAI_ANALYTICS_BASE_URL", raising=False)
    monkeypatch.delenv("TALKSCOPE_CONFIG", raising=False)
    route = respx.get(f"{URL}/summary", params={"range": "last_7d"}).respond(json=SUMMARY)
    with ConvaiAnalytics() as account:
        assert account.summary(range="last_7d").interactions == 240
    assert route.calls.last.request.headers["convai-api-key"] == KEY
