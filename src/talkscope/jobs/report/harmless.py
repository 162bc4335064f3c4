"""Answers that may be shown to others: each text on one line, without invisible characters and personal data."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TypeAlias, TypeVar

from talkscope.errors import Json
from talkscope.models.answers import Answer
from talkscope.models.text import clean

A = TypeVar("A", bound=Answer)
Masking: TypeAlias = Callable[[str], str]

# A time is no telephone number.
_MOMENT = re.compile(r"\d{4}-\d\d(-\d\d)?(T[\d:.]+(Z|[+-]\d\d:\d\d)?)?")
_LONGEST = 600
_SEEN = 2_000


def harmless(answer: A, mask: Masking) -> A:
    """The same answer with each of its texts made so."""
    return answer.model_validate(_made(answer.model_dump(), mask))


def _made(value: Json, mask: Masking) -> Json:
    if isinstance(value, str):
        if _MOMENT.fullmatch(value):
            return value
        return clean(mask(clean(value, _SEEN)), _LONGEST)
    if isinstance(value, dict):
        return {_made_name(key): _made(part, mask) for key, part in value.items()}
    if isinstance(value, list):
        return [_made(part, mask) for part in value]
    return value


def _made_name(name: str) -> str:
    return clean(name, 80)
