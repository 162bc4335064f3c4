"""Every benchmark runs, in miniature, and prints its ratio: `make bench-check`."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPTS = sorted(Path(__file__).parent.glob("bench_*.py"))


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.stem)
def test_a_benchmark_runs_and_prints_its_ratio(script: Path) -> None:
    words = [sys.executable, str(script), "--runs", "1", "--sessions-per-day", "3"]
    done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=110)
    assert done.returncode == 0, done.stderr
    assert re.search(r"^ratio: \d+\.\d\d  talkscope |^ratio: \d+\.\d\d  client ", done.stdout, re.MULTILINE)
