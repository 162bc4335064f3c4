"""Erasing one end user from a warehouse."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from talkscope.models.records import RecordType


def forget(
    folder: Path,
    end_user_id: str,
    *,
    platform: str | None = None,
    memory_limit: str = "",
    threads: int = 0,
    waiting: Callable[[], None] = lambda: None,
) -> dict[RecordType, int]:
    """Erase every record of one end user's sessions, and say how many of each type those were.

    These are the sessions that name the person as their end user, and all that belongs to them. Records that name the
    person only in an attribute or a text of their own stay, and so do those of no session: agents are no end users.
    `waiting` is called about once a second while another writer holds the warehouse. A folder that is no warehouse
    holds nothing to erase. Raises WarehouseBusy when the other writer keeps it for too long, WarehouseError when the
    folder cannot be used.
    """
    from talkscope.warehouse import forget as warehouse

    return warehouse.forget(folder, end_user_id, platform, memory_limit=memory_limit, threads=threads, waiting=waiting)
