"""Putting records into a warehouse: staged first, merged under the lease, named in the manifest at the very end.

Whoever is killed before that leaves the warehouse as it was; what lies about is cleared by the next load.
"""

from __future__ import annotations

import os
import shutil
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

import duckdb
import orjson

from talkscope.models.records import RecordType, Row, content_key
from talkscope.warehouse import merge
from talkscope.warehouse.manifest import Lease, Manifest, Segment
from talkscope.warehouse.schema import KEYED, TABLES, Table, column
from talkscope.warehouse.store import connect, mapped, quoted, relation

GRACE = 900.0
"""Seconds for which a segment that was taken out stays readable to questions that began before."""
SEGMENT_ROWS = 1_000_000
GROUP_ROWS = 65_536
HOUR = 3_600_000_000
_STALE_TMP = 86_400.0


@dataclass(frozen=True, slots=True)
class Counts:
    """What became of the records of one type."""

    loaded: int = 0
    changed: int = 0
    present: int = 0


@dataclass(slots=True)
class Stage:
    """Checked records of one load, written to files beside the warehouse until they are merged."""

    folder: Path
    rows: dict[str, int] = field(default_factory=dict)
    _files: dict[str, BinaryIO] = field(default_factory=dict)
    _seen: dict[str, int] = field(default_factory=dict)
    _next: int = 0

    def file_begins(self) -> None:
        """A new input file begins: identical records without an id count their occurrences anew."""
        self._seen.clear()

    def add(self, kind: RecordType, row: Row) -> None:
        """Write one checked record."""
        name = f"{kind}s"
        named = KEYED[name]
        key = row.get(named) if named else None
        if key is None:
            content = content_key(kind, row)
            occurrence = self._seen[content] = self._seen.get(content, 0) + 1
            key = content if occurrence == 1 else f"{content}#{occurrence}"
        file = self._files.get(name)
        if file is None:
            self.folder.mkdir(parents=True, exist_ok=True)
            file = self._files[name] = (self.folder / f"{name}.ndjson").open("wb", buffering=1 << 20)
        stored: dict[str, object] = {column(field): value for field, value in row.items() if value is not None}
        stored["key"], stored["seq"] = key, self._next
        self._next += 1
        self.rows[name] = self.rows.get(name, 0) + 1
        file.write(orjson.dumps(stored))
        file.write(b"\n")

    def close(self) -> None:
        """Finish the files."""
        for file in self._files.values():
            file.close()
        self._files.clear()

    def discard(self) -> None:
        """Remove the files."""
        self.close()
        shutil.rmtree(self.folder, ignore_errors=True)


