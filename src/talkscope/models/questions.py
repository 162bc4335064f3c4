"""The words of each question: names, types, defaults and limits, the same over MCP, HTTP, SDK and command line."""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

import orjson
from pydantic import AliasChoices, BaseModel, BeforeValidator, ConfigDict, Field

from talkscope.models.buckets import Grain
from talkscope.models.window import Range


def _one_or_many(value: object) -> object:
    """Models send a plain string, or a JSON list inside a string, where a list is meant."""
    if isinstance(value, str):
        if value.lstrip().startswith("["):
            try:
                return orjson.loads(value)
            except orjson.JSONDecodeError:
                return value
        return [part.strip() for part in value.split(",")]
    return value


def _one_filter_or_many(value: object) -> object:
    if isinstance(value, str) and not value.lstrip().startswith("["):
        return [value]
    return _one_or_many(value)


Words: TypeAlias = Annotated[list[str], BeforeValidator(_one_or_many)]
FilterWords: TypeAlias = Annotated[
    list[str], BeforeValidator(_one_filter_or_many), Field(description="dimension=value or dimension!=value")
]
RangeOrOwn: TypeAlias = Range


class Asked(BaseModel):
    """The words of one question; a word that is not listed is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True, allow_inf_nan=False)


class Windowed(Asked):
    """A question about a window: a range token, or start_time and end_time."""

    range: Range | None = Field(default=None, description="default last_24h")
    start_time: str | None = Field(default=None, description="ISO 8601, instead of range")
    end_time: str | None = Field(default=None, description="exclusive")
    timezone: str = Field(default="UTC", description="IANA")
    filters: FilterWords = Field(default_factory=list)


class SummaryAsked(Windowed):
    """Headline figures."""


class _Metric(Windowed):
    metric_name: str | None = Field(default=None, description="measure this metric instead")
    metric_name_prefix: str | None = Field(default=None, description="e.g. error.")


class TimeseriesAsked(_Metric):
    """Measures over time."""

    measures: Words = Field(
        default=["interactions"], min_length=1, max_length=8, validation_alias=AliasChoices("measures", "measure")
    )
    granularity: Grain | None = Field(default=None, description="default fits the window")
    group_by: Words = Field(default_factory=list, max_length=1, description="at most one dimension")
    limit: int = Field(default=5, ge=1, le=50, description="groups, default 5")
    max_rows: int = Field(default=10_000, ge=1, le=50_000)


class BreakdownAsked(_Metric):
    """Measures by one or two dimensions."""

    measures: Words = Field(
        default=["count"], min_length=1, max_length=8, validation_alias=AliasChoices("measures", "measure")
    )
    group_by: Words = Field(default=["processor"], min_length=1, max_length=2, description="1-2 dimensions")
    sort: str | None = Field(default=None, description="measure to sort by, default the first")
    limit: int = Field(default=20, ge=1, le=500, description="1-500, default 20")


class LatencyBreakdownAsked(Windowed):
    """Where the time of turns goes."""

    by: Literal["processor", "provider", "model", "character_id"] = Field(
        default="processor", validation_alias=AliasChoices("by", "group_by")
    )
    percentile: Literal["p50", "p75", "p90", "p95", "p99"] | None = Field(
        default=None, description="only turns at or above it"
    )
    limit: int = Field(default=20, ge=1, le=500)


class SessionsAsked(Windowed):
    """Sessions of a window."""

    sort: Literal["recent", "longest", "slowest", "errors"] = "recent"
    limit: int = Field(default=25, ge=1, le=100, description="1-100, default 25")
    cursor: str | None = Field(default=None, description="next_cursor of the page before")


class SessionAsked(Asked):
    """One session's timeline."""

    session_id: str
    limit: int = Field(default=100, ge=1, le=500, description="rows, default 100")
    cursor: str | None = None
    timezone: str = "UTC"


class InteractionAsked(Asked):
    """One interaction's spans."""

    interaction_id: str
    timezone: str = "UTC"


class ExplainAsked(Windowed):
    """What made a session slow."""

    session_id: str | None = Field(default=None, description="default: the window's slowest session")


class ConcurrencyAsked(Windowed):
    """Sessions active at once."""

    granularity: Grain | None = Field(default=None, description="default fits the window")
    max_rows: int = Field(default=10_000, ge=1, le=50_000)


