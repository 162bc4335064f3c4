"""One answer's bytes, decoded as they come and never more of them than the cap.

Only gzip is asked for, so a gzip bomb is the one thing that expands, and it is expanded in steps that stop at the cap.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Mapping

from talkscope.flow.call import Failed, Reply, Trouble

_STEP = 1024 * 1024
# Bytes as sent may outnumber the decoded ones by this much: gzip's frame, stored blocks, empty members.
_FRAME = 64 * 1024
# Enough of an error's body to find its words in.
_REFUSAL = 64 * 1024


class Body:
    """Collects one answer: `feed` it chunks as sent until it wants no more, then take the `end`.

    An error's body is only words to show, so as much of it as can be had is enough. What is too long to be collected
    is taken out as it comes, by `pieces` in the place of `feed`.
    """

    def __init__(self, status: int, headers: Mapping[str, str], cap: int) -> None:
        self._status = status
        self._headers = headers
        self._strict = 200 <= status < 300
        self._cap = cap if self._strict else min(cap, _REFUSAL)
        self._encoding = headers.get("content-encoding", "").strip().lower() or "identity"
        self._sent = self._size = 0
        self._decoded = bytearray()
        self._gunzip = zlib.decompressobj(wbits=31)
        self._trouble: Trouble | None = None
        self._reason = ""

    @property
    def wanting(self) -> bool:
        """Whether nothing is wrong so far."""
        return self._trouble is None

    def feed(self, chunk: bytes) -> bool:
        """Take the next bytes as sent; False when no more are wanted."""
        for piece in self.pieces(chunk):
            self._decoded += piece
        return self.wanting

    def pieces(self, chunk: bytes) -> Iterator[bytes]:
        """Take the next bytes as sent, and give away what they are, a megabyte at most at a time."""
        if self._trouble is not None:
            return
        self._sent += len(chunk)
        if self._encoding in {"gzip", "x-gzip"}:
            try:
                yield from self._expanded(chunk)
            except zlib.error:
                self._stop("encoding", "it is not the gzip that it says it is")
        elif self._encoding == "identity":
            yield self._counted(chunk[: self._cap + 1 - self._size])
        else:
            self._stop("encoding", f"it comes as {self._encoding}, which was not asked for")
        if self._size > self._cap or self._sent > self._cap + _FRAME:
            self._stop("too_large", "")

    def end(self) -> Reply | Failed:
        """The whole answer, or what is wrong with it."""
        if self._trouble is None and self._sent and self._encoding != "identity" and not self._gunzip.eof:
            self._stop("truncated", "its gzip ends early")
        if self._strict and self._trouble is not None:
            return Failed(self._trouble, self._reason)
        return Reply(self._status, self._headers, bytes(self._decoded[: self._cap]))

    def _stop(self, trouble: Trouble, reason: str) -> None:
        self._trouble, self._reason = trouble, reason

    def _counted(self, piece: bytes) -> bytes:
        self._size += len(piece)
        return piece

    def _expanded(self, data: bytes) -> Iterator[bytes]:
        # Bytes that a full step leaves inside the decompressor come out with what follows; gzip ends with a checksum.
        while data and self._size <= self._cap:
            if self._gunzip.eof:
                # gzip files may be joined end to end.
                self._gunzip = zlib.decompressobj(wbits=31)
            most = min(_STEP, self._cap + 1 - self._size)
            yield self._counted(self._gunzip.decompress(data, most))
            data = self._gunzip.unconsumed_tail or self._gunzip.unused_data
