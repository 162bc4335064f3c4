"""One conversation, or up to 50: what was said and done, which passages were cited, how it was scored."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Literal

from pydantic import Field

from talkscope.models.answers import Answer, Cell
from talkscope.models.questions import Asked, Words
from talkscope.models.window import zone_of
from talkscope.platforms import studio_chat
from talkscope.platforms.studio_chat.models import ConversationDetail, ConversationMetrics, Message
from talkscope.tools.studio_chat.asking import project
from talkscope.tools.studio_chat.cells import at, listed, paged, shown, text, yes
from talkscope.tools.studio_chat.scores import SCORED, scores
from talkscope.tools.vendor import Reach, VendorTool
from talkscope.tools.vendor.said import words

MOST_IDS = 50
_TIMELINE = (
    *("conversation_id", "time", "kind", "name", "text", "result", "latency_ms", "assistant", "version", "note"),
)
_CITATIONS = ("conversation_id", "citation_id", "kb_id", "item_id", "file_name", "passage")


class ConversationAsked(Asked):
    """Conversations by their ids, which are the messaging platform's."""

    ids: Words = Field(min_length=1, max_length=MOST_IDS, description="1-50 conversation ids")
    show: Literal["timeline", "citations", "scores", "facts"] = "timeline"
    limit: int = Field(default=200, ge=1, le=1_000, description="rows")
    offset: int = Field(default=0, ge=0)
    timezone: str = Field(default="UTC", description="IANA")


async def conversation(reach: Reach, asked: Asked) -> Answer:
    """The rows of one view, of every conversation in the order of the ids."""
    assert isinstance(asked, ConversationAsked)
    zone_of(asked.timezone)
    ids = list(dict.fromkeys(asked.ids))
    if asked.show == "scores" and len(ids) == 1:
        found = await reach.send(studio_chat.conversation_metrics(project(reach), ids[0]))
        return scores(reach, [(ids[0], found)], asked.timezone)
    details = await _details(reach, ids)
    if asked.show == "scores":
        return scores(reach, [(each.conversation_id, _scored(each)) for each in details], asked.timezone)
    rows = [row for each in details for row in _FORMS[asked.show][1](reach, each, asked.timezone)]
    part = rows[asked.offset : asked.offset + asked.limit]
    paged(reach, "rows", asked.offset, len(part), len(rows))
    return reach.answer(
        _FORMS[asked.show][0],
        part,
        n=len(details),
        basis="n counts conversations",
        units={"latency_ms": "milliseconds"} if asked.show == "timeline" else None,
    )


async def _details(reach: Reach, ids: Sequence[str]) -> Sequence[ConversationDetail]:
    """One by its own route, which says when it is not known; several in one request, which does not."""
    if len(ids) == 1:
        return [await reach.send(studio_chat.conversation(project(reach), ids[0]))]
    batch = await reach.send(studio_chat.conversation_batch(project(reach), ids))
    missing = studio_chat.absent(ids, batch)
    if missing:
        reach.note(f"Not known here: {words(missing)}.")
    known = {each.conversation_id: each for each in batch.conversations}
    return [known[each] for each in ids if each in known]


def _scored(each: ConversationDetail) -> ConversationMetrics:
    return ConversationMetrics.model_validate(each.model_dump(include=set(SCORED)))


def _timeline(reach: Reach, each: ConversationDetail, zone: str) -> Iterator[list[Cell]]:
    for message in each.messages:
        about = message.metadata
        yield [
            each.conversation_id,
            at(message.created_at, zone),
            "winback" if message.is_winback else "message",
            message.role,
            shown(reach, message, "content"),
            None,
            about.response_latency_ms if about else None,
            about.playbook_name if about else None,
            about.playbook_version if about else None,
            _beside(reach, message),
        ]
        for call in message.tool_calls:
            yield [
                each.conversation_id,
                at(message.created_at, zone),
                "tool",
                call.name,
                shown(reach, call, "arguments"),
                shown(reach, call, "result"),
                None,
                None,
                None,
                listed(
                    word
                    for word in (call.tool_type, _named("enhanced_params", shown(reach, call, "enhanced_params")))
                    if word
                ),
            ]


def _beside(reach: Reach, message: Message) -> Cell:
    """What is kept beside a message: why it was written, labels, the handoff, attachments."""
    about = message.metadata
    told: list[str | None] = []
    if about:
        told += [
            about.explanation,
            *(_named(name, shown(reach, about, name)) for name in ("labels", "priority", "notes", "handoff")),
        ]
    told.append(_named("attachments", shown(reach, message, "attachments")))
    return "; ".join(each for each in told if each) or None


def _named(name: str, value: Cell) -> str | None:
    return None if value is None else f"{name}: {value}"


def _citations(reach: Reach, each: ConversationDetail, _: str) -> Iterator[list[Cell]]:
    for citation in each.citations:
        passage = shown(reach, citation, "content")
        yield [
            each.conversation_id,
            citation.citation_id,
            citation.kb_id,
            citation.item_id,
            citation.file_name,
            passage,
        ]


def _facts(reach: Reach, each: ConversationDetail, zone: str) -> Iterator[list[Cell]]:
    told: dict[str, Cell] = {
        "inbox": each.inbox_name,
        "assistant": each.playbook_name,
        "version": each.playbook_version,
        "took_part": listed(f"{one.name} v{one.version}" for one in each.playbooks_info),
        "messages": each.message_count,
        "citations": len(each.citations),
        "tool_calls": sum(len(message.tool_calls) for message in each.messages),
        "first_message_at": at(each.first_message_at, zone),
        "last_message_at": at(each.last_message_at, zone),
        "handoff": yes(each.has_handoff),
        "error": yes(each.has_error),
        "tags": listed(each.tags),
        "skills": listed(each.skills),
        "avg_response_latency_ms": each.avg_response_latency_ms,
        "model": each.model,
        "winback_sent_at": at(each.winback_sent_at, zone),
        "user_intent": each.user_intent,
        "summary": each.summary,
        "first_user_message": shown(reach, each, "first_user_message"),
        "last_assistant_message": shown(reach, each, "last_assistant_message"),
        "context": shown(reach, each, "context"),
    }
    for name, value in told.items():
        yield [each.conversation_id, name, text(value)]


_FORMS = {
    "timeline": (_TIMELINE, _timeline),
    "citations": (_CITATIONS, _citations),
    "facts": (("conversation_id", "fact", "value"), _facts),
}

CONVERSATION = VendorTool(
    name="studio_conversation",
    title="Studio Chat: one conversation",
    description=(
        "Deep dive into one Studio Chat conversation, or up to 50 at once: messages with tool calls in order of time,"
        " citations, scores with their reasons, or facts."
    ),
    platform="studio_chat",
    params=ConversationAsked,
    answered=conversation,
    left_out="Ask with the offset of the first row that is missing.",
    own=frozenset({"kind", "fact", "signal"}),
)
