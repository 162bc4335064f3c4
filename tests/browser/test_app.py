"""The MCP App in a browser: a host shows it as the specification has it, under its policy and without a network."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from talkscope.charts import pages
from talkscope.errors import Json
from tests.browser import specs
from tests.browser.chromium import Chromium, Page
from tests.browser.looks import DARK, LIGHT, PAGE, series

HOST = "https://host.test/"
VIEW = "https://view.test/chart.html"
# What hosts send for a view that declares no domains, without the 'self' that a view in one piece does not need.
POLICY = (
    "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data:; font-src data:; "
    "connect-src 'none'; object-src 'none'; frame-src 'none'; base-uri 'none'"
)
MARKS = "document.querySelector('.drawing svg .role-mark :is(path, text)')"
SAID = "document.querySelector('.said').textContent"


class Host:
    """A host that shows the MCP App."""

    def __init__(self, page: Page) -> None:
        self.page = page

    def load(self, **context: Json) -> None:
        """Show the view anew in this context, up to the end of the handshake."""
        self.page.run(f"heard.length = 0; load({json.dumps(context)})")
        self.page.wait("heard.some(each => each.method === 'ui/notifications/initialized')")

    def send(self, method: str, params: Mapping[str, Any], **more: Json) -> None:
        """Send the view a message."""
        self.page.run(f"send({json.dumps({'method': method, 'params': params, **more})})")

    def show(self, spec: Mapping[str, Json]) -> None:
        """A tool's result with this spec, drawn."""
        self.send("ui/notifications/tool-input", {"arguments": {}})
        self.send(
            "ui/notifications/tool-result", {"content": [], "structuredContent": {"spec": spec, "summary": "P95 rose."}}
        )
        self.wait(MARKS)

    def wait(self, script: str) -> None:
        """Wait until an expression is true in the view."""
        self.page.wait(f"Boolean({script})", frame=VIEW)

    def see(self, script: str) -> Any:
        """The value of an expression in the view."""
        return self.page.run(script, frame=VIEW)

    def heard(self, method: str) -> list[dict[str, Any]]:
        """The params of each message of this kind that the view sent."""
        found: list[dict[str, Any]] = self.page.run(
            f"heard.filter(each => each.method === {json.dumps(method)}).map(each => each.params)"
        )
        return found

    def answer(self, asked: str) -> dict[str, Any]:
        """What the view answers to the request with this id."""
        found: dict[str, Any] = self.page.wait(f"heard.find(each => each.id === {json.dumps(asked)} && !each.method)")
        return found


@pytest.fixture(scope="module")
def laid(chromium: Chromium, bundle: str) -> Iterator[Page]:
    """A page that the host and the view are laid out for."""
    page = chromium.open()
    page.lay(HOST, Path(__file__).with_name("host.html").read_text("utf-8"))
    page.lay(VIEW, pages.app(bundle), content_security_policy=POLICY)
    yield page
    page.close()


@pytest.fixture
def host(laid: Page) -> Iterator[Host]:
    laid.requests.clear()
    laid.prefer("light")
    laid.size(760, 600)
    laid.go("about:blank")
    laid.go(HOST)
    laid.wait("document.readyState === 'complete' && typeof load === 'function'")
    yield Host(laid)
    complaints, laid.complaints = laid.complaints, []
    assert complaints == []
    assert set(laid.requests) <= {HOST, VIEW}


def test_a_host_shows_the_lines_of_a_result(host: Host) -> None:
    host.load(theme="light")
    host.show(specs.lines())
    lengths = host.see("[...document.querySelectorAll('.mark-line.role-mark path')].map(each => each.getTotalLength())")
    assert len(lengths) == 3
    assert min(lengths) > 500
    assert host.see("document.querySelectorAll('.mark-symbol.role-mark path').length") == 72
    assert host.see("document.querySelector('h2').textContent") == "P50, P95 and P99 of user-to-bot latency"
    assert "(Europe/Berlin)" in host.see("document.querySelector('.about').textContent")
    assert host.see("document.querySelector('.plot').getAttribute('role')") == "img"
    assert "P50, P95 and P99" in host.see("document.querySelector('.plot').ariaLabel")
    assert "P95 rose." in host.see("document.querySelector('.summary').textContent")


def test_time_stretches_over_the_width_though_expressions_are_interpreted(host: Host) -> None:
    host.load(theme="light")
    host.show(specs.drawn("line"))
    box = host.see("document.querySelector('.mark-line.role-mark path').getBBox().width")
    assert box > 500
    assert len(host.see("[...document.querySelectorAll('.role-axis-label text')].map(each => each.textContent)")) > 6
    host.see("document.querySelector('.plot').focus()")
    host.page.press("End")
    assert "Thu 19 Nov 2026, 23:00" in host.see(SAID)


def test_a_heatmap_shows_a_cell_for_each_hour(host: Host) -> None:
    host.load(theme="dark")
    host.show(specs.drawn("heatmap"))
    cells = "[...document.querySelectorAll('.mark-rect.role-mark path')].filter(each => each.getBBox().width > 5)"
    assert host.see(f"{cells}.length") >= 48
    assert host.see(f"new Set({cells}.map(each => each.getAttribute('fill'))).size") > 20


