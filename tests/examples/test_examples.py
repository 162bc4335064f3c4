"""The examples, each run over a warehouse whose figures are known by hand."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

import talkscope
from tests.recipes.running import run
from tests.recipes.telemetry import HOSTILE, records

Run = Callable[..., tuple[int | str, str]]
SLY = "\x1b]0;owned\x07llm\u202e"


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("examples")
    told = list(records(datetime.now(UTC)))
    for each in told:
        if each.get("processor") == "llm":
            each["model"] = SLY
    file = folder / "telemetry.ndjson"
    file.write_text("\n".join(json.dumps(each) for each in told), encoding="utf-8")
    assert talkscope.ingest(file, warehouse=folder / "warehouse").ok
    return folder / "warehouse"


@pytest.fixture
def example(
    warehouse: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Run:
    """Runs an example that asks the warehouse only: how it ends, and what it prints."""
    for name in list(os.environ):
        if name.startswith(("CONVAI_", "TALKSCOPE_")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("TALKSCOPE_WAREHOUSE", str(warehouse))
    (tmp_path / "config.toml").touch()
    monkeypatch.setenv("TALKSCOPE_CONFIG", str(tmp_path / "config.toml"))

    def ran(name: str, *words: str) -> tuple[int | str, str]:
        end = run(f"examples/{name}.py", *words, monkeypatch=monkeypatch)
        return end, capsys.readouterr().out

    return ran


def row(text: str, first: str) -> list[str]:
    """The cells of the printed row that begins with that word."""
    [line] = [line for line in text.splitlines() if line.split()[:1] == [first]]
    return re.split(r"\s{2,}", line.strip())


def test_the_account_summary_has_the_figures_of_its_range(example: Run) -> None:
    end, text = example("account_summary", "--range", "last_24h")
    assert end == 0
    # Of the day before there is one session with one turn.
    assert row(text, "sessions") == ["sessions", "2", "1", "1.0", "2"]
    assert row(text, "interactions") == ["interactions", "5", "1", "4.0", "5"]
    assert row(text, "errors")[1:3] == ["1", "0"]
    assert row(text, "llm")[1:] == ["1984.0", "5"]


def test_the_account_summary_is_of_the_character_that_was_asked_for(example: Run) -> None:
    end, text = example("account_summary", "--range", "last_7d", "--character-id", "char_ada")
    assert end == 0
    assert row(text, "sessions")[1] == "3"
    assert HOSTILE not in text


def test_the_slow_session_is_told_in_one_sentence_and_drawn(example: Run) -> None:
    end, text = example("why_was_this_session_slow", "bob")
    assert end == 0
    assert re.search(r"took 2,400 ms \(80 %\) of the turn's 3,000 ms", text)
    assert "bob-0: latency 3,000 ms, status error" in text
    bars = {line.split("|")[0].split()[0]: line.split("|")[1] for line in text.splitlines() if line.count("|") == 2}
    # A fifth of the turn is speech recognition, the rest the model, which failed.
    assert bars["asr"] == "#" * 10 + " " * 38
    assert bars["llm"] == " " * 10 + "x" * 38


def test_without_a_session_it_is_the_slowest_of_the_range(example: Run) -> None:
    assert "bob-0: latency 3,000 ms" in example("why_was_this_session_slow")[1]


def test_what_others_wrote_does_not_reach_the_terminal_as_it_is(example: Run) -> None:
    _, text = example("why_was_this_session_slow", "bob")
    assert "llm acme ]0;ownedllm" in text
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f\u202a-\u202e]", text)


@pytest.mark.parametrize(
    ("name", "words"),
    [("why_was_this_session_slow", ("nobody",)), ("account_summary", ("--range", "last_day"))],
)
def test_what_is_refused_is_one_line(example: Run, name: str, words: tuple[str, ...]) -> None:
    end, _ = example(name, *words)
    assert re.fullmatch(r"error: \w+: [^\n]+", str(end))


def test_the_quickstart_prints_figures_sessions_and_two_answers_at_once(example: Run) -> None:
    end, text = example("sdk_quickstart")
    lines = text.splitlines()
    assert end == 0
    assert lines[0].startswith("{'sessions': 4, 'interactions': 7, ")
    # Slowest first.
    assert lines[1:-1] == ["bob 1 3000.0", "older 1 700.0", "old 1 500.0", "ada 4 385.0"]
    assert lines[-1] == "2 characters; 2 components"
