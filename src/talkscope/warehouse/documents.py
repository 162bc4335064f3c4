"""Reading the JSON of other systems' exports: the documents of a file, and the fields of a document.

Every importer of a vendor's format builds on this: a file is one JSON value, a list, pages of a list, or NDJSON, and a
field is whatever the exporter made of it.
"""

from __future__ import annotations

import itertools
import json
import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import BinaryIO, TypeAlias

import orjson

from talkscope.errors import IngestError
from talkscope.models.records import Refused, canonical

LONGEST = 4_000
"""Characters that are kept of a text; four times as many of all texts in one field."""
DEEPEST = 50
STRANGERS = 20
"""So many values that are nothing of a format's, before any that is, and the file is taken for something else."""

Item: TypeAlias = dict[str, object]
Found: TypeAlias = "tuple[str, Mapping[str, object] | Refused]"

_BOM = b"\xef\xbb\xbf"


def documents(stream: BinaryIO) -> Iterator[tuple[str, object]]:
    """Each JSON value of a file with its place: the whole file, or else each line; a line that is none is Refused.

    Raises IngestError for an empty file.
    """
    skipped, first = next(((number, line) for number, line in enumerate(stream, 1) if line.strip()), (0, b""))
    if not first:
        raise IngestError("The file is empty.")
    first = first.removeprefix(_BOM)
    try:
        parse(first)
        lines: Iterable[bytes] = itertools.chain([first], stream)
    except ValueError:
        whole = first + stream.read()
        try:
            yield "the file", parse(whole)
        except ValueError:
            lines = whole.split(b"\n")
        else:
            return
    for number, line in enumerate(lines, skipped):
        if line.strip():
            try:
                yield f"line {number}", parse(line)
            except ValueError as error:
                yield f"line {number}", Refused(f"is not JSON ({error})")


def items(place: str, value: object, pages: Iterable[str] = (), depth: int = 0) -> Iterator[tuple[str, object]]:
    """The value, or what the lists in it hold, with its place; an API page holds its list under one of `pages`."""
    inner: object = value
    if isinstance(value, dict):
        held = [value[name] for name in pages if isinstance(value.get(name), list)]
        inner = [part for page in held for part in listed(page)] if held else value
    if isinstance(inner, list) and depth < 4:
        for number, part in enumerate(inner, 1):
            yield from items(f"{place}, item {number}", part, pages, depth + 1)
    else:
        yield place, value


def mapped(
    values: Iterable[tuple[str, object]],
    take: Callable[[str, object], Iterator[Found] | None],
    *,
    stranger: Callable[[object], str],
    nothing: str,
    hint: str,
) -> Iterator[Found]:
    """What `take` makes of each value; those for which it gives None are refused with the reason of `stranger`.

    Raises IngestError, which begins with `nothing`, when the file holds nothing else, or twenty such values at first.
    """
    strangers: list[tuple[str, Refused]] = []
    known = False
    for place, value in values:
        found = None if isinstance(value, Refused) else take(place, value)
        if found is None:
            strangers.append((place, value if isinstance(value, Refused) else Refused(stranger(value))))
        else:
            known = True
            yield from found
        if known:
            yield from strangers
            strangers.clear()
        elif len(strangers) >= STRANGERS:
            break
    if strangers:
        place, refusal = strangers[0]
        raise IngestError(f"{nothing}: {place} {refusal}.", hint=hint)


def parse(text: bytes) -> object:
    """The JSON value of a text; raises ValueError. Broken characters in it cost only themselves, NaN is null."""
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        try:
            return json.loads(text.decode("utf-8", "replace"), parse_constant=lambda _: None)
        except RecursionError:
            raise ValueError("nested too deeply") from None


def text_of(value: object) -> str | None:
    """The value as text; None when it is blank or no text."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return str(value)
    return (value.strip() or None) if isinstance(value, str) else None


def number_of(value: object) -> float | None:
    """The value as a finite number, also out of a text or a boolean; None for one that has no nanoseconds."""
    if not isinstance(value, int | float | str):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return number if math.isfinite(number * 1e9) else None


def first_number(values: Iterable[object]) -> float | None:
    """The first of the values that is a number."""
    return next((number for number in map(number_of, values) if number is not None), None)


def mapping_of(value: object) -> Item:
    """A mapping, also where an export wrote it as JSON text; empty when it is neither."""
    if isinstance(value, str) and value.lstrip().startswith("{"):
        try:
            value = parse(value.encode("utf-8", "replace"))
        except ValueError:
            return {}
    return value if isinstance(value, dict) else {}


def listed(value: object) -> list[object]:
    """A list; empty when the value is none."""
    return value if isinstance(value, list) else []


def rest(item: Item, used: Iterable[str]) -> Item:
    """Everything that no column has, under the export's own names, its texts cut to a bearable length."""
    kept = {key: value for key, value in item.items() if key not in used and value not in (None, "", [], {})}
    return {key: bounded(mapping_of(value) or value if key == "metadata" else value) for key, value in kept.items()}


def bounded(value: object) -> object:
    """The value with each text cut to LONGEST characters, and as one cut text when it is still four times as long."""
    cut = _cut(value, 0)
    text = canonical(cut) if isinstance(cut, dict | list) else ""
    return cut if len(text) <= 4 * LONGEST else _cut(text, 0)


def _cut(value: object, depth: int) -> object:
    if depth > DEEPEST:
        return f"…nested more than {DEEPEST} levels deep"
    if isinstance(value, dict):
        # A null says nothing, and would come and go as records of one key are merged.
        return {str(key): _cut(each, depth + 1) for key, each in value.items() if each is not None}
    if isinstance(value, list):
        return [_cut(each, depth + 1) for each in value]
    if isinstance(value, str) and len(value) > LONGEST:
        return f"{value[:LONGEST]}…truncated {len(value) - LONGEST} characters"
    return value
