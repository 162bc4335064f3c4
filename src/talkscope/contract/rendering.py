"""The contract as an OpenAPI 3.1 document, made from the same models that check words and read answers."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TypeAlias, cast

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaMode, models_json_schema

from talkscope.contract import QUERY, QUESTIONS, Question
from talkscope.errors import Json
from talkscope.models.answers import Answer
from talkscope.models.questions import Asked
from talkscope.models.v1 import ROUTES, Route, V1Asked, V1Response

Schema: TypeAlias = "dict[str, Json]"
Refs: TypeAlias = "Mapping[tuple[str, JsonSchemaMode], Schema]"
"""The reference to a schema by its model's name."""

_REF = "#/components/schemas/{model}"
_KEY = "ConvaiApiKey"
_ERROR: Schema = {
    "type": "object",
    "description": "What went wrong: a stable code, a message, what to do next, and details.",
    "required": ["error"],
    "properties": {
        "error": {
            "type": "object",
            "required": ["code", "message"],
            "properties": {
                "code": {"type": "string"},
                "message": {"type": "string"},
                "hint": {"type": "string"},
                "details": {"type": "object"},
            },
        }
    },
}
_MISFIT: Schema = {
    "type": "object",
    "description": "Parameters that do not fit: where each is, and what is wrong with it.",
    "required": ["detail"],
    "properties": {
        "detail": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["loc", "msg", "type"],
                "properties": {
                    "loc": {"type": "array", "items": {"type": ["string", "integer"]}},
                    "msg": {"type": "string"},
                    "type": {"type": "string"},
                },
            },
        },
        "error": {"$ref": _REF.format(model="Error")},
    },
}
_ASK_ERRORS = {
    "404": "There is no such thing.",
    "422": "The words are off.",
    "500": "The service failed.",
    "503": "The warehouse is busy.",
    "504": "The answer took too long.",
}
_V1_ERRORS = {
    "400": "An unknown measure, segment or dimension, or two that do not fit together.",
    "401": "The key is missing or not accepted.",
    "402": "The account has no plan that includes this API.",
    "403": "The account's plan does not include this route.",
    "404": "There is no such thing, or it is another account's.",
    "422": "A parameter that is unknown, or a value that does not fit.",
    "429": "Too many requests, or the month's quota is used up; Retry-After says how long to wait.",
    "500": "The service failed.",
}


class _Plain(GenerateJsonSchema):
    """Schemas without the titles that only repeat a field's name."""

    def field_title_should_be_set(self, schema: object) -> bool:  # noqa: ARG002  # pydantic asks for each field
        return False


def document() -> Schema:
    """The document, keys in a fixed order."""
    questions, routes = list(QUESTIONS.values()), list(ROUTES)
    wanted: list[tuple[type[BaseModel], JsonSchemaMode]] = [
        (QUERY.params, "validation"),
        *((route.params, "validation") for route in routes if route.method == "POST"),
        *((question.answer, "serialization") for question in questions),
        *((route.response, "serialization") for route in routes),
    ]
    names, told = models_json_schema(list(dict.fromkeys(wanted)), ref_template=_REF, schema_generator=_Plain)
    refs: Refs = {(str(model.__name__), mode): _plain(schema) for (model, mode), schema in names.items()}
    paths: Schema = {question.path: _asked(question, refs) for question in questions}
    paths |= {route.path: _v1(route, refs) for route in routes}
    schemas = _plain(told["$defs"]) | {"Error": _ERROR, "ParameterError": _MISFIT}
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Talkscope Analytics API",
            "version": "1.0.0",
            "description": "Typed questions below /v1/ask, and the v1 contract below /v1/analytics over the same"
            " questions. Times in answers carry their offset; windows are half-open [start, end).",
        },
        "security": [{_KEY: []}],
        "tags": [
            {"name": "ask", "description": "Columns and rows, with meta that says exactly what was counted."},
            {"name": "v1", "description": "The contract that existing clients of the hosted API speak."},
        ],
        "paths": paths,
        "components": {
            "securitySchemes": {_KEY: {"type": "apiKey", "in": "header", "name": "CONVAI-API-KEY"}},
            "schemas": {name: schemas[name] for name in sorted(schemas)},
        },
    }


