from __future__ import annotations

import json
import os
import pty
import select
import signal
import subprocess
import sys
import termios
from contextlib import suppress
from pathlib import Path

import pytest

from talkscope.jobs.demo import Truth
from tests.cli.running import environment, here, talkscope

MAY = ("--start-time", "2026-04-27", "--end-time", "2026-05-05")


def test_an_answer_in_a_pipe_is_json_with_columns_rows_and_meta(
    warehouse: Path, telemetry: tuple[Path, Truth], tmp_path: Path
) -> None:
    week = ("--start-time", "2026-04-27T12:00:00Z", "--end-time", "2026-05-04T12:00:00Z")
    done = talkscope("summary", "--warehouse", str(warehouse), *week, home=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    told = json.loads(done.stdout)
    assert set(told) == {"columns", "rows", "meta"}
    figures = {row[0]: row[1] for row in told["rows"]}
    assert figures["interactions"] == telemetry[1].headlines["last_7d"].current.interactions


@pytest.mark.parametrize(
    "line",
    [
        "timeseries --measure p95Value --metric-name voice.user_to_bot_latency --granularity day --pretty",
        "sessions --sort slowest --limit 5 --pretty",
        "breakdown --measure p95,count --group-by provider,model --processor llm",
        "latency --percentile p95",
        "explain",
        "concurrency --granularity day",
    ],
)
def test_the_questions_answer_over_a_real_warehouse(line: str, warehouse: Path, tmp_path: Path) -> None:
    done = here(*line.split(), *MAY, home=tmp_path, TALKSCOPE_WAREHOUSE=str(warehouse))
    assert (done.returncode, done.stderr) == (0, "")
    told = json.loads(done.stdout)
    assert told["rows"]
    assert told["meta"]["source"] == "warehouse"


def test_a_session_and_an_interaction_are_found_by_their_ids(warehouse: Path, tmp_path: Path) -> None:
    place = {"TALKSCOPE_WAREHOUSE": str(warehouse)}
    done = here("explain", *MAY, home=tmp_path, **place)
    slow = json.loads(done.stdout)
    session, turn = slow["session"]["session_id"], slow["interaction"]["interaction_id"]
    assert json.loads(here("session", session, home=tmp_path, **place).stdout)["session"]["session_id"] == session
    told = json.loads(here("interaction", turn, "--pretty", home=tmp_path, **place).stdout)
    assert told["interaction"]["interaction_id"] == turn
    missing = talkscope("interaction", "nobody", home=tmp_path, **place)
    assert missing.returncode == 1
    assert missing.stderr.startswith("error: not_found (HTTP 404): ")
    assert missing.stderr.count("\n") == 1


def test_words_that_make_no_command_end_with_2_and_a_question_that_fails_with_1(tmp_path: Path) -> None:
    wrong = talkscope("summary", "--rang", "last_7d", home=tmp_path)
    assert (wrong.returncode, wrong.stdout) == (2, "")
    assert "--range" in wrong.stderr
    failed = talkscope("breakdown", "--group-by", "provder", home=tmp_path)
    assert (failed.returncode, failed.stdout) == (1, "")
    assert failed.stderr.startswith("error: unknown_name: ")
    assert "'provider'" in failed.stderr


def test_a_reader_that_goes_away_ends_the_command_quietly(warehouse: Path, tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "talkscope", "catalog", "--warehouse", str(warehouse)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment(tmp_path),
    ) as running:
        assert running.stdout is not None
        assert running.stderr is not None
        running.stdout.close()
        said = running.stderr.read()
    assert (running.returncode, said) == (141, b"")


def test_a_full_disk_is_told_in_one_line(warehouse: Path, tmp_path: Path) -> None:
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            [sys.executable, "-m", "talkscope", "catalog", "--warehouse", str(warehouse)],
            stdout=full,
            stderr=subprocess.PIPE,
            check=False,
            env=environment(tmp_path),
        )
    assert done.returncode == 1
    assert done.stderr.decode() == "error: os_error: No space left on device\n"


def test_ctrl_c_ends_with_130_and_one_line(warehouse: Path, tmp_path: Path) -> None:
    user, terminal = pty.openpty()
    with subprocess.Popen(
        [sys.executable, "-m", "talkscope", "forget", "--end-user", "user_0001", "--warehouse", str(warehouse)],
        stdin=terminal,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment(tmp_path),
    ) as running:
        assert running.stderr is not None
        asked = b""
        while b"?" not in asked:
            more = os.read(running.stderr.fileno(), 1_000)
            assert more, asked.decode()
            asked += more
        # As a person does: one that comes just before the wait for a line begins is seen with the next only.
        while running.poll() is None:
            running.send_signal(signal.SIGINT)
            with suppress(subprocess.TimeoutExpired):
                running.wait(2)
        said = running.stderr.read().decode()
    os.close(user)
    os.close(terminal)
    assert running.returncode == 130
    assert said.strip().splitlines()[-1] == "Interrupted."
    assert "Traceback" not in said


def test_a_terminal_gets_a_table_that_fits_it(warehouse: Path, tmp_path: Path) -> None:
    listed = talkscope("sessions", "--limit", "3", "--warehouse", str(warehouse), *MAY, home=tmp_path)
    told = json.loads(listed.stdout)
    worst = f"{told['rows'][0][told['columns'].index('p95_ms')]:,}"
    user, terminal = pty.openpty()
    termios.tcsetwinsize(terminal, (40, 100))
    variables = {name: value for name, value in environment(tmp_path).items() if name != "COLUMNS"}
    with subprocess.Popen(
        [sys.executable, "-m", "talkscope", "sessions", "--limit", "3", "--warehouse", str(warehouse), *MAY],
        stdin=subprocess.DEVNULL,
        stdout=terminal,
        stderr=subprocess.PIPE,
        env=variables,
    ) as running:
        os.close(terminal)
        shown = b""
        while select.select([user], [], [], 60)[0]:
            try:
                shown += os.read(user, 1 << 16)
            except OSError:  # the other end is closed
                break
    os.close(user)
    assert running.returncode == 0
    lines = shown.decode().replace("\x1b[1m", "").replace("\x1b[0m", "").splitlines()
    assert lines[0].startswith("warehouse · 2026-04-27T00:00:00Z to ")
    assert any(line.split()[:2] == ["p95_ms", worst] for line in lines), lines
    assert max(len(line) for line in lines[1:] if not line.startswith("Note: ")) <= 100


def test_the_version_is_told(tmp_path: Path) -> None:
    done = talkscope("--version", home=tmp_path)
    assert done.returncode == 0
    assert done.stdout.startswith("talkscope ")


def test_a_question_loads_neither_the_server_nor_the_demo(warehouse: Path, tmp_path: Path) -> None:
    code = (
        "import sys; from talkscope.cli import main; main(sys.argv[1:]);"
        "print([name for name in ('mcp', 'talkscope.server', 'talkscope.cli.demo') if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, "catalog", "--warehouse", str(warehouse)],
        capture_output=True,
        text=True,
        check=True,
        env=environment(tmp_path),
    )
    assert done.stdout.splitlines()[-1] == "[]"
