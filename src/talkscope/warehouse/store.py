"""Where the warehouse's tables are read: a small protocol, and DuckDB over the segments of one manifest state.

A question takes one snapshot and asks it SQL made by us: text from outside arrives as bound parameters only. The engine
is locked down when it is opened, because a query must never reach a file outside the warehouse.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Container, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Protocol, TypeAlias, TypeVar

import duckdb

from talkscope.errors import DeadlineExceeded, WarehouseError
from talkscope.models.window import Window
from talkscope.warehouse.manifest import Manifest, Segment, State
from talkscope.warehouse.schema import TABLES, lacking
from talkscope.warehouse.scratch import Scratch

Param: TypeAlias = "str | int | float | bool | None | Sequence[str]"
Out: TypeAlias = "int | float | str | bool | None | list[str] | list[float | None]"
T = TypeVar("T")

_LINE = 1 << 20
"""Bytes of a line with which reading is as quick as with more."""


class Stop:
    """How a question that is no longer wanted ends its running query."""

    def __init__(self) -> None:
        self._stopped = threading.Event()
        self._done = threading.Event()
        self._interrupts: list[Callable[[], object]] = []

    @property
    def stopped(self) -> bool:
        """Whether somebody has asked the question to end."""
        return self._stopped.is_set()

    def on_stop(self, interrupt: Callable[[], object]) -> None:
        """Call this when the question is to end; before that, nothing."""
        self._interrupts.append(interrupt)

    def done(self) -> None:
        """The worker has returned; nothing is left to interrupt."""
        self._done.set()

    def stop(self) -> None:
        """End the question; an interrupt before its query is lost, so it is repeated until the worker returns."""
        self._stopped.set()

        def insist() -> None:
            while not self._done.wait(0.01):
                for interrupt in list(self._interrupts):
                    interrupt()

        threading.Thread(target=insist, name="talkscope-interrupt", daemon=True).start()


class Snapshot(Protocol):
    """The tables as they were at one moment; every read of one question goes through one snapshot."""

    def table(self, name: str, window: Window | None = None) -> str:
        """A FROM-able SQL text of a table's rows; those outside the window may be left out, none inside it."""

    def fetch(self, sql: str, params: Sequence[Param] = ()) -> list[tuple[Out, ...]]:
        """The rows of a SELECT with positional parameters."""

    @property
    def extent(self) -> tuple[int, int] | None:
        """The earliest and the latest `t` of all facts, in microseconds; None in an empty warehouse."""

    @property
    def latency_bases(self) -> dict[str, list[str]]:
        """What latency is in the formats that were loaded, each with its platforms; with none for any."""

    @property
    def generated(self) -> bool:
        """Whether the telemetry is generated demo data."""


class Store(Protocol):
    """A warehouse that can be asked."""

    name: str

    def snapshot(self, stop: Stop) -> Snapshot:
        """The tables as they are now."""

    def close(self) -> None:
        """Let go of the engine."""


def quoted(text: str) -> str:
    """The text as an SQL string literal; for our own file names, never for words from outside."""
    return "'" + text.replace("'", "''") + "'"


def json_lines(file: Path, columns: Mapping[str, str], longest: int) -> str:
    """The objects of an NDJSON file as FROM-able SQL, each column with its type; no line has more than `longest` bytes.

    The engine takes twice that for every thread, however little it reads.
    """
    typed = ", ".join(f"{quoted(name)}: {quoted(kind)}" for name, kind in columns.items())
    size = max(longest, _LINE)
    return (
        f"read_json({quoted(str(file))}, format = 'newline_delimited', maximum_object_size = {size},"
        f" columns = {{{typed}}})"
    )


def connect(
    folder: Path, spill: Path | None = None, *, memory_limit: str = "", threads: int = 0
) -> duckdb.DuckDBPyConnection:
    """An in-memory DuckDB that can read and write inside the folder and nowhere else, and whose settings are locked.

    What does not fit in memory goes to `spill`, which must be no other process's; nothing goes to disk without it.
    """
    config: dict[str, str | bool | int | float | list[str]] = {
        "autoinstall_known_extensions": "false",
        "autoload_known_extensions": "false",
        "allow_community_extensions": "false",
        "temp_directory": "" if spill is None else str(spill),
    }
    if memory_limit:
        config["memory_limit"] = memory_limit
    if threads:
        config["threads"] = str(threads)
    connection = duckdb.connect(":memory:", config=config)
    connection.execute(f"SET allowed_directories = [{quoted(str(folder))}]")
    connection.execute("SET preserve_insertion_order = false")
    connection.execute("SET parquet_metadata_cache = true")
    connection.execute("SET enable_external_access = false")
    connection.execute("SET lock_configuration = true")
    return connection


