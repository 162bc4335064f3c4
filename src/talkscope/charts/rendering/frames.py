"""What the renderer and its child say to each other: frames of bytes, each after its length."""

from __future__ import annotations

from typing import IO

_LENGTH = 4


def write(pipe: IO[bytes], payload: bytes) -> None:
    """Write one frame; the pipe has no buffer, so nothing of it is left to be written later."""
    rest = memoryview(len(payload).to_bytes(_LENGTH, "big") + payload)
    while rest:
        rest = rest[pipe.write(rest) :]


def read(pipe: IO[bytes]) -> bytes | None:
    """The next frame, or None where the pipe ends."""
    length = _exactly(pipe, _LENGTH)
    return None if length is None else _exactly(pipe, int.from_bytes(length, "big"))


def _exactly(pipe: IO[bytes], size: int) -> bytes | None:
    parts: list[bytes] = []
    while size:
        part = pipe.read(size)
        if not part:
            return None
        parts.append(part)
        size -= len(part)
    return b"".join(parts)
