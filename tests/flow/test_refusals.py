from __future__ import annotations

import json
from email.utils import formatdate

import pytest
from pydantic import SecretStr

from talkscope.errors import (
    APIError,
    AuthenticationError,
    BadRequest,
    NotFound,
    PlanInsufficient,
    PlanRequired,
    RateLimited,
    ServerError,
    TalkscopeError,
    UnexpectedRedirect,
    UnknownName,
    ValidationError,
)
from talkscope.flow import Policy, Reply
from tests.flow.driving import NOW, SUMMARY, Driver, reply

KEY = "ck_live_abcdef123456"


def refused(answer: Reply, key: str | None = None) -> TalkscopeError:
    driver = Driver([answer], policy=Policy(attempts=1), key=SecretStr(key) if key else None)
    with pytest.raises(TalkscopeError) as caught:
        driver.ask(SUMMARY)
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None
    return caught.value


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, BadRequest),
        (401, AuthenticationError),
        (402, PlanRequired),
        (403, PlanInsufficient),
        (404, NotFound),
        (409, APIError),
        (418, APIError),
        (422, ValidationError),
        (429, RateLimited),
        (500, ServerError),
        (503, ServerError),
        (599, ServerError),
        (302, UnexpectedRedirect),
        (304, UnexpectedRedirect),
    ],
)
@pytest.mark.parametrize("body", [None, {"error": {"message": "No."}}, ["no"], "no", 7, b"<p>no"], ids=repr)
def test_each_status_has_its_error_whatever_its_body(status: int, kind: type[TalkscopeError], body: object) -> None:
    error = refused(reply(status, body))
    assert type(error) is kind
    assert error.status == status
    assert error.message


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"error": {"code": "x", "message": "Unknown measure p96."}}, "Unknown measure p96."),
        ({"error": "Bad token"}, "Bad token"),
        ({"detail": "Not Found"}, "Not Found"),
        ({"detail": {"message": "No such call"}}, "No such call"),
        ({"message": "No such project"}, "No such project"),
        (["one", "two"], "one; two"),
        ("just words", "just words"),
        (b"plain words, not JSON", "plain words, not JSON"),
        (
            b"<html><head><title>502 Bad Gateway</title><style>p{}</style></head><p>nginx &amp; co</html>",
            "502 Bad Gateway nginx & co",
        ),
        (b"\xff\xfe", "��"),
        (rb'{"error":{"message":"half \ud800"}}', "half �"),
        ({"error": {"message": 7}}, "The service answered 400 (Bad Request)."),
        ({"error": None}, "The service answered 400 (Bad Request)."),
        (b"", "The service answered 400 (Bad Request)."),
        (None, "The service answered 400 (Bad Request)."),
        (b"[" * 5000, "[" * 499 + "…"),
    ],
    ids=lambda value: repr(value)[:40],
)
def test_the_services_words_are_found_in_every_shape(body: object, message: str) -> None:
    assert " ".join(refused(reply(400, body)).message.split()) == message


def test_code_hint_and_details_come_along() -> None:
    body = {
        "error": {
            "code": "plan_below_required",
            "message": "Needs business.",
            "hint": "Raise the plan.",
            "details": {"required_plan": "business", "current_plan": "scale"},
        }
    }
    error = refused(reply(403, body))
    assert isinstance(error, PlanInsufficient)
    assert (error.code, error.hint, error.required_plan) == ("plan_below_required", "Raise the plan.", "business")
    assert error.details == {"required_plan": "business", "current_plan": "scale"}


def test_our_own_errors_survive_the_way_through_http() -> None:
    sent = UnknownName(
        "Unknown measure 'p96'.", hint="Did you mean 'p95'?", details={"nearest": "p95", "known": ["p95"]}
    )
    error = refused(reply(422, {"error": sent.to_json()}))
    assert type(error) is UnknownName
    assert error.to_json() == sent.to_json()


