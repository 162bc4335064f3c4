"""What happened in this session, as a timeline?"""

from __future__ import annotations

from typing import cast

from talkscope import contract
from talkscope.charts.drawing import Drawing
from talkscope.models.questions import Asked, SessionAsked
from talkscope.tools.chart import Ask, Chart, apart

_PAGE, _MOST = 500, 2_000
# Characters of a fact.
_FACT = 110


async def _draw(ask: Ask, asked: Asked, room: int) -> Drawing:
    from talkscope.charts import timeline

    words = cast("SessionAsked", asked)
    most = max(1, min(room // _FACT, _MOST))
    told: dict[str, object] = {"session_id": words.session_id, "timezone": words.timezone}
    answer = await ask(contract.SESSION, **told, limit=min(most, _PAGE))
    rows, cursor = answer.rows, answer.meta.next_cursor
    while cursor and len(rows) < most:
        page = await ask(contract.SESSION, **told, limit=min(most - len(rows), _PAGE), cursor=cursor)
        rows, cursor = [*rows, *page.rows], page.meta.next_cursor
    return await apart(timeline.draw, answer.model_copy(update={"rows": rows}), zone=words.timezone)


SESSION_CHART = Chart(
    name="chart_session",
    title="One session's timeline",
    description="Timeline of get_session: turns, components, events, errors.",
    params=SessionAsked,
    drawn=_draw,
    hidden=frozenset({"limit", "cursor"}),
)
