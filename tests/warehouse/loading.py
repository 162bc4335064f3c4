"""What the tests of loading share: put batches of raw records in, take stored rows out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from talkscope.models.records import RecordType, check
from talkscope.warehouse.load import Counts, Loader
from talkscope.warehouse.schema import TABLES
from talkscope.warehouse.store import DuckStore, Stop

Stored = dict[str, list[dict[str, object]]]


def load(folder: Path, *batches: Iterable[Mapping[str, object]]) -> dict[RecordType, Counts]:
    """One load of several files."""
    loader = Loader(folder, threads=1)
    stage = loader.stage()
    try:
        for batch in batches:
            stage.file_begins()
            for raw in batch:
                stage.add(*check(raw))
        return loader.commit(stage)
    finally:
        stage.discard()


def stored(folder: Path) -> Stored:
    """All rows of all tables, by (platform, key)."""
    store = DuckStore(folder, threads=1)
    stop = Stop()
    try:
        snapshot = store.snapshot(stop)
        found: Stored = {}
        for name, table in TABLES.items():
            columns = list(table.columns)
            rows = snapshot.fetch(f"SELECT {', '.join(columns)} FROM {snapshot.table(name)} ORDER BY platform, key")
            found[name] = [dict(zip(columns, row, strict=True)) for row in rows]
        return found
    finally:
        stop.done()
        store.close()