def test_a_list_of_bad_fields_is_readable_and_repeats_no_input() -> None:
    problems = [
        {"type": "missing", "loc": ["query", "start"], "msg": "Field required", "input": {"password": "hunter2"}},
        {"type": "le", "loc": ["body", "items", 3, "n"], "msg": "Too large", "input": "hunter2", "ctx": {"le": 9}},
    ]
    error = refused(reply(422, {"detail": problems}))
    assert isinstance(error, ValidationError)
    assert (error.code, error.message) == ("validation_error", "start: Field required; items.3.n: Too large")
    assert "hunter2" not in repr(error.to_json())
    assert error.details["errors"] == [
        {"type": "missing", "loc": ["query", "start"], "msg": "Field required"},
        {"type": "le", "loc": ["body", "items", 3, "n"], "msg": "Too large"},
    ]


def test_a_long_list_of_bad_fields_is_counted() -> None:
    problems = [{"loc": ["query", f"f{i}"], "msg": "no", "type": "x"} for i in range(30)]
    assert refused(reply(422, {"detail": problems})).message.endswith("f4: no (and 25 more)")


def test_details_that_are_a_list_of_fields_are_told() -> None:
    body = {
        "error": {
            "code": "validation_error",
            "message": "Invalid.",
            "details": [{"field": "period", "message": "is 2h"}],
        }
    }
    error = refused(reply(422, body))
    assert error.message == "Invalid: period: is 2h"
    assert error.details == {"errors": [{"field": "period", "message": "is 2h"}]}


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("0", 0),
        ("30", 30),
        (" 30 ", 30),
        ("1.5", 1.5),
        ("3600", 3600),
        ("-5", 0),
        ("99999999999", 366 * 86_400),
        ("9" * 5_000, 366 * 86_400),
        ("1e400", 366 * 86_400),
        ("inf", 366 * 86_400),
        (formatdate(NOW + 120, usegmt=True), 120),
        (formatdate(NOW - 120, usegmt=True), 0),
        ("Sun, 15 Jun 2025 15:08:40 -0000", 120),
        ("Fri, 31 Dec 9999 23:59:59 GMT", 366 * 86_400),
    ],
    ids=lambda value: str(value)[:30],
)
def test_every_spelling_of_retry_after_is_understood(header: str, seconds: float) -> None:
    error = refused(reply(429, retry_after=header))
    assert isinstance(error, RateLimited)
    assert (error.retry_after, error.details["retry_after"]) == (seconds, seconds)
    json.dumps(error.to_json(), allow_nan=False)


@pytest.mark.parametrize(
    "header",
    ["nan", "", "soon", "-inf and beyond", "Fri, 99 Foo 2025 99:99:99 GMT", "1, 2", "0x10", "Mon, 1 Jan 0 0:0:0 -9999"],
)
def test_a_retry_after_that_means_nothing_is_none(header: str) -> None:
    error = refused(reply(429, retry_after=header))
    assert isinstance(error, RateLimited)
    assert error.retry_after is None


@pytest.mark.parametrize(("stated", "seconds"), [(9, 9), ("9", 9), (-1, 0), (True, None), ("soon", None), ([9], None)])
def test_a_wait_that_only_the_body_states_is_understood(stated: object, seconds: float | None) -> None:
    error = refused(reply(429, {"error": {"message": "no", "details": {"retry_after": stated}}}))
    assert error.details.get("retry_after") == seconds


def test_a_used_up_quota_says_that_waiting_does_not_help() -> None:
    assert "waiting does not help" in refused(reply(429, {"error": {"code": "monthly_quota", "message": "No."}})).hint
    assert "Wait, then" in refused(reply(429, {"error": {"code": "rate_limited", "message": "No."}})).hint


