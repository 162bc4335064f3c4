"""What an error status means: the service's own words, in any of the shapes they come in, as one of our errors.

Those words are text from outside, so they are shown clean and cut: the message to 500 characters, the hint to 800, the
details to 2,000 of JSON.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from datetime import UTC
from email.utils import parsedate_to_datetime
from http.client import responses
from typing import NamedTuple
from urllib.parse import urlsplit

from pydantic import SecretStr

from talkscope.errors import BadAnswer, Json, RateLimited, TalkscopeError, error_for
from talkscope.flow.call import Reply
from talkscope.flow.reading import parse_any
from talkscope.flow.wording import plain, problems, shown

_YEAR = 366 * 86_400.0
_DETAILS = 2_000


class _Said(NamedTuple):
    message: str = ""
    code: str = ""
    hint: str = ""
    details: Mapping[str, Json] = {}


def error_of(reply: Reply, *, now: float, key: SecretStr | None) -> TalkscopeError:
    """The error that the reply stands for; `details.retry_after` holds the seconds to wait where the service says so.

    `now` is seconds since 1970, for a Retry-After that is a date.
    """
    if 300 <= reply.status < 400:
        return _redirect(reply, key)
    said = _said(reply)
    details = _bounded(said.details, key)
    details.pop("retry_after", None)
    pause = _pause(reply, said, now)
    if pause is not None:
        details["retry_after"] = pause
    message = shown(said.message, 500, key) or _unsaid(reply.status)
    hint = shown(said.hint, 800, key) or None
    error = error_for(reply.status, shown(said.code, 64, key), message, hint=hint, details=details)
    if isinstance(error, RateLimited) and hint is None and is_quota(error):
        error.hint = "The account's quota is used up: waiting does not help before it renews."
    return error


def is_quota(error: TalkscopeError) -> bool:
    """Whether the error says that a quota is used up, which no retry helps."""
    told = error.details.get("quota")
    return "quota" in f"{error.code} {error.message}".lower() or (told is not None and told is not False)


def seconds(text: str, now: float) -> float | None:
    """The seconds that a Retry-After means, between 0 and a year; None when it means nothing.

    It may be a number of seconds or an HTTP date, and `now` is seconds since 1970.
    """
    try:
        value = float(text)
    except ValueError:
        try:
            when = parsedate_to_datetime(text[:64])
            value = (when if when.tzinfo else when.replace(tzinfo=UTC)).timestamp() - now
        except (ValueError, TypeError, OverflowError, IndexError):
            return None
    return None if math.isnan(value) else round(min(max(value, 0.0), _YEAR), 3)


def its_time(headers: Mapping[str, str], ours: float) -> float:
    """Seconds since 1970 by the service's clock, where it tells them, for its moments are of that clock; else ours."""
    try:
        return parsedate_to_datetime(headers.get("date", "")).timestamp()
    except (ValueError, TypeError, OverflowError, IndexError):
        return ours


def _unsaid(status: int) -> str:
    phrase = responses.get(status)
    return f"The service answered {status} ({phrase})." if phrase else f"The service answered {status}."


def _pause(reply: Reply, said: _Said, now: float) -> float | None:
    header = reply.headers.get("retry-after")
    pause = None if header is None else seconds(header, now)
    stated = said.details.get("retry_after")
    if pause is None and isinstance(stated, str | int | float) and not isinstance(stated, bool):
        pause = seconds(str(stated), now)
    return pause


def _redirect(reply: Reply, key: SecretStr | None) -> TalkscopeError:
    try:
        host = urlsplit(reply.headers.get("location", "")).hostname or ""
    except ValueError:
        host = ""
    host = shown(host, 253, key)
    where = f"to {host}" if host else "to another address of its own"
    details: dict[str, Json] = {"host": host or None}
    return error_for(reply.status, "", f"The service redirects {where} ({reply.status}).", details=details)


def _said(reply: Reply) -> _Said:
    try:
        body = parse_any(reply.body)
    except BadAnswer:
        return _Said(plain(reply.body.decode("utf-8", "replace")))
    match body:
        case {"error": dict(inner)} | {"detail": dict(inner)}:
            return _of_object(inner)
        case {"detail": list(found)}:
            code = "validation_error" if reply.status == 422 else ""
            return _Said(problems(found), code, details=_listed(found))
        case {"error": list(found)} | {"errors": list(found)}:
            return _Said(problems(found), details=_listed(found))
        case {"error": str(text)} | {"detail": str(text)} | str(text):
            return _Said(plain(text))
        case dict(inner):
            return _of_object(inner)
        case list(found):
            return _Said(problems(found))
    return _Said()


def _of_object(said: Mapping[str, Json]) -> _Said:
    message, code, hint = (
        text if isinstance(text := said.get(name), str) else "" for name in ("message", "code", "hint")
    )
    details = said.get("details")
    if isinstance(details, list):
        message = ": ".join(part for part in (message.rstrip("."), problems(details)) if part)
        details = _listed(details)
    return _Said(plain(message), code, hint, details if isinstance(details, dict) else {})


def _listed(found: list[Json]) -> dict[str, Json]:
    """The problems without what was sent: FastAPI repeats it as `input`."""
    kept = ("loc", "msg", "type", "field", "message")
    return {"errors": [{k: v for k, v in each.items() if k in kept} for each in found[:10] if isinstance(each, dict)]}


def _bounded(details: Mapping[str, Json], key: SecretStr | None) -> dict[str, Json]:
    """The details whose JSON fits, in their order; one that is too large is left out whole."""
    held: dict[str, Json] = {}
    left = _DETAILS
    for name, value in list(details.items())[:50]:
        word, piece = shown(name, 64, key), _cut(value, key, 0)
        size = len(word) + len(json.dumps(piece))
        if size <= left:
            left -= size
            held[word] = piece
    return held


def _cut(value: Json, key: SecretStr | None, depth: int) -> Json:
    if isinstance(value, str):
        return shown(value, 200, key)
    if isinstance(value, list | dict) and depth > 3:
        return "…"
    if isinstance(value, list):
        return [_cut(item, key, depth + 1) for item in value[:100]]
    if isinstance(value, dict):
        return {shown(name, 64, key): _cut(item, key, depth + 1) for name, item in list(value.items())[:50]}
    return value
