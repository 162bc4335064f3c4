"""What a pull has got so far, on disk: an interrupted one goes on from it, and no part of it is asked for twice.

A journal is an NDJSON file in a folder of its own, for its owner alone to read, since it holds what the platform holds
about people. An answer that may be of any length is a file beside it, which a line names. Every answer is on the disk
before it counts; a last line that was cut off is dropped, and so is a file that no line names.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import re
import sqlite3
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

from pydantic_core import from_json

from talkscope.errors import InvalidArgument, Json
from talkscope.jobs.pull.plan import Answer
from talkscope.jobs.pull.rows import Rows
from talkscope.models.text import whole

_FILE = "journal.ndjson"
_LOCK = "held.sqlite"
_ANSWERS = "answer-"
_ANSWER = re.compile(_ANSWERS + r"\d+\.json", re.ASCII)
_OURS = re.compile(rf"{re.escape(_FILE)}|{re.escape(_LOCK)}.*|{_ANSWERS}.*|(tmp_)?rows\.(ndjson|parquet)")
_FORM = 1


class Journal:
    """The answers to the parts of one plan, in a folder that no other process writes to meanwhile.

    Raises InvalidArgument where the folder holds another plan's answers, or is another process's.
    """

    def __init__(self, folder: Path, what: Mapping[str, Json], *, begun: str, restart: bool = False) -> None:
        self.folder = folder
        self.begun = begun
        """When the pull began, as it was said then."""
        self._places: dict[str, tuple[int, int]] = {}
        self._files: set[str] = set()
        self._lock = _locked(folder)
        try:
            self._file = _opened(folder / _FILE)
            try:
                self._begin(what, restart=restart)
            except BaseException:
                self._file.close()
                raise
        except BaseException:
            self._lock.close()
            raise

    def __len__(self) -> int:
        return len(self._places)

    def __contains__(self, key: object) -> bool:
        return key in self._places

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def answers(self) -> Iterator[tuple[str, Answer]]:
        """Every part's key and answer, in the order in which they came."""
        for key in list(self._places):
            yield key, self.answer(key)

    def answer(self, key: str) -> Answer:
        """One part's answer."""
        start, size = self._places[key]
        self._file.seek(start)
        told: dict[str, Json] = from_json(self._file.read(size))
        return Rows(self.folder / str(told["file"])) if "file" in told else told["answer"]

    def add(self, key: str, answer: Json) -> None:
        """Write a part's answer; when this returns, it is on the disk."""
        self._append(key, {"answer": answer})

    @contextmanager
    def draft(self) -> Iterator[Path]:
        """An empty file to write an answer into, which is gone when the block ends without having kept it."""
        fd, name = tempfile.mkstemp(prefix=_ANSWERS, suffix=".new", dir=self.folder)
        os.close(fd)
        try:
            yield Path(name)
        finally:
            Path(name).unlink(missing_ok=True)

    def keep(self, key: str, draft: Path) -> None:
        """Make what a draft holds, a list, a part's answer; when this returns, it is on the disk."""
        with draft.open("rb+") as file:
            os.fsync(file.fileno())
            size = file.seek(0, os.SEEK_END)
        name = f"{_ANSWERS}{len(self._places)}.json"
        draft.replace(self.folder / name)
        _sync(self.folder)
        self._append(key, {"file": name, "size": size})

    def _append(self, key: str, told: Mapping[str, Json]) -> None:
        line = _line({"key": key, **told})
        start = self._file.seek(0, os.SEEK_END)
        self._file.write(line)
        self._file.flush()
        os.fsync(self._file.fileno())
        self._places[key] = (start, len(line))

    def close(self) -> None:
        """Leave it as it is, for another run; one without an answer is of no use to any."""
        if self._file.closed:
            return
        self._file.close()
        if not self._places:
            # While it is ours: another run may begin here as soon as it is not.
            _removed(self.folder)
        self._lock.close()
        if not self._places and os.name == "nt":  # which keeps a file that is open
            _removed(self.folder)

    def discard(self) -> None:
        """Remove it: all that it holds has been put somewhere."""
        self._places.clear()
        self.close()

    def _begin(self, what: Mapping[str, Json], *, restart: bool) -> None:
        told = hashlib.sha256(json.dumps([_FORM, what], sort_keys=True).encode()).hexdigest()
        if restart:
            self._file.truncate(0)
        head = self._read()
        self._sweep()
        if head is None or not self._places:
            self._file.seek(0)
            self._file.truncate(0)
            self._file.write(_line({"plan": told, "begun": self.begun}))
            self._file.flush()
            os.fsync(self._file.fileno())
            _sync(self.folder)
            return
        if head.get("plan") != told:
            raise InvalidArgument(
                f"{self.folder} holds the beginning of another pull.",
                hint="Go on with that one by its own words, name another output, or add --restart to begin anew.",
                code="another_pull",
            )
        self.begun = str(head.get("begun", ""))

    def _read(self) -> Mapping[str, Json] | None:
        """The first line, with the places of all others noted; None where there is none."""
        head: Mapping[str, Json] | None = None
        start = self._file.seek(0)
        for line in self._file:
            told = _told(line)
            if told is None:
                if start + len(line) < os.fstat(self._file.fileno()).st_size:
                    raise self._damaged()
                self._file.truncate(start)
                break
            if head is None:
                head = told
            else:
                self._places[str(told["key"])] = (start, len(line))
                if "file" in told:
                    self._files.add(self._named(told))
            start += len(line)
        return head

    def _named(self, told: Mapping[str, Json]) -> str:
        """The file that a line names, when it is as long as it was."""
        name = str(told["file"])
        with suppress(OSError):
            if _ANSWER.fullmatch(name) and (self.folder / name).stat().st_size == told.get("size"):
                return name
        raise self._damaged()

    def _sweep(self) -> None:
        """Remove the answers of a run that ended before they counted."""
        for each in self.folder.glob(f"{_ANSWERS}*"):
            if each.name not in self._files:
                each.unlink()

    def _damaged(self) -> InvalidArgument:
        return InvalidArgument(f"The journal in {self.folder} is damaged.", hint="Add --restart to begin anew.")


