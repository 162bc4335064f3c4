"""Figures of groups: put together rightly, and looked at for what they cannot be."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta

from talkscope.errors import InvalidArgument
from talkscope.platforms.mavenoid.calls import CALENDAR
from talkscope.platforms.mavenoid.models import LiveSupportSession, SessionGroup

DURATIONS = ("queue_duration_ms", "first_response_ms", "chat_duration_ms")
_NOT_TAKEN = ("WAITING_FOR_AGENT", "AGENT_TIMEOUT", "CUSTOMER_SKIPPED", "DECLINED_BY_AGENT", "NO_AGENT_CAPACITY")


def lasted(session: LiveSupportSession, name: str) -> float | None:
    """One of the session's `DURATIONS`: none of a session that nobody took, and no chat's that no agent has ended.

    The vendor declares them never to be null, so that they may be 0 where the thing did not happen.
    """
    told: float | None = getattr(session, name)
    status = session.status.strip().upper()
    missing = status in _NOT_TAKEN or (status == "ACTIVE" and name == "chat_duration_ms")
    return None if missing and not told else told


def merged(groups: Sequence[SessionGroup]) -> SessionGroup:
    """The groups as one: counts and sums added, the longest of the longest, means weighted by their sessions.

    Those are all of a group, unless its sum and mean tell how many. A row without a figure has no part in it. What the
    groups were grouped by is left out.
    """
    figures: dict[str, float | int | None] = {"count": sum(group.count for group in groups)}
    for name in DURATIONS:
        longest = [told for group in groups if (told := _told(group, name, "max")) is not None]
        sums = [told for group in groups if (told := _told(group, name, "sum")) is not None]
        means = [
            (told, _having(group, name) or group.count)
            for group in groups
            if (told := _told(group, name, "mean")) is not None
        ]
        weight = sum(count for _, count in means)
        figures[f"{name}_max"] = max(longest, default=None)
        figures[f"{name}_sum"] = sum(sums) if sums else None
        figures[f"{name}_mean"] = sum(mean * count for mean, count in means) / weight if weight else None
    return SessionGroup.model_validate(figures)


def disagreements(group: SessionGroup) -> tuple[str, ...]:
    """The durations whose sum is not the mean of any number of the group's sessions: the vendor's figures are off."""
    return tuple(
        name
        for name in DURATIONS
        if None not in (_told(group, name, "mean"), _told(group, name, "sum")) and _having(group, name) is None
    )


def partial(unit: str, days: int, now: datetime) -> frozenset[date]:
    """The dates of the groups that a window of `days` ending now cuts short: its first and its last.

    The vendor does not say in which zone its dates are; UTC is taken.
    """
    if unit not in CALENDAR:
        raise InvalidArgument("Only date, week and month are cut short.", hint="Give one of them.")
    end = now.astimezone(UTC)
    edges = (end - timedelta(days=days), end)
    return frozenset(start.date() for edge in edges if (start := _begun(unit, edge)) != edge)


def _begun(unit: str, at: datetime) -> datetime:
    """When the day, week or month of this moment began."""
    midnight = at.replace(hour=0, minute=0, second=0, microsecond=0)
    back = {"date": 0, "week": midnight.weekday(), "month": midnight.day - 1}[unit]
    return midnight - timedelta(days=back)


def _told(group: SessionGroup, name: str, statistic: str) -> float | None:
    figure: float | None = getattr(group, f"{name}_{statistic}")
    return figure


def _having(group: SessionGroup, name: str) -> int | None:
    """How many sessions of the group have the duration: all, or as many as its sum holds its mean; None if neither."""
    mean, total = _told(group, name, "mean"), _told(group, name, "sum")
    if mean is None or total is None:
        return None
    fewer = round(total / mean) if mean > 0 and total / mean < group.count else 0
    for number in (group.count, fewer):
        # A mean that was rounded to whole milliseconds is off by half of one at most.
        if abs(total - mean * number) <= 0.5 * number + 1e-6:
            return number
    return None
