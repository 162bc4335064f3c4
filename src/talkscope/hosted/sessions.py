"""Which sessions? A page of the service's list; by errors, which it does not sort by, all pages sorted here."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Mapping, Sequence
from typing import TypeAlias

import orjson

from talkscope.errors import InvalidArgument, NotSupported
from talkscope.hosted.account import Account
from talkscope.hosted.listing import FILTERS, INSTEAD, PLATFORM, every, identity, instant, lasted, page
from talkscope.hosted.reading import counted, covered, measured, sampled, shown
from talkscope.hosted.words import filters_of, only_ids, range_of
from talkscope.models.answers import NEXT_PAGE, Answer, Cell
from talkscope.models.questions import SessionsAsked
from talkscope.models.v1 import ResponseMeta, SessionSummary
from talkscope.models.window import iso

COLUMNS = (
    "session_id platform start_time end_time duration_sec interactions errors p95_ms character_id character_name"
    " app_key experience_id channel end_user_id"
).split()
_BASIS = "interactions, errors and p95_ms (user-to-bot latency) are the service's own figures of the window"
_UNSAID = "platform is the service's; character_name, channel and end_user_id are null: the hosted API does not say."

Place: TypeAlias = "tuple[int, str, int, str]"
"""Where a session stands in the list by errors."""


async def answer(asked: SessionsAsked, account: Account) -> Answer:
    """One row a session; figures count the window's facts, start, end and duration are the whole session's.

    Raises NotSupported for other filters and windows, and when sort=errors takes more requests than the budget.
    """
    words = {"range": range_of(asked), **filters_of(asked.filters, FILTERS, INSTEAD)}
    if asked.sort == "errors":
        return await _by_errors(asked, words, account)
    told = await page(account, {**words, "sort": asked.sort}, limit=asked.limit, cursor=asked.cursor)
    sessions = sorted(told.sessions, key=_ORDER[asked.sort])
    whole = not (asked.cursor or told.next_cursor)
    n = len(sessions) if whole else max(len(sessions), sampled([told.meta], len(sessions)))
    covers = f"all {n:,} sessions of the window" if whole else f"a page of {len(sessions)} sessions, {asked.sort} first"
    return _answer(asked, words, account, told.meta, sessions, n=n, covers=covers, cursor=told.next_cursor or None)


def _latest_first(session: SessionSummary) -> tuple[bool, int]:
    at = session.start_time
    return at is None, -instant(at) if at else 0


_ORDER: Mapping[str, Callable[[SessionSummary], tuple[bool, float]]] = {
    "recent": _latest_first,
    "longest": lambda session: (False, -lasted(session)),
    "slowest": lambda session: (False, -session.p95_end_to_end_ms),
}


async def _by_errors(asked: SessionsAsked, words: Mapping[str, str], account: Account) -> Answer:
    after = None if asked.cursor is None else _position(asked.cursor)
    listed = await every(account, words)
    if not listed.complete:
        raise NotSupported(
            f"The hosted API does not sort by errors, and the window has more sessions than {account.budget} requests"
            " list.",
            hint="Ask for a shorter range, filter by character_id or app_key, sort by recent, longest or slowest, raise"
            " TALKSCOPE_REQUEST_BUDGET, or load the telemetry into a warehouse.",
            code="request_budget",
            details={"budget": account.budget},
        )
    every_one = sorted(listed.sessions, key=_place)
    rest = [each for each in every_one if after is None or _place(each) > after]
    sessions = rest[: asked.limit]
    return _answer(
        asked,
        words,
        account,
        listed.told,
        sessions,
        n=len(every_one),
        covers=listed.covers(account, "most recent"),
        cursor=_cursor(sessions[-1]) if len(rest) > len(sessions) else None,
        notes=["The service does not sort by errors: its whole list was sorted here.", *listed.notes()],
    )


def _place(session: SessionSummary) -> Place:
    session_id, at, *rest = identity(session)
    return -counted(session.error_count), session_id, instant(at) if at else 0, orjson.dumps(rest).decode()


def _cursor(session: SessionSummary) -> str:
    return base64.urlsafe_b64encode(orjson.dumps(["errors", *_place(session)])).decode().rstrip("=")


def _position(cursor: str) -> Place:
    try:
        said = orjson.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except (binascii.Error, ValueError):
        said = None
    match said:
        case ["errors", int(errors), str(session_id), int(start), str(rest)]:
            return errors, session_id, start, rest
    raise InvalidArgument("cursor is not one of ours.", hint="Give next_cursor of the page before.")


def _answer(
    asked: SessionsAsked,
    words: Mapping[str, str],
    account: Account,
    told: ResponseMeta,
    sessions: Sequence[SessionSummary],
    *,
    n: int,
    covers: str,
    cursor: str | None,
    notes: Sequence[str] = (),
) -> Answer:
    window = covered(told, words["range"], account.now, asked.timezone)
    listed = f"{len(sessions)} of {n} sessions, {asked.sort} first"
    return Answer(
        columns=list(COLUMNS),
        rows=[_row(each, asked.timezone, words.get("end_user_id")) for each in sessions],
        meta=account.meta(
            told,
            n=n,
            window=shown(window),
            zone=asked.timezone,
            basis=_BASIS,
            units={"duration_sec": "s", "p95_ms": "ms"},
            covers=covers,
            next_cursor=cursor,
            notes=[
                listed + (f": {NEXT_PAGE}." if cursor else "."),
                *([_UNSAID] if sessions else []),
                *notes,
                *only_ids(words, empty=not n),
            ],
        ),
    )


def _row(session: SessionSummary, zone: str, end_user: str | None) -> list[Cell]:
    start, end = session.start_time, session.end_time
    p95 = measured(session.p95_end_to_end_ms)
    return [
        session.session_id,
        PLATFORM,
        iso(instant(start), zone) if start else None,
        iso(instant(end), zone) if end else None,
        round(lasted(session), 3),
        counted(session.interaction_count),
        counted(session.error_count),
        # A percentile of nothing is 0.0 on the wire.
        round(p95, 3) if p95 else None,
        session.character_id,
        None,
        session.app_key,
        session.experience_id,
        None,
        end_user,
    ]
