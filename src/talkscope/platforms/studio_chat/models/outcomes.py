"""Satisfaction and conversions. Rates are percents, and None where nothing is configured or their denominator is 0."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from pydantic import JsonValue, model_validator

from talkscope.platforms.studio_chat.models.wire import Distribution, Many, Moment, Wire, of_something

STALE = timedelta(days=2)
"""A conversion metric whose last event is older than this has an ingest that is likely broken."""


class _Configured(Wire):
    is_configured: bool

    @model_validator(mode="before")
    @classmethod
    def _nothing_unless_configured(cls, value: object) -> object:
        """Zeros that say nothing must not be read as figures."""
        unset = isinstance(value, Mapping) and value.get("is_configured") is False
        return {"is_configured": False} if unset else value


class CsatPoint(Wire):
    """Ratings of one bucket; percents are None where nobody rated or was eligible."""

    date: Moment
    total: int
    positive: int
    neutral: int
    negative: int
    csat_pct: float | None = None
    eligible: int | None = None
    response_rate_pct: float | None = None


class CsatRating(Wire):
    """One rating from 1 to 5; `remark` holds the customer's words."""

    conversation_id: str
    rating: int
    remark: str | None = None
    rated_at: Moment | None = None
    tags: Many[str] = ()
    first_message_at: Moment | None = None


class CsatAnalytics(_Configured):
    """Satisfaction of the customers; everything is None while it is not configured, which is not 0 %.

    `ratings` is one page of the table, which `max_rating` narrows; every other figure is of all ratings
    (`total_rated`), and `response_rate_pct` of the deflected conversations (`eligible_deflected`).
    """

    total_rated: int | None = None
    csat_score_pct: float | None = None
    dsat_score_pct: float | None = None
    eligible_deflected: int | None = None
    response_rate_pct: float | None = None
    rating_distribution: Distribution | None = None
    positive_count: int | None = None
    neutral_count: int | None = None
    negative_count: int | None = None
    time_series: Many[CsatPoint] = ()
    time_granularity: str | None = None
    ratings: Many[CsatRating] = ()
    ratings_offset: int | None = None

    @model_validator(mode="before")
    @classmethod
    def _rates_of_something(cls, value: object) -> object:
        return of_something(
            value,
            csat_score_pct="total_rated",
            dsat_score_pct="total_rated",
            response_rate_pct="eligible_deflected",
        )

    def rated_up_to(self, rating: int) -> int | None:
        """The ratings up to this one: the denominator of a table that `max_rating` narrows."""
        given = self.rating_distribution
        return None if given is None else sum(given.root.get(str(each), 0) for each in range(1, rating + 1))


class ConversionDefinition(Wire):
    """A conversion metric as its analytics repeat it; `value_label` is the unit of its values."""

    slug: str
    name: str | None = None
    value_label: str | None = None
    enabled: bool | None = None
    last_event_at: Moment | None = None

    def is_stale(self, now: datetime, patience: timedelta = STALE) -> bool:
        """Whether its last event is so old, or none ever came, that the ingest is likely broken."""
        return self.last_event_at is None or now - self.last_event_at > patience

    def is_silent(self, now: datetime) -> bool:
        """Whether no event can be expected of it, so that none in a window is no rate of 0 %."""
        return self.enabled is False or self.is_stale(now)


class ConversionMetric(ConversionDefinition):
    """A custom conversion metric."""

    id: str
    project_id: str | None = None
    description: str | None = None
    created_at: Moment | None = None
    updated_at: Moment | None = None
    ingest_url_path: str | None = None


class ConversionPoint(Wire):
    """Events of one bucket."""

    date: Moment
    event_count: int
    total_value: float
    converting_conversations: int


class ConversionEvent(Wire):
    """One event."""

    id: str
    conversation_id: str | None = None
    match_value: JsonValue = None
    idempotency_key: str | None = None
    value: float | None = None
    occurred_at: Moment
    metadata: dict[str, JsonValue] | None = None
    tags: Many[str] = ()


class ConversionAnalytics(_Configured):
    """What one conversion metric brought; everything is None where no metric has the slug.

    `conversion_rate_pct` is of the deflected conversations of the window (`eligible_conversations`).
    """

    definition: ConversionDefinition | None = None
    total_events: int | None = None
    total_value: float | None = None
    avg_value: float | None = None
    converting_conversations: int | None = None
    eligible_conversations: int | None = None
    conversion_rate_pct: float | None = None
    avg_value_per_conversation: float | None = None
    time_granularity: str | None = None
    time_series: Many[ConversionPoint] = ()
    events: Many[ConversionEvent] = ()
    events_offset: int | None = None
    total_events_filtered: int | None = None

    @model_validator(mode="before")
    @classmethod
    def _rates_of_something(cls, value: object) -> object:
        return of_something(
            value,
            avg_value="total_events",
            avg_value_per_conversation="converting_conversations",
            conversion_rate_pct="eligible_conversations",
        )
