"""Every recipe of a prompt is whole, and names only what there is: each call in it is made against demo data."""

from __future__ import annotations

import ast
import re
import tomllib
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import anyio
import jsonschema  # type: ignore[import-untyped]
import pytest

from talkscope import recipes
from talkscope.jobs.demo import generate
from talkscope.jobs.ingest import ingest
from talkscope.models.answers import ExplainAnswer, Meta
from talkscope.models.semantics import DIMENSIONS, MEASURES
from talkscope.models.window import RANGES
from talkscope.server.opening import Opening
from talkscope.server.resources import PAGES
from talkscope.settings import Settings, read
from talkscope.tools import TOOLS, find

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "recipes" / "prompts"
FILES = {name: FOLDER / f"{name.replace('_', '-')}.md" for name in recipes.PROMPTS}
_CALL = re.compile(r"\b([a-z]+_[a-z_]+|query)\(([^()]*)\)")
_LINK = re.compile(r"\]\(([^)\s]+)\)")
_SNAKE = re.compile(r"\b[a-z]+\d*(?:_[a-z0-9]+)+\b")


def _sections(text: str) -> dict[str, str]:
    parts = re.split(r"^## (.+)$", text, flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def _calls(text: str, found: Mapping[str, str]) -> list[tuple[str, dict[str, Any]]]:
    """The calls in a text, with what the agent finds out in place of `<names>`."""
    calls = []
    for name, written in _CALL.findall(text):
        words = re.sub(r"=<(\w+)>(?=,|$)", lambda hole: f"={found[hole[1]]!r}", written)
        words = re.sub(r"<(\w+)>", lambda hole: found[hole[1]], words)
        call = ast.parse(f"f({words})", mode="eval").body
        assert isinstance(call, ast.Call)
        assert not call.args, f"{name}({written})"
        calls.append((name, {each.arg or "**": ast.literal_eval(each.value) for each in call.keywords}))
    return calls


class _Shop:
    """Demo data that is asked, and ids that are in it."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        slow = self.ask([("explain_slow_session", {"range": "last_7d"})])[0]["interaction"]
        assert isinstance(slow, dict)
        self.found = {key: str(slow[key]) for key in ("session_id", "interaction_id")} | {"processor": "llm"}

    def ask(self, calls: Sequence[tuple[str, dict[str, Any]]]) -> list[dict[str, Any]]:
        """What the tools answer."""

        async def ask() -> list[dict[str, Any]]:
            asker = Opening(self._settings)
            try:
                return [(await find(name).call(asker, words, self._settings)).structured for name, words in calls]
            finally:
                await asker.aclose()

        return anyio.run(ask)

    def text(self, prompt: str) -> str:
        """The prompt, filled with an id where it needs one."""
        needed = {"interaction_id": self.found["interaction_id"]} if prompt == "trace_explanation" else {}
        return recipes.prompt(prompt).filled(needed)

    def calls(self, prompt: str) -> list[tuple[str, dict[str, Any]]]:
        """Each call that the recipe names, in any of its sections."""
        sections = _sections(FILES[prompt].read_text(encoding="utf-8"))
        rest = "".join(text for title, text in sections.items() if title != "Prompt to paste")
        return [*_calls(self.text(prompt), self.found), *_calls(rest, self.found)]


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> _Shop:
    place = tmp_path_factory.mktemp("shop")
    generate(place / "telemetry", now=datetime.now(UTC), days=8, sessions_per_day=40)
    ingest(sorted((place / "telemetry").glob("*.ndjson")), warehouse=place / "warehouse", generated=True)
    (place / "config.toml").touch()
    return _Shop(
        read({"TALKSCOPE_WAREHOUSE": str(place / "warehouse"), "TALKSCOPE_CONFIG": str(place / "config.toml")})
    )


# What a recipe is


def test_the_table_of_contents_and_the_folder_agree():
    pasted = {f"{name.replace('_', '-')}.md" for name in recipes.STUDIO_CHAT}
    assert {file.name for file in FILES.values()} | pasted == {file.name for file in FOLDER.iterdir()} - {"README.md"}


@pytest.mark.parametrize("name", FILES)
def test_a_recipe_has_its_four_sections_in_order_and_each_says_something(name: str):
    sections = _sections(FILES[name].read_text(encoding="utf-8"))
    assert tuple(sections) == recipes.SECTIONS
    assert all(len(text.strip()) > 40 for text in sections.values())


@pytest.mark.parametrize("page", ["recipes/prompts/README.md", "docs/prompts.md"])
def test_an_index_names_each_prompt_its_recipe_and_its_arguments(page: str):
    text = (ROOT / page).read_text(encoding="utf-8")
    for prompt in recipes.prompts():
        (row,) = (
            line for line in text.splitlines() if f"{FILES[prompt.name].name})" in line and f"`{prompt.name}`" in line
        )
        assert all(f"`{argument.name}`" in row for argument in prompt.arguments)
        if page.startswith("docs"):
            told = re.findall(r"`(\w+)` \(`?([^)`]+)`?\)", row)
            assert told == [(each.name, each.default or each.otherwise or "required") for each in prompt.arguments]
        else:
            assert prompt.title in row


@pytest.mark.parametrize("file", sorted(FOLDER.glob("*.md")), ids=lambda file: file.stem)
def test_a_recipes_links_lead_somewhere(file: Path):
    assert [link for link in _LINK.findall(file.read_text(encoding="utf-8")) if not (FOLDER / link).exists()] == []


def test_what_is_read_when_installed_is_in_the_wheel():
    options = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    shipped = options["tool"]["hatch"]["build"]["targets"]["wheel"]["force-include"]
    read_there = {"recipes", *(page.path for page in PAGES if page.path)}
    assert shipped == {path: f"talkscope/_shipped/{path}" for path in read_there}


# What it names


@pytest.mark.parametrize("name", FILES)
def test_every_call_of_a_recipe_fits_its_tools_schema(name: str, shop: _Shop):
    calls = shop.calls(name)
    assert len(calls) >= 4
    for tool, words in calls:
        jsonschema.validate(words, find(tool).input_schema())


@pytest.mark.parametrize("name", FILES)
def test_every_call_of_a_recipe_is_answered_from_demo_data(name: str, shop: _Shop):
    calls = shop.calls(name)
    for (tool, words), answer in zip(calls, shop.ask(calls), strict=True):
        shown = answer.get("rows") or answer.get("spec")
        assert shown, f"{tool}({words}) answered nothing"


@pytest.mark.parametrize("name", FILES)
def test_every_name_in_a_prompt_is_one_that_tools_take_or_give(name: str, shop: _Shop):
    calls = [call for call in shop.calls(name) if not call[0].startswith("chart_")]
    given: set[str] = set()
    for answer in shop.ask(calls):
        heads = [value for value in answer.values() if isinstance(value, dict)]
        given |= {*answer, *answer["columns"], *(key for head in heads for key in head)}
    taken = {word for tool in TOOLS for word in _properties(tool.input_schema())}
    ours = {*(tool.name for tool in TOOLS), *MEASURES, *DIMENSIONS, *RANGES, *taken, *given, *Meta.model_fields}
    ours |= set(ExplainAnswer.model_fields) | {"knowledge_bank", "execute_tool"}
    text = re.sub(r'"[^"]*"', "", shop.text(name))
    assert [word for word in _SNAKE.findall(text) if word not in ours] == []
    assert [word for word in re.findall(r"\bmeta\.(\w+)", text) if word not in Meta.model_fields] == []


def _properties(schema: Mapping[str, Any]) -> set[str]:
    return set(schema["properties"])


def test_what_the_prompts_add_to_their_calls_in_words_is_taken_too(shop: _Shop):
    session, turn = shop.found["session_id"], shop.found["interaction_id"]
    facts = shop.ask([("get_session", {"session_id": session})])[0]["session"]
    window = {"start_time": facts["start_time"], "end_time": facts["end_time"]}
    trend = _calls(shop.text("p95_latency_trend"), shop.found)
    asked = [(tool, {**words, "filters": ["character_id=char_ada"]}) for tool, words in trend]
    explained, *rest = shop.ask([("explain_slow_session", {"session_id": session, **window}), *asked])
    assert explained["interaction"]["interaction_id"] == turn
    assert all(answer.get("rows") or answer.get("spec") for answer in rest)


# What is read


GOOD = FILES["usage_summary"].read_text(encoding="utf-8")
DAMAGED = {
    "it is empty": "",
    "it has no title": GOOD.replace("# How much is it used?\n", "", 1),
    "it has no prompt": GOOD.replace("```text", "```", 1),
    "an argument is in no hole": GOOD.replace("{range}", "last_7d"),
    "a hole has no argument": GOOD.replace("{range}", "{rang}", 1),
    "an argument is of no kind": GOOD.replace("`range`", "`span`").replace("{range}", "{span}"),
}


@pytest.mark.parametrize("text", DAMAGED.values(), ids=DAMAGED)
def test_a_damaged_recipe_is_said_to_be_one(text: str):
    with pytest.raises(recipes.Unreadable, match="The recipe of usage_summary"):
        recipes.read("usage_summary", text)


def test_a_page_that_is_missing_is_said_to_be():
    with pytest.raises(recipes.Unreadable, match=r"docs/nothing\.md is missing\. Install talkscope anew"):
        recipes.text_of("docs/nothing.md")
