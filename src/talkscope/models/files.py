"""Files that are written whole or not at all: what stands in the place of a file is never half of the next."""

from __future__ import annotations

import os
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

_OWNER, _USUAL = 0o600, 0o666  # the second is without what the user's umask takes away
_NEW = os.O_RDWR | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)


def write(path: Path, data: bytes) -> None:
    """Write a file, or put another one into its place, which those may read who could read the one before."""
    with replacing(path, private=False) as out:
        out.write(data)


@contextmanager
def replacing(path: Path, *, private: bool = True) -> Iterator[BinaryIO]:
    """A file to write that takes the place of the one at the path when the block ends well, and is nowhere before.

    What is `private` its owner alone may read; else it keeps the permissions of the file that it replaces. Raises
    OSError, naming the path.
    """
    if path.exists() and not stat.S_ISREG(path.stat().st_mode):
        # A pipe or a terminal is written to, not replaced.
        with path.open("wb") as out:
            yield out
        return
    path = path.resolve()
    new = path.with_name(f".{path.name[:40]}.{secrets.token_hex(4)}.new")
    try:
        fd = os.open(new, _NEW, _OWNER if private else _USUAL)
    except OSError as error:
        # The name of the file that is wanted, and not of the one that would be written first.
        raise OSError(error.errno, error.strerror, str(path)) from None
    try:
        with os.fdopen(fd, "wb") as out:
            if not private:
                with suppress(OSError):
                    new.chmod(stat.S_IMODE(path.stat().st_mode))
            yield out
            out.flush()
            os.fsync(out.fileno())
        new.replace(path)
    except BaseException:
        with suppress(OSError):
            new.unlink()
        raise
    with suppress(OSError):
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
