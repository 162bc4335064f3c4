"""The engine cannot be talked into anything outside the warehouse, and its errors give nothing away."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from talkscope.errors import DeadlineExceeded, WarehouseError
from talkscope.jobs.ingest import ingest
from talkscope.warehouse.store import DuckStore, Stop, connect

REFUSED = (duckdb.Error,)


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One for all: nothing here may change it, nor what lies around it."""
    place = tmp_path_factory.mktemp("lockdown")
    ingest(
        [{"type": "session", "session_id": "s1", "start_time": "2026-03-01T10:00:00Z"}], warehouse=place / "warehouse"
    )
    (place / "secret.csv").write_text("a\n1\n")
    (place / "warehouse-next-door").mkdir()
    return place / "warehouse"


@pytest.fixture
def engine(warehouse: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    connection = connect(warehouse, threads=1)
    yield connection
    connection.close()


BREAK_OUTS = [
    "SELECT * FROM read_text('/etc/passwd')",
    "SELECT * FROM read_csv('{outside}/secret.csv')",
    "SELECT * FROM read_csv('{inside}/../secret.csv')",
    "SELECT * FROM '{outside}/secret.csv'",
    "SELECT * FROM read_blob('{outside}/*')",
    "SELECT * FROM glob('{outside}/*')",
    "SELECT * FROM read_csv('https://127.0.0.1:1/x.csv')",
    "COPY (SELECT 1) TO '{outside}/out.csv'",
    "COPY (SELECT 1) TO '{inside}/../out.csv'",
    "COPY (SELECT 1) TO '{outside}/warehouse-next-door/out.csv'",
    "EXPORT DATABASE '{outside}/out'",
    "ATTACH '{outside}/other.db'",
    "ATTACH '{outside}/manifest.sqlite' (TYPE sqlite)",
    "INSTALL httpfs",
    "LOAD httpfs",
    "LOAD '{outside}/evil.duckdb_extension'",
    "INSTALL h3 FROM community",
    "SET enable_external_access = true",
    "SET allowed_directories = ['/']",
    "SET allowed_paths = ['/etc/passwd']",
    "SET temp_directory = '{outside}'",
    "SET lock_configuration = false",
    "SET memory_limit = '100GB'",
    "SET threads = 64",
    "PRAGMA enable_profiling",
    "SET log_query_path = '{outside}/log'",
    "CREATE SECRET s (TYPE s3, KEY_ID 'x', SECRET 'y')",
]


@pytest.mark.parametrize("sql", BREAK_OUTS)
def test_no_way_out(engine: duckdb.DuckDBPyConnection, warehouse: Path, sql: str) -> None:
    outside = warehouse.parent
    before = sorted(outside.rglob("*"))
    try:
        rows = engine.execute(sql.format(outside=outside, inside=warehouse)).fetchall()
    except REFUSED:
        rows = []
    assert rows == []
    assert sorted(outside.rglob("*")) == before


@pytest.mark.parametrize("sql", [each for each in BREAK_OUTS if "glob(" not in each])
def test_every_way_out_is_refused_and_not_just_empty(
    engine: duckdb.DuckDBPyConnection, warehouse: Path, sql: str
) -> None:
    with pytest.raises(REFUSED):
        engine.execute(sql.format(outside=warehouse.parent, inside=warehouse)).fetchall()


def test_a_question_finds_no_spill_folder_to_write_to_when_it_has_none(engine: duckdb.DuckDBPyConnection) -> None:
    (setting,) = engine.execute("SELECT value FROM duckdb_settings() WHERE name = 'temp_directory'").fetchall()
    assert setting == ("",)


def test_two_stores_of_one_process_spill_into_folders_of_their_own(warehouse: Path) -> None:
    stores = [DuckStore(warehouse, threads=1) for _ in range(2)]
    stops = [Stop() for _ in stores]
    try:
        sql = "SELECT value FROM duckdb_settings() WHERE name = 'temp_directory'"
        found = {store.snapshot(stop).fetch(sql)[0][0] for store, stop in zip(stores, stops, strict=True)}
        assert len(found) == 2
        assert all(Path(str(each)).parent == warehouse / "tmp" for each in found)
    finally:
        for store, stop in zip(stores, stops, strict=True):
            stop.done()
            store.close()
    assert list((warehouse / "tmp").iterdir()) == []


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT * FROM read_csv('{outside}/secret.csv')",
        "SELECT * FROM read_parquet('{inside}/segments/sessions/none.parquet')",
        "SELECT no_such_column FROM {table}",
        "SELECT error('{inside}')",
        "SELECT 'x'::INTEGER",
    ],
)
def test_engine_errors_are_ours_and_name_no_path(warehouse: Path, sql: str) -> None:
    store, stop = DuckStore(warehouse, threads=1), Stop()
    try:
        snapshot = store.snapshot(stop)
        asked = sql.format(outside=warehouse.parent, inside=warehouse, table=snapshot.table("sessions"))
        with pytest.raises(WarehouseError) as caught:
            snapshot.fetch(asked)
        assert str(warehouse.parent) not in str(caught.value)
    finally:
        stop.done()
        store.close()


def test_a_query_that_is_too_large_ends_and_the_store_goes_on(warehouse: Path) -> None:
    store, stop = DuckStore(warehouse, memory_limit="50MB", threads=1), Stop()
    try:
        snapshot = store.snapshot(stop)
        with pytest.raises(WarehouseError, match="memory"):
            snapshot.fetch("SELECT list(repeat('x', 1000) || i) FROM range(10000000) t(i)")
        assert snapshot.fetch(f"SELECT count(*) FROM {snapshot.table('sessions')}") == [(1,)]
    finally:
        stop.done()
        store.close()


def test_a_stopped_question_ends_its_query(warehouse: Path) -> None:
    store, stop = DuckStore(warehouse, threads=1), Stop()
    try:
        snapshot = store.snapshot(stop)
        stop.stop()
        with pytest.raises(DeadlineExceeded):
            snapshot.fetch("SELECT count(*) FROM range(1000000) a, range(1000000) b")
    finally:
        stop.done()
        store.close()


def test_a_warehouse_that_was_never_loaded_is_empty_and_stays_unmade(tmp_path: Path) -> None:
    store, stop = DuckStore(tmp_path / "none", threads=1), Stop()
    try:
        snapshot = store.snapshot(stop)
        assert snapshot.extent is None
        assert snapshot.fetch(f"SELECT count(*) FROM {snapshot.table('spans')}") == [(0,)]
    finally:
        stop.done()
        store.close()
    assert not (tmp_path / "none").exists()
