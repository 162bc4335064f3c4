"""Conversations, their signals and their messages. Latencies are in milliseconds."""

from __future__ import annotations

import json
from typing import Annotated, TypeAlias

from pydantic import BeforeValidator, JsonValue, model_validator

from talkscope.platforms.studio_chat.models.wire import Many, Moment, Wire, either


def _as_json(value: object) -> object:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _of_answers(value: object) -> object:
    """A mean of 0 is how the service writes that nothing was answered."""
    return None if value == 0 and not isinstance(value, bool) else value


Mean: TypeAlias = Annotated[float | None, BeforeValidator(_of_answers)]


class Signals(Wire):
    """What the scoring says of one conversation; everything is None while it is unscored.

    `deflection_quality` exists without a handoff only, `handoff_reason` with one only, `resources_label` only where
    tools were used. The words of the handoff reason are in `handoff_reason_detail`.
    """

    sentiment_label: str | None = None
    sentiment_reason: str | None = None
    resources_label: str | None = None
    resources_reason: str | None = None
    summary: str | None = None
    user_intent: str | None = None
    sentiment_shift: str | None = None
    sentiment_shift_reason: str | None = None
    deflection_quality: str | None = None
    deflection_quality_reason: str | None = None
    handoff_reason: str | None = None
    handoff_reason_detail: str | None = None
    recontact_risk: str | None = None
    recontact_risk_reason: str | None = None

    @model_validator(mode="before")
    @classmethod
    def _either_name(cls, value: object) -> object:
        """The documents call three fields by two names each."""
        value = either(value, "sentiment_label", "sentiment")
        value = either(value, "resources_label", "resources")
        return either(value, "handoff_reason_detail", "handoff_reason_reason")


class PlaybookRef(Wire):
    """An assistant that took part: `id` is the id of the version."""

    id: str
    name: str | None = None
    version: int | None = None


class Conversation(Signals):
    """One conversation with all its metadata; `conversation_id` is the messaging platform's id.

    `avg_response_latency_ms` is None where nothing was answered.
    """

    conversation_id: str
    inbox_name: str | None = None
    playbook_name: str | None = None
    playbook_version: int | None = None
    playbooks_info: Many[PlaybookRef] = ()
    message_count: int | None = None
    first_message_at: Moment | None = None
    last_message_at: Moment | None = None
    first_user_message: str | None = None
    last_assistant_message: str | None = None
    has_handoff: bool | None = None
    has_error: bool | None = None
    tags: Many[str] = ()
    skills: Many[str] = ()
    avg_response_latency_ms: Mean = None
    model: str | None = None
    winback_sent_at: Moment | None = None
    context: dict[str, JsonValue] | None = None


class ConversationPage(Wire):
    """One page of conversations; `total` is of all pages."""

    conversations: tuple[Conversation, ...]
    total: int
    limit: int
    offset: int


class ConversationSummary(Signals):
    """A slim row, for reading many conversations."""

    conversation_id: str
    playbook_name: str | None = None
    message_count: int | None = None
    first_message_at: Moment | None = None
    last_message_at: Moment | None = None
    has_handoff: bool | None = None
    tags: Many[str] = ()
    skills: Many[str] = ()


class ConversationSummaryPage(Wire):
    """One page of slim rows; `total` is of all pages."""

    conversations: tuple[ConversationSummary, ...]
    total: int
    limit: int
    offset: int

    @model_validator(mode="before")
    @classmethod
    def _any_name(cls, value: object) -> object:
        """The name of the list is documented nowhere."""
        return either(value, "conversations", "summaries", "items")


class ToolCall(Wire):
    """A tool that the assistant called. `arguments` is JSON as text; `result` is text or any JSON."""

    id: str | None = None
    name: str
    arguments: Annotated[str, BeforeValidator(_as_json)] = "{}"
    result: JsonValue = None
    tool_type: str | None = None
    enhanced_params: JsonValue = None

    @property
    def params(self) -> JsonValue:
        """The arguments decoded, or their text where it is not JSON."""
        return _decoded(self.arguments)

    @property
    def returned(self) -> JsonValue:
        """The result decoded where it is JSON as text, else as it is."""
        return _decoded(self.result) if isinstance(self.result, str) else self.result


def _decoded(text: str) -> JsonValue:
    try:
        decoded: JsonValue = json.loads(text)
    except (ValueError, RecursionError):
        return text
    return decoded


class MessageMetadata(Wire):
    """What is kept beside a message; messages of assistants carry the playbook's fields.

    There is no usage of tokens and no cost: one document promises them, the reference has dropped them.
    """

    playbook_id: str | None = None
    playbook_name: str | None = None
    playbook_version: int | None = None
    response_latency_ms: float | None = None
    labels: JsonValue = None
    priority: JsonValue = None
    notes: JsonValue = None
    handoff: JsonValue = None
    explanation: str | None = None


class Message(Wire):
    """One message: `role` is user, assistant, or another word."""

    role: str
    content: str | None = None
    created_at: Moment | None = None
    metadata: MessageMetadata | None = None
    tool_calls: Many[ToolCall] = ()
    is_winback: bool | None = None
    attachments: Many[JsonValue] = ()


class Citation(Wire):
    """A passage of a knowledge base that an answer rests on."""

    citation_id: str
    kb_id: str | None = None
    item_id: str | None = None
    content: str | None = None
    file_name: str | None = None


class MessageHistory(Wire):
    """Messages and citations, without metadata."""

    messages: Many[Message] = ()
    citations: Many[Citation] = ()


class ConversationDetail(Conversation):
    """A conversation with its messages and citations."""

    messages: Many[Message] = ()
    citations: Many[Citation] = ()


class ConversationBatch(Wire):
    """The conversations that exist: ids that are unknown are left out without a word."""

    conversations: tuple[ConversationDetail, ...]


class ConversationMetrics(Signals):
    """Labels, reasons and summary of one conversation; everything is None while it is unscored."""

    conversation_id: str | None = None
    scored_at: Moment | None = None
    message_count_at_scoring: int | None = None
