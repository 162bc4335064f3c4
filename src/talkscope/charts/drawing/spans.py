"""The spans of a turn as a waterfall has them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from talkscope.charts.drawing import theme, words
from talkscope.models.answers import Cell
from talkscope.models.text import clean

_DEEPEST = 6


@dataclass(frozen=True, slots=True)
class Span:
    """A span in milliseconds from the turn's start."""

    row: int
    offset: float
    length: float
    own: float
    depth: int
    ttfb: float | None
    name: str
    state: str
    text: str

    @property
    def end(self) -> float:
        """When it is over."""
        return self.offset + self.length


def span(record: Mapping[str, Cell]) -> Span:
    """The span of a turn answer's row; it gets its row in the picture later."""
    depth = int(record["depth"]) if isinstance(record["depth"], int | float) else 0
    made_by = "/".join(clean(str(record[each]), 60) for each in ("provider", "model") if record[each])
    name = clean(str(record["processor"] or "span"), 60)
    status = record["status"]
    length = ms(record["duration_ms"])
    code = record["error_code"]
    parts = [words.figure(length, "ms")]
    parts += [] if status in ("ok", None) else [clean(str(status), 24)]
    parts += [clean(str(code), 40)] if code else []
    ttfb = record["ttfb_ms"]
    return Span(
        row=0,
        offset=ms(record["offset_ms"]),
        length=length,
        own=ms(record["self_ms"]),
        depth=max(0, min(depth, _DEEPEST)),
        ttfb=ttfb if isinstance(ttfb, int | float) else None,
        name=f"{name} · {made_by}" if made_by else name,
        state=str(status) if status in theme.STATUS else theme.NO_STATUS,
        text=" · ".join(parts),
    )


def ms(value: Cell) -> float:
    """Milliseconds, 0 where they are unknown."""
    return value if isinstance(value, int | float) else 0.0
