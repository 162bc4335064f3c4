"""One turn and its spans: where they lie in the turn, the gaps between them, and the time each has of its own."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from talkscope.insights.attribution import Attribution, Interval, attribute
from talkscope.models.answers import Cell, TurnFacts
from talkscope.models.window import iso

COLUMNS = (
    "kind offset_ms duration_ms self_ms processor provider model status error_code depth ttfb_ms span_id"
).split()
UNITS = {"offset_ms": "ms", "duration_ms": "ms", "self_ms": "ms", "ttfb_ms": "ms"}


@dataclass(frozen=True, slots=True)
class Turn:
    """An interaction; times in microseconds, latency in milliseconds; `texts` are the named texts of TurnFacts."""

    interaction_id: str
    session_id: str
    platform: str
    start: int
    end: int | None
    latency_ms: float | None
    texts: Mapping[str, str | None]
    derived: bool = False


@dataclass(frozen=True, slots=True)
class Span:
    """A component's work; times in microseconds; the key decides between spans of one start and depth."""

    key: str
    span_id: str | None
    start: int
    end: int
    depth: int
    processor: str
    provider: str | None
    model: str | None
    status: str | None
    error_code: str | None
    ttfb_ms: float | None

    @property
    def length_ms(self) -> float:
        """How long it took."""
        return (self.end - self.start) / 1_000


@dataclass(frozen=True, slots=True)
class Trace:
    """A turn, the microsecond at which its frame ends, its spans in order of time and where the time goes."""

    turn: Turn
    end: int
    spans: list[Span]
    time: Attribution

    @property
    def length(self) -> int:
        """The length of the frame, in microseconds."""
        return max(0, self.end - self.turn.start)


def traced(turn: Turn, spans: Sequence[Span], end: int | None = None) -> Trace:
    """The turn with its spans, which are in order of time; its frame ends at `end`.

    Where that is not given it ends with the turn's latency, else with its end, else with its last span.
    """
    if end is None:
        end = _frame_end(turn, spans)
    intervals = [Interval(each.start, each.end, each.depth, each.key) for each in spans]
    return Trace(turn, end, list(spans), attribute(turn.start, end, intervals))


def _frame_end(turn: Turn, spans: Sequence[Span]) -> int:
    if turn.latency_ms is not None:
        return turn.start + round(turn.latency_ms * 1_000)
    if turn.end is not None:
        return turn.end
    return max([turn.start, *(span.end for span in spans)])


def containing(spans: Sequence[tuple[int, int]]) -> list[int]:
    """How many of the intervals [start, end) hold each of them whole; equal ones hold each other not.

    What stands in for depth where parents are unknown. Takes n log n steps.
    """
    ends = sorted({end for _, end in spans})
    # A tree of counts over the ends, from the latest down.
    tree = [0] * (len(ends) + 1)
    depths = [0] * len(spans)
    order = sorted(range(len(spans)), key=lambda index: (spans[index][0], -spans[index][1]))
    before: tuple[int, int] | None = None
    equal = 0
    for index in order:
        equal = equal + 1 if spans[index] == before else 0
        before = spans[index]
        at = place = len(ends) - bisect_left(ends, spans[index][1])
        held = 0
        while at > 0:
            held += tree[at]
            at -= at & -at
        depths[index] = held - equal
        while place <= len(ends):
            tree[place] += 1
            place += place & -place
    return depths


def rows(trace: Trace) -> list[list[Cell]]:
    """The turn's spans and gaps in order of their offset, a cell for each of COLUMNS."""
    start = trace.turn.start
    placed = [(span.start, 0, _row(span, start, own)) for span, own in zip(trace.spans, trace.time.own, strict=True)]
    rest: list[Cell] = [None] * (len(COLUMNS) - 3)
    for first, last in trace.time.gaps:
        row: list[Cell] = ["gap", (first - start) / 1_000, (last - first) / 1_000, *rest]
        placed.append((first, 1, row))
    return [row for _, _, row in sorted(placed, key=lambda each: each[:2])]


def _row(span: Span, start: int, own: int) -> list[Cell]:
    return [
        "span",
        (span.start - start) / 1_000,
        span.length_ms,
        own / 1_000,
        span.processor,
        span.provider,
        span.model,
        span.status,
        span.error_code,
        span.depth,
        _ms(span.ttfb_ms),
        span.span_id,
    ]


def basis(frame: str) -> str:
    """What a trace's figures are over, where the turn lasts as long as `frame`."""
    return (
        f"offsets from the turn's start; the turn lasts as long as {frame}; self_ms is the time in which a span is the"
        " deepest active one, latest started first; self_ms and gaps add up to total_ms"
    )


def notes(trace: Trace) -> list[str]:
    """What to know of a trace that has no spans, or some that reach outside the turn."""
    said = [] if trace.spans else ["No spans were recorded for this turn."]
    start, end = trace.turn.start, trace.end
    outside = sum(span.start < start or span.end > end for span in trace.spans)
    if outside:
        said.append(f"{outside} of {len(trace.spans)} spans reach outside the turn; that part is in no self_ms.")
    return said


def turn_facts(trace: Trace, zone: str) -> TurnFacts:
    """The turn as an answer shows it."""
    turn = trace.turn
    return TurnFacts(
        interaction_id=turn.interaction_id,
        session_id=turn.session_id,
        platform=turn.platform,
        start_time=iso(turn.start, zone),
        end_time=None if turn.end is None else iso(turn.end, zone),
        latency_ms=_ms(turn.latency_ms),
        total_ms=trace.length / 1_000,
        unattributed_ms=trace.time.unattributed / 1_000,
        derived=turn.derived,
        **turn.texts,
    )


def _ms(value: float | None) -> float | None:
    return None if value is None else round(value, 3)
