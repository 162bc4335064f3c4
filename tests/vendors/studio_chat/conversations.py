"""Conversations: lists, details, batches and the scoring of one."""

from __future__ import annotations

from collections.abc import Callable
from operator import attrgetter

from tests.vendors.engine import Asked, Json, Refused
from tests.vendors.studio_chat.records import Citation, Conversation, Message, Project, Signals, ToolCall
from tests.vendors.studio_chat.selection import chosen
from tests.vendors.studio_chat.state import Studio

_SORTS: dict[str, Callable[[Conversation], Json]] = {
    "last_message_at": attrgetter("last_at"),
    "first_message_at": attrgetter("first_at"),
    "message_count": lambda each: len(each.messages),
}


def conversations(studio: Studio, asked: Asked) -> Json:
    return _page(studio, asked, _row)


def summaries(studio: Studio, asked: Asked) -> Json:
    return _page(studio, asked, _summary)


def _page(studio: Studio, asked: Asked, form: Callable[[Studio, Project, Conversation], Json]) -> Json:
    project = studio.project(asked)
    found = chosen(studio, project, asked.query)
    by = _SORTS[asked.query["sort_by"]]
    found.sort(key=lambda each: (by(each), each.id), reverse=asked.query["sort_order"] == "desc")
    limit, offset = asked.query["limit"], asked.query["offset"]
    rows = [form(studio, project, each) for each in found[offset : offset + limit]]
    return {"conversations": rows, "total": len(found), "limit": limit, "offset": offset}


def conversation(studio: Studio, asked: Asked) -> Json:
    return _detail(studio, studio.project(asked), studio.conversation(asked))


def batch(studio: Studio, asked: Asked) -> Json:
    """Those that exist, in the order of the ids; an id that is unknown or there twice adds nothing."""
    project = studio.project(asked)
    known = {each.id: each for each in project.conversations}
    wanted = [known[each] for each in dict.fromkeys(asked.body["conversation_ids"]) if each in known]
    return {"conversations": [_detail(studio, project, each) for each in wanted]}


def messages(studio: Studio, asked: Asked) -> Json:
    return _history(studio, studio.conversation(asked))


def metrics(studio: Studio, asked: Asked) -> Json:
    project, found = studio.project(asked), studio.conversation(asked)
    signals = studio.signals(project, found)
    return {
        "conversation_id": found.id,
        **_labels(signals),
        "scored_at": studio.maybe(signals.at if signals else None),
        "message_count_at_scoring": len(found.messages) if signals else None,
    }


def analyze(studio: Studio, asked: Asked) -> Json:
    """Score a conversation; the status for one with fewer than two messages is not documented, and is 400 here."""
    found = studio.conversation(asked)
    if len(found.messages) < 2:
        raise Refused(400, "a conversation needs at least 2 messages to be scored")
    studio.scored.add((studio.project(asked).id, found.id))
    return metrics(studio, asked)


def _labels(signals: Signals | None) -> dict[str, Json]:
    """Labels with their texts; the reason of a handoff has a name of its own kind."""
    if signals is None:
        names = "sentiment_label resources_label sentiment_shift deflection_quality recontact_risk".split()
        reasons = [f"{name.removesuffix('_label')}_reason" for name in names]
        return dict.fromkeys([*names, *reasons, "handoff_reason", "handoff_reason_detail", "summary", "user_intent"])

    def why(label: str | None, about: str) -> str | None:
        return None if label is None else f"{about} was {label} in the last messages."

    return {
        "sentiment_label": signals.sentiment,
        "sentiment_reason": why(signals.sentiment, "The mood"),
        "resources_label": signals.resources,
        "resources_reason": why(signals.resources, "What was found"),
        "sentiment_shift": signals.shift,
        "sentiment_shift_reason": why(signals.shift, "The change of mood"),
        "deflection_quality": signals.deflection_quality,
        "deflection_quality_reason": why(signals.deflection_quality, "The outcome"),
        "handoff_reason": signals.handoff_reason,
        "handoff_reason_detail": why(signals.handoff_reason, "The cause"),
        "recontact_risk": signals.recontact_risk,
        "recontact_risk_reason": why(signals.recontact_risk, "The risk"),
        "summary": signals.summary,
        "user_intent": signals.intent,
    }


