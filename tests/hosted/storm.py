"""Every tool, asked again and again of an upstream that spoils its answers: `python -m tests.hosted.storm COUNT SEED`.

Prints one line of JSON: the kinds of answers that were given, how the questions ended, what was raised that is none of
our errors, the seconds by which the slowest question passed its deadline, and by how many bytes the memory grew. The
upstream is a process of its own, so that its memory is not counted.
"""

from __future__ import annotations

import json
import os
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

import anyio
import httpx
from pydantic import SecretStr

import talkscope
from talkscope.client import PortalTransport
from talkscope.errors import TalkscopeError
from talkscope.jobs.demo.generate import generate
from talkscope.server.opening import Opening
from talkscope.settings import AccountSettings, Settings, SourceSettings
from talkscope.tools import TOOLS
from talkscope.tools.tool import Shaped
from talkscope.wiring import App
from tests.hosted.hostile import SECRET, upstream

DEADLINE = 0.75
AT_ONCE = 8
WARM_UP = 200
_FILTERS: tuple[list[str], ...] = (
    ["provider=openai"],
    ["character_id=nobody"],
    ["status=error"],
    ["model=x"],
    [],
    [],
    [],
)
_MEASURES = ("p95", "count", "errors", "error_rate", "avg", "sessions", "interactions", "end_users", "max", "p50")
# Charts ask what the other tools ask, and drawing takes its time.
_OFTEN = [1 if tool.name.startswith("chart_") else 4 for tool in TOOLS]
_GROUPS = ("processor", "provider", "model", "character_id", "status", "app_key", "session_id")


def words(chance: random.Random, tool: str) -> dict[str, object]:
    """Words that fit the tool."""
    window: dict[str, object] = {"range": chance.choice(("last_1h", "last_24h", "last_7d", "last_30d"))}
    filters = chance.choice(_FILTERS)
    session = {"session_id": chance.choice(("s1", "../keys", "a/b", "\u00e9"))}
    made: dict[str, dict[str, object]] = {
        "get_summary": window | {"filters": chance.choice((["character_id=x"], []))},
        "get_timeseries": window
        | {"measures": chance.sample(_MEASURES, 2), "group_by": chance.choice(([], ["provider"])), "filters": filters},
        "get_breakdown": window
        | {"measures": chance.sample(_MEASURES, 2), "group_by": chance.sample(_GROUPS, chance.randint(1, 2))},
        "get_latency_breakdown": window,
        "list_sessions": window | {"sort": chance.choice(("recent", "longest", "slowest", "errors"))},
        "get_session": dict(session),
        "get_interaction": {"interaction_id": chance.choice(("i1", "..", "%2e%2e", "t"))},
        "explain_slow_session": window if chance.random() < 0.5 else dict(session),
        "get_concurrency": window,
        "detect_regressions": {"measure": "p95", "group_by": chance.choice(("overall", "provider"))},
        "list_metrics": {},
        "query": {"query": {"measures": ["SessionMetrics.count"], "dimensions": ["SessionMetrics.model"]}},
        "chart_latency": window | {"kind": chance.choice(("band", "heatmap"))},
        "chart_reliability": window,
        "chart_sessions": window,
    }
    asks = {"timeseries": "get_timeseries", "breakdown": "get_breakdown", "session": "get_session",
            "interaction": "get_interaction", "concurrency": "get_concurrency"}  # fmt: skip
    made |= {f"chart_{kind}": made[asked] for kind, asked in asks.items()}
    return made[tool]


@dataclass
class Storm:
    """What became of the questions."""

    chance: random.Random
    endings: Counter[str] = field(default_factory=Counter)
    foreign: list[str] = field(default_factory=list)
    late: float = 0.0

    async def one(self, asker: Opening, settings: Settings) -> None:
        """Ask one tool, and note how it ended."""
        tool = self.chance.choices(TOOLS, _OFTEN)[0]
        asked = words(self.chance, tool.name)
        begun = time.monotonic()
        try:
            shaped = await tool.call(asker, asked, settings)
        except TalkscopeError as error:
            self.endings[type(error).__name__] += 1
            told = f"{error!r} {error} {json.dumps(error.to_json())}"
        except Exception as error:  # noqa: BLE001  # what is looked for
            self.foreign.append(f"{tool.name}: {type(error).__name__}: {error}"[:500])
            return
        else:
            self.endings["answered"] += 1
            assert isinstance(shaped, Shaped)
            told = json.dumps(shaped.structured) + shaped.text
        self.late = max(self.late, time.monotonic() - begun - settings.deadline)
        if SECRET in told:
            self.foreign.append(f"{tool.name}: the key is in what it told")


