"""One observation as a span, or as an event when it has no duration: its component, model, tokens, cost and state."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta

from talkscope.models.records import Refused
from talkscope.warehouse.documents import Item, first_number, listed, mapping_of, number_of, rest, text_of
from talkscope.warehouse.ingest.langfuse.fields import PLATFORM, facts_of, moment_of, said

MILLISECOND = timedelta(milliseconds=1)
AGENT_IDS = ("gen_ai.agent.id", "agent.id", "agent_id")
AGENT_NAMES = ("gen_ai.agent.name", "agent.name", "agent_name")

_PROCESSORS = {
    kind: processor
    for processor, kinds in {
        "llm": "generation llm chat text_completion generate_content",
        "execute_tool": "tool execute_tool",
        "agent": "agent invoke_agent create_agent",
        "chain": "chain invoke_workflow",
        "knowledge_bank": "retriever reranker retrieval",
        "embedding": "embedding embeddings",
        "moderation": "guardrail",
        "evaluator": "evaluator",
        "asr": "speech_to_text stt transcription",
        "tts": "text_to_speech",
    }.items()
    for kind in kinds.split()
}
"""Observation types, and the words of OpenTelemetry and OpenInference for the same things."""
_COMPONENTS = set(
    "asr vad llm tts knowledge_bank memory neurosync transport dynamic_context moderation emotion".split()
)
_COORDINATORS = {"agent", "chain", "execute_tool"}
"""They have others call a model: what they say of model and provider stays in the attributes."""
_KINDS = ("gen_ai.operation.name", "openinference.span.kind")
_PROVIDERS = (
    "gen_ai.provider.name",
    "gen_ai.system",
    "llm.provider",
    "llm.system",
    "ls_provider",
    "model_provider",
    "provider",
)
_TOOL_NAME = re.compile(r"(execute_tool\b|running tool:|tool[.:])")
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_LONE_NUMBER = re.compile(r"(?<![A-Za-z0-9])\d+(?![A-Za-z0-9])")
_COUNTED = ("input_tokens", "output_tokens", "characters", "cost_usd")


@dataclass(slots=True)
class Part:
    """A mapped observation, and what its trace needs to know of it."""

    where: str
    record: Item
    id: str | None
    parent: str | None
    start: datetime
    end: datetime | None
    facts: Item
    failed: bool


def observation(where: str, trace: str, item: Item) -> Part:
    """The record of one observation of a trace, without its session; raises Refused when it has no start."""
    kind, name, facts = str(item.get("type")).upper(), text_of(item.get("name")) or "", facts_of(item)
    start, end = moment_of(item.get("startTime"), "startTime"), moment_of(item.get("endTime"), "endTime")
    if start is None:
        raise Refused("has no startTime")
    processor = _processor(kind, name, facts)
    failed = item.get("level") == "ERROR"
    record: Item = {
        "platform": PLATFORM,
        "interaction_id": trace,
        "processor": processor,
        "status": "error" if failed else "ok",
        "error_code": said(facts, ("error.type", "exception.type")) if failed else None,
    }
    if processor not in _COORDINATORS:
        model = text_of(item.get("model")) or text_of(item.get("providedModelName"))
        record["model"] = None if model == "unknown" else model
        record["provider"] = (said(facts, _PROVIDERS) or "").lower() or None
    part = Part(
        where, record, text_of(item.get("id")), text_of(item.get("parentObservationId")), start, end, facts, failed
    )
    used = {"traceId", "startTime", "endTime", "projectId"}
    if kind == "EVENT" or end is None:
        metric = _label(name) or "event" if kind == "EVENT" else f"{processor}.unfinished"
        record |= {"type": "event", "time": start.isoformat(), "metric_name": metric, "metric_type": kind.lower()}
    else:
        used |= {"id", "parentObservationId"}
        record |= {"type": "span", "span_id": part.id, "parent_id": part.parent}
        record |= {"start_time": start.isoformat(), "end_time": end.isoformat()}
        record |= _tokens(item) | {"cost_usd": _cost(item), "ttfb_ms": _ttfb(item, start, end)}
    record["attributes"] = rest(item, used)
    return part


def count_once(parts: list[Part]) -> None:
    """Take tokens and cost from every observation that holds another one stating the same."""
    by_id = {part.id: part for part in parts if part.id is not None}
    for name in _COUNTED:
        outer: set[str] = set()
        for part in parts:
            above = part.parent if part.record.get(name) is not None else None
            while above is not None and above in by_id and above not in outer:
                outer.add(above)
                above = by_id[above].parent
        for each in outer:
            record = by_id[each].record
            if record.pop(name, None) is not None:
                attributes = mapping_of(record["attributes"])
                attributes["counted_in_children"] = [*listed(attributes.get("counted_in_children")), name]


def _processor(kind: str, name: str, facts: Item) -> str:
    """The component: by type; for a plain SPAN by what its instrumentation says, else by its own name."""
    if kind not in {"SPAN", "EVENT"}:
        return _PROCESSORS.get(kind.lower(), kind.lower())
    for key in _KINDS:
        if found := _PROCESSORS.get((text_of(facts.get(key)) or "").lower()):
            return found
    if said(facts, AGENT_NAMES):
        return "agent"
    if _TOOL_NAME.match(name):
        return "execute_tool"
    word = "asr" if name.lower() == "stt" else name.lower()
    return word if word in _COMPONENTS else _label(name) or kind.lower()


def _label(name: str) -> str:
    """The name without what only tells one run from another: `iteration-2` and `iteration-3` are one component."""
    return _LONE_NUMBER.sub("n", _UUID.sub("id", name))[:80].strip()


def _tokens(item: Item) -> Item:
    details, old = mapping_of(item.get("usageDetails")), mapping_of(item.get("usage"))
    if details:
        counts = [_sum(details, "input"), _sum(details, "output")]
    else:
        counts = [
            first_number((item.get(f"{side}Usage"), item.get(f"{word}Tokens"), old.get(side), old.get(f"{word}Tokens")))
            for side, word in (("input", "prompt"), ("output", "completion"))
        ]
    if not any(counts):  # Langfuse writes 0 where it knows nothing.
        return {}
    unit = str(old.get("unit") or item.get("unit") or "TOKENS").upper()
    if unit == "CHARACTERS":
        return {"characters": sum(count for count in counts if count)}
    return {"input_tokens": counts[0], "output_tokens": counts[1]} if unit == "TOKENS" else {}


def _sum(details: Item, side: str) -> float | None:
    """What Langfuse itself shows for a side: all keys that begin with its name, such as input_cache_read."""
    found = [n for key, value in details.items() if key.startswith(side) and (n := number_of(value)) is not None]
    return sum(found) if found else None


def _cost(item: Item) -> float | None:
    details = mapping_of(item.get("costDetails"))
    parts = [n for key, value in details.items() if key != "total" and (n := number_of(value)) is not None]
    old = mapping_of(item.get("usage")).get("totalCost")
    stated = (details.get("total"), sum(parts) if parts else None)
    total = first_number((*stated, item.get("totalCost"), item.get("calculatedTotalCost"), old))
    if total == 0:
        priced = item.get("internalModelId") or item.get("modelId")
        return total if first_number(stated) is not None and priced and _tokens(item) else None
    return total


def _ttfb(item: Item, start: datetime, end: datetime) -> float | None:
    first = moment_of(item.get("completionStartTime"), "completionStartTime")
    if first is not None:
        return (first - start) / MILLISECOND if first >= start else None
    given, latency = number_of(item.get("timeToFirstToken")), number_of(item.get("latency"))
    if given is None or given < 0:
        return None
    # Seconds, but milliseconds in older exports: the latency beside it, against start and end, says which.
    duration = (end - start) / MILLISECOND
    older = latency is not None and abs(latency - duration) < abs(latency * 1_000 - duration)
    return given if older else round(given * 1_000, 3)
