"""What a picture costs: a chart's PNG from the warm process, against vl-convert in a process that does nothing else.

Cold is the first picture of a new renderer, against a new process that imports vl-convert and draws once. The bytes are
those that travel: ours are compressed again. Goals: warm below 300 ms, at most 150 kB.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path

import vl_convert
from measure import show, side_by_side

import talkscope
from talkscope import contract
from talkscope.charts import line
from talkscope.charts.rendering import VEGA_LITE, Renderer
from talkscope.errors import Json
from talkscope.jobs.demo.generate import generate

ALONE = f"""import sys, vl_convert
sys.stdout.buffer.write(vl_convert.vegalite_to_png(sys.stdin.read(), vl_version={VEGA_LITE!r}, scale=2))"""


def a_week_of_percentiles(folder: Path, sessions_per_day: int) -> dict[str, Json]:
    """The spec of a week's p50, p95 and p99 by the hour."""
    now = datetime.now(UTC).replace(microsecond=0)
    generate(folder / "made", now=now, days=8, sessions_per_day=sessions_per_day)
    talkscope.ingest(sorted((folder / "made").glob("*.ndjson")), warehouse=folder / "warehouse")
    with talkscope.open_warehouse(folder / "warehouse") as client:
        words = {"measures": ["p50", "p95", "p99"], "granularity": "hour", "range": "last_7d"}
        return line.draw(client.ask(contract.TIMESERIES, **words)).spec


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=9, help="pictures of each kind (9)")
    parser.add_argument("--sessions-per-day", type=int, default=60, help="size of the telemetry of 8 days (60)")
    options, _ = parser.parse_known_args()
    with tempfile.TemporaryDirectory() as place:
        spec = a_week_of_percentiles(Path(place), options.sessions_per_day)
    text = json.dumps(spec)

    def cold() -> bytes:
        with Renderer() as new:
            return new.render(spec, "png")

    def alone() -> bytes:
        words = [sys.executable, "-c", ALONE]
        return subprocess.run(words, input=text.encode(), capture_output=True, check=True).stdout

    def drawn() -> bytes:
        return vl_convert.vegalite_to_png(text, vl_version=VEGA_LITE, scale=2)

    with Renderer() as renderer:
        warm, bare = side_by_side(
            {"talkscope warm": lambda: renderer.render(spec, "png"), "vl-convert warm": drawn}, runs=options.runs
        )
        ours, theirs = len(renderer.render(spec, "png")), len(drawn())
    first, first_bare = side_by_side(
        {"talkscope cold": cold, "vl-convert cold": alone}, runs=max(1, options.runs // 3), warm=0
    )
    print(f"a week by the hour, three lines: a spec of {len(text):,} bytes, a PNG at scale 2")
    show([warm, bare], bare, goal=f"  (the goal of 300 ms is {'met' if warm.median < 0.3 else 'missed'})")
    show([first, first_bare], first_bare)
    print(
        f"ratio: {ours / theirs:.2f}  talkscope {ours:,} bytes / vl-convert {theirs:,} bytes  (goal: at most 150,000)"
    )


if __name__ == "__main__":
    main()
