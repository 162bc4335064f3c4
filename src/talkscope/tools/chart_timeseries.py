"""How did it develop, as lines?"""

from __future__ import annotations

from typing import cast

from talkscope import contract
from talkscope.charts.drawing import Drawing
from talkscope.models.questions import Asked, TimeseriesAsked
from talkscope.tools.chart import Ask, Chart, apart, given

# Characters of a measure's number and of its n.
_NUMBER, _N = 9, 5


async def _draw(ask: Ask, asked: Asked, room: int) -> Drawing:
    from talkscope.charts import line
    from talkscope.charts.drawing import words as in_words

    words = cast("TimeseriesAsked", asked)
    rows = max(2, room // (_NUMBER * len(words.measures) + _N))
    answer = await ask(contract.TIMESERIES, **{**given(words), "max_rows": rows})
    metric = words.metric_name or (f"{words.metric_name_prefix}*" if words.metric_name_prefix else "")
    return await apart(line.draw, answer, of=metric, asked=words.granularity, notes=in_words.only(words.filters))


TIMESERIES_CHART = Chart(
    name="chart_timeseries",
    title="Lines over time",
    description="Lines of get_timeseries: usage, errors or any measure, in panels by unit.",
    params=TimeseriesAsked,
    drawn=_draw,
    hidden=frozenset({"max_rows"}),
    told={"measures": "as in get_breakdown, default interactions"},
)
