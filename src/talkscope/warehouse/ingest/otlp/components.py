"""Which component a span is the work of, by what its instrumentation says of it, else by its name."""

from __future__ import annotations

import re
from typing import Literal, TypeAlias

from talkscope.warehouse.documents import Item, text_of
from talkscope.warehouse.ingest.otlp.wire import Span

Sort: TypeAlias = Literal["component", "library", "attempt", "other"]
"""What a span is: a component of a conversation, a library below one, one attempt of a component, or anything else."""

COORDINATORS = {"agent", "chain", "execute_tool", "llm_node", "tts_node"}
"""They have others call a model: what they say of model and provider stays in the attributes."""


def _table(words: dict[str, str]) -> dict[str, str]:
    return {word: processor for processor, listed in words.items() for word in listed.split()}


_OPERATIONS = _table(
    {
        "llm": "chat text_completion generate_content completion llm generation llm_response",
        "execute_tool": "execute_tool tool",
        "agent": "invoke_agent create_agent agent",
        "chain": "invoke_workflow workflow task chain",
        "knowledge_bank": "retrieval retriever reranker rerank",
        "embedding": "embeddings embedding",
        "moderation": "guardrail",
        "evaluator": "evaluator",
        "asr": "speech_to_text stt asr transcription",
        "tts": "text_to_speech tts",
        "memory": "search_memory update_memory create_memory delete_memory upsert_memory",
    }
)
_SAID = ("gen_ai.operation.name", "openinference.span.kind", "traceloop.span.kind", "llm.request.type")
"""Where GenAI conventions, OpenInference and OpenLLMetry name the operation."""

_LIVEKIT = _table(
    {
        "llm": "llm_node llm_request llm_fallback_adapter realtime_metrics",
        "tts": "tts_node tts_request tts_fallback_adapter tts_stream_adapter",
        "execute_tool": "function_tool",
        "asr": "user_turn",
        "agent": "agent_turn",
        "evaluator": "judge_evaluation",
        "eou_detection": "eou_detection",
        "agent_speaking": "agent_speaking",
        "user_speaking": "user_speaking",
        "amd": "amd",
    }
)
_ATTEMPTS = {"llm_request_run", "tts_request_run"}

_NAMED = _table(
    {"asr": "asr stt", "knowledge_bank": "knowledge_bank", "execute_tool": "function_tool"}
    | {name: name for name in "vad llm tts memory neurosync transport dynamic_context moderation emotion".split()}
)
_TOOL = re.compile(r"(execute_tool\b|running tool:|tool[.:])")
_VECTORS = {"pinecone", "chroma", "chromadb", "qdrant", "milvus", "weaviate", "lancedb", "marqo", "vespa"}
_LIBRARIES = {
    "database": ("db.system.name", "db.system"),
    "messaging": ("messaging.system",),
    "rpc": ("rpc.system.name", "rpc.system"),
    "http": ("http.request.method", "http.method", "url.full", "http.url", "asgi.event.type"),
    "network": ("dns.question.name", "tls.protocol.name"),
}
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_LONE_NUMBER = re.compile(r"(?<![A-Za-z0-9])\d+(?![A-Za-z0-9])")


def is_livekit(span: Span) -> bool:
    """Whether LiveKit's agents made the span."""
    return (span.scope or "").startswith("livekit") or any(name.startswith("lk.") for name in span.attributes)


def is_pipecat(span: Span) -> bool:
    """Whether Pipecat made the span; its turns and conversations also without their scope's name."""
    if (span.scope or "").startswith("pipecat"):
        return True
    known = span.attributes
    return (span.name == "turn" and "turn.number" in known) or (
        span.name == "conversation" and "conversation.id" in known
    )


def component(span: Span, livekit: bool) -> tuple[str, Sort]:
    """The component's name, and what sort of span it is."""
    known = span.attributes
    for key in _SAID:
        if key in known and (found := _OPERATIONS.get((text_of(known[key]) or "").lower())):
            return found, "component"
    if livekit and span.name in _ATTEMPTS:
        return span.name.partition("_")[0], "attempt"
    if livekit and (found := _LIVEKIT.get(span.name)):
        return found, "component"
    if "gen_ai.tool.name" in known or _TOOL.match(span.name):
        return "execute_tool", "component"
    if known.keys() & {"gen_ai.request.model", "gen_ai.response.model"}:
        return "llm", "component"
    if library := _library(known):
        if library == "knowledge_bank":
            return library, "component"
        inbound = span.kind == "server" and library in {"http", "rpc"}
        return "transport" if inbound else library, "library"
    if found := _NAMED.get(span.name.lower()):
        return found, "component"
    return label(span.name) or "span", "other"


def label(name: str) -> str:
    """The name without what only tells one run from another: `step 2` and `step 3` are one component."""
    return _LONE_NUMBER.sub("n", _UUID.sub("id", name))[:80].strip()


def _library(known: Item) -> str | None:
    for library, keys in _LIBRARIES.items():
        for key in keys:
            if key in known:
                return "knowledge_bank" if str(known[key]).lower() in _VECTORS else library
    return None
