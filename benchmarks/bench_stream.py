"""How much memory it takes to bring an answer without pages: a list of ten times as many rows, in the same memory.

One server makes the lists as it sends them, zipped. Each way of reading them is a process of its own, whose peak is the
operating system's figure: `talkscope fetch --all` into a file, the records of `talkscope sync`, and for comparison a
client that reads the answer whole. Goal: a ratio of at most 1.25.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

KEY = "ma_streamed_0123456789abcdef"
NOW = datetime(2026, 5, 5, 16, 30, tzinfo=UTC)
FIELDS = {
    "flow_name": "Which dryer?", "touchpoint_name": "Help page", "lang_code": "en", "label": "",
    "latest_search_query": "why does it not dry, and what is to be done about that", "feedback_rating": 3,
    "feedback_topics": ["speed", "tone"], "feedback_comments": "It took a while until I found it. " * 8,
    "form_data": {"$customer-email": "ann@example.org", "serial": ["A", "1"], "note": "bought in spring, \"used\""},
}  # fmt: skip
AT_ONCE = 500


def rows(count: int) -> Iterator[bytes]:
    """The text of a list of so many conversations, a part at a time."""
    yield b"["
    for start in range(0, count, AT_ONCE):
        part = []
        for number in range(start, min(count, start + AT_ONCE)):
            at = (NOW - timedelta(seconds=number % 9_000_000)).isoformat()
            told = {"id": f"F{number}", "created_at": at, "updated_at": at, "status": "RESOLVED", **FIELDS}
            part.append(json.dumps(told, separators=(",", ":")))
        yield ("," if start else "").encode() + ",".join(part).encode()
    yield b"]"


class Answering(BaseHTTPRequestHandler):
    """Answers /<count>/assistant-conversations.json with so many rows, and every other list with none."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        """Answer, zipped and in chunks."""
        _, count, name = self.path.partition("?")[0].split("/")
        self.send_response(200)
        for header, value in (("content-encoding", "gzip"), ("transfer-encoding", "chunked")):
            self.send_header(header, value)
        self.end_headers()
        packing = zlib.compressobj(1, wbits=31)
        for text in rows(int(count) if name.startswith("assistant") else 0):
            self._chunk(packing.compress(text))
        self._chunk(packing.flush())
        self.wfile.write(b"0\r\n\r\n")

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def _chunk(self, data: bytes) -> None:
        if data:
            self.wfile.write(f"{len(data):x}\r\n".encode() + data + b"\r\n")


def serve() -> None:
    """Run the server until stdin ends."""
    import threading

    with ThreadingHTTPServer(("127.0.0.1", 0), Answering) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        print(f"http://127.0.0.1:{server.server_address[1]}", flush=True)
        sys.stdin.read()
        server.shutdown()


@contextmanager
def served() -> Iterator[str]:
    """The url of the server, which runs in a process of its own until the block ends."""
    words = [sys.executable, __file__, "--serve"]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            yield process.stdout.readline().strip()
        finally:
            process.stdin.close()


def records(url: str, folder: Path) -> int:
    """How many records a sync makes of what it pulls: what the warehouse is then given one by one."""
    import anyio

    from talkscope.client import AsyncClient
    from talkscope.jobs.pull import Journal, pull
    from talkscope.jobs.sync import mavenoid
    from talkscope.jobs.sync.asked import Asked
    from talkscope.jobs.sync.gathered import Found

    asked = Asked(NOW - timedelta(days=120), NOW, NOW)
    plan = mavenoid.plan(asked)

    async def run(journal: Journal) -> None:
        async with AsyncClient(url, key=f"Bearer {KEY}", key_header="authorization", deadline=300) as client:
            await pull(plan, client, journal)

    with Journal(folder, {}, begun="") as journal:
        anyio.run(run, journal)
        found = (each for each in plan.found(journal.answer) if isinstance(each, Found))
        count = sum(1 for _ in mavenoid.recorded(found, asked))
        journal.discard()
    return count


def whole(url: str) -> int:
    """How many rows there are, read as anybody would."""
    import httpx

    headers = {"authorization": f"Bearer {KEY}"}
    answer = httpx.get(f"{url}/assistant-conversations.json", headers=headers, timeout=300, trust_env=False)
    found: list[Any] = answer.json()
    return len(found)


def peak(words: list[str], url: str, folder: Path) -> float:
    """Megabytes of memory that a process took at most."""
    account = {"MAVENOID_API_TOKEN": KEY, "MAVENOID_API_URL": url, "HOME": str(folder)}
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("TALKSCOPE_", "MAVENOID_"))}
    process = subprocess.Popen(words, env={**kept, **account}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0, f"{words} ended with {process.returncode}"
    return used.ru_maxrss / (1e6 if sys.platform == "darwin" else 1e3)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=200_000, help="of the longer list (200,000)")
    parser.add_argument("--runs", type=int, default=1, help="times that each way is taken (1)")
    parser.add_argument("--sessions-per-day", type=int, help="a thousandth of the rows, for a run in miniature")
    parser.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--read", nargs=3, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.serve:
        serve()
    elif asked.read:
        how, url, folder = asked.read
        print(records(url, Path(folder)) if how == "records" else whole(url))
    else:
        compare(asked.rows if asked.sessions_per_day is None else asked.sessions_per_day * 1_000, asked.runs)
    return 0


def compare(count: int, runs: int) -> None:
    """Print each way's peak for a tenth of the rows and for all of them, and their ratio."""
    counts = (count // 10, count)
    size = sum(map(len, rows(count)))
    print(f"{count:,} rows of {size / count:,.0f} bytes, {size / 1e6:,.0f} MB in one answer, against a tenth of them")
    with tempfile.TemporaryDirectory() as name, served() as root:
        folder = Path(name)
        file = folder / "all.json"
        call = ["mavenoid", "assistant-conversations", "-p", "days=120", "--all"]
        itself = [sys.executable, __file__, "--read"]
        ways: dict[str, Callable[[str], list[str]]] = {
            "talkscope fetch --all": lambda _: [sys.executable, "-m", "talkscope", "fetch", *call, "-o", str(file)],
            "talkscope sync, its records": lambda url: [*itself, "records", url, str(folder / "journal")],
            "a client that reads it whole": lambda url: [*itself, "whole", url, ""],
        }
        for way, words in ways.items():
            peaks = [[peak(words(f"{root}/{each}"), f"{root}/{each}", folder) for each in counts] for _ in range(runs)]
            few, all_ = (statistics.median(found) for found in zip(*peaks, strict=True))
            told = (
                f"  (goal: at most 1.25; {few:.0f} and {all_:.0f} MB)"
                if way[0] == "t"
                else f"  ({few:.0f} and {all_:.0f} MB)"
            )
            print(f"ratio: {all_ / few:.2f}  {way}, {counts[1]:,} rows / {counts[0]:,}{told}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
