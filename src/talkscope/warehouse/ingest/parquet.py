"""The canonical columns as Parquet, one file per record type, read by a child process that is held in."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from talkscope.models.records import RecordType
from talkscope.warehouse import unparquet
from talkscope.warehouse.ingest import Found

NAME = "parquet"
TITLE = "Talkscope's own records as Parquet, one file per record type"
LATENCY_BASIS = "user-to-bot latency as the records state it"


def sniff(head: bytes) -> bool:
    """Whether the file begins as Parquet does."""
    return head.startswith(b"PAR1")


def read(stream: BinaryIO, kind: RecordType | None = None) -> Iterator[Found]:
    """Each row's record with its number; raises IngestError when the file is no Parquet that can be read."""
    with tempfile.TemporaryDirectory(prefix="talkscope-") as folder:
        # A copy, because the file may come out of a pipe or gzip, and the child is let see this folder only.
        copy = Path(folder) / "input.parquet"
        with copy.open("wb") as file:
            shutil.copyfileobj(stream, file, 1 << 20)
        for number, record in unparquet.rows(copy):
            if isinstance(record, dict) and kind is not None and record.get("type") is None:
                record["type"] = kind
            yield f"row {number}", record
