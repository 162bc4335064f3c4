"""Sessions active at once, from the service's whole list of sessions; a lower bound where the budget ends it."""

from __future__ import annotations

from collections.abc import Mapping

from talkscope.hosted.account import Account
from talkscope.hosted.listing import FILTERS, INSTEAD, MOST, Listed, every, identity, instant, lasted, page
from talkscope.hosted.reading import covered, shown
from talkscope.hosted.words import filters_of, only_ids, range_of
from talkscope.insights.concurrency import concurrency, folded, notes, rows, sweep, width_notes
from talkscope.models.answers import ConcurrencyAnswer
from talkscope.models.buckets import choose, coarsen, edges
from talkscope.models.questions import ConcurrencyAsked
from talkscope.models.v1 import SessionSummary
from talkscope.models.window import SECOND, Window, iso

_MOST_ROWS = 60
_LONGEST = "last_30d"
_BASIS = (
    "sessions from start to end, or for the duration that the service gives (to the millisecond) where it gives no"
    " end, clipped to the window; of sessions with a fact in the last 30 days"
)


async def answer(asked: ConcurrencyAsked, account: Account) -> ConcurrencyAnswer:
    """A row for each bucket; at one instant ends come before starts. Raises NotSupported for other filters and windows.

    Where the budget ends before the list, every level is a lower bound, and the answer says so.
    """
    words = {"range": range_of(asked), **filters_of(asked.filters, FILTERS, INSTEAD)}
    listed = await every(account, words)
    window = covered(listed.told, words["range"], account.now, asked.timezone)
    earlier, unseen = await _earlier(account, words, listed, window)
    grain = coarsen(window, asked.granularity or choose(window, _MOST_ROWS), asked.max_rows)
    sessions = [*listed.sessions, *earlier]
    intervals = [each for each in map(_interval, sessions) if each is not None]
    active = [each for each in intervals if max(each[0], window.start) < min(each[1], window.end)]
    found = concurrency(sweep(active, window.start, window.end, edges(window, grain)))
    spent, width = folded(found.at_level)
    told = notes(window, grain, asked.granularity, asked.max_rows, sum(_lengthless(each, window) for each in intervals))
    timeless = len(sessions) - len(intervals)
    if timeless:
        told.append(f"{timeless:,} sessions have no start that the service gives: they are not counted.")
    return ConcurrencyAnswer(
        columns=["bucket", "peak", "mean"],
        rows=rows(found, grain, window.zone),
        meta=account.meta(
            listed.told,
            n=len(active),
            window=shown(window),
            zone=asked.timezone,
            basis=_BASIS,
            units={"peak": "sessions", "mean": "sessions", "time_at_level": "seconds"},
            granularity=grain,
            covers=_covers(listed, account, found.peak, len(earlier)),
            notes=[
                *told,
                *width_notes(found.at_level, width),
                *listed.notes(),
                *unseen,
                *only_ids(words, empty=not sessions),
            ],
        ),
        peak=found.peak,
        peak_at=None if found.peak_at is None else iso(found.peak_at, window.zone),
        mean=None if found.mean is None else round(found.mean, 6),
        time_at_level={level: length / SECOND for level, length in spent.items()},
    )


def _interval(session: SessionSummary) -> tuple[int, int] | None:
    """From when to when it lasted, in microseconds; None for one at no time."""
    if session.start_time is None:
        return None
    start = instant(session.start_time)
    return start, instant(session.end_time) if session.end_time else start + round(lasted(session) * SECOND)


def _lengthless(interval: tuple[int, int], window: Window) -> bool:
    start, end = interval
    return end <= start and window.start <= start < window.end


async def _earlier(
    account: Account, words: Mapping[str, str], listed: Listed, window: Window
) -> tuple[list[SessionSummary], list[str]]:
    """Sessions that began before the window, reach into it and have no fact in it; and which of them are not seen.

    The service lists a session where it has a fact. Those of the longest range, longest first, hold all that could
    matter but the short ones, which can only reach a little way into the window.
    """
    if not listed.complete:
        return [], []
    said = "Sessions that began before the window, reach into it and have no fact in it are not listed by the service"
    if words["range"] == _LONGEST:
        return [], [f"{said}: any such would add to the levels."]
    if account.left < 1:
        return [], [f"{said}, and no request was left to look for them: any such would add to the levels."]
    told = await page(account, {**words, "range": _LONGEST, "sort": "longest"}, limit=MOST, cursor=None)
    known = set(map(identity, listed.sessions))
    found = [each for each in told.sessions if identity(each) not in known and _reaches(_interval(each), window)]
    if not told.next_cursor:
        return found, []
    least = min(map(lasted, told.sessions), default=0.0)
    bound = (
        f"{said}; the {MOST} longest sessions of {_LONGEST} were looked through for them. Others lasted {least:g} s at"
        " most: levels later than that after the window's start are exact, earlier ones at least what is shown."
    )
    return found, [bound]


def _reaches(interval: tuple[int, int] | None, window: Window) -> bool:
    return interval is not None and interval[0] < window.start < interval[1]


def _covers(listed: Listed, account: Account, peak: int, earlier: int) -> str:
    covers = listed.covers(account, "most recent")
    if not listed.complete:
        return f"{covers}: the peak is at least {peak}, and so is every level"
    return covers + (f", and {earlier:,} that began before it" if earlier else "")
