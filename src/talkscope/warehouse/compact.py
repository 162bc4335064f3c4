"""Making few large segments of many small ones, so that a question opens few files; readers do not notice."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from itertools import groupby
from pathlib import Path

from talkscope.errors import WarehouseBusy
from talkscope.warehouse.manifest import Manifest, Segment, State
from talkscope.warehouse.schema import TABLES
from talkscope.warehouse.segments import SEGMENT_ROWS, writing

MOST_ALIKE = 8
"""Segments of one table and about one size that a load leaves alone."""
_LARGE = SEGMENT_ROWS // 2


def _size(segment: Segment) -> int:
    """About how large: each size holds eight times the rows of the one before, so that a row is rewritten rarely."""
    return (segment.rows.bit_length() - 1) // 3


def crowded(state: State) -> list[list[Segment]]:
    """The groups of segments that are worth merging: many of one table and size."""
    found = []
    for name in TABLES:
        small = sorted((each for each in state.of(name) if each.rows < _LARGE), key=_size)
        alike = (list(group) for _, group in groupby(small, key=_size))
        found += [group for group in alike if len(group) > MOST_ALIKE]
    return found


def small(state: State) -> list[list[Segment]]:
    """All segments of each table that has several small ones."""
    groups = [[each for each in state.of(name) if each.rows < _LARGE] for name in TABLES]
    return [group for group in groups if len(group) > 1]


def compact(
    folder: Path,
    *,
    choose: Callable[[State], list[list[Segment]]] = small,
    memory_limit: str = "",
    threads: int = 0,
    clock: Callable[[], float] = time.time,
    wait: float = 600.0,
) -> int:
    """Merge small segments into larger ones and say how many were merged; none in a folder that is no warehouse.

    Raises WarehouseBusy when another writer keeps the lease for longer than `wait` seconds.
    """
    if not Manifest(folder).exists:
        return 0
    merged = 0
    with writing(folder, memory_limit=memory_limit, threads=threads, clock=clock, wait=wait) as writer:
        for group in choose(writer.lease.state()):
            for run in _runs(group):
                name = run[0].table
                writer.swap(run, writer.write(name, writer.stored(name, run)))
                merged += len(run)
    return merged


def when_free(folder: Path, *, memory_limit: str, threads: int, clock: Callable[[], float]) -> None:
    """Merge what crowds, unless another writer is at work: that one will see to it."""
    with suppress(WarehouseBusy):
        compact(folder, choose=crowded, memory_limit=memory_limit, threads=threads, clock=clock, wait=0)


def _runs(group: list[Segment]) -> list[list[Segment]]:
    """Neighbours in time, each run not larger than a segment may be."""
    runs: list[list[Segment]] = []
    rows = 0
    for segment in sorted(group, key=lambda each: (each.min_t, each.path)):
        if not runs or rows + segment.rows > SEGMENT_ROWS:
            runs.append([])
            rows = 0
        runs[-1].append(segment)
        rows += segment.rows
    return [run for run in runs if len(run) > 1]
