"""A little telemetry before a given time, whose figures are known by hand.

Four sessions. Two of them overlap three hours before the time: Ada's of ten minutes with turns of 100 to 400 ms, and
one of twenty minutes that begins five minutes later, of a character with a hostile name, with one failed turn of 3 s.
Two more of Ada's, a day and three days before, have a turn each.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

HOSTILE = '</script><img src=x onerror="alert(1)">'
NAME = "Ada of ada@example.com"
LATENCIES = {"ada": [100.0, 200.0, 300.0, 400.0], "bob": [3_000.0], "old": [500.0], "older": [700.0]}
STARTS = {
    "ada": timedelta(hours=3),
    "bob": timedelta(hours=2, minutes=55),
    "old": timedelta(hours=25),
    "older": timedelta(days=3),
}
LENGTHS = {"ada": 10, "bob": 20, "old": 1, "older": 1}


def records(now: datetime) -> Iterator[dict[str, Any]]:
    """The records, as a line of NDJSON each."""
    for session, before in STARTS.items():
        start = now - before
        ada = session != "bob"
        yield {
            "type": "session", "session_id": session, "start_time": start.isoformat(),
            "end_time": (start + timedelta(minutes=LENGTHS[session])).isoformat(), "channel": "voice",
            "character_id": "char_ada" if ada else "char_bob", "character_name": NAME if ada else HOSTILE,
            "end_user_id": "user-1" if ada else "user-2",
        }  # fmt: skip
        for index, latency in enumerate(LATENCIES[session]):
            yield from _turn(session, index, start + timedelta(seconds=5 + 20 * index), latency)
    yield {
        "type": "event", "session_id": "bob", "metric_name": "db.error_persist_dropped", "value": 1.0,
        "time": (now - STARTS["bob"] + timedelta(minutes=1)).isoformat(),
    }  # fmt: skip
    yield {
        "type": "outcome", "session_id": "ada", "resolution": "resolved",
        "time": (now - STARTS["ada"] + timedelta(minutes=9)).isoformat(),
    }  # fmt: skip


def _turn(session: str, index: int, start: datetime, latency: float) -> Iterator[dict[str, Any]]:
    """A turn whose first fifth is speech recognition, and the rest a model's."""
    turn, status = f"{session}-{index}", "error" if session == "bob" else "ok"
    ends = [start + timedelta(milliseconds=latency * part) for part in (0.2, 1.0)]
    yield {
        "type": "interaction", "interaction_id": turn, "session_id": session, "start_time": start.isoformat(),
        "end_time": ends[1].isoformat(), "latency_ms": latency, "status": status, "index": index,
    }  # fmt: skip
    for processor, begin, end in (("asr", start, ends[0]), ("llm", ends[0], ends[1])):
        yield {
            "type": "span", "span_id": f"{turn}-{processor}", "session_id": session, "interaction_id": turn,
            "processor": processor, "start_time": begin.isoformat(), "end_time": end.isoformat(),
            "status": status if processor == "llm" else "ok", "provider": "acme" if processor == "llm" else "hears",
        }  # fmt: skip
