"""General Bots' answers as records of the warehouse: it tells aggregates only, so each figure is a `snapshot`.

| Answer | Snapshots |
|---|---|
| usage, conversations, engagement and below | every number, by the path to it; texts beside it are dimensions |
| rows with a date | the same, over the hour, day, week or month that the row is about |
| realtime, live support | every figure, at the moment of the answer |
| the dashboard | its eight figures; active users over seven days, the rest at the moment of the answer |
| a metric | its value over the minutes asked for |

What is known to be wrong or unclear about a figure stands in its attribute `doubtful`: levels that the server adds up
each time it collects them, units and scales that are documented nowhere. The dashboard's charts are not taken, since
the server makes them up, and neither are its insights, which are mostly zeros that stand for nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from talkscope.errors import Json
from talkscope.platforms.general_bots.meaning import DURATION, RATE, SCALE, SUMMED, UNITS
from talkscope.platforms.general_bots.models import (
    ActiveSessions,
    AttendantStats,
    DailyUsage,
    Dashboard,
    Metric,
    OpenAnswer,
    Realtime,
    Usage,
)
from talkscope.platforms.recording import Figures, Record

PLATFORM = "general_bots"
LATENCY_BASIS = "none: General Bots tells no conversation by itself, so there are no turns and no latencies of them"
GAPS = (
    "General Bots tells aggregates only: there are no sessions, turns, errors or outcomes of it to ask about.",
    "Most of its answers are documented nowhere: their figures are kept by the names that the server gives them.",
    "Levels that the server adds up each time it collects them grow with time: they are marked as doubtful.",
    "The dashboard's charts, which the server makes up, and its insights, which are placeholders, are not kept.",
    "Rows about an hour, a day, a week or a month that the window cuts are left out until a sync has them whole.",
    "The zone of its dates is documented nowhere: UTC is taken.",
)

_DEEPEST = 20
_DOUBTFUL = {"satisfaction": SCALE, "conversation_resolution": RATE, "conversation_duration": DURATION}
_LEVELS = ("users.total", "users.active", "sessions.total", "storage.gb")
_BESIDE = ("data",)  # a word for rows, which says nothing about what they count
_DATES = ("date", "day", "hour", "week", "month", "timestamp")
_HOUR, _DAY, _WEEK = timedelta(hours=1), timedelta(days=1), timedelta(weeks=1)


@dataclass(frozen=True, slots=True)
class _Figure:
    """A number of an answer, or the place of one: the path to it, the texts beside it, and what time it is of."""

    path: str
    about: dict[str, str]
    window: tuple[datetime, datetime]
    value: float = 0.0


def usage(
    found: Usage, start: datetime, end: datetime, *, group_by: str | None = None, about: Mapping[str, str] | None = None
) -> Iterator[Record]:
    """Overall usage of the window; `about` are the filters it was asked with, such as bot_id."""
    yield from open_answer("usage", found.model_dump(mode="json"), start, end, group_by=group_by, about=about)


def daily_usage(
    found: DailyUsage, start: datetime, end: datetime, *, about: Mapping[str, str] | None = None
) -> Iterator[Record]:
    """Usage of each whole day of the window."""
    yield from open_answer("daily_usage", found.model_dump(mode="json"), start, end, group_by="day", about=about)


def open_answer(
    name: str,
    found: OpenAnswer,
    start: datetime,
    end: datetime,
    *,
    group_by: str | None = None,
    about: Mapping[str, str] | None = None,
) -> Iterator[Record]:
    """The figures of an answer whose shape is published nowhere.

    Args:
        name: The call's name, such as `conversation_volume`.
        found: The answer.
        start: Where the window that was asked for begins.
        end: Where it ends.
        group_by: The width of its rows as it was asked for: hour, day, week or month.
        about: The filters that it was asked with, such as bot_id.
    """
    doubtful = {"doubtful": _DOUBTFUL[name]} if name in _DOUBTFUL else None
    met: dict[str, int] = {}
    for figure in _walk(found, _Figure(name, dict(about or {}), (start, end)), group_by):
        if not (start <= figure.window[0] and figure.window[1] <= end):
            continue
        # Rows that nothing tells apart are told apart by their order.
        again = f"{figure.path}{figure.window}{sorted(figure.about.items())}"
        met[again] = met.get(again, 0) + 1
        where = figure.about | ({"row": str(met[again])} if met[again] > 1 else {})
        yield from Figures(PLATFORM, *figure.window).snapshot(figure.path, figure.value, None, where, doubtful)


def realtime(found: Realtime, at: datetime, *, about: Mapping[str, str] | None = None) -> Iterator[Record]:
    """Figures of the moment of the answer."""
    yield from open_answer("realtime", found.model_dump(mode="json"), at, at, about=about)


def active_sessions(found: ActiveSessions, at: datetime, *, about: Mapping[str, str] | None = None) -> Iterator[Record]:
    """How many sessions were active at the moment of the answer."""
    yield from open_answer("realtime", found.model_dump(mode="json"), at, at, about=about)


def dashboard(found: Dashboard, at: datetime) -> Iterator[Record]:
    """The dashboard's totals, which are doubtful, and its rates; not its charts."""
    now, summed, unclear = Figures(PLATFORM, at, at), {"doubtful": SUMMED}, {"doubtful": UNITS}
    totals = {
        "total_users": (found.total_users, "users"),
        "total_messages": (found.total_messages, "messages"),
        "total_sessions": (found.total_sessions, "sessions"),
        "storage_used_gb": (found.storage_used_gb, "GB"),
    }
    yield from now.snapshots("dashboard", totals, None, summed)
    week = Figures(PLATFORM, at - _WEEK, at)
    yield from week.snapshot("dashboard.active_users", found.active_users, "users", None, summed)
    yield from now.snapshot("dashboard.api_calls_per_minute", found.api_calls_per_minute, "calls per minute")
    rates = {"error_rate": (found.error_rate, None), "response_time_p95": (found.response_time_p95, None)}
    yield from now.snapshots("dashboard", rates, None, unclear)


