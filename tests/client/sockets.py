"""Real servers on this machine that answer as badly as a test likes, and both clients asked in the same way."""

from __future__ import annotations

import socket
import socketserver
import ssl
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Protocol, TypeVar

import anyio
import httpx

from talkscope.client import AsyncClient, Client
from talkscope.flow import Call, Clock, Policy

T = TypeVar("T")
AT_ONCE = Policy(first_wait=0.0)


@dataclass
class Peer:
    """One connection, as the server sees it."""

    connection: socket.socket
    port: int
    over: threading.Event

    def send(self, data: bytes) -> None:
        self.connection.sendall(data)

    def drip(self, data: bytes, every: float = 0.02) -> None:
        """Send a byte now and then, until the other side or the test has had enough."""
        for at in range(len(data)):
            if self.over.wait(every):
                return
            self.send(data[at : at + 1])


@dataclass
class Served:
    """What a server was sent: each request's head, and the port that it came from."""

    port: int
    requests: list[bytes] = field(default_factory=list)
    ports: list[int] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def targets(self) -> list[str]:
        return [request.split(b" ")[1].decode() for request in self.requests]

    @property
    def headers(self) -> list[dict[str, str]]:
        heads = [request.decode("latin-1").partition("\r\n\r\n")[0].split("\r\n")[1:] for request in self.requests]
        return [{line.partition(":")[0].lower(): line.partition(":")[2].strip() for line in head} for head in heads]


def http(body: bytes = b"{}", status: int = 200, **headers: str) -> bytes:
    named = {"Content-Length": str(len(body))} | {name.replace("_", "-"): value for name, value in headers.items()}
    head = "".join(f"{name}: {value}\r\n" for name, value in named.items())
    return f"HTTP/1.1 {status} X\r\n{head}\r\n".encode() + body


def _head(connection: socket.socket) -> bytes:
    head = b""
    while b"\r\n\r\n" not in head:
        data = connection.recv(65_536)
        # A TLS handshake, which begins so, has no lines.
        if not data or data[:1] == b"\x16":
            return data
        head += data
    return head


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = False
    block_on_close = True
    # Many callers may come at once.
    request_queue_size = 128


@contextmanager
def serving(
    answer: Callable[[Peer], object] | bytes, *, keep: bool = False, tls: ssl.SSLContext | None = None
) -> Iterator[Served]:
    """A server that gives each request this answer, then hangs up unless it shall `keep` the connection."""
    over = threading.Event()
    lock = threading.Lock()

    class Handler(socketserver.BaseRequestHandler):
        def setup(self) -> None:
            if tls is not None:
                # Shaken hands in `handle`, where a failure is the client's answer.
                self.request = tls.wrap_socket(self.request, server_side=True, do_handshake_on_connect=False)

        def finish(self) -> None:
            self.request.close()

        def handle(self) -> None:
            peer = Peer(self.request, self.client_address[1], over)
            try:
                while head := _head(self.request):
                    with lock:
                        served.requests.append(head)
                        served.ports.append(peer.port)
                    if isinstance(answer, bytes):
                        peer.send(answer)
                    else:
                        answer(peer)
                    if not keep:
                        return
            except OSError:
                return

    with _Server(("127.0.0.1", 0), Handler) as server:
        served = Served(server.server_address[1])
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield served
        finally:
            over.set()
            server.shutdown()
            thread.join()


class Send(Protocol):
    """Asks one call with a client of its own."""

    def __call__(
        self,
        url: str,
        call: Call[T],
        *,
        key: str | None = None,
        key_header: str = "CONVAI-API-KEY",
        headers: Mapping[str, str] | None = None,
        deadline: float = 10.0,
        cap: int | None = None,
        policy: Policy = AT_ONCE,
        clock: Clock | None = None,
        transport: httpx.MockTransport | None = None,
    ) -> T: ...


def blocking(url: str, call: Call[T], **options: object) -> T:
    options.setdefault("deadline", 10.0)
    options.setdefault("policy", AT_ONCE)
    with Client(url, **options) as client:  # type: ignore[arg-type]  # typed by Send
        return client.send(call)


def asynchronous(url: str, call: Call[T], **options: object) -> T:
    options.setdefault("deadline", 10.0)
    options.setdefault("policy", AT_ONCE)

    async def send() -> T:
        async with AsyncClient(url, **options) as client:  # type: ignore[arg-type]  # typed by Send
            return await client.send(call)

    return anyio.run(send)
