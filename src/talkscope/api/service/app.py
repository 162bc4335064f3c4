"""The app that a socket serves: host, origin, key, plan and limits are checked before the routes, and logged after."""

from __future__ import annotations

import logging
import math
import secrets
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from contextvars import ContextVar
from datetime import datetime
from typing import TypeAlias

import anyio
import anyio.to_thread
import orjson
from anyio import CancelScope
from starlette.applications import Starlette
from starlette.datastructures import Headers
from starlette.requests import ClientDisconnect
from starlette.responses import Response
from starlette.routing import Match, Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from talkscope import api, contract
from talkscope.api import replies
from talkscope.api.service.access import Line, one_line
from talkscope.api.service.door import Door
from talkscope.api.service.gate import Caller, Gate
from talkscope.api.work import Answering
from talkscope.errors import APIError, InvalidArgument, ServerError, TalkscopeError
from talkscope.models.answers import Answer
from talkscope.models.questions import Asked
from talkscope.warehouse.store import Stop

AnsweringFor: TypeAlias = Callable[[str], Answering]
"""The function that answers from an account's warehouse, and from no other."""

DOCUMENT = "/v1/analytics/openapi.json"
_LOG = logging.getLogger("talkscope.api")
_HEALTH = {"/healthz": False, "/readyz": True}
_MOST_AT_ONCE = 512
_ACCOUNT: ContextVar[str] = ContextVar("talkscope.account")


def build(
    answering_for: AnsweringFor,
    gate: Gate,
    *,
    clock: Callable[[], datetime],
    door: Door | None = None,
    deadline: float | None = None,
    limit: int = 8,
    version: str = "unknown",
    environment: str = "self-hosted",
    log: Callable[[bytes], object] | None = None,
) -> Service:
    """The service: each request is let in by the gate and answered by `answering_for` the account that it belongs to.

    `door` knows the hosts and origins that are served, by default those of this machine. At most `limit` questions are
    answered at once, each within `deadline` seconds. `log` takes the lines of the access log.
    """

    def answering(name: str, asked: Asked, stop: Stop) -> Answer:
        # A worker thread has the variables of the request that it works for. There is no account to fall back on.
        return answering_for(_ACCOUNT.get())(name, asked, stop)

    routes = api.build(answering, limit=limit, deadline=deadline, clock=clock)
    return Service(routes, gate, door or Door(), clock=clock, version=version, environment=environment, log=log)


