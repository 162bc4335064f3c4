"""How are tools, skills and knowledge bases used, as stacked bars?"""

from __future__ import annotations

from typing import cast

from pydantic import Field

from talkscope import contract
from talkscope.charts.drawing import Drawing
from talkscope.models.answers import Answer, Cell
from talkscope.models.questions import Asked, ResourcesAsked
from talkscope.tools.chart import Ask, Chart, apart, given

# Characters of a bar with its texts and numbers.
_BAR = 120
_SHOWN = {"character_id": "assistant", "error_message": "error message", "name": "resource"}


class ResourcesChartAsked(ResourcesAsked):
    """Calls of resources, divided by how they ended."""

    limit: int = Field(default=20, ge=1, le=50)


async def _draw(ask: Ask, asked: Asked, room: int) -> Drawing:
    from talkscope.charts import stack
    from talkscope.charts.drawing import theme
    from talkscope.charts.drawing import words as in_words

    words = cast("ResourcesChartAsked", asked)
    limit = max(1, min(words.limit, room // _BAR))
    answer = await ask(contract.RESOURCES, **{**given(words), "limit": limit})
    parts = (
        stack.Part("ok", "ok", theme.STATUS["ok"]),
        stack.Part("errors", "error", theme.STATUS["error"]),
        stack.Part("unknown", "not told", theme.STATUS["cancelled"]),
    )
    of = "" if words.kind == "all" else f" of kind {words.kind}"
    return await apart(
        stack.draw,
        _titled(answer),
        by=["shown"],
        parts=parts,
        title=f"Calls{of} by {_SHOWN.get(words.by, words.by)}",
        rate="error_rate",
        noun="calls",
        notes=[*in_words.only(words.filters), *answer.meta.notes],
    )


def _titled(answer: Answer) -> Answer:
    """The answer with one name a row: titles for ids, and no kind where the name says it."""
    labels: list[Cell] = []
    for row in answer.records():
        first = row[answer.columns[0]] if str(row[answer.columns[0]]).startswith("other (") else None
        titled = row.get("title")
        parts = [
            (row.get("base") or row.get("name") if "item" in row else titled or row.get("name"))
            if "name" in row
            else None,
            row.get("action"),
            (titled or row["item"]) if "item" in row else None,
            row.get("error_message"),
            *([row.get("character_name") or row[answer.columns[0]]] if "name" not in row else []),
        ]
        labels.append(first or " / ".join(str(each) for each in parts if each is not None) or None)
    kinds: dict[Cell, set[Cell]] = {}
    for label, row in zip(labels, answer.records(), strict=True):
        kinds.setdefault(label, set()).add(row.get("kind"))
    rows: list[list[Cell]] = []
    for label, row in zip(labels, answer.records(), strict=True):
        # A conversation's own account of a call has the name of the log's.
        shown = f"{label} ({row['kind']})" if len(kinds[label]) > 1 else label
        rows.append([shown, *(row[each] for each in ("ok", "errors", "unknown", "error_rate"))])
    return answer.model_copy(update={"columns": ["shown", "ok", "errors", "unknown", "error_rate"], "rows": rows})


RESOURCES_CHART = Chart(
    name="chart_resources",
    title="Resource usage as stacked bars",
    description="Stacked bars of get_resource_usage: ok, failed, not told.",
    params=ResourcesChartAsked,
    drawn=_draw,
    hidden=frozenset({"search"}),
    told={"start_time": "ISO 8601", "filters": "dimension=value"},
)
