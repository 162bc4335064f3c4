"""The documentation speaks of what there is: names, tables, links and examples are compared with the code."""

from __future__ import annotations

import ast
import contextlib
import io
import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from urllib.parse import urlsplit

import click
import pytest

import talkscope
from talkscope import errors, settings
from talkscope.cli import COMMANDS, HIDDEN
from talkscope.cli.group import group
from talkscope.cli.questions import ASKED
from talkscope.models.records import RECORDS
from talkscope.models.window import RANGES
from talkscope.tools import RECORD_TOOLS, TOOLS
from talkscope.tools.tool import Tool
from tests.pages import DOCS, PAGES, README, ROOT, anchors, blocks, commands_in, fences, prose

WRITTEN = "\n".join(page.read_text(encoding="utf-8") for page in [README, *DOCS.rglob("*.md")])

_LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)")


def kinds(root: type[errors.TalkscopeError] = errors.TalkscopeError) -> list[str]:
    """The names of all errors that `talkscope.errors` has."""
    below = [name for kind in root.__subclasses__() if kind.__module__ == errors.__name__ for name in kinds(kind)]
    return [root.__name__, *below]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_relative_link_of_a_page_leads_somewhere(page: Path) -> None:
    broken = []
    for link in _LINK.findall(prose(page)):
        if "://" in link or link.startswith("mailto:"):
            continue
        name, _, anchor = link.partition("#")
        target = (page.parent / name).resolve() if name else page
        if not target.exists() or (anchor and anchor not in anchors(target)):
            broken.append(link)
    assert broken == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_to_elsewhere_is_a_whole_address(page: Path) -> None:
    odd = []
    for link in _LINK.findall(prose(page)):
        if "://" in link:
            parts = urlsplit(link)
            if parts.scheme != "https" or "." not in parts.netloc or parts.username or link[-1] in ".,;":
                odd.append(link)
    assert odd == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_snippet_of_a_page_is_well_formed(page: Path) -> None:
    for text in blocks(page, "python"):
        compile(text, page.name, "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
    for text in blocks(page, "toml"):
        tomllib.loads(text)
    for text in blocks(page, "json"):
        try:
            json.loads(text)
        except ValueError:
            assert all(json.loads(line) for line in text.splitlines())


def test_every_tool_is_written_about() -> None:
    assert [tool.name for tool in TOOLS if f"`{tool.name}`" not in WRITTEN] == []


def test_every_command_is_written_about() -> None:
    shown = [name for name, entry in COMMANDS.items() if entry.section != HIDDEN]
    assert [name for name in shown if not re.search(rf"\btalkscope {name}\b|`{name}`", WRITTEN)] == []


def test_every_setting_is_written_about() -> None:
    assert [each.name for each in settings.SETTINGS if each.name not in WRITTEN] == []


def test_every_error_is_written_about() -> None:
    assert [name for name in kinds() if f"`{name}`" not in WRITTEN] == []


def test_every_range_is_written_about() -> None:
    concepts = (DOCS / "concepts.md").read_text(encoding="utf-8")
    assert [name for name in RANGES if not re.search(rf"\b{name}\b", concepts)] == []


def test_the_readme_pairs_each_tool_with_its_command() -> None:
    rows = re.findall(r"^\| .+\? \| `(\w+)` \| `(\w+)` \|$", README.read_text(encoding="utf-8"), re.MULTILINE)
    asking = [tool for tool in (*TOOLS, *RECORD_TOOLS) if isinstance(tool, Tool)]
    assert sorted((tool, ASKED.get(command, command)) for tool, command in rows) == sorted(
        (tool.name, tool.question.name) for tool in asking
    )
    assert {command for _, command in rows} <= COMMANDS.keys()


def test_the_tables_of_records_are_the_codes_own() -> None:
    text = (DOCS / "records.md").read_text(encoding="utf-8")
    for kind, fields in RECORDS.items():
        section = text.partition(f"\n## {kind}\n")[2].partition("\n#")[0]
        rows = re.findall(r"^\| (\*\*)?(\w+)(?:\*\*)? \|", section, re.MULTILINE)
        told = [(name, bool(bold)) for bold, name in rows if bold or name != "name"]
        assert told == [(field.name, field.required) for field in fields], kind


def test_every_make_target_of_the_documentation_exists() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z0-9-]+):", makefile, re.MULTILINE))
    asked = {words[0] for page in PAGES for words in commands_in(page, "make") if words}
    assert {"demo", "test"} <= asked
    assert asked - targets == set()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_talkscope_command_of_a_page_is_understood(page: Path, tmp_path: Path) -> None:
    for words in commands_in(page, "talkscope"):
        if "[OPTIONS]" in words or any(word.startswith("[") for word in words):
            continue
        context = click.Context(group, info_name="talkscope")
        command = group.get_command(context, words[0])
        assert command is not None, words
        for word in words[1:]:
            if word.endswith("/"):
                (tmp_path / word).mkdir(exist_ok=True)
            elif Path(word).suffix:
                (tmp_path / word).touch()
        with contextlib.chdir(tmp_path):
            command.make_context(words[0], list(words[1:]), parent=context).close()


