"""The slowest turn of a session, or of the slowest session of a window, and what made it slow."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from talkscope.insights.attribution import shares
from talkscope.models.answers import Cell, ExplainAnswer
from talkscope.models.questions import ExplainAsked
from talkscope.models.text import clean
from talkscope.models.window import Window, zone_of
from talkscope.warehouse.ask import Ask, ms
from talkscope.warehouse.slowest import Slowest, slowest_in_window, slowest_of_session
from talkscope.warehouse.traces import (
    SessionRow,
    Span,
    Trace,
    find_session,
    session_at,
    session_facts,
    trace_of,
    turn_facts,
)
from talkscope.warehouse.turns import turn_filters
from talkscope.warehouse.usual import Usual, usual

COLUMNS = ("processor provider model self_ms share offset_ms duration_ms status typical_ms times_typical").split()
_UNITS = {"self_ms": "ms", "share": "fraction", "offset_ms": "ms", "duration_ms": "ms", "typical_ms": "ms"}
_WEEK = 7 * 86_400 * 1_000_000
_NAMED = 20


@dataclass(frozen=True, slots=True)
class _Part:
    """One span's share of the turn: microseconds of its own and what is usual for its like, in ms."""

    span: Span
    own: int
    usual: float | None

    @property
    def length_ms(self) -> float:
        """How long the span took."""
        return (self.span.end - self.span.start) / 1_000

    @property
    def times(self) -> float | None:
        """How many times its usual time it took."""
        return round(self.length_ms / self.usual, 2) if self.usual else None


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
    parts = _parts(trace, usual(ask, known, [span.processor for span in trace.spans]))
    return ExplainAnswer(
        columns=list(COLUMNS),
        rows=_rows(trace, parts),
        meta=ask.meta(
            n=found.n,
            window=asked_window,
            basis=f"n is the timed turns it is the slowest of; self_ms is time on the turn's critical path; typical_ms"
            f" is the median duration of leaf spans of the same component from {known}",
            units=_UNITS,
            notes=_notes(found),
        ),
        session=None if session is None else session_facts(ask, session, asked.timezone),
        interaction=turn_facts(trace, asked.timezone),
        verdict=_verdict(trace, parts),
        slower_without_spans=list(found.untraced[:_NAMED]),
    )


def _parts(trace: Trace, known: Usual) -> list[_Part]:
    parts = [
        _Part(span, own, known.of(span.processor, span.provider, span.model))
        for span, own in zip(trace.spans, trace.time.own, strict=True)
        if own
    ]
    return sorted(parts, key=lambda part: (-part.own, part.span.start, part.span.key))


def _rows(trace: Trace, parts: Sequence[_Part]) -> list[list[Cell]]:
    rest = trace.time.unattributed
    fractions = shares([*(part.own for part in parts), rest], trace.length)
    rows: list[list[Cell]] = [
        [
            part.span.processor,
            part.span.provider,
            part.span.model,
            part.own / 1_000,
            share,
            (part.span.start - trace.turn.start) / 1_000,
            part.length_ms,
            part.span.status,
            ms(part.usual),
            part.times,
        ]
        for part, share in zip(parts, fractions, strict=False)
    ]
    if rest:
        rows.append(["unattributed", None, None, rest / 1_000, fractions[-1], None, None, None, None, None])
    return rows


def _verdict(trace: Trace, parts: Sequence[_Part]) -> str:
    """One sentence that names the bottleneck: the component with most time, transport only when there is no other."""
    whole = trace.length
    rest = trace.time.unattributed
    eligible = [part for part in parts if part.span.processor != "transport"] or list(parts)
    lost = f"no span covers {_ms(rest)} ({_percent(rest, whole)}) of the turn's {_ms(whole)}"
    if not eligible:
        return f"{lost[0].upper()}{lost[1:]}: its spans say nothing about where the time went."
    alike: dict[tuple[str, str | None, str | None], list[_Part]] = {}
    for part in eligible:
        alike.setdefault((part.span.processor, part.span.provider, part.span.model), []).append(part)
    most = max(alike.values(), key=lambda own: sum(part.own for part in own))
    total = sum(part.own for part in most)
    longest = max(most, key=lambda part: part.span.end - part.span.start)
    named = f"{_name(longest.span)} took {_ms(total)} ({_percent(total, whole)})"
    compared = _against_usual(most, longest)
    if rest > total:
        return f"Most of the time is unattributed: {lost}; of the rest, {named}{compared}."
    return f"{named} of the turn's {_ms(whole)}{compared}."


def _against_usual(most: Sequence[_Part], longest: _Part) -> str:
    several = f" in {len(most)} spans" if len(most) > 1 else ""
    which = "the longest of them" if several else "it"
    if longest.usual is None or longest.times is None:
        return f"{several}; how long is usual for it is not known"
    usual = f"the usual {_ms(longest.usual * 1_000)}"
    if 0.8 <= longest.times <= 1.25:
        return f"{several}; {which} lasted {_ms(longest.length_ms * 1_000)}, about {usual}"
    return f"{several}; {which} lasted {_ms(longest.length_ms * 1_000)}, {longest.times:g} times {usual}"


def _name(span: Span) -> str:
    made = " ".join(clean(word, 60) for word in (span.provider, span.model) if word)
    return clean(span.processor, 60) + (f" ({made})" if made else "")


def _ms(us: float) -> str:
    return f"{us / 1_000:,.0f} ms" if us >= 10_000 else f"{us / 1_000:.3g} ms"


def _percent(part: int, whole: int) -> str:
    return f"{100 * part / whole:.0f} %" if whole else "0 %"


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
        columns=list(COLUMNS),
        rows=[],
        meta=ask.meta(n=found.n, window=window, units=_UNITS, notes=_notes(found)),
        session=None if session is None else session_facts(ask, session, asked.timezone),
        verdict=verdict,
        slower_without_spans=list(found.untraced[:_NAMED]),
    )
