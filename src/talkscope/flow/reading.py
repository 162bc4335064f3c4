"""An answer's bytes as JSON, and that JSON as the typed answer; anything else is BadAnswer."""

from __future__ import annotations

import math
import re
from typing import TypeVar, cast

from pydantic import SecretStr
from pydantic import ValidationError as PydanticValidationError
from pydantic_core import from_json

from talkscope.errors import BadAnswer, Json, TalkscopeError
from talkscope.flow.call import Call, Download, Reply
from talkscope.flow.redacting import without
from talkscope.flow.wording import shown

T = TypeVar("T")

# One half of a character, as bytes that no UTF-8 text holds.
_RAW_HALF = re.compile(rb"\xed[\xa0-\xbf][\x80-\xbf]")
# Any escape, so that the backslash of a pair of backslashes is never taken for the start of another.
_ESCAPE = re.compile(
    rb"(\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2})|(\\u[dD][89a-fA-F][0-9a-fA-F]{2})|\\."
)
# from_json turns a number that is too large for a float into infinity; shorter ones than these are not too large.
_MAYBE_INFINITE = re.compile(rb"[eE]\+?[0-9]{3}|[0-9]{200}")
_ROOTS = {bool: "a boolean", int: "a number", float: "a number", str: "a text", type(None): "null"}


def parse_json(body: bytes) -> dict[str, Json] | list[Json]:
    """The object or list that the bytes spell, each lone surrogate replaced by U+FFFD.

    Raises BadAnswer, which shows nothing of the bytes, for everything else: nothing at all, HTML, NaN, infinities,
    integers of thousands of digits, nesting deeper than 200, text that is not UTF-8, and roots that hold no fields.
    """
    if not body.strip():
        raise BadAnswer("The answer is empty.")
    if body.lstrip()[:1] == b"<":
        raise BadAnswer("The answer is a web page or XML, not JSON.")
    root = parse_any(body)
    if not isinstance(root, dict | list):
        raise BadAnswer(f"The answer is {_ROOTS[type(root)]}, not an object or a list.")
    return root


def parse_any(body: bytes) -> Json:
    """The same for a value of any kind, as a refusal may be a mere text."""
    try:
        value = _loaded(body)
    except ValueError:
        try:
            value = _loaded(_ESCAPE.sub(_escape, _RAW_HALF.sub(b"\xef\xbf\xbd", body)))
        except ValueError as error:
            raise BadAnswer(f"The answer is not JSON: {error}.") from None
    if _MAYBE_INFINITE.search(body) and not _finite(value):
        raise BadAnswer("The answer is not JSON: number out of range.")
    return value


def _loaded(body: bytes) -> Json:
    value: Json = from_json(body, allow_inf_nan=False)
    return value


def _escape(found: re.Match[bytes]) -> bytes:
    return rb"\ufffd" if found[2] else found[0]


def _finite(root: Json) -> bool:
    held = [root]
    while held:
        value = held.pop()
        if isinstance(value, dict):
            held += value.values()
        elif isinstance(value, list):
            held += value
        elif isinstance(value, float) and not math.isfinite(value):
            return False
    return True


def _document(call: Download, reply: Reply) -> bytes:
    told = reply.headers.get("content-type", "").partition(";")[0].strip().lower()
    if told != call.media_type or not reply.body:
        came = "nothing" if not reply.body else told if told.isascii() and len(told) < 80 else "another document"
        raise BadAnswer(
            f"The answer is {came or 'a document of no type'}, not {call.media_type}.",
            hint="Perhaps it is still being made, or is of another format.",
            code="not_the_document",
        )
    return reply.body


def read(call: Call[T], reply: Reply, key: SecretStr | None) -> T:
    """The typed answer of a 2xx reply; BadAnswer when it is not what the call promises."""
    if isinstance(call, Download):
        return cast("T", _document(call, reply))
    # 204 is the one status that promises an empty body.
    nothing = reply.status == 204 or (call.nullable and reply.body.strip() == b"null")
    value = None if nothing else (parse_any if call.scalar else parse_json)(without(key, reply.body))
    return typed(call, value, key)


def typed(call: Call[T], value: Json, key: SecretStr | None = None, place: str = "") -> T:
    """The typed answer that a call makes of JSON; BadAnswer, with the place in it, for what was not promised."""
    try:
        return call.parse(value)
    except TalkscopeError:
        raise
    except PydanticValidationError as error:
        found = error.errors(include_url=False, include_context=False, include_input=False)
        said = "; ".join(f"{'.'.join(map(str, each['loc'])) or 'root'}: {each['msg']}" for each in found[:3])
        more = f" (and {len(found) - 3} more)" if len(found) > 3 else ""
        reason = shown(said, 400, key) + more
    except (ValueError, TypeError, LookupError, AttributeError, ArithmeticError, RecursionError) as error:
        # Its text may hold what the service sent.
        reason = type(error).__name__
    raise BadAnswer(f"The answer to {shown(call.path, 100, key)}{place} is not what was promised: {reason}.")
