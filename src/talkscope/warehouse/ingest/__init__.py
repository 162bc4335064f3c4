"""What can be loaded: one module per format, each with NAME, TITLE, LATENCY_BASIS, `sniff` and `read`.

`read` takes the bytes of one file and the record type that its name or the caller says, and yields each record as a
plain mapping with its place in the file, or a `Refused` with the reason. It raises IngestError when the file is nothing
of the format at all.
"""

from __future__ import annotations

import importlib
import re
from collections.abc import Iterator, Mapping
from typing import BinaryIO, Protocol, TypeAlias, cast

from talkscope.errors import unknown
from talkscope.models.records import TABLE_OF, RecordType, Refused

Found: TypeAlias = "tuple[int | str, Mapping[str, object] | Refused]"
"""A record and its place in the file; a number is that of a line."""


class Importer(Protocol):
    """One format's module."""

    NAME: str
    TITLE: str
    LATENCY_BASIS: str

    def sniff(self, head: bytes, /) -> bool:
        """Whether a file that begins like this is of the format."""

    def read(self, stream: BinaryIO, kind: RecordType | None = None, /) -> Iterator[Found]:
        """Each record with its place; `kind` is the type of records that do not name one."""


FORMATS: Mapping[str, str] = {
    "parquet": "talkscope.warehouse.ingest.parquet",
    "otlp": "talkscope.warehouse.ingest.otlp",
    "livekit": "talkscope.warehouse.ingest.livekit",
    "pipecat": "talkscope.warehouse.ingest.pipecat",
    "langfuse": "talkscope.warehouse.ingest.langfuse",
    "vapi": "talkscope.warehouse.ingest.vapi",
    "retell": "talkscope.warehouse.ingest.retell",
    "ndjson": "talkscope.warehouse.ingest.ndjson",
    "csv": "talkscope.warehouse.ingest.csv",
}
"""Format names and their modules, in the order in which they look at a file."""

_SUFFIXES = {".ndjson": "ndjson", ".jsonl": "ndjson", ".csv": "csv", ".parquet": "parquet"}
_NAMES = {word.lower(): kind for kind, table in TABLE_OF.items() for word in (kind, f"{kind}s", table)}
_NAMED = re.compile(rf"({'|'.join(_NAMES)})(?![a-z])", re.IGNORECASE)


def importer(name: str) -> Importer:
    """The module of a format; UnknownName when there is none of that name."""
    if name not in FORMATS:
        raise unknown("format", name, FORMATS)
    return cast("Importer", importlib.import_module(FORMATS[name]))


def detect(head: bytes, name: str) -> str | None:
    """The format of a file by its first bytes, or else by its name; None when it is nothing that is known."""
    for each in FORMATS:
        if importer(each).sniff(head):
            return each
    return next((found for suffix, found in _SUFFIXES.items() if name.lower().endswith(suffix)), None)


def type_of(name: str) -> RecordType | None:
    """The record type that a file's name says: `span.ndjson`, `live-support.csv.gz`, `events-2026-03.parquet`."""
    found = _NAMED.match(name.replace("\\", "/").rpartition("/")[2].replace("-", "_"))
    return _NAMES[found[1].lower()] if found else None
