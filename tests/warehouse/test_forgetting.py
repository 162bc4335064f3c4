"""Erasing one person: what goes, what stays, and that no file keeps a copy."""

from __future__ import annotations

from pathlib import Path

import pytest

from talkscope.errors import WarehouseError
from talkscope.jobs.ingest import ingest
from talkscope.warehouse.forget import forget
from talkscope.warehouse.store import DuckStore, Stop
from tests.oracle import scenario
from tests.warehouse.loading import load, stored

Record = dict[str, object]
DAY = "2026-03-01T10:00:"


def talk(session_id: str, user: str, **rest: object) -> list[Record]:
    """One short conversation that says the user's name at every turn."""
    turn = {"session_id": session_id, "interaction_id": f"{session_id}/1", **rest}
    return [
        {"type": "session", "session_id": session_id, "start_time": DAY + "00Z", "end_user_id": user, **rest},
        {"type": "interaction", **turn, "start_time": DAY + "01Z"},
        {"type": "span", **turn, "processor": "llm", "start_time": DAY + "01Z", "duration_ms": 5},
        {"type": "event", **turn, "time": DAY + "02Z", "metric_name": "mos", "value": 4},
        {"type": "outcome", "session_id": session_id, "time": DAY + "03Z", "remark": f"{user} was here", **rest},
    ]


def holding(folder: Path, text: str) -> list[str]:
    return [
        str(each.relative_to(folder))
        for each in folder.rglob("*")
        if each.is_file() and text.encode() in each.read_bytes()
    ]


def test_one_person_goes_everywhere_and_the_others_stay(tmp_path: Path) -> None:
    ingest([*talk("s1", "ann-8431"), *talk("s2", "bob")], warehouse=tmp_path)
    ingest(talk("s3", "ann-8431"), warehouse=tmp_path)
    ingest([{**talk("s1", "ann-8431")[0], "language": "de"}], warehouse=tmp_path)
    counts = forget(tmp_path, "ann-8431")
    assert counts == {"session": 2, "interaction": 2, "span": 2, "event": 2, "outcome": 2}
    assert {name: [row["session_id"] for row in rows] for name, rows in stored(tmp_path).items() if rows} == {
        "sessions": ["s2"],
        "interactions": ["s2"],
        "spans": ["s2"],
        "events": ["s2"],
        "outcomes": ["s2"],
    }
    assert forget(tmp_path, "ann-8431") == {}


def test_no_file_keeps_what_was_erased_not_even_one_that_was_replaced_before(tmp_path: Path) -> None:
    ingest(talk("s1", "ann-8431"), warehouse=tmp_path)
    ingest([{**talk("s1", "ann-8431")[0], "language": "de"}], warehouse=tmp_path)
    dead = tmp_path / "tmp" / "load-of-a-dead-process"
    dead.mkdir()
    (dead / "session.ndjson").write_text("ann-8431")
    assert len(list(tmp_path.glob("segments/sessions/*"))) == 2
    forget(tmp_path, "ann-8431")
    assert holding(tmp_path, "ann-8431") == []
    assert list(tmp_path.glob("segments/*/*")) == []


def test_a_platform_may_be_named(tmp_path: Path) -> None:
    ingest([*talk("s1", "ann", platform="convai"), *talk("s1", "ann", platform="mavenoid")], warehouse=tmp_path)
    assert forget(tmp_path, "ann", "convai")["session"] == 1
    assert {row["platform"] for rows in stored(tmp_path).values() for row in rows} == {"mavenoid"}


def test_what_others_share_with_the_erased_is_worked_out_anew(tmp_path: Path) -> None:
    shared = {"interaction_id": "s1/1", "processor": "tts", "start_time": DAY + "05Z", "duration_ms": 7}
    others: list[Record] = [*talk("s2", "bob"), {"type": "span", "session_id": "s2", **shared}]
    ingest([*talk("s1", "ann"), *others], warehouse=tmp_path / "w")
    forget(tmp_path / "w", "ann")
    ingest(others, warehouse=tmp_path / "without")
    assert stored(tmp_path / "w") == stored(tmp_path / "without")


def test_erasing_a_user_of_the_scenario_leaves_what_was_never_theirs(tmp_path: Path) -> None:
    load(tmp_path, *scenario(7))
    before = stored(tmp_path)
    forget(tmp_path, "user-changing")
    gone = {(row["platform"], row["session_id"]) for row in before["sessions"] if row["end_user_id"] == "user-changing"}
    assert gone
    kept = {
        name: [row for row in rows if (row["platform"], row["session_id"]) not in gone] for name, rows in before.items()
    }
    assert stored(tmp_path) == kept


def test_a_question_that_was_reading_ends_with_a_typed_error_and_the_next_one_works(tmp_path: Path) -> None:
    ingest([*talk("s1", "ann"), *talk("s2", "bob")], warehouse=tmp_path)
    store, stop = DuckStore(tmp_path, threads=1), Stop()
    try:
        early = store.snapshot(stop)
        forget(tmp_path, "ann")
        with pytest.raises(WarehouseError) as caught:
            early.fetch(f"SELECT count(*) FROM {early.table('sessions')}")
        assert str(tmp_path) not in str(caught.value)
        late = store.snapshot(stop)
        assert late.fetch(f"SELECT end_user_id FROM {late.table('sessions')}") == [("bob",)]
    finally:
        stop.done()
        store.close()


def test_a_folder_that_is_no_warehouse_is_left_alone(tmp_path: Path) -> None:
    assert forget(tmp_path / "none", "ann") == {}
    assert not (tmp_path / "none").exists()
