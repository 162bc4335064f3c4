"""A vendor's server, made of its contract: routes, keys, parameters and answers follow openapi/platforms/<name>.json.

    vendor = Vendor("mavenoid", {"assistant_conversations": conversations, ...}, keys={"ma_1": None}, refuse=plainly)
    with served(vendor) as url:
        ...

A handler gets what was `Asked`, already typed, and gives a `Reply`; it may raise `Refused`. An answer outside the
contract becomes a 500 and fails the test when `served` ends.
"""

from __future__ import annotations

import asyncio
import inspect
import time
import traceback
from collections.abc import Awaitable, Callable, Mapping
from http import HTTPStatus
from typing import TypeAlias
from urllib.parse import parse_qsl

import orjson
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from tests.vendors.asking import JSON, Asked, Granted, Refused, Reply, Seen
from tests.vendors.contract import Contract, Fault, Json, Operation, Pairs
from tests.vendors.limits import Limits
from tests.vendors.serving import served

__all__ = [
    "Asked", "Contract", "Fault", "Granted", "Handler", "Json", "Limits", "Operation", "Pairs", "Refused", "Reply",
    "Seen", "Vendor", "plainly", "served",
]  # fmt: skip


Handler: TypeAlias = Callable[[Asked], "Reply | Awaitable[Reply]"]


def plainly(refused: Refused) -> Reply:
    """A refusal without a body: the status alone counts."""
    return Reply(None, refused.status, refused.headers, media="")


