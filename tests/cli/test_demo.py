from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from talkscope.jobs.demo import Truth
from talkscope.jobs.demo.checks import QUESTIONS
from talkscope.jobs.demo.reading import Reading, figure
from talkscope.tools import RECORD_TOOLS, TOOLS, find
from tests.cli.running import talkscope


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """The home in which a demo was kept, and what the demo said."""
    home = tmp_path_factory.mktemp("home")
    done = talkscope("demo", "--keep", "--days", "8", "--seed", "3", home=home)
    assert done.returncode == 0, done.stdout[-2_000:] + done.stderr[-2_000:]
    assert done.stderr == ""
    return home, done.stdout


def test_the_demo_asks_every_question_of_a_real_server_and_every_figure_is_true(kept: tuple[Path, str]) -> None:
    told = kept[1]
    assert all(f"── {asking.question}\n" in told for asking in QUESTIONS)
    assert f"{len(QUESTIONS)} questions, " in told.splitlines()[-1]
    assert " figures checked, 0 wrong, in " in told.splitlines()[-1]
    assert "✗" not in told
    assert f"with {len(TOOLS) + len(RECORD_TOOLS)} tools" in told


def test_each_planted_incident_is_told_with_the_check_that_it_shows(kept: tuple[Path, str]) -> None:
    truth = Truth.from_json(next(kept[0].rglob("truth.json")).read_bytes())
    told = kept[1].partition("What was planted")[2]
    lines = told.splitlines()
    for incident in truth.incidents:
        place = lines.index(f"   {incident.says}")
        assert lines[place + 1].startswith("   ✓ ")


def test_a_kept_demo_is_opened_by_the_entry_that_it_prints_and_leaves_the_default_warehouse_alone(
    kept: tuple[Path, str],
) -> None:
    home, told = kept
    entry: dict[str, Any] = json.loads(told[told.index("{\n") : told.rindex("}") + 1])
    host = entry["mcpServers"]["talkscope-demo"]
    folder = Path(host["env"]["TALKSCOPE_WAREHOUSE"])
    assert host["args"] == ["-m", "talkscope", "mcp"]
    assert folder.is_relative_to(home)
    done = talkscope("summary", "--range", "last_7d", home=home, **host["env"])
    assert json.loads(done.stdout)["meta"]["generated"] is True
    assert json.loads(talkscope("summary", home=home).stdout)["rows"] == []


def test_a_small_demo_that_is_not_kept_tells_no_wrong_figure_and_leaves_nothing(tmp_path: Path) -> None:
    temporary, home = tmp_path / "temporary", tmp_path / "home"
    temporary.mkdir()
    home.mkdir()
    done = talkscope("demo", "--days", "8", "--sessions-per-day", "1", home=home, TMPDIR=str(temporary))
    assert done.returncode == 0, done.stdout[-2_000:]
    # Eight sessions cannot show all that was planted; every figure of them is true all the same.
    assert ": does not show among so few sessions\n" in done.stdout
    assert " figures checked, 0 wrong, in " in done.stdout
    assert list(temporary.iterdir()) == []
    assert [path for path in home.rglob("*") if path.is_file() and "talkscope" in str(path)] == []


def test_every_question_is_asked_of_a_tool_with_words_that_it_takes(telemetry: tuple[Path, Truth]) -> None:
    for asking in QUESTIONS:
        taken: Any = find(asking.tool).input_schema()["properties"]
        assert set(asking.arguments(telemetry[1])) <= set(taken)


def test_an_empty_answer_fails_every_check_of_a_figure(telemetry: tuple[Path, Truth]) -> None:
    nothing = Reading({"columns": [], "rows": []})
    for asking in QUESTIONS:
        checks = [check for check in asking.checks(telemetry[1], nothing) if check.expected is not None]
        assert checks
        assert not any(check.holds for check in checks), asking.question


def test_a_figure_holds_as_far_as_rounding_goes_and_no_further() -> None:
    assert figure("p95", 1234.56789, 1234.568).holds
    assert not figure("p95", 1234.56789, 1234.57).holds
    assert not figure("n", 12, 13).holds
    assert figure("p95", None, None).holds
    assert not figure("p95", None, 0).holds
    assert not figure("p95", 0.0, None).holds


def test_rows_are_read_by_their_labels_wherever_they_stand() -> None:
    read = Reading({"columns": ["provider", "p95"], "rows": [["b", 2.0], ["a", 9.5], ["c", None]], "peak": 3})
    assert read.row(provider="a")["p95"] == 9.5
    assert read.labelled("b")["p95"] == 2.0
    assert read.top("p95")["provider"] == "a"
    assert read.labelled("d") == {}
    assert read.inner("peak") == 3
    assert [row["provider"] for row in read.excerpt(2, "p95")] == ["b", "a"]
