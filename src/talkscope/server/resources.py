"""The resources: pages that explain the words, the catalogue of this source, and the page that shows charts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, runtime_checkable
from urllib.parse import unquote

import orjson
from mcp.server.lowlevel.helper_types import ReadResourceContents
from mcp_types import Resource, ResourceTemplate

from talkscope import contract, recipes
from talkscope.errors import Json, NotFound, NotSupported, nearest, unknown
from talkscope.models.answers import Answer
from talkscope.models.safe import plain
from talkscope.models.text import clean
from talkscope.tools.catalog import CATALOG as LIST_METRICS
from talkscope.tools.tool import Asker, Manner
from talkscope.tools.tool.shape import MOST_TOKENS

CHART = "ui://talkscope/chart.html"
CATALOG = "talkscope://catalog"
MEMBER = "talkscope://catalog/{kind}/{name}"
KINDS: tuple[str, ...] = ("measure", "dimension", "metric")
"""What the catalogue holds, by the words that its rows have in `kind`."""

_MARKDOWN, _JSON, _APP = "text/markdown", "application/json", "text/html;profile=mcp-app"
# The page brings all that it needs: a host may deny it everything.
_ALONE: dict[str, Json] = {
    "ui": {
        "csp": {"connectDomains": [], "resourceDomains": [], "frameDomains": [], "baseUriDomains": []},
        "permissions": {},
        "prefersBorder": True,
    }
}


@runtime_checkable
class Drawing(Protocol):
    """An asker that draws charts too."""

    async def bundle(self) -> str:
        """The program that draws charts in a page."""


@dataclass(frozen=True, slots=True)
class Page:
    """A resource with a fixed address; `path` is the file behind it, in the repository, if it is one."""

    uri: str
    name: str
    title: str
    description: str
    kind: str
    path: str = ""
    meta: dict[str, Json] | None = None


PAGES: tuple[Page, ...] = (
    Page(
        "talkscope://docs/concepts",
        "concepts",
        "Concepts",
        "What the words mean exactly: sessions, turns, windows, measures, scopes, regressions.",
        _MARKDOWN,
        "docs/concepts.md",
    ),
    Page(
        "talkscope://docs/metrics-reference",
        "metrics-reference",
        "Measures and dimensions",
        "Every measure and dimension, with units and meanings.",
        _MARKDOWN,
        "docs/reference/metrics.md",
    ),
    Page(
        "talkscope://docs/authentication",
        "authentication",
        "Keys",
        "Where a key is kept, what it opens, and what to do when it is refused.",
        _MARKDOWN,
        "docs/authentication.md",
    ),
    Page(
        CATALOG,
        "catalog",
        "What can be measured here",
        "Measures, dimensions and metric names of the default source, as list_metrics gives them.",
        _JSON,
    ),
    Page(CHART, "chart", "Chart", "The page that shows what the chart tools draw.", _APP, meta=_ALONE),
)


def listed() -> list[Resource]:
    """Every resource with a fixed address, in their order; `size` where it is known without making it."""
    return [
        Resource(
            uri=page.uri,
            name=page.name,
            title=page.title,
            description=page.description,
            mime_type=page.kind,
            size=len(recipes.text_of(page.path).encode()) if page.path else None,
            _meta=page.meta,
        )
        for page in PAGES
    ]


def templates() -> list[ResourceTemplate]:
    """The one kind of address that is filled in: a member of the catalogue."""
    return [
        ResourceTemplate(
            uri_template=MEMBER,
            name="catalog-member",
            title="One measure, dimension or metric",
            description=f"A row of the catalogue by its kind ({', '.join(KINDS)}) and name.",
            mime_type=_JSON,
        )
    ]


async def read(uri: str, asker: Asker, manner: Manner) -> ReadResourceContents:
    """What the address stands for. Raises NotFound with the nearest, or why it cannot be had."""
    for page in PAGES:
        if page.uri == uri:
            return await _page(page, asker, manner)
    kind, slash, name = uri.removeprefix(f"{CATALOG}/").partition("/")
    if uri.startswith(f"{CATALOG}/") and slash and kind in KINDS:
        return await _member(kind, unquote(name), asker, manner)
    known = [page.uri for page in PAGES]
    close = nearest(uri[:200], known)
    hint = (f"Did you mean {close}? " if close else "") + f"There are {', '.join(known)} and {MEMBER}."
    raise NotFound(f"There is no resource {clean(uri, 120)!r}.", hint=hint, details={"nearest": close})


async def _page(page: Page, asker: Asker, manner: Manner) -> ReadResourceContents:
    if page.uri == CATALOG:
        made = await _catalog(asker, manner)
    elif page.uri == CHART:
        made = await _chart(asker)
    else:
        made = recipes.text_of(page.path)
    return ReadResourceContents(made, page.kind, page.meta)


@dataclass(frozen=True, slots=True)
class _Whole:
    """Answers as long as they may be: who reads a resource asked for all of it."""

    reveal_personal_data: bool
    answer_tokens: int = MOST_TOKENS // 2
    allow_side_effects: bool = False


async def _catalog(asker: Asker, manner: Manner) -> str:
    shaped = await LIST_METRICS.call(asker, {}, _Whole(manner.reveal_personal_data))
    return orjson.dumps(shaped.structured).decode()


async def _chart(asker: Asker) -> str:
    if not isinstance(asker, Drawing):
        raise NotSupported("This server draws no charts.", hint="Ask a chart tool with format=spec.")
    from talkscope.charts import pages

    return pages.app(await asker.bundle())


async def _member(kind: str, name: str, asker: Asker, manner: Manner) -> ReadResourceContents:
    answer = await asker.ask(None, contract.CATALOG, {"kind": kind})
    mask = str if manner.reveal_personal_data else asker.mask(None)
    for row in answer.records():
        if row.get("name") == name:
            return ReadResourceContents(orjson.dumps(plain(row, mask)).decode(), _JSON)
    error = unknown(kind, clean(name, 60), names(answer))
    raise NotFound(error.message, hint=error.hint, details={"nearest": error.details["nearest"]})


def names(answer: Answer) -> list[str]:
    """The names that a catalogue holds, in its order."""
    return [str(row["name"]) for row in answer.records() if row.get("name")]
