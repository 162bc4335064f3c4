"""A service that answers badly in every way there is, asked by every tool; and one whose bad manners do no harm."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from talkscope import errors

ROOT = Path(__file__).parents[2]
ANSWERS = 1_000
MIB = 1 << 20


@pytest.mark.timeout(240)
def test_a_thousand_hostile_answers_end_in_typed_errors_or_answers_without_growth() -> None:
    words = [sys.executable, "-m", "tests.hosted.storm", str(ANSWERS), "20261121"]
    done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=220, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["foreign"] == []
    assert sum(number for kind, number in told["kinds"].items() if kind != "right") >= ANSWERS
    assert len(told["kinds"]) > 30
    assert told["grown"] < 64 * MIB
    assert {name for name in told["endings"] if not hasattr(errors, name)} == {"answered"}
    assert told["endings"]["answered"]
    assert told["endings"]["BadAnswer"]
    assert told["endings"]["DeadlineExceeded"]
    # Not one warning of a task or a connection that nobody waited for.
    assert done.stderr == ""
