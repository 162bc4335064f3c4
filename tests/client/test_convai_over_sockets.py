"""A Convai account against servers that behave badly, over real sockets."""

from __future__ import annotations

import asyncio
import gzip
import json
import os
import subprocess
import sys
import threading
import tracemalloc
import zlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, cast

import anyio
import pytest

from talkscope import AsyncClient, AsyncConvaiAnalytics, Client, ConvaiAnalytics
from talkscope.errors import (
    AnswerTooLarge,
    BadAnswer,
    ConnectionFailed,
    DeadlineExceeded,
    RateLimited,
    ServerError,
    TalkscopeError,
    UnexpectedRedirect,
)
from talkscope.platforms.convai import KEY_HEADER
from tests.client.analytics import AT_ONCE, KEY, NINE, SESSIONS, SUMMARY, Ask, Do, asynchronous, blocking
from tests.client.sockets import Peer, Served, http, serving
from tests.client.test_addresses import _certificate
from tests.waiting import until_async

BODY = json.dumps(SUMMARY).encode()
MIB = 1024 * 1024
CALLS = 60


@pytest.fixture(params=[blocking, asynchronous], ids=["ConvaiAnalytics", "AsyncConvaiAnalytics"])
def ask(request: pytest.FixtureRequest) -> Ask:
    return cast("Ask", request.param)


def summary(account: Any) -> Any:
    return account.summary(range="last_7d")


@pytest.mark.parametrize("do", NINE.values(), ids=list(NINE))
def test_no_call_takes_the_key_to_a_second_host(ask: Ask, do: Do) -> None:
    with serving(http(BODY)) as second:
        moved = http(b"", 307, Location=f"http://localhost:{second.port}/x?key={KEY}")
        with serving(moved) as first, pytest.raises(UnexpectedRedirect) as caught:
            ask(do, first.url)
    assert second.requests == []
    assert len(first.requests) == 1
    assert caught.value.details == {"host": "localhost"}


def dripping_head(peer: Peer) -> None:
    peer.drip(b"HTTP/1.1 200 OK\r\nX-Long: " + b"x" * 100_000)


def dripping_body(peer: Peer) -> None:
    peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
    peer.drip(b" " * 100_000)


def silent(peer: Peer) -> None:
    peer.over.wait()


@pytest.mark.parametrize("manner", [dripping_head, dripping_body, silent])
def test_a_service_that_never_finishes_is_left_at_the_timeout(ask: Ask, manner: Callable[[Peer], None]) -> None:
    with serving(manner) as server, pytest.raises(DeadlineExceeded, match=r"within 0\.4 s"):
        ask(summary, server.url, timeout=0.4)


def test_a_gzip_bomb_is_refused_in_bounded_memory(ask: Ask) -> None:
    maker = zlib.compressobj(wbits=31)
    block = bytes(MIB)
    bomb = b"".join([*(maker.compress(block) for _ in range(512)), maker.flush()])
    with serving(http(bomb, Content_Encoding="gzip")) as server:
        tracemalloc.start()
        try:
            with pytest.raises(AnswerTooLarge, match="more than 33,554,432 bytes"):
                ask(summary, server.url)
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
    assert peak < 100 * MIB
    assert len(server.requests) == 1


def test_an_endless_answer_is_refused(ask: Ask) -> None:
    hung_up = threading.Event()

    def endless(peer: Peer) -> None:
        peer.send(b"HTTP/1.1 200 OK\r\n\r\n{")
        try:
            while not peer.over.is_set():
                peer.send(b" " * MIB)
        except OSError:
            hung_up.set()

    with serving(endless) as server:
        with pytest.raises(AnswerTooLarge):
            ask(summary, server.url)
        assert hung_up.wait(60), "the client goes on listening"


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (http(gzip.compress(BODY)[:-9], Content_Encoding="gzip"), BadAnswer),
        (b"HTTP/1.1 200 OK\r\n\r\n" + BODY[:-9], BadAnswer),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n" + BODY, ConnectionFailed),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{}", ConnectionFailed),
        (b"", ConnectionFailed),
    ],
)
def test_an_answer_that_is_cut_off_is_no_answer(ask: Ask, answer: bytes, kind: type[TalkscopeError]) -> None:
    with serving(answer) as server, pytest.raises(kind):
        ask(summary, server.url, policy=AT_ONCE)


