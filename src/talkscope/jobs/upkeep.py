"""Keeping a warehouse: making few large files of many small ones, and erasing a person."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from talkscope.models.records import RecordType
from talkscope.warehouse import compact as merging
from talkscope.warehouse import forget as erasing


def compact(warehouse: str | os.PathLike[str], *, memory_limit: str = "", threads: int = 0) -> int:
    """Merge the small segments of a warehouse and say how many were merged; questions go on meanwhile.

    Raises WarehouseBusy when another writer is at work for too long.
    """
    return merging.compact(Path(warehouse), memory_limit=memory_limit, threads=threads)


def forget(
    warehouse: str | os.PathLike[str],
    end_user_id: str,
    *,
    platform: str | None = None,
    memory_limit: str = "",
    threads: int = 0,
) -> Mapping[RecordType, int]:
    """Erase one end user everywhere and say how many records of each type that was; it cannot be undone.

    Raises WarehouseBusy when another writer is at work for too long.
    """
    return erasing.forget(Path(warehouse), end_user_id, platform, memory_limit=memory_limit, threads=threads)