def test_the_view_introduces_itself_as_the_specification_has_it(host: Host) -> None:
    host.load()
    (asked,) = host.heard("ui/initialize")
    assert asked["protocolVersion"] == "2026-01-26"
    assert set(asked) == {"protocolVersion", "appInfo", "appCapabilities"}
    assert set(asked["appInfo"]) >= {"name", "version"}
    assert "inline" in asked["appCapabilities"]["availableDisplayModes"]
    assert host.page.run("heard.map(each => each.method).slice(0, 2)") == [
        "ui/initialize",
        "ui/notifications/initialized",
    ]
    assert host.page.run("heard.every(each => each.jsonrpc === '2.0')")


def test_a_spec_beside_an_image_is_drawn_too(host: Host) -> None:
    host.load(theme="light")
    content = [{"type": "text", "text": "P95 by provider."}, {"type": "image", "data": "", "mimeType": "image/png"}]
    host.send("ui/notifications/tool-result", {"content": content, "_meta": {"talkscope/spec": specs.bars()}})
    host.wait(MARKS)
    widths = host.see("[...document.querySelectorAll('.mark-rect.role-mark path')].map(each => each.getBBox().width)")
    assert len(widths) == 4
    assert min(widths) > 5
    assert "P95 by provider." in host.see("document.querySelector('.summary').textContent")


def test_a_chart_follows_the_host_from_light_to_dark_whatever_the_reader_prefers(host: Host) -> None:
    line = "document.querySelector('.drawing .mark-line.role-mark path').getAttribute('stroke')"
    host.load(theme="light")
    host.show(specs.lines())
    assert (host.see(PAGE), host.see(line)) == (LIGHT, series("light"))
    host.send("ui/notifications/host-context-changed", {"theme": "dark"})
    host.wait(f"{line} === {json.dumps(series('dark'))}")
    assert host.see(PAGE) == DARK
    host.page.prefer("light")
    assert host.see(PAGE) == DARK


def test_without_a_word_from_the_host_a_chart_has_the_shade_that_the_reader_prefers(host: Host) -> None:
    host.page.prefer("dark")
    host.load()
    host.show(specs.bars())
    assert host.see(PAGE) == DARK
    host.page.prefer("light")
    host.wait(f"{PAGE} === {json.dumps(LIGHT)}")


def test_the_host_is_told_how_high_the_chart_is_so_that_nothing_scrolls(host: Host) -> None:
    host.load(theme="light")
    host.show(specs.lines())
    host.page.wait("heard.some(each => each.params?.height > 300)")
    host.wait("document.documentElement.scrollHeight <= window.innerHeight")
    (*_, last) = host.heard("ui/notifications/size-changed")
    assert last == {"width": 760, "height": host.see("window.innerHeight")}


def test_a_chart_is_as_wide_as_its_container_and_stays_so(host: Host) -> None:
    for spec in (specs.lines(), specs.bars(), specs.panels()):
        host.page.size(760, 600)
        host.load(theme="light")
        host.show(spec)
        host.wait("Math.abs(document.querySelector('.drawing svg').getBoundingClientRect().width - 720) < 8")
        host.page.size(560, 600)
        host.wait("Math.abs(document.querySelector('.drawing svg').getBoundingClientRect().width - 520) < 8")


def test_a_chart_fills_a_container_of_a_fixed_height(host: Host) -> None:
    host.page.run("frame.style.height = '560px'")
    host.load(theme="light", containerDimensions={"width": 760, "height": 560})
    host.show(specs.lines())
    assert abs(host.see("document.body.getBoundingClientRect().height") - 560) < 4


def test_a_failed_call_shows_its_text(host: Host) -> None:
    host.load(theme="light")
    failed = {"isError": True, "content": [{"type": "text", "text": "No <b>such</b> metric."}]}
    host.send("ui/notifications/tool-result", failed)
    host.wait("document.querySelector('.note[role=alert]')")
    assert host.see("document.body.innerText.trim()") == "No <b>such</b> metric."


def test_a_cancelled_call_and_a_result_without_a_chart_say_so(host: Host) -> None:
    host.load(theme="light")
    host.send("ui/notifications/tool-input-partial", {"arguments": {"range": "last_"}})
    host.send("ui/notifications/tool-cancelled", {"reason": "the user stopped it"})
    host.wait("document.body.innerText.trim() === 'Cancelled: the user stopped it'")
    host.send("ui/notifications/tool-result", {"content": [{"type": "text", "text": "12 sessions"}]})
    host.wait("document.body.innerText.trim() === '12 sessions'")


def test_a_spec_that_cannot_be_drawn_says_so_and_the_next_one_is_drawn(host: Host) -> None:
    host.load(theme="light")
    host.send("ui/notifications/tool-result", {"structuredContent": {"spec": {"mark": {"type": 7}, "encoding": 3}}})
    host.wait("document.body.innerText.includes('could not be drawn')")
    host.show(specs.lines())
    assert not host.see("document.querySelector('.note').checkVisibility()")