@pytest.mark.parametrize(
    "body",
    [
        b"<html>Sign in</html>",
        b"",
        b"null",
        b"[]",
        b'{"sessions":NaN}',
        b'{"sessions":1e999}',
        b'{"sessions":' + b"9" * 10_000 + b"}",
        b'{"sessions":' * 9_999,
        b"\xff\xfe",
        json.dumps({**SUMMARY, "meta": {"freshnessAt": "9999-12-31T23:59:59.999999-23:59x"}}).encode(),
    ],
    ids=lambda body: repr(body[:24]),
)
def test_json_that_is_hostile_is_a_bad_answer(ask: Ask, body: bytes) -> None:
    with serving(http(body)) as server, pytest.raises(BadAnswer):
        ask(summary, server.url)


def test_half_a_character_becomes_a_sign_that_can_be_printed(ask: Ask) -> None:
    page = json.dumps({**SESSIONS, "sessions": [{"sessionId": "s\ud800"}]}).encode()
    with serving(http(page)) as server:
        (session,) = ask(lambda account: account.sessions.list(), server.url).sessions
    assert session.session_id == "s\ufffd"


def storm(server: Served) -> int:
    """How many of many calls at once fail, all of one account in threads."""
    with Client(server.url, key=KEY, key_header=KEY_HEADER, policy=AT_ONCE) as client:
        account = ConvaiAnalytics(client=client)
        with ThreadPoolExecutor(6) as threads:
            return sum(threads.map(lambda _: _fails(account), range(CALLS)))


def _fails(account: ConvaiAnalytics) -> bool:
    try:
        account.summary()
    except (ServerError, RateLimited):
        return True
    return False


def storm_async(server: Served) -> int:
    async def calls() -> int:
        async with AsyncClient(server.url, key=KEY, key_header=KEY_HEADER, policy=AT_ONCE) as client:
            account = AsyncConvaiAnalytics(client=client)
            found = await asyncio.gather(*(account.summary() for _ in range(CALLS)), return_exceptions=True)
        return sum(isinstance(each, ServerError | RateLimited) for each in found)

    return asyncio.run(calls())


@pytest.mark.parametrize("storming", [storm, storm_async])
@pytest.mark.parametrize(
    "answer",
    [http(b"", 503), http(b"", 503, Retry_After="0"), http(b"", 429, Retry_After="0"), http(b"", 502)],
    ids=["503", "503 with Retry-After", "429 with Retry-After", "502"],
)
def test_many_callers_do_not_multiply_a_services_trouble(storming: Callable[[Served], int], answer: bytes) -> None:
    with serving(answer, keep=True) as server:
        assert storming(server) == CALLS
    assert CALLS < len(server.requests) <= 1.2 * CALLS


@pytest.mark.parametrize("storming", [storm, storm_async])
@pytest.mark.parametrize(
    "answer",
    [
        http(b"", 429),
        http(b"", 429, Retry_After="3600"),
        http(b'{"error":{"code":"quota_exceeded","message":"Monthly quota used up."}}', 429, Retry_After="0"),
    ],
    ids=["no Retry-After", "long Retry-After", "quota"],
)
def test_a_429_that_no_waiting_helps_is_asked_once(storming: Callable[[Served], int], answer: bytes) -> None:
    with serving(answer, keep=True) as server:
        assert storming(server) == CALLS
    assert len(server.requests) == CALLS


def test_cancelling_a_call_hangs_up() -> None:
    hung_up = threading.Event()

    def waiting(peer: Peer) -> None:
        if peer.connection.recv(1) == b"":
            hung_up.set()

    async def cancelled(url: str) -> None:
        async with AsyncConvaiAnalytics(KEY, base_url=url) as account:
            task = asyncio.create_task(account.summary())
            await until_async(lambda: server.requests, "the request has been read")
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            await until_async(hung_up.is_set, "the connection is closed")

    with serving(waiting) as server:
        asyncio.run(cancelled(server.url))
    assert len(server.requests) == 1


def test_cancelling_pages_asks_for_no_more_of_them() -> None:
    page = http(json.dumps({**SESSIONS, "nextCursor": "2"}).encode())

    def then_silent(peer: Peer) -> None:
        if len(server.requests) == 1:
            peer.send(page)
        else:
            peer.connection.recv(1)

    async def cancel_when(reached: Callable[[], object], scope: anyio.CancelScope) -> None:
        await until_async(reached, "the second page has been asked for")
        scope.cancel()

    async def read(url: str) -> int:
        found = 0
        async with AsyncConvaiAnalytics(KEY, base_url=url) as account, anyio.create_task_group() as group:
            with anyio.CancelScope() as scope:
                async for _ in account.sessions.pages():
                    found += 1
                    # Cancelled while the second page is waited for.
                    group.start_soon(cancel_when, lambda: len(server.requests) == 2, scope)
        return found

    with serving(then_silent) as server:
        assert anyio.run(read, server.url) == 1
    assert len(server.requests) == 2


