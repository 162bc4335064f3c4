"""Ratings and conversions, each row a record, and the aggregates that say what no row does."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta

from talkscope.platforms.recording import Figures, Record, first, key, record
from talkscope.platforms.studio_chat.models import (
    AccountAnalytics,
    ConversationAnalytics,
    ConversionAnalytics,
    CsatAnalytics,
    KnowledgeBaseItemCitations,
    MetricsAggregate,
)
from talkscope.platforms.studio_chat.records.citing import PLATFORM

_SCALE = 5
_SIZES = {"hour": timedelta(hours=1), "day": timedelta(days=1)}
_UNIT = "Its unit is documented nowhere."


def ratings(
    found: CsatAnalytics, start: datetime, end: datetime, *, last_message_at: Mapping[str, datetime] | None = None
) -> Iterator[Record]:
    """The ratings of one page, and what is said of all conversations of the window.

    The vendor's window is by a conversation's last message, so a rating has the time of that where `last_message_at`
    knows its conversation; else the time at which it was given. Nothing but that it is not configured is said of a
    project that asks for no ratings, which is not 0 %.
    """
    known = last_message_at or {}
    for each in found.ratings:
        at = first((known.get(each.conversation_id), each.rated_at, each.first_message_at))
        if at is not None:
            yield record(
                "rating",
                PLATFORM,
                rating_id=each.conversation_id,
                session_id=each.conversation_id,
                time=at,
                rating=each.rating,
                rating_scale=_SCALE,
                kind="csat",
                remark=each.remark,
                tags=each.tags,
                attributes={"rated_at": each.rated_at},
            )
    figures = Figures(PLATFORM, start, end)
    yield from figures.snapshots(
        "csat",
        {
            "is_configured": (found.is_configured, None),
            "total_rated": (found.total_rated, "ratings"),
            "eligible_deflected": (found.eligible_deflected, "conversations"),
            "csat_score_pct": (found.csat_score_pct, "percent"),
            "dsat_score_pct": (found.dsat_score_pct, "percent"),
            "response_rate_pct": (found.response_rate_pct, "percent"),
        },
    )


def conversions(
    found: ConversionAnalytics, start: datetime, end: datetime, *, slug: str | None = None
) -> Iterator[Record]:
    """The events of one page, by when they happened, and how many conversations could have converted.

    `slug` is the metric that was asked for, which the answer does not repeat where no metric has it. Of one that
    nothing is to be expected of, no event is no rate of 0 %: the figures say which.
    """
    about = found.definition
    metric = slug or (about.slug if about else None)
    if metric is None:
        return
    for each in found.events:
        yield record(
            "conversion",
            PLATFORM,
            conversion_id=key(metric, each.id),
            session_id=each.conversation_id,
            time=each.occurred_at,
            metric=metric,
            value=each.value,
            unit=about.value_label if about else None,
            tags=each.tags,
            attributes={
                "title": about.name if about else None,
                "match_value": each.match_value,
                "idempotency_key": each.idempotency_key,
                "metadata": each.metadata,
            },
        )
    yield from Figures(PLATFORM, start, end).snapshots(
        "conversions",
        {
            "is_configured": (found.is_configured, None),
            "converting_conversations": (found.converting_conversations, "conversations"),
            "eligible_conversations": (found.eligible_conversations, "conversations"),
            "conversion_rate_pct": (found.conversion_rate_pct, "percent"),
            "total_value": (found.total_value, about.value_label if about else None),
            # What had been heard by the window's end is what a copy of it knows.
            "is_silent": (about.is_silent(end) if about else None, None),
        },
        {"metric": metric},
    )


def signals(found: MetricsAggregate, start: datetime, end: datetime) -> Iterator[Record]:
    """How many conversations of the window were scored, of how many."""
    yield from Figures(PLATFORM, start, end).snapshots(
        "signals",
        {
            "total_conversations": (found.total_conversations, "conversations"),
            "scored_conversations": (found.total_scored_conversations, "conversations"),
            "coverage_pct": (found.coverage_percentage, "percent"),
        },
    )


def item_citations(found: KnowledgeBaseItemCitations, kb_id: str, start: datetime, end: datetime) -> Iterator[Record]:
    """How often each item of one knowledge base was cited in the window."""
    figures = Figures(PLATFORM, start, end)
    yield from figures.snapshot("knowledge_base.items_cited", found.total_items_cited, "items", {"kb_id": kb_id})
    for each in found.items:
        where = {"kb_id": kb_id, "item_id": each.item_id}
        yield from figures.snapshot("knowledge_base.item_citations", each.count, "citations", where)


def conversation_analytics(found: ConversationAnalytics, start: datetime, end: datetime) -> Iterator[Record]:
    """Winbacks of the window, and latencies by the whole buckets in it; a bucket without answers has none.

    A bucket that the window cuts is left out: its part would take the place of the whole that another sync has.
    """
    figures = Figures(PLATFORM, start, end)
    yield from figures.snapshots(
        "winback",
        {
            "sent": (found.winback_sent_count, "conversations"),
            "answered": (found.winback_answered_count, "conversations"),
        },
    )
    yield from figures.snapshot(
        "winback.conversion_rate", found.winback_conversion_rate, attributes={"doubtful": _UNIT}
    )
    size = _SIZES.get(found.time_granularity or "")
    for point in found.time_series if size else ():
        assert size is not None
        if start <= point.timestamp and point.timestamp + size <= end:
            yield from Figures(PLATFORM, point.timestamp, point.timestamp + size).snapshots(
                "response_latency",
                {
                    "avg": (point.avg_response_latency_ms, "ms"),
                    "min": (point.min_response_latency_ms, "ms"),
                    "max": (point.max_response_latency_ms, "ms"),
                    "p99": (point.p99_response_latency_ms, "ms"),
                },
                {"granularity": found.time_granularity},
            )


def account_analytics(found: AccountAnalytics, start: datetime, end: datetime) -> Iterator[Record]:
    """Messages of assistants over all projects, and the time that the vendor reckons they saved."""
    yield from Figures(PLATFORM, start, end).snapshots(
        "account",
        {
            "total_conversations": (found.total_conversations, "conversations"),
            "ai_messages": (found.total_ai_messages, "messages"),
            "minutes_saved": (found.minutes_saved, "minutes"),
        },
    )
