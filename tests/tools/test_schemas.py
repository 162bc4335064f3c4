from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import jsonschema  # type: ignore[import-untyped]
import orjson
import pytest

from talkscope import contract
from talkscope.models.questions import Asked
from talkscope.tools import RECORD_TOOLS, TOOLS
from talkscope.tools.chart import Chart
from talkscope.tools.tool import Tool
from tests.tools.fakes import ASKING, NEEDED, Fake, Manner, always, call, plain

NAMED = pytest.mark.parametrize("tool", [*TOOLS, *RECORD_TOOLS], ids=lambda tool: tool.name)
ASKED = pytest.mark.parametrize("tool", ASKING, ids=lambda tool: tool.name)


def _parts(schema: Any) -> Iterator[dict[str, Any]]:
    if isinstance(schema, dict):
        yield schema
        for part in schema.values():
            yield from _parts(part)
    elif isinstance(schema, list):
        for part in schema:
            yield from _parts(part)


def _params(tool: Tool | Chart) -> type[Asked]:
    return tool.params if isinstance(tool, Chart) else tool.question.params


def _cost(tool: Tool | Chart, sources: tuple[str, ...] = ()) -> float:
    return (len(tool.name) + len(tool.description) + len(orjson.dumps(tool.input_schema(sources)).decode())) / 4


def test_every_question_of_the_contract_has_a_tool():
    assert sorted(tool.question.name for tool in ASKING) == sorted(contract.QUESTIONS)


def test_the_menu_costs_a_conversation_less_than_4500_tokens():
    assert sum(_cost(tool) for tool in TOOLS) <= 4_500


def test_the_menu_of_several_sources_stays_cheap():
    assert sum(_cost(tool, ("production", "staging")) for tool in TOOLS) <= 4_800


@NAMED
def test_a_tools_name_and_schema_are_short(tool: Tool | Chart):
    assert len(tool.name) <= 25
    assert len(orjson.dumps(tool.input_schema())) < 4_000


@NAMED
def test_a_tools_input_schema_is_one_that_every_host_reads(tool: Tool | Chart):
    schema: Any = tool.input_schema(("a", "b"))
    jsonschema.Draft202012Validator.check_schema(schema)
    for part in _parts(schema):
        assert not part.keys() & {"$ref", "$defs", "anyOf", "oneOf", "allOf", "title"}
        assert part.get("type") != "null"
        assert "null" not in (part.get("type") or "")
        if part.get("type") == "object":
            assert part["additionalProperties"] is not True
            assert "additionalProperties" in part
    assert schema["additionalProperties"] is False


@NAMED
def test_a_tool_takes_the_questions_words_and_none_that_it_sets_itself(tool: Tool | Chart):
    listed: Any = tool.input_schema()
    form = {"format"} if isinstance(tool, Chart) else set()
    assert set(listed["properties"]) - form == set(_params(tool).model_fields) - tool.hidden
    assert "max_rows" not in listed["properties"]


@NAMED
def test_what_has_a_default_or_a_limit_says_so_in_its_description(tool: Tool | Chart):
    listed: Any = tool.input_schema()
    for name, field in _params(tool).model_fields.items():
        if name in listed["properties"] and isinstance(field.default, str | int | float):
            assert "default" in listed["properties"][name]["description"], name
        limits = [each.le for each in field.metadata if hasattr(each, "le")]
        if name in listed["properties"] and limits:
            assert str(limits[0]) in listed["properties"][name]["description"], name


def test_source_is_listed_only_when_there_is_a_choice():
    tool = TOOLS[0]
    one: Any
    two: Any
    one, two = tool.input_schema(["warehouse"]), tool.input_schema(["warehouse", "staging"])
    assert "source" not in one["properties"]
    assert two["properties"]["source"]["enum"] == ["warehouse", "staging"]


@NAMED
def test_source_has_to_be_said_unless_one_of_several_is_the_default(tool: Tool | Chart):
    several = ["warehouse", "staging"]
    needed: Any = tool.input_schema(several)
    known: Any = tool.input_schema(several, "staging")
    alone = tool.input_schema()
    assert set(needed["required"]) - set(known.get("required", [])) == {"source"}
    assert known.get("required") == alone.get("required")
    # An account of a platform answers none of these questions.
    assert tool.input_schema(several, "studio") == needed


@ASKED
def test_an_answer_fits_its_output_schema(tool: Tool):
    schema: Any = tool.output_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    assert not any(part.keys() & {"$ref", "$defs", "anyOf", "title"} for part in _parts(schema))
    shaped = call(tool.name, **NEEDED.get(tool.name, {}))
    assert not list(jsonschema.Draft202012Validator(schema).iter_errors(shaped.structured))


@ASKED
@pytest.mark.parametrize("budget", [200, 500, 10_000])
def test_a_shortened_or_empty_answer_fits_its_output_schema_too(tool: Tool, budget: int):
    long = [[f"name-{index}", None, index] for index in range(2_000)]
    for rows in ([], long):
        answer = plain(tool.question.name, rows, n=0, notes=["a note"])
        shaped = call(tool.name, Fake(always(answer)), Manner(budget), **NEEDED.get(tool.name, {}))
        assert not list(jsonschema.Draft202012Validator(tool.output_schema()).iter_errors(shaped.structured))


def test_an_output_schema_refuses_what_no_answer_has():
    validator = jsonschema.Draft202012Validator(ASKING[0].output_schema())
    good = call("get_summary").structured
    assert list(validator.iter_errors({**good, "surprise": 1}))
    assert list(validator.iter_errors({**good, "rows": [{"a": 1}]}))
    assert list(validator.iter_errors({**good, "meta": {"source": "x"}}))
