"""`talkscope serve` as a process of its own on a free port, and what a test asks it."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx

import talkscope
from tests.cli.running import environment, here


@dataclass
class Served:
    """A server that runs: where it is reached, and its process."""

    url: str
    process: subprocess.Popen[str]
    errors: Path
    log: Path
    clients: list[httpx.Client] = field(default_factory=list)

    def get(self, path: str, key: str | None = None, **options: Any) -> httpx.Response:
        return self.request("GET", path, key, **options)

    def request(
        self,
        method: str,
        path: str,
        key: str | None = None,
        *,
        headers: Mapping[str, str] | None = None,
        **options: Any,
    ) -> httpx.Response:
        sent = {**({"CONVAI-API-KEY": key} if key else {}), **(headers or {})}
        # No TLS is spoken, and reading the world's authorities for each request would take longer than its answer.
        options = {"trust_env": False, "verify": False, "timeout": 60, **options}
        return httpx.request(method, f"{self.url}{path}", headers=sent, **options)

    def stop(self, number: int = signal.SIGTERM) -> int:
        """The exit code after the signal."""
        self.process.send_signal(number)
        return self.process.wait(30)

    def lines(self) -> list[dict[str, Any]]:
        """The access log of a server that has stopped."""
        return [json.loads(line) for line in self.log.read_text(encoding="utf-8").splitlines()]


@contextmanager
def process(words: list[str], folder: Path, **more: str) -> Iterator[Served]:
    """The program, from the line that names its address until the block ends."""
    errors = folder / "stderr"
    # So little data is read fastest by one thread.
    env = environment(folder, TALKSCOPE_THREADS="1", **more)
    with errors.open("w", encoding="utf-8") as told:
        running = subprocess.Popen([sys.executable, *words], stdout=subprocess.PIPE, stderr=told, text=True, env=env)
    with running:
        assert running.stdout is not None
        try:
            line = running.stdout.readline()
            assert line.startswith("Serving on http://"), errors.read_text(encoding="utf-8")
            yield Served(line.removeprefix("Serving on ").strip(), running, errors, folder / "access.log")
        finally:
            running.kill()


@contextmanager
def serving(folder: Path, *words: str, **more: str) -> Iterator[Served]:
    """`talkscope serve` with its keys and its access log in the folder."""
    keys = [] if "--no-keys" in words else ["--root", str(folder / "root")]
    log = ["--access-log", str(folder / "access.log")]
    with process(["-m", "talkscope", "serve", "--port", "0", *keys, *log, *words], folder, **more) as served:
        yield served


def add_key(folder: Path, account: str, *words: str) -> str:
    """The text of a new key."""
    done = here("keys", "add", "--root", str(folder / "root"), "--account", account, *words, home=folder)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def fill(folder: Path, account: str, sessions: int = 3) -> None:
    """Give an account a warehouse whose every id begins with the account's name, its turns of this hour."""
    now = datetime.now(UTC)
    records: list[dict[str, object]] = []
    for number in range(sessions):
        session, at = f"{account}-s{number}", (now - timedelta(minutes=5 + number)).isoformat()
        records.append({
            "type": "session", "session_id": session, "start_time": at, "end_time": now.isoformat(),
            "character_id": f"{account}-char", "end_user_id": f"{account}-user",
        })  # fmt: skip
        records.append({
            "type": "interaction", "interaction_id": f"{account}-i{number}", "session_id": session, "start_time": at,
            "latency_ms": 100 * (number + 1),
        })  # fmt: skip
    assert talkscope.ingest(records, warehouse=folder / "root" / "accounts" / account).ok
