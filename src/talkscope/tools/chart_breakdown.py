"""How do groups compare, and where does the time go, as bars?"""

from __future__ import annotations

from typing import Literal, cast

from pydantic import AliasChoices, Field

from talkscope import contract
from talkscope.charts.drawing import Drawing
from talkscope.errors import InvalidArgument
from talkscope.models.questions import Asked, BreakdownAsked, Words
from talkscope.tools.chart import Ask, Chart, apart, given

_SHARE = "share"
# Characters of a bar with its texts.
_BAR = 110


class BreakdownChartAsked(BreakdownAsked):
    """Measures, or shares of turn time, by one or two dimensions."""

    measures: Words = Field(
        default=["p95"], min_length=1, max_length=8, validation_alias=AliasChoices("measures", "measure")
    )
    limit: int = Field(default=20, ge=1, le=50)
    percentile: Literal["p50", "p75", "p90", "p95", "p99"] | None = None


async def _draw(ask: Ask, asked: Asked, room: int) -> Drawing:
    from talkscope.charts import bar
    from talkscope.charts.drawing import words as in_words

    words = cast("BreakdownChartAsked", asked)
    limit = max(1, min(words.limit, room // (_BAR * len(words.measures))))
    notes = in_words.only(words.filters)
    if _SHARE in words.measures:
        return await apart(bar.draw, await ask(contract.LATENCY, **{**_shares(words), "limit": limit}), notes=notes)
    if words.percentile:
        raise InvalidArgument("percentile is for measures=share.", hint="Leave it out, or ask for measures=share.")
    answer = await ask(contract.BREAKDOWN, **{**given(words, "percentile"), "measures": words.measures, "limit": limit})
    metric = words.metric_name or (f"{words.metric_name_prefix}*" if words.metric_name_prefix else "")
    return await apart(bar.draw, answer, of=metric, notes=notes)


def _shares(words: BreakdownChartAsked) -> dict[str, object]:
    """The words of the question where the time goes."""
    misfit = [name for name in ("metric_name", "metric_name_prefix", "sort") if getattr(words, name)]
    if len(words.measures) > 1 or len(words.group_by) > 1 or misfit:
        raise InvalidArgument(
            "share is a measure of its own, by one dimension and without " + " or ".join(misfit or ["others"]) + ".",
            hint="Ask for measures=share with group_by processor, provider, model or character_id.",
        )
    return {**given(words, "measures", "group_by", *misfit), "by": words.group_by[0]}


BREAKDOWN_CHART = Chart(
    name="chart_breakdown",
    title="Bars by group",
    description="Bars of get_breakdown; measures=share: of get_latency_breakdown.",
    params=BreakdownChartAsked,
    drawn=_draw,
    told={
        "measures": "as in get_breakdown, or share, default p95",
        "group_by": "as in get_breakdown, default processor",
        "sort": "measure, default the first",
        "percentile": "with share: slowest turns only",
        "metric_name": "",
        "metric_name_prefix": "e.g. error.",
    },
)
