"""A record of telemetry, such as a session, a span or a rating, and how a raw one is checked.

An importer yields plain mappings with a `type` and the canonical names; `check` turns one into the row that the
warehouse stores, or raises `Refused` with the reason. Times become integer microseconds since 1970 in UTC, durations
stay milliseconds, unknown keys move to `attributes`, an interval's missing half is worked out from the other.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import tzinfo
from functools import lru_cache, partial
from typing import TypeAlias, cast

from talkscope.models import values
from talkscope.models.values import EPOCH, MAX_ID, MAX_TEXT, Refused, canonical, micros
from talkscope.models.vocabulary import ID_OF, LATER, LOWERED, RECORDS, TABLE_OF, Field, Kind, RecordType

__all__ = [
    "EPOCH",
    "ID_OF",
    "LATER",
    "MAX_ID",
    "MAX_TEXT",
    "OWN",
    "RECORDS",
    "TABLE_OF",
    "Checker",
    "Field",
    "Kind",
    "RecordType",
    "Refused",
    "Row",
    "Value",
    "canonical",
    "check",
    "content_key",
    "micros",
]

Value: TypeAlias = "str | int | float | bool | list[str] | None"
Row: TypeAlias = dict[str, Value]

OWN = "own"
"""The platform of records that come from no vendor's."""


_IDS = {*ID_OF.values(), "parent_id", "platform", "end_user_id", "character_id", "agent_id"}

_TOLD = {"message", "error_message", "remark", "summary", "user_intent", "text"}
"""Texts that somebody said or wrote, and that name nothing: they stay as they are."""

Reader: TypeAlias = Callable[[object], Value]


def _attributes(value: object) -> str | None:
    """Attributes are an object; a null in it says nothing, and would come and go as records of one key are merged."""
    given = values.opened(value)
    if not isinstance(given, dict):
        raise Refused("is not an object")
    if None in given.values():
        given = {key: item for key, item in given.items() if item is not None}
    return canonical(given) if given else None


_READERS: Mapping[Kind, Reader] = {
    "text": values.name,
    "ms": values.milliseconds,
    "number": values.number,
    "integer": values.integer,
    "texts": values.texts,
    "json": values.json,
}


def _reader(kind: RecordType, field: Field, zone: tzinfo | None) -> Reader:
    if field.kind == "time":
        return partial(values.time, zone)
    if field.name == "attributes":
        return _attributes
    if field.name in _IDS:
        return values.identity
    if field.name in _TOLD:
        return values.text
    if field.name == "handoff":
        return values.flag
    return values.lowered if field.name in LOWERED[kind] else _READERS[field.kind]


@dataclass(frozen=True, slots=True)
class _Shape:
    """How records of one type are read."""

    readers: Mapping[str, Reader]
    required: tuple[str, ...]
    times: frozenset[str]


class Checker:
    """Checks raw records one after the other; times without an offset are in `zone`, or refused when that is None."""

    def __init__(self, zone: tzinfo | None = None) -> None:
        self._shapes = {
            kind: _Shape(
                {field.name: _reader(kind, field, zone) for field in fields},
                tuple(field.name for field in fields if field.required),
                frozenset(field.name for field in fields if field.kind == "time"),
            )
            for kind, fields in RECORDS.items()
        }

    def __call__(self, raw: Mapping[str, object]) -> tuple[RecordType, Row]:
        """The record's type and what it says, names that it is silent about left out; raises Refused."""
        kind = raw.get("type")
        try:
            shape = self._shapes[kind]  # type: ignore[index]
        except (KeyError, TypeError):
            raise Refused(f"type is {str(kind)[:40]!r}, not one of {', '.join(RECORDS)}") from None
        readers, plain, identity = shape.readers, values.name, values.identity
        row: Row = {}
        unknown: list[str] = []
        name = "type"
        try:
            for name, value in raw.items():
                if value is None or value == "":
                    continue
                reader = readers.get(name)
                # What nearly every value is: a printable name without space around it.
                if (
                    (reader is plain or reader is identity)
                    and value.__class__ is str
                    and len(value) <= MAX_ID
                    and value.isprintable()
                    and value[0] != " " != value[-1]
                ):
                    row[name] = value
                elif reader is not None:
                    found = reader(value)
                    if found is not None:
                        row[name] = found
                elif name != "type":
                    unknown.append(name)
        except Refused as refusal:
            raise Refused(f"{name} {refusal}") from None
        if unknown:
            _unknown(shape, row, {name: raw[name] for name in unknown})
        if not all(map(row.__contains__, shape.required)):
            raise _missing(shape, row)
        if kind == "span" or "end_time" in row:
            _interval(kind, row)
        _rated(row)
        return kind, row  # type: ignore[return-value]  # a key of RECORDS, and cast() costs time here