def metric(
    found: Metric, at: datetime, *, window_minutes: int | None = None, aggregation: str | None = None
) -> Iterator[Record]:
    """One collected metric over the minutes before the answer; which minutes, where none were asked for, is unsaid."""
    how = aggregation or "sum"
    start = at - timedelta(minutes=window_minutes or 0)
    attributes = {
        "doubtful": SUMMED if how == "sum" and found.metric in _LEVELS else None,
        "window": None if window_minutes else "the server's own",
        "timestamp": found.timestamp,
    }
    figures = Figures(PLATFORM, start, at)
    yield from figures.snapshot(f"metric.{found.metric}", found.value, None, {"aggregation": how}, attributes)


def attendant_stats(found: AttendantStats, at: datetime) -> Iterator[Record]:
    """Live support of the day until the answer; averages of nothing are left out."""
    now = Figures(PLATFORM, at, at)
    figures: dict[str, tuple[object, str | None]] = {
        "active_sessions": (found.active_sessions, "sessions"),
        "waiting_sessions": (found.waiting_sessions, "sessions"),
        "agents_online": (found.agents_online, "agents"),
        "agents_on_break": (found.agents_on_break, "agents"),
    }
    today: dict[str, tuple[object, str | None]] = {
        "total_sessions_today": (found.total_sessions_today, "sessions"),
        "avg_wait_time_seconds": (found.avg_wait_time_seconds, "seconds"),
        "avg_handle_time_seconds": (found.avg_handle_time_seconds, "seconds"),
    }
    until = {"window": "the server's day until now"}
    yield from now.snapshots("attendant", figures)
    yield from now.snapshots("attendant", today, None, until)
    scored = until | {"doubtful": SCALE}
    yield from now.snapshot("attendant.satisfaction_avg", found.satisfaction_avg, None, None, scored)


def _walk(value: Json, at: _Figure, group_by: str | None, depth: int = 0) -> Iterator[_Figure]:
    """Every number in the answer, with the path to it and the texts beside it; a row's date is its stretch of time."""
    if isinstance(value, bool) or value is None or depth > _DEEPEST:
        return
    if isinstance(value, int | float):
        yield replace(at, value=value)
    elif isinstance(value, dict):
        texts = {name: each for name, each in value.items() if isinstance(each, str) and each and name not in _DATES}
        for name, each in value.items():
            below = at.path if name in _BESIDE else f"{at.path}.{name}"
            yield from _walk(each, replace(at, path=below, about=at.about | texts), group_by, depth + 1)
    elif isinstance(value, list):
        for each in value:
            row = _dated(at, each, group_by) if isinstance(each, dict) else at
            yield from _walk(each, row, group_by, depth + 1)


def _dated(at: _Figure, row: Mapping[str, Json], group_by: str | None) -> _Figure:
    """Where a row stands: over the time of its date, or with its date as a text where that cannot be read."""
    for name in _DATES:
        if isinstance(told := row.get(name), str):
            start, width = _moment(told), name if name in ("hour", "week", "month") else group_by or _width(told)
            try:
                return replace(at, window=(start, _after(start, width))) if start else _beside(at, name, told)
            except (OverflowError, ValueError):
                return _beside(at, name, told)
    return at


def _beside(at: _Figure, name: str, told: str) -> _Figure:
    return replace(at, about=at.about | {name: told})


def _moment(told: str) -> datetime | None:
    try:
        at = datetime.fromisoformat(f"{told}-01" if re.fullmatch(r"\d{4}-\d\d", told) else told)
    except ValueError:
        return None
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def _width(told: str) -> str:
    return {7: "month", 10: "day"}.get(len(told), "hour")


def _after(start: datetime, width: str) -> datetime:
    if width == "month":
        return start.replace(year=start.year + start.month // 12, month=start.month % 12 + 1)
    return start + {"hour": _HOUR, "week": _WEEK}.get(width, _DAY)
