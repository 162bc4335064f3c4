"""One process of many on one warehouse, for the tests that kill some: a line on stdout says what it is about to do.

worker.py FOLDER writer NAME BATCHES | reader | compactor | stuck
"""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path

from talkscope.errors import WarehouseBusy
from talkscope.jobs.ingest import ingest
from talkscope.warehouse import segments
from talkscope.warehouse.compact import compact
from talkscope.warehouse.store import DuckStore, Snapshot, Stop

TURNS = 20
SPANS = 2
Record = dict[str, object]


def batch(name: str) -> list[Record]:
    """One session whose facts are all there or none."""
    at = {"start_time": "2026-03-01T10:00:00Z"}
    turns = [f"{name}/{number}" for number in range(TURNS)]
    found: list[Record] = [{"type": "session", "session_id": name, "end_user_id": f"user {name}", **at}]
    found += [{"type": "interaction", "session_id": name, "interaction_id": turn, **at} for turn in turns]
    for turn in turns:
        span = {"type": "span", "session_id": name, "interaction_id": turn, "processor": "llm", "duration_ms": 5, **at}
        found += [{**span, "span_id": f"{turn}/{number}"} for number in range(SPANS)]
    return found


def say(text: str) -> None:
    print(text, flush=True)


def write(folder: Path, name: str, batches: int) -> None:
    for number in range(batches):
        say(f"begins {name}-{number}")
        report = ingest(batch(f"{name}-{number}"), warehouse=folder, threads=1)
        assert report.ok
        say(f"committed {name}-{number}")


def per_session(snapshot: Snapshot, table: str) -> Counter[str]:
    sql = f"SELECT session_id FROM {snapshot.table(table)} WHERE end_user_id = 'user ' || session_id"
    return Counter(str(row[0]) for row in snapshot.fetch(sql))


def whole_sessions(store: DuckStore) -> set[str]:
    """The sessions that are there; an AssertionError when one is there in part."""
    stop = Stop()
    try:
        snapshot = store.snapshot(stop)
        counts = {table: per_session(snapshot, table) for table in ("sessions", "interactions", "spans")}
    finally:
        stop.done()
    sessions = set(counts["sessions"])
    assert counts["sessions"] == Counter(dict.fromkeys(sessions, 1))
    assert counts["interactions"] == Counter(dict.fromkeys(sessions, TURNS))
    assert counts["spans"] == Counter(dict.fromkeys(sessions, TURNS * SPANS))
    return sessions


def read(folder: Path) -> None:
    """Read until standard input ends."""
    store = DuckStore(folder, threads=1)
    seen: set[str] = set()
    try:
        while True:
            now = whole_sessions(store)
            assert now >= seen, "a committed session is gone"
            seen = now
            say(f"read {len(now)}")
            if not sys.stdin.readline():
                return
    finally:
        store.close()


def compact_again_and_again(folder: Path) -> None:
    while True:
        try:
            say(f"compacted {compact(folder, threads=1, wait=5)}")
        except WarehouseBusy:
            say("busy")


def stick(folder: Path) -> None:
    """Stop in the middle of a commit: with its segments written and the manifest not."""
    settle = segments._settle

    def settle_and_wait(unready: Path, final: Path) -> None:
        settle(unready, final)
        say("written")
        sys.stdin.read()

    segments._settle = settle_and_wait
    ingest(batch("stuck"), warehouse=folder, threads=1)


def main() -> None:
    folder, role = Path(sys.argv[1]), sys.argv[2]
    if role == "writer":
        write(folder, sys.argv[3], int(sys.argv[4]))
    elif role == "reader":
        read(folder)
    elif role == "compactor":
        compact_again_and_again(folder)
    else:
        stick(folder)


if __name__ == "__main__":
    main()
