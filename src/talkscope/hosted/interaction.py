"""One interaction's spans with their offsets, the gaps between them, and the time each has on the critical path."""

from __future__ import annotations

from talkscope.hosted.account import Account
from talkscope.hosted.detail import depth_basis, trace
from talkscope.insights import traces
from talkscope.models.answers import TurnAnswer
from talkscope.models.questions import InteractionAsked
from talkscope.models.window import zone_of
from talkscope.platforms import convai


async def answer(asked: InteractionAsked, account: Account) -> TurnAnswer:
    """The turn's spans and gaps in order of their offset. Raises NotFound."""
    zone_of(asked.timezone)
    told = await account.send(convai.get_interaction(asked.interaction_id))
    found = trace(told)
    frame = (
        "the service's total_duration_ms"
        if told.total_duration_ms
        else "its recorded end"
        if told.end_time
        else "its spans"
    )
    unsaid = "latency_ms, character_name and span_id are null: the hosted API does not say them of an interaction."
    return TurnAnswer(
        columns=list(traces.COLUMNS),
        rows=traces.rows(found),
        meta=account.meta(
            told.meta,
            n=len(found.spans),
            zone=asked.timezone,
            basis=traces.basis(frame) + depth_basis(told),
            units=traces.UNITS,
            covers="the whole interaction",
            notes=[*traces.notes(found), unsaid],
        ),
        interaction=traces.turn_facts(found, asked.timezone),
    )
