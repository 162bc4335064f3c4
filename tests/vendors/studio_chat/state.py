"""What the server keeps between requests, and the forms that it writes things in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from tests.vendors.engine import Asked, Refused
from tests.vendors.studio_chat.records import Conversation, KnowledgeBase, Project, Signals, World


@dataclass(frozen=True, slots=True)
class Habits:
    """Which of the documented forms the server uses, where the documents give several or leave the form open.

    Args:
        label_names: Summaries say `sentiment_label` and `resources_label`, as the list's rows do.
        lower_case: Kinds of knowledge bases are in lower case.
        enveloped: Lists whose envelope is unstated come under `items`.
        naive_times: Times come without an offset.
        dated_buckets: Buckets of a day are named by the date alone.
    """

    label_names: bool = False
    lower_case: bool = False
    enveloped: bool = False
    naive_times: bool = False
    dated_buckets: bool = True


@dataclass(slots=True)
class Job:
    """A topic analysis on its way; each look at it takes it a step further."""

    id: str
    wanted: tuple[tuple[str, ...], tuple[str, ...]]
    looks: int = 0
    analysis_id: str | None = None


@dataclass(slots=True)
class Studio:
    """A running account.

    Args:
        world: The records; they never change.
        habits: The forms of its answers.
        scored: Conversations that were scored on request, by project and id.
        jobs: Topic analyses asked for, by project and job id.
        analyses: Topic analyses made, by project and analysis id.
    """

    world: World
    habits: Habits = Habits()
    scored: set[tuple[str, str]] = field(default_factory=set)
    jobs: dict[tuple[str, str], Job] = field(default_factory=dict)
    analyses: dict[tuple[str, str], dict[str, object]] = field(default_factory=dict)

    def project(self, asked: Asked) -> Project:
        """The project that the path names; 404 when there is none."""
        found = self.world.project(asked.path["project_id"])
        if found is None:
            raise Refused(404, "project not found")
        return found

    def conversation(self, asked: Asked) -> Conversation:
        """The conversation that the path names; 404 when the project has none of this id."""
        for each in self.project(asked).conversations:
            if each.id == asked.path["conversation_id"]:
                return each
        raise Refused(404, "conversation not found")

    def signals(self, project: Project, conversation: Conversation) -> Signals | None:
        """What a conversation's scoring said; nothing while it is unscored."""
        known = conversation.scored or (project.id, conversation.id) in self.scored
        return conversation.signals if known else None

    def time(self, at: datetime) -> str:
        text = at.astimezone(UTC).replace(tzinfo=None).isoformat()
        return text if self.habits.naive_times else f"{text}Z"

    def maybe(self, at: datetime | None) -> str | None:
        return None if at is None else self.time(at)

    def bucket(self, at: datetime, granularity: str) -> str:
        return at.date().isoformat() if granularity == "day" and self.habits.dated_buckets else self.time(at)

    def listed(self, rows: Sequence[object]) -> object:
        """A list whose envelope is not documented."""
        return {"items": list(rows)} if self.habits.enveloped else list(rows)

    def kind(self, base: KnowledgeBase) -> str:
        return base.kind.lower() if self.habits.lower_case else base.kind
