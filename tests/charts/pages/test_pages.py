"""The pages as text: whole, closed to the network, and safe to put anything into."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser

import pytest

from talkscope.charts import pages
from talkscope.charts.drawing import theme
from talkscope.errors import Json

BUNDLE = "window.vegaEmbed = async () => {};"
HOSTILE = "</script><script>alert(1)</script><!--<script>"


class Elements(HTMLParser):
    """The elements of a page with their attributes and, for scripts, their text."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.scripts: list[str] = []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))
        if tag == "script":
            self.scripts.append("")

    def handle_data(self, data: str) -> None:
        if self.cdata_elem == "script":
            self.scripts[-1] += data


def _spec(text: str) -> dict[str, Json]:
    return {"title": text, "data": {"values": [{"name": [text]}]}, "mark": "bar", "encoding": {}}


@pytest.mark.parametrize(
    "page",
    [pages.app(BUNDLE), pages.standalone(BUNDLE, [_spec("a"), _spec("b")], title="Two")],
    ids=["app", "standalone"],
)
def test_a_page_names_nothing_outside_itself(page: str) -> None:
    elements = Elements(page)
    assert not [name for _, attrs in elements.found for name in attrs if name in ("src", "href", "srcset", "action")]
    assert not re.findall(r"url\(|@import|fetch\(|XMLHttpRequest|WebSocket|\beval\(|new Function", page)
    assert "//" not in re.sub(r"(?m)^\s*//.*$", "", page), "an address stands in the page"


def test_specs_come_back_from_the_page_as_they_went_in() -> None:
    given = [_spec(HOSTILE), _spec("Zürich & « 東京 » \u2028 \\u003c")]
    page = pages.standalone(BUNDLE, given, title="Any")
    assert json.loads(Elements(page).scripts[0]) == given


def test_no_text_of_data_or_title_opens_or_ends_an_element() -> None:
    plain, hostile = (
        Elements(pages.standalone(BUNDLE, [_spec(text), _spec("b")], title=text)) for text in ("plain", HOSTILE)
    )
    assert [tag for tag, _ in hostile.found] == [tag for tag, _ in plain.found]


def test_a_bundle_that_holds_the_end_of_a_script_in_a_text_does_not_end_the_script() -> None:
    bundle = "window.text = '<script></script><!-- ';"
    plain, other = (Elements(pages.app(each)) for each in (BUNDLE, bundle))
    assert [tag for tag, _ in other.found] == [tag for tag, _ in plain.found]
    assert r"window.text = '\x3cscript>\x3c/script>\x3c!-- ';" in other.scripts[0]


def test_both_shades_in_a_page_are_those_of_the_theme() -> None:
    page = pages.app(BUNDLE)
    found = re.search(r"const SHADES = (.*);", page)
    assert found
    assert json.loads(found[1]) == {"light": theme.config("light"), "dark": theme.config("dark")}
    assert f"--page: {theme.config('dark')['background']};" in page


def test_several_charts_stand_under_a_heading_and_one_chart_under_its_own_title() -> None:
    assert "<h1>A &amp; B</h1>" in pages.standalone(BUNDLE, [_spec("a"), _spec("b")], title="A & B")
    assert "<h1>" not in pages.standalone(BUNDLE, [_spec("a")], title="A & B")
    assert "<title>A &amp; B</title>" in pages.standalone(BUNDLE, [_spec("a")], title="A & B")


def test_the_same_charts_make_the_same_page() -> None:
    assert pages.standalone(BUNDLE, [_spec("a")], title="A") == pages.standalone(BUNDLE, [_spec("a")], title="A")
    assert pages.app(BUNDLE) == pages.app(BUNDLE)