@pytest.mark.parametrize("page", [README, DOCS / "mcp-distribution.md"], ids=lambda page: page.stem)
def test_every_host_entry_starts_the_server(page: Path) -> None:
    started, known = [], {each.name for each in settings.SETTINGS}
    entries = [json.loads(text) for text in blocks(page, "json")] + [
        tomllib.loads(text) for text in blocks(page, "toml")
    ]
    for entry in entries:
        [servers] = [entry[top] for top in ("mcpServers", "servers", "mcp_servers") if top in entry]
        for server in servers.values():
            started.append([server["command"], *server["args"]])
            assert server.get("env", {}).keys() <= known
    for host in ("claude", "codex"):
        started += [words[words.index("--") + 1 :] for words in commands_in(page, host)]
    started += [words[words.index("talkscope") + 1 :] for words in commands_in(page, "gemini")]
    assert len(started) == {"README": 5, "mcp-distribution": 10}[page.stem]
    assert all(words == ["uvx", "talkscope", "mcp"] for words in started)


def test_the_settings_that_host_entries_name_exist() -> None:
    known = {each.name for each in settings.SETTINGS}
    named = set(re.findall(r"\bTALKSCOPE_[A-Z_]+\b", WRITTEN))
    assert named - known == set()


def test_the_configuration_file_of_the_documentation_is_understood(tmp_path: Path) -> None:
    [text] = blocks(DOCS / "warehouse.md", "toml")
    file = tmp_path / "config.toml"
    file.write_text(text, encoding="utf-8")
    read = settings.read({}, config=file)
    assert read.default_source == "production"
    assert {source.name for source in read.sources} == {"production", "staging"}
    assert read.source("staging").path == tmp_path / "staging"


def test_the_readmes_python_example_runs(tmp_path: Path) -> None:
    span = {
        "type": "span",
        "session_id": "s1",
        "processor": "llm",
        "provider": "openai",
        "model": "m",
        "start_time": "2026-05-04T10:00:00Z",
        "duration_ms": 20,
    }
    text = next(text for text in blocks(README, "python") if "open_warehouse" in text)
    said = io.StringIO()
    with contextlib.chdir(tmp_path), contextlib.redirect_stdout(said):
        talkscope.ingest([span], warehouse="calls")
        exec(compile(text, "README.md", "exec"), {})
    assert "last_7d" in said.getvalue()


def test_the_python_of_the_page_on_loading_runs(tmp_path: Path) -> None:
    text = next(text for text in blocks(DOCS / "how-to" / "ingest.md", "python") if "talkscope.ingest" in text)
    said = io.StringIO()
    with contextlib.chdir(tmp_path), contextlib.redirect_stdout(said):
        exec(compile(text, "ingest.md", "exec"), {})
    assert said.getvalue().startswith("1 loaded, 1 refused: records: record 2 latency_ms is not a number")


def test_the_importer_of_the_documentation_prints_records_that_load(tmp_path: Path) -> None:
    text = next(text for text in blocks(DOCS / "how-to" / "ingest.md", "python") if "sys.stdin" in text)
    part = {"name": "llm", "vendor": "openai", "at": "2026-05-04T10:00:01Z", "ms": 800}
    call = {
        "uuid": "c1",
        "began": "2026-05-04T10:00:00Z",
        "ended": "2026-05-04T10:01:00Z",
        "bot": "b1",
        "caller": "u1",
        "turns": [{"at": "2026-05-04T10:00:01Z", "wait_ms": 900, "parts": [part]}, {
            "at": "2026-05-04T10:00:20Z", "failed": True, "parts": []}],
    }  # fmt: skip
    done = subprocess.run(
        [sys.executable, "-c", text], input=json.dumps(call), capture_output=True, text=True, check=True, timeout=60
    )
    file = tmp_path / "calls.ndjson"
    file.write_text(done.stdout, encoding="utf-8")
    talkscope.ingest([file], warehouse=tmp_path / "warehouse")
    with talkscope.open_warehouse(tmp_path / "warehouse") as client:
        row = client.ask(
            "breakdown",
            measures=["sessions", "interactions", "errors", "p50"],
            group_by=["platform"],
            start_time="2026-05-04",
            end_time="2026-05-05",
        ).records()[0]
    assert [row[name] for name in ("platform", "sessions", "interactions", "errors", "p50")] == [
        "callcentre", 1, 2, 1, 900.0,
    ]  # fmt: skip


def test_the_examples_of_formats_load_as_the_format_of_their_section(tmp_path: Path) -> None:
    page = (DOCS / "how-to" / "ingest.md").read_text(encoding="utf-8")
    sections = re.split(r"^## ", page, flags=re.MULTILINE)[1:]
    seen = set()
    for section in sections:
        title = section.partition("\n")[0]
        for number, (name, text) in enumerate(fences(section)):
            if name in {"json", "csv"}:
                stem = "spans" if name == "csv" else title.split()[0].strip(":").lower()
                file = tmp_path / f"{stem}-{number}.{name}"
                file.write_text(text, encoding="utf-8")
                report = talkscope.ingest(file, warehouse=tmp_path / "warehouse")
                assert report.ok, (title, report.refused)
                assert report.records, title
                seen.add(file.name.partition("-")[0])
    assert seen == {"records", "spans", "opentelemetry", "livekit", "pipecat", "vapi", "retell", "langfuse"}
