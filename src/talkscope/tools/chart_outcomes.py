"""How did sessions end, as bars?"""

from __future__ import annotations

from typing import cast

from pydantic import AliasChoices, Field

from talkscope import contract
from talkscope.charts.drawing import Drawing
from talkscope.errors import InvalidArgument
from talkscope.models.outcomes import outcome_measures
from talkscope.models.questions import Asked, OutcomesAsked, Words
from talkscope.tools.chart import Ask, Chart, apart, given

# Characters of a bar with its texts.
_BAR = 120
_LABELS = 3


class OutcomesChartAsked(OutcomesAsked):
    """Shares and rates of how sessions ended."""

    measures: Words = Field(
        default=["main"], min_length=1, max_length=32, validation_alias=AliasChoices("measures", "measure")
    )
    limit: int = Field(default=10, ge=1, le=30)


async def _draw(ask: Ask, asked: Asked, room: int) -> Drawing:
    from talkscope.charts import outcomes
    from talkscope.charts.drawing import words as in_words

    words = cast("OutcomesChartAsked", asked)
    measures = [each.name for each in outcome_measures(words.measures)]
    drawn = outcomes.shares(measures)
    if not drawn:
        raise InvalidArgument(
            f"{', '.join(measures)} cannot be drawn as shares.", hint="Ask get_outcomes, or for rates such as csat."
        )
    limit = max(1, min(words.limit, room // (_BAR * _LABELS * len(drawn))))
    answer = await ask(contract.OUTCOMES, **{**given(words), "measures": drawn, "limit": limit})
    return await apart(outcomes.draw, answer, notes=in_words.only(words.filters))


OUTCOMES_CHART = Chart(
    name="chart_outcomes",
    title="How sessions ended",
    description="Bars of the shares and rates of get_outcomes.",
    params=OutcomesChartAsked,
    drawn=_draw,
    told={"measures": "as in get_outcomes", "group_by": "", "filters": "", "limit": "groups"},
)