def _missing(shape: _Shape, row: Row) -> Refused:
    missing = [name for name in shape.required if name not in row]
    return Refused(f"{', '.join(missing)} {'is' if len(missing) == 1 else 'are'} missing")


def _unknown(shape: _Shape, row: Row, unknown: dict[str, object]) -> None:
    """Names outside the vocabulary: epochs whose name says their unit are times, the rest goes to the attributes."""
    rest: dict[str, object] = {}
    for name, value in unknown.items():
        stem, _, unit = name.rpartition("_")
        if unit in values.EPOCH_UNITS and stem in shape.times:
            try:
                row[stem] = values.epoch(value, unit)
            except Refused as refusal:
                raise Refused(f"{name} {refusal}") from None
        else:
            rest[name] = value
    if rest:
        given = values.opened(row.get("attributes") or {})
        row["attributes"] = canonical({**rest, **cast("dict[str, object]", given)})


def _rated(row: Row) -> None:
    rating, scale = row.get("rating"), row.get("rating_scale")
    if not isinstance(scale, float):
        return
    if scale <= 0:
        raise Refused("rating_scale is not above 0")
    if isinstance(rating, float) and rating > scale:
        raise Refused("rating is above its rating_scale")


def _interval(kind: object, row: Row) -> None:
    start, end = row["start_time"], row.get("end_time")
    if not isinstance(start, int):  # the reader of times yields nothing else
        return
    if isinstance(end, int) and end < start:
        raise Refused("end_time is before start_time")
    if kind != "span":
        return
    duration = row.get("duration_ms")
    if isinstance(end, int):
        if duration is None:
            row["duration_ms"] = (end - start) / 1_000
    elif isinstance(duration, float):
        row["end_time"] = start + round(duration * 1_000)
    else:
        raise Refused("end_time or duration_ms is missing")


_checker = lru_cache(maxsize=16)(Checker)


def check(raw: Mapping[str, object], *, zone: tzinfo | None = None) -> tuple[RecordType, Row]:
    """The record's type and its row, every known name present and None where the record is silent.

    Raises Refused with the reason when the type is unknown, a required name is missing or a value does not fit.
    """
    kind, said = _checker(zone)(raw)
    row: Row = dict.fromkeys(field.name for field in RECORDS[kind])
    row.update(said)
    return kind, row


def content_key(kind: RecordType, row: Row) -> str:
    """The hash that stands for the id of a record that has none; `#n` for its occurrence is added by the loader.

    The platform is no part of it, because it stands beside the key and may be said by the session alone.
    """
    said = {name: value for name, value in row.items() if value is not None and name != "platform"}
    if later := LATER.get(kind, frozenset()) & said.keys():
        # As it was when these were attributes, so that a file that was loaded then is known again.
        attributes = values.opened(said.pop("attributes", None) or {})
        moved = {name: values.opened(said.pop(name)) if name == "handoff" else said.pop(name) for name in later}
        said["attributes"] = canonical({**moved, **cast("dict[str, object]", attributes)})
    return "~" + hashlib.blake2b(canonical([kind, said]).encode(), digest_size=12).hexdigest()
