from __future__ import annotations

import logging
from collections.abc import Callable

import pytest

from talkscope.client import Client, PortalTransport
from talkscope.contract import QUESTIONS, SESSION
from talkscope.errors import (
    AmbiguousName,
    InvalidArgument,
    NotFound,
    ServerError,
    TalkscopeError,
    UnknownName,
    WarehouseError,
    unknown,
)
from talkscope.models.answers import Answer, SessionAnswer, SessionFacts
from tests.api.answering import META, Raising, Recorded, asynchronous, blocking, raw, transport


@pytest.fixture(params=[blocking, asynchronous], ids=["Client", "AsyncClient"])
def ask(request: pytest.FixtureRequest) -> Callable[..., Answer]:
    return request.param


def test_words_arrive_as_they_were_given(ask: Callable[..., Answer]) -> None:
    app = Recorded()
    words = {
        "measures": ["p95", "count"],
        "group_by": ["provider", "model"],
        "filters": ["character_id=a,b", "status!=ok", "end_user_id=x & y=z/ü"],
        "limit": 7,
        "range": "last_7d",
        "timezone": "Europe/Berlin",
        "sort": None,
    }
    answer = ask(app, "breakdown", **words)
    ((name, asked),) = app.asked
    assert (name, answer.rows) == ("breakdown", [[1]])
    assert asked.model_dump(exclude_defaults=True) == {key: value for key, value in words.items() if value is not None}


def test_a_restricted_query_arrives_whole(ask: Callable[..., Answer]) -> None:
    app = Recorded()
    query = {
        "measures": ["SessionMetrics.count"],
        "filters": [{"member": "SessionMetrics.model", "operator": "equals", "values": ["a", "b"]}],
        "timeDimensions": [{"dateRange": ["2026-05-01", "2026-05-02"], "granularity": "hour"}],
    }
    ask(app, "query", query=query, timezone="Asia/Tokyo")
    asked = app.asked[0][1].model_dump(exclude_defaults=True)
    assert asked == {"query": query, "timezone": "Asia/Tokyo"}


def test_a_list_of_one_and_a_plain_string_mean_the_same(ask: Callable[..., Answer]) -> None:
    app = Recorded()
    ask(app, "timeseries", measure="p95", group_by=["model"])
    ask(app, "timeseries", measures=["p95"], group_by="model")
    assert app.asked[0] == app.asked[1]


@pytest.mark.parametrize(
    ("words", "error", "told"),
    [
        ({"granuarity": "day"}, UnknownName, "Did you mean 'granularity'"),
        ({"granularity": "fortnight"}, InvalidArgument, "granularity"),
        ({"limit": 0}, InvalidArgument, "limit"),
    ],
)
def test_words_that_do_not_fit_are_refused_before_anything_is_sent(
    ask: Callable[..., Answer], words: dict[str, object], error: type[TalkscopeError], told: str
) -> None:
    app = Recorded()
    with pytest.raises(error, match=told):
        ask(app, "timeseries", **words)
    assert app.asked == []


def test_an_unknown_question_names_the_nearest(ask: Callable[..., Answer]) -> None:
    with pytest.raises(UnknownName, match="'summary'"):
        ask(Recorded(), "sumary")


def test_a_typed_question_gives_its_typed_answer() -> None:
    facts = SessionFacts(
        session_id="s", platform="own", start_time="2026-05-01T00:00:00Z", interactions=1, errors=0, channel="voice"
    )
    app = Recorded(SessionAnswer(columns=["t"], rows=[["x"]], meta=META, session=facts))
    with Client("http://app", transport=PortalTransport(transport(app))) as client:
        answer: SessionAnswer = client.ask(SESSION, session_id="s/1?x")
    assert answer.session == facts
    assert app.asked[0][1].model_dump(exclude_defaults=True) == {"session_id": "s/1?x"}


@pytest.mark.parametrize(
    "error",
    [
        unknown("measure", "p96", ["p95", "p99"]),
        AmbiguousName("'Ada' is the name of 2 characters.", hint="Filter by id.", details={"candidates": ["a", "b"]}),
        NotFound("There is no session 'x'."),
        WarehouseError("The question needs more memory.", hint="Ask for a shorter window."),
    ],
)
def test_an_error_comes_back_as_it_was_raised(ask: Callable[..., Answer], error: TalkscopeError) -> None:
    with pytest.raises(type(error)) as caught:
        ask(Raising(error), "summary")
    assert caught.value.to_json() == error.to_json()
    assert caught.value.status == error.status


def test_what_nobody_expected_is_a_server_error_and_shows_no_value(
    ask: Callable[..., Answer], caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.raises(ServerError) as caught:
        ask(Raising(KeyError("a secret")), "summary", filters=["end_user_id=somebody"])
    assert "KeyError at answering.py" in caplog.text
    assert "secret" not in str(caught.value) + caplog.text
    assert "somebody" not in str(caught.value) + caplog.text


def test_more_rows_than_an_answer_may_have_are_refused() -> None:
    app = Recorded(Answer(columns=["a"], rows=[[1]] * 50_001, meta=META))
    reply = raw(app, "GET", "/v1/ask/summary")
    assert (reply.status_code, reply.json()["error"]["code"]) == (422, "answer_too_large")


def test_every_question_has_its_route_and_another_method_is_refused() -> None:
    for question in QUESTIONS.values():
        wrong = "GET" if question.name == "query" else "DELETE"
        reply = raw(Recorded(), wrong, question.path)
        assert (reply.status_code, reply.json()["error"]["code"]) == (405, "method_not_allowed")


def test_an_unknown_route_names_the_nearest() -> None:
    for path in ("/v1/ask/sumary", "/v1/ask/summary/"):
        reply = raw(Recorded(), "GET", path)
        assert reply.status_code == 404
        assert reply.json()["error"]["code"] == "unknown_route"
        assert "/v1/ask/summary" in reply.json()["error"]["hint"]


def test_an_unknown_query_key_names_the_nearest() -> None:
    reply = raw(Recorded(), "GET", "/v1/ask/summary?rnge=last_7d")
    assert reply.status_code == 422
    assert reply.json()["error"]["code"] == "unknown_argument"
    assert reply.json()["error"]["details"]["nearest"] == "range"


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"{", 422, "invalid_argument"),
        (b"[1]", 422, "invalid_argument"),
        (b"[" * 100_000, 422, "invalid_argument"),
        (b'{"query": {"measures": ["' + b"x" * 300_000 + b'"]}}', 413, "body_too_large"),
        (b'{"query": {}, "quury": 1}', 422, "unknown_argument"),
    ],
)
def test_a_body_that_is_no_query_is_refused(body: bytes, status: int, code: str) -> None:
    reply = raw(Recorded(), "POST", "/v1/ask/query", content=body)
    assert (reply.status_code, reply.json()["error"]["code"]) == (status, code)


def test_a_query_string_without_end_is_refused() -> None:
    reply = raw(Recorded(), "GET", "/v1/ask/summary?" + "&".join(f"filters=status%3Dok{i}" for i in range(2_000)))
    assert (reply.status_code, reply.json()["error"]["code"]) == (414, "query_too_long")


def test_words_of_another_shape_are_refused_without_repeating_them(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, "talkscope")
    reply = raw(Recorded(), "GET", "/v1/ask/summary?range=somebody%40example.com&range=last_7d")
    assert reply.status_code == 422
    assert "somebody" not in reply.text + caplog.text
