"""From the text of a request to values, and from a contract's schemas to ones that can be held against them."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Any, TypeAlias
from urllib.parse import unquote

import jsonschema_rs

Json: TypeAlias = Any

AT = "urn:contract"

_WHOLE = re.compile(r"-?[0-9]{1,400}")
_NUMBER = re.compile(r"-?[0-9]+([.][0-9]+)?([eE][+-]?[0-9]+)?")


def ids_in(segments: tuple[str, ...], steps: list[str]) -> dict[str, str] | None:
    """The ids in a path that fits the segments of a route; None for one that does not."""
    if len(segments) != len(steps):
        return None
    ids = {}
    for segment, step in zip(segments, steps, strict=True):
        if segment.startswith("{"):
            if not step:
                return None
            ids[segment[1:-1]] = unquote(step)
        elif segment != unquote(step):
            return None
    return ids


def typed(types: frozenset[str], text: str) -> Json:
    """The text as the narrowest of the types that it can be; as it is when it can be none, for the schema to refuse."""
    if "integer" in types and _WHOLE.fullmatch(text):
        return int(text)
    if "number" in types and _NUMBER.fullmatch(text) and math.isfinite(float(text)):
        return float(text)
    if "boolean" in types and text in {"true", "false"}:
        return text == "true"
    return text


def absolute(schema: Json) -> Json:
    """A schema whose references lead into the document that is registered as AT."""
    if isinstance(schema, Mapping):
        return {
            word: f"{AT}{value}" if word == "$ref" and isinstance(value, str) else absolute(value)
            for word, value in schema.items()
        }
    return [absolute(one) for one in schema] if isinstance(schema, list) else schema


def pointer(error: jsonschema_rs.ValidationError) -> str:
    """Where in the value the error is; nothing for the value itself."""
    return "".join(f"/{step}" for step in error.instance_path)


def no_number(word: str) -> Json:
    """Refuses NaN and infinities, which json would read."""
    raise ValueError(f"{word} is not JSON")
