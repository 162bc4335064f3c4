"""The routes of the roadmap page, worked out from the records.

What the page leaves open is settled here so: dates win over `days`, `days` over `period`; a date without a time counts
as its whole day; days are UTC's and weeks begin on Monday; without a selector everything counts, by a session's start.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, timedelta
from statistics import fmean

from tests.vendors.engine import Asked, Json, Refused
from tests.vendors.general_bots.world import Session, World

_ENDLESS = datetime.max.replace(tzinfo=UTC)
_EARLIEST = datetime.min.replace(tzinfo=UTC)


def usage(world: World, asked: Asked) -> Json:
    found = chosen(world, asked)
    return {
        "total_conversations": len(found),
        "active_users": len({session.user_id for session in found}),
        "total_messages": sum(len(session.messages) for session in found),
        **_groups(found, asked),
    }


def daily_usage(world: World, asked: Asked) -> Json:
    """A row for every day that was asked for, or that lies between the first conversation and the last."""
    counts = Counter(session.start.date() for session in chosen(world, asked))
    start, end = window(world, asked)
    first = start.date() if start > _EARLIEST else min(counts, default=world.now.date())
    last = (end - timedelta(microseconds=1)).date() if end < _ENDLESS else max(counts, default=world.now.date())
    first, last = max(first, world.now.date() - timedelta(days=800)), min(last, world.now.date())
    days = [first + timedelta(days=number) for number in range((last - first).days + 1)]
    return {"data": [{"date": day.isoformat(), "conversations": counts[day]} for day in days]}


def monthly_usage(world: World, asked: Asked) -> Json:
    return {"data": _counted(chosen(world, asked), "month")}


def conversations(world: World, asked: Asked) -> Json:
    found = chosen(world, asked)
    messages = sum(len(session.messages) for session in found)
    return {
        "total_conversations": len(found),
        "total_messages": messages,
        "average_messages": round(messages / len(found), 4) if found else None,
        **_groups(found, asked),
    }


def volume(world: World, asked: Asked) -> Json:
    return {"data": _counted(chosen(world, asked), asked.get("group_by") or "day")}


def duration(world: World, asked: Asked) -> Json:
    """The mean length of the sessions that are over."""
    lengths = [(one.end - one.start).total_seconds() for one in chosen(world, asked) if one.end]
    return {"average_duration_seconds": round(fmean(lengths), 3) if lengths else None, "conversations": len(lengths)}


def resolution(world: World, asked: Asked) -> Json:
    """The share of solved sessions among those that are over, from 0 to 1."""
    known = [session.resolved for session in chosen(world, asked) if session.resolved is not None]
    rate = round(sum(known) / len(known), 4) if known else None
    return {"resolution_rate": rate, "resolved": sum(known), "conversations": len(known)}


def engagement(world: World, asked: Asked) -> Json:
    found = chosen(world, asked)
    users = len({session.user_id for session in found})
    per_user = round(len(found) / users, 4) if users else None
    return {"active_users": users, "sessions_per_user": per_user, **_groups(found, asked)}


def retention(world: World, asked: Asked) -> Json:
    """Of the users of each week, how many came in the week after it."""
    weeks: dict[date, set[str]] = {}
    for session in chosen(world, asked):
        weeks.setdefault(_bucket(session.start, "week").date(), set()).add(session.user_id)
    after = timedelta(days=7)
    return [
        {"week": week.isoformat(), "users": len(users), "returned": len(users & weeks.get(week + after, set()))}
        for week, users in sorted(weeks.items())
    ]


def satisfaction(world: World, asked: Asked) -> Json:
    stars = Counter(session.stars for session in chosen(world, asked) if session.stars is not None)
    total = stars.total()
    mean = round(sum(star * count for star, count in stars.items()) / total, 4) if total else None
    return {"average": mean, "ratings": total, "distribution": {str(star): stars[star] for star in range(1, 6)}}


def realtime(world: World, asked: Asked) -> Json:
    """Messages of the last five minutes, over five."""
    since = world.now - timedelta(minutes=5)
    recent = [at for session in _filtered(world.sessions, asked) for at in session.messages if at >= since]
    return {"active_sessions": len(_filtered(world.active, asked)), "messages_per_minute": len(recent) / 5}


def active(world: World, asked: Asked) -> Json:
    return {"active_sessions": len(_filtered(world.active, asked))}


def chosen(world: World, asked: Asked) -> list[Session]:
    """The sessions that a request means."""
    start, end = window(world, asked)
    return [session for session in _filtered(world.sessions, asked) if start <= session.start < end]


def _filtered(sessions: Iterable[Session], asked: Asked) -> list[Session]:
    """Those of a bot and of a user, if the request names them; UUIDs are the same in both cases of letters."""
    bot, user = ((asked.get(name) or "").lower() for name in ("bot_id", "user_id"))
    return [one for one in sessions if bot in {"", one.bot_id} and user in {"", one.user_id}]


def window(world: World, asked: Asked) -> tuple[datetime, datetime]:
    """Start and end of what is asked for; the wrong order is refused."""
    today = world.now.replace(hour=0, minute=0, second=0, microsecond=0)
    given = {name: asked.get(name) for name in ("start_date", "end_date")}
    if any(given.values()):
        start = _EARLIEST if given["start_date"] is None else _instant(given["start_date"], last=False)
        end = _ENDLESS if given["end_date"] is None else _instant(given["end_date"], last=True)
        if end < start:
            raise Refused(400)
        return start, end
    if (days := asked.get("days")) is not None:
        back = min(days - 1, (today - _EARLIEST).days)
        return today - timedelta(days=back), today + timedelta(days=1)
    match asked.get("period"):
        case "today":
            return today, today + timedelta(days=1)
        case "week":
            return today - timedelta(days=today.weekday()), today + timedelta(days=1)
        case "month":
            return today.replace(day=1), today + timedelta(days=1)
        case "year":
            return today.replace(month=1, day=1), today + timedelta(days=1)
    return _EARLIEST, _ENDLESS


def _instant(text: str, *, last: bool) -> datetime:
    try:
        found = datetime.fromisoformat(text)
        found = (found if found.tzinfo else found.replace(tzinfo=UTC)).astimezone(UTC)
        return found + timedelta(days=1) if last and len(text) == 10 else found
    except (ValueError, OverflowError):
        raise Refused(400) from None


def _groups(found: Sequence[Session], asked: Asked) -> dict[str, Json]:
    return {"data": _counted(found, asked.query["group_by"])} if asked.get("group_by") else {}


def _counted(found: Iterable[Session], size: str) -> list[Json]:
    counts = Counter(_bucket(session.start, size) for session in found)
    return [{"date": _named(at, size), "conversations": counts[at]} for at in sorted(counts)]


def _bucket(at: datetime, size: str) -> datetime:
    hour = at.replace(minute=0, second=0, microsecond=0)
    day = hour.replace(hour=0)
    week = day - timedelta(days=day.weekday())
    return {"hour": hour, "day": day, "week": week, "month": day.replace(day=1)}[size]


def _named(at: datetime, size: str) -> str:
    return {"hour": f"{at:%Y-%m-%dT%H:00:00Z}", "month": f"{at:%Y-%m}"}.get(size, at.date().isoformat())
