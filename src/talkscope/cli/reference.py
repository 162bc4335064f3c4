"""`python -m talkscope.cli.reference`: the reference pages of the documentation, written from the live objects."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import click

from talkscope import errors
from talkscope.cli import COMMANDS, HIDDEN
from talkscope.cli.group import group
from talkscope.models.outcomes import OUTCOMES
from talkscope.models.semantics import DIMENSIONS, MEASURES
from talkscope.settings import PLATFORMS, SETTINGS

if TYPE_CHECKING:
    from talkscope.tools import AnyTool

FOLDER = Path("docs/reference")
_WRITTEN = "<!-- Written by `python -m talkscope.cli.reference --write`; change the code instead. -->"


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def _rows(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    titles = list(head)
    lines = [f"| {' | '.join(titles)} |", f"|{'---|' * len(titles)}"]
    lines += [f"| {' | '.join(_cell(each) for each in row)} |" for row in rows]
    return "\n".join(lines)


def _page(title: str, *parts: str) -> str:
    return "\n\n".join([f"# {title}", _WRITTEN, *(part.strip("\n") for part in parts if part)]) + "\n"


def tools() -> str:
    """The page of tools: what each answers, and the words it takes."""
    from talkscope.platforms import platform
    from talkscope.tools import RECORD_TOOLS, TOOLS, TOOLSETS, toolset

    parts = ["Each question is one tool over MCP. They only read, unless it says that they do not."]
    parts += [part for tool in TOOLS for part in _tool(tool)]
    parts += ["# Of what only some platforms tell", "Listed where a warehouse holds such records."]
    parts += [part for tool in RECORD_TOOLS for part in _tool(tool)]
    for name in TOOLSETS:
        key = PLATFORMS[name].key
        parts += [f"# {platform(name).title}", f"Listed where an account is configured: see `{key}`."]
        parts += [part for tool in toolset(name) for part in _tool(tool)]
    return _page("Tools", *parts)


def _tool(tool: AnyTool) -> list[str]:
    properties = tool.input_schema().get("properties")
    rows = [_argument(name, told) for name, told in properties.items()] if isinstance(properties, dict) else []
    changing = "It changes something on the platform: off unless `TALKSCOPE_ALLOW_SIDE_EFFECTS=1`."
    return [
        f"## {tool.name}",
        tool.description,
        "" if getattr(tool, "read_only", True) else changing,
        _rows(("argument", "type", "meaning"), rows) if rows else "",
    ]


def _argument(name: str, told: errors.Json) -> list[str]:
    described = told if isinstance(told, dict) else {}
    kinds = described.get("enum") or described.get("type", "")
    kind = ", ".join(f"`{each}`" for each in kinds) if isinstance(kinds, list) else str(kinds)
    return [f"`{name}`", kind, str(described.get("description", ""))]


_CODES = {
    0: "All went well.",
    1: "Something failed; one line on stderr says what.",
    2: "The words make no command.",
    3: "`ingest` loaded what it could, and refused some records.",
    130: "Ctrl-C.",
    141: "Nobody reads the output any more.",
}


def commands() -> str:
    """The page of commands: usage and options of each."""
    context = click.Context(group, info_name="talkscope")
    parts = [
        "A question's answer is a table on a terminal and JSON in a pipe.",
        _rows(("exit code", "meaning"), ([str(code), says] for code, says in _CODES.items())),
    ]
    for name, entry in COMMANDS.items():
        if entry.section == HIDDEN:
            continue
        command = group.get_command(context, name)
        assert command is not None
        parts += _command(command, name, f"{entry.says}.", context)
    return _page("Commands", *parts)


def _command(command: click.Command, name: str, says: str, above: click.Context) -> list[str]:
    """One command's part of the page, and those of the commands below it."""
    context = click.Context(command, parent=above, info_name=name)
    usage = " ".join([*context.command_path.split(), *command.collect_usage_pieces(context)])
    rows = []
    for parameter in command.get_params(context):
        record = parameter.get_help_record(context)
        if record is not None:
            rows.append([f"`{record[0]}`", record[1]])
    parts = [
        f"## {context.command_path}",
        says,
        f"```console\n$ {usage}\n```",
        _rows(("option", "meaning"), rows),
    ]
    if isinstance(command, click.Group):
        for each in command.list_commands(context):
            below = command.get_command(context, each)
            assert below is not None
            parts += _command(below, each, f"{below.get_short_help_str(200)}.", context)
    return parts


