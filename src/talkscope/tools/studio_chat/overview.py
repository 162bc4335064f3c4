"""How are the assistants doing: totals, deflection, signals, breakdowns and trend."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from talkscope.errors import InvalidArgument
from talkscope.models.answers import Answer, Cell
from talkscope.models.questions import Asked, Words
from talkscope.models.window import Window
from talkscope.platforms import studio_chat
from talkscope.platforms.studio_chat import words
from talkscope.platforms.studio_chat.models import ConversationAnalytics
from talkscope.tools.studio_chat.asking import bases, between, inbox, project, version
from talkscope.tools.studio_chat.cells import DEFLECTION, bucket, counts, fraction, in_utc, share, spread
from talkscope.tools.vendor import Reach, Timed, VendorTool

MEASURES = ("measure", "value", "n")
_LABELS = {
    "sentiment": words.SENTIMENTS,
    "resources": words.RESOURCES,
    "sentiment_shift": words.SENTIMENT_SHIFTS,
    "deflection_quality": words.DEFLECTION_QUALITIES,
    "handoff_reason": words.HANDOFF_REASONS,
    "recontact_risk": words.RECONTACT_RISKS,
}


class OverviewAsked(Timed):
    """High-level figures."""

    show: Literal["totals", "signals", "assistants", "tags", "trend", "account"] = "totals"
    assistant: Words = Field(default_factory=list, description="names or ids")
    version: str | None = Field(default=None, description="number or id")
    tags: Words = Field(default_factory=list, description="all of them")
    inbox: str | None = Field(default=None, description="signals only")


async def overview(reach: Reach, asked: Asked) -> Answer:
    """The figures of one view."""
    assert isinstance(asked, OverviewAsked)
    window = reach.window(asked)
    if asked.show == "account":
        return await _account(reach, asked, window)
    if asked.show == "signals":
        return await _signals(reach, asked, window)
    if asked.inbox is not None:
        raise InvalidArgument(
            f"{asked.show} are not told by inbox.", hint="Leave inbox out, or count with studio_conversations."
        )
    chosen = await _chosen(reach, asked)
    found = await reach.send(
        studio_chat.conversation_analytics(
            project(reach),
            **between(window),
            playbook_id=chosen[1],
            playbook_base_ids=chosen[0] or None,
            tags=asked.tags or None,
        )
    )
    if asked.show == "totals":
        return reach.answer(MEASURES, _totals(found), n=found.total_conversations, window=window, units=_UNITS)
    if asked.show == "trend":
        return _trend(reach, found, window)
    return _breakdown(reach, asked.show, found, window)


_UNITS = {"value": "count, milliseconds for _ms, fraction of n for _rate"}


async def _chosen(reach: Reach, asked: OverviewAsked) -> tuple[tuple[str, ...], str | None]:
    """Assistants, or a version in their place."""
    if asked.version is None:
        return await bases(reach, asked.assistant), None
    if len(asked.assistant) > 1:
        raise InvalidArgument("A version is one assistant's.", hint="Name one assistant.")
    return (), await version(reach, asked.assistant[0] if asked.assistant else None, asked.version)


def _totals(found: ConversationAnalytics) -> list[list[Cell]]:
    n, sent = found.total_conversations, found.winback_sent_count
    return [
        ["conversations", n, None],
        ["messages", found.total_messages, None],
        ["handoffs", found.conversations_with_handoff, None],
        ["deflected", found.conversations_without_handoff, None],
        ["deflection_rate", share(found.conversations_without_handoff, n), n],
        ["handoff_rate", share(found.conversations_with_handoff, n), n],
        ["messages_per_conversation", found.avg_messages_per_conversation, n],
        ["avg_response_latency_ms", found.avg_response_latency_ms, None],
        ["winbacks_sent", sent, None],
        ["winbacks_answered", found.winback_answered_count, None],
        ["winback_answered_rate", fraction(found.winback_answered_pct), sent],
    ]


def _trend(reach: Reach, found: ConversationAnalytics, window: Window) -> Answer:
    names = ("start", "conversations", "handoffs", "deflection_rate", "avg_ms", "min_ms", "max_ms", "p99_ms")
    rows: list[list[Cell]] = [
        [
            bucket(each.timestamp, found.time_granularity),
            n := each.total_conversations,
            each.conversations_with_handoff,
            share(n - each.conversations_with_handoff, n),
            each.avg_response_latency_ms,
            each.min_response_latency_ms,
            each.max_response_latency_ms,
            each.p99_response_latency_ms,
        ]
        for each in found.time_series
    ]
    in_utc(reach, window)
    return reach.answer(
        names,
        rows,
        n=found.total_conversations,
        window=window,
        granularity=found.time_granularity,
        units={"deflection_rate": DEFLECTION},
    )


def _breakdown(reach: Reach, by: str, found: ConversationAnalytics, window: Window) -> Answer:
    told = (
        [(each.playbook_name, each) for each in found.by_playbook]
        if by == "assistants"
        else [(each.tag, each) for each in found.by_tag]
    )
    rows: list[list[Cell]] = [[name, fraction(each.deflection_rate), each.total_conversations] for name, each in told]
    rows.sort(key=lambda row: -float(row[2] or 0))
    return reach.answer(
        ("assistant" if by == "assistants" else "tag", "deflection_rate", "n"),
        rows,
        n=found.total_conversations,
        window=window,
        units={"deflection_rate": DEFLECTION},
    )


async def _signals(reach: Reach, asked: OverviewAsked, window: Window) -> Answer:
    chosen = await _chosen(reach, asked)
    if len(chosen[0]) > 1:
        raise InvalidArgument("Signals are told of one assistant or of all.", hint="Ask for each assistant alone.")
    found = await reach.send(
        studio_chat.metrics_aggregate(
            project(reach),
            **between(window),
            playbook_id=chosen[1],
            playbook_base_id=chosen[0][0] if chosen[0] else None,
            tags=asked.tags or None,
            inbox_id=await inbox(reach, asked.inbox),
        )
    )
    n, scored = found.total_conversations, found.total_scored_conversations
    rows: list[list[Cell]] = [["coverage", "scored", scored, share(scored, n), n]]
    for signal, labels in _LABELS.items():
        rows += spread(signal, counts(getattr(found, f"{signal}_distribution")), labels)
    return reach.answer(
        ("signal", "label", "conversations", "share", "n"),
        rows,
        n=n,
        window=window,
        basis=f"{scored} of {n} conversations are scored",
        units={"share": "fraction of n"},
    )


async def _account(reach: Reach, asked: OverviewAsked, window: Window) -> Answer:
    """Every project of the account, and each assistant as far as the vendor says something of it."""
    if asked.assistant or asked.version or asked.tags or asked.inbox:
        raise InvalidArgument("The account's totals take no filter.", hint="Leave assistant, tags and inbox out.")
    found = await reach.send(studio_chat.account_analytics(**between(window)))
    n = found.total_conversations
    rows: list[list[Cell]] = [
        ["account", "conversations", n, None],
        ["account", "messages", found.total_messages, None],
        ["account", "assistant_messages", found.total_ai_messages, None],
        ["account", "handoffs", found.conversations_with_handoff, None],
        ["account", "deflection_rate", fraction(found.deflection_rate), n],
        ["account", "minutes_saved", found.minutes_saved, found.total_ai_messages],
    ]
    for each in found.by_assistant:
        name = each.get("playbook_name") or each.get("name")
        of, rate = each.get("total_conversations"), each.get("deflection_rate")
        count = of if isinstance(of, int) else None
        known = fraction(float(rate)) if isinstance(rate, int | float) and count else None
        rows += [
            [str(name), "conversations", count, None],
            [str(name), "deflection_rate", known, count],
        ]
    reach.note("minutes_saved is the vendor's reckoning: five minutes for each message of an assistant.")
    return reach.answer(("assistant", *MEASURES), rows, n=n or 0, window=window, units=_UNITS)


OVERVIEW = VendorTool(
    name="studio_overview",
    title="Studio Chat: how the assistants do",
    description=(
        "Studio Chat totals, deflection, signals (sentiment, handoff reason…). Assistant, bot, agent: a playbook."
    ),
    platform="studio_chat",
    params=OverviewAsked,
    answered=overview,
    own=frozenset({"measure", "signal"}),
)
