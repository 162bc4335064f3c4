"""What a report on Studio Chat is made of: the vendor's answers, or what an export's conversations say instead."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from talkscope.models.window import Window
from talkscope.platforms.studio_chat import meaning
from talkscope.platforms.studio_chat.models import (
    ApiToolUsage,
    Conversation,
    ConversationAnalytics,
    ConversionAnalytics,
    ConversionMetric,
    CsatAnalytics,
    CsatRating,
    KnowledgeBase,
    KnowledgeBaseCitations,
    KnowledgeBaseItemCitations,
    MetricsAggregate,
    Playbook,
    SkillUsage,
    Sparkline,
    ToolkitUsage,
)

_NEVER = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Scope:
    """What is asked about: the window, one assistant by its base id, tags that must all be there, metrics by slug."""

    window: Window
    base_id: str | None = None
    tags: tuple[str, ...] = ()
    metrics: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Cited:
    """Citations of items: what each knowledge base's most cited items are, and the titles that are known."""

    bases: Sequence[KnowledgeBase]
    items: Mapping[str, KnowledgeBaseItemCitations]
    titles: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Converted:
    """One conversion metric: as a whole, and for each assistant by base id."""

    metric: ConversionMetric
    whole: ConversionAnalytics
    assistants: Mapping[str, ConversionAnalytics] = field(default_factory=dict)


@dataclass(slots=True)
class Facts:
    """Everything that is known; where a field is None, `lacking` says under its name why.

    Attributes:
        scope: What was asked about.
        now: The time that the report is made at.
        source: Whose figures they are.
        days: The whole days of UTC that the use of resources is told for.
        conversations: Those of the window, each once, without what customers wrote.
        sparklines: Trailing days by kind and id; `spark_names` is what ids stand for, `spark_days` those of the window.
        notes: What is to be said beside a field's figures, by its name.
    """

    scope: Scope
    now: datetime
    source: str
    about: list[tuple[str, str]] = field(default_factory=list)
    days: Window | None = None
    analytics: ConversationAnalytics | None = None
    aggregate: MetricsAggregate | None = None
    conversations: Sequence[Conversation] | None = None
    api_tools: ApiToolUsage | None = None
    toolkits: ToolkitUsage | None = None
    skills: SkillUsage | None = None
    citations: KnowledgeBaseCitations | None = None
    cited: Cited | None = None
    sparklines: Mapping[str, Mapping[str, Sparkline]] | None = None
    spark_names: Mapping[str, str] = field(default_factory=dict)
    spark_days: tuple[str, ...] = ()
    csat: CsatAnalytics | None = None
    low_ratings: Sequence[CsatRating] | None = None
    conversions: Sequence[Converted] | None = None
    playbooks: Sequence[Playbook] = ()
    lacking: dict[str, str] = field(default_factory=dict)
    notes: dict[str, list[str]] = field(default_factory=dict)

    def note(self, name: str, *sentences: str) -> None:
        """Say something beside a field's figures, once."""
        told = self.notes.setdefault(name, [])
        told += [each for each in dict.fromkeys(sentences) if each not in told]

    def stale(self, metric: ConversionMetric) -> str | None:
        """That a metric's ingest is likely broken, where its last event is long ago."""
        if metric.enabled is False or not metric.is_stale(self.now):
            return None
        if metric.last_event_at is None:
            return f"No event of {metric.slug} has ever come: its ingest is likely broken."
        at = metric.last_event_at.astimezone(UTC).strftime("%Y-%m-%d %H:%M UTC")
        return meaning.STALE.format(metric.slug, at)


def slim(found: Conversation) -> Conversation:
    """The conversation without what was written in it and by whom, which a report does not show."""
    return found.model_copy(update={"first_user_message": None, "last_assistant_message": None, "context": None})


def newest_first(found: Iterable[Conversation]) -> list[Conversation]:
    """The conversations by their last message, those without one at the end."""
    return sorted(found, key=lambda each: (each.last_message_at or _NEVER, each.conversation_id), reverse=True)
