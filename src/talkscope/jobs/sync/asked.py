"""What a sync is asked for: a window, and what of the account calls need."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Asked:
    """The window [start, end) in UTC, the time it was when it was begun, and the account's other settings.

    `traces` says whether what costs a request for each turn is wanted, `asking` when it is asked for, where that is
    later: an interrupted sync goes on with its window.
    """

    start: datetime
    end: datetime
    now: datetime
    also: Mapping[str, str] = field(default_factory=dict)
    traces: bool = True
    asking: datetime | None = None

    @property
    def back(self) -> timedelta:
        """How far back the window begins from when it is asked for, as windows that always end now are told."""
        return max(self.asking or self.now, self.now) - self.start

    @property
    def days(self) -> list[tuple[datetime, datetime]]:
        """The whole days in the window, each by its start and end: figures of a part would replace those of a day."""
        first = self.start.replace(hour=0, minute=0, second=0, microsecond=0)
        at = first if first == self.start else first + _DAY
        found = []
        while at + _DAY <= self.end:
            found.append((at, at + _DAY))
            at += _DAY
        return found

    @property
    def dates(self) -> list[date]:
        """The dates of the whole days."""
        return [start.date() for start, _ in self.days]
