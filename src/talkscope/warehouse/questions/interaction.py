"""One interaction's spans with their offsets, the gaps between them, and the time each has on the critical path."""

from __future__ import annotations

from talkscope.insights import traces
from talkscope.insights.traces import Trace
from talkscope.models.answers import TurnAnswer
from talkscope.models.questions import InteractionAsked
from talkscope.models.window import zone_of
from talkscope.warehouse.ask import Ask
from talkscope.warehouse.traces import find_turn, trace_of


def answer(asked: InteractionAsked, ask: Ask) -> TurnAnswer:
    """The turn's spans and gaps in order of their offset; raises NotFound, or AmbiguousName naming the platforms."""
    zone_of(asked.timezone)
    trace = trace_of(ask, find_turn(ask, asked.interaction_id))
    return TurnAnswer(
        columns=list(traces.COLUMNS),
        rows=traces.rows(trace),
        meta=ask.meta(
            n=len(trace.spans),
            basis=traces.basis(_frame(trace)),
            units=traces.UNITS,
            notes=_notes(trace),
            platforms=[trace.turn.platform],
        ),
        interaction=traces.turn_facts(trace, asked.timezone),
    )


def _frame(trace: Trace) -> str:
    turn = trace.turn
    return "its latency" if turn.latency_ms is not None else "its recorded end" if turn.end is not None else "its spans"


def _notes(trace: Trace) -> list[str]:
    notes = traces.notes(trace)
    if trace.turn.derived:
        notes.append("The turn itself was never recorded: it is implied by what carries its id.")
    return notes