class Service:
    """An ASGI app around the routes. `stop()` makes it unready, `interrupt()` ends the requests that still run."""

    def __init__(
        self,
        routes: Starlette,
        gate: Gate,
        door: Door,
        *,
        clock: Callable[[], datetime],
        version: str,
        environment: str,
        log: Callable[[bytes], object] | None,
    ) -> None:
        self._app: ASGIApp = routes
        self._routes = [route for route in routes.routes if isinstance(route, Route)]
        self._gate = gate
        self._door = door
        self._clock = clock
        self._says = {"environment": environment, "version": version}
        self._log = log
        self._document = orjson.dumps(contract.openapi())
        self._running: set[CancelScope] = set()
        self._stopping = False

    def stop(self) -> None:
        """Be unready from here on; what runs goes on."""
        self._stopping = True

    def interrupt(self) -> None:
        """End what still runs: its callers are told that the service stops."""
        for scope in list(self._running):
            scope.cancel()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            return
        began, line = time.monotonic(), Line(secrets.token_hex(8))
        headers = self._door.headers(scope) | {"X-Request-ID": line.request, "Cache-Control": "no-store"}
        answer = _Answer(send, line, headers)
        try:
            with CancelScope() as running:
                self._running.add(running)
                try:
                    await self._answer(scope, receive, answer, line)
                except ClientDisconnect:
                    return
                except TalkscopeError as error:
                    await _refuse(error, scope, receive, answer)
                except Exception as error:  # noqa: BLE001  # the service's last line: its caller gets an answer
                    _LOG.error("%s failed: %s", line.route, type(error).__name__)
                    await _refuse(ServerError("The service failed.", hint="Ask again."), scope, receive, answer)
            if running.cancel_called:
                stopping = ServerError("The service is stopping.", hint="Ask again soon.", code="stopping", status=503)
                await _refuse(stopping, scope, receive, answer)
        finally:
            self._running.discard(running)
            if self._log is not None:
                self._log(one_line(line, scope["method"], self._clock(), (time.monotonic() - began) * 1_000))

    async def _answer(self, scope: Scope, receive: Receive, send: Send, line: Line) -> None:
        """Let the request in, and have it answered. Raises what it is refused with."""
        self._door.check(scope)
        path, method = scope["path"], scope["method"]
        if self._door.preflight(scope):
            await Response(status_code=204)(scope, receive, send)
            return
        if path in _HEALTH:
            line.route = path
            _only_reads(method, path)
            await (await self._health(asks_ready=_HEALTH[path]))(scope, receive, send)
            return
        if len(self._running) > _MOST_AT_ONCE:
            raise ServerError(
                "The service has too much to do.", hint="Ask again soon.", code="busy", status=503,
                details={"retry_after": 1},
            )  # fmt: skip
        template = DOCUMENT if path == DOCUMENT else self._template(scope)
        line.route = template or "unknown"
        caller = await anyio.to_thread.run_sync(self._let_in, scope, template, line)
        if template == DOCUMENT:
            _only_reads(method, path)
            await Response(self._document, media_type="application/json")(scope, receive, send)
            return
        _check_length(scope)
        token = _ACCOUNT.set(caller.account)
        try:
            await self._app(scope, receive, send)
        finally:
            _ACCOUNT.reset(token)

    def _let_in(self, scope: Scope, template: str | None, line: Line) -> Caller:
        caller = self._gate.know(keys_of(scope), scope["client"][0] if scope.get("client") else "")
        line.account, line.key = caller.account, caller.key.id if caller.key else None
        self._gate.admit(caller, template)
        return caller

    def _template(self, scope: Scope) -> str | None:
        found = next((route for route in self._routes if route.matches(scope)[0] is not Match.NONE), None)
        return None if found is None else found.path.replace(":path}", "}")

    async def _health(self, *, asks_ready: bool) -> Response:
        status = await self._readiness() if asks_ready else "ok"
        return replies.json({"status": status, **self._says}, 200 if status == "ok" else 503)

    async def _readiness(self) -> str:
        if self._stopping:
            return "stopping"
        ready = False
        with suppress(TalkscopeError):
            ready = await anyio.to_thread.run_sync(self._gate.ready)
        return "ok" if ready else "unavailable"


def keys_of(scope: Scope) -> frozenset[str]:
    """The different keys that a request carries, in any of the headers that clients use."""
    headers = Headers(scope=scope)
    found = [*headers.getlist("convai-api-key"), *headers.getlist("x-api-key")]
    for told in headers.getlist("authorization"):
        kind, _, text = told.partition(" ")
        if kind.lower() == "bearer":
            found.append(text)
    return frozenset(text.strip()[:200] for text in found if text.strip())


def _check_length(scope: Scope) -> None:
    told = Headers(scope=scope).get("content-length", "0")
    if not told.isdigit() or int(told) > replies.MOST_BODY:
        raise replies.too_large()


def _only_reads(method: str, path: str) -> None:
    if method not in ("GET", "HEAD"):
        raise InvalidArgument(f"That method is not for {path}.", hint="Use GET.", code="method_not_allowed", status=405)


async def _refuse(error: TalkscopeError, scope: Scope, receive: Receive, send: _Answer) -> None:
    if send.begun:
        return
    headers = {}
    wait = error.retry_after if isinstance(error, APIError) else None
    if wait is not None:
        headers["Retry-After"] = str(max(1, math.ceil(wait)))
    if error.status == 401:
        headers["WWW-Authenticate"] = "Bearer"
        if error.details.pop("often", False):
            # Guessing on takes a new connection each time.
            headers["Connection"] = "close"
    if error.status == 405:
        headers["Allow"] = "GET, HEAD"
    await replies.json({"error": error.to_json()}, error.status or 500, headers)(scope, receive, send)


class _Answer:
    """Sends an answer on, with headers of the service's own, and notes its status and length."""

    def __init__(self, send: Send, line: Line, headers: Mapping[str, str]) -> None:
        self._send = send
        self._line = line
        self._headers = [(name.lower().encode(), value.encode("latin-1")) for name, value in headers.items()]

    @property
    def begun(self) -> bool:
        """Whether the caller has a status already."""
        return self._line.status != 0

    async def __call__(self, message: Message) -> None:
        """Send a part of the answer."""
        if message["type"] == "http.response.start":
            self._line.status = message["status"]
            message = {**message, "headers": [*message.get("headers", ()), *self._headers]}
        elif message["type"] == "http.response.body":
            self._line.bytes += len(message.get("body", b""))
        await self._send(message)
