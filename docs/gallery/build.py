"""Draws the gallery: each chart of generated telemetry, as a picture, a spec and a paragraph of `index.md`.

`make gallery` runs it. The telemetry, the clock and so the specs are always the same; tests/charts/test_gallery.py
holds the specs in the repository to what the code draws today.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import anyio

import talkscope
from talkscope import tools
from talkscope.charts.drawing import Drawing
from talkscope.charts.drawing.theme import themed
from talkscope.charts.rendering import Renderer
from talkscope.client import Client
from talkscope.contract import Question
from talkscope.jobs.demo.generate import generate
from talkscope.models.answers import Answer
from talkscope.tools.chart import Chart

HERE = Path(__file__).parent
NOW = datetime(2026, 6, 9, 12, tzinfo=UTC)
DAYS, SESSIONS_PER_DAY = 14, 60
WEEK = {"start_time": "2026-06-01", "end_time": "2026-06-08"}
DAY = {"start_time": "2026-06-04", "end_time": "2026-06-05"}
SESSION, INTERACTION = "demo-00362", "demo-00362-00"


@dataclass(frozen=True)
class Picture:
    """One picture: its file's name, the question that it answers, the chart and its words."""

    name: str
    question: str
    kind: str
    words: Mapping[str, object]

    @property
    def call(self) -> str:
        """The tool call that draws it."""
        words = ", ".join(f"{name}={json.dumps(value)}" for name, value in self.words.items())
        return f"chart_{self.kind}({words})"


PICTURES = (
    Picture("latency-band", "Are P50, P95 and P99 below three seconds, for sign-off?", "latency",
            {"threshold_ms": 3000, "granularity": "hour", **DAY}),
    Picture("latency-heatmap", "At which hours is it slow?", "latency",
            {"kind": "heatmap", "timezone": "America/New_York", **WEEK}),
    Picture("p95-by-provider", "Which provider's P95 develops how?", "timeseries",
            {"measures": ["p95"], "group_by": ["provider"], "granularity": "day", "limit": 4, **WEEK}),
    Picture("usage", "How much is it used?", "timeseries",
            {"measures": ["sessions", "interactions", "end_users"], "granularity": "day", **WEEK}),
    Picture("models", "Which model is slow?", "breakdown",
            {"measures": ["p95"], "group_by": ["provider", "model"], "filters": ["processor=llm"], **WEEK}),
    Picture("where-time-goes", "Where does the time of a turn go?", "breakdown",
            {"measures": ["share"], "group_by": ["processor"], **WEEK}),
    Picture("reliability", "Do errors get more?", "reliability", {"granularity": "day", **WEEK}),
    Picture("interaction", "Why was this turn slow?", "interaction", {"interaction_id": INTERACTION}),
    Picture("session", "What happened in this session?", "session", {"session_id": SESSION}),
    Picture("sessions", "Are long sessions the slow ones?", "sessions", {"limit": 100, **WEEK}),
    Picture("concurrency", "How many sessions are active at once?", "concurrency", {"granularity": "hour", **DAY}),
    Picture("outcomes", "How did sessions end?", "outcomes",
            {"measures": ["deflection_rate", "handoff_reason", "sentiment", "csat"], **WEEK}),
    Picture("live-support", "How long do people wait for an agent, and whose?", "live_support",
            {"group_by": ["agent_group"], **WEEK}),
    Picture("resources", "Which tools are used, and which fail?", "resources", WEEK),
    Picture("errors", "What went wrong, and where?", "errors", {"granularity": "day", **WEEK}),
    Picture("no-data", "And when nothing was recorded?", "latency",
            {"start_time": "2026-01-01", "end_time": "2026-01-02"}),
)  # fmt: skip


def telemetry(folder: Path) -> Path:
    """A warehouse of the gallery's telemetry."""
    generate(folder / "records", now=NOW, days=DAYS, sessions_per_day=SESSIONS_PER_DAY)
    files = sorted((folder / "records").glob("*.ndjson"))
    talkscope.ingest([*files, *_beside()], warehouse=folder / "warehouse", generated=True)
    return folder / "warehouse"


