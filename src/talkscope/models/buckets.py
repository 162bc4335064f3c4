"""Time cut into buckets that are the zone's own: days of 23 and 25 hours, hours that happen twice, weeks from Monday.

A grain is chosen before asking. `edges` lists where buckets start; `stretches` cuts a window where the zone's UTC
offset changes, so that an engine finds a fact's bucket with integers only, at a twentieth of the cost of its own zones.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal, TypeAlias, get_args
from zoneinfo import ZoneInfo

from talkscope.errors import InvalidArgument
from talkscope.models.window import SECOND, Window, day_start, iso, moment

Grain: TypeAlias = Literal["minute", "hour", "day", "week", "month"]
GRAINS: tuple[Grain, ...] = get_args(Grain)
_FIXED = {"minute": 60 * SECOND, "hour": 3_600 * SECOND}
_LENGTH = {**_FIXED, "day": 86_400 * SECOND, "week": 7 * 86_400 * SECOND, "month": 30 * 86_400 * SECOND}
MOST_BUCKETS = 50_000


@dataclass(frozen=True, slots=True)
class Stretch:
    """A part [start, end) of a window in which the zone's UTC offset does not change; all in microseconds."""

    start: int
    end: int
    offset: int


@dataclass(frozen=True, slots=True)
class Bucket:
    """One bucket [start, end) in microseconds, cut to the window; `partial` when the window cut it."""

    start: int
    end: int
    partial: bool


def _offset(us: int, zone: ZoneInfo) -> int:
    delta = moment(us).astimezone(zone).utcoffset() or timedelta()
    return (delta.days * 86_400 + delta.seconds) * SECOND


def stretches(window: Window) -> list[Stretch]:
    """The window cut where the zone's offset changes, to the second."""
    if window.zone == "UTC":
        return [Stretch(window.start, window.end, 0)]
    zone = ZoneInfo(window.zone)
    found: list[Stretch] = []
    start = at = window.start
    offset = _offset(at, zone)
    while at < window.end:
        step = min(at + 6 * 3_600 * SECOND, window.end)
        if _offset(step, zone) != offset:
            step = _change(at, step, zone)
            found.append(Stretch(start, step, offset))
            start, offset = step, _offset(step, zone)
        at = step
    if start < window.end:
        found.append(Stretch(start, window.end, offset))
    return found


def _change(low: int, high: int, zone: ZoneInfo) -> int:
    """The first instant after `low` at which the zone's offset is no longer that of `low`."""
    offset = _offset(low, zone)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if _offset(middle, zone) == offset else (low, middle)
    return high


def _clock_edges(window: Window, size: int) -> Iterator[int]:
    for stretch in stretches(window):
        at = (stretch.start + stretch.offset) // size * size - stretch.offset
        yield max(at, stretch.start) if at < stretch.start != window.start else at
        at += size
        while at < stretch.end:
            yield at
            at += size


def _calendar_edges(window: Window, grain: Grain) -> Iterator[int]:
    day = moment(window.start, window.zone).date()
    if grain == "week":
        day -= timedelta(days=day.weekday())
    elif grain == "month":
        day = day.replace(day=1)
    while True:
        at = day_start(day, window.zone)
        if at >= window.end:
            return
        yield at
        if grain == "month":
            day = (day.replace(day=28) + timedelta(days=4)).replace(day=1)
        else:
            day += timedelta(days=7 if grain == "week" else 1)


def edges(window: Window, grain: Grain) -> list[int]:
    """The starts of the buckets that the window touches, the first at or before its start, in microseconds."""
    if (window.end - window.start) // _LENGTH[grain] > MOST_BUCKETS:
        raise InvalidArgument(
            f"The window holds more than {MOST_BUCKETS:,} buckets of a {grain}.",
            hint="Ask for a coarser granularity or a shorter window.",
        )
    if grain in _FIXED:
        return list(_clock_edges(window, _FIXED[grain]))
    return list(_calendar_edges(window, grain))


def buckets(window: Window, grain: Grain) -> list[Bucket]:
    """The buckets of the window in order, each cut to it."""
    starts = edges(window, grain)
    ends = [*starts[1:], _after(starts[-1], window, grain)]
    return [
        Bucket(max(start, window.start), min(end, window.end), start < window.start or end > window.end)
        for start, end in zip(starts, ends, strict=True)
    ]


def _after(start: int, window: Window, grain: Grain) -> int:
    """The end of the bucket that starts there: the next edge of a window that reaches past it."""
    beyond = Window(start, start + 2 * _LENGTH[grain] + 8 * 86_400 * SECOND * (grain not in _FIXED), window.zone)
    return next(edge for edge in edges(beyond, grain) if edge > start)


def label(us: int, grain: Grain, zone: str) -> str:
    """How a bucket start is written: the day for days and coarser, else the instant with its offset."""
    at = moment(us, zone)
    if grain in ("day", "week"):
        return at.date().isoformat()
    if grain == "month":
        return at.date().isoformat()[:7]
    return iso(us, zone)


def choose(window: Window, most: int) -> Grain:
    """The finest grain that cuts the window into at most `most` buckets."""
    for grain in GRAINS:
        if (window.end - window.start) / _LENGTH[grain] <= most:
            return grain
    return "month"


def coarsen(window: Window, grain: Grain, most: int) -> Grain:
    """The asked grain, or the finest coarser one that keeps the window within `most` buckets."""
    chosen = choose(window, most)
    return grain if GRAINS.index(grain) >= GRAINS.index(chosen) else chosen