def _plain(schema: object) -> Schema:
    """The same as JSON and nothing else: no shared parts, no numbers with a type of their own."""
    return cast("Schema", json.loads(json.dumps(schema)))


def _asked(question: Question[Answer], refs: Refs) -> Schema:
    posted = question.name == QUERY.name
    operation: Schema = {
        "operationId": f"ask_{question.name}",
        "tags": ["ask"],
        "summary": question.doc,
        **({"requestBody": _body(refs[QUERY.params.__name__, "validation"])} if posted else {}),
        "parameters": [] if posted else _parameters(question.params),
        "responses": _replies(refs[question.answer.__name__, "serialization"], _ASK_ERRORS, misfit="Error"),
    }
    return {"post" if posted else "get": operation}


def _v1(route: Route[V1Response], refs: Refs) -> Schema:
    posted = route.method == "POST"
    within: list[Json] = [
        {"name": part[1:-1], "in": "path", "required": True, "schema": {"type": "string"}}
        for part in route.path.split("/")
        if part.startswith("{")
    ]
    plan = f" Plans from {route.plan} include it." if route.plan else ""
    operation: Schema = {
        "operationId": f"v1_{route.name}",
        "tags": ["v1"],
        "summary": route.doc + plan,
        **({"requestBody": _body(refs[route.params.__name__, "validation"])} if posted else {}),
        "parameters": within if posted else [*within, *_parameters(route.params)],
        "responses": _replies(refs[route.response.__name__, "serialization"], _V1_ERRORS, misfit="ParameterError"),
    }
    return {route.method.lower(): operation}


def _parameters(params: type[Asked | V1Asked]) -> list[Json]:
    """The model's fields as query parameters; a list repeats its name."""
    # The v1 words travel in snake_case, though their models take camelCase too.
    told = _plain(params.model_json_schema(by_alias=not issubclass(params, V1Asked), schema_generator=_Plain))
    fields, required = told.get("properties", {}), told.get("required", [])
    assert isinstance(fields, dict)
    assert isinstance(required, list)
    found: list[Json] = []
    for name, field in fields.items():
        assert isinstance(field, dict)
        schema = _without_null(field)
        description = schema.pop("description", None)
        parameter: Schema = {"name": name, "in": "query", "required": name in required, "schema": schema}
        if description:
            parameter["description"] = description
        found.append(parameter)
    return found


def _without_null(field: Schema) -> Schema:
    """A parameter is left out instead of null."""
    choices = field.get("anyOf")
    if not isinstance(choices, list):
        return dict(field)
    kept = [each for each in choices if isinstance(each, dict) and each.get("type") != "null"]
    rest: Schema = {name: value for name, value in field.items() if name not in ("anyOf", "default")}
    if len(kept) == 1:
        return rest | kept[0]
    rest["anyOf"] = list(kept)
    return rest


def _body(schema: Schema) -> Schema:
    return {"required": True, "content": {"application/json": {"schema": schema}}}


def _replies(answer: Schema, errors: Mapping[str, str], *, misfit: str) -> Schema:
    replies: Schema = {"200": {"description": "The answer.", "content": {"application/json": {"schema": answer}}}}
    for status, said in errors.items():
        name = misfit if status == "422" else "Error"
        schema: Json = {"$ref": _REF.format(model=name)}
        reply: Schema = {"description": said, "content": {"application/json": {"schema": schema}}}
        if status == "429":
            reply["headers"] = {"Retry-After": {"description": "Seconds to wait.", "schema": {"type": "string"}}}
        replies[status] = reply
    return replies
