"""What can be asked of a hosted account? Its measures and dimensions, and the metrics that the service lists."""

from __future__ import annotations

from talkscope.errors import BadAnswer
from talkscope.hosted.account import Account
from talkscope.hosted.reading import MOST_ROWS
from talkscope.hosted.words import FILTERS, GROUPS
from talkscope.models.answers import Answer, Cell
from talkscope.models.questions import CatalogAsked
from talkscope.models.semantics import DIMENSIONS, MEASURES
from talkscope.models.text import whole
from talkscope.models.v1 import CatalogResponse, ResponseMeta
from talkscope.platforms import convai

_FAMILIES = ("volume", "errors", "latency")


async def answer(asked: CatalogAsked, account: Account) -> Answer:
    """One row a name: what kind of name it is, its unit, what it means; the service does not count values."""
    rows: list[list[Cell]] = []
    if asked.kind in ("all", "measure"):
        known = (each for each in MEASURES.values() if each.family in _FAMILIES)
        rows += [["measure", each.name, each.unit, None, each.description] for each in known]
    if asked.kind in ("all", "dimension"):
        rows += [["dimension", name, None, None, DIMENSIONS[name].description] for name in GROUPS]
    told = ResponseMeta()
    if asked.kind in ("all", "metric"):
        found = await account.send(convai.catalog())
        told = found.meta
        rows += _metrics(found)
    notes = [f"Filters are dimension=value, by one value each of {', '.join(FILTERS)}."]
    return Answer(
        columns=["kind", "name", "unit", "n", "description"],
        rows=rows,
        meta=account.meta(told, n=len(rows), basis="as the service lists them", notes=notes),
    )


def _metrics(found: CatalogResponse) -> list[list[Cell]]:
    """The service's metrics by name, each once."""
    if len(found.metrics) > MOST_ROWS:
        raise BadAnswer(f"The service lists {len(found.metrics):,} metrics.")
    by_name = {whole(each.metric_name): each for each in found.metrics}
    return [
        ["metric", name, whole(each.unit) if each.unit else None, None, whole(each.description)]
        for name, each in sorted(by_name.items())
    ]
