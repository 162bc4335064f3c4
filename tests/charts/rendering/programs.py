"""Programs that draw, run as processes of their own, and whether a process still runs."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from pathlib import Path

from talkscope.errors import Json

ROOT = Path(__file__).parents[3]
SPEC: dict[str, Json] = {
    "$schema": "https://vega.github.io/schema/vega-lite/v6.4.1.json",
    "background": "white",
    "width": 60,
    "height": 40,
    "data": {"values": [{"part": "llm", "ms": 30}, {"part": "tts", "ms": 10}]},
    "mark": {"type": "bar", "color": "#0072B2"},
    "encoding": {"x": {"field": "ms", "type": "quantitative"}, "y": {"field": "part", "type": "nominal"}},
}


def run(body: str, *, given: bytes = b"", alone: bool = False) -> subprocess.CompletedProcess[bytes]:
    """Run the lines, in which `renderer` draws `SPEC`; `alone` makes them a process group of their own."""
    head = f"import os, signal, sys\nfrom talkscope.charts.rendering import Renderer\nSPEC = {SPEC!r}\n"
    code = f"{head}renderer = Renderer()\n{textwrap.dedent(body)}"
    return subprocess.run(
        [sys.executable, "-X", "dev", "-W", "error", "-c", code],
        input=given,
        capture_output=True,
        check=False,
        timeout=110,
        cwd=ROOT,
        start_new_session=alone,
    )


def running(pid: int) -> bool:
    """Whether the process is there and not a zombie that only waits to be counted."""
    told = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True, check=False).stdout
    return told.strip() != "" and not told.startswith("Z")
