"""Many calls at once: pings are answered while heavy questions run, and cancelled questions are not answered."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

import talkscope
from talkscope.jobs.demo import generate
from tests.end_to_end.asking import ask
from tests.end_to_end.conftest import served
from tests.server.wire import Wire

WEEK = {"start_time": "2026-06-01", "end_time": "2026-06-10"}
HEAVY = {"name": "get_breakdown", "arguments": {"measures": ["p95", "p99", "sessions", "error_rate"],
         "group_by": ["interaction_id", "status"], "limit": 5, **WEEK}}  # fmt: skip


@pytest.fixture(scope="module")
def busy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Wire]:
    folder: Path = tmp_path_factory.mktemp("busy")
    generate(folder / "records", now=datetime(2026, 6, 9, 12, tzinfo=UTC), days=8, sessions_per_day=120)
    files = sorted((folder / "records").glob("*.ndjson"))
    assert talkscope.ingest(files, warehouse=folder / "warehouse", generated=True).ok
    with served(folder / "warehouse") as wire:
        wire.handshake()
        ask(wire, "get_summary", **WEEK)
        yield wire


def test_a_ping_is_answered_while_six_heavy_questions_run(busy: Wire):
    heavy = [busy.begin("tools/call", HEAVY) for _ in range(6)]
    ping = busy.begin("ping")
    order: list[object] = []
    while not set(heavy) <= set(order):
        message = busy.read_message(60)
        if "id" in message:
            order.append(message["id"])
    assert order.index(ping) == 0


def asked_and_cancelled(wire: Wire, first: int, number: int) -> list[int]:
    """Ask as often as that, and cancel each, all in one write: no question is answered before its cancellation."""
    ids = list(range(first, first + number))
    asked = [{"jsonrpc": "2.0", "id": each, "method": "tools/call", "params": HEAVY} for each in ids]
    gone = [
        {"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": each, "reason": "enough"}}
        for each in ids
    ]
    wire.send_raw(b"".join(json.dumps(message).encode() + b"\n" for message in (*asked, *gone)))
    return ids


def test_a_cancelled_question_gets_no_answer_and_leaves_room_for_others(busy: Wire):
    heavy = asked_and_cancelled(busy, 10_000, 12)
    assert ask(busy, "get_summary", **WEEK)["rows"]
    ping = busy.begin("ping")
    answered: list[object] = []
    while ping not in answered:
        message = busy.read_message(60)
        answered.append(message.get("id"))
    assert not set(heavy) & set(answered)


def test_a_question_with_a_progress_token_reports_progress_that_only_grows(busy: Wire):
    asked = busy.begin("tools/call", {**HEAVY, "_meta": {"progressToken": "p-1"}})
    seen: list[float] = []
    while True:
        message = busy.read_message(60)
        if message.get("method") == "notifications/progress":
            assert message["params"]["progressToken"] == "p-1"
            seen.append(message["params"]["progress"])
        if message.get("id") == asked:
            break
    assert seen == sorted(set(seen))
    assert len(seen) >= 2


def test_generated_telemetry_is_labelled_in_every_answer(busy: Wire):
    for tool in ("get_summary", "get_breakdown", "get_timeseries", "list_sessions", "get_concurrency", "list_metrics"):
        words = {} if tool == "list_metrics" else WEEK
        assert ask(busy, tool, **words)["meta"]["generated"] is True


def busy_ticks(wire: Wire) -> int:
    """Processor time that the server has used when it has nothing more to do."""

    def used() -> int:
        fields = Path(f"/proc/{wire.process.pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
        return int(fields[11]) + int(fields[12])

    before = -1
    while (now := used()) != before:
        before = now
        threading.Event().wait(0.3)
    return now


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="the processor time of a process is read from /proc")
def test_cancelling_a_question_interrupts_its_query(busy: Wire):
    start = busy_ticks(busy)
    for each in [busy.begin("tools/call", HEAVY) for _ in range(6)]:
        busy.answer(each, 60)
    answered = busy_ticks(busy)
    asked_and_cancelled(busy, 20_000, 6)
    assert busy_ticks(busy) - answered < (answered - start) / 2
