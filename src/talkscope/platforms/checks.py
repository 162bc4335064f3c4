"""Words that every platform's calls check alike, before anything is sent."""

from __future__ import annotations

import re
from collections.abc import Iterable

from talkscope.errors import InvalidArgument, unknown
from talkscope.models.text import clean

_DIGITS = re.compile(r"\d{1,18}", re.ASCII)


def chosen(name: str, value: object, choices: Iterable[str]) -> str | None:
    """The value, or UnknownName with the nearest unless it is one of the choices; None stays None."""
    known = list(choices)
    if value is None:
        return None
    if isinstance(value, str) and value in known:
        return value
    raise unknown(name, clean(str(value), 60), known)


def whole_number(name: str, value: object, least: int, most: int | None = None) -> int | None:
    """The value, or InvalidArgument unless it is a whole number in these bounds, or its digits; None stays None."""
    if value is None:
        return None
    if isinstance(value, str) and _DIGITS.fullmatch(value):
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int) or value < least or (most is not None and value > most):
        bounds = f"of {least} or more" if most is None else f"from {least} to {most}"
        raise InvalidArgument(f"{name} must be a whole number {bounds}.", hint=f"Leave {name} out, or correct it.")
    return value
