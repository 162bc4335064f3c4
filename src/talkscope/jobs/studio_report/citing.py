"""Asks which items are cited and what they are called, and for the trailing days of every resource."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, date, timedelta
from functools import partial

from talkscope.errors import NotFound
from talkscope.jobs.studio_report.facts import Cited, Facts
from talkscope.jobs.studio_report.knowledge import INTERCOM, TOP
from talkscope.jobs.studio_report.once import Once, together
from talkscope.models.window import iso
from talkscope.platforms import studio_chat
from talkscope.platforms.studio_chat.models import KnowledgeBase, KnowledgeBaseItemCitations, Sparkline

MOST_DAYS = 90
"""Trailing days that the service tells of."""
_MOST_BASES = 50


async def bases(once: Once, project: str) -> Sequence[KnowledgeBase]:
    """The project's knowledge bases, deleted ones too: they have been cited."""
    return await once.ask("kbs", studio_chat.knowledge_bases(project, include_final_delete=True))


async def cited(once: Once, project: str, facts: Facts, first: str, after: str) -> None:
    """The most cited items of each knowledge base, with the titles of those that a report shows."""
    every = await bases(once, project)
    looked_at = sorted(every, key=lambda each: each.kb_type != INTERCOM)[:_MOST_BASES]
    if len(every) > len(looked_at):
        facts.note("cited", f"Looked at are {len(looked_at)} of {len(every)} knowledge bases.")
    items: dict[str, KnowledgeBaseItemCitations] = {}

    async def traffic(base: str) -> None:
        call = studio_chat.kb_item_citations(project, base, start_date=first, end_date=after, limit=TOP)
        try:
            items[base] = await once.ask(f"kb_item_traffic-{base}", call)
        except NotFound:
            facts.note("cited", "A knowledge base went while the report was made.")

    await together([partial(traffic, each.id) for each in looked_at])
    titles: dict[str, str] = {}
    shown = _shown(looked_at, items)
    await together([partial(_entitle, once, base, wanted, titles) for base, wanted in shown.items()])
    facts.cited = Cited(looked_at, items, titles)


async def _entitle(once: Once, base: str, wanted: Sequence[str], titles: dict[str, str]) -> None:
    """Find the titles of a base's items: in its own list, else one by one."""
    try:
        found = await once.ask(f"kb-{base}", studio_chat.knowledge_base(base))
    except NotFound:
        return
    known = found.titles
    titles.update({item: known[item] for item in wanted if item in known})

    async def alone(item: str) -> None:
        try:
            told = await once.ask(f"kb_item-{item}", studio_chat.knowledge_base_item(base, item))
        except NotFound:
            return
        if told.title:
            titles[item] = told.title

    await together([partial(alone, item) for item in wanted if item not in known])


def _shown(every: Sequence[KnowledgeBase], items: Mapping[str, KnowledgeBaseItemCitations]) -> dict[str, list[str]]:
    """The items that are in one of the report's lists, by knowledge base."""
    shown: dict[str, list[str]] = {}
    intercom = [each for each in every if each.kb_type == INTERCOM]
    for some in (every, intercom):
        ranked = [
            (-item.count, item.item_id, base.id) for base in some if base.id in items for item in items[base.id].items
        ]
        for _, item, base in sorted(ranked)[:TOP]:
            if item not in shown.setdefault(base, []):
                shown[base].append(item)
    return shown


async def sparklines(once: Once, project: str, facts: Facts) -> None:
    """The trailing days of all four kinds, of which the report shows those of its window."""
    days = trailing(facts)
    facts.spark_days = tuple(each.isoformat() for each in days)
    found: dict[str, Mapping[str, Sparkline]] = {}
    names: dict[str, str] = {}
    if days:
        back = (facts.now.astimezone(UTC).date() - days[0]).days + 1

        async def tools() -> None:
            lines = await once.ask("api_tool_sparklines", studio_chat.api_tool_sparklines(project, days=back))
            found["api_tools"] = lines
            listed = await once.ask("api_tools", studio_chat.api_tools(project))
            names.update({each.id: each.name for each in listed if each.id and each.name})

        async def toolkits() -> None:
            lines = await once.ask("toolkit_sparklines", studio_chat.toolkit_sparklines(project, days=back))
            found["toolkits"] = lines

        async def skills() -> None:
            lines = await once.ask("skill_sparklines", studio_chat.skill_sparklines(project, days=back))
            found["skills"] = lines

        async def knowledge() -> None:
            lines = await once.ask("kb_sparklines", studio_chat.kb_sparklines(project, days=back))
            found["knowledge_bases"] = lines
            names.update({each.id: each.title for each in await bases(once, project) if each.title})

        await together([tools, toolkits, skills, knowledge])
    facts.sparklines, facts.spark_names = found, names


def trailing(facts: Facts) -> list[date]:
    """The days of the window, in UTC, that are among the trailing days that the service tells of."""
    assert facts.days is not None
    today = facts.now.astimezone(UTC).date()
    first = max(date.fromisoformat(iso(facts.days.start)[:10]), today - timedelta(days=MOST_DAYS - 1))
    after = min(date.fromisoformat(iso(facts.days.end)[:10]), today + timedelta(days=1))
    if first > date.fromisoformat(iso(facts.days.start)[:10]):
        facts.note("sparklines", f"Days before {first.isoformat()} are not told any more: {MOST_DAYS} days are kept.")
    return [first + timedelta(days=number) for number in range((after - first).days)]
