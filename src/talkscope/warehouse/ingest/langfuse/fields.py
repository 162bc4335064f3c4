"""Reading one field of an export, whatever the kind of export made of it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, datetime

from talkscope.models.records import Refused
from talkscope.warehouse.documents import Item, mapping_of, text_of

PLATFORM = "langfuse"


def camel(item: object) -> Item:
    """The item with its snake_case names in camelCase, as the API spells them; empty when it is no object."""
    pairs = item.items() if isinstance(item, dict) else ()
    return {re.sub(r"(?<=[a-z])_([a-z])", lambda m: m[1].upper(), str(key)): value for key, value in pairs}


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
