from __future__ import annotations

import json
import os
import pty
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.running import environment, here, talkscope

ALL = ("--start-time", "2026-01-01", "--end-time", "2027-01-01")


@pytest.fixture
def place(warehouse: Path, tmp_path: Path) -> str:
    """A copy that may be changed."""
    shutil.copytree(warehouse, tmp_path / "copy")
    return str(tmp_path / "copy")


def sessions_of(user: str, place: str, home: Path) -> int:
    done = here("summary", "--end-user-id", user, *ALL, "--warehouse", place, home=home)
    return sum(row[1] for row in json.loads(done.stdout)["rows"] if row[0] == "sessions")


def busiest(place: str, home: Path) -> str:
    words = ("--measure", "sessions", "--group-by", "end_user_id", "--filter", "end_user_id!=", "--limit", "1")
    done = here("breakdown", *words, *ALL, "--warehouse", place, home=home)
    assert done.returncode == 0, done.stderr
    return str(json.loads(done.stdout)["rows"][0][0])


def test_an_end_user_is_erased_and_what_was_is_told(place: str, tmp_path: Path) -> None:
    user = busiest(place, tmp_path)
    sessions = sessions_of(user, place, tmp_path)
    assert sessions > 1
    done = talkscope("forget", "--end-user", user, "--yes", "--warehouse", place, home=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith(f"Erased: {sessions} sessions, ")
    assert sessions_of(user, place, tmp_path) == 0


def test_nothing_is_erased_when_nobody_can_be_asked(place: str, tmp_path: Path) -> None:
    user = busiest(place, tmp_path)
    done = talkscope("forget", "--end-user", user, "--warehouse", place, home=tmp_path, stdin="y\n")
    assert (done.returncode, done.stdout) == (2, "")
    assert "--yes" in done.stderr
    assert sessions_of(user, place, tmp_path) > 1


@pytest.mark.parametrize(("word", "code", "left"), [(b"n\n", 1, True), (b"y\n", 0, False)])
def test_a_person_is_asked_and_decides(word: bytes, code: int, left: bool, place: str, tmp_path: Path) -> None:
    user = busiest(place, tmp_path)
    typed, terminal = pty.openpty()
    os.write(typed, word)
    done = subprocess.run(
        [sys.executable, "-m", "talkscope", "forget", "--end-user", user, "--warehouse", place],
        stdin=terminal,
        capture_output=True,
        check=False,
        env=environment(tmp_path),
    )
    os.close(typed)
    os.close(terminal)
    assert done.returncode == code, done.stderr
    assert f"Erase everything about end user {user}" in done.stderr.decode()
    assert (sessions_of(user, place, tmp_path) > 0) is left


def test_somebody_whom_no_record_names_is_told_so(place: str, tmp_path: Path) -> None:
    done = here("forget", "--end-user", "nobody", "--yes", "--warehouse", place, home=tmp_path)
    assert done.returncode == 0
    assert done.stdout.startswith("Nothing was erased")
