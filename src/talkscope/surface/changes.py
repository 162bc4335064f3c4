"""What changed between two versions of a document, and whether whoever builds on the old one would notice.

Compatible: a new tool, prompt, resource, route or optional word, wider choices, a new field in an answer, other
wording. Breaking: what was there is gone or renamed, a word is newly required, choices are fewer, a type is another, an
answer lacks a field.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from talkscope.errors import Json

Kind: TypeAlias = Literal["none", "compatible", "breaking"]
NONE: Kind = "none"
COMPATIBLE: Kind = "compatible"
BREAKING: Kind = "breaking"
Members: TypeAlias = Mapping[str, Json]


@dataclass(frozen=True, slots=True)
class Change:
    """One difference: where it is, what it is, and whether it breaks anybody."""

    kind: Kind
    where: str
    what: str

    def __str__(self) -> str:
        return f"{self.kind}: {self.where}: {self.what}"


def verdict(changes: Sequence[Change]) -> Kind:
    """The worst of the changes."""
    kinds = {change.kind for change in changes}
    return BREAKING if BREAKING in kinds else COMPATIBLE if changes else NONE


def between(old: Members, new: Members) -> list[Change]:
    """The changes from one version of `mcp.json` or `analytics.json` to another; none only when they are equal."""
    if old == new:
        return []
    changes = list(_menu(old, new)) if "tools" in new else list(_routes(old, new))
    return changes or [Change(COMPATIBLE, "the document", "wording, order or details")]


def _menu(old: Members, new: Members) -> Iterator[Change]:
    yield from _tools(old, new)
    yield from _prompts(_named(old.get("prompts")), _named(new.get("prompts")))
    for kind, key in (("resource", "resources"), ("resource template", "resourceTemplates")):
        address = "uri" if key == "resources" else "uriTemplate"
        yield from _resources(kind, _named(old.get(key), address), _named(new.get(key), address))


def _prompts(before: Mapping[str, Members], after: Mapping[str, Members]) -> Iterator[Change]:
    yield from _gone_or_new("prompt", before, after)
    for name in sorted(before.keys() & after.keys()):
        was, now = before[name], after[name]
        yield from _schema(f"{name} takes", _arguments(was), _arguments(now), given=False)
        for key in ("title", "description"):
            if was.get(key) != now.get(key):
                yield Change(COMPATIBLE, name, f"another {key}")


def _arguments(prompt: Members) -> Json:
    """A prompt's arguments as the schema of an object."""
    named = _named(prompt.get("arguments"))
    properties: dict[str, Json] = {
        name: {"type": "string", "description": each.get("description")} for name, each in named.items()
    }
    required: list[Json] = [name for name, each in named.items() if each.get("required") is True]
    return {"type": "object", "properties": properties, "required": required}


def _resources(kind: str, before: Mapping[str, Members], after: Mapping[str, Members]) -> Iterator[Change]:
    yield from _gone_or_new(kind, before, after)
    for address in sorted(before.keys() & after.keys()):
        was, now = before[address], after[address]
        if was.get("mimeType") != now.get("mimeType"):
            yield Change(BREAKING, address, "another mimeType")
        elif was != now:
            yield Change(COMPATIBLE, address, "told in another way")


def _tools(old: Members, new: Members) -> Iterator[Change]:
    before, after = _every_tool(old), _every_tool(new)
    yield from _gone_or_new("tool", before, after)
    for name in sorted(before.keys() & after.keys()):
        was, now = before[name], after[name]
        yield from _schema(f"{name} takes", was.get("inputSchema"), now.get("inputSchema"), given=False)
        yield from _schema(f"{name} gives", was.get("outputSchema"), now.get("outputSchema"), given=True)
        for key in ("title", "description"):
            if was.get(key) != now.get(key):
                yield Change(COMPATIBLE, name, f"another {key}")
        hints, hinted = _members(was.get("annotations")), _members(now.get("annotations"))
        if hints != hinted:
            lost = hints.get("readOnlyHint") is True and hinted.get("readOnlyHint") is not True
            yield Change(BREAKING if lost else COMPATIBLE, name, "other annotations")
    if list(before) != list(after) and before.keys() == after.keys():
        yield Change(COMPATIBLE, "the tools", "another order")


def _routes(old: Members, new: Members) -> Iterator[Change]:
    before, after = _operations(old), _operations(new)
    yield from _gone_or_new("route", before, after)
    for name in sorted(before.keys() & after.keys()):
        was, now = before[name], after[name]
        yield from _schema(f"{name} takes", _taken(was, old), _taken(now, new), given=False)
        yield from _schema(f"{name} gives", _given(was, old), _given(now, new), given=True)


