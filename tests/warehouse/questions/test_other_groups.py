"""The row for all groups beyond the limit: each fact in it once, however many of those groups it is in."""

from __future__ import annotations

from collections.abc import Callable
from statistics import mean

import pytest

from tests.warehouse.questions.loaded import Loaded, Record

Make = Callable[..., Loaded]
DAY = {"start_time": "2026-05-04", "end_time": "2026-05-05"}
ASSISTANTS = {
    "s-1": ["anna"],
    "s-2": ["anna", "ben"],
    "s-3": ["ben", "cleo"],
    "s-4": ["ben", "cleo", "dora"],
    "s-5": [],
}
TAGS = {"s-1": ["vip"], "s-2": ["vip", "late"], "s-3": ["late", "paid"], "s-4": ["late", "paid"], "s-5": []}
LATENCIES = {"s-1": [100, 900], "s-2": [200, 300], "s-3": [400], "s-4": [500, 700, 600], "s-5": [5000]}
FAILED = {"s-3", "s-5"}


def world() -> list[Record]:
    """Five sessions of one to three assistants; those that failed have an error event named like one of their turns."""
    found: list[Record] = []
    for index, (name, latencies) in enumerate(LATENCIES.items()):
        at = f"2026-05-04T1{index}:00:00Z"
        ends = f"2026-05-04T1{index}:30:00Z"
        found.append({
            "type": "session", "session_id": name, "start_time": at, "end_time": ends,
            "participants": ASSISTANTS[name],
        })  # fmt: skip
        found += [
            {
                "type": "interaction", "session_id": name, "interaction_id": f"{name}/{turn}", "start_time": at,
                "latency_ms": latency, "status": "error" if name in FAILED else "ok",
            }
            for turn, latency in enumerate(latencies)
        ]  # fmt: skip
        if name in FAILED:
            found.append(
                {"type": "event", "event_id": f"{name}/0", "session_id": name, "time": at, "metric_name": "error.audio"}
            )
        resolution = "handoff" if name in FAILED else "resolved"
        found.append(
            {"type": "outcome", "session_id": name, "time": ends, "resolution": resolution, "tags": TAGS[name]}
        )
    return found


def test_a_turn_of_several_assistants_beyond_the_limit_counts_once(warehouse: Make) -> None:
    measures = ["count", "avg", "errors", "error_rate", "sessions"]
    answer = warehouse(world()).ask("breakdown", measures=measures, group_by=["character_id"], limit=1, **DAY)
    first, rest = answer.records()
    outside = [name for name, of in ASSISTANTS.items() if {*of, *([] if of else [None])} - {first["character_id"]}]
    turns = [latency for name in outside for latency in LATENCIES[name]]
    bad = sum(len(LATENCIES[name]) + 1 for name in outside if name in FAILED)
    all_told = len(turns) + sum(name in FAILED for name in outside)
    assert first["character_id"] == "ben"
    assert rest["character_id"] == "other (4 groups)"
    assert rest["count"] == len(turns)
    assert rest["avg"] == pytest.approx(mean(turns), abs=0.001)
    assert rest["errors"] == bad
    assert rest["error_rate"] == pytest.approx(bad / all_told, abs=1e-6)
    assert rest["sessions"] == len(outside)


def test_an_outcome_of_several_tags_beyond_the_limit_counts_once(warehouse: Make) -> None:
    words = {"measures": ["outcomes", "handoffs", "handoff_rate"], "group_by": ["tag"], "limit": 1}
    first, rest = warehouse(world()).ask("breakdown", **words, **DAY).records()
    outside = [name for name, of in TAGS.items() if {*of, *([] if of else [None])} - {first["tag"]}]
    handed = sum(name in FAILED for name in outside)
    assert (rest["tag"], rest["outcomes"], rest["handoffs"]) == ("other (3 groups)", len(outside), handed)
    assert rest["handoff_rate"] == pytest.approx(handed / len(outside), abs=1e-6)
