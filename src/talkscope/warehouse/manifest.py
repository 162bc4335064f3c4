"""Which segments make up the warehouse now: a SQLite database in WAL mode, whose write lock is the writers' lease.

A load holds one write transaction from reading what is there to naming what will be: whoever dies in between, by
kill -9 too, has changed nothing, and the operating system gives the lock to the next writer.
"""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from talkscope.errors import WarehouseBusy, WarehouseError
from talkscope.models.masking import stored_key
from talkscope.warehouse.schema import OLDEST, VERSION

_SCHEMA = (
    "CREATE TABLE IF NOT EXISTS about (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID",
    """CREATE TABLE IF NOT EXISTS segments (path TEXT PRIMARY KEY, tbl TEXT NOT NULL, rows INTEGER NOT NULL,
    bytes INTEGER NOT NULL, min_t INTEGER NOT NULL, max_t INTEGER NOT NULL, added_at REAL NOT NULL,
    removed_at REAL) WITHOUT ROWID""",
)


def mask_key(folder: Path) -> bytes | None:
    """The masking key of a warehouse, made on first use; None for a folder that is none yet.

    Such a folder holds nobody's data, and gets no file of ours by being asked.
    """
    return stored_key(folder) if Manifest(folder).exists else None


@dataclass(frozen=True, slots=True)
class Segment:
    """One Parquet file: its table, its name inside the warehouse, its rows, and the earliest and latest `t` in it."""

    table: str
    path: str
    rows: int
    bytes: int
    min_t: int
    max_t: int


@dataclass(frozen=True, slots=True)
class State:
    """The segments of one moment, and what the warehouse says of itself."""

    segments: tuple[Segment, ...]
    about: dict[str, str]

    @property
    def generated(self) -> bool:
        """Whether the telemetry is made up, as a demo's is."""
        return self.about.get("generated") == "true"

    @property
    def latency_bases(self) -> dict[str, list[str]]:
        """What the latencies of interactions are, in the words of each importer that brought some.

        Each with the platforms that it holds for: none where it may be any, as in a list of an earlier version.
        """
        told = json.loads(self.about.get("latency_bases", "[]"))
        return told if isinstance(told, dict) else {str(each): [] for each in told}

    def of(self, table: str) -> list[Segment]:
        """The segments of one table."""
        return [segment for segment in self.segments if segment.table == table]


class Lease:
    """The right to change the warehouse, held from `Manifest.lease` until its block ends."""

    def __init__(self, connection: sqlite3.Connection, clock: Callable[[], float]) -> None:
        self._connection = connection
        self._clock = clock

    def state(self) -> State:
        """The segments as they are under this lease."""
        return _state(self._connection)

    def replace(self, removed: list[str], added: list[Segment]) -> None:
        """Take segments out and put segments in; it takes effect when the lease ends well."""
        now = self._clock()
        self._connection.executemany("UPDATE segments SET removed_at = ? WHERE path = ?", [(now, p) for p in removed])
        self._connection.executemany(
            "INSERT INTO segments VALUES (?, ?, ?, ?, ?, ?, ?, NULL)",
            [(s.path, s.table, s.rows, s.bytes, s.min_t, s.max_t, now) for s in added],
        )

    def say(self, name: str, value: str) -> None:
        """Write something that the warehouse says of itself."""
        self._connection.execute("INSERT OR REPLACE INTO about VALUES (?, ?)", (name, value))

    def removed(self, grace: float) -> list[str]:
        """The segments that were taken out at least `grace` seconds ago; their files may go."""
        before = self._clock() - grace
        found = self._connection.execute("SELECT path FROM segments WHERE removed_at <= ?", (before,))
        return [path for (path,) in found]

    def no_grace(self) -> None:
        """Let the files of all segments that were taken out go at the next clearing, whoever still reads them."""
        self._connection.execute("UPDATE segments SET removed_at = 0 WHERE removed_at IS NOT NULL")

    def forget(self, paths: Iterable[str]) -> None:
        """Strike out segments whose files are gone."""
        self._connection.executemany("DELETE FROM segments WHERE path = ?", [(path,) for path in paths])

    def known(self) -> set[str]:
        """The names of all files that the manifest still knows, taken-out ones included."""
        return {path for (path,) in self._connection.execute("SELECT path FROM segments")}


class Manifest:
    """The manifest of one warehouse folder."""

    def __init__(self, folder: Path, clock: Callable[[], float] = time.time) -> None:
        self._path = folder / "manifest.sqlite"
        self._clock = clock

    @property
    def exists(self) -> bool:
        """Whether the folder has been a warehouse before."""
        return self._path.exists()

    def state(self) -> State:
        """The segments that are in force now: one consistent read."""
        if not self.exists:
            return State((), {})
        with _mapped(), closing(self._open(30)) as connection:
            return _state(connection)

    @contextmanager
    def lease(self, *, wait: float = 600.0, waiting: Callable[[], None] = lambda: None) -> Iterator[Lease]:
        """Hold the writers' lease; what was changed under it counts when the block ends, and not when it raises.

        `waiting` is called about once a second while another writer holds it. Raises WarehouseBusy after `wait`
        seconds.
        """
        with _mapped(), closing(self._open(min(1.0, wait))) as connection:
            give_up = time.monotonic() + wait
            while not _begun(connection):
                if time.monotonic() >= give_up:
                    raise WarehouseBusy("Another writer is changing this warehouse.")
                waiting()
            try:
                for statement in _SCHEMA:
                    connection.execute(statement)
                connection.execute("INSERT OR IGNORE INTO about VALUES ('version', ?)", (str(OLDEST),))
                yield Lease(connection, self._clock)
            except BaseException:
                connection.execute("ROLLBACK")
                raise
            connection.execute("COMMIT")

    def _open(self, timeout: float) -> sqlite3.Connection:
        return sqlite3.connect(self._path, timeout=timeout, isolation_level=None)


@contextmanager
def _mapped() -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as error:
        raise WarehouseError(
            f"The warehouse's manifest cannot be used ({type(error).__name__}: {error}).",
            hint="Check the folder, its disk and its permissions.",
        ) from None


def _begun(connection: sqlite3.Connection) -> bool:
    """Whether the write lock is ours; False while it is another's."""
    try:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("BEGIN IMMEDIATE")
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode & 0xFF in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
            return False
        raise
    return True


def _state(connection: sqlite3.Connection) -> State:
    if not connection.in_transaction:
        connection.execute("BEGIN")
    if connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'segments'").fetchone() is None:
        return State((), {})
    about = dict(connection.execute("SELECT name, value FROM about").fetchall())
    rows = connection.execute(
        "SELECT tbl, path, rows, bytes, min_t, max_t FROM segments WHERE removed_at IS NULL ORDER BY min_t, path"
    ).fetchall()
    if int(about.get("version", VERSION)) > VERSION:
        raise WarehouseError("A newer Talkscope wrote this warehouse.", hint="Upgrade talkscope.")
    return State(tuple(Segment(*row) for row in rows), about)
