"""What each v1 route is asked: snake_case words, whose camelCase spellings are understood too."""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

V1Range: TypeAlias = Literal["last_15m", "last_1h", "last_6h", "last_24h", "last_7d", "last_30d"]
V1Grain: TypeAlias = Literal["minute", "hour", "day"]
Operator: TypeAlias = Literal[
    "equals", "notEquals", "contains", "notContains", "gt", "gte", "lt", "lte", "set", "notSet", "inDateRange",
    "notInDateRange",
]  # fmt: skip
Segment: TypeAlias = Annotated[str | None, Field(description="A named part of the metrics, e.g. llm_metrics.")]


class V1Asked(BaseModel):
    """The words of one v1 route; a word that is not listed is an error."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        hide_input_in_errors=True,
        allow_inf_nan=False,
        alias_generator=to_camel,
        populate_by_name=True,
    )


class SummaryAsked(V1Asked):
    """Headline figures of a range."""

    range: V1Range = "last_24h"
    character_id: str | None = None
    app_key: str | None = None
    experience_id: str | None = None


class Filters(V1Asked):
    """The filters that most routes take."""

    character_id: str | None = None
    app_key: str | None = None
    experience_id: str | None = None
    end_user_id: str | None = None
    provider: str | None = None
    model: str | None = None
    processor: str | None = None
    status: str | None = None


class TimeseriesAsked(Filters):
    """One measure over time."""

    measure: str = Field(default="count", description="count, unique_sessions, p95_value, turn_p95, …")
    granularity: V1Grain = "hour"
    range: V1Range = "last_24h"
    group_by: str | None = None
    segment: Segment = None
    metric_name: str | None = None
    metric_name_prefix: str | None = None


class BreakdownAsked(Filters):
    """One measure by one dimension."""

    measure: str = Field(default="count", description="count, unique_sessions, p95_value, turn_p95, …")
    group_by: str = "processor"
    range: V1Range = "last_24h"
    limit: int = Field(default=50, ge=1, le=500)
    segment: Segment = None
    metric_name: str | None = None
    metric_name_prefix: str | None = None


class SessionsAsked(V1Asked):
    """Sessions of a range, page by page."""

    range: V1Range = "last_24h"
    sort: Literal["recent", "longest", "slowest"] = "recent"
    limit: int = Field(default=25, ge=1, le=100)
    cursor: str | None = Field(default=None, description="nextCursor of the page before; opaque.")
    character_id: str | None = None
    app_key: str | None = None
    experience_id: str | None = None
    end_user_id: str | None = None


class SessionAsked(V1Asked):
    """One session, by the id in the path."""


class InteractionAsked(V1Asked):
    """One interaction, by the id in the path."""


class CatalogAsked(V1Asked):
    """The metrics there are."""


class RegressionAsked(V1Asked):
    """What got worse by more than a threshold."""

    measure: str = Field(default="voice.user_to_bot_latency", description="Name of a metric.")
    baseline_range: V1Range = Field(default="last_7d", description="Longer than current_range.")
    current_range: V1Range = "last_24h"
    group_by: str = Field(default="overall", description="overall, or a dimension such as provider.")
    threshold: float = Field(default=0.15, ge=0, le=10, description="Relative change above which it is significant.")


class CubeFilter(V1Asked):
    """One condition of a restricted query."""

    member: str
    operator: Operator
    values: list[str] = Field(default_factory=list, max_length=200)


class CubeTimeDimension(V1Asked):
    """The time of a restricted query."""

    dimension: str
    granularity: Literal["minute", "hour", "day", "week", "month"] | None = None
    date_range: str | list[str] | None = None


class CubeQueryRequest(V1Asked):
    """A restricted query: 1 to 12 members, each beginning with `SessionMetrics.`."""

    measures: list[str] = Field(default_factory=list, max_length=12)
    dimensions: list[str] = Field(default_factory=list, max_length=12)
    segments: list[str] = Field(default_factory=list, max_length=12)
    filters: list[CubeFilter] = Field(default_factory=list, max_length=50)
    time_dimensions: list[CubeTimeDimension] = Field(default_factory=list, max_length=1)
    limit: int = Field(default=1_000, ge=1, le=5_000)
    order: dict[str, Literal["asc", "desc"]] | None = None
