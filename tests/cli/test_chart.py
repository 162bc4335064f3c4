"""`talkscope chart`, through the command line: what is drawn, where it goes, and what is refused before anything is."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
import pytest

import talkscope
from talkscope.cli.chart import ALIASES, KINDS
from talkscope.cli.group import Surroundings, group, run
from talkscope.settings import Settings, SourceSettings
from talkscope.tools import RECORD_TOOLS, TOOLS
from tests.charts.rendering.pixels import size
from tests.cli.running import talkscope as process
from tests.recipes.telemetry import NAME, records

NOW = datetime(2026, 5, 4, 12, tzinfo=UTC)
WEEK = ("--start-time", "2026-04-28", "--end-time", "2026-05-05")
Chart = Callable[..., int]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("chart")
    (place / "t.ndjson").write_text("\n".join(json.dumps(each) for each in records(NOW)), encoding="utf-8")
    assert talkscope.ingest(place / "t.ndjson", warehouse=place / "warehouse", generated=True).ok
    return place / "warehouse"


@pytest.fixture(scope="module")
def chart(folder: Path) -> Chart:
    """Runs `talkscope chart` at NOW on the warehouse, and returns its exit code."""

    def drawn(*words: str, reveal: bool = False) -> int:
        settings = Settings(sources=(SourceSettings("calls", folder),), reveal_personal_data=reveal)
        around = Surroundings(
            settings=lambda: settings, app=lambda found: talkscope.App(found, clock=lambda: NOW), now=lambda: NOW
        )
        return run(words, around=around)

    return drawn


@pytest.fixture
def spec(chart: Chart, capsys: pytest.CaptureFixture[str]) -> Callable[..., dict[str, Any]]:
    """The spec that the words put on stdout, alone and on one line."""

    def told(*words: str, reveal: bool = False) -> dict[str, Any]:
        assert chart("chart", *words, reveal=reveal) == 0
        out, err = capsys.readouterr()
        assert (out.count("\n"), err) == (1, "")
        found: dict[str, Any] = json.loads(out)
        return found

    return told


@pytest.fixture
def refused(chart: Chart, capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str]]:
    """The exit code and the one line on stderr."""

    def told(*words: str) -> tuple[int, str]:
        code = chart("chart", *words)
        out, err = capsys.readouterr()
        assert (out, err.count("\n")) == ("", 1)
        return code, err

    return told


def test_every_chart_tool_is_a_kind_and_has_an_example_that_its_options_take(
    chart: Chart, capsys: pytest.CaptureFixture[str]
) -> None:
    names = [tool.name for tool in (*TOOLS, *RECORD_TOOLS)]
    assert [f"chart_{kind}" for kind in KINDS] == [name for name in names if name.startswith("chart_")]
    assert len(KINDS) == 12
    above = click.Context(group, info_name="talkscope")
    charts = group.get_command(above, "chart")
    assert isinstance(charts, click.Group)
    for kind in [*KINDS, *ALIASES]:
        assert chart("chart", kind, "--help") == 0
        word = kind.replace("_", "-")
        example = re.search(rf"^  +talkscope chart {word} (.+)", capsys.readouterr().out, re.MULTILINE)
        assert example
        command = charts.get_command(above, kind)
        assert command is not None
        with command.make_context(kind, example[1].split(), parent=above) as context:
            assert context.params["output"] is not None


@pytest.mark.parametrize("kind", ["timeseries", "latency", "breakdown", "reliability", "sessions", "concurrency"])
def test_a_chart_of_a_window_is_told_as_a_vega_lite_spec_with_its_data(
    spec: Callable[..., dict[str, Any]], kind: str
) -> None:
    found = spec(kind, *WEEK)
    assert found["$schema"].startswith("https://vega.github.io/schema/vega-lite/v6")
    assert found["data"]["values"]
    assert "2026-04-28" in json.dumps(found["title"])


@pytest.mark.parametrize(
    ("alias", "same"),
    [
        (("waterfall", "--interaction", "ada-0"), ("interaction", "ada-0")),
        (("session-timeline", "--session", "ada"), ("session", "ada")),
        (("p95-over-time", *WEEK), ("timeseries", "--measure", "p95", *WEEK)),
        (("component-breakdown", *WEEK), ("breakdown", "--measure", "p95", "--group-by", "processor", *WEEK)),
        (("p95-over-time", "--measure", "p50", *WEEK), ("timeseries", "--measure", "p50", *WEEK)),
        (
            ("component-breakdown", "--character-id", "char_ada", *WEEK),
            ("breakdown", "--filter", "character_id=char_ada", *WEEK),
        ),
        (("chart_latency", *WEEK), ("latency", *WEEK)),
        (("P95_over_time", *WEEK), ("p95-over-time", *WEEK)),
    ],
    ids=lambda words: " ".join(words[:3]),
)
def test_names_of_the_convai_command_line_draw_the_same(
    spec: Callable[..., dict[str, Any]], alias: tuple[str, ...], same: tuple[str, ...]
) -> None:
    assert spec(*alias) == spec(*same)


def test_options_before_the_kind_and_before_the_command_count_too(
    chart: Chart, capsys: pytest.CaptureFixture[str]
) -> None:
    told = []
    for words in (
        ("--pretty", "chart", "latency"),
        ("chart", "--source", "calls", "--pretty", "latency"),
        ("chart", "latency", "--pretty", "--source=calls"),
    ):
        assert chart(*words, *WEEK) == 0
        told.append(capsys.readouterr().out)
    assert told[0].startswith("{\n  ")
    assert told[0] == told[1] == told[2]


def test_dark_changes_the_look_and_nothing_else(spec: Callable[..., dict[str, Any]]) -> None:
    light, dark = spec("latency", *WEEK), spec("latency", "--theme", "dark", *WEEK)
    assert light == spec("latency", "--theme", "light", *WEEK)
    assert light.pop("config")["background"] != dark.pop("config")["background"]
    assert light == dark


def test_personal_data_in_names_is_hidden_unless_it_is_to_be_shown(spec: Callable[..., dict[str, Any]]) -> None:
    words = ("breakdown", "--measure", "count", "--group-by", "character_name", *WEEK)
    assert "ada@example.com" not in json.dumps(spec(*words))
    assert NAME in json.dumps(spec(*words, reveal=True))


def test_a_file_has_the_form_of_its_name_and_stderr_says_what_was_written(
    chart: Chart, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    starts = {"png": b"\x89PNG\r\n\x1a\n", "SVG": b"<svg", "pdf": b"%PDF-", "html": b"<!doctype html>", "json": b'{"'}
    for name, start in starts.items():
        file = tmp_path / f"a.{name}"
        file.write_text("what was there before", encoding="utf-8")
        assert chart("chart", "latency", *WEEK, "-o", str(file)) == 0
        out, err = capsys.readouterr()
        data = file.read_bytes()
        assert data.startswith(start)
        assert (out, err) == ("", f"Written: {file} ({len(data):,} bytes)\n")
    page = (tmp_path / "a.html").read_text(encoding="utf-8")
    assert "<title>P50, P95 and P99" in page
    assert json.dumps(json.loads((tmp_path / "a.json").read_bytes())["title"]["text"]) in page


def test_a_picture_is_drawn_at_its_scale_by_the_real_command(folder: Path, tmp_path: Path) -> None:
    file = tmp_path / "turn.png"
    words = (
        "chart",
        "waterfall",
        "--interaction",
        "ada-0",
        "--warehouse",
        str(folder),
        "--scale",
        "1",
        "-o",
        str(file),
    )
    done = process(*words, home=tmp_path)
    assert (done.returncode, done.stdout) == (0, "")
    assert done.stderr == f"Written: {file} ({file.stat().st_size:,} bytes)\n"
    assert 700 < size(file.read_bytes())[0] < 1_000


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("latncy",), "There is no chart 'latncy'. Did you mean 'latency'?"),
        (("waterfal",), "Did you mean 'waterfall'?"),
        (("zzz",), "There are: timeseries, latency, breakdown"),
        ((), "Which chart? There are: timeseries"),
        (("latency", "-o", "a.gif"), "a.gif names no form of chart: it ends in .png, .svg, .pdf, .html, .json."),
        (("latency", "-o", "-"), "names no form of chart"),
        (("latency", "-o", "a.svg", "--scale", "3"), "--scale is for .png"),
        (("latency", "-o", "a.html", "--theme", "dark"), "--theme is not for .html"),
        (("latency", "-o", "a.png", "--pretty"), "--pretty is for the spec"),
        (("latency", "--theme", "drk"), "did you mean 'dark'?"),
        (("latency", "--interaction", "i"), "--interaction"),
        (("interaction",), "Which interaction? Give its id."),
        (("session", "a", "--session", "b"), "Which session? Give one id."),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else None,
)
def test_words_that_make_no_chart_end_with_2_and_say_what_would(
    refused: Callable[..., tuple[int, str]], words: tuple[str, ...], told: str
) -> None:
    code, line = refused(*words)
    assert code == 2
    assert told in line


def test_a_chart_that_cannot_be_asked_for_or_written_leaves_no_file(
    refused: Callable[..., tuple[int, str]], tmp_path: Path
) -> None:
    missing = tmp_path / "missing" / "a.png"
    for words, told in (
        (("interaction", "no-such", "-o", str(tmp_path / "a.png")), "not_found"),
        (("breakdown", "--measure", "p9x", "-o", str(tmp_path / "a.png")), "Did you mean 'p9"),
        (("latency", "-o", str(missing)), f"There is no folder {missing.parent}."),
    ):
        code, line = refused(*words)
        assert code == 1
        assert told in line
    assert list(tmp_path.iterdir()) == []
