"""How `make docs` makes a site of this folder: Sphinx reads the Markdown as it is, and any warning ends the build.

The source folder is the repository's root, so that a link leads to the same file on the site, in a clone and in an
editor. What is on the site is `include_patterns`; what is in the menu is MENU.
"""

from __future__ import annotations

import re
from pathlib import Path

from pygments.lexers.special import TextLexer
from sphinx.application import Sphinx
from sphinx.util.logging import getLogger

MENU: dict[str, list[str]] = {
    "Start": ["README", "docs/getting-started", "docs/coming-from-convai", "docs/agents"],
    "How to": [
        "docs/how-to/ingest",
        "docs/how-to/sources",
        "docs/how-to/platforms",
        "docs/how-to/sync",
        "docs/how-to/serve",
        "docs/how-to/report",
        "docs/how-to/studio-chat-report",
        "docs/mcp-distribution",
        "docs/prompts",
        "docs/charts",
        "docs/gallery/index",
    ],
    "Explanation": [
        "docs/concepts",
        "docs/outcomes",
        "docs/live-support",
        "docs/warehouse",
        "docs/privacy",
        "docs/authentication",
        "docs/decisions/README",
    ],
    "Reference": [
        "docs/reference/tools",
        "docs/reference/commands",
        "docs/reference/metrics",
        "docs/reference/settings",
        "Errors by class </docs/reference/errors>",
        "docs/errors",
        "docs/records",
        "docs/sdk",
    ],
    "The project": ["CONTRIBUTING", "docs/coverage", "docs/publishing", "SECURITY", "CHANGELOG"],
}
HOME = "docs/index"
_LOGGER = getLogger(__name__)

project = "Talkscope"
html_title = "Talkscope"
html_theme = "furo"
html_show_copyright = False
html_show_sourcelink = False
html_copy_source = False
# The address without a page leads to the first one.
html_additional_pages = {"index": "start.html"}
templates_path = ["_templates"]
extensions = ["myst_parser"]
root_doc = HOME
include_patterns = ["docs/**", "recipes/**/*.md", "README.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md"]
exclude_patterns = [".*", "benchmarks", "dist", "examples", "openapi", "site", "src", "tests", "docs/_templates"]
# Anchors are those of the headings, as in every viewer of Markdown.
myst_heading_anchors = 4

_ELSEWHERE = re.compile(
    rb"""<(?:script|img|iframe|source|video|audio|embed)\b[^>]*?\ssrc\s*=\s*["']?(?:https?:)?//"""
    rb"""|<link\b(?=[^>]*\brel=["']?(?:stylesheet|preload|preconnect|icon))[^>]*?\shref\s*=\s*["']?(?:https?:)?//"""
    rb"""|@import\s+(?:url\()?["']?(?:https?:)?//|url\(\s*["']?(?:https?:)?//"""
)


def _menu(app: Sphinx, name: str, source: list[str]) -> None:
    """Give the first page the menu, which Markdown has no words for."""
    if name != HOME:
        return
    folder = Path(app.srcdir)
    for title, pages in MENU.items():
        listed = "\n".join(page if "<" in page else f"/{page}" for page in pages)
        source[0] += f"\n\n```{{toctree}}\n:hidden:\n:caption: {title}\n\n{listed}\n```\n"
    more = sorted(str(file.relative_to(folder).with_suffix("")) for file in folder.glob("recipes/**/*.md"))
    more += sorted(str(file.relative_to(folder).with_suffix("")) for file in folder.glob("docs/decisions/0*.md"))
    # Pages that others lead to, and the menu has no place for.
    source[0] += "\n\n```{toctree}\n:hidden:\n\n" + "\n".join(f"/{page}" for page in more) + "\n```\n"


def _nothing_from_elsewhere(app: Sphinx, error: Exception | None) -> None:
    """Warn of a page that would load anything from another host: the site works without a network."""
    if error is not None:
        return
    made = [file for file in Path(app.outdir).rglob("*") if file.suffix in {".html", ".css", ".js"}]
    loading = [str(file.relative_to(app.outdir)) for file in made if _ELSEWHERE.search(file.read_bytes())]
    for page in loading:
        _LOGGER.warning("%s loads something from another host", page)


def setup(app: Sphinx) -> dict[str, bool]:
    """Add what is ours."""
    app.add_lexer("csv", TextLexer)
    app.connect("source-read", _menu)
    app.connect("build-finished", _nothing_from_elsewhere)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
