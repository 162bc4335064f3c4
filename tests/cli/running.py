"""The command line in a home of its own: as a process, or here where what it says is the point."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from unittest.mock import patch

from talkscope import cli

SETTINGS = ("TALKSCOPE_", "CONVAI_", "XDG_", "STUDIO_", "AGENT_STUDIO_", "GENERAL_BOTS_", "MAVENOID_")
"""How the names of variables begin that decide what is asked."""


def environment(home: Path, **more: str) -> dict[str, str]:
    """This process's environment without its settings, and with the home's folders."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(SETTINGS)}
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


def here(*arguments: str, home: Path, stdin: str = "", **more: str) -> subprocess.CompletedProcess[str]:
    """The same in this process, which takes a fraction of the time: what it ended with and said."""
    out, err = (io.TextIOWrapper(io.BytesIO(), encoding="utf-8", write_through=True) for _ in range(2))
    given = io.TextIOWrapper(io.BytesIO(stdin.encode()), encoding="utf-8")
    with (
        patch.dict(os.environ, environment(home, **more), clear=True),
        patch.object(sys, "stdin", given),
        redirect_stdout(out),
        redirect_stderr(err),
    ):
        code = cli.main(arguments)
    said = [stream.detach().getvalue().decode() for stream in (out, err)]
    return subprocess.CompletedProcess(arguments, code, *said)
