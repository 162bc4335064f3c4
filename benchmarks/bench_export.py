"""How long it takes to export conversations with their messages from a service that needs 100 ms for each answer.

`talkscope export` against a client that lists the same pages and then asks for one conversation after the other, both
in one run against one server, whose own counters say what it was asked. What they bring must agree. Goal: a tenth.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
from measure import Timed, show, took

ROOT = Path(__file__).parents[1]
DELAY = 0.1
PAGE = 100
WINDOW = {"start_date": "2026-01-01T00:00:00Z", "end_date": "2026-06-01T00:00:00Z"}


def serve(conversations: int) -> None:
    """Run the vendor's server, and answer each line on stdin with what it has counted since the last one."""
    sys.path.insert(0, str(ROOT))
    from tests.vendors import studio_chat
    from tests.vendors.engine import served

    vendor = studio_chat.server(conversations=conversations, delay=DELAY)
    with served(vendor) as url:
        print(json.dumps({"url": url, "key": studio_chat.KEY, "project": studio_chat.MAIN}), flush=True)
        for _ in sys.stdin:
            statuses: dict[str, int] = {}
            for one in vendor.seen:
                statuses[str(one.status)] = statuses.get(str(one.status), 0) + 1
            print(json.dumps({"statuses": statuses, "at once": vendor.most_at_once}), flush=True)
            vendor.forget()


class Server:
    """The server, in a process of its own."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        assert process.stdin is not None
        assert process.stdout is not None
        self._to, self._from = process.stdin, process.stdout
        about = json.loads(self._from.readline())
        self.url, self.key, self.project = about["url"], about["key"], about["project"]

    def counted(self) -> dict[str, Any]:
        """Requests by status, and the most at once, since it was last asked."""
        self._to.write("\n")
        self._to.flush()
        told: dict[str, Any] = json.loads(self._from.readline())
        return told


@contextmanager
def server(conversations: int) -> Iterator[Server]:
    """A server of so many conversations, which ends with the block."""
    words = [sys.executable, __file__, "--serve", str(conversations)]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield Server(process)
        finally:
            assert process.stdin is not None
            process.stdin.close()


def ours(at: Server, folder: Path) -> dict[str, Any]:
    """Every conversation by its id, by the command as a person would give it."""
    file = folder / "ours.json"
    words = ["export", "studio-chat", "--start", "2026-01-01", "--end", "2026-06-01", "--messages", "-o", str(file)]
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("TALKSCOPE_", "STUDIO_"))}
    account = {"STUDIO_API_TOKEN": at.key, "STUDIO_PROJECT_ID": at.project, "STUDIO_API_URL": at.url}
    environment = {**kept, **account, "HOME": str(folder)}
    subprocess.run([sys.executable, "-m", "talkscope", *words], check=True, env=environment, stderr=subprocess.DEVNULL)
    return {row["conversation_id"]: row for row in json.loads(file.read_bytes())["conversations"]}


def one_by_one(at: Server, most: int) -> dict[str, Any]:
    """The first so many by their ids: page after page, and one request for each conversation, over one connection."""
    root = f"/projects/{at.project}/conversations"
    with httpx.Client(base_url=at.url, headers={"x-api-key": at.key}, timeout=60, trust_env=False) as http:
        ids: list[str] = []
        while len(ids) < most:
            page = http.get(root, params={**WINDOW, "limit": PAGE, "offset": len(ids)}).raise_for_status().json()
            ids += [row["conversation_id"] for row in page["conversations"]]
            if len(page["conversations"]) < PAGE:
                break
        return {each: http.get(f"{root}/{quote(each, safe='')}").raise_for_status().json() for each in ids[:most]}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--conversations", type=int, default=2_000)
    parser.add_argument(
        "--share", type=int, help="ask one by one for so many only; the ratio is then of their time each"
    )
    parser.add_argument("--runs", type=int, default=1, help="of talkscope's export; one by one is asked for once")
    parser.add_argument("--sessions-per-day", type=int, help="a tenth of the conversations, for a run in miniature")
    parser.add_argument("--serve", type=int, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.serve:
        serve(asked.serve)
        return 0
    count = asked.conversations if asked.sessions_per_day is None else asked.sessions_per_day * 10
    return compare(count, min(asked.share or count, count), asked.runs)


def compare(count: int, share: int, runs: int) -> int:
    """Export both ways, and print their times, their ratio, and what the server counted."""
    with tempfile.TemporaryDirectory() as folder, server(count) as at:
        brought: dict[str, Any] = {}
        seconds = [took(lambda: brought.update(ours(at, Path(folder)))) for _ in range(runs)]
        counted = at.counted()
        began = time.perf_counter()
        theirs = one_by_one(at, share)
        spent = time.perf_counter() - began
        counted_theirs = at.counted()
    assert len(brought) == count, f"{len(brought)} conversations came"
    assert all(brought[each] == row for each, row in theirs.items()), "the two ways do not agree"
    print(f"{count:,} conversations with messages, {DELAY * 1e3:.0f} ms an answer; {share:,} of them one by one")
    ways = [Timed("talkscope export", [each / count for each in seconds]), Timed("one by one", [spent / share] * runs)]
    show(ways, ways[1], goal="  (goal: at most 0.10; times are of one conversation)")
    print(f"the server's count, talkscope: {counted['statuses']}, at most {counted['at once']} at once")
    print(f"the server's count, one by one: {counted_theirs['statuses']}, at most {counted_theirs['at once']} at once")
    return 0 if set(counted["statuses"]) == {"200"} else 1


if __name__ == "__main__":
    sys.exit(main())
