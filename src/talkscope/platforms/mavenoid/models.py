"""What Mavenoid answers, read so that both forms are taken where its document disagrees with itself.

Durations are in milliseconds and times in UTC. What nobody set is None: the vendor's empty labels are read so too.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from datetime import date as day
from typing import Annotated, TypeAlias

from pydantic import AfterValidator, AliasChoices, BaseModel, BeforeValidator, ConfigDict, Field, JsonValue
from pydantic import model_validator as validator

_SHORT_HOUR = re.compile(r"(?<=[T ])(\d)(?=:\d\d:)", re.ASCII)
_RESOLVED_BY = {"self_service_resolution": "self_service", "live_support_resolution": "live_support"}


def _padded(value: object) -> object:
    return _SHORT_HOUR.sub(r"0\1", value, count=1) if isinstance(value, str) else value


def _in_utc(at: datetime) -> datetime:
    return at.astimezone(UTC) if at.tzinfo else at.replace(tzinfo=UTC)


def _unset(value: object) -> object:
    return None if value == "" else value


def _empty(value: object) -> object:
    return "" if value is None else value


def _listed(value: object) -> object:
    return () if value is None else value


Moment: TypeAlias = Annotated[datetime, BeforeValidator(_padded), AfterValidator(_in_utc)]
Label: TypeAlias = Annotated[str | None, BeforeValidator(_unset)]
Text: TypeAlias = Annotated[str, BeforeValidator(_empty)]
Words: TypeAlias = Annotated[tuple[str, ...], BeforeValidator(_listed)]
Agent: TypeAlias = Annotated[str | None, Field(validation_alias=AliasChoices("agent_email", "agent-email"))]
Resolution: TypeAlias = Annotated[Label, Field(validation_alias=AliasChoices("resolution_label", "resolution"))]


class Wire(BaseModel):
    """One row of an answer. What a grouped row was grouped by is in `model_fields_set`, its nulls included."""

    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True, allow_inf_nan=False)


def _stands(value: object) -> object:
    """The row with its status as the conversations' schema has it, and by whom it was resolved where that is said."""
    if not isinstance(value, dict) or not isinstance(told := value.get("status"), str):
        return value
    by = _RESOLVED_BY.get(told.lower())
    theirs = {name: each for name, each in value.items() if name != "resolved_by"}
    return {**theirs, "status": "RESOLVED" if by else told.upper(), **({"resolved_by": by} if by else {})}


class AssistantConversation(Wire):
    """One conversation: OPEN, RESOLVED or ESCALATED, rated 1 to 4."""

    id: str
    created_at: Moment
    updated_at: Moment
    flow_name: str
    touchpoint_name: str | None = None
    status: str
    resolved_by: str | None = None
    label: Label = None
    lang_code: str
    latest_search_query: str | None = None
    latest_search_result_chosen: str | None = None
    latest_search_shortcut_chosen: str | None = None
    latest_live_support_session_status: str | None = None
    latest_live_support_session_resolution_label: Label = None
    feedback_topics: Words = ()
    feedback_comments: Text = ""
    feedback_rating: int | None = None
    form_data: Annotated[dict[str, JsonValue] | None, BeforeValidator(_unset)] = None

    _status = validator(mode="before")(_stands)


class ConversationGroup(Wire):
    """How many conversations a group has; `date` is a day, a Monday or the first of a month."""

    count: int
    date: day | None = None
    flow_name: str | None = None
    touchpoint_name: str | None = None
    status: str | None = None
    resolved_by: str | None = None
    label: Label = None
    lang_code: str | None = None
    latest_live_support_session_status: str | None = None
    latest_live_support_session_resolution_label: Label = None
    feedback_rating: int | None = None

    _status = validator(mode="before")(_stands)


class LiveSupportSession(Wire):
    """One session with a live agent. Its durations all begin with the session, so the chat's includes the queue.

    A session that waits, or that nobody took, has no durations; it has no id of its own either.
    """

    assistant_conversation_id: str
    assistant_conversation_created_at: Moment
    created_at: Moment
    updated_at: Moment
    agent_email: Agent = None
    agent_group_name: str | None = None
    queue_duration_ms: float | None = None
    first_response_ms: float | None = None
    chat_duration_ms: float | None = None
    status: str
    resolution_label: Resolution = None
    debrief_labels: Words = ()
    debrief_summary: Text = ""
    feedback_rating: int | None = None


class SessionGroup(Wire):
    """Figures of a group of sessions: how many, and the longest, mean and sum of three durations."""

    count: int
    date: day | None = None
    agent_email: Agent = None
    agent_group_name: str | None = None
    status: str | None = None
    resolution_label: Resolution = None
    feedback_rating: int | None = None
    queue_duration_ms_max: float | None = None
    queue_duration_ms_mean: float | None = None
    queue_duration_ms_sum: float | None = None
    first_response_ms_max: float | None = None
    first_response_ms_mean: float | None = None
    first_response_ms_sum: float | None = None
    chat_duration_ms_max: float | None = None
    chat_duration_ms_mean: float | None = None
    chat_duration_ms_sum: float | None = None


class AgentAvailability(Wire):
    """One stretch of time in which an agent was available; `end_timestamp` is None while it lasts."""

    agent_email: Agent
    start_timestamp: Moment
    end_timestamp: Moment | None = None
    duration_ms: float
    active_duration_ms: float


class AvailabilityGroup(Wire):
    """Availability of a group: of one agent, or of `agent_count` agents where it was not grouped by agent."""

    date: day | None = None
    agent_email: Agent = None
    agent_count: int | None = None
    duration_ms_sum: float
    active_duration_ms_sum: float
