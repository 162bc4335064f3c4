"""An async app or transport, asked by blocking code."""

from __future__ import annotations

import threading
from concurrent.futures import CancelledError, Future
from typing import TypeAlias

import anyio
import httpx
from anyio.from_thread import BlockingPortal

from talkscope.client import forks

_Answer: TypeAlias = tuple[int, list[tuple[bytes, bytes]], bytes]
# As sent, an answer may be a little longer than decoded.
_FRAME = 128 * 1024


class PortalTransport(httpx.BaseTransport):
    """Runs an async transport on an event loop in a thread of its own, for `Client`.

    `PortalTransport(httpx.ASGITransport(app, raise_app_exceptions=False))` asks an app in process. The loop starts with
    the first request and ends with `close()`. An answer is read whole inside the loop; when the request's read timeout
    has passed, or the caller is interrupted, the app's task is cancelled.
    """

    def __init__(self, inner: httpx.AsyncBaseTransport) -> None:
        self._inner = inner
        self._lock = threading.Lock()
        self._running: tuple[BlockingPortal, threading.Thread] | None = None
        forks.guard(self)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send the request, and wait for the whole answer. Raises httpx.ReadTimeout when its time is up."""
        extensions = request.extensions
        timeout = extensions.get("timeout", {})
        # The sender's trace is for blocking connections.
        asked = httpx.Request(
            request.method,
            request.url,
            headers=request.headers,
            content=request.read(),
            extensions={"timeout": timeout},
        )
        future = self._portal().start_task_soon(self._answer, asked, extensions.get("most"))
        try:
            status, headers, body = future.result(timeout.get("read"))
        except TimeoutError:
            raise httpx.ReadTimeout("The app took too long.", request=request) from None
        except CancelledError:
            raise httpx.ReadError("The app's loop ended.", request=request) from None
        finally:
            future.cancel()
        return httpx.Response(status, headers=headers, stream=httpx.ByteStream(body), request=request)

    def close(self) -> None:
        """Cancel what still runs, close the async transport and end the loop."""
        with self._lock:
            running, self._running = self._running, None
        if running is None:
            return
        portal, thread = running
        portal.call(self._inner.aclose)
        portal.call(portal.stop, True)
        thread.join()

    def after_fork(self) -> None:
        """Forget the loop in a forked child, where its thread does not exist."""
        self._lock = threading.Lock()
        self._running = None

    def _portal(self) -> BlockingPortal:
        with self._lock:
            if self._running is None:
                ready: Future[BlockingPortal] = Future()
                # anyio's own start_blocking_portal would, in a forked child, wait for a thread that is not there.
                thread = threading.Thread(target=anyio.run, args=(_serve, ready), name="talkscope-app", daemon=True)
                thread.start()
                self._running = ready.result(), thread
            return self._running[0]

    async def _answer(self, request: httpx.Request, most: int | None) -> _Answer:
        response = await self._inner.handle_async_request(request)
        body = bytearray()
        try:
            assert isinstance(response.stream, httpx.AsyncByteStream)
            async for chunk in response.stream:
                body += chunk
                if most is not None and len(body) > most + _FRAME:
                    break
        finally:
            await response.aclose()
        return response.status_code, response.headers.raw, bytes(body)


async def _serve(ready: Future[BlockingPortal]) -> None:
    async with BlockingPortal() as portal:
        ready.set_result(portal)
        await portal.sleep_until_stopped()
