# ruff: noqa: INP001 - it stands beside the script that needs it
"""Whether a place of docs/coverage.md is there: a tool, a command with its options, something to import, a page."""

from __future__ import annotations

import importlib
import inspect
import re
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import click

from talkscope import recipes, settings, tools
from talkscope.cli.group import Commands
from talkscope.errors import TalkscopeError, UnknownArgument, UsageError
from talkscope.jobs.studio_report import RECIPES
from talkscope.server.resources import PAGES


def gone(where: str, root: Path) -> str | None:
    """Why a place is not there, or None when it is.

    A place is `tool NAME`, `prompt NAME`, `recipe NAME` of the report on Studio Chat, `resource URI`,
    `setting VARIABLE`, `make TARGET`, a command line of `talkscope …`, something to import with the argument that it
    takes, as `talkscope.a.b(argument)`, or a file of the repository, with the anchor of a heading.
    """
    kind, _, rest = where.partition(" ")
    if rest and kind in _LOOKS:
        return _LOOKS[kind](rest, root)
    if where.startswith("talkscope."):
        return _importable(where)
    return _file(where, root)


def _importable(where: str) -> str | None:
    found = re.fullmatch(r"([\w.]+)(?:\((\w+)\))?", where)
    if found is None:
        return "is no name to import"
    path, argument = found.groups()
    steps = path.split(".")
    for length in range(len(steps), 0, -1):
        try:
            thing: Any = importlib.import_module(".".join(steps[:length]))
        except ModuleNotFoundError:
            continue
        for step in steps[length:]:
            fields = getattr(thing, "model_fields", {}) or getattr(thing, "__dataclass_fields__", {})
            if not hasattr(thing, step) and step not in fields:
                return f"{'.'.join(steps[:length])} has no {step}"
            thing = getattr(thing, step, fields.get(step))
        return None if argument is None or _takes(thing, argument) else f"{path} takes no {argument}"
    return "cannot be imported"


def _takes(thing: Callable[..., object], argument: str) -> bool:
    parameters = inspect.signature(thing).parameters
    if argument in parameters:
        return True
    if not any(each.kind is inspect.Parameter.VAR_KEYWORD for each in parameters.values()):
        return False
    # It takes words of its own and refuses all others; one that is None counts as not given.
    try:
        thing(**{argument: None})
    except UnknownArgument:
        return False
    except UsageError:
        return True
    return True


def _command(words: str, root: Path) -> str | None:
    del root
    command: click.Command = Commands("talkscope")
    context = click.Context(command, info_name="talkscope")
    for word in words.split():
        options = {name for each in command.params for name in (*each.opts, *each.secondary_opts)}
        if word.startswith("-"):
            if word not in options:
                return f"{command.name} has no {word}"
        elif isinstance(command, click.Group):
            inner = command.get_command(context, word)
            if inner is None:
                return f"{command.name} has no command {word}"
            command, context = inner, click.Context(inner, parent=context, info_name=word)
        elif not any(isinstance(each, click.Argument) for each in command.params):
            return f"{command.name} takes no {word}"
    return None


def _tool(name: str, root: Path) -> str | None:
    del root
    try:
        tools.find(name)
    except TalkscopeError:
        return "is no tool"
    return None


def _target(name: str, root: Path) -> str | None:
    makefile = (root / "Makefile").read_text(encoding="utf-8")
    return None if re.search(rf"^{re.escape(name)}:", makefile, re.MULTILINE) else "is no target of the Makefile"


def _file(where: str, root: Path) -> str | None:
    path, _, anchor = where.partition("#")
    if not (root / path).exists():
        return "is not there"
    if not anchor:
        return None
    headings = re.findall(r"^#+ (.+)$", (root / path).read_text(encoding="utf-8"), re.MULTILINE)
    slugs = {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}
    return None if anchor in slugs else f"{path} has no heading of that anchor"


def _among(known: Callable[[], Iterable[str]]) -> Callable[[str, Path], str | None]:
    return lambda name, _: None if name in set(known()) else "is not there"


_LOOKS: Mapping[str, Callable[[str, Path], str | None]] = {
    "talkscope": _command,
    "tool": _tool,
    "make": _target,
    "prompt": _among(lambda: recipes.PROMPTS),
    "recipe": _among(lambda: RECIPES),
    "resource": _among(lambda: (page.uri for page in PAGES)),
    "setting": _among(lambda: (each.name for each in settings.SETTINGS)),
}