def metrics() -> str:
    """The page of measures and dimensions."""
    measures = _rows(
        ("measure", "unit", "meaning"),
        ([f"`{each.name}`", each.unit, each.description] for each in MEASURES.values()),
    )
    dimensions = _rows(
        ("dimension", "of", "meaning"),
        ([f"`{each.name}`", ", ".join(sorted(each.scopes)), each.description] for each in DIMENSIONS.values()),
    )
    outcomes = _rows(
        ("measure", "in", "meaning"), ([f"`{each.name}`", each.unit, each.definition] for each in OUTCOMES.values())
    )
    return _page(
        "Measures and dimensions",
        "The spellings of the v1 contract (`p95_value`, `p95Value`, `unique_sessions`, …) are understood too.",
        "## Measures",
        measures,
        "## Dimensions",
        "Naming a span dimension makes a question about spans, an outcome dimension about outcomes.",
        dimensions,
        "## How sessions ended",
        "The measures of `get_outcomes`, [each explained](../outcomes.md).",
        outcomes,
    )


def settings() -> str:
    """The page of settings."""
    return _page(
        "Settings",
        "Everything that is set comes from the environment and from one file, `config.toml`; the environment wins.",
        _rows(("variable", "default", "meaning"), ([f"`{e.name}`", e.default, e.meaning] for e in SETTINGS)),
        '```toml\nsource = "calls"\n\n[sources.calls]\npath = "/data/calls"\n```',
    )


def _kinds(root: type[errors.TalkscopeError], depth: int = 0) -> Iterable[tuple[int, type[errors.TalkscopeError]]]:
    yield depth, root
    for child in root.__subclasses__():
        if child.__module__ == errors.__name__:
            yield from _kinds(child, depth + 1)


def errors_page() -> str:
    """The page of errors."""
    rows = [
        [
            f"{'– ' * depth}`{kind.__name__}`",
            f"`{kind.code}`",
            str(kind.status or ""),
            (inspect.getdoc(kind) or "").splitlines()[0],
            kind.default_hint,
        ]
        for depth, kind in _kinds(errors.TalkscopeError)
    ]
    return _page(
        "Errors",
        "Every failure is one of these; each carries a code, a message and a hint that says what to do next.",
        _rows(("class", "code", "status", "what it means", "hint"), rows),
    )


PAGES: Mapping[str, Callable[[], str]] = {
    "tools.md": tools,
    "commands.md": commands,
    "metrics.md": metrics,
    "settings.md": settings,
    "errors.md": errors_page,
}


def stale(folder: Path) -> list[str]:
    """The pages in the folder that are not what the code says now, missing ones included."""

    def held(path: Path) -> str | None:
        return path.read_text(encoding="utf-8") if path.exists() else None

    return [name for name, render in PAGES.items() if held(folder / name) != render()]


def command(name: str) -> click.Command:
    """The command `reference`, which is not in the help."""
    return click.Command(
        name,
        callback=_reference,
        hidden=True,
        params=[
            click.Option(["--write/--check"], default=False, help="Write the pages, or say which are not current."),
            click.Argument(["folder"], type=click.Path(path_type=Path, file_okay=False), default=FOLDER),
        ],
        help="Write the reference pages of the documentation into a folder (docs/reference), or check them.",
    )


def _reference(write: bool, folder: Path) -> None:
    old = stale(folder)
    if write:
        folder.mkdir(parents=True, exist_ok=True)
        for name in old:
            (folder / name).write_text(PAGES[name](), encoding="utf-8", newline="\n")
        click.echo(f"Written: {', '.join(old)}." if old else "All pages are current.")
        return
    if old:
        click.echo(f"Not current: {', '.join(old)}. Run: python -m talkscope.cli.reference --write", err=True)
        click.get_current_context().exit(1)


if __name__ == "__main__":
    from talkscope.cli.group import run

    sys.exit(run(["reference", *sys.argv[1:]]))