def _row(studio: Studio, project: Project, each: Conversation) -> dict[str, Json]:
    latencies = each.latencies
    return {
        "conversation_id": each.id,
        "inbox_name": each.inbox.name,
        "playbook_name": each.playbook.name,
        "playbook_version": each.playbook.version,
        "playbooks_info": [{"id": used.id, "name": used.name, "version": used.version} for used in each.playbooks],
        "message_count": len(each.messages),
        "first_message_at": studio.time(each.first_at),
        "last_message_at": studio.time(each.last_at),
        "first_user_message": next(message.content for message in each.messages if message.role == "user"),
        "last_assistant_message": each.last_said("assistant"),
        "has_handoff": each.handoff,
        "has_error": each.error,
        "tags": list(each.tags),
        "skills": each.skills or None,
        "avg_response_latency_ms": round(sum(latencies) / len(latencies)) if latencies else 0,
        **_labels(studio.signals(project, each)),
        "model": each.playbook.model,
        "winback_sent_at": studio.maybe(each.winback_at),
        "context": dict(each.context),
    }


def _summary(studio: Studio, project: Project, each: Conversation) -> dict[str, Json]:
    signals = studio.signals(project, each)
    suffix = "_label" if studio.habits.label_names else ""
    return {
        "conversation_id": each.id,
        "playbook_name": each.playbook.name,
        "message_count": len(each.messages),
        "first_message_at": studio.time(each.first_at),
        "last_message_at": studio.time(each.last_at),
        "has_handoff": each.handoff,
        "tags": list(each.tags),
        "skills": each.skills or None,
        f"sentiment{suffix}": signals and signals.sentiment,
        f"resources{suffix}": signals and signals.resources,
        "sentiment_shift": signals and signals.shift,
        "deflection_quality": signals and signals.deflection_quality,
        "handoff_reason": signals and signals.handoff_reason,
        "recontact_risk": signals and signals.recontact_risk,
        "summary": signals and signals.summary,
        "user_intent": signals and signals.intent,
    }


def _detail(studio: Studio, project: Project, each: Conversation) -> dict[str, Json]:
    return {**_row(studio, project, each), **_history(studio, each)}


def _history(studio: Studio, each: Conversation) -> dict[str, Json]:
    return {
        "messages": [_message(studio, message) for message in each.messages],
        "citations": [_citation(citation) for citation in each.citations],
    }


def _message(studio: Studio, message: Message) -> dict[str, Json]:
    said: dict[str, Json] = {"role": message.role, "content": message.content, "created_at": studio.time(message.at)}
    if message.role == "assistant" and message.playbook:
        said["metadata"] = {
            "playbook_id": message.playbook.id,
            "playbook_name": message.playbook.name,
            "playbook_version": message.playbook.version,
            "labels": [],
            "handoff": {"team": "Tier 2"} if message.handoff else None,
            "explanation": "The customer asked for it.",
        }
        if message.latency_ms is not None:
            said["metadata"]["response_latency_ms"] = message.latency_ms
        said["tool_calls"] = [_tool_call(call) for call in message.tool_calls]
        said["is_winback"] = message.winback
    return {**said, "attachments": []}


def _tool_call(call: ToolCall) -> dict[str, Json]:
    return {
        "id": call.id,
        "name": call.name,
        "arguments": call.arguments,
        "result": call.result,
        "tool_type": call.kind,
        "enhanced_params": {"rewritten": "order"} if call.kind == "kb_search" else None,
    }


def _citation(citation: Citation) -> dict[str, Json]:
    return {
        "citation_id": citation.id,
        "kb_id": citation.kb_id,
        "item_id": citation.item_id,
        "content": citation.content,
        "file_name": "prices.pdf" if citation.source == "file" else None,
    }
