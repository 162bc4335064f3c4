"""Erasing one person: their sessions, every fact of these, and every file that still holds any of it."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from talkscope.models.records import RecordType
from talkscope.warehouse import merge
from talkscope.warehouse.desk import Desk, number
from talkscope.warehouse.manifest import Manifest
from talkscope.warehouse.schema import TABLES
from talkscope.warehouse.segments import Writer, writing


def forget(
    folder: Path,
    end_user_id: str,
    platform: str | None = None,
    *,
    memory_limit: str = "",
    threads: int = 0,
    clock: Callable[[], float] = time.time,
    waiting: Callable[[], None] = lambda: None,
) -> dict[RecordType, int]:
    """Erase the sessions of one end user, on one platform or on all, and say how many records of each type that was.

    What belongs to those sessions goes with them; what names the person only in words of its own, such as the
    attributes of a snapshot, is not found. The files that held them go at once, those of earlier changes and of dead
    loads too: a question that still reads them ends with an error. Nothing happens in a folder that is no warehouse.
    Raises WarehouseBusy when another writer keeps the lease for too long.
    """
    if not Manifest(folder).exists:
        return {}
    with writing(folder, memory_limit=memory_limit, threads=threads, clock=clock, waiting=waiting) as writer:
        counts = _erase(writer, end_user_id, platform)
        writer.lease.no_grace()
    with writing(folder, clock=clock, waiting=waiting):
        pass  # a writer that begins clears up
    return counts


def _erase(writer: Writer, end_user_id: str, platform: str | None) -> dict[RecordType, int]:
    desk, stored = Desk(writer.connection), writer.held()
    if "sessions" not in stored:
        return {}
    where = "end_user_id = $1" + ("" if platform is None else " AND platform = $2")
    words = [end_user_id] if platform is None else [end_user_id, platform]
    writer.connection.execute(
        f"CREATE TEMP TABLE theirs AS SELECT platform, session_id FROM {stored['sessions']} WHERE {where}", words
    )
    merge.gather(desk, stored, touched="SELECT session_id FROM theirs")
    counts: dict[RecordType, int] = {}
    for name, table in TABLES.items():
        # Their rows stay in old_<table>, so that they are found to have no place in what is worked out anew.
        if f"old_{name}" in desk:
            counted = number(
                writer.connection,
                f"SELECT count(*) FROM old_{name} SEMI JOIN theirs USING (platform, session_id)"
                + (" WHERE NOT derived" if "derived" in table.columns else ""),
            )
            if counted:
                counts[table.record] = counted
    merge.settle(desk, without="theirs")
    merge.finish(desk)
    for name in TABLES:
        writer.replace(desk, name)
    return counts
