"""The slowest turn of a session, or of the slowest session of a window, and what made it slow."""

from __future__ import annotations

from talkscope.insights import slowness, traces
from talkscope.models.answers import ExplainAnswer
from talkscope.models.questions import ExplainAsked
from talkscope.models.text import clean
from talkscope.models.window import Window, zone_of
from talkscope.warehouse.ask import Ask
from talkscope.warehouse.slowest import Slowest, slowest_in_window, slowest_of_session
from talkscope.warehouse.traces import SessionRow, find_session, session_at, session_facts, trace_of
from talkscope.warehouse.turns import turn_filters
from talkscope.warehouse.usual import usual

_WEEK = 7 * 86_400 * 1_000_000
_NAMED = 20


def answer(asked: ExplainAsked, ask: Ask) -> ExplainAnswer:
    """The components of the slowest turn that has spans, largest share first, what no span covers last.

    Raises NotFound or AmbiguousName for a session_id. Without such a turn the interaction is None; the verdict says so.
    """
    zone_of(asked.timezone)
    filters = turn_filters(ask, asked.filters)
    worded = any(word is not None for word in (asked.range, asked.start_time, asked.end_time))
    if asked.session_id is None:
        window = ask.window(asked)
        found = slowest_in_window(ask, window, filters)
        session = None if found.turn is None else session_at(ask, found.turn.platform, found.turn.session_id)
    else:
        session = find_session(ask, asked.session_id)
        window = ask.window(asked) if worded else Window(session.first_fact, session.last_fact + 1, asked.timezone)
        found = slowest_of_session(ask, session, window, filters)
    asked_window = window if worded or asked.session_id is None else None
    if found.turn is None:
        return _nothing(asked, ask, session, asked_window, found)
    trace = trace_of(ask, found.turn)
    known = asked_window or Window(found.turn.start - _WEEK, found.turn.start, asked.timezone)
    parts = slowness.parts(trace, usual(ask, known, [span.processor for span in trace.spans]))
    return ExplainAnswer(
        columns=list(slowness.COLUMNS),
        rows=slowness.rows(trace, parts),
        meta=ask.meta(
            n=found.n,
            window=asked_window,
            basis=f"n is the timed turns it is the slowest of; self_ms is time on the turn's critical path; typical_ms"
            f" is the median duration of leaf spans of the same component from {known}",
            units=slowness.UNITS,
            notes=_notes(found),
        ),
        session=None if session is None else session_facts(ask, session, asked.timezone),
        interaction=traces.turn_facts(trace, asked.timezone),
        verdict=slowness.verdict(trace, parts),
        slower_without_spans=list(found.untraced[:_NAMED]),
    )


def _notes(found: Slowest) -> list[str]:
    if len(found.untraced) > _NAMED:
        return [f"{len(found.untraced):,} slower turns have no spans; the slowest {_NAMED} are named."]
    return []


def _nothing(
    asked: ExplainAsked, ask: Ask, session: SessionRow | None, window: Window | None, found: Slowest
) -> ExplainAnswer:
    """The answer when no timed turn has spans: it says whether there are timed turns at all."""
    where = " " if session is None else f" of session {clean(session.session_id, 80)} "
    where += "at all" if window is None else f"from {window}"
    if found.n:
        verdict = f"None of the {found.n:,} timed turns{where.removesuffix(' at all')} has spans that could explain it."
    else:
        verdict = f"There is no turn with a known latency{where}, so there is nothing to explain."
    return ExplainAnswer(
        columns=list(slowness.COLUMNS),
        rows=[],
        meta=ask.meta(n=found.n, window=window, units=slowness.UNITS, notes=_notes(found)),
        session=None if session is None else session_facts(ask, session, asked.timezone),
        verdict=verdict,
        slower_without_spans=list(found.untraced[:_NAMED]),
    )
