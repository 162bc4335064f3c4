"""What General Bots answers: the few fields that are documented, None where they did not come, and all others kept.

Most shapes are published nowhere. Such an answer stays the JSON that it is, and no figure in it is guessed at.
"""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

from pydantic import AliasChoices, BaseModel, BeforeValidator, ConfigDict, Field
from pydantic import model_validator as validator

from talkscope.errors import Json

OpenAnswer: TypeAlias = "dict[str, Json] | list[Json]"
State: TypeAlias = Literal["pending", "completed", "failed", "unstated"]

_AVERAGES = ("avg_wait_time_seconds", "avg_handle_time_seconds", "satisfaction_avg")


def _text(value: object) -> object:
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _of_sessions(value: object) -> object:
    """The figures of live support, whose averages of no sessions are None where the server writes 0."""
    if not isinstance(value, dict) or value.get("total_sessions_today") != 0:
        return value
    return {name: None if name in _AVERAGES and each == 0 else each for name, each in value.items()}


def _lower(value: object) -> object:
    return value.strip().lower() if isinstance(value, str) else value


class Open(BaseModel):
    """One answer, or a part of one; fields beyond those named are kept."""

    model_config = ConfigDict(frozen=True, extra="allow", hide_input_in_errors=True, allow_inf_nan=False)


class Usage(Open):
    """Overall usage."""

    total_conversations: int | None = None
    active_users: int | None = None


class DayUsage(Open):
    """Usage of one day."""

    date: str
    conversations: int | None = None


class DailyUsage(Open):
    """Usage day by day."""

    data: tuple[DayUsage, ...]


class Realtime(Open):
    """Figures of this moment."""

    active_sessions: int | None = None
    messages_per_minute: float | None = None


class ActiveSessions(Open):
    """How many sessions are active: said as a bare count, or in an object."""

    active_sessions: int | None = Field(None, validation_alias=AliasChoices("active_sessions", "count"))

    @validator(mode="before")
    @classmethod
    def _bare(cls, value: object) -> object:
        return {"active_sessions": value} if isinstance(value, int) and not isinstance(value, bool) else value


class Report(Open):
    """A report. Only its id is documented; `status` is there when the server says it."""

    id: Annotated[str, BeforeValidator(_text)]
    status: Annotated[str | None, BeforeValidator(_lower)] = None
    type: str | None = None
    format: str | None = None
    start_date: str | None = None
    end_date: str | None = None

    @property
    def state(self) -> State:
        """Where the report stands: a status that is not known as an end is taken for one that is still pending."""
        if self.status is None:
            return "unstated"
        return "completed" if self.status == "completed" else "failed" if self.status == "failed" else "pending"

    @property
    def done(self) -> bool:
        """Whether there is nothing to wait for: it is completed, it failed, or the server tells of no states at all."""
        return self.state != "pending"


class Dataset(Open):
    """One series of a chart."""

    label: str
    data: tuple[float, ...]
    color: str | None = None


class Chart(Open):
    """One chart of the dashboard."""

    title: str
    chart_type: str
    labels: tuple[str, ...] = ()
    datasets: tuple[Dataset, ...] = ()


class Dashboard(Open):
    """Totals and charts of the server's dashboard; `active_users` is over 7 days."""

    total_users: int
    active_users: int
    total_messages: int
    total_sessions: int
    storage_used_gb: float
    api_calls_per_minute: float
    error_rate: float
    response_time_p95: float
    charts: tuple[Chart, ...] = ()


class Metric(Open):
    """One metric's value; the form of its timestamp is documented nowhere."""

    metric: str
    value: float
    timestamp: str | int | float | None = None


class AttendantStats(Open):
    """Live support today; an average of nothing is None."""

    total_sessions_today: int
    active_sessions: int
    waiting_sessions: int
    avg_wait_time_seconds: float | None = None
    avg_handle_time_seconds: float | None = None
    agents_online: int
    agents_on_break: int
    satisfaction_avg: float | None = None

    _averages = validator(mode="before")(_of_sessions)


def as_it_is(value: Json) -> OpenAnswer:
    """An answer whose shape is published nowhere. Raises TypeError for what holds no fields."""
    if isinstance(value, dict | list):
        return value
    raise TypeError
