"""Studio Chat: conversations with their messages, ratings, conversions, calls of resources, and a few totals."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import cast

from talkscope.jobs.pull.conversations import Conversations
from talkscope.jobs.pull.plan import Plan
from talkscope.jobs.sync.asked import Asked
from talkscope.jobs.sync.gathered import Ask, Found, Gathered, Gathering, Together, figure
from talkscope.platforms import studio_chat as api
from talkscope.platforms.recording import Record
from talkscope.platforms.studio_chat import models, records

GAPS, LATENCY_BASIS = records.GAPS, records.LATENCY_BASIS
REACH: timedelta | None = None
USUAL = timedelta(days=30)
# Scores and ratings come after the last message, whose time is what the vendor's windows go by.
OVERLAP = timedelta(days=7)
# No document says how many one may ask for at most: this is the most that one asks for in its examples.
_ITEMS = 50


def plan(asked: Asked) -> Gathering:
    """What things are called first, then conversations by their last message, then figures of the same window."""
    project = asked.also["project_id"]
    # Without an end: a conversation that goes on meanwhile would leave the window, and a later page would lose a row.
    listed = api.conversations(project, start_date=asked.start, limit=100, sort_by="first_message_at", sort_order="asc")
    conversations = Conversations(listed, project, messages=True)
    plans: dict[str, Plan] = {
        "names": Gathered(_named(project, asked.start, asked.end)),
        "conversation": conversations,
        "figures": Gathered(_figures(project, asked.start, asked.end)),
    }
    return Together(plans, {"conversation": models.ConversationDetail.model_validate})


def _named(project: str, start: datetime, end: datetime) -> list[Ask]:
    """Assistants, and knowledge bases with the citations of their items; deleted ones too, which have been cited."""
    first, last = (each.date() for each in _days(start, end))

    def items(found: object) -> Sequence[Ask]:
        ids = [each.id for each in cast("tuple[models.KnowledgeBase, ...]", found) if each.id]
        calls = {
            each: api.kb_item_citations(project, each, start_date=first, end_date=last, limit=_ITEMS) for each in ids
        }
        return [figure("item_citations", call, each) for each, call in calls.items()]

    return [
        Ask("playbooks", api.playbooks(project, include_deleted=True, include_versions=True)),
        figure("knowledge_bases", api.knowledge_bases(project, include_final_delete=True), follow=items),
    ]


def _figures(project: str, start: datetime, end: datetime) -> list[Ask]:
    first, last = (each.date() for each in _days(start, end))

    def events(found: object) -> Sequence[Ask]:
        slugs = [each.slug for each in cast("tuple[models.ConversionMetric, ...]", found)]
        calls = {
            slug: api.conversion_analytics(project, slug, start_date=start, end_date=end, events_limit=200)
            for slug in slugs
        }
        return [figure("conversions", call, slug) for slug, call in calls.items()]

    def tools(found: object) -> Sequence[Ask]:
        ids = [each.id for each in cast("tuple[models.ApiTool, ...]", found) if each.id]
        calls = {
            each: api.api_tool_usage(project, api_tool_id=each, start_date=first, end_date=last, limit=500)
            for each in ids
        }
        return [figure("api_tool_calls", call, each) for each, call in calls.items()]

    return [
        figure("ratings", api.csat_analytics(project, start_date=start, end_date=end, ratings_limit=200)),
        figure("conversion_metrics", api.conversion_metrics(project), follow=events),
        figure("api_tools", api.api_tools(project), follow=tools),
        figure("toolkit_calls", api.toolkit_usage(project, start_date=first, end_date=last, limit=500)),
        figure("skill_loads", api.skill_usage(project, start_date=first, end_date=last, limit=500)),
        figure("citations", api.kb_citations(project, start_date=first, end_date=last)),
        figure("signals", api.metrics_aggregate(project, start_date=start, end_date=end)),
        figure("conversation_analytics", api.conversation_analytics(project, start_date=start, end_date=end)),
        figure("account_analytics", api.account_analytics(start_date=start, end_date=end)),
    ]


def recorded(found: Iterable[Found], asked: Asked) -> Iterator[Record]:
    """The records of everything that was found, in the plan's order."""
    bases: dict[str, str] = {}
    titles = records.Titles()
    last_message_at: dict[str, datetime] = {}
    for each in found:
        value = each.value
        if each.kind == "playbooks":
            bases |= records.bases_of(cast("tuple[models.Playbook, ...]", value))
        elif each.kind == "knowledge_bases":
            titles = records.titles_of(cast("tuple[models.KnowledgeBase, ...]", value))
        elif isinstance(value, models.ConversationDetail):
            if value.last_message_at is not None:
                last_message_at[value.conversation_id] = value.last_message_at
            yield from records.conversation(value, bases=bases, titles=titles)
        elif isinstance(value, models.CsatAnalytics):
            yield from records.ratings(value, asked.start, asked.end, last_message_at=last_message_at)
        elif isinstance(value, models.KnowledgeBaseCitations):
            yield from records.citations(value, *_days(asked.start, asked.end), titles=titles)
        else:
            yield from _recorded(each, asked)


def _recorded(found: Found, asked: Asked) -> Iterator[Record]:
    value, start, end = found.value, asked.start, asked.end
    match value:
        case models.ConversionAnalytics():
            yield from records.conversions(value, start, end, slug=found.about)
        case models.ApiToolUsage():
            yield from records.api_tool_calls(value, tool_id=found.about)
        case models.ToolkitUsage():
            yield from records.toolkit_calls(value)
        case models.SkillUsage():
            yield from records.skill_loads(value)
        case models.KnowledgeBaseItemCitations():
            yield from records.item_citations(value, found.about, *_days(start, end))
        case models.MetricsAggregate():
            yield from records.signals(value, start, end)
        case models.ConversationAnalytics():
            yield from records.conversation_analytics(value, start, end)
        case models.AccountAnalytics():
            yield from records.account_analytics(value, start, end)


def _days(start: datetime, end: datetime) -> tuple[datetime, datetime]:
    """The days of the window, both cut ones included: resources are counted by whole days, of which the end is none."""
    last = end - timedelta(microseconds=1)
    first, last = (each.replace(hour=0, minute=0, second=0, microsecond=0) for each in (start, last))
    return first, last + timedelta(days=1)
