"""The file that remembers keys and what they used: SQLite, its owner's alone, shared by threads and processes."""

from __future__ import annotations

import os
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from talkscope.errors import TalkscopeError

_VERSION = 1
_TABLES = """
CREATE TABLE accounts (name TEXT PRIMARY KEY, folder TEXT) WITHOUT ROWID;
CREATE TABLE keys (
    id TEXT PRIMARY KEY, hash BLOB NOT NULL, account TEXT NOT NULL REFERENCES accounts (name), plan TEXT NOT NULL,
    per_minute INTEGER, per_day INTEGER, per_month INTEGER, created REAL NOT NULL, used REAL, revoked REAL
) WITHOUT ROWID;
CREATE TABLE calls (key TEXT NOT NULL, at REAL NOT NULL);
CREATE INDEX calls_of ON calls (key, at);
CREATE TABLE quotas (key TEXT NOT NULL, period TEXT NOT NULL, used INTEGER NOT NULL, PRIMARY KEY (key, period))
    WITHOUT ROWID;
"""


class Book:
    """The open file, made where there is none. One transaction at a time, whoever writes; `close()` when done."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self._lock = threading.Lock()
        try:
            # Before the engine makes it readable for others; its journals get the same mode.
            file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            with suppress(FileExistsError):
                os.close(os.open(file, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
            # Every use is under the lock.
            self._connection = sqlite3.connect(file, timeout=10, isolation_level=None, check_same_thread=False)
        except (OSError, sqlite3.Error) as error:
            raise _unusable(file, error) from None
        try:
            self._connection.execute("PRAGMA journal_mode = WAL")
            # A crash of the machine may forget the last calls; otherwise each call would wait for a disk.
            self._connection.execute("PRAGMA synchronous = NORMAL")
            self._prepare()
        except sqlite3.Error as error:
            self._connection.close()
            raise _unusable(file, error) from None
        except TalkscopeError:
            self._connection.close()
            raise

    def _prepare(self) -> None:
        with self.transaction() as book:
            (version,) = book.execute("PRAGMA user_version").fetchone()
            if version == 0:
                for statement in _TABLES.split(";\n"):
                    book.execute(statement)
                book.execute(f"PRAGMA user_version = {_VERSION}")
            elif version != _VERSION:
                raise TalkscopeError(
                    f"{self.file} is of version {version}, not {_VERSION}.",
                    hint="Use the version of Talkscope that wrote it.",
                    code="keys_unusable",
                )

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """Everything in the block happens, or nothing; nobody else writes meanwhile."""
        with self._lock:
            try:
                self._connection.execute("BEGIN IMMEDIATE")
                try:
                    yield self._connection
                except BaseException:
                    self._connection.execute("ROLLBACK")
                    raise
                self._connection.execute("COMMIT")
            except sqlite3.Error as error:
                raise _unusable(self.file, error) from None

    def rows(self, sql: str, *values: str) -> list[tuple[object, ...]]:
        """The rows of a SELECT."""
        with self._lock:
            try:
                found: list[tuple[object, ...]] = self._connection.execute(sql, values).fetchall()
            except sqlite3.Error as error:
                raise _unusable(self.file, error) from None
            return found

    def close(self) -> None:
        """Let go of the file."""
        with self._lock:
            self._connection.close()


def _unusable(file: Path, error: Exception) -> TalkscopeError:
    return TalkscopeError(
        f"The keys cannot be read or written ({type(error).__name__}).",
        hint=f"Check the permissions of {file.name} and its folder, and the disk.",
        code="keys_unusable",
        status=503,
    )
