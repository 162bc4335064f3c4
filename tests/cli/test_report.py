"""`talkscope report`, through the command line: what the page holds, and what it does not."""

from __future__ import annotations

import json
import os
import re
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from html.parser import HTMLParser
from pathlib import Path

import pytest

import talkscope
from talkscope.cli.group import Surroundings, run
from talkscope.jobs.report import browser
from talkscope.settings import Settings, SourceSettings
from tests.recipes.telemetry import HOSTILE, NAME, records

NOW = datetime(2026, 5, 4, 12, tzinfo=UTC)
_EMPTY = {"meta", "br", "hr", "img", "link", "input"}
Write = Callable[..., int]


class Reader(HTMLParser):
    """Reads a page: its tags must close, and its words and attributes are kept."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: Counter[str] = Counter()
        self.attributes: list[tuple[str, str | None]] = []
        self.text: list[str] = []
        self.feed(page)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags[tag] += 1
        self.attributes += attrs
        if tag not in _EMPTY:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags[tag] += 1
        self.attributes += attrs

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text.append(data)

    @property
    def words(self) -> str:
        return " ".join(" ".join(self.text).split())


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("report")
    (place / "t.ndjson").write_text("\n".join(json.dumps(each) for each in records(NOW)), encoding="utf-8")
    assert talkscope.ingest(place / "t.ndjson", warehouse=place / "warehouse", generated=True).ok
    return place / "warehouse"


@pytest.fixture(scope="module")
def write(folder: Path) -> Write:
    """Runs `talkscope report` at NOW on the warehouse, and returns its exit code."""

    def written(*words: str, reveal: bool = False) -> int:
        settings = Settings(sources=(SourceSettings("calls", folder),), reveal_personal_data=reveal)
        around = Surroundings(
            settings=lambda: settings, app=lambda found: talkscope.App(found, clock=lambda: NOW), now=lambda: NOW
        )
        return run(["report", *words], around=around)

    return written


@pytest.fixture(scope="module")
def page(write: Write, tmp_path_factory: pytest.TempPathFactory) -> str:
    file = tmp_path_factory.mktemp("page") / "report.html"
    assert write("-o", str(file)) == 0
    return file.read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def reader(page: str) -> Reader:
    return Reader(page)


def test_the_headline_figures_are_those_of_the_records(reader: Reader) -> None:
    told = reader.words
    # Turns of 100, 200, 300, 400, 500, 700 and 3,000 ms, the last one failed: P95 is 0.7 of the way to it.
    for figure in ("Sessions 4", "Interactions 7", "End users 2", "Errors 1", "Error rate 14.3 %", "P50 400 ms"):
        assert figure in told
    assert f"P95 {700 + 0.7 * (3_000 - 700):,.0f} ms" in told
    # Spans of llm last four fifths of their turns.
    assert f"llm 1 14.29 % {400 * 0.8:,.0f} {(700 + 0.7 * 2_300) * 0.8:,.0f} 7" in told


def test_the_page_tells_its_window_its_source_its_age_and_that_the_data_are_made_up(reader: Reader) -> None:
    told = reader.words
    assert "2026-04-27 12:00 to 2026-05-04 12:00 · last_7d" in told
    assert "Compared with 2026-04-20 12:00 to 2026-04-27 12:00" in told
    assert "Source calls" in told
    assert "Newest record 2026-05-04 09:" in told
    assert "Made 2026-05-04 12:00" in told
    assert "generated demo data" in told


def test_every_chart_is_drawn_in_the_page(reader: Reader) -> None:
    # Band, shares, heat; usage, concurrency; reliability; waterfall; outcomes.
    assert reader.tags["svg"] == reader.tags["figure"] == 8
    assert reader.tags["path"] > 50


def test_the_page_runs_nothing_and_loads_nothing(page: str, reader: Reader) -> None:
    assert not {"script", "link", "img", "iframe", "object", "embed", "image", "use", "a"} & set(reader.tags)
    assert not [name for name, _ in reader.attributes if name.startswith("on") or name in ("src", "href", "srcset")]
    assert set(re.findall(r"url\(([^)]*)\)", page)) <= {f"#{part}" for part in re.findall(r'id="([^"]+)"', page)}
    assert set(re.findall(r"https?://[^\s\"'<>)]+", page)) <= {
        "http://www.w3.org/2000/svg",
        "http://www.w3.org/1999/xlink",
    }
    assert "@import" not in page
    assert "default-src &#x27;none&#x27;" in page


def test_ids_are_told_apart_between_charts(reader: Reader) -> None:
    ids = Counter(value for name, value in reader.attributes if name == "id")
    assert {each for each, count in ids.items() if count > 1} == set()


def test_names_from_outside_are_text(page: str, reader: Reader) -> None:
    assert HOSTILE not in page
    assert HOSTILE in reader.words


def test_personal_data_in_names_is_masked_unless_it_was_said_to_show_it(
    page: str, write: Write, tmp_path: Path
) -> None:
    assert "ada@example.com" not in page
    assert re.search(r"Ada of email:[0-9a-f]{8}", page)
    assert write("-o", str(tmp_path / "shown.md"), reveal=True) == 0
    assert NAME in (tmp_path / "shown.md").read_text(encoding="utf-8")


def test_the_same_data_at_the_same_time_give_the_same_report(write: Write, tmp_path: Path) -> None:
    assert write("-o", str(tmp_path / "one.md")) == 0
    assert write("--range", "last_7d", "-o", str(tmp_path / "other.md")) == 0
    assert (tmp_path / "one.md").read_bytes() == (tmp_path / "other.md").read_bytes()


def test_progress_goes_to_stderr_and_nothing_to_stdout(
    write: Write, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert write("--range", "last_24h", "--title", f"A <b> {HOSTILE}", "-o", str(tmp_path / "day.md")) == 0
    said = capsys.readouterr()
    assert said.out == ""
    assert "latency: answered" in said.err
    assert "day.md" in said.err
    text = (tmp_path / "day.md").read_text(encoding="utf-8")
    assert text.startswith(r"# A \<b\> \</script\>\<img")
    assert "| Interactions | 5 |" in text


def test_filters_are_told_and_kept(write: Write, tmp_path: Path) -> None:
    assert write("--character-id", "char_bob", "-o", str(tmp_path / "bob.md")) == 0
    text = (tmp_path / "bob.md").read_text(encoding="utf-8")
    assert r"- Only: character\_id=char\_bob" in text
    assert "| Sessions | 1 |" in text


@pytest.mark.parametrize("words", [(), ("-o", "report.docx"), ("-o", "report")])
def test_without_a_file_of_a_known_form_nothing_is_asked_and_it_says_what_to_do(
    write: Write, words: tuple[str, ...], capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path)
        assert write(*words) == 2
    said = capsys.readouterr().err
    assert said.startswith("error: usage: ")
    assert "-o report.html" in said
    assert said.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def test_a_pdf_without_a_browser_says_what_to_install_before_anything_is_asked(
    write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    if browser() is not None:
        pytest.skip("the browser of this machine is not found by PATH, so it cannot be hidden")
    assert write("-o", str(tmp_path / "report.pdf")) == 1
    said = capsys.readouterr().err
    assert said.startswith("error: no_browser: ")
    assert "report.html" in said
    assert not (tmp_path / "report.pdf").exists()


def test_a_pdf_is_printed_by_the_browser_that_is_there(write: Write, tmp_path: Path) -> None:
    if browser() is None:
        pytest.skip("no Chromium, Chrome or Edge is on this machine")
    assert write("--range", "last_24h", "-o", str(tmp_path / "report.pdf")) == 0
    assert (tmp_path / "report.pdf").read_bytes().startswith(b"%PDF-")


@pytest.mark.skipif(os.name == "nt", reason="the browser that fails is a shell script")
def test_a_browser_that_fails_is_an_error_and_leaves_no_file(
    write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    program = tmp_path / "chromium"
    program.write_text("#!/bin/sh\nexit 3\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    assert write("--range", "last_24h", "-o", str(tmp_path / "report.pdf")) == 1
    assert "ended with 3" in capsys.readouterr().err
    assert not (tmp_path / "report.pdf").exists()
