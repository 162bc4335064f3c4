"""What both clients have to know about httpx: its timeouts, its exceptions, its log.

httpx logs each request's whole address at INFO, and addresses hold parameters. Everyone in the process would feel that
logger switched off, so a filter takes the query string out of those lines that our own requests write.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Protocol, cast

import httpx

from talkscope.flow import Failed

_LEFT: ContextVar[Callable[[], float] | None] = ContextVar("seconds left of the request under way", default=None)
# A timeout of 0 would mean a socket that never waits.
_LEAST = 0.001


class _Stream(Protocol):
    """httpcore's connection, as far as it matters here."""

    read: Callable[..., bytes]


@contextmanager
def exchange(left: Callable[[], float]) -> Iterator[None]:
    """Around one request: `left` says how many seconds its answer may still take."""
    token = _LEFT.set(left)
    try:
        yield
    finally:
        _LEFT.reset(token)


def timeouts(left: float, connect: float) -> httpx.Timeout:
    """The timeouts of a request with so many seconds left; each is for one step, so they bound no whole answer."""
    return httpx.Timeout(max(left, _LEAST), connect=max(min(left, connect), _LEAST))


def bounded(event: str, info: Mapping[str, object]) -> None:
    """A `trace` extension that has every read of a new connection end at the deadline of the request that waits for it.

    A server that sends its headers byte by byte never reaches a timeout that starts anew with each byte, and the
    headers come before httpx hands over anything that we could count.
    """
    if not event.endswith((".connect_tcp.complete", ".start_tls.complete")):
        return
    stream = cast("_Stream", info["return_value"])
    read = stream.read

    def read_in_time(max_bytes: int, timeout: float | None = None) -> bytes:
        left = _LEFT.get()
        return read(max_bytes, timeout=timeout if left is None else max(left(), _LEAST))

    stream.read = read_in_time


def failed(error: httpx.HTTPError) -> Failed:
    """Why there is no answer. Only errors whose text comes from the operating system are quoted."""
    if isinstance(error, httpx.ConnectTimeout):
        return Failed("connect", "connecting took too long")
    if isinstance(error, httpx.TimeoutException):
        return Failed("timeout")
    if isinstance(error, httpx.ConnectError | httpx.ProxyError):
        return Failed("connect", str(error))
    if isinstance(error, httpx.RemoteProtocolError):
        return Failed("connect", "the connection ended before the answer did, or it is not HTTP")
    return Failed("connect", "the connection broke")


class _WithoutQueries(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:
        if _LEFT.get() is not None and isinstance(record.args, tuple):
            record.args = tuple(
                argument.copy_with(query=None) if isinstance(argument, httpx.URL) else argument
                for argument in record.args
            )
        return True


logging.getLogger("httpx").addFilter(_WithoutQueries())
