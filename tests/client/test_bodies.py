from __future__ import annotations

import gzip
import threading
import tracemalloc
import zlib
from io import BytesIO

import anyio
import httpx
import pytest

from talkscope.client import AsyncClient
from talkscope.errors import (
    AnswerTooLarge,
    AuthenticationError,
    BadAnswer,
    ConnectionFailed,
    RateLimited,
    TalkscopeError,
)
from talkscope.flow import Call
from tests.client.sockets import Peer, Send, http, serving

CALL = Call("/x", lambda body: body)
MIB = 1024 * 1024


def test_gzip_is_asked_for_and_nothing_else(send: Send) -> None:
    with serving(http(gzip.compress(b'{"n":1}'), Content_Encoding="gzip")) as server:
        assert send(server.url, CALL, headers={"X-Extra": "1"}) == {"n": 1}
    headers = server.headers[0]
    assert headers["accept-encoding"] == "gzip"
    assert headers["accept"] == "application/json"
    assert headers["x-extra"] == "1"


def test_a_gzip_bomb_is_refused_in_little_memory(send: Send) -> None:
    maker = zlib.compressobj(wbits=31)
    block = bytes(MIB)
    bomb = b"".join([*(maker.compress(block) for _ in range(64)), maker.flush()])
    with serving(http(bomb, Content_Encoding="gzip")) as server:
        tracemalloc.start()
        try:
            with pytest.raises(AnswerTooLarge, match="more than 1,048,576 bytes"):
                send(server.url, CALL, cap=MIB)
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
    assert peak < 12 * MIB
    assert len(server.requests) == 1


@pytest.mark.parametrize("head", [b"", b"Content-Length: 99999999999\r\n", b"Transfer-Encoding: chunked\r\n"])
def test_an_endless_body_is_refused(send: Send, head: bytes) -> None:
    hung_up = threading.Event()

    def endless(peer: Peer) -> None:
        peer.send(b"HTTP/1.1 200 OK\r\n" + head + b"\r\n")
        piece = b" " * 4096
        try:
            while not peer.over.is_set():
                peer.send(b"1000\r\n" + piece + b"\r\n" if b"chunked" in head else piece)
        except OSError:
            hung_up.set()

    with serving(endless) as server:
        with pytest.raises(AnswerTooLarge):
            send(server.url, CALL, cap=100_000)
        assert hung_up.wait(60), "the client goes on listening"
    assert len(server.requests) == 1


def test_endless_headers_are_refused(send: Send) -> None:
    def endless(peer: Peer) -> None:
        peer.send(b"HTTP/1.1 200 OK\r\n")
        while not peer.over.is_set():
            peer.send(b"X-More: " + b"x" * 4096 + b"\r\n")

    with serving(endless) as server, pytest.raises(ConnectionFailed):
        send(server.url, CALL)


def test_a_calls_own_cap_wins(send: Send) -> None:
    rows = b"[" + b"0," * 1000 + b"0]"
    with serving(http(rows)) as server:
        assert len(send(server.url, Call("/x", str, cap=3000), cap=10)) == 3003
        with pytest.raises(AnswerTooLarge):
            send(server.url, Call("/x", lambda body: body, cap=1000))


def test_gzip_that_ends_early_is_a_bad_answer(send: Send) -> None:
    with serving(http(gzip.compress(b'{"rows":[]}' + b" " * 500)[:-6], Content_Encoding="gzip")) as server:
        with pytest.raises(BadAnswer, match="gzip ends early"):
            send(server.url, CALL)
    assert len(server.requests) == 1


@pytest.mark.parametrize("encoding", ["br", "zstd", "deflate", "gzip, gzip"])
def test_an_encoding_that_was_not_asked_for_is_a_bad_answer(send: Send, encoding: str) -> None:
    with serving(http(b"{}", Content_Encoding=encoding)) as server, pytest.raises(BadAnswer, match="not asked for"):
        send(server.url, CALL)


@pytest.mark.parametrize(
    "cut",
    [
        b'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{"rows":[]',
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{}",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n",
        b"HTTP/1.1 200 O",
    ],
)
def test_an_answer_that_is_cut_off_is_asked_for_again_and_then_a_failed_connection(send: Send, cut: bytes) -> None:
    with serving(cut) as server, pytest.raises(ConnectionFailed, match="ended before the answer did"):
        send(server.url, CALL)
    assert len(server.requests) == 4


def test_a_cut_that_no_length_shows_is_a_bad_answer(send: Send) -> None:
    with serving(b'HTTP/1.1 200 OK\r\n\r\n{"rows":[') as server, pytest.raises(BadAnswer, match="not JSON"):
        send(server.url, CALL)


@pytest.mark.parametrize(
    ("body", "said"),
    [(b"<html>Sign in</html>", "web page"), (b"", "empty"), (b"null", "null"), (b'{"n":NaN}', "not JSON")],
)
def test_a_200_that_is_no_answer_is_a_bad_answer(send: Send, body: bytes, said: str) -> None:
    with serving(http(body)) as server, pytest.raises(BadAnswer, match=said):
        send(server.url, CALL)


@pytest.mark.parametrize(("status", "body"), [(200, b'{"n":1}'), (200, b""), (204, b"")])
def test_an_answer_that_goes_into_a_file_is_as_long_as_it_is_even_where_there_is_none(status: int, body: bytes) -> None:
    async def saved() -> tuple[int, bytes]:
        async with AsyncClient(
            "http://x", transport=httpx.MockTransport(lambda _: httpx.Response(status, content=body))
        ) as client:
            file = BytesIO(b"what was there before")
            return await client.save(CALL, file), file.getvalue()

    assert anyio.run(saved) == (len(body), body)


def test_an_errors_status_counts_even_when_its_body_is_endless(send: Send) -> None:
    def endless(peer: Peer) -> None:
        peer.send(b"HTTP/1.1 401 No\r\n\r\n" + b"who are you? ")
        while not peer.over.is_set():
            peer.send(b"x" * 4096)

    with serving(endless) as server, pytest.raises(AuthenticationError, match=r"^who are you\? x+…"):
        send(server.url, CALL)


def test_an_error_that_is_zipped_is_read(send: Send) -> None:
    body = gzip.compress(b'{"error":{"code":"rate_limited","message":"Slow down."}}')
    with serving(http(body, 429, Content_Encoding="gzip", Retry_After="99")) as server:
        with pytest.raises(RateLimited, match=r"Slow down\.") as caught:
            send(server.url, CALL)
    assert caught.value.retry_after == 99


def test_every_failure_is_one_of_ours(send: Send) -> None:
    answers = [
        b"",
        b"\x00" * 50,
        b"HTTP/1.1 999999 X\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nA b: c\r\n\r\n",
        b"HTTP/1.1 101 X\r\n\r\n",
    ]
    answers += [http(Content_Length="-5"), http(Content_Length="nine"), http(b"zz\r\n", Transfer_Encoding="chunked")]
    for answer in answers:
        with serving(answer) as server, pytest.raises(TalkscopeError):
            send(server.url, CALL, deadline=2.0)
