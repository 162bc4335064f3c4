"""Single rows, the newest first, without what is about people unless that may be shown."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from pydantic import BaseModel

from talkscope.models.answers import Cell
from talkscope.models.records import micros
from talkscope.models.window import iso
from talkscope.tools.vendor import Reach
from talkscope.tools.vendor.said import written

_SHOWN = "The newest {} of {} rows; raise limit for more."
_HIDDEN = "What is about people is hidden; whoever set Talkscope up can show it with TALKSCOPE_REVEAL_PERSONAL_DATA=1."


def listed(
    reach: Reach, found: Sequence[BaseModel], fields: Sequence[str], *, newest: str, limit: int
) -> list[list[Cell]]:
    """The rows' fields as cells."""
    ordered = sorted(found, key=lambda row: micros(getattr(row, newest)), reverse=True)[:limit]
    if len(ordered) < len(found):
        reach.note(_SHOWN.format(len(ordered), len(found)))
    reach.note(*[] if reach.reveal or not found else [_HIDDEN])
    return [[_cell(reach.shown(row, name)) for name in fields] for row in ordered]


def _cell(value: object) -> Cell:
    if isinstance(value, str):
        return value or None
    if value is None or (isinstance(value, int | float) and not isinstance(value, bool)):
        return value
    if isinstance(value, datetime):
        return iso(micros(value))
    if isinstance(value, tuple):
        return ", ".join(map(str, value)) or None
    return written(value) if value else None
