from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import httpx
import pytest

from talkscope.client import Client
from talkscope.errors import ConnectionFailed, DeadlineExceeded
from talkscope.flow import Call, Clock, Policy
from tests.client.sockets import AT_ONCE, Peer, Send, http, serving
from tests.waiting import until

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
        with pytest.raises(DeadlineExceeded, match=r"within 0\.4 s"):
            send(server.url, CALL, deadline=0.4)
        until(lambda: server.requests, "the request has been read")
    assert len(server.requests) == 1


def test_an_answer_that_drips_in_before_the_deadline_is_read_whole(send: Send) -> None:
    with serving(lambda peer: peer.drip(http(b'{"n":1}'), every=0.001)) as server:
        assert send(server.url, CALL, deadline=3600) == {"n": 1}


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
    def unavailable_then_silent(peer: Peer) -> None:
        if len(server.requests) == 1:
            peer.send(http(status=503))
        else:
            peer.over.wait()

    with serving(unavailable_then_silent, keep=True) as server:
        # When the first answer comes, nearly all of the hour is over.
        clock = Clock(monotonic=lambda: 3599.6 if server.requests else 0.0)
        policy = replace(AT_ONCE, attempts=2)
        with pytest.raises(DeadlineExceeded, match="within 3600 s"):
            send(server.url, CALL, deadline=3600, policy=policy, clock=clock)
        until(lambda: len(server.requests) == 2, "the second request has been read")


def test_a_pause_that_ends_after_the_deadline_is_not_begun(send: Send) -> None:
    with serving(http(status=503)) as server:
        policy = Policy(first_wait=3600, longest_wait=3600)
        with pytest.raises(Exception, match="503"):
            send(server.url, CALL, deadline=600, policy=policy, clock=Clock(chance=lambda: 0.5))
    assert len(server.requests) == 1


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
