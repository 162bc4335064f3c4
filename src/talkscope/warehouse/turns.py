"""The turns that attribution is over: which filters choose turns, and the turns themselves as SQL."""

from __future__ import annotations

from collections.abc import Sequence

from talkscope.errors import InvalidArgument
from talkscope.models.semantics import Filter
from talkscope.models.window import Window
from talkscope.warehouse.ask import Ask
from talkscope.warehouse.rows import Sql, Which, facts

LENGTH = "CAST(round_even(latency_ms * 1000, 0) AS BIGINT)"
"""A turn's latency in whole microseconds, halves to even as the loader rounds durations."""


def turn_filters(ask: Ask, words: Sequence[str]) -> tuple[Filter, ...]:
    """Filters of sessions and turns; InvalidArgument for one that chooses spans, metrics or outcomes.

    Leaving spans out would not say where the time of a turn goes: it would only make more of it unattributed.
    """
    filters = ask.filters(words)
    for each in filters:
        if "turn" not in each.dimension.scopes:
            raise InvalidArgument(
                f"{each.dimension.name} does not choose turns, so time cannot be attributed within it.",
                hint="Use get_breakdown with that filter, or filter by a dimension of sessions or turns.",
                details={"dimension": each.dimension.name},
            )
    return filters


def timed_turns(ask: Ask, window: Window, filters: tuple[Filter, ...]) -> Sql:
    """A SELECT of platform, session_id, interaction_id, t and latency_ms of the window's turns, timed or not."""
    columns = ["platform", "session_id", "interaction_id", "latency_ms"]
    return facts(ask, "turns", Which(window, filters), columns)
