"""Text from outside, made safe to show: end users, agents and vendors write it, so it is data, never instructions."""

from __future__ import annotations

import json
import re

_SURROGATES = re.compile("[\ud800-\udfff]")
# Controls, bidirectional overrides, zero-width and invisible characters, Unicode tags, and variation-selector runs.
_INVISIBLE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2028-\u202e"
    "\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\U000e0000-\U000e0fff]"
)
_SPACES = re.compile("[\t\n]+")
# Characters that turn text around or are not seen.
_UNSEEN = re.compile(
    "[\x7f-\x9f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ud800-\udfff\U000e0000-\U000e0fff]"
)
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def whole(text: str) -> str:
    """The text with each lone surrogate replaced by U+FFFD, so that it can be encoded."""
    return text if text.isascii() else _SURROGATES.sub("\ufffd", text)


def clean(text: str, cap: int = 300) -> str:
    """One line without control, bidirectional, zero-width or tag characters, of at most `cap` characters."""
    shown = _SPACES.sub(" ", _INVISIBLE.sub("", whole(text[: cap * 4]))).strip()
    return shown if len(shown) <= cap and len(text) <= cap * 4 else shown[: cap - 1] + "…"


def so_many(number: int, noun: str) -> str:
    """So many of something: 1 error, 1,200 errors."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def escaped(json_text: str) -> str:
    """JSON that says the same with what a terminal would obey, or nobody would see, as escapes."""
    return json_text if json_text.isascii() and "\x7f" not in json_text else _UNSEEN.sub(_escape, json_text)


def sheet_cell(text: str, *, raw: bool = False) -> str:
    """The text as a cell of a table; what a spreadsheet would run as a formula gets a leading `'`, unless it is raw."""
    shown = whole(text)
    if raw:
        return shown
    shown = _UNSEEN.sub("", shown).replace("\x1b", "")
    return "'" + shown if shown.startswith(_FORMULA) else shown


def _escape(found: re.Match[str]) -> str:
    code = ord(found[0])
    if 0xD800 <= code <= 0xDFFF:
        return r"\ufffd"
    return json.dumps(found[0])[1:-1] if code > 0x7F else r"\u007f"
