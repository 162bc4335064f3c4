"""A service's words made fit to show: clean, short, and free of the key and of what addresses carry."""

from __future__ import annotations

import html
import re
from collections.abc import Sequence
from urllib.parse import quote

from pydantic import SecretStr

from talkscope.errors import Json
from talkscope.models.text import clean

_QUERY = re.compile(r"[?&][\w.\-%\[\]]+=[^\s\"'<>]*")
_SECRET = re.compile(r"\b((?:api[_-]?key|token|secret|password)=)[^\s\"'<>]+", re.IGNORECASE)
_USER = re.compile(r"//[^/\s@]+@")
_SCRIPT = re.compile(r"<(script|style)\b.*?</\1\s*>", re.IGNORECASE | re.DOTALL)
_TAG = re.compile(r"<[^<>]*>")
_PLACES = {"query", "path", "body", "header"}


def shown(text: str, cap: int, key: SecretStr | None) -> str:
    """One clean line of at most `cap` characters, without the key and without addresses' query strings or users."""
    line = clean(text, cap * 4)
    if key is not None:
        secret = key.get_secret_value()
        # A scheme such as Bearer may be left out when a service repeats the key.
        words = {secret, quote(secret, safe=""), *(word for word in secret.split() if len(word) > 7)}
        for word in sorted(words, key=len, reverse=True):
            line = line.replace(word, "[redacted]")
    return clean(_SECRET.sub(r"\1[redacted]", _QUERY.sub("?…", _USER.sub("//", line))), cap)


def plain(page: str) -> str:
    """The words of the beginning of a web page; other text as it is."""
    if page.lstrip()[:1] != "<":
        return page
    return html.unescape(_TAG.sub(" ", _SCRIPT.sub(" ", page[:8192])))


def problems(items: Sequence[Json]) -> str:
    """The first few of a list of problems in a line: FastAPI's `loc` and `msg`, or `field` and `message`, or texts."""
    said = [line for line in map(_problem, items[:20]) if line]
    more = f" (and {len(items) - 5} more)" if len(items) > 5 else ""
    return "; ".join(said[:5]) + more if said else ""


def _problem(item: Json) -> str:
    if not isinstance(item, dict):
        return item if isinstance(item, str) else ""
    place = item.get("loc", item.get("field"))
    text = item.get("msg", item.get("message"))
    if isinstance(place, list):
        # FastAPI's first word says which part of the request; the caller knows only the name.
        steps = [str(step) for step in place if isinstance(step, str | int)]
        place = ".".join(steps[1:] if steps and steps[0] in _PLACES else steps)
    return ": ".join(part for part in (place, text) if isinstance(part, str) and part)
