"""The words that Mavenoid's three questions share, and the window that they mean."""

from __future__ import annotations

from typing import Annotated, Literal, NoReturn

from pydantic import BeforeValidator, Field

from talkscope.errors import InvalidArgument, InvalidRange
from talkscope.models.questions import Asked, Words
from talkscope.models.records import micros
from talkscope.models.window import Window
from talkscope.platforms.mavenoid.calls import MOST_DAYS
from talkscope.tools.vendor import Reach

DAYS = {"last_24h": 1, "last_7d": 7, "last_30d": 30}
UNLISTED = frozenset({"start_time", "end_time", "timezone"})
"""Words of other tools, which are understood so that their refusal says what to ask instead."""

_DAY = 86_400_000_000


def _known(value: object) -> object:
    return value if value is None or (isinstance(value, str) and value in DAYS) else _refused("any other range")


def _refused(name: str) -> NoReturn:
    raise InvalidRange(
        f"Mavenoid's windows are whole periods of 24 hours that end now, so {name} cannot be asked for.",
        hint=f"Give days (1-{MOST_DAYS}) or range ({', '.join(DAYS)}); for calendar windows run `talkscope sync"
        " mavenoid` and ask the warehouse.",
    )


def _moment(value: object) -> object:
    return _refused("a moment") if value is not None else None


def _zone(value: object) -> object:
    return value if value in (None, "UTC") else _refused("another timezone than UTC")


class MavenoidAsked(Asked):
    """What all three take: how far back, in which groups, or single rows."""

    range: Annotated[Literal["last_24h", "last_7d", "last_30d"] | None, BeforeValidator(_known)] = Field(
        default=None, description="default last_7d"
    )
    days: int | None = Field(default=None, ge=1, le=MOST_DAYS, description="1-120, instead of range")
    group_by: Words = Field(default_factory=list)
    rows: bool = Field(default=False, description="list single rows, newest first; default false")
    limit: int = Field(default=100, ge=1, le=500, description="rows or groups, 1-500, default 100")
    start_time: Annotated[str | None, BeforeValidator(_moment)] = None
    end_time: Annotated[str | None, BeforeValidator(_moment)] = None
    timezone: Annotated[str | None, BeforeValidator(_zone)] = None


def window(reach: Reach, asked: MavenoidAsked) -> tuple[int, Window]:
    """The number of periods of 24 hours, and the window that they make.

    Raises InvalidArgument where words exclude each other.
    """
    if asked.range is not None and asked.days is not None:
        raise InvalidArgument("range and days exclude each other.", hint="Give one of the two.")
    if asked.rows and asked.group_by:
        raise InvalidArgument("rows and group_by exclude each other.", hint="Give one of the two.")
    token = None if asked.days is not None else asked.range or "last_7d"
    days = asked.days if token is None else DAYS[token]
    assert days is not None
    now = micros(reach.now)
    return days, Window(now - days * _DAY, now, "UTC", token)
