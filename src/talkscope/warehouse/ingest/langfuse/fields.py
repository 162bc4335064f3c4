"""Reading one field of an export, whatever the kind of export made of it."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import TypeAlias

import orjson

from talkscope.models.records import Refused, canonical

PLATFORM = "langfuse"
LONGEST = 4_000
"""Characters that are kept of a text; four times as many of all texts in one field."""
DEEPEST = 50

Item: TypeAlias = dict[str, object]
Found: TypeAlias = "tuple[str, Mapping[str, object] | Refused]"


def parse(text: bytes) -> object:
    """The JSON value of a text; raises ValueError. Broken characters in it cost only themselves, NaN is null."""
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        try:
            return json.loads(text.decode("utf-8", "replace"), parse_constant=lambda _: None)
        except RecursionError:
            raise ValueError("nested too deeply") from None


def camel(item: object) -> Item:
    """The item with its snake_case names in camelCase, as the API spells them; empty when it is no object."""
    pairs = item.items() if isinstance(item, dict) else ()
    return {re.sub(r"(?<=[a-z])_([a-z])", lambda m: m[1].upper(), str(key)): value for key, value in pairs}


def text_of(value: object) -> str | None:
    """The value as text; None when it is blank or no text."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return str(value)
    return (value.strip() or None) if isinstance(value, str) else None


def number_of(value: object) -> float | None:
    """The value as a finite number, also out of a text or a boolean."""
    if not isinstance(value, int | float | str):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None


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


def moment_of(value: object, name: str) -> datetime | None:
    """The moment that a field names, None when it is empty; raises Refused. Scheduled exports leave out their UTC."""
    if value is None or value == "":
        return None
    try:
        moment = datetime.fromisoformat(str(value).strip())
    except ValueError:
        raise Refused(f"{name} is not an ISO 8601 time: {str(value)[:40]!r}") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def facts_of(item: Item) -> Item:
    """What the instrumentation says, in one mapping: the model's parameters, metadata, OpenTelemetry attributes."""
    metadata = mapping_of(item.get("metadata"))
    return {**mapping_of(item.get("modelParameters")), **metadata, **mapping_of(metadata.get("attributes"))}


def said(facts: Item, keys: Iterable[str]) -> str | None:
    """The first text that is there under one of the keys."""
    return next((found for key in keys if (found := text_of(facts.get(key)))), None)


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
