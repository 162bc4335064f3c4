"""The canonical columns as CSV, one file per record type, the type in the file's name or in a `type` column."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator
from typing import BinaryIO

from talkscope.errors import IngestError, nearest
from talkscope.models.records import RECORDS, Field, RecordType, Refused
from talkscope.models.values import EPOCH_UNITS
from talkscope.warehouse.ingest import Found

NAME = "csv"
TITLE = "Talkscope's own records as CSV, one file per record type"
LATENCY_BASIS = "user-to-bot latency as the records state it"

LONGEST_CELL = 16 << 20
_MOST_COLUMNS = 1_000


def sniff(head: bytes) -> bool:
    """Whether the first line is a header with a session_id, or with all that records of some type need."""
    first = head.removeprefix(b"\xef\xbb\xbf").lstrip(b"\r\n").split(b"\n", 1)[0].decode("utf-8", "replace")
    if first.startswith(("{", "[")):
        return False
    header = {cell.strip().strip('"') for cell in re.split("[,;\t]", first)}
    return "session_id" in header or any(
        all(not field.required or _names(field) & header for field in fields) for fields in RECORDS.values()
    )


def read(stream: BinaryIO, kind: RecordType | None = None) -> Iterator[Found]:
    """Each row's record with the number of the line that it ends on; empty cells say nothing.

    Raises IngestError when the header is missing, is ambiguous or lacks a column that the type needs.
    """
    csv.field_size_limit(LONGEST_CELL)
    text = io.TextIOWrapper(stream, "utf-8-sig", errors="replace", newline="")
    try:
        first = text.readline(LONGEST_CELL)
        while first and not first.strip():
            first = text.readline(LONGEST_CELL)
        delimiter = max(",;\t", key=first.count)
        header = [cell.strip() for cell in next(csv.reader([first], delimiter=delimiter), [])]
        _check_header(header, kind)
        yield from _rows(text, delimiter, header, kind)
    finally:
        text.detach()


def _names(field: Field) -> set[str]:
    """What the column of a field may be called."""
    return {field.name, *(f"{field.name}_{unit}" for unit in EPOCH_UNITS if field.kind == "time")}


def _rows(text: Iterable[str], delimiter: str, header: list[str], kind: RecordType | None) -> Iterator[Found]:
    rows = csv.reader(text, delimiter=delimiter, strict=True)
    while True:
        try:
            cells = next(rows)
        except StopIteration:
            return
        except csv.Error as error:
            yield f"line {1 + rows.line_num}", Refused(f"is not CSV ({error})")
            continue
        where = f"line {1 + rows.line_num}"
        if not cells:
            continue
        if len(cells) != len(header):
            yield where, Refused(f"has {len(cells)} cells, and the header has {len(header)}")
            continue
        record: dict[str, object] = {name: cell for name, cell in zip(header, cells, strict=True) if cell != ""}
        if kind is not None and "type" not in record:
            record["type"] = kind
        yield where, record


def _check_header(header: list[str], kind: RecordType | None) -> None:
    if not any(header):
        raise IngestError("The CSV file is empty.", hint="Its first line names the columns.")
    if len(header) > _MOST_COLUMNS:
        raise IngestError(f"The CSV header has more than {_MOST_COLUMNS} columns.")
    if "" in header:
        raise IngestError(f"Column {header.index('') + 1} of the CSV header has no name.")
    twice = sorted({name for name in header if header.count(name) > 1})
    if twice:
        raise IngestError(f"The CSV header names {', '.join(twice)[:80]} twice.")
    if kind is None:
        if "type" not in header:
            raise IngestError(
                "Nothing says what type of record the CSV file holds.",
                hint="Name the file like sessions.csv, add a `type` column, or name the type (--type).",
            )
        return
    for field in RECORDS[kind]:
        if field.required and not _names(field) & {*header}:
            close = nearest(field.name, header)
            meant = (
                f"Is it the column {close!r}? Name it {field.name}." if close else "The first line names the columns."
            )
            raise IngestError(f"The CSV header has no {field.name}, which a {kind} needs.", hint=meant)