def _operations(document: Members) -> dict[str, Members]:
    return {
        f"{method.upper()} {path}": _members(operation)
        for path, item in _members(document.get("paths")).items()
        for method, operation in _members(item).items()
        if method in ("get", "post", "put", "patch", "delete")
    }


def _taken(operation: Members, document: Members) -> Json:
    """An operation's parameters and body as one schema of an object."""
    properties: dict[str, Json] = {}
    required: list[Json] = []
    listed = operation.get("parameters")
    for each in listed if isinstance(listed, list) else []:
        parameter = _members(_resolved(each, document))
        name = str(parameter.get("name"))
        properties[name] = _resolved(parameter.get("schema"), document)
        if parameter.get("required") is True:
            required.append(name)
    body = _content(operation.get("requestBody"), document)
    if body:
        properties["the body"] = body
    return {"type": "object", "properties": properties, "required": required}


def _given(operation: Members, document: Members) -> Json:
    return _content(_members(operation.get("responses")).get("200"), document)


def _content(holder: Json, document: Members) -> Json:
    media = _members(_members(_members(_resolved(holder, document)).get("content")).get("application/json"))
    return _resolved(media.get("schema"), document)


def _resolved(schema: Json, document: Members, depth: int = 0) -> Json:
    """The schema with what it refers to in its place."""
    if depth > 20:
        return {}
    if isinstance(schema, list):
        return [_resolved(each, document, depth + 1) for each in schema]
    if not isinstance(schema, dict):
        return schema
    pointed = schema.get("$ref")
    if isinstance(pointed, str):
        found: Json = dict(document)
        for part in pointed.removeprefix("#/").split("/"):
            found = _members(found).get(part)
        return _resolved(found, document, depth + 1)
    return {key: _resolved(value, document, depth + 1) for key, value in schema.items()}


def _schema(where: str, old: Json, new: Json, *, given: bool) -> Iterator[Change]:
    """Changes of what is taken (fewer choices break) or given (a missing field breaks)."""
    was, now = _members(old), _members(new)
    if was == now:
        return
    for key in ("type", "anyOf", "oneOf", "allOf"):
        if was.get(key) != now.get(key):
            yield Change(BREAKING, where, f"another {key}")
    yield from _choices(where, was.get("enum"), now.get("enum"), given=given)
    if was.get("description") != now.get("description"):
        yield Change(COMPATIBLE, where, "another description")
    before, after = _members(was.get("properties")), _members(now.get("properties"))
    needed, needs = _texts(was.get("required")), _texts(now.get("required"))
    for name in sorted(before.keys() - after.keys()):
        yield Change(BREAKING, where, f"{name} is gone")
    for name in sorted(after.keys() - before.keys()):
        breaks = not given and name in needs
        yield Change(BREAKING if breaks else COMPATIBLE, where, f"{name} is new{', and required' if breaks else ''}")
    for name in sorted(before.keys() & after.keys()):
        if (name in needed) != (name in needs):
            breaks = (name in needed) if given else (name in needs)
            told = "is required now" if name in needs else "is no longer certain"
            yield Change(BREAKING if breaks else COMPATIBLE, where, f"{name} {told}")
        yield from _schema(f"{where} {name}", before[name], after[name], given=given)
    for key in ("items", "additionalProperties"):
        if isinstance(was.get(key), dict) or isinstance(now.get(key), dict):
            yield from _schema(f"{where} (each)", was.get(key), now.get(key), given=given)


def _choices(where: str, old: Json, new: Json, *, given: bool) -> Iterator[Change]:
    if old == new:
        return
    was, now = _texts(old), _texts(new)
    fewer = sorted(was - now) if isinstance(new, list) else []
    narrowed = not given and (bool(fewer) or not isinstance(old, list))
    told = f"no longer {', '.join(fewer)}" if fewer else "other choices"
    yield Change(BREAKING if narrowed else COMPATIBLE, where, told)


def _gone_or_new(kind: str, before: Mapping[str, Members], after: Mapping[str, Members]) -> Iterator[Change]:
    for name in sorted(before.keys() - after.keys()):
        yield Change(BREAKING, name, f"the {kind} is gone")
    for name in sorted(after.keys() - before.keys()):
        yield Change(COMPATIBLE, name, f"a new {kind}")


def _every_tool(document: Members) -> dict[str, Members]:
    """The tools that are always listed, and those of every toolset."""
    found = _named(document.get("tools"))
    for listed in _members(document.get("toolsets")).values():
        found |= _named(listed)
    return found


def _named(listed: Json, by: str = "name") -> dict[str, Members]:
    return {str(_members(each).get(by)): _members(each) for each in listed} if isinstance(listed, list) else {}


def _members(value: Json) -> Members:
    return value if isinstance(value, dict) else {}


def _texts(listed: Json) -> set[str]:
    return {str(each) for each in listed} if isinstance(listed, list) else set()
