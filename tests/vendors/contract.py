"""What a contract in openapi/platforms/ declares, and what is wrong with a request or an answer by it.

Everything is read from the document: routes, parameters and their types, bodies, answers. No platform is known here.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import jsonschema_rs

from tests.vendors.values import AT, absolute, ids_in, no_number, pointer, typed

Json: TypeAlias = Any
Pairs: TypeAlias = tuple[tuple[str, str], ...]

CONTRACTS = Path(__file__).parent.parent.parent / "openapi" / "platforms"
METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong.

    Args:
        where: `query`, `path` or `body`.
        name: The parameter, or the place in the body ("/conversation_ids/0").
        keyword: What it breaks: a keyword of JSON Schema, or `missing`, `repeated`, `json`.
        message: Words for people.
    """

    where: str
    name: str
    keyword: str
    message: str


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter of a route."""

    name: str
    where: str
    required: bool
    schema: Mapping[str, Json]
    types: frozenset[str]
    separated: bool
    default: Json


@dataclass(frozen=True, slots=True)
class Operation:
    """A route: `said` is all that the contract says of it, x- words included."""

    id: str
    method: str
    path: str
    segments: tuple[str, ...]
    parameters: tuple[Parameter, ...]
    said: Mapping[str, Json]

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


class Contract:
    """A contract, read once.

    Args:
        document: The name of one in openapi/platforms/, or the document itself.
    """

    def __init__(self, document: str | Mapping[str, Json]) -> None:
        self.file = CONTRACTS / f"{document}.json" if isinstance(document, str) else None
        self.document: dict[str, Json] = (
            json.loads((CONTRACTS / f"{document}.json").read_text(encoding="utf-8"))
            if isinstance(document, str)
            else dict(document)
        )
        self._registry = jsonschema_rs.Registry([(AT, self.document)])
        self._validators: dict[int, jsonschema_rs.Validator] = {}
        self.operations = {operation.id: operation for operation in self._read()}

    @property
    def base(self) -> str:
        """The path that all routes are below: that of the first server's url."""
        url: str = self.document.get("servers", [{"url": ""}])[0]["url"]
        return "/" + "/".join(url.split("/")[3:]) if url.count("/") > 2 else ""

    def resolve(self, said: Mapping[str, Json]) -> Mapping[str, Json]:
        """What a reference stands for; its siblings win."""
        while "$ref" in said:
            found: Json = self.document
            for step in said["$ref"].removeprefix("#/").split("/"):
                found = found[step.replace("~1", "/").replace("~0", "~")]
            said = {**found, **{word: value for word, value in said.items() if word != "$ref"}}
        return said

    def _read(self) -> Iterator[Operation]:
        for path, item in self.document["paths"].items():
            shared = item.get("parameters", [])
            for method in METHODS:
                if method in item:
                    said = item[method]
                    declared = [self.resolve(one) for one in (*shared, *said.get("parameters", []))]
                    parameters = {(one["in"], one["name"]): self._parameter(one) for one in declared}
                    segments = tuple(path.removeprefix("/").split("/"))
                    yield Operation(
                        said["operationId"], method.upper(), path, segments, tuple(parameters.values()), said
                    )

    def _parameter(self, said: Mapping[str, Json]) -> Parameter:
        explode = said.get("explode", said.get("style", "form") == "form")
        schema = said["schema"]
        return Parameter(
            said["name"], said["in"], said.get("required", False), schema, self._types(schema), not explode,
            self.resolve(schema).get("default"),
        )  # fmt: skip

    def _types(self, schema: Mapping[str, Json]) -> frozenset[str]:
        schema = self.resolve(schema)
        named = schema.get("type", [])
        found = {named} if isinstance(named, str) else set(named)
        for word in ("anyOf", "oneOf", "allOf"):
            for one in schema.get(word, []):
                found |= self._types(one)
        return frozenset(found)

    def validator(self, schema: Mapping[str, Json]) -> jsonschema_rs.Validator:
        """What holds values against a schema of this document; formats count."""
        if id(schema) not in self._validators:
            self._validators[id(schema)] = jsonschema_rs.Draft202012Validator(
                absolute(schema), registry=self._registry, validate_formats=True, offline=True
            )
        return self._validators[id(schema)]

    def match(self, path: str) -> tuple[list[Operation], dict[str, str]]:
        """The operations of a path as it was sent (percent-encoded, below the base), and the ids in it."""
        steps = path.removeprefix("/").split("/")
        best: tuple[list[Operation], dict[str, str]] = ([], {})
        rank: tuple[bool, ...] = ()
        for operation in self.operations.values():
            ids = ids_in(operation.segments, steps)
            if ids is None:
                continue
            plain = tuple(not step.startswith("{") for step in operation.segments)
            if not best[0] or plain > rank:
                best, rank = ([operation], ids), plain
            elif plain == rank:
                best[0].append(operation)
        return best

    def read_query(self, operation: Operation, pairs: Pairs) -> tuple[dict[str, Json], list[Fault]]:
        """The values of the declared parameters, typed, with their defaults; what is wrong with them."""
        found: dict[str, Json] = {}
        faults: list[Fault] = []
        for parameter in operation.parameters:
            if parameter.where == "query":
                sent = [value for name, value in pairs if name == parameter.name]
                if sent:
                    found[parameter.name], wrong = self._value(parameter, sent)
                    faults += wrong
                elif parameter.required:
                    faults.append(Fault("query", parameter.name, "missing", "This parameter is required."))
                elif parameter.default is not None:
                    found[parameter.name] = parameter.default
        return found, faults

    def read_path(self, operation: Operation, ids: Mapping[str, str]) -> tuple[dict[str, Json], list[Fault]]:
        """The ids in the path, typed; what is wrong with them."""
        found: dict[str, Json] = {}
        faults: list[Fault] = []
        for parameter in operation.parameters:
            if parameter.where == "path":
                found[parameter.name], wrong = self._value(parameter, [ids[parameter.name]])
                faults += wrong
        return found, faults

    def _value(self, parameter: Parameter, sent: Sequence[str]) -> tuple[Json, list[Fault]]:
        many = "array" in parameter.types
        if len(sent) > 1 and (parameter.separated or not many):
            return None, [Fault(parameter.where, parameter.name, "repeated", "This parameter is given more than once.")]
        schema = self.resolve(parameter.schema)
        if schema.get("contentMediaType") == "application/json":
            return self._json(parameter, schema, sent[0])
        value: Json
        if many:
            types = self._types(schema.get("items", {}))
            value = [typed(types, one) for one in (sent[0].split(",") if parameter.separated else sent)]
        else:
            value = typed(parameter.types, sent[0])
        wrong = [
            Fault(parameter.where, parameter.name, error.kind.name, error.message)
            for error in self.validator(parameter.schema).iter_errors(value)
        ]
        return value, wrong

    def _json(self, parameter: Parameter, schema: Mapping[str, Json], text: str) -> tuple[Json, list[Fault]]:
        try:
            value = json.loads(text, parse_constant=no_number)
        except (ValueError, RecursionError):
            return None, [Fault(parameter.where, parameter.name, "contentMediaType", "This is not JSON.")]
        errors = list(self.validator(schema["contentSchema"]).iter_errors(value)) if "contentSchema" in schema else []
        return value, [Fault(parameter.where, parameter.name, "contentSchema", error.message) for error in errors]

    def read_body(self, operation: Operation, media: str, sent: bytes) -> tuple[Json, list[Fault]]:
        """The request's body, if the operation takes one; what is wrong with it."""
        if "requestBody" not in operation.said:
            return None, []
        declared = self.resolve(operation.said["requestBody"])
        if not sent:
            missing = declared.get("required", False)
            return None, [Fault("body", "", "missing", "A body is required.")] if missing else []
        kind = media.partition(";")[0].strip().lower()
        if kind not in declared["content"]:
            return None, [Fault("body", "", "media", f"The body has to be {' or '.join(declared['content'])}.")]
        try:
            value = json.loads(sent, parse_constant=no_number)
        except (ValueError, RecursionError):
            return None, [Fault("body", "", "json", "The body is not JSON.")]
        errors = self.validator(declared["content"][kind].get("schema", {})).iter_errors(value)
        return value, [Fault("body", pointer(error), error.kind.name, error.message) for error in errors]

    def response(self, operation: Operation, status: int) -> Mapping[str, Json] | None:
        """What the operation declares for a status; None when it does not know it."""
        declared = operation.said["responses"]
        for word in (str(status), f"{status // 100}XX", "default"):
            if word in declared:
                return self.resolve(declared[word])
        return None

    def wrong_with(
        self, operation: Operation, status: int, media: str, body: Json, headers: Mapping[str, str]
    ) -> Iterator[str]:
        """Where an answer leaves the contract; `body` is its JSON, or text of another media type."""
        declared = self.response(operation, status)
        if declared is None:
            yield f"{operation}: status {status} is not declared"
            return
        content = declared.get("content", {})
        kind = media.partition(";")[0].strip()
        if content and kind not in content:
            yield f"{operation} {status}: {kind or 'no body'} is not among {', '.join(content)}"
        elif "schema" in content.get(kind, {}):
            validator = self.validator(content[kind]["schema"])
            if not validator.is_valid(body):
                for error in validator.iter_errors(body):
                    yield f"{operation} {status}: at {pointer(error) or 'the top'}: {error.message[:500]}"
        yield from self._wrong_headers(f"{operation} {status}", declared, headers)

    def _wrong_headers(self, place: str, declared: Mapping[str, Json], sent: Mapping[str, str]) -> Iterator[str]:
        given = {name.lower(): value for name, value in sent.items()}
        for name, said in declared.get("headers", {}).items():
            header = self.resolve(said)
            text = given.get(name.lower())
            if text is None:
                if header.get("required"):
                    yield f"{place}: the header {name} is missing"
            elif not self.validator(header["schema"]).is_valid(typed(self._types(header["schema"]), text)):
                yield f"{place}: the header {name} may not be {text!r}"

    def examples(self, operation: str, status: str = "200") -> dict[str, Json]:
        """The payloads of an answer that the vendor's document shows, by name."""
        declared = self.resolve(self.operations[operation].said["responses"][status])
        content = declared.get("content", {}).get("application/json", {})
        found = {name: self.resolve(one)["value"] for name, one in content.get("examples", {}).items()}
        return {"example": content["example"], **found} if "example" in content else found
