"""`python -m talkscope` as a process of its own, in a home of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path


def environment(home: Path, **more: str) -> dict[str, str]:
    """This process's environment without its settings, and with the home's folders."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("TALKSCOPE_", "CONVAI_", "XDG_"))}
    return {**kept, "HOME": str(home), "PYTHONUTF8": "1", "COLUMNS": "120", **more}


def talkscope(*arguments: str, home: Path, stdin: str = "", **more: str) -> subprocess.CompletedProcess[str]:
    """The finished process; its stdin, stdout and stderr are pipes."""
    return subprocess.run(
        [sys.executable, "-m", "talkscope", *arguments],
        input=stdin,
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
        timeout=100,
        env=environment(home, **more),
    )
