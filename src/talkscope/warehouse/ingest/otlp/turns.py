"""One turn as an interaction: how long the user waited, from when, and whether an answer came."""

from __future__ import annotations

from datetime import timedelta

from talkscope.models.records import EPOCH
from talkscope.warehouse.documents import Item, first_number, text_of
from talkscope.warehouse.ingest.otlp.components import is_pipecat
from talkscope.warehouse.ingest.otlp.parts import PLATFORM, SECOND, Part
from talkscope.warehouse.ingest.otlp.tree import Turn
from talkscope.warehouse.ingest.otlp.wire import Span

_MEASURED = {"turn.user_bot_latency_seconds": "pipecat", "lk.e2e_latency": "livekit"}
_STAGES = ("lk.end_of_turn_delay", "lk.response.ttft", "lk.response.ttfb")
INTERRUPTED = "interaction.interrupted"


def interaction(turn: Turn, session: str, spoken: bool) -> Item:
    """The turn's record."""
    parts = turn.parts
    begun, until = min(part.span.start for part in parts), max(part.end for part in parts)
    latency, basis = _latency(turn)
    waited = _waited_from(turn, latency) if latency is not None and basis != "span" else None
    start = waited if waited is not None and begun <= waited <= until else begun
    status, stage = _status(turn)
    own = _itself(turn)
    facts: Item = dict(own.attributes) if own is not None else {}
    facts |= {"latency_basis": basis} if basis else {}
    # The wait begins when the user stops speaking, and the turn when they start.
    facts |= {"turn_start": _iso(begun)} if start != begun else {}
    return {
        "type": "interaction",
        "platform": PLATFORM,
        "interaction_id": turn.id,
        "session_id": session,
        "start_time_ns": start,
        "end_time_ns": until,
        "index": _index(parts[0]),
        "interaction_type": "voice_turn" if spoken else None,
        "latency_ms": latency,
        "status": status,
        "failure_stage": stage,
        "attributes": facts,
    }


def interruption(turn: Turn, session: str) -> Item | None:
    """The event that the user spoke over the agent, when they did."""
    for part in turn.parts:
        cut = part.flag("turn.was_interrupted") and not part.flag("turn.ended_by_conversation_end")
        if cut or part.flag("lk.interrupted"):
            return {
                "type": "event",
                "platform": PLATFORM,
                "session_id": session,
                "interaction_id": turn.id,
                "time_ns": part.end,
                "metric_name": INTERRUPTED,
            }
    return None


def _itself(turn: Turn) -> Span | None:
    return turn.parts[0].span if turn.kind == "pipecat" else None


def is_itself(part: Part) -> bool:
    """Whether the span is the turn, and no part of it: Pipecat's `turn`."""
    return part.span.name == "turn" and is_pipecat(part.span)


def _index(part: Part) -> int | None:
    number = part.number("turn.number")
    return int(number) if number is not None and number >= 0 else None


def _latency(turn: Turn) -> tuple[float | None, str | None]:
    """Milliseconds and what they are; a framework that measures some turns has not measured the others."""
    for key, kind in _MEASURED.items():
        seconds = next((found for part in turn.parts if (found := part.number(key)) is not None), None)
        if turn.kind == kind and seconds is not None and seconds >= 0:
            return round(seconds * 1_000, 6), key
    if turn.kind == "livekit":
        stages = [first_number(part.span.attributes.get(key) for part in turn.parts) for key in _STAGES]
        known = [seconds for seconds in stages if seconds is not None and seconds > 0]
        if len(known) == len(_STAGES):
            return round(sum(known) * 1_000, 6), " + ".join(_STAGES)
    if turn.kind in {"agent", "trace"}:
        roots = _roots(turn)
        if len(roots) == 1 and roots[0].span.end is not None and roots[0].end == roots[0].span.end:
            return (roots[0].end - roots[0].span.start) / 1_000_000, "span"
    return None, None


def _roots(turn: Turn) -> list[Part]:
    return [part for part in turn.parts if part.parent is None or part.parent.turn != turn.id]


def _waited_from(turn: Turn, latency: float | None) -> int | None:
    """When the user stopped speaking, as far as the spans let one work it out."""
    wait = round((latency or 0) * 1_000_000)
    for part in turn.parts:
        if part.livekit and part.span.name == "agent_speaking":
            return part.span.start - wait
    for part in turn.parts:
        delay = part.number("lk.end_of_turn_delay")
        if part.span.name == "user_turn" and delay:
            return part.end - round(delay * SECOND)
    # Pipecat counts a transcriber's first byte from the end of speech, and a voice's from its request.
    heard = [part for part in turn.parts if part.processor == "asr" and part.number("metrics.ttfb")]
    if heard:
        last = max(heard, key=lambda part: part.end)
        return last.end - round((last.number("metrics.ttfb") or 0) * SECOND)
    voiced = [part for part in turn.parts if part.processor == "tts" and part.number("metrics.ttfb")]
    if voiced:
        first = min(voiced, key=lambda part: part.span.start)
        return first.span.start + round((first.number("metrics.ttfb") or 0) * SECOND) - wait
    return None


def _status(turn: Turn) -> tuple[str | None, str | None]:
    """The turn's state, and the component that failed first and innermost where it failed.

    No framework says of a spoken turn that it failed: it did when something in it failed and nothing was spoken.
    """
    if turn.kind == "livekit" and not any(part.span.name == "agent_turn" for part in turn.parts):
        return None, None  # Nothing says why a user's turn was not answered.
    failed = [part for part in turn.parts if part.failed]
    silent = turn.kind in {"pipecat", "livekit"} and not any(
        part.processor in {"tts", "agent_speaking"} and not part.failed for part in turn.parts
    )
    broken = next((part for part in _roots(turn) if part.failed), None)
    if not failed or (broken is None and not silent):
        return "ok", None
    above = {id(part.parent) for part in failed}
    innermost = [part for part in failed if id(part) not in above]
    first = min(innermost, key=lambda part: (part.span.start, part.span.id))
    return (broken or first).status, text_of(first.processor)


def _iso(nanoseconds: int) -> str:
    return (EPOCH + timedelta(microseconds=nanoseconds // 1_000)).isoformat()
