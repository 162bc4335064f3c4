"""What tests of records need: each record held to the vocabulary, and read as the warehouse would read it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any

import orjson

from talkscope.models.records import ID_OF, RECORDS, check, micros
from talkscope.platforms.recording import Record

Row = dict[str, Any]


def us(text: str) -> int:
    """The moment in microseconds."""
    return micros(datetime.fromisoformat(text))


def rows(make: Callable[[], Iterable[Record]]) -> list[Row]:
    """The records as rows, JSON columns opened and what is null left out, having been made alike twice.

    Each must be a line of JSON that the checker takes, with names of the vocabulary only, and an id of its own.
    """
    records = list(make())
    assert records == list(make())
    found: list[Row] = []
    ids: list[tuple[str, object]] = []
    for raw in records:
        kind, row = check(orjson.loads(orjson.dumps(raw)))
        fields = {field.name: field.kind for field in RECORDS[kind]}
        assert set(raw) - {"type"} <= set(fields), f"{set(raw) - {'type'} - set(fields)} is no field of {kind}"
        said = {name: value for name, value in row.items() if value is not None}
        found.append({"type": kind} | {name: _opened(fields[name], value) for name, value in said.items()})
        ids += [(kind, said[ID_OF[kind]])] if ID_OF[kind] in said else []
    assert len(set(ids)) == len(ids), "two records have one id"
    return found


def of(found: Iterable[Row], kind: str) -> list[Row]:
    """The rows of one type."""
    return [row for row in found if row["type"] == kind]


def one(found: Iterable[Row], kind: str) -> Row:
    """The only row of a type."""
    (row,) = of(found, kind)
    return row


def figures(found: Iterable[Row], *dimensions: str) -> dict[object, Any]:
    """Values of snapshots by metric, or by metric and dimensions."""
    return {
        (row["metric"], *(row.get("dimensions", {}).get(each) for each in dimensions)) if dimensions else row["metric"]:
        row["value"] for row in of(found, "snapshot")
    }  # fmt: skip


def _opened(kind: str, value: object) -> object:
    return orjson.loads(value) if kind == "json" and isinstance(value, str) else value
