"""General Bots: the aggregates that its server has, planned or published, by day and at this moment."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from typing import cast

from talkscope.jobs.sync.asked import Asked
from talkscope.jobs.sync.gathered import Found, Gathered, Gathering, figure
from talkscope.platforms import general_bots as api
from talkscope.platforms.general_bots import models, records
from talkscope.platforms.recording import Record

GAPS, LATENCY_BASIS = records.GAPS, records.LATENCY_BASIS
REACH: timedelta | None = None
USUAL = timedelta(days=30)
# A day's figures settle after it.
OVERLAP = timedelta(days=2)
_OPEN = {
    "conversations": api.conversations,
    "conversation_volume": api.conversation_volume,
    "conversation_duration": api.conversation_duration,
    "conversation_resolution": api.conversation_resolution,
    "engagement": api.engagement,
    "retention": api.retention,
    "satisfaction": api.satisfaction,
}


def plan(asked: Asked) -> Gathering:
    """Every figure of each whole day, daily usage of all of them, and the figures of this moment."""
    asks = [
        figure("realtime", api.realtime()),
        figure("active_sessions", api.active_sessions()),
        figure("dashboard", api.dashboard()),
        figure("attendant_stats", api.attendant_stats()),
    ]
    dates = asked.dates
    if dates:
        asks.append(figure("daily_usage", api.daily_usage(start_date=dates[0], end_date=dates[-1])))
    for day in dates:
        about = day.isoformat()
        asks.append(figure("usage", api.usage(start_date=day, end_date=day), about))
        asks += [figure(name, call(start_date=day, end_date=day), about) for name, call in _OPEN.items()]
    return Gathered(asks)


def recorded(found: Iterable[Found], asked: Asked) -> Iterator[Record]:
    """The records of everything that was found."""
    days = asked.days
    for each in found:
        value = each.value
        match value:
            case models.Realtime():
                yield from records.realtime(value, asked.now)
            case models.ActiveSessions():
                yield from records.active_sessions(value, asked.now)
            case models.Dashboard():
                yield from records.dashboard(value, asked.now)
            case models.AttendantStats():
                yield from records.attendant_stats(value, asked.now)
            case models.DailyUsage():
                yield from records.daily_usage(value, days[0][0], days[-1][1])
            case _:
                yield from _of_a_day(each, asked)


def _of_a_day(found: Found, asked: Asked) -> Iterator[Record]:
    start = datetime.fromisoformat(found.about).replace(tzinfo=asked.start.tzinfo)
    end = start + timedelta(days=1)
    if isinstance(found.value, models.Usage):
        yield from records.usage(found.value, start, end)
    else:
        yield from records.open_answer(found.kind, cast("models.OpenAnswer", found.value), start, end)
