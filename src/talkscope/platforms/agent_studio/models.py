"""What Agent Studio answers, read so that both forms are taken where its pages disagree.

Latencies are in milliseconds, durations in seconds, rates in percent, times in UTC. Averages and rates of no calls are
None, whether the service writes null or 0.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Annotated, TypeAlias

from pydantic import AfterValidator, AliasChoices, BaseModel, ConfigDict, Field, JsonValue, computed_field
from pydantic import model_validator as validator

_MULTIPLES = (0.9, 1.5, 2.0)
# The vendor's figures have one decimal, cut or rounded.
_SLACK = 0.1 + 1e-9
_STEPS = {"hour": timedelta(hours=1), "day": timedelta(days=1), "week": timedelta(weeks=1)}
_MOST_MISSING = 10_000


def _in_utc(at: datetime) -> datetime:
    return at.astimezone(UTC) if at.tzinfo else at.replace(tzinfo=UTC)


Moment: TypeAlias = Annotated[datetime, AfterValidator(_in_utc)]


class Wire(BaseModel):
    """One answer, or a part of one."""

    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True, allow_inf_nan=False)


def _of_calls(counted: str, *figures: str) -> Callable[[object], object]:
    """Reads a row whose figures are of the calls that it counts, and of nothing where it counts none."""

    def read(value: object) -> object:
        if isinstance(value, dict) and value.get(counted) == 0:
            return {**value, **dict.fromkeys(figures)}
        return value

    return read


class Summary(Wire):
    """Totals and averages of a window; `active_calls` are under way now and no part of `total_calls`."""

    total_calls: int
    completed_calls: int
    failed_calls: int
    active_calls: int
    avg_duration_seconds: float | None = None
    success_rate: float | None = None
    total_tokens: int
    avg_stt_latency_ms: float | None = None
    avg_llm_latency_ms: float | None = None
    avg_tts_latency_ms: float | None = None

    _figures = validator(mode="before")(
        _of_calls(
            "total_calls", "avg_duration_seconds", "success_rate", "avg_stt_latency_ms", "avg_llm_latency_ms",
            "avg_tts_latency_ms",
        )
    )  # fmt: skip


class VolumeBucket(Wire):
    """Calls of one bucket, by its start."""

    timestamp: Moment
    total: int
    completed: int
    failed: int


class CallVolume(Wire):
    """Calls over time. The day that a week starts on is unstated, as is whether buckets without calls are listed."""

    interval: str
    data: tuple[VolumeBucket, ...]

    def missing(self) -> tuple[datetime, ...]:
        """The buckets between the first and the last that are not listed, by their start; 10,000 of them at most."""
        return tuple(islice(self._gaps(), _MOST_MISSING))

    def _gaps(self) -> Iterator[datetime]:
        step, listed = _STEPS.get(self.interval), {bucket.timestamp for bucket in self.data}
        if step is None or not listed:
            return
        at, last = min(listed), max(listed)
        while last - at > step:
            at += step
            if at not in listed:
                yield at


class WorkflowStat(Wire):
    """Calls of one workflow."""

    workflow_id: str
    workflow_name: str
    workflow_slug: str
    total_calls: int
    completed_calls: int
    failed_calls: int
    success_rate: float | None = None
    avg_duration_seconds: float | None = None

    _figures = validator(mode="before")(_of_calls("total_calls", "success_rate", "avg_duration_seconds"))


class ProviderLatency(Wire):
    """Latency of one provider, of the type stt, llm or tts."""

    provider_type: str
    provider_name: str
    avg_latency_ms: float | None = None
    p50_latency_ms: float | None = None
    p95_latency_ms: float | None = None
    p99_latency_ms: float | None = None
    call_count: int

    _figures = validator(mode="before")(
        _of_calls("call_count", "avg_latency_ms", "p50_latency_ms", "p95_latency_ms", "p99_latency_ms")
    )

    @computed_field  # type: ignore[prop-decorator]
    @property
    def estimated(self) -> bool:
        """Whether the percentiles are 0.9, 1.5 and 2 times the mean: worked out from it, and not measured."""
        mean = self.avg_latency_ms
        told = (self.p50_latency_ms, self.p95_latency_ms, self.p99_latency_ms)
        if not mean:
            return False
        return all(
            one is not None and abs(one - times * mean) <= _SLACK for one, times in zip(told, _MULTIPLES, strict=True)
        )


class ErrorEntry(Wire):
    """One error or warning of a call; `agent` is in the example and described nowhere."""

    id: str
    call_id: str
    timestamp: Moment
    service: str
    level: str
    message: str
    details: dict[str, JsonValue] = Field(default_factory=dict)
    agent: str | None = None


class ErrorLog(Wire):
    """One page of errors, `offset` records into all `total` that match."""

    items: tuple[ErrorEntry, ...]
    total: int
    offset: int
    limit: int


class ActiveCalls(Wire):
    """How many calls are under way."""

    count: int


class CallMetrics(Wire):
    """Figures of one call."""

    duration_seconds: float | None = None
    stt_latency_ms: float | None = None
    llm_latency_ms: float | None = None
    tts_latency_ms: float | None = None
    total_tokens: int | None = None
    agent_handoffs: int | None = None


class CallDetail(Wire):
    """One call. Two versions of its page are published: `user` and `media_url` have another name in each."""

    id: str
    status: str
    created_at: Moment
    workflow_id: str | None = None
    workflow_slug: str | None = None
    user_id: str | None = None
    direction: str | None = None
    duration_seconds: float | None = None
    agent_history: tuple[JsonValue, ...] = ()
    current_agent: str | None = None
    metrics: CallMetrics | None = None
    started_at: Moment | None = None
    ended_at: Moment | None = None
    user: dict[str, JsonValue] | None = Field(None, validation_alias=AliasChoices("user_data", "user_context"))
    media_url: str | None = Field(None, validation_alias=AliasChoices("livekit_url", "url"))


class TranscriptEntry(Wire):
    """One thing said. The fields of an entry are published nowhere: all are kept, the usual names are understood."""

    model_config = ConfigDict(extra="allow")

    text: str | None = Field(None, validation_alias=AliasChoices("text", "content", "message"))
    speaker: str | None = Field(None, validation_alias=AliasChoices("speaker", "role"))

    @validator(mode="before")
    @classmethod
    def _mere_text(cls, value: object) -> object:
        return {"text": value} if isinstance(value, str) else value
