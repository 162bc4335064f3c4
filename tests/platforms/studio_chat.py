"""What tests of Studio Chat need: its contract, answers made from it, and a service that says what it was asked."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import httpx
from pydantic import SecretStr

from talkscope.client import Client
from talkscope.flow import Call
from talkscope.platforms import studio_chat

T = TypeVar("T")
CONTRACT: dict[str, Any] = json.loads(
    (Path(__file__).parents[2] / "openapi" / "platforms" / "studio_chat.json").read_text(encoding="utf-8")
)
URL = CONTRACT["servers"][0]["url"]
OPERATIONS: dict[str, tuple[str, str, dict[str, Any]]] = {
    operation["operationId"]: (method.upper(), path, operation)
    for path, item in CONTRACT["paths"].items()
    for method, operation in item.items()
}
WINDOW = {"start_date": "2026-04-01T00:00:00Z", "end_date": "2026-05-01T00:00:00Z"}


class Service:
    """Answers every request with the next of these answers, the last of them for ever."""

    def __init__(self, *answers: object, status: int = 200) -> None:
        self._answers = list(answers)
        self._status = status
        self.requests: list[httpx.Request] = []

    def send(self, call: Call[T], key: str = "sbs_0123456789") -> T:
        with self._client(key) as client:
            return client.send(call)

    def pages(self, call: Call[T]) -> list[T]:
        with self._client("sbs_0123456789") as client:
            return list(client.pages(call))

    @property
    def sent(self) -> dict[str, str]:
        """The parameters of the last request."""
        return dict(self.requests[-1].url.params)

    def _client(self, key: str) -> Client:
        header, secret = studio_chat.ACCESS.header(SecretStr(key))
        assert studio_chat.ACCESS.url is not None
        transport = httpx.MockTransport(self._answer)
        return Client(studio_chat.ACCESS.url, key=secret, key_header=header, transport=transport)

    def _answer(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        answer = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        if isinstance(answer, tuple):
            status, body = answer
            return httpx.Response(status, text=body)
        return httpx.Response(self._status, json=answer)


def call(name: str, **words: object) -> Call[object]:
    """The call of that name, with what the contract requires and these words."""
    return studio_chat.CALLS[name](**{**required(name), **words})


def required(name: str) -> dict[str, object]:
    """Arguments that the contract requires, with values that it takes."""
    _, _, operation = OPERATIONS[name]
    told: dict[str, object] = {}
    for each in operation.get("parameters", []):
        if each["required"]:
            told[each["name"]] = WINDOW.get(each["name"], 3 if each["schema"].get("type") == "integer" else "an id/ü")
    if name == "conversation_batch":
        told["conversation_ids"] = ["conv-1"]
    return told


def answer(schema: str, **changes: object) -> dict[str, Any]:
    """A full answer of that schema, with these changes."""
    return {**made(CONTRACT["components"]["schemas"][schema], "full"), **changes}


def answers(name: str) -> list[Any]:
    """Answers that the contract allows: the barest, one with null wherever it may be, and two that are full."""
    schema = OPERATIONS[name][2]["responses"]["200"]["content"]["application/json"]["schema"]
    return [made(schema, kind) for kind in ("bare", "null", "full", "other")]


def made(schema: Mapping[str, Any], kind: str) -> Any:
    """One value of the schema."""
    if "$ref" in schema:
        return made(CONTRACT["components"]["schemas"][schema["$ref"].rpartition("/")[2]], kind)
    if "enum" in schema:
        return schema["enum"][-1 if kind == "other" else 0]
    if "anyOf" in schema:
        return _chosen(schema, kind)
    types = schema.get("type", "object")
    if isinstance(types, list):
        types = "null" if "null" in types and kind in {"bare", "null"} else types[0]
    maker: Callable[[Mapping[str, Any], str], Any] = _MAKERS[types]
    return maker(schema, kind)


def _chosen(schema: Mapping[str, Any], kind: str) -> Any:
    choices = [{"type": schema["type"], **each} if "type" in schema else each for each in schema["anyOf"]]
    nulls = [each for each in choices if each.get("type") == "null"]
    others = [each for each in choices if each.get("type") != "null"]
    if nulls and kind in {"bare", "null"}:
        return None
    return made(others[-1 if kind == "other" else 0], kind)


def _object(schema: Mapping[str, Any], kind: str) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for part in schema.get("allOf", []):
        found |= made(part, kind) if "if" not in part else {}
    configured = schema["then"].get("required", []) if "then" in schema else []
    wanted = {*schema.get("required", []), *configured} if kind == "bare" else schema.get("properties", {})
    found |= {name: made(each, kind) for name, each in schema.get("properties", {}).items() if name in wanted}
    if configured:
        found |= {"is_configured": True, "definition": made(definition(schema), kind)} if "definition" in wanted else {}
    if isinstance(schema.get("additionalProperties"), dict):
        found["a key"] = made(schema["additionalProperties"], kind)
    for unfit in {True: ["deflection_quality"], False: ["handoff_reason"]}.get(found.get("has_handoff", "unsaid"), []):
        found[unfit] = None
    if kind != "bare" and schema.get("additionalProperties") is True:
        found["a field of tomorrow"] = {"nobody": ["knows", 1, None]}
    return found


def definition(schema: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = schema["then"]["properties"]["definition"]
    return found


def _text(schema: Mapping[str, Any], kind: str) -> str:
    if schema.get("format") == "date":
        return "2026-04-07"
    if schema.get("format") == "date-time":
        return "2026-04-07T08:09:10.123456-03:00"
    if "pattern" in schema and "[01][0-9]" in schema["pattern"]:
        return "2026-04-07T08:09:10.5"
    return "" if kind == "bare" and not schema.get("minLength") else "a text"


_MAKERS: dict[str, Callable[[Mapping[str, Any], str], Any]] = {
    "object": _object,
    "array": lambda schema, kind: [] if kind == "bare" else [made(schema.get("items", {}), kind)],
    "string": _text,
    "integer": lambda schema, kind: schema.get("minimum", 1) if kind == "bare" else 3,
    "number": lambda schema, kind: schema.get("minimum", 1) if kind == "bare" else 3.25,
    "boolean": lambda _schema, kind: kind == "full",
    "null": lambda _schema, _kind: None,
}
