"""Text from outside, made safe to show: end users, agents and vendors write it, so it is data, never instructions."""

from __future__ import annotations

import re

_SURROGATES = re.compile("[\ud800-\udfff]")
# Controls, bidirectional overrides, zero-width and invisible characters, Unicode tags, and variation-selector runs.
_INVISIBLE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2028-\u202e"
    "\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\U000e0000-\U000e0fff]"
)
_SPACES = re.compile("[\t\n]+")


def whole(text: str) -> str:
    """The text with each lone surrogate replaced by U+FFFD, so that it can be encoded."""
    return text if text.isascii() else _SURROGATES.sub("\ufffd", text)


def clean(text: str, cap: int = 300) -> str:
    """One line without control, bidirectional, zero-width or tag characters, of at most `cap` characters."""
    shown = _SPACES.sub(" ", _INVISIBLE.sub("", whole(text[: cap * 4]))).strip()
    return shown if len(shown) <= cap and len(text) <= cap * 4 else shown[: cap - 1] + "…"
