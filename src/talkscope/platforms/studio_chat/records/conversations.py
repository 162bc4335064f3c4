"""One conversation of Studio Chat as records: the session, what became of it, and with its messages what was said."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime

from talkscope.platforms.recording import Record, Side, Turn, first, joined, key, numbered, record, turns
from talkscope.platforms.studio_chat.models import (
    Conversation,
    ConversationDetail,
    Message,
    Playbook,
    PlaybookRef,
)
from talkscope.platforms.studio_chat.records.citing import PLATFORM, Said, Titles, cited

_RESOLUTIONS = {"resolved": "resolved", "no_response": "abandoned"}
_SIDES: Mapping[str, Side] = {"user": "user", "assistant": "assistant"}
_KEPT = {
    "message_count", "has_error", "model", "winback_sent_at", "playbook_version", "skills", "avg_response_latency_ms",
    "context", "first_user_message", "last_assistant_message",
}  # fmt: skip


def bases_of(playbooks: Iterable[Playbook]) -> dict[str, str]:
    """The assistant that each version belongs to: its base id, by the version's own id."""
    return {each.id: each.base_id for each in playbooks}


def conversation(
    found: Conversation | ConversationDetail,
    *,
    bases: Mapping[str, str] | None = None,
    titles: Titles | None = None,
) -> Iterator[Record]:
    """The conversation's records; nothing of one that is at no time, having no message.

    Args:
        found: The conversation, of a list or with its messages.
        bases: The base ids of assistants by the ids of their versions, as `bases_of` has them; an assistant that is
            not among them goes by its name.
        titles: What the knowledge bases that it cites are called.
    """
    told = found.messages if isinstance(found, ConversationDetail) else ()
    times = [found.first_message_at, found.last_message_at, *(message.created_at for message in told)]
    start = first(times)
    if start is None:
        return
    last = found.last_message_at or max(at for at in times if at)
    said = _timed(told, start)
    opening, spoken = turns((_side(each), (at, each)) for at, each in said)
    yield _session(found, start, bases or {}, opening)
    yield _outcome(found, last)
    if (winback := _winback(found, [line for line in said if line[1].is_winback])) is not None:
        yield winback
    for turn in spoken:
        yield _interaction(found.conversation_id, turn)
    yield from _tool_calls(found.conversation_id, said, _turn_of(found.conversation_id, spoken))
    if isinstance(found, ConversationDetail):
        yield from cited(found, said, last, titles)


def _timed(messages: Iterable[Message], start: datetime) -> list[Said]:
    """Each message with its time; one without goes with the message before."""
    at, timed = start, []
    for message in messages:
        at = message.created_at or at
        timed.append((at, message))
    return timed


def _side(message: Message) -> Side:
    """Who speaks; a winback answers nobody, though an assistant writes it."""
    return "other" if message.is_winback else _SIDES.get(message.role.lower(), "other")


def _session(found: Conversation, start: datetime, bases: Mapping[str, str], opening: Sequence[Said]) -> Record:
    main = _main(found)
    name = found.playbook_name or (main.name if main else None)
    ids = [bases.get(each.id) or each.name or each.id for each in found.playbooks_info]
    return record(
        "session",
        PLATFORM,
        session_id=found.conversation_id,
        start_time=start,
        end_time=found.last_message_at,
        channel=found.inbox_name,
        participants=sorted(set(ids)),
        character_id=(bases.get(main.id) if main else None) or name,
        character_name=name,
        attributes={
            **found.model_dump(include=_KEPT),
            "playbooks": [each.model_dump(exclude_none=True) for each in found.playbooks_info],
            "opening": joined(each.content for _, each in opening),
        },
    )  # fmt: skip


def _main(found: Conversation) -> PlaybookRef | None:
    """The version that was active last, which `playbook_name` and `playbook_version` name."""
    named = [each for each in found.playbooks_info if found.playbook_name in (None, each.name)]
    exact = [each for each in named if found.playbook_version in (None, each.version)]
    return next(reversed(exact or named), None)


