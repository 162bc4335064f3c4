"""v1 answers read with suspicion: times, counts and values that can be, each group once; or BadAnswer."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from talkscope.errors import BadAnswer, NotSupported
from talkscope.hosted.series import Key, Part, Reading
from talkscope.models.answers import WindowMeta
from talkscope.models.records import micros
from talkscope.models.text import clean, whole
from talkscope.models.v1 import BreakdownResponse, ResponseMeta, TimeseriesResponse
from talkscope.models.window import SECOND, Window, iso, resolve

MOST_ROWS = 200_000
MOST_COUNT = 2**53
SIZES = {"minute": 60 * SECOND, "hour": 3_600 * SECOND, "day": 86_400 * SECOND}
_MOST_VALUE = 1e30
_EARLIEST, _LATEST = 0, 7_258_118_400 * SECOND
_LENIENT = 2 * 86_400


def covered(told: ResponseMeta, token: str, now: datetime, zone: str = "UTC") -> Window:
    """The window that the service says it used; the one that was asked for where it does not say.

    Raises BadAnswer when it can be no such window.
    """
    asked = resolve(now=now, range=token, timezone=zone)
    used = told.effective_range
    if used is None:
        return asked
    start, end = micros(used.start_time), micros(used.end_time)
    if not _EARLIEST <= start < end <= _LATEST or (end - start) / SECOND > asked.seconds + _LENIENT:
        raise BadAnswer(f"The service says that it used a window that is no {token}.")
    return Window(start, end, zone, token)


def shown(window: Window) -> WindowMeta:
    """The window as an answer shows it."""
    return WindowMeta(
        start=iso(window.start, window.zone), end=iso(window.end, window.zone), timezone=window.zone, range=window.range
    )


def drifted(windows: Sequence[Window]) -> list[str]:
    """The note that an answer carries whose calls did not see the same window."""
    apart = max(
        max(each.end for each in windows) - min(each.end for each in windows),
        max(each.start for each in windows) - min(each.start for each in windows),
    )
    if apart <= 5 * SECOND:
        return []
    return [f"The service's windows of the calls are up to {apart // SECOND} s apart; the first is shown."]


def counted(value: float | None) -> int:
    """A count; the service's null is 0. Raises BadAnswer for what counts nothing."""
    if value is None:
        return 0
    if not 0 <= value <= MOST_COUNT or value != int(value):
        raise BadAnswer("The service gave a count that is none.")
    return int(value)


def measured(value: float | None, *, signed: bool = False) -> float | None:
    """A value of a measure. Raises BadAnswer for one that cannot be; a latency is not below 0."""
    if value is not None and not (-_MOST_VALUE if signed else 0) <= value <= _MOST_VALUE:
        raise BadAnswer("The service gave a value that cannot be.")
    return value


def name_of(group: str | None) -> str | None:
    """A group's name; facts without the dimension have none."""
    return whole(group) if group else None


def _reading(part: Part, value: float | None, n: int, signed: bool) -> Reading:
    if part.counts:
        return Reading(float(counted(value)), counted(n))
    known, number = measured(value, signed=signed), counted(n)
    if number or known is None:
        return Reading(known, number)
    # A percentile of nothing is 0.0 on the wire; and a service may leave out how many there were.
    return Reading(None, 0) if known == 0 else Reading(known, None)


def _add(found: dict[Key, Reading], key: Key, reading: Reading) -> None:
    if found.setdefault(key, reading) != reading:
        raise BadAnswer(f"The service gave the group {clean(str(key[-1]), 60)} twice, and differently.")


def rows(part: Part, told: BreakdownResponse, *, signed: bool = False) -> dict[Key, Reading]:
    """The groups of a breakdown. Raises BadAnswer."""
    if len(told.rows) > MOST_ROWS:
        raise BadAnswer(f"The service gave {len(told.rows):,} rows.")
    found: dict[Key, Reading] = {}
    for each in told.rows:
        _add(found, (name_of(each.group),), _reading(part, each.value, each.sample_count, signed))
    return found


def points(
    part: Part, told: TimeseriesResponse, window: Window, grain: str, *, grouped: bool, signed: bool = False
) -> dict[Key, Reading]:
    """The buckets of a series by their starts, and by group. Raises BadAnswer; NotSupported for another granularity."""
    if len(told.points) > MOST_ROWS:
        raise BadAnswer(f"The service gave {len(told.points):,} points.")
    answered = told.granularity.strip().lower()
    if answered in SIZES and answered != grain:
        raise NotSupported(
            f"The service answers this by {answered}, and not by {grain}.",
            hint=f"Ask with granularity={answered}, a shorter range, or a filter.",
            code="unsupported_granularity",
        )
    size = SIZES[grain]
    found: dict[Key, Reading] = {}
    for each in told.points:
        start = micros(each.bucket_start)
        reading = _reading(part, each.value, 0, signed) if part.counts else Reading(measured(each.value, signed=signed))
        if start % size or not window.start - size < start < window.end:
            if not reading.value:
                continue
            raise BadAnswer(f"The service gave a bucket that is no {grain} of the window.")
        _add(found, (start, name_of(each.group)) if grouped else (start,), reading)
    return found


def sampled(told: Iterable[ResponseMeta], otherwise: int) -> int:
    """How many facts the service says that its first answer is about; `otherwise` where it does not say."""
    first = next(iter(told), None)
    if first is None or first.sample_count is None:
        return otherwise
    return counted(first.sample_count)
