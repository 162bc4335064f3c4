"""One span as a record: its component, provider, model, tokens, first byte and state."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from talkscope.warehouse.documents import Item, bounded, listed, mapping_of, number_of, text_of
from talkscope.warehouse.ingest.otlp.components import COORDINATORS, Sort, component, is_livekit
from talkscope.warehouse.ingest.otlp.wire import Span

PLATFORM = "otlp"
SECOND = 1_000_000_000
MESSAGES = {f"gen_ai.{role}.message" for role in ("system", "user", "assistant", "tool")} | {
    "gen_ai.choice",
    "gen_ai.content.prompt",
    "gen_ai.content.completion",
}
"""Span events that are the content of a call, which later conventions put into the span's attributes."""

_PROVIDERS = ("gen_ai.provider.name", "gen_ai.system", "llm.provider", "llm.system")
_MODELS = ("gen_ai.response.model", "gen_ai.request.model", "llm.model_name", "embedding.model_name")
_INPUT = ("gen_ai.usage.input_tokens", "gen_ai.usage.prompt_tokens", "llm.token_count.prompt")
_OUTPUT = ("gen_ai.usage.output_tokens", "gen_ai.usage.completion_tokens", "llm.token_count.completion")
_COSTS = ("gen_ai.usage.cost", "llm.cost.total")
_TTFB = ("metrics.ttfb", "gen_ai.response.time_to_first_chunk", "lk.response.ttft", "lk.response.ttfb")
_COUNTED = ("input_tokens", "output_tokens", "characters", "cost_usd")
_CANCELLED = ("cancelled", "cancellederror", "canceled")


@dataclass(slots=True)
class Part:
    """A span of a trace, and what the trace knows of it."""

    span: Span
    processor: str
    sort: Sort
    livekit: bool
    status: str
    error_code: str | None
    parent: Part | None = None
    holds: set[str] = field(default_factory=set)
    """The speech and models below it."""
    under_agent: bool = False
    work_of: Part | None = None
    """The component whose inner work it is: one attempt of it, or a library's request below it."""
    session: str | None = None
    turn: str | None = None

    @property
    def failed(self) -> bool:
        """Whether it ended in an error."""
        return self.status in {"error", "timeout"}

    @property
    def end(self) -> int:
        """When it ended, or began where that is all that is known."""
        return max(self.span.start, self.span.end or 0)

    def says(self, keys: Iterable[str]) -> str | None:
        """The first text that it has under one of the keys."""
        return said(self.span.attributes, keys)

    def number(self, key: str) -> float | None:
        """The number that it has under a key."""
        facts = self.span.attributes
        return number_of(facts[key]) if key in facts else None

    def flag(self, key: str) -> bool:
        """Whether it has a true value under a key."""
        return self.span.attributes.get(key) in (True, "true", "True")


def said(facts: Item, keys: Iterable[str]) -> str | None:
    """The first text that is there under one of the keys."""
    for key in keys:
        if key in facts and (found := text_of(facts[key])):
            return found
    return None


def part_of(span: Span) -> Part:
    """The span with its component and its state."""
    livekit = is_livekit(span)
    processor, sort = component(span, livekit)
    code = said(span.attributes, ("error.type",))
    raised = next((said(facts, ("exception.type",)) for _, name, facts in span.events if name == "exception"), None)
    failed = span.failed or code is not None or span.attributes.get("lk.function_tool.is_error") is True
    why = code or raised or said(span.attributes, ("http.response.status_code", "rpc.grpc.status_code"))
    if failed and (why or "").rpartition(".")[2].lower() in _CANCELLED:
        status = "cancelled"
    elif failed:
        status = "timeout" if "timeout" in (why or "").lower() else "error"
    else:
        cut = span.attributes.get("tts.interrupted") is True or _metrics(span).get("cancelled") is True
        status = "cancelled" if cut else "ok"
    return Part(span, processor, sort, livekit, status, why if failed else None)