def _outcome(found: Conversation, at: datetime) -> Record:
    quality = found.deflection_quality
    return record(
        "outcome",
        PLATFORM,
        outcome_id=found.conversation_id,
        session_id=found.conversation_id,
        time=at,
        resolution="handoff" if found.has_handoff else _RESOLUTIONS.get((quality or "").lower()),
        handoff=found.has_handoff,
        handoff_reason=found.handoff_reason,
        deflection_quality=quality,
        resources=found.resources_label,
        sentiment=found.sentiment_label,
        sentiment_shift=found.sentiment_shift,
        recontact_risk=found.recontact_risk,
        winback_sent=found.winback_sent_at is not None if "winback_sent_at" in found.model_fields_set else None,
        user_intent=found.user_intent,
        summary=found.summary,
        reasons={
            "sentiment": found.sentiment_reason,
            "resources": found.resources_reason,
            "sentiment_shift": found.sentiment_shift_reason,
            "deflection_quality": found.deflection_quality_reason,
            "handoff_reason": found.handoff_reason_detail,
            "recontact_risk": found.recontact_risk_reason,
        },
        tags=found.tags,
    )  # fmt: skip


def _winback(found: Conversation, said: Sequence[Said]) -> Record | None:
    at = found.winback_sent_at or first(at for at, _ in said)
    if at is None:
        return None
    return record(
        "event",
        PLATFORM,
        event_id=key(found.conversation_id, "winback"),
        session_id=found.conversation_id,
        time=at,
        metric_name="winback.sent",
        attributes={"text": joined(each.content for _, each in said)},
    )


def _turn_id(conversation_id: str, turn: Turn[Said]) -> str:
    return key(conversation_id, "turn", turn.index)


def _interaction(conversation_id: str, turn: Turn[Said]) -> Record:
    answered, start = turn.answered, turn.heard[0][0]
    about = [each.metadata.model_dump(exclude_none=True) for _, each in answered if each.metadata]
    return record(
        "interaction",
        PLATFORM,
        interaction_id=_turn_id(conversation_id, turn),
        session_id=conversation_id,
        start_time=start,
        end_time=max([start, *(at for at, _ in answered)]) if answered else None,
        index=turn.index,
        interaction_type="text_turn",
        latency_ms=answered[0][1].metadata.response_latency_ms if answered and answered[0][1].metadata else None,
        status="ok" if answered else None,
        attributes={
            "input": joined(each.content for _, each in turn.heard),
            "output": joined(each.content for _, each in answered),
            "messages": [each for each in about if each],
            "others": [{"role": each.role, "content": each.content} for _, each in turn.others],
            "attachments": [given for _, each in (*turn.heard, *answered) for given in each.attachments],
        },
    )  # fmt: skip


def _turn_of(conversation_id: str, spoken: Iterable[Turn[Said]]) -> dict[int, str]:
    """The turn that each message belongs to."""
    return {
        id(message): _turn_id(conversation_id, turn)
        for turn in spoken
        for _, message in (*turn.heard, *turn.answered, *turn.others)
    }


def _tool_calls(conversation_id: str, said: Iterable[Said], turn_of: Mapping[int, str]) -> Iterator[Record]:
    made = [(at, message, call) for at, message in said for call in message.tool_calls]
    ids = [key(conversation_id, "tool", call.id or call.name) for _, _, call in made]
    for name, (at, message, call) in numbered(zip(ids, made, strict=True)):
        yield record(
            "resource_call",
            PLATFORM,
            resource_call_id=name,
            session_id=conversation_id,
            time=at,
            kind="tool",
            name=call.name,
            attributes={
                "interaction_id": turn_of.get(id(message)),
                "tool_type": call.tool_type,
                "arguments": call.params,
                "result": call.result,
                "enhanced_params": call.enhanced_params,
            },
        )  # fmt: skip
