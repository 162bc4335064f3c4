"""What every platform's answers become: records that are silent about nothing they know, and hold nothing twice.

A record is a mapping with a `type` and the names of `talkscope.models.vocabulary`. Its id is made of what the vendor
calls the thing, so that one row is one record however often it is read.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Generic, Literal, TypeAlias, TypeVar

from talkscope.models.values import MAX_ID, MAX_TEXT, canonical, micros

Record: TypeAlias = dict[str, object]
Side: TypeAlias = Literal["user", "assistant", "other"]
L = TypeVar("L")

LONGEST = 4_000
"""Characters that are kept of a text among the attributes; four times as many of all texts of one attribute."""
_DEEPEST = 50
_NOTHING: tuple[object, ...] = (None, "", [], (), {})


def record(type: str, platform: str, /, **said: object) -> Record:
    """A record of what is said; what is None or empty is left out, and a length below 0, which is none.

    An end before its start is kept among the attributes, where it stops no one from reading the rest.
    """
    start, end = said.get("start_time"), said.get("end_time")
    attributes = said.pop("attributes", None)
    kept = dict(attributes) if isinstance(attributes, Mapping) else {}
    if isinstance(start, datetime) and isinstance(end, datetime) and end < start:
        kept["end_time"] = said.pop("end_time")
    made: Record = {"type": type, "platform": platform}
    made |= {name: found for name, value in said.items() if (found := _value(name, value)) not in _NOTHING}
    bounded = {name: found for name, value in kept.items() if (found := _bounded(value)) not in _NOTHING}
    return made | ({"attributes": bounded} if bounded else {})


def key(*parts: object) -> str:
    """One id of several parts; a digest stands for what would be longer than an id can be."""
    whole = "/".join(part.isoformat() if isinstance(part, datetime) else str(part) for part in parts)
    return whole if len(whole) <= MAX_ID else f"{whole[: MAX_ID - 25]}~{_digest(whole)}"


def numbered(found: Iterable[tuple[str, L]]) -> Iterator[tuple[str, L]]:
    """Each thing with an id of its own: things that would share one are counted, in the order in which they come."""
    met: dict[str, int] = {}
    for name, each in found:
        met[name] = met.get(name, 0) + 1
        yield (name if met[name] == 1 else key(name, met[name])), each


@dataclass(frozen=True, slots=True)
class Figures:
    """Aggregates of one window of a platform, each with its unit; they become snapshots.

    Args:
        platform: Whose figures.
        start: Where the window begins.
        end: Where it ends; for figures of a moment, that moment again.
    """

    platform: str
    start: datetime
    end: datetime

    def snapshot(
        self,
        metric: str,
        value: object,
        unit: str | None = None,
        dimensions: Mapping[str, object] | None = None,
        attributes: Mapping[str, object] | None = None,
    ) -> Iterator[Record]:
        """The figure as a record, by the platform's name and its own; nothing where it is unknown.

        The id is that of the figure, its window and its dimensions: read again, a newer value takes its place.
        """
        if not isinstance(value, int | float) or not math.isfinite(value):
            return
        name, about = f"{self.platform}.{metric}", dict(dimensions or {})
        told = [name, micros(self.start), micros(self.end), about]
        yield record(
            "snapshot",
            self.platform,
            snapshot_id=f"{name[:MAX_ID - 25]}~{_digest(canonical(told))}",
            metric=name,
            start_time=self.start,
            end_time=self.end,
            dimensions=about,
            value=float(value),
            unit=unit,
            attributes=attributes,
        )  # fmt: skip

    def snapshots(
        self,
        below: str,
        figures: Mapping[str, tuple[object, str | None]],
        dimensions: Mapping[str, object] | None = None,
        attributes: Mapping[str, object] | None = None,
    ) -> Iterator[Record]:
        """Several figures, named below one word."""
        for name, (value, unit) in figures.items():
            yield from self.snapshot(f"{below}.{name}", value, unit, dimensions, attributes)


@dataclass(slots=True)
class Turn(Generic[L]):
    """What the user said without being answered between, and all that came until the user spoke again."""

    index: int
    heard: list[L] = field(default_factory=list)
    answered: list[L] = field(default_factory=list)
    others: list[L] = field(default_factory=list)


def turns(lines: Iterable[tuple[Side, L]]) -> tuple[list[L], list[Turn[L]]]:
    """What came before the user's first words, and the turns, which keep their numbers as more is said."""
    opening: list[L] = []
    found: list[Turn[L]] = []
    for side, line in lines:
        if side == "user":
            if not found or found[-1].answered or found[-1].others:
                found.append(Turn(len(found)))
            found[-1].heard.append(line)
        elif not found:
            opening.append(line)
        else:
            (found[-1].answered if side == "assistant" else found[-1].others).append(line)
    return opening, found


def later(start: datetime, ms: float | None) -> datetime | None:
    """The moment so many milliseconds later; None for a length that is none, or that leads out of the calendar."""
    try:
        return None if ms is None or not ms >= 0 else start + timedelta(milliseconds=ms)
    except OverflowError:
        return None


def first(values: Iterable[L | None]) -> L | None:
    """The first of the values that is there."""
    return next((value for value in values if value is not None), None)


def joined(texts: Iterable[str | None]) -> str:
    """Several texts as one."""
    return "\n".join(text for text in texts if text)


def _value(name: str, value: object) -> object:
    if isinstance(value, datetime):
        return value.isoformat()
    if name.endswith("_ms") and isinstance(value, int | float) and not 0 <= value < math.inf:
        return None
    if isinstance(value, str):
        return _cut(value, MAX_TEXT)
    if isinstance(value, Mapping):
        return {str(name): found for name, each in value.items() if (found := _bounded(each)) is not None}
    if isinstance(value, Sequence):
        return [_cut(each, MAX_TEXT) if isinstance(each, str) else each for each in value]
    return value


def _bounded(value: object) -> object:
    """The value as JSON with each text cut, and as one cut text when it is still four times as long."""
    plain = _plain(value, 0)
    text = canonical(plain) if isinstance(plain, dict | list) else ""
    return plain if len(text) <= 4 * LONGEST else _cut(text, LONGEST)


def _plain(value: object, depth: int) -> object:
    if depth > _DEEPEST:
        return f"…nested more than {_DEEPEST} levels deep"
    if isinstance(value, str):
        return _cut(value, LONGEST)
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, Mapping):
        return {str(name): _plain(each, depth + 1) for name, each in value.items() if each is not None}
    if isinstance(value, Sequence):
        return [_plain(each, depth + 1) for each in value]
    return value


def _cut(text: str, longest: int) -> str:
    """The text, or as much of it as leaves room to say how much is missing."""
    if len(text) <= longest:
        return text
    room = longest - 40
    return f"{text[:room]}…truncated {len(text) - room} characters"


def _digest(text: str) -> str:
    return hashlib.blake2b(text.encode("utf-8", "replace"), digest_size=12).hexdigest()
