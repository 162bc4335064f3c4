"""How reliable is it: error rate, errors, and error events that were lost?"""

from __future__ import annotations

from typing import cast

from talkscope import contract
from talkscope.charts.drawing import Drawing
from talkscope.errors import InvalidArgument, NotSupported
from talkscope.models.answers import Answer
from talkscope.models.buckets import Grain
from talkscope.models.questions import Asked, Windowed
from talkscope.tools.chart import Ask, Chart, apart, given

# Characters of two counts, a rate and interactions.
_NUMBERS = 20
_UNKNOWN = "dropped error events are not known with these words"


class ReliabilityChartAsked(Windowed):
    """Reliability as a chart."""

    granularity: Grain | None = None


async def _draw(ask: Ask, asked: Asked, room: int) -> Drawing:
    from talkscope.charts import reliability
    from talkscope.charts.drawing import words as in_words

    words = cast("ReliabilityChartAsked", asked)
    same = {**given(words), "max_rows": max(2, room // _NUMBERS)}
    answer = await ask(contract.TIMESERIES, **{**same, "measures": ["errors", "error_rate", "interactions"]})
    dropped: Answer | None = None
    # Filters that fit interactions need not fit events, and a source may not have events at all.
    try:
        dropped = await ask(
            contract.TIMESERIES,
            **{**same, "granularity": answer.meta.granularity},
            measures=["count"],
            metric_name=reliability.DROPPED,
        )
    except (InvalidArgument, NotSupported):
        dropped = None
    notes = [*in_words.only(words.filters), *([] if dropped else [_UNKNOWN])]
    return await apart(reliability.draw, answer, dropped, asked=words.granularity, notes=notes)


RELIABILITY_CHART = Chart(
    name="chart_reliability",
    title="Error rate and counts",
    description="Error rate in %, and errors and dropped error events (db.error_persist_dropped) on a count axis.",
    params=ReliabilityChartAsked,
    drawn=_draw,
)
