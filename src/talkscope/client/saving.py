"""An answer of any length on its way from the socket into a file, of which little is in memory at any time."""

from __future__ import annotations

import math
from collections.abc import AsyncIterable, Callable
from dataclasses import replace
from typing import BinaryIO

import anyio
import anyio.to_thread
from pydantic import SecretStr

from talkscope.flow import Body, Failed, Redactor, Reply

IDLE = 60.0
"""Seconds in which as much as PACE has to come, or the end."""
PACE = 64 * 1024
"""Bytes as sent: with fewer, a service that drips would be waited for for years."""
_HELD = 1024 * 1024


class Saving:
    """One request after the other whose answer is put into a file, decoded and without the key.

    The file holds all of an answer, or nothing that counts: each request begins it anew.
    """

    def __init__(self, file: BinaryIO, key: SecretStr | None, idle: float, clock: Callable[[], float]) -> None:
        self.idle = idle
        self._file = file
        self._key = key
        self._clock = clock
        self._began: float | None = None

    def begin(self) -> None:
        """Empty the file."""
        self._began = None
        self._file.seek(0)
        self._file.truncate()

    async def fill(self, body: Body, stream: AsyncIterable[bytes], time: anyio.CancelScope) -> Reply | Failed:
        """Write what comes; in the place of its body, the reply says how many bytes that was.

        `time` is until when the answer had to begin; from here on it ends where too little comes.
        """
        self._began = self._clock()
        redactor, held, size, came = Redactor(self._key), bytearray(), 0, 0
        time.deadline = anyio.current_time() + self.idle
        async for chunk in stream:
            for piece in body.pieces(chunk):
                held += redactor.feed(piece)
                if len(held) >= _HELD:
                    size += await self._write(held, time)
            if not body.wanting:
                break
            came += len(chunk)
            if came >= PACE:
                came, time.deadline = 0, anyio.current_time() + self.idle
        told = body.end()
        if isinstance(told, Reply):
            held += redactor.end()
            size += await self._write(held, time)
            told = replace(told, body=str(size).encode())
        return told

    def failed(self, failed: Failed) -> Failed:
        """The failure, with how long the answer came before, and that it stopped where that is what was wrong."""
        if self._began is None:
            return failed
        reason = f"it stood still for {self.idle:g} s" if failed.kind == "timeout" else failed.reason
        return Failed(failed.kind, reason, self._clock() - self._began)

    async def _write(self, held: bytearray, time: anyio.CancelScope) -> int:
        # A disk that takes its time is no fault of the service.
        left, time.deadline = time.deadline - anyio.current_time(), math.inf
        written = await anyio.to_thread.run_sync(self._file.write, bytes(held))
        time.deadline = anyio.current_time() + left
        held.clear()
        return written
