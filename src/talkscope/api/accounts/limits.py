"""What a key has used: so many calls in any minute, so many a day and a month; exact, however many ask at once."""

from __future__ import annotations

import math
import sqlite3
from collections.abc import Callable
from datetime import datetime, timedelta

from talkscope.api.accounts.book import Book
from talkscope.api.accounts.keys import Key
from talkscope.errors import RateLimited

_MINUTE = 60.0


class Meter:
    """Counts calls in the book, so that a restart forgets none and several processes count together."""

    def __init__(self, book: Book, *, clock: Callable[[], datetime]) -> None:
        self._book = book
        self._clock = clock

    def count(self, key: Key) -> None:
        """Count one call, or refuse it uncounted. Raises RateLimited, whose `retry_after` is whole seconds."""
        with self._book.transaction() as book:
            # Inside, so that the times of calls come in order.
            now = self._clock()
            self._minute(book, key, now)
            day, month = now.strftime("%Y-%m-%d"), now.strftime("%Y-%m")
            book.execute("DELETE FROM quotas WHERE key = ? AND period NOT IN (?, ?)", (key.id, day, month))
            used = dict(book.execute("SELECT period, used FROM quotas WHERE key = ?", (key.id,)).fetchall())
            midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
            if key.limits.per_month is not None and used.get(month, 0) >= key.limits.per_month:
                next_month = (midnight.replace(day=1) + timedelta(days=32)).replace(day=1)
                raise _used_up("month", key.limits.per_month, (next_month - now).total_seconds())
            if key.limits.per_day is not None and used.get(day, 0) >= key.limits.per_day:
                raise _used_up("day", key.limits.per_day, (midnight + timedelta(days=1) - now).total_seconds())
            for period in (day, month):
                book.execute(
                    "INSERT INTO quotas VALUES (?, ?, 1) ON CONFLICT (key, period) DO UPDATE SET used = used + 1",
                    (key.id, period),
                )
            book.execute("UPDATE keys SET used = ? WHERE id = ?", (now.timestamp(), key.id))

    def _minute(self, book: sqlite3.Connection, key: Key, now: datetime) -> None:
        limit, at = key.limits.per_minute, now.timestamp()
        if limit is None:
            return
        # Calls of the future are there when a clock was set back: they must not block a key until then.
        book.execute("DELETE FROM calls WHERE key = ? AND (at <= ? OR at > ?)", (key.id, at - _MINUTE, at + _MINUTE))
        (made,) = book.execute("SELECT count(*) FROM calls WHERE key = ?", (key.id,)).fetchone()
        if made >= limit:
            # The call that has to be a minute old before there is room.
            (blocking,) = book.execute(
                "SELECT at FROM calls WHERE key = ? ORDER BY at LIMIT 1 OFFSET ?", (key.id, made - limit)
            ).fetchone()
            wait = _seconds(blocking + _MINUTE - at)
            raise RateLimited(
                f"The key may ask {limit:,} times a minute.",
                hint=f"Ask again in {wait} s.",
                details={"limit": limit, "window": "minute", "retry_after": wait},
            )
        book.execute("INSERT INTO calls VALUES (?, ?)", (key.id, at))


def _used_up(window: str, limit: int, wait: float) -> RateLimited:
    seconds = _seconds(wait)
    return RateLimited(
        f"The key's quota of {limit:,} calls a {window} is used up.",
        hint=f"It renews with the next {window} (UTC).",
        code="quota_exceeded",
        details={"limit": limit, "window": window, "quota": True, "retry_after": seconds},
    )


def _seconds(wait: float) -> int:
    return max(1, math.ceil(wait))
