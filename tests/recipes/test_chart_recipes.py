"""The chart recipes, each run with its flags over a warehouse whose figures are known by hand."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

import talkscope
from talkscope.errors import Json
from tests.recipes.running import ROOT, run
from tests.recipes.telemetry import records

FOLDER = ROOT / "recipes" / "charts"
# Script, flag, default: the flags that scripts of the Convai recipes know, and `--output` for each.
FLAGS: dict[str, dict[str, str | None]] = {
    "latency_percentile_band": {
        "range": "last_7d",
        "granularity": "hour",
        "character-id": None,
        "p95-threshold-ms": None,
    },
    "p95_over_time": {"range": "last_24h", "character-id": None},
    "component_breakdown": {"range": "last_24h", "character-id": None},
    "latency_waterfall": {"interaction": None},
    "reliability_trends": {"range": "last_7d", "granularity": "day"},
    "usage_trends": {"range": "last_30d", "granularity": "day", "character-id": None},
    "concurrency_estimate": {"range": "last_24h", "bucket-minutes": "5"},
    "session_timeline": {"session": None},
}
NEEDED = {"latency_waterfall": ["--interaction", "ada-1"], "session_timeline": ["--session", "ada"]}
Script = Callable[..., Any]


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("recipes")
    file = folder / "telemetry.ndjson"
    file.write_text("\n".join(json.dumps(each) for each in records(datetime.now(UTC))), encoding="utf-8")
    assert talkscope.ingest(file, warehouse=folder / "warehouse").ok
    return folder / "warehouse"


@pytest.fixture
def script(warehouse: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Script:
    """Runs a recipe in a folder of its own, asking the warehouse only."""
    for name in list(os.environ):
        if name.startswith(("CONVAI_", "TALKSCOPE_")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("TALKSCOPE_WAREHOUSE", str(warehouse))
    monkeypatch.setenv("TALKSCOPE_CONFIG", str(tmp_path / "config.toml"))
    (tmp_path / "config.toml").touch()
    monkeypatch.chdir(tmp_path)
    return lambda name, *words: run(f"recipes/charts/{name}.py", *words, monkeypatch=monkeypatch)


@pytest.fixture
def spec(script: Script, capsys: pytest.CaptureFixture[str]) -> Callable[..., dict[str, Json]]:
    """The spec that a recipe prints."""

    def printed(name: str, *words: str) -> dict[str, Json]:
        assert script(name, *words) == 0, capsys.readouterr()
        found: dict[str, Json] = json.loads(capsys.readouterr().out)
        assert str(found["$schema"]).startswith("https://vega.github.io/schema/vega-lite/v6")
        return found

    return printed


def numbers(spec: dict[str, Any], column: str) -> list[Any]:
    """A column of the data that the spec holds, all series one after the other, without what is missing."""
    found = [{name.lower().replace(" ", "_"): cells for name, cells in each.items()} for each in spec["data"]["values"]]
    return [cell for each in found for cell in each[column] if cell is not None]


def test_there_are_eight_scripts_and_the_readme_tells_their_flags() -> None:
    assert sorted(path.stem for path in FOLDER.glob("*.py")) == sorted(FLAGS)
    text = (FOLDER / "README.md").read_text(encoding="utf-8")
    for name, flags in FLAGS.items():
        [row] = re.findall(rf"^\| `{name}\.py` \|.*$", text, re.MULTILINE)
        assert set(re.findall(r"`--([\w-]+)`", row)) - {"output"} == set(flags)
        assert set(re.findall(r"\(([\w.]+)\)", row)) - {"timeline.html"} == set(flags.values()) - {None}


@pytest.mark.parametrize("name", FLAGS)
def test_a_recipe_has_its_flags_with_their_defaults_and_no_others(
    name: str, script: Script, capsys: pytest.CaptureFixture[str]
) -> None:
    assert script(name, "--help") == 0
    told = " ".join(capsys.readouterr().out.partition("options:")[2].split())
    assert set(re.findall(r" --([\w-]+)", told)) == {*FLAGS[name], "output", "help"}
    for flag, default in FLAGS[name].items():
        if default is not None:
            assert re.search(rf"--{flag} [A-Z_]+ [^-]*\({default}\)", told), flag
    assert script(name, *NEEDED.get(name, []), "--no-such-flag") == 2


def test_the_percentile_band_is_of_all_turns_with_the_threshold_that_was_asked_for(spec) -> None:
    told = spec("latency_percentile_band", "--p95-threshold-ms", "1500", "--granularity", "week")
    assert sum(numbers(told, "n")) == 7
    assert "1,500 ms" in json.dumps(told)
    assert "1,500 ms" not in json.dumps(spec("latency_percentile_band"))
    narrow = spec("latency_percentile_band", "--range", "last_6h", "--character-id", "char_ada")
    # Four turns of 100, 200, 300 and 400 ms, perhaps on both sides of an hour.
    assert sum(numbers(narrow, "n")) == 4
    assert max(numbers(narrow, "p99")) <= 400


def test_p95_over_time_is_of_the_character_that_was_asked_for(spec) -> None:
    assert sum(numbers(spec("p95_over_time"), "n")) == 5
    bob = spec("p95_over_time", "--character-id", "char_bob")
    assert numbers(bob, "p95") == [3_000.0]
    assert sum(numbers(bob, "n")) == 1


def test_the_component_breakdown_has_the_slowest_component_first(spec) -> None:
    told = spec("component_breakdown")
    # Spans of llm: 80, 160, 240, 320 and 2,400 ms; the 95th percentile is 0.8 of the way from the fourth to the fifth.
    assert numbers(told, "p95") == [pytest.approx(320 + 0.8 * (2_400 - 320)), pytest.approx(80 + 0.8 * (600 - 80))]
    assert numbers(told, "label") == ["llm", "asr"]


def test_the_waterfall_is_of_the_turn_that_was_asked_for(spec) -> None:
    told = spec("latency_waterfall", "--interaction", "ada-1")
    assert "ada-1" in json.dumps(told["title"])
    assert {"asr", "llm"} <= set(re.findall(r"asr|llm", json.dumps(told["data"])))


def test_reliability_counts_the_failed_turn_and_the_dropped_event(spec) -> None:
    told = spec("reliability_trends")
    assert sum(numbers(told, "errors")) == 1
    assert sum(numbers(told, "dropped_error_events")) == 1


def test_usage_is_counted_day_by_day(spec) -> None:
    told = spec("usage_trends")
    assert sum(numbers(told, "interactions")) == 7
    assert sum(numbers(spec("usage_trends", "--character-id", "char_bob"), "interactions")) == 1


@pytest.mark.parametrize("minutes", [5, 7, 60])
def test_the_peak_of_a_longer_bucket_is_the_highest_of_its_minutes(spec, minutes: int) -> None:
    told = spec("concurrency_estimate", "--range", "last_6h", "--bucket-minutes", str(minutes))
    peaks = numbers(told, "peak")
    assert max(peaks) == 2
    # From Ada's start to the other's end there are 25 minutes, which are in at most two buckets more than they fill.
    assert 1 <= sum(peak > 0 for peak in peaks) <= 25 // minutes + 2
    assert 6 * 60 // minutes <= len(peaks) <= 6 * 60 // minutes + 60


def test_a_bucket_of_no_minutes_is_refused(script: Script) -> None:
    assert script("concurrency_estimate", "--bucket-minutes", "0") == 2
    assert script("concurrency_estimate", "--bucket-minutes", "61") == 2


def test_the_session_timeline_is_a_page_that_opens_offline(script: Script, tmp_path: Path) -> None:
    assert script("session_timeline", "--session", "ada") == 0
    page = (tmp_path / "timeline.html").read_text(encoding="utf-8")
    assert page.startswith("<!doctype html>")
    assert "default-src 'none'" in page
    assert not re.findall(r"<(?:script|link|iframe)[^>]+(?:src|href)=", page)


@pytest.mark.parametrize(
    ("form", "begins"), [("png", b"\x89PNG"), ("svg", b"<svg"), ("html", b"<!doctype html>"), ("json", b"{")]
)
def test_output_writes_the_form_that_its_name_ends_in(script: Script, tmp_path: Path, form: str, begins: bytes) -> None:
    assert script("latency_waterfall", "--interaction", "bob-0", "--output", f"turn.{form}") == 0
    assert (tmp_path / f"turn.{form}").read_bytes().startswith(begins)


def test_a_name_that_ends_in_no_form_is_one_line_that_says_which_there_are(script: Script, tmp_path: Path) -> None:
    told = script("usage_trends", "--output", "usage.docx")
    assert str(told).startswith("error: invalid_argument: ")
    assert ".png" in str(told)
    assert not (tmp_path / "usage.docx").exists()


@pytest.mark.parametrize(
    "words",
    [
        ("p95_over_time", "--range", "last_day"),
        ("latency_waterfall", "--interaction", "nobody"),
        ("session_timeline", "--session", "x"),
    ],
)
def test_what_is_refused_is_one_line(script: Script, words: tuple[str, ...]) -> None:
    told = script(*words)
    assert re.fullmatch(r"error: \w+: [^\n]+", str(told))
