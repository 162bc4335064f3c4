"""Folders for what is under way, each held by a lock that the operating system takes back from whoever dies.

SQLite's lock is the same on every system; a process number is not, between containers that share a folder.
"""

from __future__ import annotations

import shutil
import sqlite3
import uuid
from contextlib import closing
from pathlib import Path

_LOCK = "held.sqlite"


class Scratch:
    """One folder inside the warehouse's `tmp`, its owner's until `end`."""

    def __init__(self, path: Path, lock: sqlite3.Connection) -> None:
        self.path = path
        self._lock = lock

    @classmethod
    def begin(cls, warehouse: Path, kind: str) -> Scratch:
        """A new folder for this kind of work; OSError when the warehouse cannot be written to."""
        while True:
            path = warehouse / "tmp" / f"{kind}-{uuid.uuid4().hex}"
            path.mkdir(parents=True)
            lock = _lock(path)
            # Whoever clears up may have come between the folder and its lock.
            if lock is not None and (path / _LOCK).exists():
                return cls(path, lock)
            if lock is not None:
                lock.close()

    def end(self) -> None:
        """Remove the folder."""
        self._lock.close()
        shutil.rmtree(self.path, ignore_errors=True)


def _lock(path: Path) -> sqlite3.Connection | None:
    """The folder's lock, None when it is another's or the folder is gone."""
    try:
        lock = sqlite3.connect(path / _LOCK, timeout=0, isolation_level=None, check_same_thread=False)
    except sqlite3.Error:
        return None
    try:
        lock.execute("PRAGMA journal_mode = MEMORY")
        lock.execute("BEGIN EXCLUSIVE")
    except sqlite3.Error:
        lock.close()
        return None
    return lock


def clear(warehouse: Path) -> int:
    """Remove the folders whose owners are dead; how many there were."""
    cleared = 0
    for path in (warehouse / "tmp").glob("*-*"):
        lock = _lock(path)
        if lock is not None:
            with closing(lock):
                shutil.rmtree(path, ignore_errors=True)
            shutil.rmtree(path, ignore_errors=True)  # Windows keeps a file that is open
            cleared += 1
    return cleared
