"""The two documents, made from what the code declares."""

from __future__ import annotations

import json
from collections.abc import Mapping

import anyio
import orjson

from talkscope import contract
from talkscope.errors import Json
from talkscope.server.app import build
from talkscope.server.opening import Opening
from talkscope.settings import Settings


def analytics() -> dict[str, Json]:
    """The API as OpenAPI."""
    document: dict[str, Json] = orjson.loads(orjson.dumps(contract.openapi()))
    return document


def tools() -> dict[str, Json]:
    """The tools as a host sees them, with about how many tokens each costs in every conversation."""
    server = build(Opening(Settings()), settings=Settings())
    listed: list[Json] = [
        each.model_dump(mode="json", by_alias=True, exclude_none=True) for each in anyio.run(server.list_tools)
    ]
    total = 0.0
    for each in listed:
        assert isinstance(each, dict)
        each["tokens"] = tokens = _cost(each)
        total += tokens
    return {"instructions": server.instructions, "tokens": total, "tools": listed}


def _cost(tool: Mapping[str, Json]) -> float:
    """A quarter of the characters that a host puts before its model: name, description and input schema."""
    schema = orjson.dumps(tool["inputSchema"]).decode()
    return (len(str(tool["name"])) + len(str(tool["description"])) + len(schema)) / 4


def as_text(document: Mapping[str, Json]) -> str:
    """The document as it is written: indented, so that a difference reads well."""
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"
