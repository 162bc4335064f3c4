"""Sessions as the service lists them, read with suspicion: one page, or page after page within the budget."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias

from talkscope.errors import BadAnswer
from talkscope.hosted.account import Account
from talkscope.hosted.reading import measured
from talkscope.models.records import micros
from talkscope.models.v1 import ResponseMeta, SessionListResponse, SessionSummary
from talkscope.models.window import SECOND
from talkscope.platforms import convai

PLATFORM = "convai"
"""Where the records of a hosted account come from."""
MOST = 100
"""Sessions that one page holds at most."""
FILTERS = ("character_id", "app_key", "experience_id", "end_user_id")
INSTEAD = "The hosted API lists sessions by character_id, app_key, experience_id or end_user_id; a warehouse by more."
_MOST_CURSOR = 4_096
_TWO_DAYS = 2 * 86_400 * SECOND
# Any zone can write what lies between these: the calendar's own ends overflow in some.
_EARLIEST, _LATEST = -62_135_596_800 * SECOND + _TWO_DAYS, 253_402_300_800 * SECOND - _TWO_DAYS


Identity: TypeAlias = "tuple[str, datetime | None, str | None, str | None, str | None]"


@dataclass(frozen=True, slots=True)
class Listed:
    """Sessions of a window, each once; whether they are all; how many came twice; the first page's meta."""

    sessions: list[SessionSummary]
    complete: bool
    repeated: int
    told: ResponseMeta

    def covers(self, account: Account, which: str) -> str:
        """What of the window they are; `which` says how the service sorted them."""
        if self.complete:
            return f"all {len(self.sessions):,} sessions of the window"
        return (
            f"the {len(self.sessions):,} {which} of the window's sessions: the request budget of {account.budget}"
            " was reached"
        )

    def notes(self) -> list[str]:
        """What to know of how they were listed."""
        if not self.repeated:
            return []
        return [f"{self.repeated:,} sessions came on two pages, because the list changed meanwhile; each counts once."]


async def page(account: Account, words: Mapping[str, str], *, limit: int, cursor: str | None) -> SessionListResponse:
    """One page of sessions, each once. Raises BadAnswer for a page that leads to itself or holds too much."""
    told = await account.send(convai.list_sessions(**words, limit=limit, cursor=cursor))
    if len(told.sessions) > limit:
        raise BadAnswer(f"The service gave {len(told.sessions):,} sessions where at most {limit} were asked for.")
    after = told.next_cursor
    if after and (after == cursor or len(after) > _MOST_CURSOR):
        raise BadAnswer("The service gave a page cursor that leads nowhere.")
    once: dict[Identity, SessionSummary] = {}
    for each in told.sessions:
        once.setdefault(identity(each), each)
    return told.model_copy(update={"sessions": list(once.values())})


async def every(account: Account, words: Mapping[str, str], *, keep: int = 0) -> Listed:
    """The window's sessions, the most recent first, until there are no more or only `keep` requests are left.

    Raises BadAnswer when the service leads back to a page that was read before.
    """
    found: dict[Identity, SessionSummary] = {}
    first: ResponseMeta | None = None
    cursors: set[str] = set()
    rows = 0
    cursor: str | None = None
    while True:
        told = await page(account, {**words, "sort": "recent"}, limit=MOST, cursor=cursor)
        first = first or told.meta
        rows += len(told.sessions)
        for each in told.sessions:
            found.setdefault(identity(each), each)
        cursor = told.next_cursor
        if not cursor or account.left <= keep:
            return Listed(list(found.values()), not cursor, rows - len(found), first)
        if cursor in cursors:
            raise BadAnswer("The service gave the same page cursor twice.")
        cursors.add(cursor)


def identity(session: SessionSummary) -> Identity:
    """What tells sessions apart: the service of several platforms may have one id twice."""
    return session.session_id, session.start_time, session.character_id, session.app_key, session.experience_id


def instant(at: datetime) -> int:
    """The time in microseconds. Raises BadAnswer for one at the ends of the calendar."""
    us = micros(at)
    if not _EARLIEST <= us <= _LATEST:
        raise BadAnswer("The service gave a time that cannot be.")
    return us


def lasted(session: SessionSummary) -> float:
    """How many seconds it lasted: as the service says, else from its start to its end."""
    said = measured(session.duration_sec)
    if said or session.start_time is None or session.end_time is None:
        return said or 0.0
    return max(0, micros(session.end_time) - micros(session.start_time)) / SECOND
