"""The tools of platforms as a host lists them: their cost, their schemas, and which columns are not masked."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import jsonschema  # type: ignore[import-untyped]
import orjson
import pytest

from talkscope import tools
from talkscope.models.answers import Answer, Meta
from talkscope.tools.tool.shape import Shaping
from talkscope.tools.vendor import VendorTool

EVERY = [tool for platform in tools.TOOLSETS for tool in tools.toolset(platform)]
NAMED = pytest.mark.parametrize("tool", EVERY, ids=lambda tool: tool.name)


def _parts(schema: Any) -> Iterator[dict[str, Any]]:
    if isinstance(schema, dict):
        yield schema
    for part in schema.values() if isinstance(schema, dict) else schema if isinstance(schema, list) else ():
        yield from _parts(part)


@NAMED
@pytest.mark.parametrize("accounts", [(), ("production", "staging")], ids=["one account", "two"])
def test_a_tool_costs_a_conversation_at_most_250_tokens_and_the_choice_of_an_account_15(
    tool: VendorTool, accounts: tuple[str, ...]
) -> None:
    listed = orjson.dumps(tool.input_schema(accounts)).decode()
    assert (len(tool.name) + len(tool.description) + len(listed)) / 4 <= 250 + 15 * bool(accounts)
    assert len(tool.name) <= 25


@NAMED
def test_a_tools_words_are_flat_and_closed(tool: VendorTool) -> None:
    schema: Any = tool.input_schema(("a", "b"))
    jsonschema.Draft202012Validator.check_schema(schema)
    assert schema["additionalProperties"] is False
    assert "source" in schema["required"]
    assert "source" not in tool.input_schema(("a",)).get("required", [])  # type: ignore[operator]
    assert set(schema["properties"]) - {"source"} == set(tool.params.model_fields) - tool.unlisted
    for part in _parts(schema):
        assert not part.keys() & {"$ref", "$defs", "anyOf", "oneOf", "allOf", "title"}
    for word in schema["properties"].values():
        assert word["type"] in {"string", "integer", "number", "boolean", "array"}


@NAMED
def test_defaults_and_limits_stand_in_descriptions(tool: VendorTool) -> None:
    listed: Any = tool.input_schema()
    for name, field in tool.params.model_fields.items():
        if name in tool.unlisted:
            continue
        if isinstance(field.default, str | int | float):
            assert "default" in listed["properties"][name]["description"], name
        for limit in (each.le for each in field.metadata if hasattr(each, "le")):
            assert str(limit) in listed["properties"][name]["description"], name


def test_names_are_nobody_elses() -> None:
    names = [tool.name for tool in (*tools.TOOLS, *tools.RECORD_TOOLS, *EVERY)]
    assert len(set(names)) == len(names)
    assert all(tools.find(name).name == name for name in names)


def test_a_column_that_was_asked_for_by_name_is_not_masked_and_all_others_are() -> None:
    answer = Answer(columns=["agent", "remark"], rows=[["a@b.example", "ask a@b.example"]], meta=Meta(source="x", n=1))
    shaped: Any = Shaping(answer, budget=1_000, mask=lambda text: text.replace("a@b.example", "•"), bare={"agent"})
    assert shaped.whole("").structured["rows"] == [["a@b.example", "ask •"]]
    assert shaped.untrusted == ["agent", "remark"]
