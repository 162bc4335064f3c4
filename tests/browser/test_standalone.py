"""A file of charts in a browser: it opens without a network, in light and dark, on screen and on paper."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping

import pytest

from talkscope.charts import pages
from talkscope.errors import Json
from tests.browser import specs
from tests.browser.chromium import Chromium, Page
from tests.browser.looks import DARK, LIGHT, PAGE

FILE = "https://file.test/out.html"


@pytest.fixture
def reader(chromium: Chromium) -> Iterator[Page]:
    page = chromium.open()
    page.prefer("light")
    yield page
    page.close()
    assert page.complaints == []
    assert set(page.requests) <= {FILE, FILE.replace("out.html", "favicon.ico")}


def _open(page: Page, bundle: str, *given: Mapping[str, Json]) -> None:
    text = pages.standalone(bundle, given, title="Latency of the week")
    page.lay(FILE, text.replace("<title>", '<link rel="icon" href="data:,"><title>'))
    page.go(FILE)
    page.wait(f"document.querySelectorAll('.drawing svg').length === {len(given)}")


def test_a_file_of_charts_opens_without_a_network(reader: Page, bundle: str) -> None:
    _open(reader, bundle, specs.lines(), specs.bars(), specs.panels())
    assert reader.run("document.querySelector('h1').textContent") == "Latency of the week"
    assert (
        reader.run(
            "[...document.querySelectorAll('.chart')].map(each => each.querySelectorAll('.role-mark path').length > 3)"
        )
        == [True] * 3
    )
    assert "P95 is highest at 14:00" in reader.run("document.querySelector('.summary').textContent")


def test_a_file_is_light_or_dark_as_its_reader_prefers_and_prints_light(reader: Page, bundle: str) -> None:
    reader.prefer("dark")
    _open(reader, bundle, specs.lines())
    reader.wait("Boolean(document.querySelector('.for-print svg'))")
    assert reader.run(PAGE) == DARK
    shown = "[...document.querySelectorAll('.drawing, .for-print')].map(each => each.checkVisibility())"
    assert reader.run(shown) == [True, False]
    reader.prefer("dark", media="print")
    assert (reader.run(PAGE), reader.run(shown)) == (LIGHT, [False, True])
    reader.prefer("light")
    reader.wait(f"{PAGE} === {json.dumps(LIGHT)}")


def test_a_script_that_a_file_does_not_hold_is_not_run_in_it(reader: Page, bundle: str) -> None:
    _open(reader, bundle, specs.lines())
    reader.run(
        "const s = document.createElement('script'); s.textContent = 'window.ran = true'; document.body.append(s)"
    )
    assert reader.run("window.ran") is None
    assert [each for each in reader.complaints if "Content Security Policy" in each]
    reader.complaints.clear()
