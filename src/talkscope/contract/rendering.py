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
_PROBLEM: Schema = {
    "type": "object",
    "description": "What went wrong: a stable code, a message, what to do next, and details.",
    "required": ["code", "message"],
    "properties": {
        "code": {"type": "string"},
        "message": {"type": "string"},
        "hint": {"type": "string"},
        "details": {"type": "object"},
    },
}
_ERROR: Schema = {
    "type": "object",
    "required": ["error"],
    "properties": {"error": {"$ref": _REF.format(model="Problem")}},
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
        "error": {"$ref": _REF.format(model="Problem")},
    },
}
_HEALTH: Schema = {
    "type": "object",
    "description": "How the service is.",
    "required": ["status", "environment", "version"],
    "properties": {
        "status": {"type": "string", "enum": ["ok", "unavailable", "stopping"]},
        "environment": {"type": "string"},
        "version": {"type": "string"},
    },
}
_SERVED_ERRORS = {
    "401": "The key is missing, unknown or revoked.",
    "402": "The key's plan includes nothing.",
    "403": "The key's plan does not include this route, or the page that asks is not allowed.",
    "408": "The body took too long.",
    "413": "The body is too long.",
    "414": "The address is too long.",
    "421": "The host is not served here.",
    "429": "Too many requests, or a quota is used up; Retry-After says how long to wait.",
}
_ASK_ERRORS = _SERVED_ERRORS | {
    "404": "There is no such thing.",
    "422": "The words are off.",
    "500": "The service failed.",
    "503": "The warehouse or the service is busy, or the service is stopping.",
    "504": "The answer took too long.",
}
_V1_ERRORS = _SERVED_ERRORS | {
    "400": "An unknown measure, segment or dimension, or two that do not fit together.",
    "404": "There is no such thing, or it is another account's.",
    "422": "A parameter that is unknown, or a value that does not fit.",
    "500": "The service failed.",
    "503": "The warehouse or the service is busy, or the service is stopping.",
    "504": "The answer took too long.",
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
    paths |= {route.path: _v1(route, refs) for route in routes} | _about()
    schemas = _plain(told["$defs"]) | {
        "Error": _ERROR, "Problem": _PROBLEM, "ParameterError": _MISFIT, "Health": _HEALTH,
    }  # fmt: skip
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Talkscope Analytics API",
            "version": "1.0.0",
            "description": "Typed questions below /v1/ask, and the v1 contract below /v1/analytics over the same"
            " questions. Times in answers carry their offset; windows are half-open [start, end).",
        },
        "security": [{_KEY: []}, {"ApiKey": []}, {"Bearer": []}],
        "tags": [
            {"name": "ask", "description": "Columns and rows, with meta that says exactly what was counted."},
            {"name": "v1", "description": "The contract that existing clients of the hosted API speak."},
            {"name": "service", "description": "The service itself."},
        ],
        "paths": paths,
        "components": {
            "securitySchemes": {
                _KEY: {"type": "apiKey", "in": "header", "name": "CONVAI-API-KEY"},
                "ApiKey": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
                "Bearer": {"type": "http", "scheme": "bearer"},
            },
            "schemas": {name: schemas[name] for name in sorted(schemas)},
        },
    }


def _about() -> Schema:
    """The routes about the service itself, which `talkscope serve` has."""
    health: Schema = {"$ref": _REF.format(model="Health")}
    whole: Schema = {"type": "object", "required": ["openapi", "info", "paths"]}
    kept = {status: _SERVED_ERRORS[status] for status in ("401", "402", "403", "421", "429")} | {"500": "It failed."}
    refused = {status: _SERVED_ERRORS[status] for status in ("403", "421")} | {"500": "It failed."}
    alive = _about_one("health", "Whether the service runs.", _replies(health, refused, misfit="Error"))
    able = _about_one("ready", "Whether the service can answer.", _replies(health, refused, misfit="Error"))
    for each in (alive, able):
        each["security"] = []
    unable: Schema = {"application/json": {"schema": health}}
    replies = able["responses"]
    assert isinstance(replies, dict)
    replies["503"] = {"description": "It cannot, or it is stopping.", "content": unable}
    document = _about_one("openapi", "This document.", _replies(whole, kept, misfit="Error"))
    return {"/healthz": {"get": alive}, "/readyz": {"get": able}, "/v1/analytics/openapi.json": {"get": document}}


def _about_one(name: str, says: str, replies: Schema) -> Schema:
    return {"operationId": name, "tags": ["service"], "summary": says, "parameters": [], "responses": replies}


def _plain(schema: object) -> Schema:
    """The same as JSON and nothing else: no shared parts, no numbers with a type of their own."""
    return cast("Schema", json.loads(json.dumps(schema)))


def _asked(question: Question[Answer], refs: Refs) -> Schema:
    posted = question.name == QUERY.name
    operation: Schema = {
        "operationId": f"ask_{question.name}",
        "tags": ["ask"],
        "summary": question.doc + _plan(question.plan),
        **({"requestBody": _body(refs[QUERY.params.__name__, "validation"])} if posted else {}),
        "parameters": [] if posted else _parameters(question.params),
        "responses": _replies(refs[question.answer.__name__, "serialization"], _ASK_ERRORS, misfit="Error"),
    }
    return {"post" if posted else "get": operation}


def _v1(route: Route[V1Response], refs: Refs) -> Schema:
    posted = route.method == "POST"
    within: list[Json] = [
        {"name": part[1:-1], "in": "path", "required": True, "schema": {"type": "string", "minLength": 1}}
        for part in route.path.split("/")
        if part.startswith("{")
    ]
    operation: Schema = {
        "operationId": f"v1_{route.name}",
        "tags": ["v1"],
        "summary": route.doc + _plan(route.plan),
        **({"requestBody": _body(refs[route.params.__name__, "validation"])} if posted else {}),
        "parameters": within if posted else [*within, *_parameters(route.params)],
        "responses": _replies(refs[route.response.__name__, "serialization"], _V1_ERRORS, misfit="ParameterError"),
    }
    return {route.method.lower(): operation}


def _plan(plan: str | None) -> str:
    return f" Plans from {plan} include it." if plan else ""


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
    for status, said in sorted(errors.items()):
        name = misfit if status == "422" else "Error"
        schema: Json = {"$ref": _REF.format(model=name)}
        reply: Schema = {"description": said, "content": {"application/json": {"schema": schema}}}
        if status == "429":
            reply["headers"] = {
                "Retry-After": {"description": "Seconds to wait.", "schema": {"type": "integer", "minimum": 1}}
            }
        replies[status] = reply
    return replies
