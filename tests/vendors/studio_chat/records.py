"""What a Studio Chat account holds, as plain records that a test can count for itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Inbox:
    id: str
    name: str


@dataclass(frozen=True, slots=True)
class Playbook:
    """One version of an assistant, in use since `since`."""

    id: str
    base_id: str
    name: str
    version: int
    content: str
    kb_ids: tuple[str, ...]
    model: str
    inboxes: tuple[Inbox, ...]
    since: datetime
    by: str | None
    deleted: bool = False


@dataclass(frozen=True, slots=True)
class KnowledgeBase:
    id: str
    title: str
    kind: str
    status: str
    items: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A tool that a message called; `arguments` is JSON text, as on the wire."""

    id: str
    name: str
    arguments: str
    result: object
    kind: str


@dataclass(frozen=True, slots=True)
class Citation:
    id: str
    kb_id: str
    item_id: str
    content: str
    source: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Message:
    role: str
    content: str
    at: datetime
    latency_ms: int | None = None
    playbook: Playbook | None = None
    tool_calls: tuple[ToolCall, ...] = ()
    citations: tuple[Citation, ...] = ()
    winback: bool = False
    handoff: bool = False


@dataclass(frozen=True, slots=True)
class Signals:
    """What a scoring says of a conversation."""

    sentiment: str
    resources: str | None
    shift: str
    deflection_quality: str | None
    handoff_reason: str | None
    recontact_risk: str
    intent: str
    summary: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Rating:
    stars: int
    remark: str | None
    at: datetime


@dataclass(frozen=True, slots=True)
class ResourceCall:
    """A call of an API tool, a call of a toolkit or a load of a skill.

    Args:
        owner: The tool's id, the toolkit's slug or the skill's name.
        name: The tool's name, the toolkit's action or the skill's name.
    """

    id: str
    owner: str
    name: str
    at: datetime
    ok: bool
    error: str | None
    duration_ms: int | None
    given: Mapping[str, object]
    gave: object
    conversation_id: str | None


@dataclass(frozen=True, slots=True)
class Conversation:
    """A conversation; `signals` are those that scoring it brings, and `scored` whether it is scored from the start."""

    id: str
    inbox: Inbox
    messages: tuple[Message, ...]
    tags: tuple[str, ...]
    handoff: bool
    error: bool
    context: Mapping[str, object]
    signals: Signals | None
    scored: bool
    rating: Rating | None
    winback_at: datetime | None
    winback_answered: bool
    api_calls: tuple[ResourceCall, ...] = ()
    toolkit_calls: tuple[ResourceCall, ...] = ()
    skill_loads: tuple[ResourceCall, ...] = ()

    @property
    def first_at(self) -> datetime:
        return self.messages[0].at

    @property
    def last_at(self) -> datetime:
        return self.messages[-1].at

    @property
    def playbooks(self) -> list[Playbook]:
        """Every version that took part, in order of appearance."""
        return list({message.playbook.id: message.playbook for message in self.messages if message.playbook}.values())

    @property
    def playbook(self) -> Playbook:
        """The version that was active last."""
        return next(message.playbook for message in reversed(self.messages) if message.playbook)

    @property
    def latencies(self) -> list[int]:
        return [message.latency_ms for message in self.messages if message.latency_ms is not None]

    @property
    def skills(self) -> list[str]:
        return sorted({load.name for load in self.skill_loads})

    @property
    def citations(self) -> list[Citation]:
        return [citation for message in self.messages for citation in message.citations]

    def last_said(self, role: str) -> str:
        return next((message.content for message in reversed(self.messages) if message.role == role), "")


@dataclass(frozen=True, slots=True)
class Conversion:
    """An event of a conversion metric."""

    id: str
    conversation_id: str
    value: float
    at: datetime
    metadata: Mapping[str, object] | None


@dataclass(frozen=True, slots=True)
class Metric:
    """A conversion metric and its events."""

    id: str
    slug: str
    name: str
    unit: str
    enabled: bool
    created_at: datetime
    events: tuple[Conversion, ...]

    @property
    def last_event_at(self) -> datetime | None:
        return max((event.at for event in self.events), default=None)


@dataclass(frozen=True, slots=True)
class EvalCase:
    id: str
    base_id: str
    input: str
    expected: str
    tags: tuple[str, ...]
    enabled: bool


@dataclass(frozen=True, slots=True)
class EvalRun:
    id: str
    base_id: str
    at: datetime
    scores: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class ApiTool:
    id: str
    name: str
    method: str
    url: str


@dataclass(frozen=True, slots=True)
class Project:
    id: str
    name: str
    tone: str
    inboxes: tuple[Inbox, ...]
    playbooks: tuple[Playbook, ...]
    bases: tuple[KnowledgeBase, ...]
    tools: tuple[ApiTool, ...]
    conversations: tuple[Conversation, ...]
    metrics: tuple[Metric, ...]
    cases: tuple[EvalCase, ...]
    runs: tuple[EvalRun, ...]
    rates: bool  # whether customers are asked for a rating at all
    test_calls: tuple[ResourceCall, ...] = ()  # calls of API tools from outside of any conversation

    @property
    def api_calls(self) -> list[ResourceCall]:
        return [*self.test_calls, *(call for each in self.conversations for call in each.api_calls)]

    @property
    def toolkit_calls(self) -> list[ResourceCall]:
        return [call for each in self.conversations for call in each.toolkit_calls]

    @property
    def skill_loads(self) -> list[ResourceCall]:
        return [load for each in self.conversations for load in each.skill_loads]


@dataclass(frozen=True, slots=True)
class World:
    """An account: its projects at the moment `now`."""

    now: datetime
    projects: tuple[Project, ...]

    def project(self, id: str) -> Project | None:
        return next((project for project in self.projects if project.id == id), None)
