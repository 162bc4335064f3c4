from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from talkscope.cli import show
from talkscope.cli.show import as_csv, as_json, context, table
from talkscope.errors import AuthenticationError, InvalidRange, error_for
from talkscope.models.answers import Answer, ConcurrencyAnswer, ExplainAnswer, Meta, WindowMeta
from tests.cli.asking import Noting

WINDOW = WindowMeta(start="2026-05-01T00:00:00Z", end="2026-05-02T00:00:00Z", timezone="UTC", range="last_24h")
META = Meta(source="calls", window=WINDOW, n=1_234, units={"p95": "ms"}, notes=["Look at this."])
# An operating system command, a colour, a bell, a C1 control sequence, and text that is turned around.
NASTY = "\x1b]0;owned\x07 red\x1b[31m \x9b2J \u202eback [bold]x[/bold]"


def answer(*rows: list[int | float | str | None], columns: tuple[str, ...] = ("name", "p95")) -> Answer:
    return Answer(columns=list(columns), rows=list(rows), meta=META)


def test_a_table_has_its_context_above_its_notes_below_and_numbers_on_the_right() -> None:
    lines = table(answer(["llm", 1234.5], ["tts", 7], ["none", None])).splitlines()
    assert lines[0] == "calls · 2026-05-01T00:00:00Z to 2026-05-02T00:00:00Z (last_24h, UTC) · n 1,234"
    assert lines[1].split() == ["name", "p95", "(ms)"]

    ends = {len(line) for line in lines[3:6]}
    assert len(ends) == 1
    assert lines[-1] == "Note: Look at this."


def test_nothing_that_a_terminal_would_obey_leaves_a_table() -> None:
    told = table(answer([NASTY, 1.0]))
    assert not set(told) & {"\x1b", "\x07", "\x9b", "\u202e"}
    assert "[bold]x[/bold]" in told


def test_json_says_the_same_without_a_character_that_a_terminal_would_obey() -> None:
    told = as_json({"text": NASTY + "\U000e0041 é \ud800"}, pretty=True)
    assert not set(told) & {"\x1b", "\x07", "\x9b", "\u202e", "\U000e0041"}
    assert "é" in told
    assert json.loads(told)["text"] == NASTY + "\U000e0041 é \ufffd"


@pytest.mark.parametrize("cell", ["=1+1", "+1", "-1", "@x", "\tx", "\rx"])
def test_csv_text_that_a_spreadsheet_would_run_gets_a_mark_and_numbers_do_not(cell: str) -> None:
    given = answer([cell, -1.5])
    assert as_csv(given).splitlines()[1].lstrip('"').startswith("'")
    assert as_csv(given).rstrip("\n").endswith(",-1.5")
    assert "'" not in as_csv(given, raw=True)


def test_csv_keeps_commas_quotes_and_missing_cells_apart() -> None:
    assert as_csv(answer(['a,"b"', None])) == 'name,p95\n"a,""b""",\n'


def test_an_empty_answer_says_so_with_its_notes() -> None:
    told = table(Answer(columns=["name"], rows=[], meta=META)).splitlines()
    assert told[1:] == ["No rows.", "Note: Look at this."]


def test_what_an_answer_says_besides_its_rows_is_shown() -> None:
    explained = ExplainAnswer(columns=["group"], rows=[["llm"]], meta=META, verdict="The llm took 80 %.")
    crowd = ConcurrencyAnswer(
        columns=["b"], rows=[["x"]], meta=META, peak=4, peak_at="2026-05-01T10:00:00Z", time_at_level={}
    )
    assert "The llm took 80 %." in table(explained)
    assert "At most 4 at once at 2026-05-01T10:00:00Z." in table(crowd)


def test_generated_telemetry_is_named_so() -> None:
    assert context(Meta(source="demo", n=1, generated=True)).startswith("demo (generated demo data)")


def test_a_pipe_gets_the_whole_answer_as_one_line_of_json(capsys: pytest.CaptureFixture[str]) -> None:
    given = answer(["llm", 1.5])
    assert Noting(given).run("summary") == 0
    out = capsys.readouterr().out
    assert out.count("\n") == 1
    assert json.loads(out) == given.model_dump(mode="json")


