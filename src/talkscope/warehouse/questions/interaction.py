"""One interaction's spans with their offsets, the gaps between them, and the time each has on the critical path."""

from __future__ import annotations

from talkscope.models.answers import Cell, TurnAnswer
from talkscope.models.questions import InteractionAsked
from talkscope.models.window import zone_of
from talkscope.warehouse.ask import Ask, ms
from talkscope.warehouse.traces import Span, Trace, find_turn, trace_of, turn_facts

COLUMNS = (
    "kind offset_ms duration_ms self_ms processor provider model status error_code depth ttfb_ms span_id"
).split()
_UNITS = {"offset_ms": "ms", "duration_ms": "ms", "self_ms": "ms", "ttfb_ms": "ms"}


def answer(asked: InteractionAsked, ask: Ask) -> TurnAnswer:
    """The turn's spans and gaps in order of their offset; raises NotFound, or AmbiguousName naming the platforms."""
    zone_of(asked.timezone)
    trace = trace_of(ask, find_turn(ask, asked.interaction_id))
    return TurnAnswer(
        columns=list(COLUMNS),
        rows=_rows(trace),
        meta=ask.meta(n=len(trace.spans), basis=_basis(trace), units=_UNITS, notes=_notes(trace)),
        interaction=turn_facts(trace, asked.timezone),
    )


def _rows(trace: Trace) -> list[list[Cell]]:
    start = trace.turn.start
    placed = [(span.start, 0, _row(span, start, own)) for span, own in zip(trace.spans, trace.time.own, strict=True)]
    rest: list[Cell] = [None] * (len(COLUMNS) - 3)
    for first, last in trace.time.gaps:
        row: list[Cell] = ["gap", (first - start) / 1_000, (last - first) / 1_000, *rest]
        placed.append((first, 1, row))
    return [row for _, _, row in sorted(placed, key=lambda each: each[:2])]


def _row(span: Span, start: int, own: int) -> list[Cell]:
    return [
        "span",
        (span.start - start) / 1_000,
        (span.end - span.start) / 1_000,
        own / 1_000,
        span.processor,
        span.provider,
        span.model,
        span.status,
        span.error_code,
        span.depth,
        ms(span.ttfb_ms),
        span.span_id,
    ]


def _basis(trace: Trace) -> str:
    turn = trace.turn
    frame = (
        "its latency" if turn.latency_ms is not None else "its recorded end" if turn.end is not None else "its spans"
    )
    return (
        f"offsets from the turn's start; the turn lasts as long as {frame}; self_ms is the time in which a span is the"
        " deepest active one, latest started first; self_ms and gaps add up to total_ms"
    )


def _notes(trace: Trace) -> list[str]:
    notes = []
    if not trace.spans:
        notes.append("No spans were recorded for this turn.")
    start, end = trace.turn.start, trace.end
    outside = sum(span.start < start or span.end > end for span in trace.spans)
    if outside:
        notes.append(f"{outside} of {len(trace.spans)} spans reach outside the turn; that part is in no self_ms.")
    if trace.turn.derived:
        notes.append("The turn itself was never recorded: it is implied by what carries its id.")
    return notes