async def _storm(url: str, count: int, seed: int) -> dict[str, object]:
    account = AccountSettings("convai", "convai", url, SecretStr(SECRET), "CONVAI_API_KEY")
    settings = Settings(sources=(account,), deadline=DEADLINE, reveal_personal_data=True)
    storm = Storm(random.Random(seed))
    async with httpx.AsyncClient(trust_env=False, verify=False) as client:
        warm_up = min(WARM_UP, count // 2)
        await _many(storm, settings, client, url, warm_up)
        before = _memory()
        await _many(storm, settings, client, url, count - warm_up)
        grown = _memory() - before
    return {"endings": storm.endings, "foreign": storm.foreign, "late": round(storm.late, 3), "grown": grown}


async def _many(storm: Storm, settings: Settings, client: httpx.AsyncClient, url: str, count: int) -> None:
    """Ask until so many more answers were spoiled."""
    start = await _spoiled(client, url)

    async def some() -> None:
        while await _spoiled(client, url) - start < count:
            # An account of its own, for a service that says "in an hour" is asked no more until then.
            asker = Opening(settings)
            try:
                for _ in range(5):
                    await storm.one(asker, settings)
            finally:
                await asker.aclose()

    async with anyio.create_task_group() as group:
        for _ in range(AT_ONCE):
            group.start_soon(some)


async def _spoiled(client: httpx.AsyncClient, url: str) -> int:
    kinds: dict[str, int] = (await client.get(f"{url.removesuffix('/v1/analytics')}/told")).json()
    return sum(number for kind, number in kinds.items() if kind != "right")


def _memory() -> int:
    """Most bytes that this process has held so far."""
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most if sys.platform == "darwin" else most * 1_024


def serve(seed: int) -> None:
    """The upstream: prints its port, and ends with its stdin."""
    now = datetime.now(UTC)
    with tempfile.TemporaryDirectory() as folder:
        generate(Path(folder) / "telemetry", now=now, days=8, sessions_per_day=8)
        talkscope.ingest(Path(folder) / "telemetry", warehouse=Path(folder) / "warehouse", generated=True)
        app = App(Settings(sources=(SourceSettings("warehouse", Path(folder) / "warehouse"),), threads=1))
        face = httpx.Client(base_url="http://face", transport=PortalTransport(app.transport()))

        @cache
        def normal(method: str, target: str, body: bytes) -> tuple[int, bytes]:
            answer = face.request(method, target, content=body)
            return answer.status_code, answer.content

        with upstream(normal, seed, share=0.7) as (served, _):
            print(served.port, flush=True)
            sys.stdin.read()
        face.close()
        app.close()


def main(count: int, seed: int) -> None:
    """Start the upstream, ask, and print what came of it."""
    with tempfile.TemporaryDirectory() as empty:
        # Nothing here speaks TLS, and to read the world's authorities for each account would take most of the time.
        os.environ.pop("SSL_CERT_FILE", None)
        os.environ["SSL_CERT_DIR"] = empty
        # Where it is missing, each of httpx's locks would look for it on the disk.
        sys.modules.setdefault("sniffio", None)  # type: ignore[arg-type]
        _main(count, seed)


def _main(count: int, seed: int) -> None:
    child = [sys.executable, "-m", "tests.hosted.storm", "serve", str(seed)]
    with subprocess.Popen(child, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        url = f"http://127.0.0.1:{int(process.stdout.readline())}/v1/analytics"
        told = anyio.run(_storm, url, count, seed)
        told["kinds"] = httpx.get(url.replace("/v1/analytics", "/told"), trust_env=False).json()
        assert process.stdin is not None
        process.stdin.close()
    print(json.dumps(told))


if __name__ == "__main__":
    if sys.argv[1] == "serve":
        serve(int(sys.argv[2]))
    else:
        main(int(sys.argv[1]), int(sys.argv[2]))
