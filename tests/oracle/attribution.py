"""Where the time of a turn goes: each instant to the deepest active span, over many turns or within one trace."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from .facts import SESSION_DIMENSIONS, SPAN_DIMENSIONS, TURN_DIMENSIONS, Fact, Telemetry
from .measures import Where, check_where, matches
from .quantiles import percentile
from .reading import ms_to_us

UNATTRIBUTED = None
"""The group of the time that no span covers."""
NO_VALUE = ""
"""The group of the time of spans that say nothing on the dimension."""


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of a turn, [start, end) in microseconds, and the span it goes to, None where none is active."""

    start: int
    end: int
    span: Fact | None


@dataclass(frozen=True, slots=True)
class Attribution:
    """Summed microseconds by group, their total (the summed latency), and how many turns they are of."""

    shares: dict[str | None, int]
    total: int
    turns: int


@dataclass(frozen=True, slots=True)
class TraceSpan:
    """One span of a trace: microseconds from the interaction's start, ancestors in the session, time of its own."""

    key: str
    offset: int
    duration: int
    depth: int
    self_us: int
    leaf: bool


@dataclass(frozen=True, slots=True)
class Trace:
    """One interaction: its span list by (start, depth, key), its frame's length, and what each instant goes to."""

    interaction: Fact
    length: int
    spans: list[TraceSpan]
    gaps: list[tuple[int, int]]
    """Offsets [from, to) that no span covers."""
    path: list[tuple[int, int, str | None]]
    """Offsets [from, to) and the key of the span each goes to, in order and without joints inside one span."""


def pieces(start: int, end: int, spans: Sequence[Fact]) -> list[Piece]:
    """[start, end) cut so that each piece goes whole to one span: deepest, then latest start, then smallest key."""
    cuts = {start, end}
    for span in spans:
        assert span.end is not None
        cuts |= {edge for edge in (span.start, span.end) if start < edge < end}
    ordered = sorted(cuts)
    found: list[Piece] = []
    for first, last in itertools.pairwise(ordered):
        active = [span for span in spans if span.start <= first and span.end is not None and span.end >= last]
        best = min(active, key=lambda span: (-span.depth, -span.start, span.key), default=None)
        if found and found[-1].span is best:
            found[-1] = Piece(found[-1].start, last, best)
        else:
            found.append(Piece(first, last, best))
    return found


def spans_by_turn(data: Telemetry) -> dict[tuple[str, str], list[Fact]]:
    """The spans that carry each interaction's id."""
    found: dict[tuple[str, str], list[Fact]] = {}
    for span in data.spans:
        if span.turn is not None:
            found.setdefault(span.turn, []).append(span)
    return found


def timed_turns(turns: Iterable[Fact], percent: int | None) -> list[Fact]:
    """The turns whose latency is known and, when a percentile is asked, at or above it."""
    known = [turn for turn in turns if turn.value is not None]
    if percent is None or not known:
        return known
    threshold = percentile([turn.value for turn in known if turn.value is not None], percent)
    assert threshold is not None
    return [turn for turn in known if turn.value is not None and turn.value >= threshold]


def attribution(
    data: Telemetry, start: int, end: int, *, by: str, percent: int | None = None, where: Where = ()
) -> Attribution:
    """The latency of the window's turns by what the covering span says on a dimension."""
    if by not in [*SPAN_DIMENSIONS, *SESSION_DIMENSIONS, "interaction_type"]:
        raise ValueError(f"cannot attribute to {by}")
    check_where(where, [*SESSION_DIMENSIONS, *TURN_DIMENSIONS])
    turns = [turn for turn in data.interactions if start <= turn.start < end and matches(turn, where)]
    chosen = timed_turns(turns, percent)
    spans = spans_by_turn(data)
    shares: Counter[str | None] = Counter()
    total = 0
    for turn in chosen:
        assert turn.value is not None
        assert turn.turn is not None
        length = ms_to_us(turn.value)
        total += length
        for piece in pieces(turn.start, turn.start + length, spans.get(turn.turn, [])):
            group = UNATTRIBUTED if piece.span is None else piece.span.dims[by] or NO_VALUE
            shares[group] += piece.end - piece.start
    return Attribution({group: share for group, share in shares.items() if share}, total, len(chosen))


def _frame_end(turn: Fact, spans: Sequence[Fact]) -> int:
    """Where the turn's frame ends: with its latency, else its end, else its last span."""
    if turn.value is not None:
        return turn.start + ms_to_us(turn.value)
    if turn.end is not None:
        return turn.end
    return max([turn.start, *(span.end for span in spans if span.end is not None)])


def trace(data: Telemetry, interaction_id: str, platform: str | None = None) -> Trace:
    """The trace of one interaction; KeyError when the id is unknown, or known to several platforms and none named."""
    found = [turn for turn in data.interactions if turn.key == interaction_id and platform in (None, turn.platform)]
    if len(found) != 1:
        raise KeyError(f"{interaction_id} names {len(found)} interactions")
    turn = found[0]
    assert turn.turn is not None
    spans = spans_by_turn(data).get(turn.turn, [])
    cut = pieces(turn.start, _frame_end(turn, spans), spans)
    own: Counter[str] = Counter()
    for piece in cut:
        if piece.span is not None:
            own[piece.span.key] += piece.end - piece.start
    rows = [
        TraceSpan(
            span.key,
            span.start - turn.start,
            (span.end or span.start) - span.start,
            span.depth,
            own[span.key],
            span.leaf,
        )
        for span in sorted(spans, key=lambda span: (span.start, span.depth, span.key))
    ]
    path = [(piece.start - turn.start, piece.end - turn.start, piece.span.key if piece.span else None) for piece in cut]
    gaps = [(first, last) for first, last, key in path if key is None]
    return Trace(turn, _frame_end(turn, spans) - turn.start, rows, gaps, path)
