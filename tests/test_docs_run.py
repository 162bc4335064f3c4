"""What a reader would do with the documentation is done: its steps, its calls, its block for agents, its tables."""

from __future__ import annotations

import ast
import contextlib
import io
import re
import shlex
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import anyio
import click
import pytest

import talkscope
from talkscope import recipes, settings
from talkscope.cli.group import group
from talkscope.jobs.demo import generate
from talkscope.server.opening import Opening
from talkscope.server.resources import PAGES as RESOURCES
from talkscope.settings import Settings, SourceSettings
from talkscope.tools import TOOLS, find
from tests.cli.running import here as command
from tests.pages import DOCS, ROOT, blocks, commands_in, prose

STARTED = DOCS / "getting-started.md"
MOVED = DOCS / "coming-from-convai.md"
AGENTS = DOCS / "agents.md"
_ROW = re.compile(r"^\| `(\w+)` \| (.+) \|$", re.MULTILINE)
_CODE = re.compile(r"`([^`]+)`")
# The tools of Convai's own server, release 0.2.0.
THERE = """
    get_summary get_metrics_catalog list_sessions get_session_timeline get_interaction_trace get_p95_latency_over_time
    get_latency_percentile_series get_latency_percentile_chart get_latency_threshold_chart get_latency_heatmap_chart
    get_component_latency_breakdown generate_component_latency_chart find_component_latency_bottlenecks
    generate_interaction_waterfall explain_slow_session get_error_trend generate_error_trend_chart get_error_breakdown
    generate_error_breakdown_chart get_dropped_error_persist_trend generate_dropped_error_persist_chart
    generate_reliability_summary_chart generate_reliability_trends_chart get_usage_trends generate_usage_trends_chart
    get_character_usage_leaderboard generate_character_usage_chart generate_session_duration_scatter
    estimate_active_session_concurrency generate_active_session_concurrency_chart generate_peak_concurrency_chart
    get_tts_provider_attribution generate_tts_provider_chart get_llm_model_latency generate_llm_model_latency_chart
    compare_providers detect_regressions advanced_query
""".split()


def _understood(words: list[str]) -> None:
    """Fail unless the command line knows the command and its options."""
    context = click.Context(group, info_name="talkscope")
    found = group.get_command(context, words[0])
    assert found is not None, words
    found.make_context(words[0], words[1:], parent=context).close()


def test_the_first_steps_do_what_they_show(tmp_path: Path) -> None:
    [records] = blocks(STARTED, "json")
    (tmp_path / "calls.ndjson").write_text(records, encoding="utf-8")
    ran = []
    for text in blocks(STARTED, "console"):
        line, *shown = text.splitlines()
        words = shlex.split(line.removeprefix("$ ").partition(" #")[0].partition(" | ")[0])
        # These have tests of their own, and take seconds.
        if words[0] != "talkscope" or words[1] in ("demo", "chart", "report"):
            continue
        # What a terminal shows is told to a pipe with --table.
        with contextlib.chdir(tmp_path):
            done = command(*words[1:], *(["--table"] if shown else []), home=tmp_path)
        assert done.returncode == 0, done.stderr
        told = [each.split() for each in done.stdout.splitlines()]
        assert [each for each in shown if each.split() not in told] == []
        ran.append(words[1])
    assert ran == ["ingest", "latency", "explain", "sessions", "doctor"]


def test_the_first_steps_from_python_print_what_was_loaded(tmp_path: Path) -> None:
    [records], [text] = blocks(STARTED, "json"), blocks(STARTED, "python")
    (tmp_path / "calls.ndjson").write_text(records, encoding="utf-8")
    said = io.StringIO()
    with contextlib.chdir(tmp_path), contextlib.redirect_stdout(said):
        exec(compile(text, STARTED.name, "exec"), {})
    assert sorted(said.getvalue().splitlines()) == ["deepgram 200.0 1", "elevenlabs 200.0 1", "openai 1925.0 2"]


