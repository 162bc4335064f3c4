"""The spans of a file by trace, in bounded memory: what is too much is put aside in temporary files."""

from __future__ import annotations

import tempfile
import zlib
from collections.abc import Iterator
from contextlib import ExitStack
from typing import IO

from talkscope.warehouse.ingest.otlp.wire import Span, packed, unpacked

HELD = 128 << 20
"""Bytes of spans that are held in memory; from there on they wait in files."""
FILES = 64


class Traces:
    """Spans as they come, given back trace by trace.

    Memory is bounded by the greatest of HELD, a sixty-fourth of the file's spans, and the file's largest trace.
    """

    def __init__(self, stack: ExitStack) -> None:
        self._stack = stack
        self._traces: dict[str, list[bytes]] = {}
        self._held = 0
        self._files: list[IO[bytes]] = []

    def add(self, span: Span) -> None:
        """Keep one span until its trace is asked for."""
        line = packed(span)
        self._traces.setdefault(span.trace, []).append(line)
        self._held += len(line)
        if self._held > HELD:
            self._put_aside()

    def __iter__(self) -> Iterator[list[Span]]:
        """The spans of each trace, each span once, in order of time."""
        if self._files:
            self._put_aside()
        else:
            yield from (_each_once(lines) for lines in self._traces.values())
        for file in self._files:
            file.seek(0)
            traces: dict[bytes, list[bytes]] = {}
            for line in file:
                name, _, rest = line.rstrip(b"\n").partition(b" ")
                traces.setdefault(name, []).append(rest)
            yield from (_each_once(lines) for lines in traces.values())

    def _put_aside(self) -> None:
        if not self._files:
            new = tempfile.TemporaryFile
            self._files = [self._stack.enter_context(new()) for _ in range(FILES)]
        for trace, lines in self._traces.items():
            # A name without spaces of its own: an id need not be hex.
            name = trace.encode("utf-8", "replace").hex().encode()
            self._files[zlib.crc32(name) % FILES].writelines(b"%s %s\n" % (name, line) for line in lines)
        self._traces.clear()
        self._held = 0


def _each_once(lines: list[bytes]) -> list[Span]:
    """Each span once: an exporter that tries again sends it twice, one that reports progress sends it unfinished."""
    found: dict[str, tuple[int, bytes, Span]] = {}
    for line in lines:
        span = unpacked(line)
        entry = (span.end or 0, line, span)
        known = found.get(span.id)
        if known is None or entry[:2] > known[:2]:
            found[span.id] = entry
    return sorted((span for _, _, span in found.values()), key=lambda span: (span.start, span.id))
