"""A warehouse that is damaged under a running server: a typed error without paths, and the server goes on."""

from __future__ import annotations

from pathlib import Path

import pytest

import talkscope
from tests.end_to_end.asking import ask, refused
from tests.end_to_end.conftest import served

WEEK = {"start_time": "2026-01-01", "end_time": "2026-01-08"}
RECORDS: list[dict[str, object]] = [
    {"type": "interaction", "interaction_id": f"t{i}", "session_id": "s", "start_time": f"2026-01-02T10:00:{i:02d}Z",
     "latency_ms": 100 + i}
    for i in range(20)
]  # fmt: skip


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    place = tmp_path / "a place of its own"
    assert talkscope.ingest(RECORDS, warehouse=place).ok
    return place


def remove(segment: Path) -> None:
    segment.unlink()


def cut(segment: Path) -> None:
    segment.write_bytes(segment.read_bytes()[:-20])


def overwrite(segment: Path) -> None:
    segment.write_bytes(b"no parquet at all" * 100)


@pytest.mark.parametrize("damage", [remove, cut, overwrite], ids=lambda each: each.__name__)
def test_a_damaged_segment_is_an_error_without_paths(folder: Path, damage):
    with served(folder) as wire:
        wire.handshake()
        for segment in (folder / "segments" / "interactions").glob("*.parquet"):
            damage(segment)
        error = refused(wire, "get_summary", **WEEK)
        assert error["code"] == "warehouse_error"
        assert error["hint"]
        assert "a place of its own" not in str(error)
        assert "parquet" not in str(error)
        assert ask(wire, "list_metrics", kind="measure")["rows"]
    assert "a place of its own" not in wire.stderr


def test_a_manifest_that_is_none_is_an_error_without_paths(folder: Path):
    with served(folder) as wire:
        wire.handshake()
        (folder / "manifest.sqlite").write_bytes(b"not a database, by a long way" * 300)
        error = refused(wire, "get_summary", **WEEK)
        assert error["code"] == "warehouse_error"
        assert "a place of its own" not in str(error)


def test_what_is_loaded_while_the_server_runs_is_in_its_next_answer(folder: Path):
    with served(folder) as wire:
        wire.handshake()
        assert ask(wire, "get_summary", **WEEK)["meta"]["n"] == 1
        more: list[dict[str, object]] = [{**record, "session_id": "u"} for record in RECORDS[:3]]
        more = [{**record, "interaction_id": f"u-{i}"} for i, record in enumerate(more)]
        assert talkscope.ingest(more, warehouse=folder).ok
        rows = {row[0]: row[1] for row in ask(wire, "get_summary", **WEEK)["rows"]}
        assert (rows["sessions"], rows["interactions"]) == (2, 23)
