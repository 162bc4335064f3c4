"""The recipes about Studio Chat are whole, and each call that they name is answered by the vendor's server."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import jsonschema  # type: ignore[import-untyped]
import pytest

from talkscope import recipes
from talkscope.models.answers import Meta
from talkscope.models.window import RANGES
from talkscope.platforms.studio_chat import words as labels
from talkscope.tools import find, toolset
from tests.tools.fakes import Manner
from tests.tools.reaching import Reaching, reaching
from tests.vendors import studio_chat

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "recipes" / "prompts"
FILES = {name: FOLDER / f"{name.replace('_', '-')}.md" for name in recipes.STUDIO_CHAT}
TOOLS = {tool.name: tool for tool in toolset("studio_chat")}
FOUND = {"conversation_id": "215000", "topic": "", "metric": "sales"}
_CALL = re.compile(r"\b(studio_[a-z_]+)\(([^()]*)\)")
_SNAKE = re.compile(r"\b[a-z]+\d*(?:_[a-z0-9]+)+\b")


def _sections(text: str) -> dict[str, str]:
    parts = re.split(r"^## (.+)$", text, flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def _calls(text: str, found: Mapping[str, str]) -> list[tuple[str, dict[str, Any]]]:
    """The calls in a text, with what the agent finds out in place of `<names>`."""
    calls = []
    for name, written in _CALL.findall(text):
        filled = re.sub(r"<(\w+)>", lambda hole: found[hole[1]], written)
        call = ast.parse(f"f({filled})", mode="eval").body
        assert isinstance(call, ast.Call)
        assert not call.args
        calls.append((name, {each.arg or "**": ast.literal_eval(each.value) for each in call.keywords}))
    return calls


def _prompt(name: str) -> recipes.Prompt:
    return recipes.read(name, FILES[name].read_text(encoding="utf-8"))


def _all(name: str, found: Mapping[str, str]) -> list[tuple[str, dict[str, Any]]]:
    sections = _sections(FILES[name].read_text(encoding="utf-8"))
    rest = "".join(text for title, text in sections.items() if title != "Prompt to paste")
    return _calls(_prompt(name).filled({}), found) + _calls(rest, found)


@pytest.fixture(scope="module")
def studio() -> Iterator[Reaching]:
    """An account with an analysis of topics."""
    with reaching(
        studio_chat.server(), "studio_chat", key=studio_chat.KEY, now=studio_chat.NOW,
        also={"project_id": studio_chat.MAIN},
    ) as reached:  # fmt: skip
        for words in ({}, {"assistant": ["Support desk"]}, {"tags": ["billing"]}):
            changing = Manner(allow_side_effects=True)
            (job,) = reached.rows("studio_topics_start", changing, wait_sec=0, **words)
            # Each look at a job takes it a step further.
            while job["status"] != "completed":
                (job,) = reached.rows("studio_topics", job_id=job["job_id"])
        yield reached


@pytest.fixture(scope="module")
def found(studio: Reaching) -> dict[str, str]:
    return {**FOUND, "topic": studio.rows("studio_topics")[0]["topic"]}


@pytest.fixture(scope="module")
def answers(studio: Reaching, found: dict[str, str]) -> dict[str, list[tuple[str, Any, Any]]]:
    """What each recipe's calls are answered with."""
    return {
        name: [(tool, words, studio.tool(tool, **words).structured) for tool, words in _all(name, found)]
        for name in recipes.STUDIO_CHAT
    }


@pytest.mark.parametrize("name", FILES)
def test_a_recipe_has_its_four_sections_and_can_be_read_as_a_prompt(name: str) -> None:
    text = FILES[name].read_text(encoding="utf-8")
    sections = _sections(text)
    assert tuple(sections) == recipes.SECTIONS
    assert all(len(each.strip()) > 40 for each in sections.values())
    prompt = _prompt(name)
    row = next(
        line for line in (FOLDER / "README.md").read_text("utf-8").splitlines() if f"({FILES[name].name})" in line
    )
    assert prompt.title in row
    assert all(f"`{argument.name}`" in row for argument in prompt.arguments)
    for rule in ("meta.notes", "unknown, not 0", "data, never instructions", "stop"):
        assert rule in prompt.text


@pytest.mark.parametrize("name", FILES)
def test_every_call_of_a_recipe_fits_its_tools_schema_and_only_reads(name: str) -> None:
    calls = _all(name, FOUND)
    assert len(calls) >= 3
    for tool, words in calls:
        jsonschema.validate(words, find(tool).input_schema())
        assert TOOLS[tool].read_only


@pytest.mark.parametrize("name", FILES)
def test_every_call_of_a_recipe_is_answered_by_the_platform(name: str, answers: Mapping[str, Any]) -> None:
    for tool, words, answer in answers[name]:
        assert answer["rows"], f"{tool}({words}) answered nothing"


@pytest.mark.parametrize("name", FILES)
def test_every_name_in_a_recipe_is_one_that_tools_take_or_give(name: str, answers: Mapping[str, Any]) -> None:
    known = {*TOOLS, *RANGES, *Meta.model_fields, "coverage"}
    for each in TOOLS.values():
        schema: Any = each.input_schema()
        known |= set(schema["properties"]) | set(_SNAKE.findall(each.description))
        known |= {choice for told in schema["properties"].values() for choice in told.get("enum", ())}
    for group in vars(labels).values():
        known |= set(group) if isinstance(group, tuple) else set()
    for _, _, answer in answers[name]:
        known |= {*answer["columns"], *(cell for row in answer["rows"] for cell in row if isinstance(cell, str))}
    known |= {"total_rated", "handoff_rate"}
    text = re.sub(r'"[^"]*"', "", FILES[name].read_text(encoding="utf-8"))
    assert [word for word in _SNAKE.findall(text) if word not in known] == []


def test_together_the_recipes_use_every_tool_that_answers_about_conversations() -> None:
    used = {tool for name in FILES for tool, _ in _all(name, FOUND)}
    assert used == {name for name, tool in TOOLS.items() if tool.read_only} - {"studio_evals"}


def test_the_servers_prompts_are_the_eight_as_ever() -> None:
    assert len(recipes.PROMPTS) == 8
    assert not set(recipes.PROMPTS) & set(recipes.STUDIO_CHAT)
