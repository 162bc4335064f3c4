"""The two documents, made from what the code declares."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

import anyio
import orjson
from pydantic import BaseModel

from talkscope import contract
from talkscope.errors import Json
from talkscope.server.app import build
from talkscope.server.opening import Opening
from talkscope.settings import PLATFORMS, PlatformSettings, Settings
from talkscope.tools import TOOLSETS


def analytics() -> dict[str, Json]:
    """The API as OpenAPI."""
    document: dict[str, Json] = orjson.loads(orjson.dumps(contract.openapi()))
    return document


def tools() -> dict[str, Json]:
    """What a host sees over MCP: tools, with about how many tokens each costs, prompts and resources."""
    server = build(Opening(Settings()), settings=Settings())
    core, total = _listed(Opening(Settings()), Settings())
    toolsets: dict[str, Json] = {name: _toolset(name, core) for name in TOOLSETS}
    # A page's size changes with its wording, which is nobody's contract.
    resources = _plain(anyio.run(server.list_resources), without={"size"})
    return {
        "instructions": server.instructions,
        "tokens": total,
        "tools": core,
        "toolsets": toolsets | {"records": _records(core)},
        "prompts": _plain(anyio.run(server.list_prompts)),
        "resources": resources,
        "resourceTemplates": _plain(anyio.run(server.list_resource_templates)),
    }


def _listed(asker: Opening, settings: Settings) -> tuple[list[Json], float]:
    """The tools that a server lists, each with its cost, and the sum of these."""
    listed, total = _plain(anyio.run(build(asker, settings=settings).list_tools)), 0.0
    for each in listed:
        assert isinstance(each, dict)
        each["tokens"] = tokens = _cost(each)
        total += tokens
    return listed, total


def _toolset(platform: str, core: list[Json]) -> list[Json]:
    """What is listed besides where an account of the platform is configured and changes are allowed."""
    account = PlatformSettings(platform, platform, PLATFORMS[platform].usual)
    settings = Settings(platforms=(account,), allow_side_effects=True)
    listed, _ = _listed(Opening(settings), settings)
    return [each for each in listed if each not in core]


def _records(core: list[Json]) -> list[Json]:
    """What is listed besides where a warehouse holds what only some platforms tell."""

    class Holding(Opening):
        @property
        def holds_records(self) -> bool:
            return True

    listed, _ = _listed(Holding(Settings()), Settings())
    return [each for each in listed if each not in core]


def _plain(listed: Sequence[BaseModel], without: set[str] | None = None) -> list[Json]:
    """What is listed, as it goes over the wire."""
    return [each.model_dump(mode="json", by_alias=True, exclude_none=True, exclude=without) for each in listed]


def _cost(tool: Mapping[str, Json]) -> float:
    """A quarter of the characters that a host puts before its model: name, description and input schema."""
    schema = orjson.dumps(tool["inputSchema"]).decode()
    return (len(str(tool["name"])) + len(str(tool["description"])) + len(schema)) / 4


def as_text(document: Mapping[str, Json]) -> str:
    """The document as it is written: indented, so that a difference reads well."""
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"
