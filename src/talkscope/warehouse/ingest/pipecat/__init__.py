"""Pipecat's metrics as records: what a processor did is a span, what it measured beside that an event.

Taken, as NDJSON or lists: dumps of the metrics in a MetricsFrame (`metric.model_dump()`), RTVI `metrics` messages,
dumps of a LatencyBreakdown, and what the observers' handlers `on_latency_measured` and `on_turn_ended` are told. None
of these names a session or a time: both stand beside them, and the turn where it is known.

What is decided here and not by the format:
- Dumps do not name their class. Most are known by their fields; a processor and a number may be four things, and are
  refused unless the class's name stands beside them.
- One request of a processor is one span: its processing time is the span's length, and the time to first byte, tokens
  and characters that were told meanwhile are the span's. A time to first byte without a processing time is a span that
  lasts until then; what was used outside of any span is an event.
- TTFA, TTFAT and a LatencyBreakdown repeat the TTFB: it counts once.
- Seconds of audio are told as they come, and add up. Zeros, with which a pipeline announces its processors, are none.
- A turn begins when the user stops to speak. Where no turn is named, each measured latency is a turn.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import BinaryIO

import orjson

from talkscope.models.records import RECORDS, RecordType, Refused
from talkscope.warehouse.documents import Found, Item, documents, mapped
from talkscope.warehouse.ingest.pipecat.book import Book
from talkscope.warehouse.ingest.pipecat.fields import PLATFORM
from talkscope.warehouse.ingest.pipecat.kinds import within

NAME = PLATFORM
TITLE = "Pipecat's metrics, latency breakdowns and RTVI metrics messages (JSON or NDJSON)"
LATENCY_BASIS = (
    "Pipecat's user-to-bot latency, from the end of the user's words to the bot's first, as its observer measures it; "
    "unknown for turns of which only metrics are logged"
)

_BOM = b"\xef\xbb\xbf"
_CLASS = re.compile(
    rb'(?<!\\)"(?:TTFB|TTFA|TTFAT|Processing|LLMUsage|TTSUsage|STTUsage|TextAggregation|SmartTurn|Turn)MetricsData"'
    rb'|(?<!\\)"LatencyBreakdown"'
)
_FIELD = re.compile(
    rb'(?<!\\)"(?:ttfat?|e2e_processing_time_ms|leading_silence|thinking_time|audio_seconds|duration_secs|'
    rb'completion_tokens)":'
)
_TOLD = (b"user_turn_secs", b"latency_seconds", b"user_bot_latency_seconds", b"user_bot_latency", b"was_interrupted")
_FOREIGN = (b'"resourceSpans":', b'"traceId":', b'"parentObservationId":', b'"parent_observation_id":')


def sniff(head: bytes) -> bool:
    """Whether a file that begins like this is of Pipecat's metrics."""
    plain = head[:65_536].removeprefix(_BOM)
    text = re.sub(rb"\s+", b"", plain)
    if not text.startswith((b"{", b"[")) or any(mark in text for mark in _FOREIGN):
        return False
    try:
        first = orjson.loads(plain.lstrip().split(b"\n", 1)[0])
    except orjson.JSONDecodeError:
        first = None
    if isinstance(first, dict) and first.get("type") in RECORDS:
        return False
    if _CLASS.search(text) or any(b'"%b":' % name in text for name in _TOLD):
        return True
    return (b'"rtvi-ai"' in text and b'"type":"metrics"' in text) or bool(
        b'"processor":' in text and _FIELD.search(text)
    )


def read(stream: BinaryIO, _kind: RecordType | None = None) -> Iterator[Found]:
    """Each record of the log with its place, and each item that cannot be mapped with the reason.

    Raises IngestError when nothing in the file is of Pipecat's.
    """
    book = Book()

    def take(place: str, value: object) -> Iterator[Found] | None:
        parts = list(within(value, {}))
        return _taken(book, place, parts) if parts else None

    yield from mapped(
        documents(stream),
        take,
        stranger=lambda _: "is no metric of Pipecat's",
        nothing="The file is no log of Pipecat's metrics",
        hint="Log each metric's model_dump() with its class, the session and the time beside it.",
    )
    yield from book.close()


def _taken(book: Book, place: str, parts: list[tuple[str | Refused, Item, Item]]) -> Iterator[Found]:
    for number, (kind, item, beside) in enumerate(parts, 1):
        where = place if number == 1 else f"{place}, item {number}"
        if isinstance(kind, Refused):
            yield where, kind
            continue
        try:
            yield from book.take(where, kind, item, beside)
        except Refused as reason:
            yield where, reason
