"""Deflection, sentiment and the other signals: the vendor's own totals, each share over its own distribution."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from talkscope.jobs.studio_report.making import Making, Measured, fraction, share
from talkscope.models.answers import Cell
from talkscope.models.records import micros
from talkscope.models.window import iso
from talkscope.platforms.studio_chat import meaning
from talkscope.platforms.studio_chat import words as labels
from talkscope.platforms.studio_chat.models import ConversationAnalytics, Distribution

SIGNALS: Mapping[str, tuple[str, Sequence[str]]] = {
    "sentiment": ("Sentiment", labels.SENTIMENTS[::-1]),
    "deflection_quality": ("Deflection quality, of conversations without a handoff", labels.DEFLECTION_QUALITIES),
    "handoff_reason": ("Handoff reasons, of conversations with a handoff", labels.HANDOFF_REASONS),
    "recontact_risk": ("Recontact risk", labels.RECONTACT_RISKS),
    "sentiment_shift": ("Sentiment shift", labels.SENTIMENT_SHIFTS),
    "resources": ("Resource quality, of conversations that used tools", labels.RESOURCES),
}
"""The signals, each with its title and its labels in their order."""
_SHARE = {"share": "fraction"}
_RATE = {"deflection_rate": "fraction"}
_TITLES = {"n": "conversations"}


def bucket(time: datetime, size: str | None) -> str:
    """The beginning of a bucket, which is the vendor's and in UTC: a date where buckets are days."""
    return time.astimezone(UTC).date().isoformat() if size != "hour" else iso(micros(time))[:16].replace("T", " ")


def deflection(made: Making) -> None:
    """How many conversations went without a handoff: as a whole, by assistant, by tag, over time."""
    found = made.facts.analytics
    if found is None:
        return made.lacks("analytics", "Deflection")
    n, kept = found.total_conversations, found.conversations_without_handoff
    if not n:
        return made.empty("no conversation had its last message in it")
    rate = share(kept, n)
    assert rate is not None
    told = f"{rate * 100:.1f} % of {n:,} conversations were deflected; {n - kept:,} were handed to a person."
    made.say(told, "finding")
    made.figures("totals", _totals(found, rate))
    assistants = [(each.playbook_name, each.deflection_rate, each.total_conversations) for each in found.by_playbook]
    _by(made, "assistant", assistants, "By assistant, the one with most conversations first.")
    tags = [(each.tag, each.deflection_rate, each.total_conversations) for each in found.by_tag]
    _by(made, "tag", tags, "By tag; a conversation counts for each of its tags.")
    columns = ("start", "handoffs", "deflection_rate", "n")
    made.grid("trend", columns, _trend(found), caption="Over time, in UTC.", units=_RATE, titles=_TITLES)
    made.note(meaning.DEFLECTED)
    made.noted("analytics")
    return None


def _totals(found: ConversationAnalytics, rate: float) -> list[Measured]:
    n, sent = found.total_conversations, found.winback_sent_count
    shown = [
        Measured("deflection_rate", "Deflection rate", rate, "fraction", n, "conversations"),
        Measured("conversations", "Conversations", n),
        Measured("handoffs", "Handed to a person", found.conversations_with_handoff),
        Measured("deflected", "Without a handoff", found.conversations_without_handoff),
        Measured("messages", "Messages", found.total_messages),
        Measured(
            "messages_per_conversation", "Messages per conversation", found.avg_messages_per_conversation, "", n,
            "conversations",
        ),
    ]  # fmt: skip
    if found.avg_response_latency_ms is not None:
        shown.append(Measured("avg_response_latency_ms", "Mean response", found.avg_response_latency_ms, "ms"))
    if sent is not None and found.winback_answered_count is not None:
        answered = share(found.winback_answered_count, sent)
        shown.append(Measured("winback_answered_rate", "Win-backs answered", answered, "fraction", sent, "sent"))
    return shown


def _by(made: Making, what: str, rows: Sequence[tuple[str | None, float | None, int | None]], caption: str) -> None:
    if not rows:
        return
    ranked = sorted(rows, key=lambda each: (-(each[2] or 0), each[0] or ""))
    cells: list[list[Cell]] = [[name, fraction(rate), n] for name, rate, n in ranked]
    columns = (what, "deflection_rate", "n")
    made.grid(f"by_{what}", columns, cells, caption=caption, units=_RATE, titles=_TITLES)


def _trend(found: ConversationAnalytics) -> list[list[Cell]]:
    return [
        [
            bucket(each.timestamp, found.time_granularity),
            each.conversations_with_handoff,
            share(each.total_conversations - each.conversations_with_handoff, each.total_conversations),
            each.total_conversations,
        ]
        for each in found.time_series
    ]


def sentiment(made: Making) -> None:
    """The mood of the scored conversations, and how many are scored."""
    found = made.facts.aggregate
    if found is None:
        return made.lacks("aggregate", "Sentiment")
    n, scored = found.total_conversations, found.total_scored_conversations
    if not n:
        return made.empty("no conversation had its last message in it")
    made.figures(
        "coverage",
        [
            Measured("coverage", "Scored", share(scored, n), "fraction", n, "conversations"),
            Measured("scored", "Scored conversations", scored),
        ],
    )
    if not scored:
        made.say("None of them is scored, so nothing is known of their sentiment.")
    else:
        spread(made, "sentiment", found.sentiment_distribution.root)
    made.note(meaning.DENOMINATORS)
    made.noted("aggregate")
    return None


def signals(made: Making) -> None:
    """The five other signals, each over the conversations that have it."""
    found = made.facts.aggregate
    if found is None:
        return made.lacks("aggregate", "Signals")
    if not found.total_scored_conversations:
        return made.empty("no conversation of it is scored")
    for signal in SIGNALS:
        if signal != "sentiment":
            given: Distribution = getattr(found, f"{signal}_distribution")
            spread(made, signal, given.root)
    made.note(meaning.DENOMINATORS)
    made.noted("aggregate")
    return None


def spread(made: Making, signal: str, given: Mapping[str, int], *, prefix: str = "") -> None:
    """A signal's labels with their shares of the conversations that have the signal."""
    title, known = SIGNALS[signal]
    n = sum(given.values())
    every = [*known, *(each for each in sorted(given) if each not in known)]
    if not n:
        made.say(f"{title}: no conversation has it.")
        return
    made.grid(
        prefix + signal,
        ("label", "conversations", "share", "n"),
        [[label, given.get(label, 0), share(given.get(label, 0), n), n] for label in every],
        caption=f"{title}: shares of the {n:,} that have it.",
        units=_SHARE,
    )
