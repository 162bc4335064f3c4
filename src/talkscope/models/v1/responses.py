"""What each v1 route answers: read by either spelling of a field, written in camelCase, times with their offset."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, TypeAlias, cast

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    JsonValue,
    PlainSerializer,
    WithJsonSchema,
    model_validator,
)
from pydantic.alias_generators import to_camel


def _with_offset(at: datetime) -> str:
    return at.isoformat()


def _in_utc(at: datetime) -> datetime:
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def _empty(group: object) -> object:
    return "" if group is None else group


# +00:00 and not Z, which datetime.fromisoformat of older Pythons does not read. Read without an offset it is UTC, the
# service's only time zone.
Moment: TypeAlias = Annotated[
    datetime,
    AfterValidator(_in_utc),
    PlainSerializer(_with_offset, return_type=str, when_used="json"),
    WithJsonSchema({"type": "string", "format": "date-time"}),
]
Group: TypeAlias = Annotated[str, BeforeValidator(_empty)]
"""The name of a group; null, as some services spell facts without the dimension, is read as empty."""


def _never_null(schema: dict[str, JsonValue]) -> None:
    """What we serve always states the field; what others serve is read without it too."""
    choices = schema.pop("anyOf", None)
    if isinstance(choices, list):
        schema.update(next(each for each in choices if isinstance(each, dict) and each.get("type") != "null"))
    schema.pop("default", None)


def _certain(schema: dict[str, JsonValue]) -> None:
    properties = schema.get("properties")
    if isinstance(properties, dict):
        schema["required"] = [
            name for name, said in properties.items() if "default" not in cast("dict[str, JsonValue]", said)
        ]


class V1Response(BaseModel):
    """A part of a v1 answer; fields of a newer service are kept out of the way."""

    model_config = ConfigDict(
        frozen=True,
        extra="ignore",
        hide_input_in_errors=True,
        alias_generator=to_camel,
        populate_by_name=True,
        serialize_by_alias=True,
        json_schema_extra=_certain,
    )

    @model_validator(mode="before")
    @classmethod
    def _null_is_the_default(cls, told: object) -> object:
        if not isinstance(told, dict) or None not in told.values():
            return told
        certain = {
            name for field, said in cls.model_fields.items() if said.is_required() for name in (field, said.alias)
        }
        return {name: value for name, value in told.items() if value is not None or name in certain}


class EffectiveRange(V1Response):
    """The range [start, end) that the figures cover."""

    start_time: Moment
    end_time: Moment


class ResponseMeta(V1Response):
    """Freshness, sample and range of an answer."""

    freshness_at: Moment | None = Field(default=None, json_schema_extra=_never_null)
    sample_count: int | None = Field(default=None, json_schema_extra=_never_null)
    effective_range: EffectiveRange | None = Field(default=None, json_schema_extra=_never_null)
    backend: str = Field(default="", description="What answered: cube or bq.", json_schema_extra=_never_null)
    cache_hit: bool = False


class SummaryResponse(V1Response):
    """Headline figures."""

    sessions: int
    unique_end_users: int
    interactions: int
    error_count: int
    p50_end_to_end_ms: float | None = Field(default=None, json_schema_extra=_never_null)
    p95_end_to_end_ms: float | None = Field(default=None, json_schema_extra=_never_null)
    p99_end_to_end_ms: float | None = Field(default=None, json_schema_extra=_never_null)
    meta: ResponseMeta = Field(default_factory=ResponseMeta)


class TimeseriesPoint(V1Response):
    """One bucket, of one group where there are groups."""

    bucket_start: Moment
    group: str | None = None
    value: float | None = None


class TimeseriesResponse(V1Response):
    """One measure over time."""

    measure: str
    granularity: str
    points: list[TimeseriesPoint]
    meta: ResponseMeta = Field(default_factory=ResponseMeta)


class BreakdownRow(V1Response):
    """One group; facts without the dimension have the empty group."""

    group: Group
    value: float | None = None
    sample_count: int = 0


class BreakdownResponse(V1Response):
    """One measure by one dimension."""

    measure: str
    group_by: str
    rows: list[BreakdownRow]
    meta: ResponseMeta = Field(default_factory=ResponseMeta)


class SessionSummary(V1Response):
    """One session of a list, with its figures in the range."""

    session_id: str
    character_id: str | None = None
    app_key: str | None = None
    experience_id: str | None = None
    start_time: Moment | None = None
    end_time: Moment | None = None
    duration_sec: float = 0.0
    interaction_count: int = 0
    p95_end_to_end_ms: float = 0.0
    error_count: int = 0


class SessionListResponse(V1Response):
    """A page of sessions."""

    sessions: list[SessionSummary]
    next_cursor: str | None = None
    meta: ResponseMeta = Field(default_factory=ResponseMeta)


class SessionTimelineEvent(V1Response):
    """One metric of a session's timeline."""

    event_time: Moment
    metric_name: str
    metric_type: str | None = None
    processor: str | None = None
    interaction_id: str | None = None
    status: str | None = None
    value: float | None = None
    attributes: dict[str, JsonValue] | None = None


class SessionDetail(V1Response):
    """One session and its metrics, in order of time."""

    session_id: str
    character_id: str | None = None
    app_key: str | None = None
    experience_id: str | None = None
    start_time: Moment | None = None
    end_time: Moment | None = None
    events: list[SessionTimelineEvent]
    meta: ResponseMeta = Field(default_factory=ResponseMeta)


class ComponentSpan(V1Response):
    """One component's work in an interaction."""

    start_time: Moment
    end_time: Moment | None = None
    duration_ms: float = 0.0
    processor: str | None = None
    provider: str | None = None
    model: str | None = None
    status: str | None = None
    error_code: str | None = None
    metric_name: str | None = None
    metric_type: str | None = None
    attributes: dict[str, JsonValue] | None = None


class InteractionTrace(V1Response):
    """One interaction and its spans, in order of time."""

    interaction_id: str
    session_id: str | None = None
    character_id: str | None = None
    app_key: str | None = None
    end_user_id: str | None = None
    interaction_type: str | None = None
    start_time: Moment | None = None
    end_time: Moment | None = None
    total_duration_ms: float = 0.0
    terminal_status: str | None = None
    failure_stage: str | None = None
    spans: list[ComponentSpan]
    meta: ResponseMeta = Field(default_factory=ResponseMeta)


class MetricDefinition(V1Response):
    """One metric that can be asked for."""

    metric_name: str
    metric_type: str
    description: str
    visibility: str = Field(description="public, enterprise or internal.")
    unit: str | None = None
    supports_percentiles: bool = False


class CatalogResponse(V1Response):
    """The metrics there are."""

    metrics: list[MetricDefinition]
    meta: ResponseMeta = Field(default_factory=ResponseMeta)


class RegressionRow(V1Response):
    """One group, then and now; `significant` where the relative change is above the threshold."""

    group: Group
    baseline_value: float
    current_value: float
    relative_change: float
    significant: bool
    sample_count: int = 0


class RegressionResponse(V1Response):
    """What got worse."""

    rows: list[RegressionRow]
    meta: ResponseMeta = Field(default_factory=ResponseMeta)


class CubeQueryResponse(V1Response):
    """Rows keyed by the members that were asked for."""

    data: list[dict[str, JsonValue]]
    meta: ResponseMeta = Field(default_factory=ResponseMeta)
