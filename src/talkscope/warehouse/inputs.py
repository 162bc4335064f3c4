"""The files that a load is asked to read: found in folders, opened, unpacked when they are gzip, and recognised."""

from __future__ import annotations

import gzip
import io
import os
import stat
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, cast

from talkscope.warehouse.ingest import detect

HEAD = 65_536
STDIN = "-"
_GZIP = b"\x1f\x8b"


@dataclass(frozen=True, slots=True)
class Opened:
    """One file under way: its bytes as they were before packing, its format, and how far reading is in the file."""

    stream: BinaryIO
    format: str | None
    size: int | None
    raw: BinaryIO

    def position(self) -> int | None:
        """How many bytes of the file are read, where it says."""
        return self.raw.tell() if self.size is not None else None


def found(paths: Sequence[str | os.PathLike[str]], warehouse: Path) -> Iterator[str]:
    """Each file under the paths, folders gone through in order of name; hidden files and the warehouse are left out."""
    home = warehouse.resolve()
    for each_path in paths:
        path = os.fspath(each_path)
        if path == STDIN or not Path(path).is_dir():
            yield path
            continue
        for folder, folders, files in os.walk(path):
            folders[:] = sorted(
                each for each in folders if not each.startswith(".") and (Path(folder) / each).resolve() != home
            )
            if Path(folder).resolve() == home:
                folders.clear()
                continue
            yield from (str(Path(folder) / each) for each in sorted(files) if not each.startswith("."))


@contextmanager
def opened(name: str, format: str | None = None, stdin: BinaryIO | None = None) -> Iterator[Opened]:
    """A file by its path, or standard input for `-`; raises OSError when it cannot be read."""
    with ExitStack() as stack:
        raw, size = _raw(name, stdin, stack)
        stream, head = _rejoined(raw)
        plain_name = name
        if head.startswith(_GZIP):
            plain_name = name.removesuffix(".gz")
            unpacked = stack.enter_context(gzip.GzipFile(fileobj=stream, mode="rb"))
            stream, head = _rejoined(cast("BinaryIO", unpacked))
        # An empty file is one of no records.
        yield Opened(stream, format or (detect(head, plain_name) if head else "ndjson"), size, raw)


def _raw(name: str, stdin: BinaryIO | None, stack: ExitStack) -> tuple[BinaryIO, int | None]:
    if name == STDIN:
        return stdin or sys.stdin.buffer, None
    file = stack.enter_context(open(name, "rb"))  # noqa: PTH123, SIM115 - the stack is what closes it
    about = os.fstat(file.fileno())
    return file, about.st_size if stat.S_ISREG(about.st_mode) else None


class _Rejoined(io.RawIOBase):
    """A stream that was looked into, from its beginning."""

    def __init__(self, head: bytes, rest: BinaryIO) -> None:
        super().__init__()
        self._head = head
        self._rest = rest

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: bytearray | memoryview, /) -> int:  # type: ignore[override]
        part, self._head = self._head[: len(buffer)], self._head[len(buffer) :]
        part = part or self._rest.read(len(buffer))
        buffer[: len(part)] = part
        return len(part)


def _rejoined(stream: BinaryIO) -> tuple[BinaryIO, bytes]:
    """The stream whole, and its first bytes."""
    head = b""
    while len(head) < HEAD and (part := stream.read(HEAD - len(head))):
        head += part
    return cast("BinaryIO", io.BufferedReader(_Rejoined(head, stream), 1 << 20)), head