def _beside() -> Iterator[dict[str, object]]:
    """Chats with agents and calls of resources, which the demo's telemetry has none of."""
    chance, start = random.Random("gallery"), datetime(2026, 6, 1, tzinfo=UTC)
    for number in range(160):
        at = start + timedelta(minutes=chance.randrange(7 * 1_440))
        group, calm = chance.choice([("first line", 40_000), ("billing", 150_000), ("second line", 90_000)])
        queue = chance.lognormvariate(0, 0.8) * calm
        yield {
            "type": "live_support", "live_support_id": f"l-{number}", "session_id": f"c-{number}", "agent_group": group,
            "start_time": at.isoformat(), "status": "resolved", "queue_ms": round(queue),
            "first_response_ms": round(queue * 1.2), "chat_ms": round(queue + chance.uniform(2e5, 9e5)),
        }  # fmt: skip
    tools = {
        ("api_tool", "order_status"): 0.02, ("api_tool", "start_refund"): 0.21, ("toolkit", "SLACK"): 0.06,
        ("skill", "returns"): 0.0, ("knowledge_base", "Shipping abroad"): None, ("knowledge_base", "Refunds"): None,
    }  # fmt: skip
    for number in range(420):
        (kind, name), fails = chance.choice(list(tools.items()))
        status = None if fails is None else "error" if chance.random() < fails else "ok"
        yield {
            "type": "resource_call", "resource_call_id": f"r-{number}", "kind": kind, "name": name, "status": status,
            "time": (start + timedelta(minutes=chance.randrange(7 * 1_440))).isoformat(),
        }  # fmt: skip


def drawings(client: Client) -> Iterator[tuple[Picture, Drawing]]:
    """Every picture of the gallery, drawn."""

    async def ask(question: Question[Answer], /, **words: object) -> Answer:
        return client.ask(question, **{name: value for name, value in words.items() if value is not None})

    for picture in PICTURES:
        chart = tools.find(f"chart_{picture.kind}")
        assert isinstance(chart, Chart)
        yield picture, anyio.run(chart.draw, ask, picture.words)


def as_text(drawing: Drawing) -> str:
    """A spec as the gallery keeps it."""
    return json.dumps(drawing.spec, ensure_ascii=False, separators=(",", ":"), sort_keys=True) + "\n"


def page(drawn: list[tuple[Picture, Drawing]]) -> str:
    """The gallery's page."""
    parts = [
        "# Gallery",
        "",
        "Every chart, drawn by `make gallery` from generated telemetry. Beside each stands its spec with all its data.",
    ]
    for picture, drawing in drawn:
        parts += [
            "",
            f"## {picture.question}",
            "",
            f"`{picture.call}`",
            "",
            f"![{drawing.summary.partition('. ')[0]}]({picture.name}.png)",
            "",
            f"[spec]({picture.name}.json), {len(as_text(drawing)):,} bytes · [in the dark]({picture.name}-dark.png)",
        ]
    return "\n".join(parts) + "\n"


def main() -> int:
    """Draw everything anew."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--to", type=Path, default=HERE, help="the folder to write to")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, talkscope.open_warehouse(telemetry(Path(folder))) as client:
        drawn = list(drawings(client))
    with Renderer() as renderer:
        for picture, drawing in drawn:
            (options.to / f"{picture.name}.json").write_text(as_text(drawing), encoding="utf-8")
            (options.to / f"{picture.name}.png").write_bytes(renderer.render(drawing.spec, "png", scale=1.5))
            dark = renderer.render(themed(drawing.spec, "dark"), "png", scale=1.5)
            (options.to / f"{picture.name}-dark.png").write_bytes(dark)
    (options.to / "index.md").write_text(page(drawn), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
