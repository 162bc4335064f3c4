"""What conversations brought: conversion metrics, rates with their n, trend, events, and a funnel by assistant."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Literal

from pydantic import Field

from talkscope.errors import InvalidArgument, nearest
from talkscope.models.answers import Answer, Cell
from talkscope.models.questions import Asked
from talkscope.models.window import Window
from talkscope.platforms import studio_chat
from talkscope.platforms.studio_chat.models import ConversionAnalytics, ConversionMetric
from talkscope.tools.studio_chat.asking import base, between, picked, playbooks, project, together
from talkscope.tools.studio_chat.cells import Tagged, TagTree, at, bucket, fraction, in_utc, listed, paged, shown, yes
from talkscope.tools.vendor import Reach, VendorTool
from talkscope.tools.vendor.said import unit, words

_MOST_ASSISTANTS = 25
_SLUG = re.compile(r"[a-z0-9_-]+")


class ConversionsAsked(Tagged):
    """One conversion metric, or all that there are."""

    metric: str | None = Field(default=None, description="slug or name; without one the metrics are listed")
    show: Literal["topline", "trend", "events", "assistants"] = "topline"
    tag_filter: TagTree = Field(default=None, description="JSON of AND, OR, NOT over tags")
    limit: int = Field(default=25, ge=1, le=200, description="events, 1-200")
    offset: int = Field(default=0, ge=0)


async def conversions(reach: Reach, asked: Asked) -> Answer:
    """The view; every figure is null where no metric is called so."""
    assert isinstance(asked, ConversionsAsked)
    if asked.metric is None:
        if asked.show != "topline":
            raise InvalidArgument("Which metric?", hint="Give metric; without any word the metrics are listed.")
        every = await reach.send(studio_chat.conversion_metrics(project(reach)))
        return _definitions(reach, every)
    window = reach.window(asked)
    slug = await _slug(reach, asked.metric.strip())
    if asked.show == "assistants":
        return await _funnel(reach, asked, slug, window)
    assistant = await base(reach, asked.assistant)
    found = await _found(reach, asked, slug, window, assistant)
    if not found.is_configured:
        await _known(reach, slug)
    if not found.is_configured and asked.show != "topline":
        return reach.answer(("start",), [], n=0, window=window, basis="not configured")
    if asked.show == "trend":
        return _trend(reach, found, window)
    if asked.show == "events":
        return _events(reach, found, asked, window)
    return _topline(reach, found, window)


def _definitions(reach: Reach, every: Sequence[ConversionMetric]) -> Answer:
    if not every:
        reach.note("The project has no conversion metric: nothing is configured, which is not 0.")
    rows: list[list[Cell]] = [
        [
            each.slug,
            each.name,
            each.value_label,
            yes(each.enabled),
            at(each.last_event_at),
            yes(each.is_stale(reach.now)) if each.enabled is not False else None,
            each.description,
        ]
        for each in every
    ]
    return reach.answer(("metric", "name", "unit", "enabled", "last_event_at", "stale", "about"), rows, n=len(every))


async def _found(
    reach: Reach, asked: ConversionsAsked, slug: str, window: Window, assistant: str | None
) -> ConversionAnalytics:
    events = asked.show == "events"
    return await reach.send(
        studio_chat.conversion_analytics(
            project(reach),
            slug,
            **between(window),
            tags=asked.tags or None,
            tag_filter=asked.tag_filter,
            playbook_base_id=assistant,
            events_limit=asked.limit if events else 1,
            events_offset=asked.offset if events else 0,
        )
    )


async def _slug(reach: Reach, word: str) -> str:
    """The slug of a metric by its slug or name; the metrics are listed only for what cannot be a slug."""
    if _SLUG.fullmatch(word):
        return word
    every = await reach.send(studio_chat.conversion_metrics(project(reach)))
    return picked("metric", word, {each.slug: each.name for each in every})


async def _known(reach: Reach, word: str) -> None:
    """Say which metrics there are."""
    known = [each.slug for each in await reach.send(studio_chat.conversion_metrics(project(reach)))]
    close = nearest(word, known)
    meant = f" Did you mean {close!r}?" if close and words([close]) == close else ""
    reach.note(f"Known metrics: {words(known)}.{meant}")


def _topline(reach: Reach, found: ConversionAnalytics, window: Window) -> Answer:
    label = found.definition.value_label if found.definition else None
    eligible, converting = found.eligible_conversations, found.converting_conversations
    rate = None if _is_silent(reach, found) else fraction(found.conversion_rate_pct)
    rows: list[list[Cell]] = [
        ["events", found.total_events, None, None],
        ["total_value", found.total_value, label, found.total_events],
        ["mean_value", found.avg_value, label, found.total_events],
        ["converting_conversations", converting, None, None],
        ["eligible_conversations", eligible, None, None],
        ["conversion_rate", rate, None, eligible],
        ["value_per_converting_conversation", found.avg_value_per_conversation, label, converting],
    ]
    return reach.answer(
        ("measure", "value", "unit", "n"),
        rows,
        n=found.total_events or 0,
        window=window,
        basis="conversion_rate is of the deflected conversations" if found.is_configured else "not configured",
        freshness=found.definition.last_event_at if found.definition else None,
    )


def _is_silent(reach: Reach, found: ConversionAnalytics) -> bool:
    """Whether there is no rate, which is said: no event came, and none was to be expected."""
    if found.definition is None or found.total_events or not found.definition.is_silent(reach.now):
        return False
    why = "is switched off" if found.definition.enabled is False else "has had no event for long"
    reach.note(f"The metric {why}, and none came in this window: there is no rate, which is not 0 %.")
    return True


def _unit(reach: Reach, found: ConversionAnalytics) -> str | None:
    """What values count in, where the label says it in a word."""
    label = found.definition.value_label if found.definition else None
    if label and unit(label) is None:
        reach.note("What total_value counts in takes more than a word: show=topline has it.")
    return unit(label)


def _trend(reach: Reach, found: ConversionAnalytics, window: Window) -> Answer:
    rows: list[list[Cell]] = [
        [
            bucket(each.date, found.time_granularity),
            each.event_count,
            each.total_value,
            each.converting_conversations,
        ]
        for each in found.time_series
    ]
    counted = _unit(reach, found)
    in_utc(reach, window)
    return reach.answer(
        ("start", "events", "total_value", "converting_conversations"),
        rows,
        n=found.total_events or 0,
        window=window,
        granularity=found.time_granularity,
        units={"total_value": counted} if counted else None,
    )


def _events(reach: Reach, found: ConversionAnalytics, asked: ConversionsAsked, window: Window) -> Answer:
    total = found.total_events_filtered
    paged(reach, "events", asked.offset, len(found.events), total)
    rows: list[list[Cell]] = [
        [
            at(each.occurred_at, window.zone),
            each.conversation_id,
            each.value,
            listed(each.tags),
            shown(reach, each, "match_value"),
            shown(reach, each, "metadata"),
            each.id,
        ]
        for each in found.events
    ]
    return reach.answer(
        ("time", "conversation_id", "value", "tags", "match_value", "metadata", "event_id"),
        rows,
        n=total if total is not None else found.total_events or 0,
        window=window,
    )


async def _funnel(reach: Reach, asked: ConversionsAsked, slug: str, window: Window) -> Answer:
    """The metric for each assistant, best rate first; those without an eligible conversation come last."""
    if asked.assistant is not None:
        raise InvalidArgument("The funnel is of all assistants.", hint="Leave assistant out, or show topline.")
    everyone = {each.base_id: each.name for each in await playbooks(reach) if not each.is_deleted}
    chosen = list(everyone)[:_MOST_ASSISTANTS]
    if len(everyone) > len(chosen):
        reach.note(f"These are the first {len(chosen)} of {len(everyone)} assistants.")
    first = await _found(reach, asked, slug, window, None)
    if not first.is_configured:
        await _known(reach, slug)
        return reach.answer(("assistant",), [], n=0, window=window, basis="not configured")
    calls = [
        studio_chat.conversion_analytics(
            project(reach), slug, **between(window), tags=asked.tags or None, tag_filter=asked.tag_filter,
            playbook_base_id=each, events_limit=1, events_offset=0,
        )
        for each in chosen
    ]  # fmt: skip
    silent = _is_silent(reach, first)
    rows: list[list[Cell]] = [
        [
            everyone[which],
            each.eligible_conversations,
            each.converting_conversations,
            None if silent else fraction(each.conversion_rate_pct),
            each.total_value,
            which,
        ]
        for which, each in zip(chosen, await together(reach, calls), strict=True)
    ]
    rows.sort(key=lambda row: (row[3] is None, -float(row[3] or 0)))
    reach.note("A conversation counts for every assistant that took part in it.")
    counted = _unit(reach, first)
    return reach.answer(
        ("assistant", "eligible", "converting", "conversion_rate", "total_value", "base_id"),
        rows,
        n=first.eligible_conversations or 0,
        window=window,
        basis="conversion_rate is of eligible, the assistant's deflected conversations",
        units={"conversion_rate": "fraction of eligible", **({"total_value": counted} if counted else {})},
    )


CONVERSIONS = VendorTool(
    name="studio_conversions",
    title="Studio Chat: conversions",
    description="Studio Chat conversion metrics: rate, value, trend, events, or a funnel by assistant.",
    platform="studio_chat",
    params=ConversionsAsked,
    answered=conversions,
    left_out="Ask with a smaller limit, or with the offset of the first that is missing.",
    own=frozenset({"measure"}),
)
