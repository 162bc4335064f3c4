"""Making few large files of a warehouse's many small ones."""

from __future__ import annotations

from pathlib import Path


def compact(folder: Path, *, memory_limit: str = "", threads: int = 0) -> int:
    """Merge small segments and say how many were merged; questions go on meanwhile. A load does so where it pays.

    A folder that is no warehouse has nothing to merge. Raises WarehouseBusy when another writer keeps the warehouse for
    too long, WarehouseError when the folder cannot be used.
    """
    from talkscope.warehouse import compact as warehouse

    return warehouse.compact(folder, memory_limit=memory_limit, threads=threads)
