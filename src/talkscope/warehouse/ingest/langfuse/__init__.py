"""Langfuse exports as records: a trace is an interaction, its observations are spans, its scores outcomes or events.

Taken: `{trace, observations}` as the web page downloads it, traces with embedded observations and scores as the API
answers them, and traces, observations or scores by themselves; as one object, a list, an API page or NDJSON, in
camelCase or in the snake_case of scheduled exports. Pieces of one trace are put together across the whole file, so
that a file of traces and one of their observations are best loaded as one (`cat traces.jsonl observations.jsonl`).

What is decided here and not by the format:
- A trace without a session is a session of its own, with the trace's id. A session runs from the first to the last
  moment of its traces; scores, which are often given days later, do not extend it.
- An observation without an end has no duration, and 0 would be a lie: it becomes the event `<processor>.unfinished`
  with its tokens and cost in the attributes. Observations of type EVENT are events too.
- Tokens and cost count once: where an observation and one inside it both state them, the inner one keeps them and the
  outer one says so in its attributes (Langfuse's own totals add both). A cost of 0 is a cost only where Langfuse found
  a price for the model and tokens were used, else it is unknown.
- A turn failed when its outermost observation did: a tool that failed inside a turn that went on is a failed span.
- Texts of more than 4,000 characters are cut, and say by how much.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import BinaryIO

from talkscope.models.records import RecordType
from talkscope.warehouse.documents import Found, documents, items, mapped
from talkscope.warehouse.ingest.langfuse.fields import PLATFORM
from talkscope.warehouse.ingest.langfuse.traces import Book, kind_of

NAME = PLATFORM
TITLE = "Langfuse traces, observations and scores (JSON or NDJSON, from the web page, the API or scheduled exports)"
LATENCY_BASIS = (
    "the trace's own span, from its first observation's start to its last one's end (else its root observation's): "
    "not a measured user-to-bot latency"
)

_BOM = b"\xef\xbb\xbf"
_OBSERVED = (b'"parentObservationId":', b'"parent_observation_id":', b'"observationId":', b'"observation_id":')
_TRACED = b"sessionId session_id userId user_id release version public bookmarked tags projectId htmlPath".split()


def sniff(head: bytes) -> bool:
    """Whether a file that begins like this is a Langfuse export."""
    text = re.sub(rb"\s+", b"", head[:65_536].removeprefix(_BOM))
    if not text.startswith((b"{", b"[")) or b'"resourceSpans"' in text:
        return False
    if any(key in text for key in _OBSERVED) or re.match(rb'\[?\{"trace":\{', text):
        return True
    return b'"timestamp":' in text and sum(b'"%s":' % key in text for key in _TRACED) >= 3


def read(stream: BinaryIO, _kind: RecordType | None = None) -> Iterator[Found]:
    """Each record of the export with its place, and each item that cannot be mapped with the reason.

    Raises IngestError when nothing in the file is a trace, an observation or a score.
    """
    book = Book()

    def take(_place: str, value: object) -> Iterator[Found] | None:
        return book.take(value) if isinstance(value, dict) and kind_of(value) else None

    yield from mapped(
        _values(stream),
        take,
        stranger=lambda _: "is no trace, observation or score of Langfuse",
        nothing="The file is no Langfuse export",
        hint="Export traces or observations as JSON or JSONL, or name the file's format.",
    )
    yield from book.close()


def _values(stream: BinaryIO) -> Iterator[tuple[str, object]]:
    """Every object in the file with its place, out of the lists and API pages that hold it."""
    for place, value in documents(stream):
        alone = isinstance(value, dict) and value.keys() <= {"observations", "scores", "meta"}
        pages = ("data", "traces", "observations", "scores") if alone else ("data", "traces")
        yield from items(place, value, pages)
