"""A vendor's server on a socket of this machine."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

import uvicorn
from starlette.types import Receive, Scope, Send

from tests.waiting import SAFETY


class Served(Protocol):
    """An app that knows where its routes begin, and what it did wrong."""

    faults: list[str]

    @property
    def base(self) -> str: ...

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None: ...


class _Server(uvicorn.Server):
    """uvicorn that begins and ends when told, where its own looks up ten times a second: tests start hundreds."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.ready = threading.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._over = asyncio.Event()

    async def main_loop(self) -> None:
        self._loop = asyncio.get_running_loop()
        self.ready.set()
        await self._over.wait()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        for server in self.servers:
            server.close()
        for connection in list(self.server_state.connections):
            connection.shutdown()
        # What is being answered gets a second; a stream would go on for ever.
        end = time.monotonic() + 1
        while self.server_state.connections and time.monotonic() < end:
            await asyncio.sleep(0.001)
        for task in self.server_state.tasks:
            task.cancel()
        await asyncio.gather(*self.server_state.tasks, return_exceptions=True)

    def end(self) -> None:
        """Stop, from another thread."""
        if self._loop:
            self._loop.call_soon_threadsafe(self._over.set)


@contextmanager
def served(vendor: Served) -> Iterator[str]:
    """The url of a vendor's server, which runs until the block ends.

    Raises:
        AssertionError: It gave an answer that is outside its contract.
    """
    config = uvicorn.Config(
        vendor, http="h11", ws="none", lifespan="off", log_config=None, log_level="critical", access_log=False,
        date_header=False,
    )  # fmt: skip
    server = _Server(config)
    # Named as TCP, or asyncio would leave Nagle's algorithm on, and an answer would wait 40 ms.
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listening.bind(("127.0.0.1", 0))
    listening.listen(512)
    thread = threading.Thread(target=server.run, args=([listening],), daemon=True)
    thread.start()
    try:
        assert server.ready.wait(SAFETY), "the server does not start"
        yield f"http://127.0.0.1:{listening.getsockname()[1]}{vendor.base}"
    finally:
        server.end()
        thread.join(SAFETY)
        listening.close()
    assert not thread.is_alive(), "the server does not end"
    assert not vendor.faults, "\n".join(vendor.faults)
