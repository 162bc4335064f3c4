"""The access log: one JSON object a line for each request, without addresses, words, keys or bodies."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime

import orjson

_METHODS = frozenset(("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"))


@dataclass(slots=True)
class Line:
    """What is remembered of one request. Nothing in it is a text of the caller's."""

    request: str
    """The request's id, which its answer carries as X-Request-ID."""
    route: str = "unknown"
    """The route's template, for ids say something about persons."""
    account: str | None = None
    key: str | None = None
    """The key's id, which opens nothing."""
    status: int = 0
    bytes: int = 0


def one_line(line: Line, method: str, at: datetime, ms: float) -> bytes:
    """The line as it is written, its end included."""
    told = {
        "time": at.isoformat(timespec="milliseconds"),
        "method": method if method in _METHODS else "OTHER",
        "ms": round(ms, 1),
        **asdict(line),
    }
    return orjson.dumps(told, option=orjson.OPT_APPEND_NEWLINE)
