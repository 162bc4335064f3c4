"""Which articles of a knowledge base are cited most."""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import Field

from talkscope.models.answers import Answer, Cell
from talkscope.models.questions import Asked
from talkscope.platforms import studio_chat
from talkscope.platforms.studio_chat.models import KnowledgeBaseItem
from talkscope.tools.studio_chat.asking import days_of, in_days, project, there
from talkscope.tools.studio_chat.resources import knowledge_base
from talkscope.tools.vendor import Reach, Timed, VendorTool

_LOOKED_UP = 25
"""Titles that are asked for one by one, where the knowledge base does not list them."""


class ItemsAsked(Timed):
    """The items of one knowledge base."""

    knowledge_base: str = Field(description="title, id, or kind such as intercom")
    limit: int = Field(default=10, ge=1, le=200)


async def items(reach: Reach, asked: Asked) -> Answer:
    """The items, most cited first, with their titles."""
    assert isinstance(asked, ItemsAsked)
    window = in_days(reach, reach.window(asked))
    which = await knowledge_base(reach, asked.knowledge_base)
    call = studio_chat.kb_item_citations(project(reach), which, **days_of(window), limit=asked.limit)
    found = await reach.send(call)
    base = await reach.send(studio_chat.knowledge_base(which))
    titles = base.titles
    missing = [each.item_id for each in found.items if each.item_id not in titles]
    looked_up = await _looked_up(reach, which, missing[:_LOOKED_UP])
    rows: list[list[Cell]] = []
    for each in found.items:
        item = looked_up.get(each.item_id)
        title = titles.get(each.item_id) or (item.title if item else None)
        rows.append([each.item_id, title, each.count, item.item_type if item else base.kb_type.lower()])
    if len(missing) > _LOOKED_UP:
        reach.note(f"Titles of {len(missing) - _LOOKED_UP} items were not looked up: ask with a smaller limit.")
    told = found.total_items_cited
    if told is not None and told != len(found.items):
        reach.note(f"total_items_cited is {told}; whether that counts what limit leaves out is not documented.")
    return reach.answer(
        ("item_id", "title", "citations", "type"),
        rows,
        n=sum(each.count for each in found.items),
        window=window,
        basis=f"citations of {len(found.items)} items of one knowledge base",
    )


async def _looked_up(reach: Reach, which: str, ids: Sequence[str]) -> dict[str, KnowledgeBaseItem]:
    told = await there(reach, [studio_chat.knowledge_base_item(which, each) for each in ids])
    if None in told:
        reach.note("Items without a title are no longer in the knowledge base.")
    return {each: item for each, item in zip(ids, told, strict=True) if item is not None}


KB_ITEMS = VendorTool(
    name="studio_kb_items",
    title="Studio Chat: most cited articles",
    description="The most cited articles, FAQs or snippets of one Studio Chat knowledge base, with their titles.",
    platform="studio_chat",
    params=ItemsAsked,
    answered=items,
    left_out="Ask with a smaller limit.",
)
