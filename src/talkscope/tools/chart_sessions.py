"""How long, how busy and how slow were the sessions, as a scatter?"""

from __future__ import annotations

from typing import Literal, cast

from pydantic import Field

from talkscope import contract
from talkscope.charts.drawing import Drawing
from talkscope.models.questions import Asked, SessionsAsked
from talkscope.tools.chart import Ask, Chart, apart, given

# Characters of a session with its id and five figures.
_SESSION = 70


class SessionsChartAsked(SessionsAsked):
    """Sessions of a window, the slowest first."""

    sort: Literal["recent", "longest", "slowest", "errors"] = "slowest"
    limit: int = Field(default=100, ge=1, le=100)


async def _draw(ask: Ask, asked: Asked, room: int) -> Drawing:
    from talkscope.charts import scatter
    from talkscope.charts.drawing import words as in_words

    words = cast("SessionsChartAsked", asked)
    limit = max(1, min(words.limit, room // _SESSION))
    answer = await ask(contract.SESSIONS, **{**given(words), "sort": words.sort, "limit": limit})
    return await apart(scatter.draw, answer, notes=in_words.only(words.filters))


SESSIONS_CHART = Chart(
    name="chart_sessions",
    title="Sessions as a scatter",
    description="Scatter of list_sessions: duration by interactions, colour p95, errors marked.",
    params=SessionsChartAsked,
    drawn=_draw,
    hidden=frozenset({"cursor"}),
)