class RegressionsAsked(Asked):
    """What got worse."""

    measure: str = Field(default="p95", validation_alias=AliasChoices("measure", "measures"))
    metric_name: str | None = None
    current_range: Range = Field(default="last_24h", validation_alias=AliasChoices("current_range", "range"))
    baseline_range: Range = Field(default="last_7d", description="the current window is cut out of it")
    start_time: str | None = Field(default=None, description="current window, instead of current_range")
    end_time: str | None = None
    baseline_start_time: str | None = Field(default=None, description="baseline up to start_time")
    timezone: str = "UTC"
    group_by: str = Field(default="overall", description="overall or a dimension")
    threshold: float = Field(default=0.15, ge=0, le=10, description="relative change, default 0.15")
    filters: FilterWords = Field(default_factory=list)
    limit: int = Field(default=20, ge=1, le=100)


class OutcomesAsked(Windowed):
    """How sessions ended."""

    measures: Words = Field(
        default=["main"], min_length=1, max_length=32, validation_alias=AliasChoices("measures", "measure")
    )
    group_by: Words = Field(default_factory=list, max_length=1, description="at most one dimension")
    limit: int = Field(default=10, ge=1, le=200, description="groups, default 10, at most 200")


class LiveSupportAsked(Windowed):
    """How live agents do."""

    measures: Words = Field(
        default=[
            "sessions", "queue_ms", "first_response_ms", "chat_ms", "agents", "availability_ms", "active_ms",
            "occupancy",
        ],
        min_length=1,
        max_length=8,
        validation_alias=AliasChoices("measures", "measure", "metrics"),
        description="default all of sessions queue_ms first_response_ms chat_ms agents availability_ms active_ms"
        " occupancy",
    )  # fmt: skip
    group_by: Words = Field(
        default_factory=list,
        max_length=1,
        description="agent agent_group status resolution platform channel language assistant",
    )
    limit: int = Field(default=10, ge=1, le=100, description="groups, default 10")


class ResourcesAsked(Windowed):
    """How tools, skills and knowledge bases are used."""

    kind: Literal["all", "api_tool", "toolkit", "skill", "knowledge_base", "tool"] = "all"
    by: Literal["name", "action", "item", "kind", "error_message", "character_id", "channel", "platform"] = Field(
        default="name", validation_alias=AliasChoices("by", "group_by")
    )
    search: str | None = Field(default=None, max_length=200, description="text in name, title, action or item")
    limit: int = Field(default=20, ge=1, le=200, description="1-200, default 20")


class ErrorsAsked(Windowed):
    """What went wrong, one row an error."""

    service: str | None = Field(default=None, description="asr, llm, tts, tool, workflow, ...")
    level: Literal["error", "warning", "all"] = "error"
    code: str | None = None
    search: str | None = Field(default=None, max_length=200, description="text in the message")
    granularity: Literal["auto", "minute", "hour", "day", "week", "month"] | None = Field(
        default=None, description="counts by bucket and service instead of rows"
    )
    max_rows: int = Field(default=10_000, ge=1, le=50_000)
    limit: int = Field(default=25, ge=1, le=100, description="1-100, default 25")
    cursor: str | None = Field(default=None, description="next_cursor of the page before")


class CatalogAsked(Asked):
    """What can be measured here."""

    kind: Literal["all", "measure", "dimension", "metric"] = "all"


class QueryFilter(Asked):
    """One condition of a restricted query."""

    member: str
    operator: Literal[
        "equals", "notEquals", "contains", "notContains", "gt", "gte", "lt", "lte", "set", "notSet",
        "inDateRange", "notInDateRange",
    ]  # fmt: skip
    values: list[str] = Field(default_factory=list, max_length=200)


class QueryTime(Asked):
    """The time of a restricted query: a range, and a granularity to group by."""

    dimension: str = "SessionMetrics.eventTime"
    granularity: Grain | None = None
    dateRange: str | list[str] | None = None


class Query(Asked):
    """A restricted query over the semantic layer, in the form of the v1 contract."""

    measures: list[str] = Field(default_factory=list, max_length=12)
    dimensions: list[str] = Field(default_factory=list, max_length=12)
    segments: list[str] = Field(default_factory=list, max_length=12)
    filters: list[QueryFilter] = Field(default_factory=list, max_length=50)
    timeDimensions: list[QueryTime] = Field(default_factory=list, max_length=1)
    order: dict[str, Literal["asc", "desc"]] = Field(default_factory=dict, max_length=12)
    limit: int = Field(default=1_000, ge=1, le=5_000)


class QueryAsked(Asked):
    """A restricted query."""

    query: Query
    timezone: str = "UTC"