class Vendor:
    """An ASGI app that keeps a contract.

    Args:
        contract: The name of one in openapi/platforms/, or an OpenAPI document.
        handlers: What answers, by operationId; a route without one is as if the server did not have it (404).
        keys: The tokens that are known, and what is known of their owners.
        refuse: The vendor's words for a failure.
        fits: Whether a token may come by a security scheme; by default the prefixes of the scheme decide.
        permit: Says no to some who have a valid key, by raising Refused.
        invalid: The status for parameters and bodies outside the contract.
        limits: How often may be asked.
        delay: Seconds before each answer; may be changed while it runs.
    """

    def __init__(
        self,
        contract: str | Mapping[str, Json] | Contract,
        handlers: Mapping[str, Handler],
        *,
        keys: Mapping[str, Json],
        refuse: Callable[[Refused], Reply] = plainly,
        fits: Callable[[str, str], bool] | None = None,
        permit: Callable[[Operation, Granted], None] | None = None,
        invalid: int = 422,
        limits: Limits | None = None,
        delay: float = 0,
    ) -> None:
        self.contract = contract if isinstance(contract, Contract) else Contract(contract)
        unknown = set(handlers) - set(self.contract.operations)
        assert not unknown, f"the contract has no {', '.join(sorted(unknown))}"
        self.handlers = dict(handlers)
        self.keys = keys
        self.refuse = refuse
        self.invalid = invalid
        self.limits = limits
        self.delay = delay
        self.seen: list[Seen] = []
        self.faults: list[str] = []
        self.most_at_once = 0
        self._fits = fits or self._prefixed
        self._permit = permit
        self._at_once = 0
        self._instead: dict[str, list[tuple[Handler, bool, bool]]] = {}

    @property
    def base(self) -> str:
        """The path that all routes are below."""
        return self.contract.base

    def count(self, operation: str | None = None) -> int:
        """How many requests came, of one operation or of all."""
        return sum(operation is None or one.operation == operation for one in self.seen)

    def forget(self) -> None:
        """Count requests anew."""
        self.seen.clear()
        self.most_at_once = 0

    def answer_with(self, operation: str, answer: Reply | Handler, *, once: bool = False, checked: bool = True) -> None:
        """Answer an operation so from now on, or once (once more by each call); `checked=False` for what is broken."""
        handler: Handler = (lambda _: answer) if isinstance(answer, Reply) else answer
        self._instead.setdefault(operation, []).append((handler, once, checked))

    def answer_with_example(self, operation: str, name: str | None = None) -> Json:
        """Answer an operation with the payload that the vendor's document shows, and return it."""
        examples = self.contract.examples(operation)
        payload = examples[name] if name else next(iter(examples.values()))
        self.answer_with(operation, Reply(payload))
        return payload

    def answer_as_before(self) -> None:
        """Answer with the handlers again."""
        self._instead.clear()

    def _prefixed(self, scheme: str, token: str) -> bool:
        said = self.contract.document["components"]["securitySchemes"][scheme]
        prefixes = said.get("x-key-prefixes", said.get("x-token-prefixes", [""]))
        return token.startswith(tuple(prefixes))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        assert scope["type"] == "http"
        request = Request(scope, receive)
        came = time.monotonic()
        self._at_once += 1
        self.most_at_once = max(self.most_at_once, self._at_once)
        status, operation = 499, None
        try:
            reply, operation, checked = await self._answer(request)
            if self.delay:
                await asyncio.sleep(self.delay)
            response = self._response(reply, operation if checked else None)
            status = response.status_code
        except ClientDisconnect:
            return
        finally:
            self._at_once -= 1
            path = scope["raw_path"].partition(b"?")[0].decode("latin-1")
            known = operation.id if operation else None
            self.seen.append(Seen(request.method, path, known, _pairs(scope), status, came, time.monotonic()))
        await response(scope, receive, send)

    async def _answer(self, request: Request) -> tuple[Reply, Operation | None, bool]:
        operation: Operation | None = None
        headers: dict[str, str] = {}
        checked = True
        try:
            operation, ids = self._route(request)
            granted = self._granted(operation, request.headers)
            if self._permit:
                self._permit(operation, granted)
            if self.limits:
                taken = self.limits.take(operation, granted.token, _pairs(request.scope))
                headers.update(taken.headers)
                if not taken.allowed:
                    raise Refused(429, "Too many requests.")
            asked = await self._asked(operation, ids, granted, request)
            handler, checked = self._handler(operation)
            given = handler(asked)
            reply = await given if inspect.isawaitable(given) else given
        except Refused as refused:
            refused.operation = refused.operation or operation
            reply = self.refuse(refused)
        except ClientDisconnect:
            raise
        except Exception:  # noqa: BLE001
            self.faults.append(f"{request.method} {request.url}: {traceback.format_exc()}")
            reply, checked = Reply("the handler failed", 500, media="text/plain"), False
        return (
            Reply(reply.body, reply.status, {**headers, **reply.headers}, reply.media, reply.stream),
            operation, checked,
        )  # fmt: skip

    def _route(self, request: Request) -> tuple[Operation, dict[str, str]]:
        path: str = request.scope["raw_path"].partition(b"?")[0].decode("latin-1")
        if not path.startswith(f"{self.base}/"):
            raise Refused(404, "There is no such route.")
        operations, ids = self.contract.match(path.removeprefix(self.base))
        there = [one for one in operations if one.id in self.handlers or one.id in self._instead]
        for operation in there:
            if operation.method == request.method:
                return operation, ids
        if there:
            allowed = ", ".join(operation.method for operation in there)
            raise Refused(405, "The route has other methods.", headers={"allow": allowed})
        raise Refused(404, "There is no such route.")

    def _granted(self, operation: Operation, headers: Mapping[str, str]) -> Granted:
        wanted = operation.said.get("security", self.contract.document.get("security", []))
        schemes = self.contract.document["components"].get("securitySchemes", {})
        for scheme in (name for one in wanted for name in one):
            token = _token(schemes[scheme], headers)
            if token is not None and token in self.keys and self._fits(scheme, token):
                return Granted(token, scheme, self.keys[token])
        if wanted and {} not in wanted:
            raise Refused(401, "The credentials are missing or unknown.")
        return Granted("", "")

    async def _asked(self, operation: Operation, ids: Mapping[str, str], granted: Granted, request: Request) -> Asked:
        pairs = _pairs(request.scope)
        path, faults = self.contract.read_path(operation, ids)
        query, wrong = self.contract.read_query(operation, pairs)
        faults += wrong
        media = request.headers.get("content-type", "")
        body, wrong = self.contract.read_body(operation, media, await request.body())
        faults += wrong
        if faults:
            raise Refused(self.invalid, "The request is not valid.", faults)
        return Asked(operation, path, query, body, granted, pairs, dict(request.headers))

    def _handler(self, operation: Operation) -> tuple[Handler, bool]:
        planned = self._instead.get(operation.id)
        if not planned:
            return self.handlers[operation.id], True
        # What is answered once goes first; of what is answered always, the last word counts.
        at = next((place for place, (_, once, _) in enumerate(planned) if once), len(planned) - 1)
        handler, once, checked = planned[at]
        if once:
            del planned[at]
        return handler, checked

    def _response(self, reply: Reply, operation: Operation | None) -> Response:
        if operation:
            wrong = list(
                self.contract.wrong_with(operation, reply.status, reply.media, _readable(reply), reply.headers)
            )  # fmt: skip
            # A method that a route lacks is no matter of the contract.
            if wrong:
                self.faults += wrong
                return Response("\n".join(wrong), HTTPStatus.INTERNAL_SERVER_ERROR, media_type="text/plain")
        headers = dict(reply.headers)
        if reply.stream:
            return StreamingResponse(reply.stream, reply.status, headers, media_type=reply.media)
        if not reply.media:
            return Response(None, reply.status, headers)
        raw = reply.media != JSON or isinstance(reply.body, bytes)
        content = reply.body if raw else orjson.dumps(reply.body)
        return Response(content, reply.status, headers, media_type=reply.media)


def _pairs(scope: Scope) -> Pairs:
    text = scope["query_string"].decode("latin-1")
    return tuple(parse_qsl(text, keep_blank_values=True, errors="replace"))


def _readable(reply: Reply) -> Json:
    """The body as a schema can be held against it."""
    if reply.stream:
        return ""
    if not isinstance(reply.body, bytes):
        return reply.body
    return orjson.loads(reply.body) if reply.media == JSON else reply.body.decode("latin-1")


def _token(scheme: Mapping[str, Json], headers: Mapping[str, str]) -> str | None:
    if scheme["type"] == "apiKey":
        return headers.get(scheme["name"].lower())
    kind, _, token = headers.get("authorization", "").partition(" ")
    return token.strip() if kind.lower() == scheme["scheme"] and token else None
