"""A PNG's pixels, read by the book and by nothing that drew them."""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass

Pixel = tuple[int, ...]


@dataclass(frozen=True)
class Picture:
    width: int
    height: int
    rows: list[bytes]
    chunks: list[str]

    def at(self, x: int, y: int) -> Pixel:
        return tuple(self.rows[y][4 * x : 4 * x + 4])

    def colours(self) -> set[Pixel]:
        return {self.at(x, y) for y in range(self.height) for x in range(self.width)}


def size(png: bytes) -> tuple[int, int]:
    """Width and height, as the header has them."""
    assert png[:16] == b"\x89PNG\r\n\x1a\n\x00\x00\x00\x0dIHDR"
    width, height = struct.unpack(">II", png[16:24])
    return width, height


def picture(png: bytes) -> Picture:
    """The picture, its checksums compared; eight bits each of red, green, blue and alpha, rows unfiltered."""
    width, height = size(png)
    assert png[24:29] == b"\x08\x06\x00\x00\x00"
    packed, kinds, at = b"", [], 8
    while at < len(png):
        length, kind = struct.unpack(">I4s", png[at : at + 8])
        body = png[at + 8 : at + 8 + length]
        assert struct.unpack(">I", png[at + 8 + length : at + 12 + length])[0] == zlib.crc32(kind + body)
        kinds.append(kind.decode())
        packed += body if kind == b"IDAT" else b""
        at += 12 + length
    raw, stride = zlib.decompress(packed), 4 * width + 1
    assert len(raw) == stride * height
    rows: list[bytes] = []
    for y in range(height):
        rows.append(_row(raw[y * stride], raw[y * stride + 1 : (y + 1) * stride], rows[-1] if rows else bytes(stride)))
    return Picture(width, height, rows, kinds)


def _row(filtered: int, line: bytes, above: bytes) -> bytes:
    assert filtered in (0, 1, 2), "the other two filters are not used here"
    out = bytearray(line)
    for i in range(len(out)):
        before = out[i - 4] if i >= 4 else 0
        out[i] = (out[i] + (0, before, above[i])[filtered]) & 255
    return bytes(out)
