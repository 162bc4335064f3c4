"""What made a turn slow: its components by their share of its time, each against its usual time, and a verdict."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from talkscope.insights.attribution import shares
from talkscope.insights.traces import Span, Trace
from talkscope.models.answers import Cell
from talkscope.models.text import clean

COLUMNS = ("processor provider model self_ms share offset_ms duration_ms status typical_ms times_typical").split()
UNITS = {"self_ms": "ms", "share": "fraction", "offset_ms": "ms", "duration_ms": "ms", "typical_ms": "ms"}
LEAST = 3
"""Fewer spans of a processor say nothing of what is usual: one of them may be the very span to compare."""


@dataclass(frozen=True, slots=True)
class Usual:
    """Median milliseconds by processor, and by processor, provider and model where there are enough spans."""

    by_processor: Mapping[str, float]
    by_model: Mapping[tuple[str, str | None, str | None], float] = field(default_factory=dict)

    def of(self, processor: str, provider: str | None, model: str | None) -> float | None:
        """What is usual for a span of this kind, None when there are hardly any like it."""
        return self.by_model.get((processor, provider, model), self.by_processor.get(processor))


@dataclass(frozen=True, slots=True)
class Part:
    """One span's share of the turn: microseconds of its own and what is usual for its like, in ms."""

    span: Span
    own: int
    usual: float | None

    @property
    def times(self) -> float | None:
        """How many times its usual time it took."""
        return round(self.span.length_ms / self.usual, 2) if self.usual else None


def parts(trace: Trace, known: Usual) -> list[Part]:
    """The spans that have time of their own, most first."""
    found = [
        Part(span, own, known.of(span.processor, span.provider, span.model))
        for span, own in zip(trace.spans, trace.time.own, strict=True)
        if own
    ]
    return sorted(found, key=lambda part: (-part.own, part.span.start, part.span.key))


def rows(trace: Trace, parts: Sequence[Part]) -> list[list[Cell]]:
    """The components, largest share first, what no span covers last; a cell for each of COLUMNS."""
    rest = trace.time.unattributed
    fractions = shares([*(part.own for part in parts), rest], trace.length)
    found: list[list[Cell]] = [
        [
            part.span.processor,
            part.span.provider,
            part.span.model,
            part.own / 1_000,
            share,
            (part.span.start - trace.turn.start) / 1_000,
            part.span.length_ms,
            part.span.status,
            None if part.usual is None else round(part.usual, 3),
            part.times,
        ]
        for part, share in zip(parts, fractions, strict=False)
    ]
    if rest:
        found.append(["unattributed", None, None, rest / 1_000, fractions[-1], None, None, None, None, None])
    return found


def verdict(trace: Trace, parts: Sequence[Part]) -> str:
    """One sentence that names the bottleneck: the component with most time, transport only when there is no other."""
    whole = trace.length
    rest = trace.time.unattributed
    eligible = [part for part in parts if part.span.processor != "transport"] or list(parts)
    lost = f"no span covers {_ms(rest)} ({_percent(rest, whole)}) of the turn's {_ms(whole)}"
    if not eligible:
        return f"{lost[0].upper()}{lost[1:]}: its spans say nothing about where the time went."
    alike: dict[tuple[str, str | None, str | None], list[Part]] = {}
    for part in eligible:
        alike.setdefault((part.span.processor, part.span.provider, part.span.model), []).append(part)
    most = max(alike.values(), key=lambda own: sum(part.own for part in own))
    total = sum(part.own for part in most)
    longest = max(most, key=lambda part: part.span.end - part.span.start)
    named = f"{_name(longest.span)} took {_ms(total)} ({_percent(total, whole)})"
    compared = _against_usual(most, longest)
    if rest > total:
        return f"Most of the time is unattributed: {lost}; of the rest, {named}{compared}."
    return f"{named} of the turn's {_ms(whole)}{compared}."


def _against_usual(most: Sequence[Part], longest: Part) -> str:
    several = f" in {len(most)} spans" if len(most) > 1 else ""
    which = "the longest of them" if several else "it"
    if longest.usual is None or longest.times is None:
        return f"{several}; how long is usual for it is not known"
    usual = f"the usual {_ms(longest.usual * 1_000)}"
    lasted = f"{which} lasted {_ms(longest.span.length_ms * 1_000)}"
    if 0.8 <= longest.times <= 1.25:
        return f"{several}; {lasted}, about {usual}"
    return f"{several}; {lasted}, {longest.times:g} times {usual}"


def _name(span: Span) -> str:
    made = " ".join(clean(word, 60) for word in (span.provider, span.model) if word)
    return clean(span.processor, 60) + (f" ({made})" if made else "")


def _ms(us: float) -> str:
    return f"{us / 1_000:,.0f} ms" if us >= 10_000 else f"{us / 1_000:.3g} ms"


def _percent(part: int, whole: int) -> str:
    return f"{100 * part / whole:.0f} %" if whole else "0 %"
