"""What of the knowledge bases is cited: sources, the most cited items, and the articles of Intercom."""

from __future__ import annotations

from collections.abc import Sequence

from talkscope.jobs.studio_report.facts import Cited
from talkscope.jobs.studio_report.making import Making, Measured, share
from talkscope.models.answers import Cell
from talkscope.platforms.studio_chat.models import KnowledgeBase, KnowledgeBaseCitations

TOP = 10
"""Items that are shown of a list."""
INTERCOM = "INTERCOM"
UNKNOWN = "UNKNOWN"
"""The kind of a knowledge base that is known by its id alone."""


def knowledge(made: Making) -> None:
    """Citations by source, by knowledge base, and the items that are cited most."""
    found, cited = made.facts.citations, made.facts.cited
    if found is None:
        made.lacks("citations", "Citations")
    elif not found.total_citations and not found.by_source:
        made.empty("nothing was cited, or the answer names it otherwise")
    else:
        _sources(made, found)
    if cited is None:
        made.lacks("cited", "Most cited items")
    else:
        _bases(made, cited)
        top(made, "top_items", cited, cited.bases)
    made.noted("citations", "cited")
    if made.facts.scope.base_id or made.facts.scope.tags:
        made.note("Citations are the whole project's: they are not told by assistant or tag.")


def _sources(made: Making, found: KnowledgeBaseCitations) -> None:
    made.figures("totals", [Measured("citations", "Citations", found.total_citations)])
    n = sum(each.count or 0 for each in found.by_source)
    if n:
        made.grid(
            "by_source",
            ("source", "citations", "share", "n"),
            [[each.source, each.count, share(each.count, n), n] for each in found.by_source],
            caption="By source.",
            units={"share": "fraction"},
        )


def _bases(made: Making, cited: Cited) -> None:
    rows: list[list[Cell]] = [
        [each.title or each.id, _kind(each), (each.status or "").lower() or None,
         cited.items[each.id].total_items_cited]
        for each in cited.bases
        if each.id in cited.items and cited.items[each.id].items
    ]  # fmt: skip
    if rows:
        made.grid(
            "bases",
            ("knowledge_base", "kind", "status", "items_cited"),
            rows,
            caption="Knowledge bases with a citation, and how many of their items the service says were cited.",
        )


def _kind(base: KnowledgeBase) -> str | None:
    return None if base.kb_type == UNKNOWN else base.kb_type.lower()


def intercom(made: Making) -> None:
    """The ten articles of Intercom that are cited most."""
    cited = made.facts.cited
    if cited is None:
        return made.lacks("cited", "Intercom articles")
    if "intercom" in made.facts.lacking:
        return made.lacks("intercom", "Intercom articles")
    bases = [each for each in cited.bases if each.kb_type == INTERCOM]
    if not bases:
        return made.say("The project has no knowledge base of Intercom.")
    top(made, "top_articles", cited, bases)
    made.noted("cited")
    return None


def top(made: Making, table: str, cited: Cited, bases: Sequence[KnowledgeBase]) -> None:
    """The most cited items of these knowledge bases."""
    found = [
        (item.count, base, item.item_id)
        for base in bases
        for item in (cited.items[base.id].items if base.id in cited.items else ())
    ]
    found.sort(key=lambda each: (-each[0], each[2]))
    if not found:
        made.empty("none of their items was cited")
        return
    shown = found[:TOP]
    made.grid(
        table,
        ("item", "title", "citations", "knowledge_base"),
        [[item, cited.titles.get(item), count, base.title or base.id] for count, base, item in shown],
        caption=f"The {len(shown)} most cited.",
    )
    if any(item not in cited.titles for _, _, item in shown):
        made.note("Items without a title are not in their knowledge base any more, or it does not name them.")
