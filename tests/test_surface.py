from __future__ import annotations

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from talkscope.surface import analytics, between, tools, verdict
from talkscope.surface.__main__ import main


@pytest.fixture(scope="module")
def menu() -> dict[str, Any]:
    return tools()


@pytest.fixture(scope="module")
def api() -> dict[str, Any]:
    return analytics()


def _tool(document: dict[str, Any], name: str) -> dict[str, Any]:
    return next(each for each in document["tools"] if each["name"] == name)


def _takes(document: dict[str, Any], name: str = "list_sessions") -> dict[str, Any]:
    found: dict[str, Any] = _tool(document, name)["inputSchema"]
    return found


def _gives(document: dict[str, Any], name: str = "get_concurrency") -> dict[str, Any]:
    found: dict[str, Any] = _tool(document, name)["outputSchema"]
    return found


def _arguments(document: dict[str, Any], name: str = "usage_summary") -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = next(each for each in document["prompts"] if each["name"] == name)["arguments"]
    return found


COMPATIBLE: dict[str, Callable[[dict[str, Any]], Any]] = {
    "an optional word is new": lambda new: _takes(new)["properties"].update(more={"type": "string"}),
    "a tool is new": lambda new: new["tools"].append({**new["tools"][0], "name": "get_more"}),
    "a choice is new": lambda new: _takes(new)["properties"]["sort"]["enum"].append("shortest"),
    "a description is another": lambda new: _tool(new, "query").update(description="Ask anything."),
    "a field of the answer is new": lambda new: _gives(new)["properties"].update(more={"type": "string"}),
    "the instructions are others": lambda new: new.update(instructions="Ask."),
    "a prompt is new": lambda new: new["prompts"].append({**new["prompts"][0], "name": "more"}),
    "a prompt takes another optional argument": lambda new: _arguments(new).append({"name": "more", "required": False}),
    "a prompt's argument is no longer required": lambda new: _arguments(new, "trace_explanation")[0].update(
        required=False
    ),
    "a prompt is told in another way": lambda new: new["prompts"][0].update(description="Another."),
    "a resource is new": lambda new: new["resources"].append({**new["resources"][0], "uri": "talkscope://more"}),
    "a resource is told in another way": lambda new: new["resources"][0].update(description="Another."),
}
BREAKING: dict[str, Callable[[dict[str, Any]], Any]] = {
    "a tool is gone": lambda new: new["tools"].pop(),
    "a tool is renamed": lambda new: _tool(new, "query").update(name="run_query"),
    "a word is gone": lambda new: _takes(new)["properties"].pop("cursor"),
    "a required word is new": lambda new: _takes(new).update(required=["cursor"]),
    "a word's type is another": lambda new: _takes(new)["properties"]["limit"].update(type="string"),
    "a choice is gone": lambda new: _takes(new)["properties"]["sort"]["enum"].remove("slowest"),
    "choices are narrowed": lambda new: _takes(new)["properties"]["timezone"].update(enum=["UTC"]),
    "a field of the answer is gone": lambda new: _gives(new)["properties"].pop("peak"),
    "a field of the answer is no longer certain": lambda new: _gives(new)["required"].remove("columns"),
    "a nested word is gone": lambda new: _takes(new, "query")["properties"]["query"]["properties"].pop("order"),
    "a tool no longer only reads": lambda new: _tool(new, "query")["annotations"].update(readOnlyHint=False),
    "a prompt is gone": lambda new: new["prompts"].pop(),
    "a prompt's argument is gone": lambda new: _arguments(new).pop(),
    "a prompt's argument is newly required": lambda new: _arguments(new)[0].update(required=True),
    "a resource is gone": lambda new: new["resources"].pop(),
    "a resource is of another type": lambda new: new["resources"][0].update(mimeType="text/plain"),
    "a resource template is gone": lambda new: new["resourceTemplates"].pop(),
}


@pytest.mark.parametrize("change", COMPATIBLE.values(), ids=COMPATIBLE)
def test_what_harms_nobody_is_compatible(menu: dict[str, Any], change: Callable[[dict[str, Any]], Any]):
    new = copy.deepcopy(menu)
    change(new)
    assert verdict(between(menu, new)) == "compatible"


@pytest.mark.parametrize("change", BREAKING.values(), ids=BREAKING)
def test_what_somebody_would_notice_is_breaking(menu: dict[str, Any], change: Callable[[dict[str, Any]], Any]):
    new = copy.deepcopy(menu)
    change(new)
    assert verdict(between(menu, new)) == "breaking"


def test_what_is_equal_has_not_changed(menu: dict[str, Any], api: dict[str, Any]):
    assert between(menu, copy.deepcopy(menu)) == between(api, copy.deepcopy(api)) == []


def test_a_route_that_is_gone_is_breaking_and_a_new_one_compatible(api: dict[str, Any]):
    less = copy.deepcopy(api)
    del less["paths"][next(path for path in less["paths"] if "ask" in path)]
    assert verdict(between(api, less)) == "breaking"
    assert verdict(between(less, api)) == "compatible"


def test_a_route_that_newly_needs_a_word_is_breaking(api: dict[str, Any]):
    new = copy.deepcopy(api)
    new["paths"]["/v1/ask/summary"]["get"]["parameters"].append(
        {"name": "account", "in": "query", "required": True, "schema": {"type": "string"}}
    )
    assert verdict(between(api, new)) == "breaking"


def test_each_tool_says_what_it_costs(menu: dict[str, Any]):
    assert menu["tokens"] == sum(tool["tokens"] for tool in menu["tools"]) <= 4_500


def test_a_check_passes_after_a_write_and_fails_after_a_change(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    there = ["--folder", str(tmp_path)]
    assert main(["--check", *there]) == 1
    assert main(["--write", *there]) == 0
    assert main(["--check", *there]) == 0
    file = tmp_path / "mcp.json"
    document = json.loads(file.read_text(encoding="utf-8"))
    _takes(document)["properties"]["gone"] = {"type": "string"}
    file.write_text(json.dumps(document), encoding="utf-8")
    capsys.readouterr()
    assert main(["--check", *there]) == 1
    assert "breaking: list_sessions takes: gone is gone" in capsys.readouterr().out
