"""The stretch of time that a question is about: half-open, in a named zone, exact to the microsecond."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Literal, TypeAlias, get_args
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from talkscope.errors import InvalidArgument, InvalidRange, nearest
from talkscope.models.records import EPOCH, micros

Range: TypeAlias = Literal[
    "last_15m", "last_1h", "last_6h", "last_24h", "last_7d", "last_30d",
    "today", "yesterday", "this_week", "last_week", "this_month", "last_month",
]  # fmt: skip
RANGES: tuple[Range, ...] = get_args(Range)

SECOND = 1_000_000
_SPANS: Mapping[str, timedelta] = {
    "last_15m": timedelta(minutes=15),
    "last_1h": timedelta(hours=1),
    "last_6h": timedelta(hours=6),
    "last_24h": timedelta(hours=24),
    "last_7d": timedelta(days=7),
    "last_30d": timedelta(days=30),
}
_EARLIEST = datetime(1970, 1, 2, tzinfo=UTC)
_LATEST = datetime(2200, 1, 1, tzinfo=UTC)


def zone_of(name: str) -> ZoneInfo:
    """The IANA zone of that name, or InvalidArgument."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise InvalidArgument(
            f"timezone {name[:60]!r} is not an IANA zone name.", hint="Use a name such as UTC or Europe/Berlin."
        ) from None


def moment(us: int, zone: str = "UTC") -> datetime:
    """The instant as a datetime in the zone."""
    return (EPOCH + timedelta(microseconds=us)).astimezone(ZoneInfo(zone))


def iso(us: int, zone: str = "UTC") -> str:
    """The instant as ISO 8601 with the zone's offset; fractions of a second only where there are any."""
    at = moment(us, zone)
    text = at.isoformat(
        timespec="microseconds" if at.microsecond % 1000 else "milliseconds" if at.microsecond else "seconds"
    )
    return text.removesuffix("+00:00") + "Z" if text.endswith("+00:00") else text


@dataclass(frozen=True, slots=True)
class Window:
    """Microseconds [start, end) and the zone in which days are days; `range` is the token it came from, if any."""

    start: int
    end: int
    zone: str = "UTC"
    range: str | None = None

    @property
    def seconds(self) -> float:
        """How long the window is, in seconds."""
        return (self.end - self.start) / SECOND

    def __str__(self) -> str:
        return f"{iso(self.start, self.zone)} to {iso(self.end, self.zone)}"


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    """The first instant of a day in a zone: the first midnight, or the instant at which midnight is skipped."""
    local = datetime(day.year, day.month, day.day, tzinfo=zone)
    at = local.astimezone(UTC)
    back = at.astimezone(zone)
    if back.replace(tzinfo=None) == local.replace(tzinfo=None):
        return at
    low, high = at - timedelta(hours=25), at + timedelta(hours=25)
    while high - low > timedelta(seconds=1):
        middle = low + (high - low) / 2
        if middle.astimezone(zone).date() < day:
            low = middle
        else:
            high = middle
    return high.replace(microsecond=0)


def day_start(day: date, zone: str) -> int:
    """Microseconds of the first instant of a day in a zone."""
    return micros(_midnight(day, ZoneInfo(zone)))


def _month(day: date, shift: int) -> date:
    months = day.year * 12 + day.month - 1 + shift
    return date(months // 12, months % 12 + 1, 1)


def _calendar(token: str, now: datetime, zone: ZoneInfo) -> tuple[int, int]:
    today = now.astimezone(zone).date()
    monday = today - timedelta(days=today.weekday())
    at_now = micros(now)
    days = {
        "today": (today, None),
        "yesterday": (today - timedelta(days=1), today),
        "this_week": (monday, None),
        "last_week": (monday - timedelta(days=7), monday),
        "this_month": (today.replace(day=1), None),
        "last_month": (_month(today, -1), today.replace(day=1)),
    }
    first, after = days[token]
    return micros(_midnight(first, zone)), at_now if after is None else micros(_midnight(after, zone))


def parse_moment(name: str, text: str, zone: ZoneInfo) -> int:
    """Microseconds of an ISO 8601 time or date, which is its first instant; without an offset it is in the zone."""
    try:
        if len(text) == 10:
            return micros(_midnight(date.fromisoformat(text), zone))
        at = datetime.fromisoformat(text)
        at = at if at.tzinfo else at.replace(tzinfo=zone)
        if not _EARLIEST <= at.astimezone(UTC) <= _LATEST:
            raise ValueError
    except (ValueError, OverflowError):
        raise InvalidRange(
            f"{name} {text[:40]!r} is not an ISO 8601 time between 1970 and 2200.",
            hint="Use a form such as 2026-05-04T16:00:00+02:00 or 2026-05-04.",
        ) from None
    return micros(at)


def resolve(
    *,
    now: datetime,
    range: str | None = None,
    start_time: str | None = None,
    end_time: str | None = None,
    timezone: str = "UTC",
    default: str = "last_24h",
) -> Window:
    """The window that the words mean at `now`.

    `range` and `start_time`/`end_time` exclude each other; without either it is `default`; without `end_time` it ends
    now. Raises InvalidRange or InvalidArgument with a hint.
    """
    zone = zone_of(timezone)
    if start_time is None and end_time is None:
        token = range or default
        if token in _SPANS:
            return Window(micros(now - _SPANS[token]), micros(now), timezone, token)
        if token not in RANGES:
            close = nearest(token, RANGES)
            raise InvalidRange(
                f"range {token[:40]!r} is not a range.",
                hint=(f"Did you mean {close!r}? " if close else "")
                + f"Use one of {', '.join(RANGES)}, or start_time and end_time.",
                details={"received": token[:40], "allowed": list(RANGES)},
            )
        start, end = _calendar(token, now, zone)
    else:
        token = None
        if range is not None:
            raise InvalidRange("range and start_time/end_time exclude each other.", hint="Give one of the two.")
        if start_time is None:
            raise InvalidRange("end_time is given without start_time.", hint="Give start_time too.")
        start = parse_moment("start_time", start_time, zone)
        end = micros(now) if end_time is None else parse_moment("end_time", end_time, zone)
    if end <= start:
        raise InvalidRange(
            f"The window is empty: it starts at {iso(start, timezone)} and ends at {iso(end, timezone)}.",
            hint="start_time must be before end_time; the end is exclusive.",
        )
    return Window(start, end, timezone, token)


def before(window: Window) -> Window:
    """The window before: the calendar unit before for a whole day, week or month, else the same length right before."""
    zone = ZoneInfo(window.zone)
    first = moment(window.start, window.zone).date()
    starts = {
        "yesterday": first - timedelta(days=1),
        "last_week": first - timedelta(days=7),
        "last_month": _month(first, -1),
    }
    if window.range in starts:
        return Window(micros(_midnight(starts[window.range], zone)), window.start, window.zone)
    return Window(2 * window.start - window.end, window.start, window.zone)
