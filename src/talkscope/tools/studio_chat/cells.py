"""How Studio Chat's tools write figures and texts into cells, and the words that several of them take."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Annotated, TypeAlias

from pydantic import BaseModel, BeforeValidator, Field

from talkscope.models.answers import Cell
from talkscope.models.questions import Words
from talkscope.models.records import micros
from talkscope.models.window import Window, iso
from talkscope.platforms.studio_chat.models import Distribution
from talkscope.tools.vendor import Reach, Timed
from talkscope.tools.vendor.said import named

DEFLECTION = "fraction of conversations"

_REST = "other_fields"
_WIDEST = 12


def _as_text(value: object) -> object:
    return json.dumps(value, ensure_ascii=False) if isinstance(value, Mapping) else value


TagTree: TypeAlias = Annotated[str | None, BeforeValidator(_as_text)]
"""A tree over tags, as its JSON or as an object."""


class Spanned(Timed):
    """A question about a window whose range is told in fewer words, for a tool that has many others."""

    range: str | None = Field(default=None, description="last_7d (default), last_24h, last_month…")  # type: ignore[assignment]


class Tagged(Spanned):
    """A question about one assistant's conversations, or those with certain tags."""

    assistant: str | None = Field(default=None, description="name or id")
    tags: Words = Field(default_factory=list, description="all of them")


def share(part: float | None, n: float | None) -> float | None:
    """A fraction, None of nothing."""
    return part / n if part is not None and n else None


def fraction(percent: float | None) -> float | None:
    """A fraction in place of the vendor's percents."""
    return None if percent is None else percent / 100


def yes(flag: bool | None) -> str | None:
    """A truth value."""
    return None if flag is None else "yes" if flag else "no"


def listed(words: Iterable[str]) -> str | None:
    """Several words in one cell."""
    return ", ".join(words) or None


def at(time: datetime | None, zone: str = "UTC") -> str | None:
    """A time in the zone."""
    return None if time is None else iso(micros(time), zone)


def bucket(time: datetime, size: str | None) -> str:
    """The beginning of a bucket: a date where buckets are days. They are the vendor's, and begin in UTC."""
    return time.astimezone(UTC).date().isoformat() if size != "hour" else iso(micros(time))


def of(columns: Sequence[str], units: Mapping[str, str]) -> dict[str, str]:
    """The units of these columns."""
    return {name: unit for name, unit in units.items() if name in columns}


def in_utc(reach: Reach, window: Window) -> None:
    """Say that the vendor's buckets are not of the window's zone."""
    if window.zone != "UTC":
        reach.note("Buckets begin in UTC, whatever the timezone.")


def text(value: object) -> Cell:
    """A text, a number, or anything else as JSON."""
    if value is None or value in ({}, [], ()):
        return None
    if isinstance(value, bool):
        return yes(value)
    return value if isinstance(value, str | int | float) else json.dumps(value, ensure_ascii=False, default=str)


def shown(reach: Reach, row: BaseModel, name: str) -> Cell:
    """A field as it may be shown."""
    return text(reach.shown(row, name))


def spread(signal: str, found: Mapping[str, int], labels: Sequence[str]) -> list[list[Cell]]:
    """Rows of signal, label, conversations, share and n: the shares are of the conversations that have the signal."""
    n = sum(found.values())
    every = [*labels, *(each for each in sorted(found) if each not in labels)]
    return [[signal, label, found.get(label, 0), share(found.get(label, 0), n), n] for label in every]


def counts(found: Distribution) -> Mapping[str, int]:
    """A distribution's numbers."""
    return found.root


def tabled(
    rows: Iterable[Mapping[str, object]], skip: frozenset[str] = frozenset()
) -> tuple[tuple[str, ...], list[list[Cell]]]:
    """Rows whose fields no document names: a column for each of the first twelve mere names, and one for the rest."""
    every = [{name: value for name, value in row.items() if name not in skip} for row in rows]
    known = dict.fromkeys(name for row in every for name in row if named(name) and name != _REST)
    names = tuple(known)[:_WIDEST]
    rest = [{name: value for name, value in row.items() if name not in names} for row in every]
    made = [[text(row.get(name)) for name in names] for row in every]
    if any(rest):
        return (*names, _REST), [[*row, text(more)] for row, more in zip(made, rest, strict=True)]
    return names, made


def paged(reach: Reach, what: str, offset: int, count: int, total: int | None = None) -> None:
    """Say which rows of how many these are, and how to get the next."""
    if not count:
        if offset:
            reach.note(f"There are no {what} from offset {offset} on.")
        return
    more = total is None or offset + count < total
    if offset or more:
        of = f"of {what}" if total is None else f"of {total} {what}"
        following = f" offset={offset + count} has the next ones." if more else ""
        reach.note(f"Numbers {offset + 1} to {offset + count} {of}.{following}")
