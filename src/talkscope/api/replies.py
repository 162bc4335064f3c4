"""What goes back: JSON, and errors as `{"error": {code, message, hint, details}}` with their status."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping

import anyio
import orjson
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from talkscope.errors import InvalidArgument, NotFound, TalkscopeError, nearest
from talkscope.models.text import clean, whole

_LOG = logging.getLogger("talkscope.api")
MOST_QUERY = 32 * 1024
MOST_BODY = 256 * 1024
BODY_SECONDS = 15

Answered = Callable[[Request], Awaitable[bytes]]


def route(
    path: str, answered: Answered, *, method: str = "GET", refuse: Callable[[TalkscopeError], Response] | None = None
) -> Route:
    """A route whose answer is JSON, and whose errors are typed; what it does not expect is logged without any value."""
    refused = refuse or refusal

    async def endpoint(request: Request) -> Response:
        try:
            if len(request.scope["query_string"]) > MOST_QUERY:
                raise InvalidArgument(
                    "The address holds more than 32 KiB of arguments.", code="query_too_long", status=414
                )
            return Response(await answered(request), media_type="application/json")
        except TalkscopeError as error:
            return refused(error)
        except Exception as error:  # noqa: BLE001  # the app's last line: its caller gets an answer, whatever happens
            _LOG.error("%s failed: %s at %s", path, type(error).__name__, _place(error))
            return refused(TalkscopeError("The service failed.", hint="Ask again.", code="server_error", status=500))

    return Route(path, endpoint, methods=[method])


def _place(error: BaseException) -> str:
    """Where it happened: file and line, none of the values."""
    at = error.__traceback__
    while at is not None and at.tb_next is not None:
        at = at.tb_next
    if at is None:
        return "unknown"
    return f"{at.tb_frame.f_code.co_filename.replace(chr(92), '/').rpartition('/')[2]}:{at.tb_lineno}"


def refusal(error: TalkscopeError) -> Response:
    """The error as a reply."""
    return json({"error": error.to_json()}, error.status or 500)


def json(told: object, status: int, headers: Mapping[str, str] | None = None) -> Response:
    """A reply of JSON values."""
    try:
        written = orjson.dumps(told)
    except TypeError:
        # Half a character of somebody's words.
        written = orjson.dumps(_whole(told))
    return Response(written, status, media_type="application/json", headers=headers)


def _whole(value: object) -> object:
    if isinstance(value, str):
        return whole(value)
    if isinstance(value, list):
        return [_whole(each) for each in value]
    if isinstance(value, dict):
        return {whole(name): _whole(each) for name, each in value.items()}
    return value


def too_large() -> InvalidArgument:
    """The refusal of a body that is too long."""
    return InvalidArgument(
        "The request's body holds more than 256 KiB.",
        hint="Ask for fewer members and values.",
        code="body_too_large",
        status=413,
    )


async def body(request: Request) -> dict[str, object]:
    """The request's JSON object, of at most 256 KiB, which has to come within 15 s."""
    held = bytearray()
    with anyio.move_on_after(BODY_SECONDS) as time:
        async for chunk in request.stream():
            held += chunk
            if len(held) > MOST_BODY:
                raise too_large()
    if time.cancelled_caught:
        raise InvalidArgument(
            f"The request's body took longer than {BODY_SECONDS} s.", code="body_too_slow", status=408
        )
    try:
        told = orjson.loads(bytes(held))
    except orjson.JSONDecodeError:
        raise InvalidArgument("The request's body is not JSON.", hint="Send one JSON object.") from None
    if not isinstance(told, dict):
        raise InvalidArgument("The request's body is not a JSON object.", hint="Send one JSON object.")
    return told


def words(request: Request) -> dict[str, str | list[str]]:
    """The query string's words; one that is repeated is a list."""
    found: dict[str, str | list[str]] = {}
    for name, value in request.query_params.multi_items():
        before = found.get(name)
        if before is None:
            found[name] = value
        elif isinstance(before, list):
            before.append(value)
        else:
            found[name] = [before, value]
    return found


def _paths(routes: list[BaseRoute]) -> list[str]:
    return [each.path for each in routes if isinstance(each, Route)]


async def _missing(request: Request, error: Exception) -> Response:
    app = request.scope["app"]
    assert isinstance(app, Starlette)
    path = clean(request.scope["path"], 100)
    close = nearest(path, _paths(app.routes))
    return refusal(
        NotFound(
            f"There is no route {path}.",
            hint=f"Did you mean {close}?" if close else "The questions are below /v1/ask/ and /v1/analytics/.",
            code="unknown_route",
            details={"nearest": close},
        )
    )


async def _wrong_method(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    allowed = (error.headers or {}).get("Allow") or "GET"
    refused = InvalidArgument(
        f"{clean(request.method, 10)} is not for {clean(request.scope['path'], 100)}.",
        hint=f"Use {allowed}.",
        code="method_not_allowed",
    )
    return json({"error": refused.to_json()}, 405, {"Allow": allowed})


HANDLERS = {404: _missing, 405: _wrong_method}
