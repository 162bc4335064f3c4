"""Changing which segments make up a warehouse: written under another name, made durable, named in the manifest last.

Whoever is killed before that leaves the warehouse as it was; what lies about is cleared by the next writer.
"""

from __future__ import annotations

import os
import time
import uuid
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from itertools import pairwise
from pathlib import Path

import duckdb

from talkscope.warehouse import scratch
from talkscope.warehouse.manifest import Lease, Manifest, Segment
from talkscope.warehouse.schema import OLDEST, TABLES, TALK, VERSION, file_name
from talkscope.warehouse.scratch import Scratch
from talkscope.warehouse.store import connect, mapped, quoted, relation

GRACE = 900.0
"""Seconds for which a segment that was taken out stays readable to questions that began before."""
SEGMENT_ROWS = 1_000_000
GROUP_ROWS = 65_536
HOUR = 3_600_000_000


class Writer:
    """The right and the means to change one warehouse, until the block of `writing` ends."""

    def __init__(self, folder: Path, lease: Lease, connection: duckdb.DuckDBPyConnection) -> None:
        self.folder = folder
        self.lease = lease
        self.connection = connection
        self.written: list[Path] = []

    def names(self) -> list[str]:
        """The tables that a change goes through: those of what was said and done, and others that hold something."""
        held = {segment.table for segment in self.lease.state().segments}
        return [name for name in TABLES if name in TALK or name in held]

    def stored(self, name: str, segments: Sequence[Segment] | None = None) -> str:
        """A table, or some segments of it, as FROM-able SQL with a `filename` column."""
        chosen = self.lease.state().of(name) if segments is None else segments
        return relation(self.folder, name, chosen, filename=True)

    def replace(self, name: str) -> None:
        """Put the rows of `write_<table>` in and those of `gone_<table>` out; other rows of touched segments stay."""
        gone = {row[0] for row in self.connection.execute(f"SELECT DISTINCT filename FROM gone_{name}").fetchall()}
        touched = [segment for segment in self.lease.state().of(name) if str(self.folder / segment.path) in gone]
        source = f"write_{name}"
        if touched:
            columns = ", ".join(TABLES[name].columns)
            source = f"kept_{name}"
            self.connection.execute(
                f"CREATE TEMP TABLE {source} AS SELECT {columns} FROM {self.stored(name, touched)}"
                f" ANTI JOIN gone_{name} USING (platform, key) UNION ALL SELECT {columns} FROM write_{name}"
            )
        self.swap(touched, self.write(name, source))

    def swap(self, removed: Iterable[Segment], added: Sequence[Segment]) -> None:
        """Segments for other segments."""
        self.lease.replace([segment.path for segment in removed], list(added))

    def write(self, name: str, source: str) -> list[Segment]:
        """Write a table's rows as segments, sorted by time inside hours so that a short window reads little."""
        counted = self.connection.execute(f"SELECT count(*) FROM {source}").fetchone()
        pieces = -(-int(counted[0]) // SEGMENT_ROWS) if counted else 0
        bounds = self._bounds(source, pieces)
        found = [self._write(name, source, low, high) for low, high in pairwise(bounds)]
        return [segment for segment in found if segment is not None]

    def _bounds(self, source: str, pieces: int) -> list[int]:
        first, last = -(2**62), 2**62
        if pieces < 2:
            return [first, last] if pieces else []
        cuts = [i / pieces for i in range(1, pieces)]
        found = self.connection.execute(f"SELECT quantile_disc(t, {cuts}) FROM {source}").fetchone()
        return [first, *sorted({int(cut) // HOUR * HOUR for cut in found[0]} if found else ()), last]

    def _write(self, name: str, source: str, low: int, high: int) -> Segment | None:
        inside = f"{source} WHERE t >= {low} AND t < {high}"
        table = TABLES[name]
        later = " OR ".join(f"{column} IS NOT NULL" for column in sorted(table.added)) or "false"
        found = self.connection.execute(f"SELECT count(*), min(t), max(t), bool_or({later}) FROM {inside}").fetchone()
        if found is None or not found[0]:
            return None
        version = VERSION if found[3] or name not in TALK else OLDEST
        if version > OLDEST:
            self.lease.say("version", str(version))
        columns = ", ".join(column for column in table.columns if version > OLDEST or column not in table.added)
        path = f"segments/{name}/{file_name(uuid.uuid4().hex, version)}"
        final = self.folder / path
        final.parent.mkdir(parents=True, exist_ok=True)
        unready = final.with_suffix(".tmp")
        self.written += [unready, final]
        order = f"t // {HOUR}, processor, provider, t, key" if name == "spans" else "t, key"
        self.connection.execute(
            f"COPY (SELECT {columns} FROM {inside} ORDER BY {order}) TO {quoted(str(unready))}"
            f" (FORMAT parquet, PARQUET_VERSION v2, COMPRESSION zstd, ROW_GROUP_SIZE {GROUP_ROWS})"
        )
        _settle(unready, final)
        return Segment(name, path, int(found[0]), final.stat().st_size, int(found[1]), int(found[2]))

    def clear(self, grace: float = GRACE) -> None:
        """Remove what no question needs: segments taken out long ago, files of dead writers."""
        gone = []
        for path in self.lease.removed(grace):
            with suppress(OSError):  # Windows keeps a file that is still read; the next writer tries again
                (self.folder / path).unlink(missing_ok=True)
                gone.append(path)
        self.lease.forget(gone)
        known = self.lease.known()
        for file in (self.folder / "segments").glob("*/*"):
            if f"segments/{file.parent.name}/{file.name}" not in known:
                with suppress(OSError):
                    file.unlink(missing_ok=True)
        scratch.clear(self.folder)


@contextmanager
def writing(
    folder: Path,
    *,
    memory_limit: str = "",
    threads: int = 0,
    clock: Callable[[], float] = time.time,
    wait: float = 600.0,
    waiting: Callable[[], None] = lambda: None,
) -> Iterator[Writer]:
    """Hold the warehouse's lease; what the writer has done counts when the block ends, and not when it raises.

    Raises WarehouseBusy when another writer keeps the lease for longer than `wait` seconds.
    """
    room = Scratch.begin(folder, "spill")
    written: list[Path] = []
    try:
        with (
            Manifest(folder, clock).lease(wait=wait, waiting=waiting) as lease,
            mapped(),
            closing(connect(folder, room.path, memory_limit=memory_limit, threads=threads)) as connection,
        ):
            writer = Writer(folder, lease, connection)
            written = writer.written
            writer.clear()
            yield writer
    except BaseException:
        for file in written:
            with suppress(OSError):
                file.unlink(missing_ok=True)
        raise
    finally:
        room.end()


def _settle(unready: Path, final: Path) -> None:
    """Make a written file durable and give it its name, so that no name ever stands for half a file."""
    with unready.open("rb+") as file:
        os.fsync(file.fileno())
    unready.replace(final)
    if hasattr(os, "O_DIRECTORY"):  # Windows cannot open a folder to flush it
        folder = os.open(final.parent, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
