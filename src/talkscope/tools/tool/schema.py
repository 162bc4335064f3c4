"""Compact JSON Schemas of what a tool takes and gives.

Pydantic's own hold titles, nulls, `anyOf` and `$ref`: hosts handle those badly, and each costs tokens in every
conversation. Defaults and limits stand in descriptions, because some hosts drop the keywords for them.
"""

from __future__ import annotations

import types
from collections.abc import Collection, Mapping, Sequence
from typing import Annotated, Literal, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from talkscope.errors import Json

_PLAIN: Mapping[object, str] = {str: "string", int: "integer", float: "number", bool: "boolean", type(None): "null"}


def taken(
    model: type[BaseModel],
    *,
    hidden: Collection[str] = (),
    told: Mapping[str, str] | None = None,
    sources: Sequence[str] = (),
    default: str | None = None,
) -> dict[str, Json]:
    """The closed schema of the words that a model takes, without the hidden ones.

    A word's description is its own, or the one in `told`; its limits and its default follow where it names none.
    `source` is among them where there are several, and has to be said unless one of them is the default.
    """
    fields = {name: field for name, field in model.model_fields.items() if name not in hidden}
    properties: dict[str, Json] = {}
    for name, field in fields.items():
        description = _description(field, (told or {}).get(name))
        properties[name] = _schema(field.annotation) | ({"description": description} if description else {})
    required = [name for name, field in fields.items() if field.is_required()]
    if len(sources) > 1:
        properties["source"] = {"type": "string", "enum": list(sources)}
        required += ["source"] if default not in sources else []
    return closed(properties, required)


def shown(model: type[BaseModel]) -> dict[str, Json]:
    """The closed schema of a model as answers show it: what is unknown is left out, never null."""
    fields = model.model_fields
    properties: dict[str, Json] = {name: _schema(field.annotation, answered=True) for name, field in fields.items()}
    return closed(properties, [name for name, field in fields.items() if field.is_required()])


def closed(properties: Mapping[str, Json], required: Collection[str]) -> dict[str, Json]:
    """The schema of an object that has these properties and no others."""
    listed: list[Json] = list(required)
    return {
        "type": "object",
        "properties": dict(properties),
        **({"required": listed} if listed else {}),
        "additionalProperties": False,
    }


def _description(field: FieldInfo, told: str | None) -> str:
    text = field.description or "" if told is None else told
    parts = [text] if text else []
    limits = {key: getattr(each, key) for each in field.metadata for key in ("ge", "le") if hasattr(each, key)}
    if "le" in limits and f"-{limits['le']}" not in text:
        parts.append(f"{limits.get('ge', 0)}-{limits['le']}")
    default = None if field.is_required() else field.get_default(call_default_factory=True)
    if isinstance(default, str | int | float | list) and default not in ("", []) and "default" not in text:
        parts.append(f"default {','.join(default) if isinstance(default, list) else default}")
    return ", ".join(parts)


def _schema(kind: object, *, answered: bool = False) -> dict[str, Json]:
    """A type's schema; what may be None is described as what it is when it is there, except in a list."""
    origin, inside = get_origin(kind), get_args(kind)
    if origin is Annotated:
        return _schema(inside[0], answered=answered)
    if origin is Literal:
        return {"type": "string", "enum": list(inside)}
    if origin in (Union, types.UnionType):
        return _union(inside, answered=answered)
    if origin is list:
        return {"type": "array", "items": _items(inside[0], answered=answered)}
    if origin is dict:
        return {"type": "object", "additionalProperties": _schema(inside[1], answered=answered)}
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        return shown(kind) if answered else taken(kind)
    return {"type": _PLAIN[kind]}


def _union(inside: tuple[object, ...], *, answered: bool) -> dict[str, Json]:
    kinds = [each for each in inside if each is not type(None)]
    if len(kinds) == 1:
        return _schema(kinds[0], answered=answered)
    # A list where one text does as well: the list is the general form.
    lists = [each for each in kinds if get_origin(each) is list]
    return _schema(lists[0], answered=answered) if lists else {"type": [_PLAIN[each] for each in kinds]}


def _items(kind: object, *, answered: bool) -> dict[str, Json]:
    if get_origin(kind) is list:
        return _schema(kind, answered=answered)
    if get_origin(kind) in (Union, types.UnionType):
        # An integer is a number to JSON Schema; a cell alone may be null.
        names = dict.fromkeys("number" if each is int else _PLAIN[each] for each in get_args(kind))
        return {"type": list(names)}
    return _schema(kind, answered=answered)
