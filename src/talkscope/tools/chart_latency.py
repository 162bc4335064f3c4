"""How slow is it, and when: percentiles over time, or heat by day and hour?"""

from __future__ import annotations

from typing import Literal, cast

from pydantic import AliasChoices, Field

from talkscope import contract
from talkscope.charts.drawing import Drawing
from talkscope.errors import InvalidArgument
from talkscope.models.buckets import Grain
from talkscope.models.questions import Asked, Windowed, Words
from talkscope.models.semantics import measure
from talkscope.tools.chart import Ask, Chart, apart, given

_WEEK = "last_7d"
# Characters of a latency and of its n.
_NUMBER, _N = 9, 4


class LatencyChartAsked(Windowed):
    """Latency as a chart."""

    kind: Literal["band", "heatmap"] = Field(default="band", description="heatmap: day x hour, default last_7d")
    measures: Words = Field(
        default=["p50", "p95", "p99"],
        min_length=1,
        max_length=7,
        validation_alias=AliasChoices("measures", "measure"),
        description="default p50,p95,p99; heatmap p95",
    )
    threshold_ms: float | None = Field(default=None, ge=0, description="line, band only")
    metric_name: str | None = None
    granularity: Grain | None = None


async def _draw(ask: Ask, asked: Asked, room: int) -> Drawing:
    words = cast("LatencyChartAsked", asked)
    others = [each for each in words.measures if measure(each).family != "latency"]
    if others:
        raise InvalidArgument(
            f"{', '.join(others)[:60]} is no latency.", hint="Use avg, p50 to p99 or max; chart_timeseries draws any."
        )
    return await (_heatmap if words.kind == "heatmap" else _band)(ask, words, room)


async def _band(ask: Ask, words: LatencyChartAsked, room: int) -> Drawing:
    from talkscope.charts import line
    from talkscope.charts.drawing import words as in_words

    rows = max(2, room // (_NUMBER * len(words.measures) + _N))
    asked = {**given(words, "kind", "threshold_ms"), "measures": words.measures, "max_rows": rows}
    answer = await ask(contract.TIMESERIES, **asked)
    return await apart(
        line.draw,
        answer,
        threshold=words.threshold_ms,
        band=True,
        asked=words.granularity,
        notes=in_words.only(words.filters),
    )


async def _heatmap(ask: Ask, words: LatencyChartAsked, room: int) -> Drawing:
    from talkscope.charts import heatmap
    from talkscope.charts.drawing import words as in_words

    measures = words.measures if "measures" in words.model_fields_set else ["p95"]
    if len(measures) > 1 or words.threshold_ms is not None:
        raise InvalidArgument(
            "A heatmap shows one measure and no threshold.", hint="Give one measure, or use kind=band for several."
        )
    asked = {
        **given(words, "kind", "threshold_ms"),
        "measures": measures,
        "max_rows": max(2, room // (_NUMBER + _N)),
    }
    if not {"range", "start_time", "end_time"} & words.model_fields_set:
        asked["range"] = _WEEK
    if words.granularity in (None, "minute"):
        asked["granularity"] = "hour"
    answer = await ask(contract.TIMESERIES, **asked)
    return await apart(heatmap.draw, answer, asked=words.granularity or "hour", notes=in_words.only(words.filters))


LATENCY_CHART = Chart(
    name="chart_latency",
    title="Latency over time",
    description="Percentiles as a band, or a day x hour heatmap; names the worst buckets and those over threshold_ms.",
    params=LatencyChartAsked,
    drawn=_draw,
)
