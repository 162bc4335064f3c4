"""How many sessions were active at once, as an area?"""

from __future__ import annotations

from typing import cast

from talkscope import contract
from talkscope.charts.drawing import Drawing
from talkscope.models.questions import Asked, ConcurrencyAsked
from talkscope.tools.chart import Ask, Chart, apart, given

# Characters of a peak, a mean and a time.
_NUMBERS = 18


async def _draw(ask: Ask, asked: Asked, room: int) -> Drawing:
    from talkscope.charts import area
    from talkscope.charts.drawing import words as in_words

    words = cast("ConcurrencyAsked", asked)
    answer = await ask(contract.CONCURRENCY, **{**given(words), "max_rows": max(2, room // _NUMBERS)})
    return await apart(area.draw, answer, asked=words.granularity, notes=in_words.only(words.filters))


CONCURRENCY_CHART = Chart(
    name="chart_concurrency",
    title="Active sessions over time",
    description="Sessions active at once, exact, with the peak and when.",
    params=ConcurrencyAsked,
    drawn=_draw,
    hidden=frozenset({"max_rows"}),
)
