"""`talkscope report studio-chat`: its words, its forms and its files."""

from __future__ import annotations

import csv
import io
import json
import os
import stat
from collections.abc import Callable, Iterator
from html.parser import HTMLParser
from pathlib import Path

import pytest

import talkscope
from talkscope.cli.group import Surroundings, run
from talkscope.jobs.studio_report import COLUMNS, RECIPES
from talkscope.settings import Settings, read
from tests.vendors import studio_chat
from tests.vendors.engine import served
from tests.vendors.studio_chat import NOW, StudioChat

WINDOW = ("--start", "2026-04-01", "--end", "2026-05-01")
Vendor = tuple[StudioChat, str]
Write = Callable[..., int]


class Reader(HTMLParser):
    """The headings of a page's sections, and which tags it has."""

    def __init__(self) -> None:
        super().__init__()
        self.heads: list[str] = []
        self.tags: set[str] = set()
        self._open = ""

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self._open = tag
        self.tags.add(tag)

    def handle_data(self, data: str) -> None:
        if self._open == "h2" and data.strip():
            self.heads.append(data)


@pytest.fixture(scope="module")
def vendor() -> Iterator[Vendor]:
    made = studio_chat.server(conversations=40)
    with served(made) as url:
        yield made, url


@pytest.fixture
def write(vendor: Vendor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Write:
    """Runs `talkscope report studio-chat` at the time of the vendor's world, and returns its exit code."""
    vendor[0].forget()
    for name in ("XDG_DATA_HOME", "XDG_CONFIG_HOME", "XDG_STATE_HOME", "XDG_CACHE_HOME"):
        monkeypatch.setenv(name, str(tmp_path / "home"))
    account = {
        "STUDIO_API_TOKEN": studio_chat.KEY, "STUDIO_PROJECT_ID": studio_chat.MAIN, "STUDIO_API_URL": vendor[1],
        "TALKSCOPE_CONFIG": str(tmp_path / "config.toml"), "TALKSCOPE_WAREHOUSE": str(tmp_path / "warehouse"),
    }  # fmt: skip
    (tmp_path / "config.toml").touch()

    def written(*words: str, without: str = "", **more: str) -> int:
        settings = read({name: value for name, value in {**account, **more}.items() if name != without})
        return run(["report", "studio-chat", *words], around=_around(settings))

    return written


def _around(settings: Settings) -> Surroundings:
    return Surroundings(
        settings=lambda: settings, app=lambda found: talkscope.App(found, clock=lambda: NOW), now=lambda: NOW
    )


def rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def test_markdown_goes_to_stdout_and_progress_beside_it(write: Write, capsys: pytest.CaptureFixture[str]) -> None:
    assert write("Deflection", "api_tools", *WINDOW, "--title", "April | all") == 0
    said = capsys.readouterr()
    assert said.out.startswith("# April \\| all\n\n- Window: 2026-04-01 00:00 to 2026-05-01 00:00\n")
    assert [line for line in said.out.splitlines() if line.startswith("## ")] == [
        "## Deflection rate",
        "## API tool usage",
    ]
    assert "% of" in said.out
    assert "analytics: answered" in said.err


def test_without_recipes_every_section_is_there_and_the_page_holds_no_script(write: Write, tmp_path: Path) -> None:
    file = tmp_path / "all.html"
    assert write(*WINDOW, "-o", str(file)) == 0
    page = file.read_text(encoding="utf-8")

    reader = Reader()
    reader.feed(page)
    assert reader.heads == [recipe.title for recipe in RECIPES.values()]
    assert not {"script", "link", "img", "iframe"} & reader.tags
    assert "default-src &#x27;none&#x27;" in page


def test_csv_is_one_figure_a_line_and_no_cell_is_a_formula(write: Write, tmp_path: Path) -> None:
    assert write("metadata", "dsat", *WINDOW, "-o", str(tmp_path / "o.csv"), TALKSCOPE_REVEAL_PERSONAL_DATA="1") == 0
    found = rows((tmp_path / "o.csv").read_text(encoding="utf-8"))
    assert tuple(found[0]) == COLUMNS
    assert {each["recipe"] for each in found} == {"metadata", "dsat"}
    assert all(each["n"] for each in found if each["unit"] == "fraction" and each["value"])
    cells = [cell for each in found for cell in each.values()]
    assert not [cell for cell in cells if cell.startswith(("=", "+", "-", "@"))]
    remarks = {each["value"] for each in found if each["figure"] == "remark"}
    assert remarks & {"'@cmd never again", "'+1", "Had to ask twice", "Quick and kind"}


def test_a_range_is_told_with_its_dates(write: Write, capsys: pytest.CaptureFixture[str]) -> None:
    assert write("sentiment", "--range", "last_7d", "--timezone", "Europe/Berlin") == 0
    assert "- Window: 2026-04-28 18:00 to 2026-05-05 18:00 · last\\_7d" in capsys.readouterr().out
    assert write("sentiment") == 0
    assert "- Window: 2026-04-28 16:00 to 2026-05-05 16:00 · last\\_7d" in capsys.readouterr().out


def test_raw_answers_are_saved_for_their_owner_and_can_be_reported_on(
    write: Write, vendor: Vendor, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "raw"
    assert write(*WINDOW, "--save", str(folder), "-o", str(tmp_path / "live.csv")) == 0
    assert vendor[0].count() == len({(each.path, each.pairs) for each in vendor[0].seen})
    names = {file.name for file in folder.iterdir()}
    assert {
        "analytics.json",
        "metrics_agg.json",
        "csat.json",
        "kbs.json",
        "playbooks.json",
        "metric-sales.json",
    } <= names
    assert all(json.loads(file.read_bytes()) is not None for file in folder.iterdir())
    assert {stat.S_IMODE(file.stat().st_mode) for file in folder.iterdir()} == {0o600}
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    vendor[0].forget()
    again = ("--from", str(folder / "all_conversations.json"), "-o", str(tmp_path / "again.csv"))
    assert write("sentiment", "signals", "metadata", "combining", *again, without="STUDIO_API_TOKEN") == 0
    assert vendor[0].count() == 0
    live, found = (rows((tmp_path / name).read_text(encoding="utf-8")) for name in ("live.csv", "again.csv"))
    kept = [each for each in live if each["recipe"] in {"sentiment", "signals", "metadata", "combining"}]
    # Marks are made with a key of the account's, or of this machine's where there is no account.
    assert [{**each, "row": each["row"].partition("phone:")[0]} for each in found] == [
        {**each, "row": each["row"].partition("phone:")[0]} for each in kept
    ]
    capsys.readouterr()


def test_an_export_of_the_command_line_is_read(write: Write, vendor: Vendor, tmp_path: Path) -> None:
    settings = read(
        {"STUDIO_API_TOKEN": studio_chat.KEY, "STUDIO_PROJECT_ID": studio_chat.MAIN, "STUDIO_API_URL": vendor[1]}
    )
    for form in ("json", "ndjson"):
        file = tmp_path / f"april.{form}"
        assert run(["export", "studio-chat", *WINDOW, "--messages", "-o", str(file)], around=_around(settings)) == 0
        assert write("deflection", "knowledge", "--from", str(file), "-o", str(tmp_path / f"{form}.csv")) == 0
    one, other = ((tmp_path / f"{form}.csv").read_bytes() for form in ("json", "ndjson"))
    assert one == other
    assert b"avg_response_latency_ms" in one
    assert b"top_items" in one


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (("deflectoin",), 1, "Did you mean 'deflection'?"),
        (("--range", "last_8d"), 2, "last_7d"),
        (("--range", "last_7d", "--start", "2026-04-01"), 1, "range"),
        (("--start", "soon"), 1, "soon"),
        (("-o", "report.docx"), 2, "--format"),
        (("--format", "pdf"), 2, "-o report.pdf"),
        (("--from", "nothing.json"), 2, "nothing.json"),
        (("--from", "config.toml", "--playbook-base-id", "b-1"), 2, "filter when you export"),
        (("--from", "config.toml", "--save", "raw"), 2, "--save"),
        (("--playbook-base-id", "b-1", "csat"), 1, "playbook_base_id"),
    ],
)
def test_words_that_make_no_report_are_refused_before_figures_are_asked(
    write: Write, vendor: Vendor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...], code: int,
    says: str, capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    assert write(*words) == code
    assert says in capsys.readouterr().err
    assert {each.operation for each in vendor[0].seen} <= {"playbooks"}


