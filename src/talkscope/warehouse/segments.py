"""Changing which segments make up a warehouse: written under another name, made durable, named in the manifest last.

Whoever is killed before that leaves the warehouse as it was; what lies about is cleared by the next writer.
"""

from __future__ import annotations

import os
import time
import uuid
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import duckdb

from talkscope.warehouse import scratch
from talkscope.warehouse.desk import Desk
from talkscope.warehouse.manifest import Lease, Manifest, Segment
from talkscope.warehouse.schema import OLDEST, TABLES, TALK, VERSION, file_name
from talkscope.warehouse.scratch import Scratch
from talkscope.warehouse.store import connect, mapped, quoted, relation

GRACE = 900.0
"""Seconds for which a segment that was taken out stays readable to questions that began before."""
SEGMENT_ROWS = 1_000_000
GROUP_ROWS = 65_536
HOUR = 3_600_000_000


@dataclass(frozen=True, slots=True)
class _Extent:
    """How many rows there are to write, their earliest and latest `t`, and the layout that they need."""

    rows: int
    first: int
    last: int
    version: int


class Writer:
    """The right and the means to change one warehouse, until the block of `writing` ends."""

    def __init__(self, folder: Path, lease: Lease, connection: duckdb.DuckDBPyConnection) -> None:
        self.folder = folder
        self.lease = lease
        self.connection = connection
        self.written: list[Path] = []

    def held(self) -> dict[str, str]:
        """Each table that holds something, as FROM-able SQL with a `filename` column."""
        state = self.lease.state()
        return {name: self.stored(name, segments) for name in TABLES if (segments := state.of(name))}

    def stored(self, name: str, segments: Sequence[Segment] | None = None) -> str:
        """A table, or some segments of it, as FROM-able SQL with a `filename` column."""
        chosen = self.lease.state().of(name) if segments is None else segments
        return relation(self.folder, name, chosen, filename=True)

    def replace(self, desk: Desk, name: str) -> None:
        """Put the rows of `write_<table>` in and those of `gone_<table>` out; other rows of touched segments stay."""
        columns = ", ".join(TABLES[name].columns)
        touched, parts = [], []
        if f"gone_{name}" in desk:
            gone = desk[f"gone_{name}"]
            files = {row[0] for row in self.connection.execute(f"SELECT DISTINCT filename FROM {gone}").fetchall()}
            touched = [segment for segment in self.lease.state().of(name) if str(self.folder / segment.path) in files]
            parts.append(f"FROM {self.stored(name, touched)} ANTI JOIN {gone} USING (platform, key)")
        if f"write_{name}" in desk:
            parts.append(f"FROM {desk[f'write_{name}']}")
        if parts:
            source = " UNION ALL ".join(f"SELECT {columns} {part}" for part in parts)
            self.swap(touched, self.write(name, f"({source})", desk.get(f"told_{name}")))

    def swap(self, removed: Iterable[Segment], added: Sequence[Segment]) -> None:
        """Segments for other segments."""
        self.lease.replace([segment.path for segment in removed], list(added))

    def write(self, name: str, source: str, told: str | None = None) -> list[Segment]:
        """Write a table's rows as segments, sorted by time inside hours so that a short window reads little.

        `told` has the same rows with nothing but what their records say, where that is quicker to count.
        """
        counted = told or source
        whole = self._measure(name, counted)
        pieces = -(-whole.rows // SEGMENT_ROWS)
        if pieces < 2:
            return [self._write(name, source, whole)] if pieces else []
        cuts = [i / pieces for i in range(1, pieces)]
        found = self.connection.execute(f"SELECT quantile_disc(t, {cuts}) FROM {counted}").fetchone()
        inner = sorted({int(cut) // HOUR * HOUR for cut in found[0]} if found else ())
        inside = [f"WHERE t >= {low} AND t < {high}" for low, high in pairwise([-(2**62), *inner, 2**62])]
        measured = [(each, self._measure(name, f"(FROM {counted} {each})")) for each in inside]
        return [self._write(name, f"(FROM {source} {each})", extent) for each, extent in measured if extent.rows]

    def _measure(self, name: str, source: str) -> _Extent:
        later = " OR ".join(f"{column} IS NOT NULL" for column in sorted(TABLES[name].added)) or "false"
        found = self.connection.execute(f"SELECT count(*), min(t), max(t), bool_or({later}) FROM {source}").fetchone()
        rows, first, last, modern = found or (0, 0, 0, False)
        return _Extent(int(rows), first, last, VERSION if modern or name not in TALK else OLDEST)

    def _write(self, name: str, source: str, extent: _Extent) -> Segment:
        version = extent.version
        if version > OLDEST:
            self.lease.say("version", str(version))
        table = TABLES[name]
        columns = ", ".join(column for column in table.columns if version > OLDEST or column not in table.added)
        path = f"segments/{name}/{file_name(uuid.uuid4().hex, version)}"
        final = self.folder / path
        final.parent.mkdir(parents=True, exist_ok=True)
        unready = final.with_suffix(".tmp")
        self.written += [unready, final]
        order = f"t // {HOUR}, processor, provider, t, key" if name == "spans" else "t, key"
        self.connection.execute(
            f"COPY (SELECT {columns} FROM {source} ORDER BY {order}) TO {quoted(str(unready))}"
            f" (FORMAT parquet, PARQUET_VERSION v2, COMPRESSION zstd, ROW_GROUP_SIZE {GROUP_ROWS})"
        )
        _settle(unready, final)
        return Segment(name, path, extent.rows, final.stat().st_size, extent.first, extent.last)

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
