"""What LiveKit's agents log as records: a speech is an interaction, its metrics are spans and events.

Taken: metrics objects (`metrics.model_dump()`) and the events of an agent's session (`event.model_dump()`), one a line
or in lists, with the room's or job's id beside them, and reports of whole sessions (`SessionReport.to_dict()`).

What is decided here and not by the format:
- Metrics and events name no session. It is the `session_id`, `room_id`, `job_id` or `room_name` on the object or around
  it, the first of these that is there; without one the object is refused.
- A turn begins when the user stops to speak. In metrics it is the speech, in a conversation the first answer's item;
  where a file has both, the turn is the speech whose user fell silent at the same moment.
- A report and a conversation tell waits, not lengths: the spans of `llm` and `tts` run until the first token and the
  first audio, backwards from when the agent spoke. Where the file has the metrics of the speech, these are the spans.
- What streams has no length: streaming speech-to-text is the event `asr.audio`, with its seconds of audio.
- -1 is never, a delay of 0 at the end of the user's words was not noticed, and no tokens at all are unknown tokens.
- What was cancelled or interrupted is no error, and neither is an error that LiveKit tries again after.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import BinaryIO

import orjson

from talkscope.models.records import RECORDS, RecordType, Refused
from talkscope.warehouse.documents import Found, Item, documents, mapped, mapping_of
from talkscope.warehouse.ingest.livekit.book import Book
from talkscope.warehouse.ingest.livekit.fields import BESIDE, PLATFORM, home_of
from talkscope.warehouse.ingest.livekit.metrics import METRICS

NAME = PLATFORM
TITLE = "LiveKit agents' metrics, session events and session reports (JSON or NDJSON)"
LATENCY_BASIS = (
    "LiveKit's e2e_latency, from the end of the user's words to the first of the agent's, where it is stated; else the "
    "end-of-utterance delay, the model's time to first token and the voice's time to first byte together, unknown when "
    "one of them is"
)

_AROUND = ("metrics", "event", "ev", "report", "session_report", "data", "payload", "records")
_EVENTS = frozenset(
    "user_state_changed agent_state_changed user_input_transcribed user_transcription_timeout conversation_item_added "
    "agent_false_interruption overlapping_speech function_tools_executed session_usage_updated speech_created "
    "tool_execution_updated error close debug_message user_turn_exceeded eot_prediction".split()
)
_DEEPEST = 5
_BOM = b"\xef\xbb\xbf"
_TYPED = re.compile(rb'(?<!\\)"type":"(?:%b)"' % b"|".join(kind.encode() for kind in sorted(METRICS)))
_REPORTED = re.compile(rb'"job_id":"[^"]*","room_id":"[^"]*","room":(?:"[^"]*"|null),"events":\[')
_FOREIGN = (b'"resourceSpans":', b'"traceId":', b'"parentObservationId":', b'"parent_observation_id":')


def sniff(head: bytes) -> bool:
    """Whether a file that begins like this is what LiveKit's agents log."""
    text = re.sub(rb"\s+", b"", head[:65_536].removeprefix(_BOM))
    if not text.startswith((b"{", b"[")) or any(mark in text for mark in _FOREIGN):
        return False
    try:
        first: object = orjson.loads(head.removeprefix(_BOM).lstrip().split(b"\n", 1)[0])
    except orjson.JSONDecodeError:
        return bool(_TYPED.search(text) or _REPORTED.search(text))
    if isinstance(first, dict) and first.get("type") in RECORDS:
        return False
    if any(kind != "event" or each["type"] == "conversation_item_added" for _, kind, each in _within(first, {})):
        return True
    # The first lines of a log of events say little; a metrics object or an item of the conversation soon follows.
    return any(True for _ in _within(first, {})) and bool(
        _TYPED.search(text) or b'"type":"conversation_item_added"' in text or b'_state_changed","old_state"' in text
    )


def read(stream: BinaryIO, _kind: RecordType | None = None) -> Iterator[Found]:
    """Each record of the log with its place, and each item that cannot be mapped with the reason.

    Raises IngestError when nothing in the file is of LiveKit's.
    """
    book = Book()

    def take(place: str, value: object) -> Iterator[Found] | None:
        parts = list(_within(value, {}))
        return _taken(book, place, parts) if parts else None

    yield from mapped(
        documents(stream),
        take,
        stranger=lambda _: "is no metrics, event or report of LiveKit's",
        nothing="The file is no log of LiveKit's agents",
        hint="Log each metrics object as JSON with the room's id beside it, or write the session's report.",
    )
    yield from book.close()


def _taken(book: Book, place: str, parts: list[tuple[Item, str, Item]]) -> Iterator[Found]:
    takes = {"metric": book.metric, "event": book.event, "report": book.report}
    for number, (beside, kind, item) in enumerate(parts, 1):
        where = place if number == 1 else f"{place}, item {number}"
        try:
            yield from takes[kind](where, item, home_of(beside))
        except Refused as refusal:
            yield where, refusal


def _within(value: object, beside: Item, depth: int = 0) -> Iterator[tuple[Item, str, Item]]:
    """Each object of LiveKit's in a value with the ids around it and what it is, out of whatever holds it."""
    if depth > _DEEPEST:
        return
    if isinstance(value, list):
        for each in value:
            yield from _within(each, beside, depth + 1)
    elif isinstance(value, dict):
        beside = {**beside, **{name: value[name] for name in BESIDE if value.get(name)}}
        kind = _kind_of(value)
        if kind:
            yield beside, kind, value
            return
        for name in _AROUND:
            if isinstance(value.get(name), dict | list):
                yield from _within(value[name], beside, depth + 1)


def _kind_of(item: Item) -> str | None:
    if isinstance(mapping_of(item.get("chat_history")).get("items"), list):
        return "report"
    kind = item.get("type")
    if not isinstance(kind, str):
        return None
    return "metric" if kind in METRICS else "event" if kind in _EVENTS and "created_at" in item else None
