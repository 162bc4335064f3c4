"""Putting records into a warehouse: staged first, then merged under the lease, all or nothing."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, TypeAlias

import orjson

from talkscope.errors import InvalidArgument
from talkscope.models.records import ID_OF, TABLE_OF, RecordType, Row, content_key
from talkscope.warehouse import compact, merge
from talkscope.warehouse.desk import Desk
from talkscope.warehouse.manifest import Lease, State
from talkscope.warehouse.schema import TABLES, Table, column
from talkscope.warehouse.scratch import Scratch
from talkscope.warehouse.segments import writing
from talkscope.warehouse.store import json_lines

LatencyBases: TypeAlias = Mapping[str, Collection[str | None]]
"""What latencies of interactions are, by the platforms of those; None is one that says no platform itself."""

_LINE = orjson.OPT_APPEND_NEWLINE


@dataclass(frozen=True, slots=True)
class Counts:
    """What became of the records of one type; `again` counts those that one load told more than once."""

    loaded: int = 0
    changed: int = 0
    present: int = 0
    again: int = 0


class Stage:
    """Checked records of one load, written to files beside the warehouse until they are merged."""

    def __init__(self, room: Scratch) -> None:
        self.folder = room.path
        self.rows: dict[RecordType, int] = {}
        self.longest = 0
        """Bytes of the longest line."""
        self.homeless: set[str] = set()
        """The tables of which a record names no platform."""
        self._room = room
        self._files: dict[RecordType, BinaryIO] = {}
        self._seen: dict[tuple[object, str], int] = {}
        self._next = 0

    def file_begins(self) -> None:
        """A new input file begins: identical records without an id count their occurrences anew."""
        self._seen.clear()

    def add(self, kind: RecordType, row: Row) -> None:
        """Write one checked record, which is the stage's from here on."""
        named = ID_OF[kind]
        if row.get(named) is None:
            row["key"] = self._content(kind, row)
        if row.get("platform") is None:
            self.homeless.add(TABLE_OF[kind])
        row["seq"] = self._next
        self._next += 1
        file = self._files.get(kind)
        if file is None:
            file = self._files[kind] = (self.folder / f"{kind}.ndjson").open("wb", buffering=1 << 20)
            self.rows[kind] = 0
        self.rows[kind] += 1
        line = orjson.dumps(row, option=_LINE)
        self.longest = max(self.longest, len(line))
        file.write(line)

    def _content(self, kind: RecordType, row: Row) -> str:
        content = content_key(kind, row)
        twin = (row.get("platform"), content)
        occurrence = self._seen[twin] = self._seen.get(twin, 0) + 1
        return content if occurrence == 1 else f"{content}#{occurrence}"

    def close(self) -> None:
        """Finish the files."""
        for file in self._files.values():
            file.close()

    def discard(self) -> None:
        """Remove the files."""
        self.close()
        self._room.end()


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
        self._memory_limit = memory_limit
        self._threads = threads
        self._clock = clock
        self._waiting = waiting

    def stage(self) -> Stage:
        """An empty stage inside the warehouse folder; OSError when that cannot be written to."""
        return Stage(Scratch.begin(self.folder, "load"))

    def commit(
        self, stage: Stage, *, generated: bool = False, latency_bases: LatencyBases | None = None
    ) -> dict[RecordType, Counts]:
        """Merge the staged records into the warehouse, all or nothing; what became of them by record type.

        Raises InvalidArgument when generated telemetry would mix with telemetry that is not.
        """
        stage.close()
        if not stage.rows:
            return {}
        with writing(
            self.folder,
            memory_limit=self._memory_limit,
            threads=self._threads,
            clock=self._clock,
            waiting=self._waiting,
        ) as writer:
            _describe(writer.lease, generated, latency_bases or {})
            desk = Desk(writer.connection)
            for kind in stage.rows:
                _read_stage(desk, stage, TABLES[TABLE_OF[kind]])
            merge.merge(desk, writer.held(), stage.homeless)
            counts = {}
            for table in TABLES.values():
                if staged := stage.rows.get(table.record):
                    counts[table.record] = Counts(*merge.tally(desk, table, staged))
                writer.replace(desk, table.name)
            crowded = compact.crowded(writer.lease.state())
        if crowded:
            compact.when_free(self.folder, clock=self._clock, memory_limit=self._memory_limit, threads=self._threads)
        return counts


def unmixed(state: State, *, generated: bool) -> None:
    """Raise InvalidArgument where generated telemetry would mix with telemetry that is not."""
    if state.segments and state.generated != generated:
        there, here = ("generated", "measured") if state.generated else ("measured", "generated")
        raise InvalidArgument(
            f"The warehouse holds {there} telemetry, and this is {here}.", hint="Load it into a warehouse of its own."
        )


def _describe(lease: Lease, generated: bool, latency_bases: LatencyBases) -> None:
    """Write what the warehouse says of itself, and refuse to mix what was measured with what was made up."""
    state = lease.state()
    unmixed(state, generated=generated)
    lease.say("generated", "true" if generated else "false")
    known = state.latency_bases if state.segments else {}
    for basis, platforms in latency_bases.items():
        there = known.get(basis)
        known[basis] = [] if None in platforms or there == [] else sorted({*(there or ()), *filter(None, platforms)})
    lease.say("latency_bases", orjson.dumps(known, option=orjson.OPT_SORT_KEYS).decode())


def _read_stage(desk: Desk, stage: Stage, table: Table) -> None:
    fields = {"key": "VARCHAR", "seq": "BIGINT", **table.fields}
    source = json_lines(stage.folder / f"{table.record}.ndjson", fields, stage.longest)
    made = {"key": f"coalesce(key, {ID_OF[table.record]})"}
    listed = ", ".join(f"{made.get(name, name)} AS {column(name)}" for name in fields)
    if "session_id" not in fields:
        listed += ", NULL::VARCHAR AS session_id"
    desk.make(f"stage_{table.name}", f"SELECT {listed} FROM {source}")
