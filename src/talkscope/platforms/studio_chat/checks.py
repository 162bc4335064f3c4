"""What one argument may be, and how it goes over the wire; `checked` holds a call to the checks of its annotations.

A check stands in the annotation (`Annotated[int, Whole(1, 100)]`), so that a command line can read it too: every check
takes the text that a command line has as well as the value that a program has.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import Protocol, runtime_checkable

from talkscope.errors import InvalidArgument, Json, unknown

_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
_MOMENT_HINT = "Write a time such as 2025-01-01T00:00:00Z; without an offset it is UTC, a date is its first instant."
_DAY_HINT = "Write a date alone, such as 2025-01-01: this call takes whole days."
_DIGITS = 18


@runtime_checkable
class Check(Protocol):
    """What one argument may be."""

    def __call__(self, name: str, value: object) -> object:
        """The value as the wire has it. Raises InvalidArgument or UnknownName."""
        ...


@dataclass(frozen=True, slots=True)
class Text:
    """A text that is not blank, and matches `pattern`, whose meaning `hint` says."""

    pattern: str | None = None
    hint: str = ""

    def __call__(self, name: str, value: object) -> str:
        """The text as it is."""
        if not isinstance(value, str) or not value.strip():
            raise InvalidArgument(f"{name} is no text, or a blank one.", hint=f"Give {name} as a text.")
        if self.pattern is not None and not re.fullmatch(self.pattern, value, re.DOTALL):
            raise InvalidArgument(f"{name} is malformed.", hint=self.hint)
        return value


@dataclass(frozen=True, slots=True)
class Whole:
    """A whole number from `least` to `most`, where there is a most."""

    least: int
    most: int | None = None

    def __call__(self, name: str, value: object) -> int:
        """The number; digits are understood."""
        if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= _DIGITS:
            value = int(value)
        if isinstance(value, int) and not isinstance(value, bool) and self._holds(value):
            return value
        bounds = f"of {self.least} or more" if self.most is None else f"from {self.least} to {self.most}"
        details: dict[str, Json] = {"argument": name, "min": self.least, "max": self.most}
        raise InvalidArgument(f"{name} must be a whole number {bounds}.", details=details)

    def _holds(self, value: int) -> bool:
        return self.least <= value and (self.most is None or value <= self.most)


@dataclass(frozen=True, slots=True)
class Flag:
    """True or false."""

    def __call__(self, name: str, value: object) -> bool:
        """The truth value; `true` and `false` are understood."""
        found = {"true": True, "false": False}.get(value.lower()) if isinstance(value, str) else value
        if not isinstance(found, bool):
            raise InvalidArgument(f"{name} is not true or false.", hint="Give true or false.")
        return found


@dataclass(frozen=True, slots=True)
class OneOf:
    """One of these words."""

    choices: tuple[str, ...]

    def __call__(self, name: str, value: object) -> str:
        """The word."""
        if not isinstance(value, str):
            raise InvalidArgument(f"{name} is no text.", hint=f"Known: {', '.join(self.choices)}.")
        if value not in self.choices:
            raise unknown(name, value, self.choices)
        return value


@dataclass(frozen=True, slots=True)
class Texts:
    """One or more texts, in a list or with commas between them, each once; of `choices`, where there are any.

    A text within a list may hold a comma only where `commas` says so.
    """

    choices: tuple[str, ...] = ()
    most: int | None = None
    commas: bool = False

    def __call__(self, name: str, value: object) -> tuple[str, ...]:
        """The texts, each once, in their order."""
        if isinstance(value, str):
            value = value.split(",")
        elif not isinstance(value, Sequence) or isinstance(value, bytes | bytearray):
            raise InvalidArgument(f"{name} is no list of texts.", hint="Give a list, or one text with commas.")
        found = tuple(dict.fromkeys(self._each(name, item) for item in value))
        if not found:
            raise InvalidArgument(f"{name} is empty.", hint=f"Name one at least, or leave {name} out.")
        if self.most is not None and len(found) > self.most:
            details: dict[str, Json] = {"argument": name, "count": len(found), "max": self.most}
            raise InvalidArgument(
                f"{name} holds {len(found)} ids; {self.most} are the most of one request.",
                hint="Ask in groups, as conversation_batches does.",
                details=details,
            )
        return found

    def _each(self, name: str, item: object) -> str:
        if not isinstance(item, str) or not item.strip():
            raise InvalidArgument(f"{name} holds something that is no text, or a blank one.", hint="Leave it out.")
        if "," in item and not self.commas:
            raise InvalidArgument(
                f"{name} holds a text with a comma, which the service reads as two.", hint="Give them one by one."
            )
        word = item if self.commas else item.strip()
        if self.choices and word not in self.choices:
            raise unknown(name, word, self.choices)
        return word


@dataclass(frozen=True, slots=True)
class Moment:
    """An instant: a time with its offset, or without one in UTC, or a date for its first instant in UTC."""

    def __call__(self, name: str, value: object) -> str:
        """The instant in ISO 8601, with the caller's offset."""
        at = instant(name, value)
        return at.isoformat().removesuffix("+00:00") + "Z" if at.utcoffset() == UTC.utcoffset(None) else at.isoformat()


@dataclass(frozen=True, slots=True)
class Day:
    """A day: a date, or a time that is midnight in UTC."""

    def __call__(self, name: str, value: object) -> str:
        """The day as YYYY-MM-DD."""
        at = instant(name, value, _DAY_HINT)
        if at.astimezone(UTC).time() != time():
            raise InvalidArgument(f"{name} is a time within a day.", hint=_DAY_HINT)
        return at.astimezone(UTC).date().isoformat()


@dataclass(frozen=True, slots=True)
class Tree:
    """A tree of AND, OR and NOT over tags, as an object or as its JSON."""

    def __call__(self, name: str, value: object) -> str:
        """The tree as JSON."""
        hint = "Give a JSON object of AND, OR and NOT over tags."
        try:
            tree = json.loads(value) if isinstance(value, str) else value
            if isinstance(tree, Mapping) and tree:
                return json.dumps(tree, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
        except (ValueError, TypeError, RecursionError):
            pass
        raise InvalidArgument(f"{name} is no JSON object, or an empty one.", hint=hint)


def instant(name: str, value: object, hint: str = _MOMENT_HINT) -> datetime:
    """The time that the value means, with an offset. Raises InvalidArgument with the hint."""
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value + "T00:00:00" if _DAY.fullmatch(value) else value)
        except ValueError:
            raise InvalidArgument(f"{name} is no date or time.", hint=hint) from None
    elif isinstance(value, date) and not isinstance(value, datetime):
        value = datetime.combine(value, time(), UTC)
    if not isinstance(value, datetime):
        raise InvalidArgument(f"{name} is no date or time.", hint=hint)
    at = value if value.utcoffset() is not None else value.replace(tzinfo=UTC)
    try:
        at.astimezone(UTC)
    except OverflowError:
        raise InvalidArgument(f"{name} is out of range.", hint=hint) from None
    return at
