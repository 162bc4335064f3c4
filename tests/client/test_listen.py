"""Streams of server-sent events: taken apart however their bytes come, and listened to over a socket."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import aclosing
from datetime import UTC, datetime
from itertools import pairwise

import anyio
import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import SecretStr

from talkscope.client import AsyncClient
from talkscope.errors import (
    AnswerTooLarge,
    AuthenticationError,
    BadAnswer,
    ConnectionFailed,
    DeadlineExceeded,
    TalkscopeError,
)
from talkscope.flow import Events, ServerEvent
from talkscope.platforms.agent_studio import ACCESS, PLATFORM, calls_stream
from tests.vendors.agent_studio import KEY, agent_studio
from tests.vendors.agent_studio_live import Feed
from tests.vendors.agent_studio_world import make_tenant
from tests.vendors.serving import served

TENANT = make_tenant(datetime(2026, 5, 5, 16, 30, tzinfo=UTC))
TEXT = (
    '\ufeff: a comment\r\nevent: active_count\r\ndata: {"count":\r\ndata:  3}\r\nid: 7\r\n\r\n'
    "data: grüße\n\n\nevent: nothing\n\nretry: 10\ndata\n\nevent: cut\ndata: off"
)
EVENTS = [
    ServerEvent("active_count", '{"count":\n 3}', "7"),
    ServerEvent("message", "grüße", "7"),
    ServerEvent("message", "", "7"),
]


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(0, len(TEXT.encode())), max_size=12))
def test_events_are_the_same_wherever_their_bytes_are_cut(cuts: list[int]) -> None:
    data, events = TEXT.encode(), Events()
    edges = [0, *sorted(cuts), len(data)]
    found = [event for low, high in pairwise(edges) for event in events.feed(data[low:high])]
    assert found == EVENTS


def test_an_event_without_end_is_refused_and_not_held() -> None:
    events = Events(most=1_000)
    list(events.feed(9 * (b"data: " + b"x" * 100 + b"\n")))
    with pytest.raises(AnswerTooLarge):
        list(events.feed(2 * (b"data: " + b"x" * 100 + b"\n")))
    with pytest.raises(AnswerTooLarge):
        list(Events(most=1_000).feed(b"x" * 1_001))


@pytest.fixture
def feed() -> Iterator[tuple[Feed, str]]:
    told = Feed()
    with served(agent_studio(TENANT, feed=told, clock=time.time)) as url:
        yield told, url


def heard(client: AsyncClient, path: str, most: int = 100) -> tuple[list[ServerEvent], TalkscopeError | None]:
    """At most so many events of a stream, and the error that it ended with."""

    async def listen() -> tuple[list[ServerEvent], TalkscopeError | None]:
        events: list[ServerEvent] = []
        async with client, aclosing(client.listen(path)) as listening:
            try:
                async for event in listening:
                    events.append(event)
                    if len(events) == most:
                        break
            except TalkscopeError as error:
                return events, error
        return events, None

    return anyio.run(listen)


def account(url: str, key: str = KEY) -> AsyncClient:
    header, secret = ACCESS.header(SecretStr(key))
    return AsyncClient(url, key=secret, key_header=header, manners=PLATFORM.manners)


def test_a_stream_is_listened_to_until_the_service_ends_it(feed: tuple[Feed, str]) -> None:
    told, url = feed
    told.push("active_count", {"count": 5, "timestamp": "2026-05-05T16:31:00Z"})
    told.end()
    events, error = heard(account(url), calls_stream().path)
    read = [calls_stream().read(each.name, each.data) for each in events]
    assert error is None
    assert [event.name for event in read] == ["connected", "active_count", "calls_update", "active_count"]
    assert [event.count for event in read if event.count is not None] == [len(TENANT.active), 5]


def test_a_refused_stream_is_the_error_that_any_call_would_be(feed: tuple[Feed, str]) -> None:
    events, error = heard(account(feed[1], "as_test_unknown"), calls_stream().path)
    assert (events, type(error)) == ([], AuthenticationError)


async def _breaking() -> AsyncIterator[bytes]:
    yield b"data: 1\n\n"
    raise httpx.ReadError("gone")


async def _silent() -> AsyncIterator[bytes]:
    yield b"data: 1\n\n"
    raise httpx.ReadTimeout("silent")


@pytest.mark.parametrize(("body", "error"), [(_breaking, ConnectionFailed), (_silent, DeadlineExceeded)])
def test_a_stream_that_breaks_or_falls_silent_ends_with_an_error(
    body: Callable[[], AsyncIterator[bytes]], error: type[TalkscopeError]
) -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        assert request.headers["accept"] == "text/event-stream"
        return httpx.Response(200, headers={"content-type": "text/event-stream"}, content=body())

    events, ended = heard(AsyncClient("https://stream.example", transport=httpx.MockTransport(answer)), "/s")
    assert ([event.data for event in events], type(ended)) == (["1"], error)


def test_an_answer_that_is_no_stream_is_refused() -> None:
    transport = httpx.MockTransport(lambda _: httpx.Response(200, json={}))
    events, error = heard(AsyncClient("https://stream.example", transport=transport), "/s")
    assert (events, type(error)) == ([], BadAnswer)


def test_whoever_stops_listening_hangs_up(feed: tuple[Feed, str]) -> None:
    events, error = heard(account(feed[1]), calls_stream().path, most=1)
    assert ([event.name for event in events], error) == (["connected"], None)