def _line(value: Mapping[str, Json]) -> bytes:
    return whole(json.dumps(value, ensure_ascii=False, separators=(",", ":"))).encode() + b"\n"


def _told(line: bytes) -> dict[str, Json] | None:
    """What a line says, None for one that was not written to its end."""
    if not line.endswith(b"\n"):
        return None
    with suppress(ValueError):
        told = from_json(line)
        if isinstance(told, dict) and ("key" in told or "plan" in told):
            return told
    return None


def _opened(path: Path) -> BinaryIO:
    return os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT, 0o600), "r+b")


def _sync(folder: Path) -> None:
    """Have the folder's list of files on the disk, where a folder can be opened."""
    with suppress(OSError):
        fd = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(fd)
        finally:
            os.close(fd)


def _removed(folder: Path) -> None:
    """Remove what is ours, and the folder when nothing else is in it: its name may have been somebody's before."""
    with suppress(OSError):
        for each in folder.iterdir():
            if _OURS.fullmatch(each.name):
                each.unlink(missing_ok=True)
        folder.rmdir()


def _locked(folder: Path) -> sqlite3.Connection:
    """The folder's lock, which the operating system takes back from whoever dies."""
    while True:
        folder.mkdir(mode=0o700, exist_ok=True)
        try:
            lock = sqlite3.connect(folder / _LOCK, timeout=0, isolation_level=None, check_same_thread=False)
        except sqlite3.Error:
            raise OSError(errno.EACCES, "its lock cannot be made", str(folder)) from None
        try:
            lock.execute("PRAGMA journal_mode = MEMORY")
            lock.execute("BEGIN EXCLUSIVE")
        except sqlite3.Error as error:
            lock.close()
            if error.sqlite_errorcode & 0xFF not in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
                raise OSError(errno.EIO, f"its lock cannot be taken: {error}", str(folder)) from None
            raise InvalidArgument(
                f"Another talkscope is pulling into {folder}.", hint="Wait for it, or name another output.", code="busy"
            ) from None
        # Whoever had it may have removed the folder in between.
        if (folder / _LOCK).exists():
            return lock
        lock.close()
