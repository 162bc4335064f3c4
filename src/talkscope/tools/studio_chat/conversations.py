"""Which conversations: listed with their signals, summaries, reasons or first words, or counted by label."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Literal, TypeAlias

from pydantic import Field

from talkscope.models.answers import Answer, Cell
from talkscope.models.questions import Asked, FilterWords
from talkscope.models.window import Window
from talkscope.platforms import studio_chat
from talkscope.platforms.studio_chat import words
from talkscope.platforms.studio_chat.models import Conversation, ConversationSummary
from talkscope.tools.studio_chat.asking import base, between, project, together
from talkscope.tools.studio_chat.cells import Spanned, at, listed, paged, share, shown, spread, yes
from talkscope.tools.studio_chat.filters import resolved
from talkscope.tools.vendor import Reach, VendorTool

Row: TypeAlias = "Conversation | ConversationSummary"

MOST = 1_000
"""Conversations that are read to count them."""
_PAGE = 100
_SORTS = {
    "newest": ("last_message_at", "desc"),
    "oldest": ("last_message_at", "asc"),
    "longest": ("message_count", "desc"),
    "shortest": ("message_count", "asc"),
}
# What the route of slim rows can filter by; for anything else the full rows are asked for.
_SLIM = frozenset({"sentiment", "resources", "tags", "has_handoff"})
_LABELS: Mapping[str, tuple[str, Sequence[str]]] = {
    "sentiment": ("sentiment_label", words.SENTIMENTS),
    "resources": ("resources_label", words.RESOURCES),
    "sentiment_shift": ("sentiment_shift", words.SENTIMENT_SHIFTS),
    "deflection_quality": ("deflection_quality", words.DEFLECTION_QUALITIES),
    "handoff_reason": ("handoff_reason", words.HANDOFF_REASONS),
    "recontact_risk": ("recontact_risk", words.RECONTACT_RISKS),
}
_REASONS = (
    "sentiment_reason",
    "resources_reason",
    "sentiment_shift_reason",
    "deflection_quality_reason",
    "handoff_reason_detail",
    "recontact_risk_reason",
)
_WORDS = ("first_user_message", "last_assistant_message")
_ALWAYS = ("conversation_id", "last_message_at")


class ConversationsAsked(Spanned):
    """Conversations of a window, by the time of their last message."""

    show: Literal["signals", "summaries", "reasons", "texts", "counts"] = "signals"
    assistant: str | None = Field(default=None, description="name or id")
    filters: FilterWords = Field(default_factory=list)
    sort: Literal["newest", "oldest", "longest", "shortest"] = "newest"
    limit: int = Field(default=20, ge=1, le=100)
    offset: int = Field(default=0, ge=0)


async def conversations(reach: Reach, asked: Asked) -> Answer:
    """The conversations, or how many of them have each label."""
    assert isinstance(asked, ConversationsAsked)
    window = reach.window(asked)
    found = await resolved(reach, asked.filters, asked.assistant)
    told: dict[str, object] = {**found, **between(window)}
    if "playbook_id" not in found:
        told["playbook_base_id"] = await base(reach, asked.assistant)
    if asked.show == "counts":
        return await _counts(reach, told, window)
    by, order = _SORTS[asked.sort]
    told |= {"limit": asked.limit, "offset": asked.offset, "sort_by": by, "sort_order": order}
    slim = asked.show == "summaries" and found.keys() <= _SLIM
    if slim:
        summaries = await reach.send(studio_chat.CALLS["conversation_summaries"](project(reach), **told))
        assert isinstance(summaries, studio_chat.models.ConversationSummaryPage)
        rows: Sequence[Row] = summaries.conversations
        total = summaries.total
    else:
        page = await reach.send(studio_chat.CALLS["conversations"](project(reach), **told))
        assert isinstance(page, studio_chat.models.ConversationPage)
        rows, total = page.conversations, page.total
    paged(reach, "conversations", asked.offset, len(rows), total)
    form = _FORMS[asked.show]
    return reach.answer(
        (*_ALWAYS, *form[0]),
        [[each.conversation_id, at(each.last_message_at, window.zone), *form[1](reach, each)] for each in rows],
        n=total,
        window=window,
        basis="conversations whose last message is in the window",
        units={"latency_ms": "mean response, milliseconds"} if asked.show == "signals" else None,
    )


def _signals(_: Reach, each: Row) -> list[Cell]:
    assert isinstance(each, Conversation)
    return [
        each.playbook_name,
        each.playbook_version,
        each.inbox_name,
        each.message_count,
        yes(each.has_handoff),
        yes(each.has_error),
        listed(each.tags),
        *(getattr(each, field) for field, _ in _LABELS.values()),
        each.user_intent,
        listed(each.skills),
        # A conversation without an answer has a latency of 0 here, which is none.
        each.avg_response_latency_ms,
    ]


def _summaries(_: Reach, each: Row) -> list[Cell]:
    labels: list[Cell] = [getattr(each, field) for field, _ in _LABELS.values()]
    return [
        each.playbook_name,
        each.message_count,
        yes(each.has_handoff),
        listed(each.tags),
        listed(each.skills),
        *labels,
        each.user_intent,
        each.summary,
    ]


def _reasons(_: Reach, each: Row) -> list[Cell]:
    found: list[Cell] = []
    for (field, _labels), reason in zip(_LABELS.values(), _REASONS, strict=True):
        found += [getattr(each, field), getattr(each, reason)]
    return found


def _texts(reach: Reach, each: Row) -> list[Cell]:
    return [yes(each.has_handoff), each.user_intent, *(shown(reach, each, name) for name in _WORDS)]


_FORMS: Mapping[str, tuple[Sequence[str], Callable[[Reach, Row], list[Cell]]]] = {
    "signals": (
        (
            *("assistant", "version", "inbox", "messages", "handoff", "error", "tags"),
            *_LABELS,
            *("user_intent", "skills", "latency_ms"),
        ),
        _signals,
    ),
    "summaries": (
        ("assistant", "messages", "handoff", "tags", "skills", *_LABELS, "user_intent", "summary"),
        _summaries,
    ),
    "reasons": (
        tuple(name for pair in zip(_LABELS, (f"{each}_why" for each in _LABELS), strict=True) for name in pair),
        _reasons,
    ),
    "texts": (("handoff", "user_intent", *_WORDS), _texts),
}


async def _counts(reach: Reach, told: Mapping[str, object], window: Window) -> Answer:
    """How the conversations that pass the filters are spread over every label, tag and skill."""
    # By the first message, which stays where it is while conversations go on.
    asked = {**told, "limit": _PAGE, "sort_by": "first_message_at", "sort_order": "asc"}
    ask = studio_chat.CALLS["conversations"]
    first = await reach.send(ask(project(reach), **asked))
    assert isinstance(first, studio_chat.models.ConversationPage)
    rest = range(_PAGE, min(first.total, MOST), _PAGE)
    found = {each.conversation_id: each for each in first.conversations}
    for page in await together(reach, [ask(project(reach), **{**asked, "offset": offset}) for offset in rest]):
        assert isinstance(page, studio_chat.models.ConversationPage)
        found |= {each.conversation_id: each for each in page.conversations}
    part = None
    if len(found) < first.total:
        part = f"{len(found)} of {first.total} conversations, those that began first"
        reach.note(f"Counted are {part}: ask for a shorter window, or filter.")
    return reach.answer(
        ("dimension", "label", "conversations", "share", "n"),
        _spread(list(found.values())),
        n=len(found),
        window=window,
        units={"share": "fraction of n"},
        covers=part,
    )


def _spread(found: Sequence[Conversation]) -> list[list[Cell]]:
    n = len(found)
    rows: list[list[Cell]] = []
    for signal, (field, labels) in _LABELS.items():
        rows += spread(signal, Counter(label for each in found if (label := getattr(each, field))), labels)
    told = {
        "handoff": Counter(word for each in found if (word := yes(each.has_handoff))),
        "error": Counter(word for each in found if (word := yes(each.has_error))),
        "assistant": Counter(each.playbook_name for each in found if each.playbook_name),
        "inbox": Counter(each.inbox_name for each in found if each.inbox_name),
        "tag": Counter(tag for each in found for tag in set(each.tags)),
        "skill": Counter(skill for each in found for skill in set(each.skills)),
    }
    for name, count in told.items():
        rows += [[name, label, several, share(several, n), n] for label, several in count.most_common()]
    return rows


CONVERSATIONS = VendorTool(
    name="studio_conversations",
    title="Studio Chat: conversations",
    description=(
        "Conversations or counts. filters: handoff sentiment resources sentiment_shift deflection_quality"
        " handoff_reason recontact_risk tags skill min_messages max_messages winback inbox version id"
    ),
    platform="studio_chat",
    params=ConversationsAsked,
    answered=conversations,
    left_out="Ask with a smaller limit, or with the offset of the first that is missing.",
    own=frozenset({"dimension"}),
    told={"filters": "name=a,b", "start_time": "ISO 8601, no range", "end_time": ""},
)
