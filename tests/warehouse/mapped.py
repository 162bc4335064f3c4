"""What a file of some format becomes, checked as a load checks it."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterator
from typing import Any, BinaryIO

from talkscope.models.records import RECORDS, Refused, check
from talkscope.warehouse.ingest import Found


class Mapped:
    """The checked rows of a file by type, attributes opened, and what was refused."""

    def __init__(self, read: Callable[[BinaryIO], Iterator[Found]], content: bytes) -> None:
        self.rows: dict[str, list[dict[str, Any]]] = {kind: [] for kind in RECORDS}
        self.refused: dict[str, str] = {}
        for where, raw in read(io.BytesIO(content)):
            try:
                if isinstance(raw, Refused):
                    raise raw
                kind, row = check(raw)
            except Refused as refusal:
                self.refused[str(where)] = str(refusal)
            else:
                self.rows[kind].append({**row, "attributes": json.loads(str(row["attributes"] or "{}"))})

    def one(self, kind: str, **fields: object) -> dict[str, Any]:
        """The only row of that type with these fields."""
        (row,) = (row for row in self.rows[kind] if fields.items() <= row.items())
        return row
