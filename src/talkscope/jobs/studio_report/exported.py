"""An export's conversations in the place of the vendor's answers: what they can tell is counted, by the same rules."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import fmean

from pydantic import ValidationError

from talkscope.errors import InvalidArgument, Json
from talkscope.jobs.studio_report.facts import Cited, Facts, Scope, newest_first, slim
from talkscope.jobs.studio_report.knowledge import UNKNOWN
from talkscope.models.records import micros
from talkscope.models.text import clean
from talkscope.models.window import Window, moment
from talkscope.platforms.studio_chat.models import (
    Conversation,
    ConversationAnalytics,
    ConversationDetail,
    KnowledgeBase,
    KnowledgeBaseCitations,
    KnowledgeBaseItemCitations,
    KnowledgeBaseItemCount,
    MetricsAggregate,
)

_HINT = "Give a file that `talkscope export studio-chat … -o FILE.json` (or .ndjson) wrote."
_MUTE = "an export's conversations do not say this. Leave --from out to ask the platform."
_MUTE_OF = {
    "skills": "an export does not tell loads, only the conversations that loaded a skill: see Conversation metadata.",
}
_NO_MESSAGES = "this export holds no messages. Export with --messages to have what they cite."
_NO_KINDS = "an export does not say which knowledge bases are Intercom's. Leave --from out to ask the platform."
_HOURS = timedelta(days=2)
_UNTITLED = "Titles are not in an export: items go by their ids."
_OTHER_WINDOW = (
    "Citations are counted in the conversations of the export; the platform counts them by the day they were made."
)


def exported(file: Path, scope: Scope | None, *, tags: Sequence[str], now: datetime) -> Facts:
    """The facts that the export in a file holds about a window, or about all of it without one.

    Raises InvalidArgument where the file holds no conversations.
    """
    envelope, rows = _read(file)
    every = list({each.conversation_id: each for each in _parsed(rows)}.values())
    kept = [each for each in every if _within(each, scope.window if scope else None) and set(tags) <= set(each.tags)]
    window = scope.window if scope else _extent(kept, now)
    facts = Facts(Scope(window, tags=tuple(tags)), now, clean(file.name, 200))
    facts.about = _about(envelope, every, kept, whole=scope is None)
    facts.conversations = newest_first(map(slim, kept))
    facts.analytics = _analytics(kept, window)
    facts.aggregate = _aggregate(kept)
    facts.note("analytics", *_told(envelope, every))
    facts.lacking = dict.fromkeys(("api_tools", "toolkits", "sparklines", "csat", "conversions"), _MUTE) | _MUTE_OF
    if any("messages" in each.model_fields_set for each in kept):
        facts.citations, facts.cited = _citations(kept)
        facts.note("cited", _OTHER_WINDOW, _UNTITLED)
        facts.lacking["intercom"] = _NO_KINDS
    else:
        facts.lacking |= dict.fromkeys(("citations", "cited"), _NO_MESSAGES)
    return facts


def _read(file: Path) -> tuple[dict[str, Json], list[Json]]:
    """The envelope and the rows of a file of JSON, or of one object a line."""
    text = file.read_text(encoding="utf-8-sig")
    try:
        found: Json = json.loads(text)
    except ValueError:
        return {}, list(_lines(file, text))
    if isinstance(found, dict):
        listed = found.get("conversations")
        if isinstance(listed, list):
            return {key: value for key, value in found.items() if key != "conversations"}, listed
        if "conversation_id" not in found:
            raise InvalidArgument(f"{clean(file.name, 100)} holds no conversations.", hint=_HINT)
        return {}, [found]
    if not isinstance(found, list):
        raise InvalidArgument(f"{clean(file.name, 100)} holds no conversations.", hint=_HINT)
    return {}, found


def _lines(file: Path, text: str) -> Iterator[Json]:
    # Texts may hold what counts as a line's end elsewhere.
    for number, line in enumerate(text.split("\n"), 1):
        if line.strip():
            try:
                yield json.loads(line)
            except ValueError:
                raise InvalidArgument(f"Line {number} of {clean(file.name, 100)} is no JSON.", hint=_HINT) from None


def _parsed(rows: Sequence[Json]) -> Iterator[ConversationDetail]:
    for number, row in enumerate(rows, 1):
        try:
            yield ConversationDetail.model_validate(row)
        except ValidationError:
            raise InvalidArgument(f"Row {number} is no conversation of Studio Chat.", hint=_HINT) from None


def _within(each: Conversation, window: Window | None) -> bool:
    if window is None:
        return True
    return each.last_message_at is not None and window.start <= micros(each.last_message_at) < window.end


def _extent(kept: Sequence[Conversation], now: datetime) -> Window:
    """From the first to the last of the last messages."""
    times = [micros(each.last_message_at) for each in kept if each.last_message_at]
    return Window(min(times), max(times) + 1) if times else Window(micros(now), micros(now))


def _about(
    envelope: dict[str, Json], every: Sequence[Conversation], kept: Sequence[Conversation], *, whole: bool
) -> list[tuple[str, str]]:
    about = [("Conversations", f"{len(kept):,}" if whole else f"{len(kept):,} of {len(every):,} in the file")]
    if isinstance(envelope.get("exported_at"), str):
        about.append(("Exported", clean(str(envelope["exported_at"]), 40)))
    return about


def _told(envelope: dict[str, Json], every: Sequence[Conversation]) -> Iterator[str]:
    matched = envelope.get("total_matched")
    if isinstance(matched, int) and matched != len(every):
        yield f"The export holds {len(every):,} of the {matched:,} conversations that the service said there were."
    yield "An export does not say which filters it was made with: these figures are of the conversations in it."


def _analytics(kept: Sequence[ConversationDetail], window: Window) -> ConversationAnalytics:
    counts = [each.message_count for each in kept if each.message_count is not None]
    latencies = [
        message.metadata.response_latency_ms
        for each in kept
        for message in each.messages
        if message.metadata and message.metadata.response_latency_ms is not None
    ]
    size = "hour" if moment(window.end) - moment(window.start) <= _HOURS else "day"
    return ConversationAnalytics.model_validate(
        {
            **_counted(kept),
            "conversations_without_handoff": sum(not each.has_handoff for each in kept),
            "total_messages": sum(counts),
            "avg_messages_per_conversation": sum(counts) / len(counts) if counts else None,
            "avg_response_latency_ms": fmean(latencies) if latencies else None,
            "by_playbook": [
                {"playbook_name": name, **_counted([each for each in kept if each.playbook_name == name])}
                for name in sorted({each.playbook_name for each in kept if each.playbook_name})
            ],
            "by_tag": [
                {"tag": tag, **_counted([each for each in kept if tag in each.tags])}
                for tag in sorted({tag for each in kept for tag in each.tags})
            ],
            "time_series": _series(kept, size),
            "time_granularity": size,
        }
    )


def _counted(some: Sequence[Conversation]) -> dict[str, object]:
    n, handoffs = len(some), sum(bool(each.has_handoff) for each in some)
    return {
        "total_conversations": n,
        "conversations_with_handoff": handoffs,
        "deflection_rate": 100 * (n - handoffs) / n if n else None,
    }


def _series(kept: Sequence[Conversation], size: str) -> list[dict[str, object]]:
    """Every bucket from the first that holds a last message to the last, in UTC."""
    held: dict[datetime, list[Conversation]] = defaultdict(list)
    for each in kept:
        if each.last_message_at:
            at = each.last_message_at.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
            held[at if size == "hour" else at.replace(hour=0)].append(each)
    if not held:
        return []
    step = timedelta(hours=1) if size == "hour" else timedelta(days=1)
    first, last = min(held), max(held)
    buckets = [first + step * number for number in range((last - first) // step + 1)]
    return [{"timestamp": at, **_counted(held.get(at, []))} for at in buckets]


def _aggregate(kept: Sequence[Conversation]) -> MetricsAggregate:
    """Sentiment is there for every scored conversation."""
    scored = [each for each in kept if each.sentiment_label]
    fields = {
        "sentiment": "sentiment_label",
        "resources": "resources_label",
        **{name: name for name in ("sentiment_shift", "deflection_quality", "handoff_reason", "recontact_risk")},
    }
    return MetricsAggregate.model_validate(
        {
            "total_conversations": len(kept),
            "total_scored_conversations": len(scored),
            **{
                f"{signal}_distribution": Counter(label for each in kept if (label := getattr(each, field)))
                for signal, field in fields.items()
            },
        }
    )


def _citations(kept: Sequence[ConversationDetail]) -> tuple[KnowledgeBaseCitations, Cited]:
    """What the messages cite, by knowledge base and item; which source a citation is of, they do not say."""
    found = [citation for each in kept for citation in each.citations]
    by_base: dict[str, Counter[str]] = defaultdict(Counter)
    for citation in found:
        if citation.kb_id:
            by_base[citation.kb_id][citation.item_id or "(no item)"] += 1
    items = {
        base: KnowledgeBaseItemCitations(
            items=tuple(
                KnowledgeBaseItemCount(item_id=item, count=count)
                for item, count in sorted(counts.items(), key=lambda each: (-each[1], each[0]))
            ),
            total_items_cited=len(counts),
        )
        for base, counts in by_base.items()
    }
    # Kinds and titles are the platform's to tell.
    bases = [KnowledgeBase(id=base, title=None, kb_type=UNKNOWN) for base in sorted(items)]
    return KnowledgeBaseCitations(total_citations=len(found)), Cited(bases, items, {})