def test_requests_of_the_host_are_answered(host: Host) -> None:
    host.load(theme="light")
    host.show(specs.lines())
    host.send("ping", {}, id="one")
    assert host.answer("one") == {"jsonrpc": "2.0", "id": "one", "result": {}}
    host.send("tools/list", {}, id="two")
    assert host.answer("two")["error"]["code"] == -32601
    host.send("constructor", {}, id="three")
    assert host.answer("three")["error"]["code"] == -32601
    host.send("ui/resource-teardown", {"reason": "closed"}, id="four")
    assert host.answer("four")["result"] == {}


def test_nobody_but_the_host_is_listened_to(host: Host) -> None:
    host.load(theme="light")
    host.show(specs.lines())
    forged = {"jsonrpc": "2.0", "method": "ui/notifications/tool-cancelled", "params": {"reason": "forged"}}
    host.see(f"window.postMessage({json.dumps(forged)}, '*'); new Promise(done => setTimeout(done))")
    host.send("ping", {}, id="after")
    host.answer("after")
    assert "forged" not in host.see("document.body.innerText")


def test_arrow_keys_walk_through_the_points_and_say_what_they_are(host: Host) -> None:
    host.load(theme="light")
    host.show(specs.lines())
    host.see("document.querySelector('.plot').focus()")
    host.page.press("ArrowRight")
    assert host.see(SAID) == "when: Thu 20 Nov, 01:00, measure: p50, value (ms): 620, n: 180 (1 of 72)"
    host.page.press("ArrowRight")
    assert host.see(SAID).startswith("when: Thu 20 Nov, 02:00, measure: p50, value (ms): 664")
    host.page.press("ArrowUp")
    assert host.see(SAID).startswith("when: Thu 20 Nov, 02:00, measure: p95, value (ms): 1,418")
    assert "1,418" in host.see("document.querySelector('.tip').innerText")
    ring, dot = (
        host.see(f"(() => {{ const box = {script}.getBoundingClientRect(); return box.x + box.width / 2; }})()")
        for script in ("document.querySelector('.ring')", "document.querySelectorAll('.mark-symbol.role-mark path')[4]")
    )
    assert abs(ring - dot) < 2
    host.page.press("End")
    assert host.see(SAID).endswith("(72 of 72)")
    host.page.press("Escape")
    assert not host.see("document.querySelector('.tip').checkVisibility()")


def test_bars_are_walked_from_the_top_to_the_bottom(host: Host) -> None:
    host.load(theme="light")
    host.show(specs.bars())
    host.see("document.querySelector('.plot').focus()")
    said = []
    for key in ("ArrowDown", "ArrowDown", "ArrowRight", "ArrowUp"):
        host.page.press(key)
        said.append(host.see(SAID).split(",")[0])
    assert said == ["provider: openai", "provider: deepgram", "provider: elevenlabs", "provider: deepgram"]


def test_the_pointer_shows_a_marks_facts_as_text(host: Host) -> None:
    host.load(theme="light")
    host.show(specs.bars())
    x, y = host.see(
        "(() => { const bars = document.querySelectorAll('.mark-rect.role-mark path');"
        " const box = bars[bars.length - 1].getBoundingClientRect(); return [box.x + 20, box.y + 10]; })()"
    )
    host.page.point(x, y)
    host.wait("document.querySelector('.tip')?.checkVisibility()")
    assert "</script><script>alert(1)</script>" in host.see("document.querySelector('.tip').innerText")


def test_the_data_can_be_read_as_a_table(host: Host) -> None:
    host.load(theme="light")
    host.show(specs.bars())
    host.see("document.querySelector('.data summary').click()")
    host.wait("document.querySelector('tbody tr')")
    rows = host.see("[...document.querySelectorAll('tr')].map(row => [...row.cells].map(each => each.textContent))")
    assert rows[:3] == [["provider", "P95 (ms)", "n"], ["openai", "880", "61"], ["deepgram", "412", "40"]]
    assert len(rows) == 5


def test_no_data_shows_what_the_spec_says_of_it(host: Host) -> None:
    host.load(theme="dark")
    host.show(specs.silent())
    assert "no data in this window" in host.see("document.querySelector('.drawing svg').textContent")
    assert not host.see("document.querySelector('.data').checkVisibility()")


def test_a_spec_that_names_an_address_asks_for_nothing(host: Host) -> None:
    host.load(theme="light")
    spec: dict[str, Json] = {**specs.bars(), "data": {"url": "https://elsewhere.test/data.json"}, "transform": []}
    spec["usermeta"] = {"embedOptions": {"loader": {}, "config": "https://elsewhere.test/config.json"}}
    host.send("ui/notifications/tool-result", {"structuredContent": {"spec": spec}})
    host.wait(f"{MARKS} || document.querySelector('.drawing svg') || document.querySelector('.note.failed')")
    assert set(host.page.requests) == {HOST, VIEW}
    host.page.complaints[:] = [each for each in host.page.complaints if "loads nothing from elsewhere" not in each]
