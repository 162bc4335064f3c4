"""A service on a socket: from the first byte to a graceful end."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

import orjson
import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol, RequestResponseCycle

from talkscope.api.service.app import Service
from talkscope.errors import TalkscopeError

# Seconds.
_PATIENCE = 15
_MOST_CONNECTIONS = 1_024
_MOST_HEAD = 64 * 1024
# Seconds that interrupted questions get to end, after the grace.
_LAST = 5


def listen(host: str, port: int) -> socket.socket:
    """A listening socket; port 0 takes a free one. Raises TalkscopeError where the address cannot be had."""
    try:
        family, kind, number, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        found = socket.socket(family, kind, number)
        try:
            if os.name == "posix":
                # Elsewhere it would let two servers have one port.
                found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            found.bind(address)
            found.listen(2_048)
        except OSError:
            found.close()
            raise
    except (OSError, OverflowError) as error:
        said = getattr(error, "strerror", None) or type(error).__name__
        raise TalkscopeError(
            f"Port {port} of {host[:100]} cannot be listened on: {said}.",
            hint="Choose another with --port, or stop what uses it.",
            code="address_unusable",
        ) from None
    return found


def run(
    service: Service,
    listening: socket.socket,
    *,
    grace: float,
    started: Callable[[], object],
    patience: float = _PATIENCE,
) -> None:
    """Serve until SIGTERM or SIGINT: then accept nothing more, and give what runs `grace` seconds before it is ended.

    A second signal ends the process at once. Call it in the main thread, for elsewhere there are no signals. A
    connection is cut off that takes more than `patience` seconds for the head of a request, or stops reading an answer.
    """
    config = uvicorn.Config(
        service,
        loop="asyncio",
        http=type("_Patient", (_Connection,), {"patience": patience}),
        ws="none",
        lifespan="off",
        log_config=None,
        log_level="error",
        access_log=False,
        proxy_headers=False,
        server_header=False,
        timeout_keep_alive=_PATIENCE,
        timeout_graceful_shutdown=int(grace) + 1 + _LAST,
        h11_max_incomplete_event_size=_MOST_HEAD,
    )
    _Server(config, service, grace, started).run(sockets=[listening])


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config, service: Service, grace: float, started: Callable[[], object]) -> None:
        super().__init__(config)
        self._service = service
        self._grace = grace
        self._say_started = started

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._say_started()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._service.stop()
        over = asyncio.get_running_loop().call_later(self._grace, self._service.interrupt)
        try:
            await super().shutdown(sockets)
        finally:
            over.cancel()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Take the signals for as long as it serves; they end it with 0 and are not raised again."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        names = ("SIGINT", "SIGTERM", "SIGBREAK")
        numbers = [int(getattr(signal, name)) for name in names if hasattr(signal, name)]
        before = {number: signal.signal(number, self.handle_exit) for number in numbers}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:  # noqa: ARG002
        if self.should_exit:
            os._exit(128 + sig)
        self.should_exit = True


class _Connection(H11Protocol):
    """A connection that ends when its other side takes too long, and answers nonsense in JSON."""

    patience: float = _PATIENCE
    _watch: asyncio.TimerHandle | None = None
    _unread = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        if len(self.connections) > _MOST_CONNECTIONS:
            transport.abort()
        else:
            self._await_head()

    def connection_lost(self, exc: Exception | None) -> None:
        self._leave()
        super().connection_lost(exc)

    def handle_events(self) -> None:
        super().handle_events()
        if self._answering():
            self._leave()

    def on_response_complete(self) -> None:
        self._await_head()
        super().on_response_complete()

    def send_400_response(self, msg: str) -> None:
        told = {"error": {"code": "bad_request", "message": msg, "hint": "Send HTTP/1.1.", "details": {}}}
        body = orjson.dumps(told)
        head = f"HTTP/1.1 400 Bad Request\r\ncontent-type: application/json\r\ncontent-length: {len(body)}\r\n"
        if not self._answering():
            self.transport.write(f"{head}connection: close\r\n\r\n".encode() + body)
        self.transport.close()

    def _answering(self) -> bool:
        cycle: RequestResponseCycle | None = self.cycle
        return cycle is not None and not cycle.response_complete

    def _await_head(self) -> None:
        self._leave()
        self._unread = 0
        self._watch = self.loop.call_later(self.patience, self._too_long)

    def _leave(self) -> None:
        if self._watch is not None:
            self._watch.cancel()
            self._watch = None

    def _too_long(self) -> None:
        unread = self.transport.get_write_buffer_size()
        if unread and (not self._unread or unread < self._unread):
            self._unread = unread
            self._watch = self.loop.call_later(self.patience, self._too_long)
        else:
            self.transport.abort()
