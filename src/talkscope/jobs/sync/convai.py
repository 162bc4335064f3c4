"""Convai: sessions of a range, their timelines, and the traces of their interactions."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import timedelta
from typing import cast

from talkscope.jobs.sync.asked import Asked
from talkscope.jobs.sync.gathered import Ask, Found, Gathered, Gathering
from talkscope.models import v1
from talkscope.platforms import convai as api
from talkscope.platforms.convai import records
from talkscope.platforms.recording import Record

GAPS, LATENCY_BASIS = records.GAPS, records.LATENCY_BASIS
REACH: timedelta | None = timedelta(days=30)
USUAL = timedelta(days=30)
# A session goes on after it began, which is what ranges go by.
OVERLAP = timedelta(hours=6)
# One without an end may be going on; after so long, nobody has told its end.
_LONGEST = timedelta(days=1)
_RANGES = {
    "last_15m": timedelta(minutes=15),
    "last_1h": timedelta(hours=1),
    "last_6h": timedelta(hours=6),
    "last_24h": timedelta(days=1),
    "last_7d": timedelta(days=7),
    "last_30d": timedelta(days=30),
}


def plan(asked: Asked) -> Gathering:
    """Sessions, newest first, in the shortest range that reaches back far enough."""
    range_ = next((name for name, length in _RANGES.items() if length >= asked.back), "last_30d")
    listed = api.list_sessions(range=range_, limit=100)
    return Gathered([Ask("sessions", listed, follow=_Sessions(asked), refusable=False)])


class _Sessions:
    """The sessions of a page that may have changed since the window began, each once."""

    def __init__(self, asked: Asked) -> None:
        self._asked = asked
        self._known: set[str] = set()

    def __call__(self, found: object) -> Sequence[Ask]:
        page = cast("v1.SessionListResponse", found)
        wanted = [each.session_id for each in page.sessions if self._reaches(each)]
        new = [each for each in dict.fromkeys(wanted) if each not in self._known]
        self._known.update(new)
        follow = _traces if self._asked.traces else _no_traces
        return [Ask("session", api.get_session(each), each, follow=follow) for each in new]

    def _reaches(self, session: v1.SessionSummary) -> bool:
        last = session.end_time or (session.start_time and session.start_time + _LONGEST)
        return last is None or last >= self._asked.start


def _traces(found: object) -> Sequence[Ask]:
    detail = cast("v1.SessionDetail", found)
    ids = dict.fromkeys(event.interaction_id for event in detail.events if event.interaction_id)
    return [Ask("trace", api.get_interaction(each), detail.session_id) for each in ids]


def _no_traces(_: object) -> Sequence[Ask]:
    return ()


def recorded(found: Iterable[Found], asked: Asked) -> Iterator[Record]:
    """The records of everything that was found: a session's timeline together with the traces that follow it."""
    del asked
    detail: v1.SessionDetail | None = None
    traces: list[v1.InteractionTrace] = []
    for each in found:
        if isinstance(each.value, v1.InteractionTrace):
            traces.append(each.value)
        elif isinstance(each.value, v1.SessionDetail):
            if detail is not None:
                yield from records.session(detail, traces)
            detail, traces = each.value, []
    if detail is not None:
        yield from records.session(detail, traces)
