"""The sessions of a file, put together from what each of their traces says."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from talkscope.warehouse.documents import Found, Item
from talkscope.warehouse.ingest.otlp.parts import PLATFORM, Part, said
from talkscope.warehouse.ingest.otlp.tree import Tree

_AGENT_IDS = ("gen_ai.agent.id", "gen_ai.agent.name")
_AGENT_NAMES = ("gen_ai.agent.name", "lk.agent_name", "lk.agent_label")
_USERS = ("user.id", "enduser.id", "user_id", "langfuse.user.id", "lk.pii.participant_identity", "lk.participant_id")
_LANGUAGES = ("gen_ai.speech.input.language", "language", "lk.eou.language")
_CHANNELS = ("channel", "conversation.type")
_NO_SERVICE = "unknown_service"


@dataclass(frozen=True, slots=True)
class _Told:
    """What one trace says of a session."""

    start: int
    trace: str
    record: Item
    attributes: Item


@dataclass(slots=True)
class _Session:
    told: list[_Told] = field(default_factory=list)
    end: int | None = None
    agents: dict[str, int] = field(default_factory=dict)
    """The assistants that took part, and when each began."""


class Sessions:
    """Sessions that may still grow."""

    def __init__(self) -> None:
        self._known: dict[str, _Session] = {}

    def meet(self, tree: Tree) -> None:
        """Note what a trace says of its sessions."""
        itself = {id(part) for part in tree.sessions}
        for name, parts in _by_session(tree.parts).items():
            if name == tree.id and not tree.rooted:
                continue  # The session is named elsewhere in the trace: until that comes, the warehouse derives one.
            session = self._known.setdefault(name, _Session())
            own = [part for part in parts if id(part) in itself]
            # Outer spans have the word, and the session's own spans before all.
            facts: Item = {}
            for each in reversed(list(tree.resources.values())):
                facts |= each
            for part in reversed(own):
                facts |= {**part.span.more, **part.span.attributes}
            start = min(part.span.start for part in parts)
            session.told.append(_Told(start, tree.id, _record(parts, own, tree), facts))
            if any(part.span.end is not None for part in own):
                session.end = max(session.end or 0, *(part.end for part in parts))
            for part in parts:
                if part.processor == "agent" and not part.under_agent and (agent := part.says(_AGENT_IDS)):
                    session.agents[agent] = min(part.span.start, session.agents.get(agent, part.span.start))

    def close(self) -> Iterator[Found]:
        """Each session; the earliest trace has the word on who took part and how."""
        for name, session in self._known.items():
            record: Item = {}
            attributes: Item = {}
            told = sorted(session.told, key=lambda each: (each.start, each.trace))
            for each in reversed(told):
                record |= {key: value for key, value in each.record.items() if value}
                attributes |= each.attributes
            agents = sorted(session.agents, key=lambda agent: (session.agents[agent], agent))
            if agents:
                record |= {"character_id": agents[0], "participants": agents if len(agents) > 1 else None}
            record |= {"type": "session", "platform": PLATFORM, "session_id": name, "attributes": attributes}
            yield f"session {name}", {**record, "start_time_ns": told[0].start, "end_time_ns": session.end}


def _by_session(parts: list[Part]) -> dict[str, list[Part]]:
    found: dict[str, list[Part]] = {}
    for part in parts:
        found.setdefault(part.session or "", []).append(part)
    return found


def _record(parts: list[Part], own: list[Part], tree: Tree) -> Item:
    resources = list(tree.resources.values())
    services = [name for facts in resources if (name := said(facts, ("service.name",)))]
    service = next((name for name in services if not name.startswith(_NO_SERVICE)), None)
    spoken = "voice" if tree.spoken else None
    # LiveKit's agent is a participant too, on its own turns: only the user's spans say who the user is.
    people = [part for part in parts if not part.livekit or part.span.name in {"user_turn", "user_speaking"}]
    agent = _first(own + parts, resources, _AGENT_NAMES) or service
    return {
        "app_key": service,
        "character_id": _first(own + parts, resources, _AGENT_IDS) or agent,
        "character_name": agent,
        "end_user_id": _first(people, resources, _USERS),
        "channel": _first(own + parts, resources, _CHANNELS) or spoken,
        "language": _first(parts, resources, _LANGUAGES),
        "status": "error" if any(part.failed for part in own) else None,
    }


def _first(parts: list[Part], resources: list[Item], keys: tuple[str, ...]) -> str | None:
    """The first that a span says, outer ones first, or else a resource."""
    told = (part.span.attributes for part in parts)
    return next((found for facts in (*told, *resources) if (found := said(facts, keys))), None)
