"""The stdio transport: an MCPServer on the process's stdin and stdout, in the place of the SDK's own.

The SDK's transport reads and writes in anyio's shared worker threads, so that 40 hung calls silence it; it leaves lines
unbounded and bad requests unanswered, and neither Ctrl-C nor the end of input ends it while a call hangs. Here reading,
writing and signals have a thread each, and the first reason to end starts a clock that ends the process whatever hangs.
"""

from __future__ import annotations

import asyncio
import logging
import os
import select
import threading
from collections.abc import Callable
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from typing import Any, NoReturn, Self

import anyio
from mcp.server import MCPServer, Server
from mcp.shared.message import SessionMessage
from mcp_types import JSONRPCError, JSONRPCMessage, JSONRPCNotification, JSONRPCRequest, JSONRPCResponse

from talkscope.server.frames import Refusal, decode, encode, lines
from talkscope.server.logs import write_all
from talkscope.server.process import claim_wire, leave, signals

logger = logging.getLogger(__name__)

GRACE = 1.8
"""Seconds from the first reason to end until the process ends, whatever hangs: less than the two that clients wait."""
PATIENCE = 1.0
"""Seconds that calls already begun may take after the end of input, so that piped requests are answered."""
_CHUNK = 1 << 16
_ENDLESS = frozenset({"subscriptions/listen"})  # requests that are answered when the connection ends, not before


def run(server: MCPServer) -> NoReturn:
    """Serve over stdin and stdout until the client leaves, then end the process.

    The exit code is 0 when the client left, 130 after Ctrl-C, 143 after SIGTERM, 1 when the server could not run. What
    must be tidied at the end belongs into the server's lifespan: nothing after this runs, no `atexit` either.
    """

    async def main() -> NoReturn:
        # From inside the loop, because closing a loop waits for its worker threads, and one of them may hang for good.
        leave(await serve(server))

    anyio.run(main)


async def serve(server: MCPServer) -> int:
    """Serve over stdin and stdout until the client leaves or a signal comes, and return the exit code.

    From now on the process's stdout belongs to the protocol: what anything else prints goes to stderr, and stdin is
    empty. When ending takes longer than two seconds, the process ends from here with the same code.

    Returns:
        0 when stdin ended or stdout was closed, 130 after SIGINT, 143 after SIGTERM, 1 when the server failed.
    """
    low_level = _low_level(server)
    wire_in, wire_out = claim_wire()
    wire = _Wire(asyncio.get_running_loop(), wire_out)
    try:
        with signals(wire.signalled):
            threading.Thread(target=wire.read, args=(wire_in,), name="talkscope-stdin", daemon=True).start()
            await low_level.run(wire.incoming, wire, low_level.create_initialization_options())
            await wire.written(0.25)
    except Exception:
        logger.exception("The server failed")
        wire.code = max(wire.code, 1)
    finally:
        wire.close()
    return wire.code


def _low_level(server: MCPServer) -> Server[Any]:
    """The SDK's low-level server, whose `run` takes any pair of streams.

    `MCPServer` only runs on transports of its own and keeps this one private; the session manager of its HTTP app is
    the one public road to it. Making that app takes 0.2 ms and starts nothing.
    """
    server.streamable_http_app()
    return server.session_manager.app


class _Wire:
    """One connection: messages from the reading thread to the server, and the server's to the writing thread."""

    def __init__(self, loop: asyncio.AbstractEventLoop, wire_out: int) -> None:
        self._loop = loop
        self._out = wire_out
        self._to_server, self.incoming = anyio.create_memory_object_stream[SessionMessage | Exception](0)
        self._writer = ThreadPoolExecutor(1, thread_name_prefix="talkscope-stdout")
        self._unanswered: set[str] = set()
        self._lock = threading.Lock()
        self._clock: threading.Timer | None = None
        self._signals = 0
        self._ending = False
        self.code = 0

    def read(self, wire_in: int) -> None:
        """Bring the client's messages to the server, one after the other, until they end; fills a thread of its own."""
        code = 0
        try:
            for line in lines(partial(_read, wire_in)):
                got = decode(line)
                if isinstance(got, Refusal):
                    self._submit(write_all, self._out, encode(got.answer)).result()
                elif got is not None:
                    asyncio.run_coroutine_threadsafe(self._deliver(got), self._loop).result()
        except (OSError, RuntimeError, CancelledError, anyio.ClosedResourceError, anyio.BrokenResourceError):
            pass  # the client is gone, or the server
        except Exception:
            logger.exception("Reading stdin failed")
            code = 1
        self.end(code, PATIENCE)

    async def _deliver(self, message: JSONRPCMessage) -> None:
        if isinstance(message, JSONRPCRequest):
            if message.method not in _ENDLESS:
                self._unanswered.add(str(message.id))
        elif isinstance(message, JSONRPCNotification) and message.method == "notifications/cancelled":
            self._unanswered.discard(str((message.params or {}).get("requestId")))
        await self._to_server.send(SessionMessage(message))

    def _submit(self, work: Callable[..., None], *args: object) -> Future[None]:
        return self._writer.submit(work, *args)

    async def send(self, item: SessionMessage, /) -> None:
        """Write the server's message; returns once it is written, so that a client that does not read slows us down.

        Raises:
            anyio.BrokenResourceError: The client is gone.
        """
        try:
            await asyncio.wrap_future(self._submit(write_all, self._out, encode(item.message)))
        except (OSError, RuntimeError):
            self.end(0, 0)
            raise anyio.BrokenResourceError from None
        finally:
            if isinstance(item.message, JSONRPCResponse | JSONRPCError):
                self._unanswered.discard(str(item.message.id))
                if self._ending and not self._unanswered:
                    self._to_server.close()

    async def written(self, seconds: float) -> None:
        """Wait for a message whose sender was cancelled while it was being written, but no longer than this."""
        with anyio.move_on_after(seconds):
            await asyncio.wrap_future(self._submit(lambda: None))

    async def aclose(self) -> None:
        """Nothing is left to do: each message was written when `send` returned."""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *raised: object) -> None:
        await self.aclose()

    def signalled(self, code: int) -> None:
        """End because of a signal; the second one does not wait."""
        self._signals += 1
        self.end(code, 0)
        if self._signals > 1:
            leave(self.code)

    def end(self, code: int, patience: float) -> None:
        """Begin to end, from any thread: the server's input ends once nothing is unanswered, or when patience does.

        Args:
            code: The exit code; of several reasons the highest counts, so that a signal wins over the end of input.
            patience: Seconds that calls already begun may take.
        """
        with self._lock:
            self.code = max(self.code, code)
            if self._clock is None:
                self._clock = threading.Timer(GRACE, lambda: leave(self.code))
                self._clock.daemon = True
                self._clock.start()
        with suppress(RuntimeError):  # the loop has ended already
            self._loop.call_soon_threadsafe(self._hang_up, patience)

    def _hang_up(self, patience: float) -> None:
        self._ending = True
        if self._unanswered:
            self._loop.call_later(patience, self._to_server.close)
        else:
            self._to_server.close()

    def close(self) -> None:
        """Let go of the threads and stop the clock."""
        with self._lock:
            self._clock = self._clock or threading.Timer(GRACE, lambda: None)
            self._clock.cancel()
        self._to_server.close()
        self.incoming.close()
        self._writer.shutdown(wait=False, cancel_futures=True)


def _read(fd: int) -> bytes:
    while True:
        try:
            return os.read(fd, _CHUNK)
        except BlockingIOError:  # a parent may have made its end, and so ours, non-blocking
            select.select([fd], [], [])