@pytest.mark.parametrize(
    ("location", "host"),
    [
        ("https://evil.example/x?api_key=k1", "evil.example"),
        ("https://user:pw@evil.example:8443/x", "evil.example"),
        ("//evil.example/x", "evil.example"),
        ("/login?next=k1", None),
        ("", None),
        ("https://[half", None),
        ("https://evil\u200b.example\x1b/", "evil.example"),
        ("https://" + "a" * 5_000, "a" * 252 + "…"),
    ],
)
def test_a_redirect_names_the_host_and_nothing_else(location: str, host: str | None) -> None:
    error = refused(reply(307, location=location))
    assert error.details == {"host": host}
    assert f"redirects to {host or 'another address of its own'} (307)" in error.message
    assert not {"k1", "pw", "user"} & set(error.message.replace("?", " ").replace("=", " ").replace("@", " ").split())


@pytest.mark.parametrize(
    "body", [{"error": {"message": "{}"}}, "{}", {"detail": [{"loc": ["{}"], "msg": "{}"}]}, b"<p>{}"]
)
def test_no_secret_and_no_query_string_is_shown(body: object) -> None:
    said = f"GET https://ann:pw@api.example/v1/x?who=ann@example.org&api_key=1 failed for Bearer {KEY} (api_key=zzz)"
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    text = repr(refused(Reply(400, {}, raw.replace(b"{}", said.encode())), key=f"Bearer {KEY}").to_json())
    assert "[redacted]" in text
    assert "https://api.example/v1/x" in text
    for secret in (KEY, "who=", "ann", "pw@", "zzz"):
        assert secret not in text


def test_a_key_without_its_scheme_and_one_that_is_encoded_are_hidden_too() -> None:
    for said in (KEY, f"Bearer {KEY}", f"Bearer%20{KEY}"):
        error = refused(
            reply(401, {"error": {"code": said, "message": said, "hint": said, "details": {said: [said]}}}),
            key=f"Bearer {KEY}",
        )
        assert KEY not in repr(error.to_json())


@pytest.mark.parametrize(
    ("key", "said", "shown"),
    [
        (f"Bearer {KEY}", f"not Bearer {KEY} here", "not [redacted] here"),
        ("ab/cd+ef=12", "not ab%2Fcd%2Bef%3D12 here", "not [redacted] here"),
        ("ab/cd+ef=12", "not ab/cd+ef=12 here", "not [redacted] here"),
    ],
)
def test_a_key_is_hidden_whole(key: str, said: str, shown: str) -> None:
    assert refused(reply(401, {"detail": said}), key=key).message == shown


@pytest.mark.parametrize(
    "piece", ["é😀" * 4_000, "a\x00\x1b[31m\u202e\u200b\U000e0041\r\n" * 2_000, "<b>" * 9_000, "<script" * 9_000]
)
def test_an_error_is_at_most_2_kb_of_clean_text(piece: str) -> None:
    bodies = [
        piece,
        {"error": {"code": piece, "message": piece, "hint": piece}},
        {"detail": [piece] * 50},
        [piece] * 50,
    ]
    for body in [*bodies, piece.encode(), ("<" + piece).encode()]:
        error = refused(reply(500, body))
        assert len(error.message.encode()) <= 2_000
        assert len(str(error)) <= 2_000
        assert not any(ord(mark) < 32 or mark in "\u202e\u200b\U000e0041" for mark in str(error) + error.code)


def test_details_are_bounded() -> None:
    details = {"big": "x" * 9_000, "long": list(range(9_000)), "deep": [[[[[[1]]]]]], "kept": 7, "list": ["é\x1b"] * 3}
    error = refused(reply(400, {"error": {"message": "no", "details": details}}))
    assert error.details == {
        "big": "x" * 199 + "…",
        "long": list(range(100)),
        "deep": [[[["…"]]]],
        "kept": 7,
        "list": ["é"] * 3,
    }
    many = {f"k{i}": ["y" * 150] * 5 for i in range(9_000)}
    error = refused(reply(400, {"error": {"message": "no", "details": many}}))
    assert len(json.dumps(error.details)) < 2_500
