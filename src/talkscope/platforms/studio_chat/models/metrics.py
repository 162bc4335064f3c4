"""High-level figures. Rates are percents, 0 to 100, and None where their denominator is 0."""

from __future__ import annotations

from typing import Annotated

from pydantic import BeforeValidator, JsonValue, model_validator

from talkscope.platforms.studio_chat.models.wire import Distribution, Many, Moment, Wire, of_something

_MINUTES_A_MESSAGE = 5


def _empty(value: object) -> object:
    return {} if value is None else value


_Labels = Annotated[Distribution, BeforeValidator(_empty)]


class _Deflected(Wire):
    """A deflection rate: conversations without a handoff, abandoned ones among them, of all conversations."""

    total_conversations: int | None = None
    deflection_rate: float | None = None

    @model_validator(mode="before")
    @classmethod
    def _rate_of_something(cls, value: object) -> object:
        n = "total_conversations"
        return of_something(value, deflection_rate=n, avg_messages_per_conversation=n, avg_response_latency_ms=n)


class PlaybookBreakdown(_Deflected):
    """One assistant's share."""

    playbook_name: str | None = None


class TagBreakdown(_Deflected):
    """One tag's share."""

    tag: str | None = None


class ConversationTimePoint(Wire):
    """One bucket; latencies in milliseconds, None where nothing was answered."""

    timestamp: Moment
    total_conversations: int
    conversations_with_handoff: int
    avg_response_latency_ms: float | None = None
    min_response_latency_ms: float | None = None
    max_response_latency_ms: float | None = None
    p99_response_latency_ms: float | None = None

    @model_validator(mode="before")
    @classmethod
    def _latency_of_something(cls, value: object) -> object:
        """Whether an empty bucket has latencies of null or of 0 is documented nowhere."""
        n = "total_conversations"
        return of_something(
            value,
            avg_response_latency_ms=n,
            min_response_latency_ms=n,
            max_response_latency_ms=n,
            p99_response_latency_ms=n,
        )


class ConversationAnalytics(_Deflected):
    """Totals, deflection, time series and breakdowns of one project."""

    total_conversations: int
    total_messages: int
    conversations_with_handoff: int
    conversations_without_handoff: int
    avg_messages_per_conversation: float | None = None
    avg_response_latency_ms: float | None = None
    winback_sent_count: int | None = None
    winback_answered_count: int | None = None
    winback_conversion_rate: float | None = None
    by_playbook: Many[PlaybookBreakdown] = ()
    by_tag: Many[TagBreakdown] = ()
    time_series: Many[ConversationTimePoint] = ()
    time_granularity: str | None = None

    @property
    def winback_answered_pct(self) -> float | None:
        """Percent of the winbacks sent that were answered, by the counts: the rate's own unit is not documented."""
        sent, answered = self.winback_sent_count, self.winback_answered_count
        return 100 * answered / sent if sent and answered is not None else None


class AccountAnalytics(_Deflected):
    """Totals over every project of the account."""

    total_messages: int | None = None
    total_ai_messages: int
    conversations_with_handoff: int | None = None
    conversations_without_handoff: int | None = None
    by_assistant: Many[dict[str, JsonValue]] = ()
    time_series: Many[dict[str, JsonValue]] = ()

    @property
    def minutes_saved(self) -> int:
        """Time saved as the vendor reckons it: five minutes for each message of an assistant."""
        return self.total_ai_messages * _MINUTES_A_MESSAGE


class MetricsAggregate(Wire):
    """How the scored conversations are distributed over the labels of each signal.

    A share's denominator is the sum of its own distribution (`Distribution.n`), not all scored conversations.
    """

    total_conversations: int
    total_scored_conversations: int
    coverage_percentage: float | None = None
    sentiment_distribution: _Labels
    resources_distribution: _Labels
    sentiment_shift_distribution: _Labels
    deflection_quality_distribution: _Labels
    handoff_reason_distribution: _Labels
    recontact_risk_distribution: _Labels

    @model_validator(mode="before")
    @classmethod
    def _coverage_of_something(cls, value: object) -> object:
        return of_something(value, coverage_percentage="total_conversations")