@pytest.mark.parametrize(
    ("without", "says"), [("STUDIO_API_TOKEN", "STUDIO_API_TOKEN"), ("STUDIO_PROJECT_ID", "STUDIO_PROJECT_ID")]
)
def test_without_an_account_or_a_project_it_says_what_to_set(
    write: Write, without: str, says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert write("deflection", without=without) == 1
    assert says in capsys.readouterr().err


def test_options_before_the_platform_are_not_lost_without_a_word(
    write: Write, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["report", "-o", str(tmp_path / "x.html"), "studio-chat", "deflection"]
    assert run(words, around=_around(Settings())) == 2
    assert "behind studio-chat" in capsys.readouterr().err


def test_the_help_lists_the_recipes(capsys: pytest.CaptureFixture[str], write: Write) -> None:
    assert write("--help") == 0
    told = " ".join(capsys.readouterr().out.split())
    assert all(name in told for name in RECIPES)


@pytest.mark.skipif(os.name == "nt", reason="the browser is a shell script")
def test_a_pdf_is_what_a_browser_makes_of_the_page(
    write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "chromium"
    program.write_text(
        '#!/bin/sh\nfor word; do case "$word" in --print-to-pdf=*) out="${word#*=}";; file://*) page="${word#file://}";;'
        ' esac; done\n{ echo %PDF-; cat "$page"; } > "$out"\n'
    )
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    assert write("sentiment", *WINDOW, "-o", str(tmp_path / "report.pdf")) == 0
    printed = (tmp_path / "report.pdf").read_text(encoding="utf-8")
    assert printed.startswith("%PDF-\n<!doctype html>")
    assert "Sentiment</h2>" in printed