@pytest.mark.parametrize(
    ("option", "begins"), [("--pretty", '{\n  "columns"'), ("--table", "calls · "), ("--csv", "name,p95\n")]
)
def test_an_option_chooses_the_form(option: str, begins: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert Noting(answer(["llm", 1.5])).run("summary", option) == 0
    assert capsys.readouterr().out.startswith(begins)


@pytest.mark.parametrize(
    ("name", "begins"), [("a.csv", "name,p95\n"), ("a.txt", "calls · "), ("a.json", "{\n"), ("a", '{"columns"')]
)
def test_a_file_gets_the_form_that_its_name_says(
    name: str, begins: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert Noting(answer(["llm", 1.5])).run("summary", "-o", str(tmp_path / name)) == 0
    assert (tmp_path / name).read_text(encoding="utf-8").startswith(begins)
    assert capsys.readouterr().out == ""


def test_a_file_that_cannot_be_written_is_told_in_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert Noting().run("summary", "-o", str(tmp_path / "none" / "a.csv")) == 1
    assert capsys.readouterr().err.startswith("error: os_error: No such file or directory")


def test_an_error_is_one_line_with_its_code_what_happened_and_what_to_do(capsys: pytest.CaptureFixture[str]) -> None:
    error = InvalidRange("The window is\nempty.", hint="Give\x1b[31m another.")
    assert Noting(error).run("summary") == 1
    said = capsys.readouterr()
    assert said.err == "error: invalid_range: The window is empty. Give[31m another.\n"
    assert said.out == ""


def test_an_error_of_a_service_carries_its_status(capsys: pytest.CaptureFixture[str]) -> None:
    assert Noting(error_for(403, "plan_insufficient", "No.", hint="Pay.")).run("summary") == 1
    assert capsys.readouterr().err == "error: plan_insufficient (HTTP 403): No. Pay.\n"


def test_an_error_that_no_service_answered_carries_no_status(capsys: pytest.CaptureFixture[str]) -> None:
    assert Noting(AuthenticationError("No key.", hint="Set it.")).run("summary") == 1
    assert capsys.readouterr().err == "error: unauthorized: No key. Set it.\n"


@pytest.mark.parametrize(
    ("width", "head"),
    [
        (40, "name  message   agent      calls"),
        (30, "name  message       calls"),
        (24, "name message      calls"),
        (20, "name     llm"),
    ],
)
def test_a_narrow_terminal_gets_no_columns_of_nothing_then_closer_ones_then_lists(
    width: int, head: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(show, "on_terminal", lambda: True)
    monkeypatch.setenv("COLUMNS", str(width))
    rows: list[list[int | float | str | None]] = [["llm", "it broke", None, 1_234_567.25], ["tts", "gone", None, 8.0]]
    drawn = re.sub(r"\x1b\[[0-9;]*m", "", show.grid(["name", "message", "agent", "calls"], rows, {}))
    assert drawn.splitlines()[0] == head
    assert all(len(line) <= width for line in drawn.splitlines())
    assert "1,234,567" in drawn


def test_a_short_unit_stands_at_its_name_and_a_long_one_below() -> None:
    units = {"avg_duration": "s", "waited": "milliseconds", "wait_ms": "ms", "sum_seconds": "s", "rate": "fraction"}
    shown = answer(["llm", 1.5, 2, 3, 4, 0.5], columns=("name", *units))
    lines = table(shown.model_copy(update={"meta": META.model_copy(update={"units": units})})).splitlines()
    assert lines[1].split("  ")[1:] == ["avg_duration (s)", "waited (ms)", "wait_ms", "sum_seconds", "rate"]
    assert lines[-2:] == ["Unit of rate: fraction.", "Note: Look at this."]


def test_a_unit_of_one_measure_stands_in_its_row() -> None:
    units = {"stt": "ms", "share": "fraction of n", "calls": "calls"}
    shown = answer(["stt", 183], ["share", 0.5], ["calls", 7], columns=("measure", "value"))
    lines = table(shown.model_copy(update={"meta": META.model_copy(update={"units": units})})).splitlines()
    assert [line.split()[:-1] for line in lines[3:6]] == [["stt", "(ms)"], ["share"], ["calls"]]
    assert lines[6] == "Unit of share: fraction of n."


def test_a_list_tells_a_group_without_a_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(show, "on_terminal", lambda: True)
    monkeypatch.setenv("COLUMNS", "20")
    rows: list[list[int | float | str | None]] = [["a", None, 2, 8.5], [None, "b", 4, None], [None, None, 1, None]]
    drawn = show.grid(["group", "agent", "count", "waited_ms"], rows, {})
    blocks = [[line.split() for line in block.splitlines()] for block in drawn.split("\n\n")]
    assert blocks[0] == [["group", "a"], ["agent", "–"], ["count", "2"], ["waited_ms", "8.5"]]
    assert blocks[1:] == [
        [["group", "–"], ["agent", "b"], ["count", "4"]],
        [["group", "–"], ["agent", "–"], ["count", "1"]],
    ]
    alone = show.grid(["group", "count", "waited_ms"], [[None, 4, 123_456.0]], {})
    assert [line.split() for line in alone.splitlines()][:2] == [["group", "–"], ["count", "4"]]


@pytest.mark.parametrize(
    ("note", "left"),
    [("2 of 9 sessions: the next page is next_cursor as cursor.", ["2 of 9 sessions."]),
     ("The next page is next_cursor as cursor.", [])],
)  # fmt: skip
def test_the_next_page_is_told_once_and_in_a_shells_words(note: str, left: list[str]) -> None:
    paged = META.model_copy(update={"notes": [note], "next_cursor": "abc"})
    told = table(answer(["llm", 1]).model_copy(update={"meta": paged}))
    assert [line for line in told.splitlines() if line.startswith("Note: ")] == [
        f"Note: {each}" for each in [*left, "There is more: --cursor abc"]
    ]
