"""What happened in this turn, as a waterfall?"""

from __future__ import annotations

from typing import cast

from talkscope import contract
from talkscope.charts.drawing import Drawing
from talkscope.models.questions import Asked, InteractionAsked
from talkscope.tools.chart import Ask, Chart, apart, given

# Characters of a span with its name, its text and its stretches.
_SPAN = 100


async def _draw(ask: Ask, asked: Asked, room: int) -> Drawing:
    from talkscope.charts import waterfall

    words = cast("InteractionAsked", asked)
    answer = await ask(contract.INTERACTION, **given(words))
    return await apart(
        waterfall.draw, answer, zone=words.timezone, most=max(1, min(waterfall.MOST_SPANS, room // _SPAN))
    )


INTERACTION_CHART = Chart(
    name="chart_interaction",
    title="One interaction's waterfall",
    description="Waterfall of get_interaction: offsets, gaps, critical path, statuses.",
    params=InteractionAsked,
    drawn=_draw,
)
