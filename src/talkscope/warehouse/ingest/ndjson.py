"""The canonical form: NDJSON, one record a line, its type under `type` or in the file's name."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import BinaryIO

import orjson

from talkscope.models.records import RECORDS, RecordType, Refused
from talkscope.warehouse.ingest import Found

NAME = "ndjson"
TITLE = "Talkscope's own records as NDJSON, one a line"
LATENCY_BASIS = "user-to-bot latency as the records state it"

LONGEST_LINE = 16 << 20
_BOM = b"\xef\xbb\xbf"
_LINES_TO_TRY = 5


def sniff(head: bytes) -> bool:
    """Whether one of the first lines is a record that names a type of ours."""
    lines = [line for line in head.removeprefix(_BOM).split(b"\n") if line.strip()]
    for line in lines[:_LINES_TO_TRY]:
        try:
            value = orjson.loads(line)
        except orjson.JSONDecodeError:
            # The first line may be longer than what there is of it.
            if line is lines[0] and len(lines) == 1:
                return any(b'"type":"%s"' % kind.encode() in line[:200].replace(b" ", b"") for kind in RECORDS)
            continue
        if isinstance(value, dict) and isinstance(value.get("type"), str) and value["type"] in RECORDS:
            return True
    return False


def read(stream: BinaryIO, kind: RecordType | None = None) -> Iterator[Found]:
    """Each line's record, with the line's number; a line that is no JSON object or over 16 MiB is refused."""
    number = 0
    while line := stream.readline(LONGEST_LINE + 1):
        number += 1
        if len(line) > LONGEST_LINE:
            while line and not line.endswith(b"\n"):
                line = stream.readline(LONGEST_LINE)
            yield number, Refused(f"is longer than {LONGEST_LINE >> 20} MiB")
            continue
        try:
            value = orjson.loads(line)
        except orjson.JSONDecodeError:
            value = _patiently(line.removeprefix(_BOM) if number == 1 else line)
            if value is None:
                continue
        if type(value) is dict:
            if kind is not None and "type" not in value:
                value["type"] = kind
            yield number, value
        else:
            yield number, value if isinstance(value, Refused) else Refused("is not a JSON object")


def _patiently(line: bytes) -> object:
    """A line that the quick parser refused: nothing at all, broken characters, or no JSON."""
    if not line.strip():
        return None
    try:
        return json.loads(line.decode("utf-8", "replace"))
    except RecursionError:
        return Refused("is nested too deeply")
    except ValueError as error:
        return Refused(f"is not JSON ({str(error)[:80]})")
