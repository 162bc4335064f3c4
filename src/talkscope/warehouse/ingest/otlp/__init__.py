"""OpenTelemetry traces as records: OTLP in JSON, with GenAI conventions old and new, LiveKit's spans and Pipecat's.

Taken: ExportTraceServiceRequest as JSON, one a line as the collector's file exporter writes it, or one or a list of
them as a file; camelCase or snake_case, ids in hex or base64. The pieces of a trace are put together across the whole
file. Spans wait for that in memory up to 128 MiB, then in temporary files: memory is bounded by the greatest of that,
a sixty-fourth of the file and its largest trace. A file that is one JSON value is read as a whole.

What is decided here and not by the format:
- Session: what `gen_ai.conversation.id`, `conversation.id`, `session.id`, `langfuse.session.id` or `lk.job_id` (for
  LiveKit Cloud also `job_id`) names. The outermost span that names one has the word for all below it; a span below none
  is in the session that its trace or its resource names; a trace without any is a session of its own.
- Turn: Pipecat's `turn`; for LiveKit all of one `lk.speech_id`, with the user's turn that it answers; each outermost
  `invoke_agent` of a trace whose agents hold speech; else the trace. What lies outside the turns of a trace is in none.
- The spans that are a session or a turn themselves (`conversation`, `turn`, `job_entrypoint`, `agent_session`) become
  that record, so that time which nothing explains is not explained by them.
- Latency: `turn.user_bot_latency_seconds`, or `lk.e2e_latency`, or LiveKit's three stages summed. A Pipecat or LiveKit
  turn without them has an unknown one. For an agent's turn or a trace it is its own span. `latency_basis` in the turn's
  attributes says which. A measured turn starts when the user stopped speaking, as far as the spans tell (the agent's
  first word less the latency, or the transcriber's end less its first byte), so that the wait can be attributed; its
  attributes keep `turn_start`.
- A turn failed when its outermost span did. Pipecat and LiveKit mark no turn as failed: theirs did when something in it
  failed and nothing was spoken.
- Span ids are `trace:span`, since OpenTelemetry's are unique inside a trace only.
- The inner work of one call (an HTTP client's request below a model's span, LiveKit's `llm_request_run`) is an event
  with its duration, `llm.http` or `llm.attempt`, so that the call remains one span, the innermost, with its model.
  Requests, queries and messages elsewhere are spans: `http`, `database`, `rpc`, `messaging`, and `transport` where a
  server took them in. A trace in which nothing is of a conversation, an agent or a model is refused.
- Tokens, characters and cost count once, with the innermost span that states them, and the outer one says so.
- Span events are events. Messages (`gen_ai.user.message`, `gen_ai.choice`) go to their span's attributes as later
  conventions have them: each call repeats the conversation. An evaluation that says how a session ended (a rating, a
  resolution, a sentiment) is its outcome, any other one an event.
- A session has an end only where a span of the session itself has one. Trace flags are left out.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from contextlib import ExitStack
from typing import BinaryIO

from talkscope.models.records import RecordType, Refused, canonical
from talkscope.warehouse.documents import Found, Item, documents, items, mapped, mapping_of
from talkscope.warehouse.ingest.otlp import wire
from talkscope.warehouse.ingest.otlp.book import Book
from talkscope.warehouse.ingest.otlp.gather import Traces
from talkscope.warehouse.ingest.otlp.parts import PLATFORM
from talkscope.warehouse.ingest.otlp.tree import tree

NAME = PLATFORM
TITLE = "OpenTelemetry traces as OTLP JSON (GenAI conventions, LiveKit agents, Pipecat)"
LATENCY_BASIS = (
    "user-to-bot latency where the spans measure it (Pipecat's turn.user_bot_latency_seconds, LiveKit's lk.e2e_latency)"
    ", else the agent's turn's or the trace's own span; latency_basis in a turn's attributes says which"
)

_BOM = b"\xef\xbb\xbf"
_REQUEST = re.compile(rb'"(resourceSpans|resource_spans)":\[')


def sniff(head: bytes) -> bool:
    """Whether a file that begins like this holds OTLP traces."""
    text = re.sub(rb"\s+", b"", head[:65_536].removeprefix(_BOM))
    return text.startswith((b"{", b"[")) and _REQUEST.search(text) is not None


def read(stream: BinaryIO, _kind: RecordType | None = None) -> Iterator[Found]:
    """Each record of the traces with its place, and each span or trace that cannot be mapped with the reason.

    Raises IngestError when nothing in the file is a request of traces.
    """
    with ExitStack() as stack:
        traces, resources, book = Traces(stack), dict[str, Item](), Book()
        yield from _gather(stream, traces, resources)
        for spans in traces:
            found = tree(spans, resources)
            if found is None:
                reason = "belongs to no conversation: nothing in it names a session, an agent or a model"
                yield f"trace {spans[0].trace} ({len(spans)} spans)", Refused(reason)
            else:
                yield from book.take(found)
        yield from book.close()


def _gather(stream: BinaryIO, traces: Traces, resources: dict[str, Item]) -> Iterator[Found]:
    """Put every span of the file with its trace; what is none is refused."""

    def take(place: str, value: object) -> Iterator[Found] | None:
        holds = isinstance(value, dict) and not value.keys().isdisjoint(wire.SPANS)
        return _spans(place, mapping_of(value), traces, resources) if holds else None

    yield from mapped(
        _values(stream),
        take,
        stranger=_stranger,
        nothing="The file holds no OTLP traces",
        hint="Export traces as JSON with the OpenTelemetry collector's file exporter, or name the file's format.",
    )


def _values(stream: BinaryIO) -> Iterator[tuple[str, object]]:
    for place, value in documents(stream):
        yield from items(place, value)


def _spans(place: str, request: Item, traces: Traces, resources: dict[str, Item]) -> Iterator[Found]:
    number = 0
    for facts, scope, spans in wire.holders(request):
        resource = hashlib.blake2b(canonical(facts).encode(), digest_size=8).hexdigest()
        resources.setdefault(resource, facts)
        for raw in spans:
            number += 1
            try:
                traces.add(wire.span(raw, scope, resource))
            except Refused as refusal:
                yield f"{place}, span {number}", refusal


def _stranger(value: object) -> str:
    held = next((signal for name, signal in wire.SIGNALS.items() if isinstance(value, dict) and name in value), None)
    return f"holds {held}, not traces" if held else "is no request of OTLP traces"
