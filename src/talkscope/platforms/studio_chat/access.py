"""How Studio Chat is reached, and which fields of its answers hold people's data and anybody's words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

from pydantic import SecretStr

from talkscope.flow import Call
from talkscope.platforms.access import Access, Limit, bearer

T = TypeVar("T")

LIMITS: Mapping[str, Limit] = {}
"""None is documented."""

PREFIXES = ("sbs_", "kps_")
"""How API keys begin. The vendor's scripts disagree about the second one, which is valid in either header."""


def key_header(key: SecretStr) -> tuple[str, SecretStr]:
    """The header that carries the key: an API key in X-API-Key, any other token as a bearer."""
    token = SecretStr(key.get_secret_value().strip())
    return ("x-api-key", token) if token.get_secret_value().startswith(PREFIXES) else bearer(token)


def bucket(call: Call[T]) -> str:
    """The limit that a call counts against; none is documented, so `LIMITS` has no bucket of this name."""
    del call
    return "key"


ACCESS = Access(name="studio_chat", header=key_header)

PERSONAL: frozenset[str] = frozenset(
    {
        "ApiToolCall.input_params",
        "ApiToolCall.output_result",
        "ApiToolCall.request_meta",
        "Conversation.context",
        "Conversation.first_user_message",
        "Conversation.last_assistant_message",
        "ConversionEvent.match_value",
        "ConversionEvent.metadata",
        "CsatRating.remark",
        "KnowledgeBaseCitations.recent",
        "Message.attachments",
        "Message.content",
        "MessageMetadata.handoff",
        "MessageMetadata.notes",
        "ToolCall.arguments",
        "ToolCall.enhanced_params",
        "ToolCall.result",
        "ToolkitCall.input_params",
        "ToolkitCall.output_result",
        "ToolkitCall.request_meta",
        "Topic.example_conversations",
    }
)
"""Fields that hold, or may hold, what customers said or who they are, as `Model.field`; subclasses inherit them.

What the vendor's models write about a conversation is not among them: it is masked by pattern as any text is.
"""

UNTRUSTED: frozenset[str] = PERSONAL | frozenset(
    {
        "ApiToolCall.error_message",
        "Citation.content",
        "Citation.file_name",
        "EvalCase.expected_output",
        "EvalCase.input",
        "EvalCasesYaml.yaml_content",
        "KnowledgeBase.content",
        "KnowledgeBase.faq_items",
        "KnowledgeBase.intercom_items",
        "KnowledgeBase.snippet_items",
        "KnowledgeBaseItem.title",
        "MessageMetadata.explanation",
        "MessageMetadata.labels",
        "Playbook.content",
        "Signals.deflection_quality_reason",
        "Signals.handoff_reason_detail",
        "Signals.recontact_risk_reason",
        "Signals.resources_reason",
        "Signals.sentiment_reason",
        "Signals.sentiment_shift_reason",
        "Signals.summary",
        "Signals.user_intent",
        "SkillLoad.error_message",
        "ToolkitCall.error_message",
        "Topic.description",
        "Topic.insight",
        "Topic.name",
        "TrendingTopicsJob.progress_message",
    }
)
"""Fields that hold free text of customers, models or tools: data to show, never instructions."""
