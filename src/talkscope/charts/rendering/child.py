"""The process that draws: takes specs on its stdin, gives pictures on its stdout, and ends when nobody asks any more.

A request is two frames: what is wanted as JSON, and the spec. An answer is one: `+` and the bytes, or `-` and why not.
Drawing holds the interpreter's lock from its first to its last instruction, which is why it is done in here.
"""

from __future__ import annotations

import faulthandler
import json
import math
import os
import re
import signal
from typing import IO, TypedDict

from talkscope.charts.rendering import frames, png

_GRACE = 5.0
_SMALLEST = 0.2
# Marks that only a pointer finds. Painting nothing takes longer than painting something: each gets a layer of its own.
_UNSEEN = re.compile(r'<(\w+)\b[^>]*\sopacity="0"[^>]*?(?:/>|></\1>)')
_GLOBALS = "window.vegaEmbed = vegaEmbed; window.vegaLite = vegaLite; window.vega = vega;"


class Wanted(TypedDict):
    """What a request asks for: a kind of picture (or the `bundle`), drawn by a version of Vega-Lite.

    `most` is the size in bytes that a PNG may have, or null; `seconds` is when nobody waits any longer.
    """

    kind: str
    version: str
    scale: float
    most: int | None
    seconds: float


def main() -> None:
    """Answer requests until stdin ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's business
    asked, answers = _pipes()
    while True:
        head, spec = frames.read(asked), frames.read(asked)
        if head is None or spec is None:
            return
        wanted: Wanted = json.loads(head)
        # While something is drawn, no signal and no thread gets through; this ends it even when the parent is gone.
        faulthandler.dump_traceback_later(wanted["seconds"] + _GRACE, exit=True)
        try:
            answer = b"+" + _made(wanted, spec.decode())
        except Exception as error:  # noqa: BLE001 - whatever is wrong with a spec, the next one can be drawn
            answer = b"-" + f"{type(error).__name__}: {error}".encode(errors="replace")
        faulthandler.cancel_dump_traceback_later()
        try:
            frames.write(answers, answer)
        except OSError:
            return


def _pipes() -> tuple[IO[bytes], IO[bytes]]:
    """The parent's questions and the way for answers; what anything prints goes nowhere."""
    asked, answers = os.dup(0), os.dup(1)
    nowhere = os.open(os.devnull, os.O_RDWR)
    for number in (0, 1):
        os.dup2(nowhere, number)
    return os.fdopen(asked, "rb", buffering=0), os.fdopen(answers, "wb", buffering=0)


def _made(wanted: Wanted, spec: str) -> bytes:
    import vl_convert

    if wanted["kind"] == "bundle":
        return vl_convert.javascript_bundle(_GLOBALS, vl_version=wanted["version"]).encode()
    svg = vl_convert.vegalite_to_svg(spec, vl_version=wanted["version"], allowed_base_urls=[])
    if wanted["kind"] == "svg":
        return svg.encode()
    svg = _UNSEEN.sub("", svg)
    if wanted["kind"] == "pdf":
        return vl_convert.svg_to_pdf(svg)
    return _png(svg, wanted["scale"], wanted["most"])


def _png(svg: str, scale: float, most: int | None) -> bytes:
    """The picture at that scale, or at the largest below it at which it is small enough."""
    import vl_convert

    while True:
        picture = png.tight(vl_convert.svg_to_png(svg, scale=scale))
        if most is None or len(picture) <= most:
            return picture
        if scale <= _SMALLEST:
            raise ValueError(f"the picture has more than {most:,} bytes at any scale")
        scale = max(_SMALLEST, min(0.8, 0.9 * math.sqrt(most / len(picture))) * scale)


if __name__ == "__main__":
    main()