class Loader:
    """One warehouse folder that records are put into."""

    def __init__(
        self,
        folder: Path,
        *,
        memory_limit: str = "",
        threads: int = 0,
        clock: Callable[[], float] = time.time,
        waiting: Callable[[], None] = lambda: None,
    ) -> None:
        self.folder = folder
        self._manifest = Manifest(folder, clock)
        self._memory_limit = memory_limit
        self._threads = threads
        self._clock = clock
        self._waiting = waiting

    def stage(self) -> Stage:
        """An empty stage inside the warehouse folder."""
        (self.folder / "tmp").mkdir(parents=True, exist_ok=True)
        return Stage(self.folder / "tmp" / f"load-{uuid.uuid4().hex}")

    def commit(self, stage: Stage, *, about: Mapping[str, str] | None = None) -> dict[RecordType, Counts]:
        """Merge the staged records into the warehouse, all or nothing; what became of them by record type."""
        stage.close()
        with self._manifest.lease(waiting=self._waiting) as lease, self._engine() as connection:
            self.clear(lease)
            for name, value in (about or {}).items():
                lease.say(name, value)
            if not stage.rows:
                return {}
            with mapped():
                return self._merge(stage, lease, connection)

    def _engine(self) -> duckdb.DuckDBPyConnection:
        return connect(self.folder, memory_limit=self._memory_limit, threads=self._threads)

    def _merge(self, stage: Stage, lease: Lease, connection: duckdb.DuckDBPyConnection) -> dict[RecordType, Counts]:
        state = lease.state()
        for table in TABLES.values():
            self._read_stage(connection, stage, table)
        stored = {
            name: f"(SELECT * FROM {relation(self.folder, name, state.of(name))})"
            if not state.of(name)
            else relation(self.folder, name, state.of(name)).replace("])", "], filename = true)")
            for name in TABLES
        }
        stored = {
            name: sql if "filename" in sql else f"(SELECT *, '' AS filename FROM {sql})" for name, sql in stored.items()
        }
        merge.merge(connection.execute, stored)
        counts: dict[RecordType, Counts] = {}
        for name, table in TABLES.items():
            counted = connection.execute(merge.tally(table)).fetchone()
            if counted is not None and stage.rows.get(name):
                counts[table.record] = Counts(*counted)
            self._replace(connection, lease, table)
        return counts

    def _read_stage(self, connection: duckdb.DuckDBPyConnection, stage: Stage, table: Table) -> None:
        columns = {"key": "VARCHAR", "platform": "VARCHAR", **table.own, "seq": "BIGINT"}
        listed = ", ".join(columns)
        if stage.rows.get(table.name):
            typed = ", ".join(f"{name}: {quoted(kind)}" for name, kind in columns.items())
            source = (
                f"read_json({quoted(str(stage.folder / f'{table.name}.ndjson'))}, format = 'newline_delimited',"
                f" maximum_object_size = 67108864, columns = {{{typed}}})"
            )
        else:
            nulls = ", ".join(f"NULL::{kind} AS {name}" for name, kind in columns.items())
            source = f"(SELECT {nulls} WHERE false)"
        connection.execute(
            f"CREATE TEMP TABLE stage_{table.name} AS SELECT {listed}, NULL::BOOLEAN AS assumed FROM {source}"
        )

    def _replace(self, connection: duckdb.DuckDBPyConnection, lease: Lease, table: Table) -> None:
        """Write what changed of one table: new rows, and the rows of touched segments that stay."""
        name = table.name
        gone = [str(row[0]) for row in connection.execute(f"SELECT DISTINCT filename FROM gone_{name}").fetchall()]
        touched = {path: next(s for s in lease.state().of(name) if str(self.folder / s.path) == path) for path in gone}
        source = f"SELECT * FROM write_{name}"
        if touched:
            kept = relation(self.folder, name, list(touched.values()))
            source += (
                f" UNION ALL BY NAME SELECT * FROM {kept} k WHERE NOT EXISTS"
                f" (FROM gone_{name} g WHERE g.platform = k.platform AND g.key = k.key)"
            )
        added = self.write(connection, table, source)
        lease.replace([segment.path for segment in touched.values()], added)

    def write(self, connection: duckdb.DuckDBPyConnection, table: Table, source: str) -> list[Segment]:
        """Write the rows of a SELECT as segments, sorted by time inside hours so that a short window reads little."""
        name = table.name
        connection.execute(f"CREATE OR REPLACE TEMP TABLE out_{name} AS {source}")
        counted = connection.execute(f"SELECT count(*) FROM out_{name}").fetchone()
        total = int(counted[0]) if counted else 0
        if not total:
            return []
        pieces = -(-total // SEGMENT_ROWS)
        bounds = self._bounds(connection, name, pieces)
        segments = []
        for low, high in zip(bounds, bounds[1:], strict=False):
            segment = self._write_one(connection, table, f"t >= {low} AND t < {high}")
            if segment is not None:
                segments.append(segment)
        connection.execute(f"DROP TABLE out_{name}")
        return segments

    def _bounds(self, connection: duckdb.DuckDBPyConnection, name: str, pieces: int) -> list[int]:
        first, last = -(2**62), 2**62
        if pieces == 1:
            return [first, last]
        cuts = [i / pieces for i in range(1, pieces)]
        found = connection.execute(f"SELECT quantile_disc(t, {cuts}) FROM out_{name}").fetchone()
        inner = sorted({int(cut) // HOUR * HOUR for cut in found[0]}) if found else []
        return [first, *inner, last]

    def _write_one(self, connection: duckdb.DuckDBPyConnection, table: Table, condition: str) -> Segment | None:
        name = table.name
        found = connection.execute(f"SELECT count(*), min(t), max(t) FROM out_{name} WHERE {condition}").fetchone()
        if found is None or not found[0]:
            return None
        rows, low, high = found
        path = f"segments/{name}/{uuid.uuid4().hex}.parquet"
        final = self.folder / path
        final.parent.mkdir(parents=True, exist_ok=True)
        unready = final.with_suffix(".tmp")
        order = f"t // {HOUR}, processor, provider, t" if name == "spans" else "t"
        columns = ", ".join(table.columns)
        connection.execute(
            f"COPY (SELECT {columns} FROM out_{name} WHERE {condition} ORDER BY {order}, key) TO {quoted(str(unready))}"
            f" (FORMAT parquet, PARQUET_VERSION v2, COMPRESSION zstd, ROW_GROUP_SIZE {GROUP_ROWS})"
        )
        settle(unready, final)
        return Segment(name, path, int(rows), final.stat().st_size, int(low), int(high))

    def clear(self, lease: Lease) -> None:
        """Remove what no question needs: segments taken out long ago, files of dead loads. Needs the lease."""
        for path in lease.drop_removed(GRACE):
            (self.folder / path).unlink(missing_ok=True)
        known = lease.known()
        for file in (self.folder / "segments").glob("*/*"):
            if f"segments/{file.parent.name}/{file.name}" not in known:
                file.unlink(missing_ok=True)
        for folder in (self.folder / "tmp").glob("load-*"):
            if self._clock() - folder.stat().st_mtime > _STALE_TMP:
                shutil.rmtree(folder, ignore_errors=True)


def settle(unready: Path, final: Path) -> None:
    """Make a written file durable and give it its name, so that no name ever stands for half a file."""
    with unready.open("rb+") as file:
        os.fsync(file.fileno())
    os.replace(unready, final)
    if hasattr(os, "O_DIRECTORY"):  # Windows cannot open a folder to flush it
        folder = os.open(final.parent, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


