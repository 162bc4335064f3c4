"""Buckets of time as a zone's own clock and calendar have them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta, tzinfo
from datetime import datetime as moment
from functools import cache
from zoneinfo import ZoneInfo

from .reading import EPOCH, micros

STEPS = {"minute": 60_000_000, "hour": 3_600_000_000}
GRAINS = ("minute", "hour", "day", "week", "month")


@dataclass(frozen=True, slots=True)
class Bucket:
    """One bucket, [start, end) in microseconds; `partial` when the window does not hold all of it."""

    start: int
    end: int
    partial: bool


def _offset(instant: int, zone: tzinfo) -> int:
    """Microseconds that the zone's clock is ahead of UTC at the instant."""
    ahead = (EPOCH + timedelta(microseconds=instant)).astimezone(zone).utcoffset()
    assert ahead is not None
    return ahead // timedelta(microseconds=1)


def _change(before: int, after: int, zone: tzinfo) -> int:
    """The first instant in (before, after] that has the offset of `after`, when there is one change between."""
    wanted = _offset(after, zone)
    while after - before > 1:
        middle = (before + after) // 2
        if _offset(middle, zone) == wanted:
            after = middle
        else:
            before = middle
    return after


def _clock_bucket(instant: int, step: int, zone: tzinfo) -> tuple[int, int]:
    """The minute or hour of the zone's clock that holds the instant; a change of the clock ends one and begins one."""
    ahead = _offset(instant, zone)
    start = instant - (instant + ahead) % step
    end = start + step
    if _offset(start, zone) != ahead:
        start = _change(start, instant, zone)
    if _offset(end - 1, zone) != ahead:
        end = _change(instant, end - 1, zone)
    return start, end


def _midnight(day: date, zone: tzinfo) -> int:
    """The first instant of the zone's day, also where the clock skips or repeats midnight."""
    return micros(moment(day.year, day.month, day.day, tzinfo=zone))


def _next_day(day: date, grain: str) -> date:
    if grain == "month":
        return date(day.year + day.month // 12, day.month % 12 + 1, 1)
    return day + timedelta(days=7 if grain == "week" else 1)


def _first_day(instant: int, grain: str, zone: tzinfo) -> date:
    day = (EPOCH + timedelta(microseconds=instant)).astimezone(zone).date()
    if grain == "week":
        return day - timedelta(days=day.weekday())
    return day.replace(day=1) if grain == "month" else day


def _edges(start: int, end: int, grain: str, zone: tzinfo) -> list[tuple[int, int]]:
    edges: list[tuple[int, int]] = []
    if grain in STEPS:
        at = start
        while at < end:
            edges.append(_clock_bucket(at, STEPS[grain], zone))
            at = edges[-1][1]
        return edges
    day = _first_day(start, grain, zone)
    while _midnight(day, zone) < end:
        after = _next_day(day, grain)
        edges.append((_midnight(day, zone), _midnight(after, zone)))
        day = after
    # A zone that jumped over the date line has a day of no length.
    return [(first, last) for first, last in edges if first < last and last > start]


@cache
def buckets(start: int, end: int, grain: str, zone: str) -> tuple[Bucket, ...]:
    """Every bucket that the window [start, end) touches, in order; the first and last may reach outside of it."""
    if grain not in GRAINS:
        raise ValueError(f"grain {grain!r}")
    edges = _edges(start, end, grain, ZoneInfo(zone))
    return tuple(Bucket(first, last, first < start or last > end) for first, last in edges)
