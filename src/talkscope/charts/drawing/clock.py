"""Time on an axis, in the zone that was asked for.

Vega knows UTC and the reader's own zone, and neither may be the asked one. So marks stand at true instants, and ticks
and labels are worked out here: a day that has 23 hours is drawn shorter, and midnight is the zone's.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from talkscope.models.answers import WindowMeta
from talkscope.models.buckets import stretches
from talkscope.models.records import micros
from talkscope.models.window import Window, day_start, iso, moment, parse_moment, zone_of

if TYPE_CHECKING:
    import altair as alt

_TICKS = 9
_MS = 1_000
_SECONDS = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1_800, 3_600, 7_200, 10_800, 21_600, 43_200)
_DAYS = (1, 2, 7, 14)
_MONTHS = (1, 3, 6, 12)
_DAY = 86_400


class Clock:
    """A stretch of time as an axis: its domain, its ticks and how instants are written, all in one zone."""

    def __init__(self, start: int, end: int, zone: str) -> None:
        self._window = Window(start, max(end, start + 1), zone)

    @classmethod
    def of(cls, window: WindowMeta, first: str | None = None) -> Clock:
        """The clock of an answer's window, from its first bucket on when that begins before the window."""
        zone = zone_of(window.timezone)
        start, end = parse_moment("start", window.start, zone), parse_moment("end", window.end, zone)
        clock = cls(start, end, window.timezone)
        return clock if first is None else cls(min(start, clock.instant(first)), end, window.timezone)

    @property
    def window(self) -> Window:
        """The stretch of time that is shown."""
        return self._window

    @property
    def zone(self) -> str:
        """The name of the zone."""
        return self._window.zone

    def instant(self, text: str) -> int:
        """Microseconds of an answer's time: an instant, a day or a month."""
        return parse_moment("time", f"{text}-01" if len(text) == 7 else text, ZoneInfo(self.zone))

    def axis(self, *, most: int = _TICKS) -> alt.Axis:
        """The axis: at most about that many ticks, at the zone's own round times."""
        import altair as alt

        values, form = self._ticks(most)
        at = self.local("datum.value")
        pattern = f"{at}%864e5?{form!r}:'%b %d'" if form.startswith("%H") else repr(form)
        return alt.Axis(values=_spread([tick // _MS for tick in values]), labelExpr=f"utcFormat({at},{pattern})")

    def scale(self) -> alt.Scale:
        """From the start to the end of the window, so that times without data show."""
        import altair as alt

        return alt.Scale(domain=[self._window.start // _MS, self._window.end // _MS])

    def local(self, datum: str) -> str:
        """An expression for an instant's milliseconds, shifted so that UTC functions read the zone's wall clock."""
        parts = stretches(self._window)
        # Taken away and not added, because Vega gives an axis' values as dates, which + would make text of.
        shift = str(-parts[-1].offset // _MS)
        for part in reversed(parts[:-1]):
            shift = f"({datum}<{part.end // _MS}?{-part.offset // _MS}:{shift})"
        return datum if shift == "0" else f"({datum}-{' ' if shift[0] == '-' else ''}{shift})"

    def wording(self, datum: str, *, day: bool = True, seconds: bool = False, grain: str = "") -> str:
        """An expression for an instant as people write it in the zone; of days and months, without a time of day.

        Where the zone's offset changes on the way, it is said: the same hour may come twice.
        """
        if grain in ("day", "week", "month"):
            form = "%B %Y" if grain == "month" else "%a %d %b %Y"
            return f"utcFormat({self.local(datum)},{form!r})"
        form = ("%a %d %b %Y, " if day else "") + ("%H:%M:%S" if seconds else "%H:%M")
        return f"utcFormat({self.local(datum)},{form!r}){self._offset(datum)}"

    def _offset(self, datum: str) -> str:
        parts = stretches(self._window)
        names = [iso(part.start, self.zone).removesuffix("Z")[-6:] for part in parts]
        if len(set(names)) < 2:
            return ""
        said = f"' {names[-1]}'"
        for part, name in zip(reversed(parts[:-1]), reversed(names[:-1]), strict=True):
            said = f"({datum}<{part.end // _MS}?' {name}':{said})"
        return f"+{said}"

    def _ticks(self, most: int) -> tuple[list[int], str]:
        span = self._window.seconds
        for step in _SECONDS:
            if span / step <= most:
                return list(self._within(self._by_clock(step))), "%H:%M:%S" if step < 60 else "%H:%M"
        for days in _DAYS:
            if span / (days * _DAY) <= most:
                return list(self._within(self._by_day(days))), "%b %d"
        for months in _MONTHS:
            if span / (months * 30 * _DAY) <= most:
                return list(self._within(self._by_month(months))), "%b %Y"
        years = max(1, -(-int(span / (365 * _DAY)) // most))
        return list(self._within(self._by_month(12 * years))), "%Y"

    def _within(self, instants: Iterator[int]) -> Iterator[int]:
        return (at for at in instants if self._window.start <= at <= self._window.end)

    def _days(self) -> Iterator[datetime]:
        day = moment(self._window.start, self.zone)
        last = moment(self._window.end, self.zone).date()
        while day.date() <= last:
            yield day
            day += timedelta(days=1)

    def _by_clock(self, step: int) -> Iterator[int]:
        zone = ZoneInfo(self.zone)
        first = moment(self._window.start, self.zone)
        for day in self._days():
            # The window's first day begins at the window's first hour: a short window must not walk a day in seconds.
            hours = first.hour if day.date() == first.date() else 0
            for second in range(hours * 3_600 // step * step, _DAY, step):
                hour, rest = divmod(second, 3_600)
                wall = datetime(day.year, day.month, day.day, hour, rest // 60, rest % 60, tzinfo=zone)
                at = micros(wall.astimezone(UTC))
                if at > self._window.end:
                    return
                # Times that the zone skips are no ticks.
                if moment(at, self.zone).hour == hour:
                    yield at

    def _by_day(self, days: int) -> Iterator[int]:
        for day in self._days():
            if days in (7, 14):
                if day.weekday() == 0 and (days == 7 or day.isocalendar().week % 2):
                    yield day_start(day.date(), self.zone)
            elif day.toordinal() % days == 0:
                yield day_start(day.date(), self.zone)

    def _by_month(self, months: int) -> Iterator[int]:
        for day in self._days():
            if day.day == 1 and (day.year * 12 + day.month - 1) % months == 0:
                yield day_start(day.date(), self.zone)


def _spread(ticks: list[int]) -> list[int] | alt.ExprRef:
    """The ticks; as a sequence where they lie evenly, which is shorter."""
    import altair as alt

    steps = {later - earlier for earlier, later in itertools.pairwise(ticks)}
    if len(steps) != 1 or len(ticks) < 4:
        return ticks
    return alt.ExprRef(f"sequence({ticks[0]},{ticks[-1] + 1},{steps.pop()})")