@pytest.mark.parametrize("cursors", [["1"], ["1", "2"]])
def test_a_cursor_that_comes_back_ends_the_pages(ask: Ask, cursors: list[str]) -> None:
    def circling(peer: Peer) -> None:
        cursor = cursors[(len(server.requests) - 1) % len(cursors)]
        peer.send(http(json.dumps({**SESSIONS, "nextCursor": cursor}).encode()))

    async def gather(account: Any) -> None:
        async for _ in account.sessions.pages(limit=100):
            pass

    with serving(circling) as server, pytest.raises(BadAnswer, match="same page cursor twice"):
        ask(gather if ask is asynchronous else lambda account: list(account.sessions.pages(limit=100)), server.url)
    assert len(server.requests) == len(cursors) + 1


@pytest.fixture
def _every_name_is_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    import socket

    resolve = socket.getaddrinfo
    monkeypatch.setattr(socket, "getaddrinfo", lambda host, *rest, **named: resolve("127.0.0.1", *rest, **named))


@pytest.mark.usefixtures("_every_name_is_this_machine")
def test_proxies_of_the_environment_are_used_except_where_it_says_not_to(
    ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    with serving(http(b"", 502)) as proxy, serving(lambda peer: None) as direct:
        monkeypatch.setenv("HTTPS_PROXY", proxy.url)
        with pytest.raises(ConnectionFailed):
            ask(summary, "https://api.example/v1/analytics", policy=AT_ONCE)
        assert {request.split(b"\r\n")[0] for request in proxy.requests} == {b"CONNECT api.example:443 HTTP/1.1"}
        assert KEY.encode() not in b"".join(proxy.requests)
        asked = len(proxy.requests)
        monkeypatch.setenv("NO_PROXY", "api.example")
        with pytest.raises(ConnectionFailed):
            ask(summary, f"https://api.example:{direct.port}", policy=AT_ONCE)
    assert len(proxy.requests) == asked
    assert direct.requests[0][:1] == b"\x16"


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_this_machine_is_never_asked_through_a_proxy(ask: Ask, monkeypatch: pytest.MonkeyPatch, host: str) -> None:
    with serving(http(b"", 502)) as proxy, serving(http(BODY)) as server:
        monkeypatch.setenv("HTTP_PROXY", proxy.url)
        monkeypatch.setenv("ALL_PROXY", proxy.url)
        assert ask(summary, f"http://{host}:{server.port}").sessions == 90
    assert proxy.requests == []


def test_certificates_of_the_environment_are_trusted_and_no_others(
    ask: Ask, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with serving(http(BODY), tls=_certificate(tmp_path)) as server:
        url = server.url.replace("http:", "https:")
        with pytest.raises(ConnectionFailed, match="CERTIFICATE_VERIFY_FAILED"):
            ask(summary, url, policy=AT_ONCE)
        assert server.requests == []
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "cert.pem"))
        assert ask(summary, url).sessions == 90


# A program of its own, because a process with threads (the server's) should not be forked.
FORKED = """
import os, sys
from talkscope import ConvaiAnalytics

with ConvaiAnalytics("k", base_url=sys.argv[1]) as account:
    def check(who):
        for turn in range(10):
            assert account.sessions.get(f"{who}-{turn}").session_id == f"{who}-{turn}", who
    check("before")
    child = os.fork()
    check("parent" if child else "child")
    if not child:
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="Windows has no fork, so there is nothing to guard.")
def test_after_a_fork_each_process_gets_its_own_answers() -> None:
    def echo(peer: Peer) -> None:
        asked = list(zip(list(server.requests), list(server.ports), strict=False))
        mine = [head for head, port in asked if port == peer.port]
        asked_for = mine[-1].split(b" ")[1].rpartition(b"/")[2].decode()
        peer.send(http(json.dumps({"sessionId": asked_for, "events": []}).encode()))

    with serving(echo, keep=True) as server:
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
        done = subprocess.run(
            [sys.executable, "-c", FORKED, server.url],
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
            env=environment,
        )
    assert (done.returncode, done.stderr) == (0, "")
    assert len(server.requests) == 30
    by_port: dict[int, set[str]] = {}
    for target, port in zip(server.targets, server.ports, strict=True):
        by_port.setdefault(port, set()).add(target.rpartition("/")[2].split("-")[0])
    assert sorted(map(sorted, by_port.values())) == [["before", "parent"], ["child"]]
