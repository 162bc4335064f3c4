"""Answers that are safe to show to others: cells cleaned, capped, masked; and which of them hold text from outside."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Collection, Mapping
from typing import TypeAlias, TypeVar

from talkscope.errors import Json
from talkscope.models.answers import Answer, Cell
from talkscope.models.outcomes import OUTCOMES
from talkscope.models.semantics import DIMENSIONS, MEASURES
from talkscope.models.text import clean

A = TypeVar("A", bound=Answer)
Masking: TypeAlias = Callable[[str], str]

CELL = 200
SENTENCE = 600
_NAME = 80
_LARGEST = 2**63 - 1
# Looked at before masking, so that what is cut off is no half of an address.
_SEEN = 2_000
_MOMENT = re.compile(r"\d{4}-\d\d(?:-\d\d(?:T\d\d:\d\d(?::\d\d(?:\.\d{1,6})?)?(?:Z|[+-]\d\d:\d\d)?)?)?")
_OURS = frozenset({*MEASURES, *DIMENSIONS, *OUTCOMES, "yes", "no", "ms", "overall", "unattributed", "gap", "own", ""})


def outside(cell: object) -> bool:
    """Whether a cell is text that somebody else wrote: neither a time nor one of our own words."""
    return isinstance(cell, str) and cell not in _OURS and not _MOMENT.fullmatch(cell)


def safe(text: str, mask: Masking, cap: int = CELL) -> str:
    """One line of at most `cap` characters without invisible characters and without personal data."""
    if _MOMENT.fullmatch(text):
        return text
    seen = clean(text, _SEEN)
    return clean(mask(seen), cap)


def cell(value: Cell, mask: Masking) -> Cell:
    """The cell as it is answered: text made safe, fractions and milliseconds without meaningless digits."""
    if isinstance(value, str):
        return safe(value, mask)
    return None if value is None else number(value)


def number(value: float) -> int | float | None:
    """An integer as it is, else three decimals from 1 on and six below; None for what JSON cannot say."""
    if isinstance(value, int):
        # Beyond 64 bits, readers of JSON differ.
        return value if -_LARGEST <= value <= _LARGEST else None
    if not math.isfinite(value):
        return None
    return round(value, 3 if abs(value) >= 1 else 6)


def plain(value: object, mask: Masking, cap: int = CELL, most: int = 50) -> Json:
    """Anything that JSON can say, made safe all the way down; lists and mappings of at most `most` members."""
    if isinstance(value, str):
        return safe(value, mask, cap)
    if isinstance(value, bool) or value is None:
        return value
    if isinstance(value, int | float):
        return number(value)
    if isinstance(value, Mapping):
        pairs = list(value.items())[:most]
        return {name(str(key)): plain(part, mask, cap, most) for key, part in pairs if part is not None}
    if isinstance(value, list | tuple):
        return [plain(part, mask, cap, most) for part in value[:most]]
    return safe(str(value), mask, cap)


def whole(answer: A, mask: Masking, bare: Collection[str] = ()) -> A:
    """The same answer with each of its texts and numbers made safe, for whoever draws it; `bare` are not masked."""
    given = answer.model_dump(exclude={"rows", "meta"})
    made = {key: plain(value, mask, SENTENCE) for key, value in given.items()}
    about = plain(answer.meta.model_dump(exclude={"next_cursor"}), mask, SENTENCE)
    assert isinstance(about, dict)
    # A cursor is handed back as it is, so nothing may be taken out of it.
    meta = {**about, "next_cursor": answer.meta.next_cursor}
    masks = [str if column in bare else mask for column in answer.columns]
    rows = [[cell(value, hiding) for value, hiding in zip(row, masks, strict=True)] for row in answer.rows]
    columns = [name(column) for column in answer.columns]
    return answer.model_validate({**made, "columns": columns, "rows": rows, "meta": meta})


def name(text: str) -> str:
    """A column's or a field's name on one line."""
    return clean(text, _NAME)


def holds_outside(value: object) -> bool:
    """Whether text from outside is anywhere inside."""
    if isinstance(value, Mapping):
        return any(holds_outside(part) for part in value.values())
    if isinstance(value, list | tuple):
        return any(holds_outside(part) for part in value)
    return outside(value)