@contextmanager
def mapped(stop: Stop | None = None) -> Iterator[None]:
    """Turn the engine's errors into ours: its texts name files and settings, so they are never passed on."""
    try:
        yield
    except duckdb.InterruptException:
        raise DeadlineExceeded("The question was stopped.") from None
    except duckdb.OutOfMemoryException:
        raise WarehouseError(
            "The question needs more memory than the warehouse may use.",
            hint="Ask for a shorter window, or raise TALKSCOPE_MEMORY_LIMIT.",
        ) from None
    except duckdb.IOException:
        raise WarehouseError(
            "A segment of the warehouse cannot be read.", hint="Ask again; if it stays, check the warehouse's disk."
        ) from None
    except duckdb.Error as error:
        if stop is not None and stop.stopped:
            raise DeadlineExceeded("The question was stopped.") from None
        raise WarehouseError(f"The engine could not work on the warehouse ({type(error).__name__}).") from error


class DuckSnapshot:
    """The segments of one manifest state, read through a cursor of its own."""

    def __init__(self, folder: Path, state: State, cursor: duckdb.DuckDBPyConnection, stop: Stop) -> None:
        self._folder = folder
        self._state = state
        self._cursor = cursor
        self._stop = stop
        stop.on_stop(cursor.interrupt)

    def table(self, name: str, window: Window | None = None) -> str:
        """A FROM-able SQL text of a table's rows; segments outside the window are left out."""
        segments = [
            segment
            for segment in self._state.of(name)
            if window is None or (segment.max_t >= window.start and segment.min_t < window.end)
        ]
        return relation(self._folder, name, segments)

    def fetch(self, sql: str, params: Sequence[Param] = ()) -> list[tuple[Out, ...]]:
        """The rows of a SELECT with positional parameters."""
        if self._stop.stopped:
            raise DeadlineExceeded("The question was stopped.")
        with mapped(self._stop):
            return self._cursor.execute(sql, list(params)).fetchall()

    @property
    def extent(self) -> tuple[int, int] | None:
        """The earliest and the latest `t` of all facts, in microseconds."""
        if not self._state.segments:
            return None
        return min(s.min_t for s in self._state.segments), max(s.max_t for s in self._state.segments)

    @property
    def latency_bases(self) -> dict[str, list[str]]:
        """What latency is in the formats that were loaded, each with its platforms; with none for any."""
        return self._state.latency_bases

    @property
    def generated(self) -> bool:
        """Whether the warehouse says that its telemetry is generated."""
        return self._state.generated


def relation(folder: Path, name: str, segments: Sequence[Segment], *, filename: bool = False) -> str:
    """The rows of some segments of a table as FROM-able SQL; no segments give no rows of the same columns.

    With `filename`, a further column of that name says which file a row is from.
    """
    table = TABLES[name]
    kinds = {**table.columns, **({"filename": "VARCHAR"} if filename else {})}
    if not segments:
        return f"(SELECT {_columns(kinds, kinds)} WHERE false)"
    # Naming what a segment lacks costs nothing where none lacks anything, and lets the engine open only what it reads.
    shapes: dict[frozenset[str], list[str]] = {}
    for segment in segments:
        shapes.setdefault(lacking(table, segment.path), []).append(quoted(str(folder / segment.path)))
    option = ", filename = true" if filename else ""
    sources = {lacks: f"read_parquet([{', '.join(files)}]{option})" for lacks, files in shapes.items()}
    if sources.keys() == {frozenset()}:
        return sources[frozenset()]
    return f"({' UNION ALL '.join(f'SELECT {_columns(kinds, lacks)} FROM {sources[lacks]}' for lacks in sources)})"


def _columns(kinds: Mapping[str, str], lacking: Container[str]) -> str:
    """All columns, null where they are lacking."""
    return ", ".join(f"NULL::{kind} AS {column}" if column in lacking else column for column, kind in kinds.items())


class DuckStore:
    """A folder of Parquet segments, asked through one in-memory DuckDB for as long as the store is open."""

    def __init__(self, folder: Path, *, name: str = "warehouse", memory_limit: str = "", threads: int = 0) -> None:
        self.name = name
        self.folder = folder
        self._manifest = Manifest(folder)
        self._memory_limit = memory_limit
        self._threads = threads
        self._connection: duckdb.DuckDBPyConnection | None = None
        self._scratch: Scratch | None = None
        self._lock = threading.Lock()

    def snapshot(self, stop: Stop) -> DuckSnapshot:
        """The tables as the manifest has them now."""
        state = self._manifest.state()
        with self._lock, mapped():
            if self._connection is None:
                self._connection = self._engine()
            cursor = self._connection.cursor()
        return DuckSnapshot(self.folder, state, cursor, stop)

    def _engine(self) -> duckdb.DuckDBPyConnection:
        # A warehouse that may only be read is asked in memory alone.
        with suppress(OSError):
            self._scratch = Scratch.begin(self.folder, "spill") if self.folder.is_dir() else None
        spill = None if self._scratch is None else self._scratch.path
        return connect(self.folder, spill, memory_limit=self._memory_limit, threads=self._threads)

    def close(self) -> None:
        """Close the engine; an open question ends with an error."""
        with self._lock:
            if self._connection is not None:
                self._connection.close()
                self._connection = None
            if self._scratch is not None:
                self._scratch.end()
                self._scratch = None
