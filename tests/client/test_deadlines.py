from __future__ import annotations

import time
from collections.abc import Iterator

import httpx
import pytest

from talkscope.client import Client
from talkscope.errors import ConnectionFailed, DeadlineExceeded
from talkscope.flow import Call, Clock, Policy
from tests.client.sockets import Peer, Send, http, serving

CALL = Call("/x", lambda body: body)


def silent(peer: Peer) -> None:
    peer.over.wait()


def dripping_headers(peer: Peer) -> None:
    peer.drip(b"HTTP/1.1 200 OK\r\nX-Long: " + b"x" * 100_000)


def dripping_body(peer: Peer) -> None:
    peer.send(http(b"")[:9] + b"200 OK\r\nContent-Length: 100000\r\n\r\n")
    peer.drip(b" " * 100_000)


def dripping_chunks(peer: Peer) -> None:
    peer.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    peer.drip(b"1\r\n \r\n" * 100_000, every=0.01)


def silent_after_the_headers(peer: Peer) -> None:
    peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n{")
    peer.over.wait()


@pytest.mark.parametrize("manner", [silent, dripping_headers, dripping_body, dripping_chunks, silent_after_the_headers])
def test_a_server_that_never_finishes_is_left_at_the_deadline(send: Send, manner) -> None:
    with serving(manner) as server:
        began = time.monotonic()
        with pytest.raises(DeadlineExceeded, match=r"within 0\.3 s"):
            send(server.url, CALL, deadline=0.3)
        took = time.monotonic() - began
    assert 0.25 < took < 2
    assert len(server.requests) == 1


def test_a_kept_connection_keeps_to_the_deadline_of_each_call() -> None:
    def first_well(peer: Peer) -> None:
        if len(server.requests) == 1:
            peer.send(http())
        else:
            dripping_headers(peer)

    with serving(first_well, keep=True) as server, Client(server.url) as client:
        client.send(CALL)
        with pytest.raises(DeadlineExceeded):
            client.send(Call("/x", lambda body: body, deadline=0.3))
    assert len(set(server.ports)) == 1


def test_chunks_that_come_at_once_but_never_end_are_left_at_the_deadline() -> None:
    now = 0.0

    class Endless(httpx.SyncByteStream):
        def __iter__(self) -> Iterator[bytes]:
            nonlocal now
            while now < 1000:
                now += 1.0
                yield b" "

    transport = httpx.MockTransport(lambda request: httpx.Response(200, stream=Endless()))
    clock = Clock(monotonic=lambda: now)
    with Client("http://app", transport=transport, deadline=30, clock=clock) as client:
        with pytest.raises(DeadlineExceeded, match="within 30 s"):
            client.send(CALL)
    assert now == 30


def test_retries_share_one_deadline(send: Send) -> None:
    with serving(http(status=503)) as server:
        began = time.monotonic()
        with pytest.raises(Exception, match="503"):
            send(server.url, CALL, deadline=0.5, policy=Policy(first_wait=5.0, longest_wait=5.0, attempts=50))
        assert time.monotonic() - began < 2


def test_a_port_that_nobody_listens_on_is_a_failed_connection(send: Send) -> None:
    with serving(http()) as server:
        pass
    with pytest.raises(ConnectionFailed, match="did not answer: .*(refused|attempts failed)"):
        send(server.url, CALL)


def test_a_connection_that_breaks_is_tried_again(send: Send) -> None:
    def third_time(peer: Peer) -> None:
        if len(server.requests) > 2:
            peer.send(http(b'{"n":3}'))

    with serving(third_time) as server:
        assert send(server.url, CALL) == {"n": 3}
    assert len(server.requests) == 3


def test_a_call_that_changes_something_is_sent_once(send: Send) -> None:
    with serving(lambda peer: None) as server, pytest.raises(ConnectionFailed):
        send(server.url, Call("/x", lambda body: body, method="POST", body={}, read_only=False))
    assert len(server.requests) == 1


def test_what_is_not_http_is_a_failed_connection(send: Send) -> None:
    with serving(b"SSH-2.0-OpenSSH_9.9\r\n\r\n") as server:
        with pytest.raises(ConnectionFailed, match="not HTTP"):
            send(server.url, CALL)
