"""Segments come and go: merged when there are many small ones, kept while somebody may read them, then removed."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest

from talkscope.errors import WarehouseBusy
from talkscope.warehouse import segments
from talkscope.warehouse.compact import MOST_ALIKE, compact
from talkscope.warehouse.load import Loader
from talkscope.warehouse.manifest import Manifest
from talkscope.warehouse.segments import GRACE, HOUR, writing
from talkscope.warehouse.store import DuckStore, Stop
from tests.oracle import scenario
from tests.warehouse.loading import load, stored

Record = dict[str, object]


def event(number: int) -> Record:
    return {
        "type": "event",
        "session_id": f"s{number}",
        "time_ms": number * 1000,
        "metric_name": "mos",
        "value": number,
    }


def files(folder: Path, table: str) -> int:
    return len(Manifest(folder).state().of(table))


def test_many_small_loads_do_not_leave_many_small_segments(tmp_path: Path) -> None:
    for number in range(3 * MOST_ALIKE):
        load(tmp_path, [event(number)])
        assert files(tmp_path, "events") <= 2 * MOST_ALIKE
    assert [row["value"] for row in sorted(stored(tmp_path)["events"], key=lambda row: str(row["t"]).zfill(20))] == [
        float(number) for number in range(3 * MOST_ALIKE)
    ]


def test_a_large_table_is_cut_at_hours_and_loses_no_row(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    batches = [list(batch) for batch in scenario(7)]
    load(tmp_path / "whole", *batches)
    monkeypatch.setattr(segments, "SEGMENT_ROWS", 250)
    load(tmp_path / "cut", *batches)
    assert stored(tmp_path / "cut") == stored(tmp_path / "whole")
    for name in ("interactions", "spans"):
        found = sorted(Manifest(tmp_path / "cut").state().of(name), key=lambda each: each.min_t)
        assert 1 < len(found) < MOST_ALIKE
        assert sum(each.rows for each in found) == len(stored(tmp_path / "cut")[name])
        assert all(before.max_t // HOUR < after.min_t // HOUR for before, after in pairwise(found))


def test_merging_segments_changes_no_row(tmp_path: Path) -> None:
    load(tmp_path, *scenario(7))
    load(tmp_path, [event(1)])
    load(tmp_path, [event(2)])
    before = stored(tmp_path)
    assert (files(tmp_path, "events"), files(tmp_path, "sessions"), files(tmp_path, "spans")) == (3, 3, 1)
    assert compact(tmp_path, threads=1) == 6
    assert stored(tmp_path) == before
    assert {files(tmp_path, name) for name, rows in before.items() if rows} == {1}
    assert compact(tmp_path, threads=1) == 0


def test_a_question_that_began_before_reads_on_while_segments_are_merged(tmp_path: Path) -> None:
    for number in range(3):
        load(tmp_path, [event(number)])
    store, stop = DuckStore(tmp_path, threads=1), Stop()
    try:
        early = store.snapshot(stop)
        assert compact(tmp_path, threads=1) == 6
        assert early.fetch(f"SELECT count(*) FROM {early.table('events')}") == [(3,)]
    finally:
        stop.done()
        store.close()


def test_replaced_segments_are_removed_when_their_grace_is_over(tmp_path: Path) -> None:
    moment = [1_000_000.0]

    def put(number: int) -> None:
        loader = Loader(tmp_path, threads=1, clock=lambda: moment[0])
        stage = loader.stage()
        stage.add("event", {"session_id": "s", "time": number, "metric_name": "m"})
        loader.commit(stage)
        stage.discard()

    put(1)
    put(2)
    first = set(tmp_path.glob("segments/sessions/*"))
    moment[0] += GRACE - 1
    put(3)
    assert first <= set(tmp_path.glob("segments/sessions/*"))
    moment[0] += 2
    put(4)
    assert not first <= set(tmp_path.glob("segments/sessions/*"))


def test_a_writer_waits_for_another_and_says_so_and_then_gives_up(tmp_path: Path) -> None:
    waited: list[int] = []
    with writing(tmp_path, threads=1):
        with pytest.raises(WarehouseBusy):
            with writing(tmp_path, threads=1, wait=1.5, waiting=lambda: waited.append(1)):
                pytest.fail("two writers at once")
    assert waited


def test_a_change_that_fails_leaves_no_file(tmp_path: Path) -> None:
    load(tmp_path, [event(1)])
    before = set(tmp_path.rglob("*.parquet"))

    def fail() -> None:
        with writing(tmp_path, threads=1) as writer:
            rows = f"SELECT * EXCLUDE (filename) FROM {writer.stored('events')}"
            writer.connection.execute(f"CREATE TABLE again AS {rows}")
            writer.swap([], writer.write("events", "again"))
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert set(tmp_path.rglob("*")) >= before
    assert set(tmp_path.rglob("*.parquet")) == before
    assert len(stored(tmp_path)["events"]) == 1
