"""The bytes of the stdio wire and the messages that they stand for, both ways; whatever arrives, nothing here raises.

A line in is a message for the server, a refusal for the client, or nothing. A message out is one line of valid UTF-8.
"""

from __future__ import annotations

import json
import logging
import math
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from mcp_types import (
    INTERNAL_ERROR,
    INVALID_REQUEST,
    PARSE_ERROR,
    ErrorData,
    JSONRPCError,
    JSONRPCMessage,
    JSONRPCNotification,
    JSONRPCRequest,
    JSONRPCResponse,
)
from pydantic import BaseModel, ValidationError
from pydantic_core import from_json

from talkscope.models.text import whole

logger = logging.getLogger(__name__)

LONGEST_LINE = 8 * 1024 * 1024
_HEAD = 4096
_TAIL = 512
_DEEPEST = 100


@dataclass(frozen=True, slots=True)
class TooLong:
    """A line that was not kept: only how it began and how it ended."""

    head: bytes
    tail: bytes


@dataclass(frozen=True, slots=True)
class Refusal:
    """What is answered to a line that is no message for the server."""

    answer: JSONRPCError


def lines(read: Callable[[], bytes], longest: int = LONGEST_LINE) -> Iterator[bytes | TooLong]:
    """The lines of a stream, without their ends; one that is too long takes no more memory than the longest allowed.

    Args:
        read: Gives the next bytes, and none at the end of the stream.
        longest: Bytes of the longest line that is kept.
    """
    held = bytearray()
    skipped: TooLong | None = None
    while chunk := read():
        *ends, rest = chunk.split(b"\n")
        for piece in ends:
            if skipped is not None or len(held) + len(piece) > longest:
                yield _skip(skipped, held, piece)
            else:
                yield bytes(held + piece)
            held, skipped = bytearray(), None
        if skipped is not None or len(held) + len(rest) > longest:
            skipped, held = _skip(skipped, held, rest), bytearray()
        else:
            held += rest
    if skipped is not None or held:
        yield skipped if skipped is not None else bytes(held)


def _skip(before: TooLong | None, held: bytearray, piece: bytes) -> TooLong:
    if before is not None:
        return TooLong(before.head, (before.tail + piece[-_TAIL:])[-_TAIL:])
    return TooLong(bytes(held[:_HEAD]) + piece[: max(0, _HEAD - len(held))], (bytes(held[-_TAIL:]) + piece)[-_TAIL:])


def decode(line: bytes | TooLong) -> JSONRPCMessage | Refusal | None:
    """What a line says: a message, a refusal to send back, or nothing that wants an answer."""
    if isinstance(line, TooLong):
        return _refuse(PARSE_ERROR, f"The message is longer than {LONGEST_LINE} bytes.", _found_id(line))
    if not line.strip():
        return None
    try:
        value: object = _parse(line)
    except ValueError as error:
        return _refuse(PARSE_ERROR, f"This is not JSON: {error}.", None)
    if isinstance(value, list):
        return _refuse(INVALID_REQUEST, "Batches are not supported: send one message a line.", None)
    if not isinstance(value, dict):
        return _refuse(INVALID_REQUEST, "A message is a JSON object.", None)
    return _message({str(name): part for name, part in value.items()})


def _message(value: dict[str, object]) -> JSONRPCMessage | Refusal | None:
    """The message by its keys, not by whichever model happens to fit: a request with a bad id is no notification."""
    if "method" not in value and ("result" in value or "error" in value):
        kind: type[JSONRPCResponse | JSONRPCError] = JSONRPCResponse if "result" in value else JSONRPCError
        try:
            return kind.model_validate(value, by_name=False)
        except ValidationError:
            logger.warning("An answer that is none was dropped")
            return None
    has_id = "id" in value
    name = value.get("id")
    if isinstance(name, bool) or not isinstance(name, str | int):
        if has_id:
            return _refuse(INVALID_REQUEST, "A request's id is a string or an integer.", None)
        name = None
    try:
        return (JSONRPCRequest if has_id else JSONRPCNotification).model_validate(value, by_name=False)
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        return _refuse(INVALID_REQUEST, f"Invalid request: {where}: {first['msg']}.", name)


def _refuse(code: int, message: str, name: str | int | None) -> Refusal:
    return Refusal(JSONRPCError(jsonrpc="2.0", id=name, error=ErrorData(code=code, message=message)))


# Any escape, so that an escaped backslash is not taken for the start of one: a pair, a lone surrogate, another.
_ESCAPE = re.compile(
    r"\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|u([dD][89a-fA-F][0-9a-fA-F]{2})|.)", re.DOTALL
)


def _parse(line: bytes) -> object:
    """The JSON of a line, at most 200 levels deep and without NaN; text that cannot be encoded becomes U+FFFD.

    Raises:
        ValueError: It is not JSON, or more than we read.
    """
    try:
        return from_json(line, allow_inf_nan=False)
    except ValueError:
        text = line.decode("utf-8-sig", "replace")
        mended = _ESCAPE.sub(lambda found: r"\ufffd" if found[1] else found[0], text)
        return from_json(mended, allow_inf_nan=False)


_ID = rb'"id"\s*:\s*(-?\d{1,18}|"[^"\\]{0,200}")'
_ID_AT_END = re.compile(_ID + rb'(?:\s*,\s*"jsonrpc"\s*:\s*"2\.0")?\s*\}\s*$')
_ID_AT_START = re.compile(rb'^\s*\{(?:\s*"(?:jsonrpc|method)"\s*:\s*"[^"\\]*"\s*,)*\s*' + _ID + rb"\s*,")


def _found_id(line: TooLong) -> str | int | None:
    """The request's id where clients write it: before or after `params`; none of a line that is no request."""
    if b'"method"' not in line.head and b'"method"' not in line.tail:
        return None
    found = _ID_AT_START.search(line.head) or _ID_AT_END.search(line.tail)
    if found is None:
        return None
    try:
        name = from_json(found[1])
    except ValueError:
        return None
    return name if isinstance(name, str | int) else None


def encode(message: JSONRPCMessage) -> bytes:
    """The message as one line; what JSON or UTF-8 cannot say is replaced, so that no text ends the server."""
    try:
        text = message.model_dump_json(by_alias=True, exclude_unset=True)
    except (ValueError, TypeError, RecursionError):
        try:
            text = json.dumps(_plain(message, 0), ensure_ascii=False)
        except (ValueError, TypeError, RecursionError) as error:
            logger.error("A message could not be written as JSON: %s", type(error).__name__)  # noqa: TRY400 - no values
            if not isinstance(message, JSONRPCResponse | JSONRPCError):
                return b""
            sorry = ErrorData(code=INTERNAL_ERROR, message="The answer could not be written as JSON.")
            return encode(JSONRPCError(jsonrpc="2.0", id=message.id, error=sorry))
    return text.encode("utf-8", "replace") + b"\n"


def _plain(value: object, depth: int) -> object:
    if isinstance(value, str):
        return whole(value)
    if value is None or isinstance(value, int):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if depth >= _DEEPEST:
        return "…"
    if isinstance(value, BaseModel):
        return {name: _plain(getattr(value, name), depth + 1) for name in sorted(value.model_fields_set)}
    if isinstance(value, dict):
        return {whole(str(name)): _plain(part, depth + 1) for name, part in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(part, depth + 1) for part in value]
    return f"<{type(value).__name__}>"
