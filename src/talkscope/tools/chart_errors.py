"""When did what go wrong, as lines by service?"""

from __future__ import annotations

from typing import Literal, cast

from pydantic import Field

from talkscope import contract
from talkscope.charts.drawing import Drawing
from talkscope.models.answers import Answer
from talkscope.models.buckets import Grain
from talkscope.models.questions import Asked, Windowed
from talkscope.tools.chart import Ask, Chart, apart, given

# Characters of a number in the spec.
_NUMBER = 6


class ErrorsChartAsked(Windowed):
    """Errors over time."""

    service: str | None = None
    level: Literal["error", "warning", "all"] = "error"
    search: str | None = Field(default=None, max_length=200, description="text in the message")
    granularity: Grain | None = None
    limit: int = Field(default=6, ge=1, le=20, description="services, default 6")


async def _draw(ask: Ask, asked: Asked, room: int) -> Drawing:
    from talkscope.charts import line
    from talkscope.charts.drawing import words as in_words

    words = cast("ErrorsChartAsked", asked)
    what = {"error": "Errors", "warning": "Warnings", "all": "Errors and warnings"}[words.level]
    grain = words.granularity or "auto"
    answer = await ask(
        contract.ERRORS,
        **{**given(words), "granularity": grain, "limit": words.limit, "max_rows": max(2, room // _NUMBER)},
    )
    said = [f"{name}: {value}" for name in ("service", "search") if (value := getattr(words, name))]
    notes = [*in_words.only([*words.filters, *said])]
    return await apart(line.draw, _series(answer), title=f"{what} by service", asked=words.granularity, notes=notes)


def _series(answer: Answer) -> Answer:
    """The counts as lines take them: a service is what others call a processor."""
    columns = ["processor" if each == "service" else each for each in answer.columns]
    return Answer(columns=columns, rows=answer.rows, meta=answer.meta.model_copy(update={"notes": []}))


ERRORS_CHART = Chart(
    name="chart_errors",
    title="Errors over time by service",
    description="Lines of list_errors: how many over time, by service.",
    params=ErrorsChartAsked,
    drawn=_draw,
    told={"search": "in messages", "filters": "dimension=value", "start_time": "ISO 8601"},
)