def record_of(part: Part, service: str | None) -> Item:
    """The span's record, or the event that it is when it has no end."""
    span, facts = part.span, part.span.attributes
    record: Item = {
        "platform": PLATFORM,
        "session_id": part.session,
        "interaction_id": part.turn,
        "processor": part.processor,
        "status": part.status,
        "error_code": part.error_code,
        "attributes": _attributes(span, service),
    }
    if part.processor not in COORDINATORS:
        record |= _vendor(part)
    if span.end is None:
        record |= {"type": "event", "time_ns": span.start, "metric_name": f"{part.processor}.unfinished"}
        mapping_of(record["attributes"])["span_id"] = span.key
        return record
    record |= {"type": "span", "span_id": span.key, "start_time_ns": span.start, "end_time_ns": span.end}
    record["parent_id"] = f"{span.trace}:{span.parent}" if span.parent else None
    record |= {
        "input_tokens": _count(facts, _INPUT),
        "output_tokens": _count(facts, _OUTPUT),
        "characters": _characters(span),
        "cost_usd": _first(facts, _COSTS),
        "ttfb_ms": _ttfb(span),
    }
    return record


def count_once(parts: Iterable[tuple[Part, Item]]) -> None:
    """Take tokens and cost from every span that holds another one stating the same."""
    records = {id(part): record for part, record in parts}
    for name in _COUNTED:
        outer: dict[int, Item] = {}
        for part, record in parts:
            above = part.parent if record.get(name) is not None else None
            while above is not None and id(above) not in outer:
                outer[id(above)] = records.get(id(above), {})
                above = above.parent
        for record in outer.values():
            if record.pop(name, None) is not None:
                facts = mapping_of(record["attributes"])
                facts["counted_in_children"] = [*listed(facts.get("counted_in_children")), name]


def _vendor(part: Part) -> Item:
    provider, model = (part.says(_PROVIDERS) or "").lower(), part.says(_MODELS)
    known = provider if provider not in {"", "unknown"} else None
    return {
        "provider": known,
        "voice_provider": known if part.processor == "tts" else None,
        "model": None if model == "unknown" else model,
    }


def _metrics(span: Span) -> Item:
    """LiveKit's metrics of a call, which lie in one of its span's attributes as JSON."""
    for name in ("lk.llm_metrics", "lk.tts_metrics"):
        if name in span.attributes:
            return mapping_of(span.attributes[name])
    return {}


def _ttfb(span: Span) -> float | None:
    facts, metrics = span.attributes, _metrics(span)
    seconds = _first(facts, _TTFB)
    if seconds is None:
        seconds = _first(metrics, ("ttft", "ttfb"))
    if seconds is None and (delay := number_of(facts.get("lk.transcription_delay"))):  # LiveKit's 0 is an unknown one
        seconds = delay
    return None if seconds is None or seconds < 0 else round(seconds * 1_000, 6)  # LiveKit's -1 is never


def _characters(span: Span) -> float | None:
    stated = _count(span.attributes, ("metrics.character_count",))
    return _count(_metrics(span), ("characters_count",)) if stated is None else stated


def _first(facts: Item, keys: tuple[str, ...]) -> float | None:
    """The first number that is there under one of the keys."""
    for key in keys:
        if key in facts and (found := number_of(facts[key])) is not None:
            return found
    return None


def _count(facts: Item, keys: tuple[str, ...]) -> float | None:
    found = _first(facts, keys)
    return found if found is not None and found >= 0 and found == int(found) else None


def _attributes(span: Span, service: str | None) -> Item:
    messages = [{"event": name, **facts} for _, name, facts in span.events if name in MESSAGES]
    own = {
        "name": span.name,
        "kind": None if span.kind == "internal" else span.kind,
        "otel.scope.name": span.scope,
        "service.name": service,
        "status_message": span.message,
        "messages": bounded(messages) if messages else None,
        "links": span.links,
    }
    said_so = {key: value for key, value in own.items() if value}
    # An attribute of the same name is another thing.
    clash = {f"attribute.{key}": span.attributes[key] for key in said_so if key in span.attributes}
    return {**span.more, **span.attributes, **clash, **said_so}
