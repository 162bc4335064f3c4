"""How long a component usually takes: the median duration of its leaf spans."""

from __future__ import annotations

from collections.abc import Iterable

from talkscope.insights.slowness import LEAST, Usual
from talkscope.models.window import Window
from talkscope.warehouse.ask import Ask
from talkscope.warehouse.rows import Which, facts
from talkscope.warehouse.traces import text, whole_number

ENOUGH = 20
"""From how many spans on a provider and model speak for themselves."""


def usual(ask: Ask, window: Window, processors: Iterable[str]) -> Usual:
    """The medians over the window's leaf spans of these processors."""
    leaves = facts(ask, "leaves", Which(window), ["processor", "provider", "model", "value"])
    sql = (
        "SELECT processor, provider, model, grouping(provider), quantile_cont(value, 0.5), count(value)"
        f" FROM ({leaves.text}) WHERE processor IN (SELECT unnest(?::VARCHAR[]))"
        " GROUP BY GROUPING SETS ((processor), (processor, provider, model))"
    )
    by_processor: dict[str, float] = {}
    by_model: dict[tuple[str, str | None, str | None], float] = {}
    for processor, provider, model, of_all, median, n in ask.snapshot.fetch(
        sql, [*leaves.params, sorted(set(processors))]
    ):
        if median is None or whole_number(n) < LEAST:
            continue
        if of_all:
            by_processor[str(processor)] = float(str(median))
        elif whole_number(n) >= ENOUGH:
            by_model[str(processor), text(provider), text(model)] = float(str(median))
    return Usual(by_processor, by_model)
