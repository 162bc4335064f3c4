"""What a vendor says inside of our own sentences and names: mere words, for a sentence of its own might be obeyed."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable

_WORD = re.compile(r"[^\W_][\w.:/-]{0,79}")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,59}", re.ASCII)
_UNIT = re.compile(r"[^\W\d_]{1,12}|[$€£¥₹%]")


def word(text: str | None, otherwise: str) -> str:
    """An id or a slug as it is; in place of anything longer than a word, what is told otherwise."""
    return text if text is not None and _WORD.fullmatch(text) else otherwise


def words(texts: Iterable[str]) -> str:
    """Names one after the other, those that are more than a word only counted."""
    every = list(texts)
    told = [each for each in every if _WORD.fullmatch(each)]
    others = len(every) - len(told)
    more = f"{others} of more than a word" if others else ""
    return ", ".join([*told, *([more] if more else [])]) or "none"


def unit(label: str | None) -> str | None:
    """A unit that is a word or a sign."""
    return label if label is not None and _UNIT.fullmatch(label) else None


def named(name: str) -> bool:
    """Whether a field's name can be a column's."""
    return _NAME.fullmatch(name) is not None


def written(value: object) -> str:
    """Anything as JSON, however large its numbers are."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=str)
