"""What lies in a warehouse's folder, without opening its engine: for people who look for what is wrong."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from talkscope.warehouse.manifest import Manifest
from talkscope.warehouse.schema import OLDEST, TABLES, VERSION

LAYOUTS = tuple(str(version) for version in range(OLDEST, VERSION + 1))
"""The layouts of a warehouse that this Talkscope understands."""


@dataclass(frozen=True, slots=True)
class Inventory:
    """A warehouse folder: whether it is one, its layout's version, rows by table, the latest time in it (µs UTC).

    `missing` names segments whose files are not there; `writable` is whether a load could write.
    """

    folder: Path
    exists: bool
    writable: bool
    version: str | None
    generated: bool
    rows: dict[str, int]
    bytes: int
    newest: int | None
    missing: tuple[str, ...]


def inventory(folder: Path) -> Inventory:
    """What the folder holds. Raises WarehouseError when it is a warehouse that cannot be read."""
    manifest = Manifest(folder)
    state = manifest.state()
    return Inventory(
        folder=folder,
        exists=manifest.exists,
        writable=os.access(_nearest(folder), os.W_OK),
        version=state.about.get("version"),
        generated=state.about.get("generated") == "true",
        rows={table: sum(segment.rows for segment in state.of(table)) for table in TABLES},
        bytes=sum(segment.bytes for segment in state.segments),
        newest=max((segment.max_t for segment in state.segments), default=None),
        missing=tuple(segment.path for segment in state.segments if not (folder / segment.path).is_file()),
    )


def _nearest(folder: Path) -> Path:
    """The folder, or the nearest one above it that is there."""
    return next(place for place in (folder, *folder.parents) if place.exists())
