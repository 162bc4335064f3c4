from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import anyio
import httpx
import pytest

from talkscope.client import AsyncClient, Client
from talkscope.errors import BadAnswer, ServerError
from talkscope.flow import Call, Param, query
from tests.client.sockets import AT_ONCE


def by_cursor(page: Any) -> Mapping[str, Param] | None:
    return {"cursor": page["next"]} if page["next"] else None


def three_pages(request: httpx.Request) -> httpx.Response:
    at = int(request.url.params.get("cursor", "0"))
    assert request.url.params["limit"] == "2"
    return httpx.Response(200, json={"rows": [at], "next": str(at + 1) if at < 2 else None})


def blocking(handler: Callable[[httpx.Request], httpx.Response], call: Call[Any], **named: Any) -> list[Any]:
    with Client("https://x.example", transport=httpx.MockTransport(handler), policy=AT_ONCE) as client:
        return list(client.pages(call, **named))


def asynchronous(handler: Callable[[httpx.Request], httpx.Response], call: Call[Any], **named: Any) -> list[Any]:
    async def pages() -> list[Any]:
        async with AsyncClient("https://x.example", transport=httpx.MockTransport(handler), policy=AT_ONCE) as client:
            return [page async for page in client.pages(call, **named)]

    return anyio.run(pages)


@pytest.fixture(params=[blocking, asynchronous])
def pages(request: pytest.FixtureRequest) -> Callable[..., list[Any]]:
    return request.param


LIST: Call[Any] = Call("/sessions", lambda body: body, query({"limit": 2}))


def test_pages_follow_the_cursor_to_the_end(pages: Callable[..., list[Any]]) -> None:
    assert [page["rows"] for page in pages(three_pages, LIST, next=by_cursor)] == [[0], [1], [2]]


def test_a_call_may_know_its_own_next_page(pages: Callable[..., list[Any]]) -> None:
    call: Call[Any] = Call("/sessions", lambda body: body, query({"limit": 2}), next=by_cursor)
    assert len(pages(three_pages, call)) == 3


def test_a_call_without_a_next_page_has_one(pages: Callable[..., list[Any]]) -> None:
    assert len(pages(three_pages, LIST)) == 1


def test_pages_may_be_counted_by_offset(pages: Callable[..., list[Any]]) -> None:
    def handler(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, json={"offset": int(request.url.params.get("offset", "0"))})

    found = pages(handler, LIST, next=lambda page: {"offset": page["offset"] + 2} if page["offset"] < 6 else None)
    assert [page["offset"] for page in found] == [0, 2, 4, 6]


@pytest.mark.parametrize("circle", [["1", "1"], ["1", "2", "1"], ["0", "1", "0"], [""]])
def test_a_cursor_that_comes_back_ends_the_pages_with_an_error(
    pages: Callable[..., list[Any]], circle: list[str]
) -> None:
    asked: list[str] = []

    def handler(request: httpx.Request) -> httpx.Response:
        asked.append(request.url.params.get("cursor", ""))
        return httpx.Response(200, json={"next": circle[min(len(asked), len(circle)) - 1]})

    call: Call[Any] = Call("/sessions", lambda body: body, query({"cursor": circle[0]}) if circle[0] == "" else ())
    with pytest.raises(BadAnswer, match="same page cursor twice"):
        pages(handler, call, next=lambda page: {"cursor": page["next"]})
    assert len(asked) == len(set(asked))


def test_pages_so_far_are_given_before_a_page_fails() -> None:
    def handler(request: httpx.Request) -> httpx.Response:
        return httpx.Response(500) if "cursor" in request.url.params else three_pages(request)

    with Client("https://x.example", transport=httpx.MockTransport(handler)) as client:
        found = client.pages(LIST, by_cursor)
        assert next(found)["rows"] == [0]
        with pytest.raises(ServerError):
            next(found)


def test_a_caller_may_stop_between_pages() -> None:
    asked: list[str] = []

    def handler(request: httpx.Request) -> httpx.Response:
        asked.append(str(request.url))
        return three_pages(request)

    with Client("https://x.example", transport=httpx.MockTransport(handler)) as client:
        assert next(client.pages(LIST, by_cursor))["rows"] == [0]
    assert len(asked) == 1