def _calls(text: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """The calls in a cell, as tools and their words."""
    for code in _CODE.findall(text):
        call = ast.parse(code, mode="eval").body
        assert isinstance(call, ast.Call), code
        assert isinstance(call.func, ast.Name), code
        assert not call.args, code
        yield call.func.id, {str(each.arg): ast.literal_eval(each.value) for each in call.keywords}


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """A small warehouse of demo data, as what is set."""
    folder = tmp_path_factory.mktemp("demo")
    generate(folder / "telemetry", now=datetime.now(UTC), days=8, sessions_per_day=8)
    assert talkscope.ingest(sorted((folder / "telemetry").glob("*.ndjson")), warehouse=folder / "warehouse").ok
    return Settings(sources=(SourceSettings("warehouse", folder / "warehouse"),))


def _answers(demo: Settings, calls: list[tuple[str, dict[str, Any]]]) -> list[str]:
    """What goes wrong with the calls, made one after the other with ids that are there."""

    async def ask() -> list[str]:
        asker = Opening(demo)
        try:
            shaped = await find("explain_slow_session").call(asker, {"range": "last_7d"}, demo)
            slow = shaped.structured["interaction"]
            assert isinstance(slow, Mapping)
            ids = {"SESSION": slow["session_id"], "INTERACTION": slow["interaction_id"]}
            wrong = []
            for name, words in calls:
                try:
                    known = {word: ids.get(value, value) if isinstance(value, str) else value
                             for word, value in words.items()}  # fmt: skip
                    shaped = await find(name).call(asker, known, demo)
                    assert shaped.structured
                except talkscope.TalkscopeError as error:
                    wrong.append(f"{name}({words}): {error}")
            return wrong
        finally:
            await asker.aclose()

    return anyio.run(ask)


def test_every_tool_of_the_convai_server_has_calls_here_that_are_answered(demo: Settings) -> None:
    section = MOVED.read_text(encoding="utf-8").partition("\n## Tools\n")[2].partition("\n## ")[0]
    rows = dict(_ROW.findall(section))
    assert list(rows) == THERE
    calls = [call for text in rows.values() for call in _calls(text)]
    assert _answers(demo, calls) == []
    # Every tool of ours is somebody's successor, but the session's timeline, which was a recipe.
    assert {tool.name for tool in TOOLS} - {name for name, _ in calls} <= {"chart_session"}


def test_what_the_convai_server_had_besides_tools_is_here() -> None:
    text = prose(MOVED)
    assert [name for name in recipes.PROMPTS if f"`{name}`" not in text] == []
    pages = {str(page.uri) for page in RESOURCES if not str(page.uri).startswith("ui:")}
    assert set(re.findall(r"`(talkscope://[^`]+)`", text)) == {"talkscope://catalog", *pages}
    rows = [code for code in _CODE.findall(text) if code.startswith("talkscope ")]
    assert len(rows) >= 5
    for code in rows:
        _understood(shlex.split(code)[1:])


def test_the_block_for_agents_names_what_there_is() -> None:
    [block] = blocks(AGENTS, "markdown")
    codes = _CODE.findall(block)
    for code in codes:
        if code.startswith("talkscope ") and "COMMAND" not in code:
            _understood(shlex.split(code)[1:])
    assert [code for code in codes if code.startswith(("docs/", "recipes/")) and not (ROOT / code).exists()] == []
    assert {code for code in codes if code.isupper()} <= {each.name for each in settings.SETTINGS}
    named = {code for code in codes if re.fullmatch(r"query|[a-z]+(_[a-z]+)+", code)}
    assert named == {tool.name for tool in TOOLS if not tool.name.startswith("chart_")}


def test_the_release_workflow_runs_targets_that_exist() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    [workflow] = blocks(DOCS / "publishing.md", "yaml")
    targets = re.findall(r"run: make ([a-z0-9-]+)", workflow)
    assert targets == ["check", "dist"]
    assert all(f"\n{target}:" in makefile for target in targets)
    assert [words[0] for words in commands_in(DOCS / "publishing.md", "make")] == [
        "check-openapi", "check", "package-check", "e2e", "check-openapi", "docs",
    ]  # fmt: skip


def test_the_key_of_a_desktop_entry_is_no_real_one() -> None:
    entries = "\n".join(text for page in DOCS.rglob("*.md") for text in blocks(page, "json"))
    keys = re.findall(r"\b(?:ck_live|tsk)_\w+", entries)
    assert set(keys) == {"ck_live_your_key_here"}
