"""The spans of one trace as a tree: what holds what, whose session each is of, and which turn it belongs to."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from talkscope.warehouse.documents import Item, text_of
from talkscope.warehouse.ingest.otlp.components import is_pipecat
from talkscope.warehouse.ingest.otlp.parts import Part, part_of, said
from talkscope.warehouse.ingest.otlp.wire import Span

SESSIONS = ("gen_ai.conversation.id", "conversation.id", "session.id", "langfuse.session.id", "lk.job_id")
_USER_SPANS = {"user_turn", "user_speaking"}
_WRAPPED = {"llm", "tts"}
_INNER = {"library", "attempt"}
_SPEECH = {"asr", "tts"}


@dataclass(slots=True)
class Turn:
    """One turn of a trace and the spans in it, the outermost ones first."""

    id: str
    kind: Literal["pipecat", "livekit", "agent", "trace"]
    parts: list[Part] = field(default_factory=list)


@dataclass(slots=True)
class Tree:
    """A trace: its spans outermost first, its turns, and the spans that are the session or a turn themselves."""

    id: str
    parts: list[Part]
    turns: dict[str, Turn]
    sessions: list[Part] = field(default_factory=list)
    rooted: bool = True
    """Whether the span that it began with is there."""
    spoken: bool = False
    resources: dict[str, Item] = field(default_factory=dict)
    """The attributes of each resource, by the digest that its spans name."""


def tree(spans: list[Span], resources: Mapping[str, Item]) -> Tree | None:
    """The trace of these spans; None when nothing in it is of a conversation, an agent or a model."""
    parts = _nested([part_of(span) for span in spans])
    found = Tree(spans[0].trace, parts, {})
    found.resources = {span.resource: resources[span.resource] for span in spans}
    named = _sessions(parts, found)
    if not named and all(part.sort in {"library", "other"} and not _shapes(part) for part in parts):
        return None
    _relate(parts)
    for part in parts:
        # Both are one call: the node that the pipeline runs, and the request that it makes.
        if part.livekit and part.span.name.endswith("_node") and part.processor in _WRAPPED & part.holds:
            part.processor = part.span.name
    found.sessions = [part for part in parts if _is_session(part)]
    found.spoken = any(part.processor in _SPEECH or part.livekit or is_pipecat(part.span) for part in parts)
    found.rooted = any(part.parent is None and (part.span.parent is None or part.span.entry) for part in parts)
    _turns(found)
    return found


def _relate(parts: list[Part]) -> None:
    """Tell each part what speech and models it holds, what it is the inner work of, and whether an agent holds it."""
    for part in parts:
        above = part.parent
        while above is not None and part.processor in _SPEECH | _WRAPPED and part.processor not in above.holds:
            above.holds.add(part.processor)
            above = above.parent
        if (above := part.parent) is not None:
            part.under_agent = above.under_agent or above.processor == "agent"
            if part.sort in _INNER:
                alone = above.sort == "component" and above.processor not in {"agent", "chain"}
                part.work_of = above.work_of if above.sort in _INNER else above if alone else None


def _nested(parts: list[Part]) -> list[Part]:
    """The parts with their parents set, each after the one that holds it; a loop is cut at its earliest span."""
    by_id = {part.span.id: part for part in parts}
    below: dict[str, list[Part]] = {}
    waiting: list[Part] = []
    for part in parts:
        parent = by_id.get(part.span.parent or "")
        if parent is None or parent is part:
            waiting.append(part)
        else:
            part.parent = parent
            below.setdefault(parent.span.id, []).append(part)
    order: list[Part] = []
    met: set[str] = set()
    for start in [waiting, parts]:
        for root in start:
            if root.span.id in met:
                continue
            root.parent = None
            met.add(root.span.id)
            fresh = [root]
            while fresh:
                order.extend(fresh)
                fresh = [each for part in fresh for each in below.get(part.span.id, ()) if each.span.id not in met]
                met.update(part.span.id for part in fresh)
    return order


def _sessions(parts: list[Part], found: Tree) -> bool:
    """Give each part its session: that of the outermost span above that names one, else the one that the trace names.

    A model's own conversation inside a call is thereby no session of its own.
    """
    for part in parts:
        part.session = (part.parent.session if part.parent else None) or _named(part.span.attributes)
    first = next((part.session for part in parts if part.session), None)
    stated = first or next((name for facts in found.resources.values() if (name := _named(facts))), None)
    for part in parts:
        part.session = part.session or stated or found.id
    return stated is not None


def _named(facts: Item) -> str | None:
    if found := said(facts, SESSIONS):
        return found
    # LiveKit Cloud's names for the two, on its resources and spans.
    return text_of(facts.get("job_id")) if "room_id" in facts else None


def _is_session(part: Part) -> bool:
    if part.livekit and part.span.name in {"job_entrypoint", "agent_session"}:
        return True
    return part.span.name == "conversation" and is_pipecat(part.span)


def _shapes(part: Part) -> bool:
    """Whether the span is a session or a turn of a framework."""
    return _is_session(part) or is_pipecat(part.span) or part.livekit


def _turns(found: Tree) -> None:
    """Find the turns of the trace, and give each part the one that it is in."""
    answers = _answers(found)
    framework = found.sessions or any(_shapes(part) for part in found.parts)
    agents = not framework and any(_agent(part) and part.holds & _SPEECH for part in found.parts)
    for part in found.parts:
        above = found.turns.get(part.parent.turn or "") if part.parent else None
        if framework or agents:
            turn = _own_turn(part, answers, agents and above is None) or above
        else:
            turn = above or Turn(found.id, "trace")
        if turn is not None:
            turn = found.turns.setdefault(turn.id, turn)
            part.turn = turn.id
            turn.parts.append(part)


def _own_turn(part: Part, answers: Mapping[str, str], agents: bool) -> Turn | None:
    """The turn that a part begins, or that it is known to belong to."""
    if part.span.name == "turn" and is_pipecat(part.span):
        return Turn(part.span.key, "pipecat")
    if part.span.id in answers:
        return Turn(answers[part.span.id], "livekit")
    return Turn(part.span.key, "agent") if agents and _agent(part) else None


def _agent(part: Part) -> bool:
    return part.says(("gen_ai.operation.name",)) == "invoke_agent"


def _answers(found: Tree) -> dict[str, str]:
    """The turn of each of LiveKit's agent turns, by its speech, and of the user's turns, by the speech that answers.

    Nothing in a user's turn names what answers it: it is what the agent begins before the user's next turn, one
    that measured its latency before one that was thrown away.
    """
    turns: dict[str, str] = {}
    agent: list[tuple[int, str, bool]] = []
    user: list[Part] = []
    speaking: list[Part] = []
    for part in sorted(found.parts, key=lambda part: (part.span.start, part.span.id)):
        if part.livekit and part.span.name == "agent_turn":
            speech = turns[part.span.id] = part.says(("lk.speech_id",)) or part.span.key
            agent.append((part.span.start, speech, "lk.e2e_latency" in part.span.attributes))
        elif part.livekit and part.span.name in _USER_SPANS:
            (user if part.span.name == "user_turn" else speaking).append(part)
    starts = [start for start, _, _ in agent]
    taken: set[str] = set()
    for number, part in enumerate(user):
        until = user[number + 1].span.start if number + 1 < len(user) else None
        low = bisect_right(starts, part.span.start)
        high = len(agent) if until is None else bisect_right(starts, until)
        free = [each for each in agent[low:high] if each[1] not in taken]
        answer = next((speech for _, speech, measured in free if measured), free[0][1] if free else part.span.key)
        taken.add(answer)
        turns[part.span.id] = answer
    begun = [part.span.start for part in user]
    for part in speaking:
        at = bisect_right(begun, part.end) - 1
        if at >= 0 and user[at].end >= part.span.start:
            turns[part.span.id] = turns[user[at].span.id]
    return turns
