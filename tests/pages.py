"""The pages of the documentation, and what stands in them."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from textwrap import dedent

ROOT = Path(__file__).parent.parent
README = ROOT / "README.md"
DOCS = ROOT / "docs"
PAGES = [
    README,
    *(ROOT / name for name in ("CONTRIBUTING.md", "CHANGELOG.md", "SECURITY.md")),
    *sorted(DOCS.rglob("*.md")),
    *sorted((ROOT / "recipes").rglob("*.md")),
]

_FENCE = re.compile(r"^( *)```([\w-]*)[^\n]*\n(.*?)^\1```$", re.MULTILINE | re.DOTALL)


def prose(page: Path) -> str:
    """The page without its fenced blocks."""
    return _FENCE.sub("", page.read_text(encoding="utf-8"))


def fences(text: str) -> list[tuple[str, str]]:
    """Each fenced block of a text: its language and what is in it."""
    return [(language, dedent(inside)) for _, language, inside in _FENCE.findall(text)]


def blocks(page: Path, language: str) -> list[str]:
    """The page's fenced blocks of that language."""
    return [inside for name, inside in fences(page.read_text(encoding="utf-8")) if name == language]


def commands_in(page: Path, program: str) -> list[list[str]]:
    """The words of every console line of a page that runs the program, after `$` or a pipe."""
    lines = [line.removeprefix("$ ") for text in blocks(page, "console") for line in text.splitlines()]
    pieces = [piece.strip() for line in lines for piece in line.partition(" #")[0].split(" | ")]
    return [shlex.split(piece)[1:] for piece in pieces if piece.split()[:1] == [program]]


def anchors(page: Path) -> set[str]:
    """The places in a page that a link can point to."""
    titles = re.findall(r"^#+ (.+)$", prose(page), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.replace("`", "")).strip().lower().replace(" ", "-") for title in titles}
