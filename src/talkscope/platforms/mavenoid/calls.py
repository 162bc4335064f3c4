"""The three calls of Mavenoid, each for single records or, with `group_by`, for figures of groups.

`days` counts back from now in stretches of 24 hours, 1 to 120 of them. Every function returns a `Call` for
`Client.send` or `AsyncClient.send`, and raises UnknownName or InvalidArgument.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import TypeAlias, TypeVar, overload

from pydantic import TypeAdapter

from talkscope.errors import APIError, InvalidArgument, TalkscopeError, unknown
from talkscope.flow import Call, query
from talkscope.models.text import clean
from talkscope.platforms.mavenoid.models import (
    AgentAvailability,
    AssistantConversation,
    AvailabilityGroup,
    ConversationGroup,
    LiveSupportSession,
    SessionGroup,
)

T = TypeVar("T")
Fields: TypeAlias = str | Sequence[str]

CALENDAR = ("date", "week", "month")
CONVERSATION_FIELDS = (
    *CALENDAR, "flow_name", "touchpoint_name", "status", "label", "lang_code", "latest_live_support_session_status",
    "latest_live_support_session_resolution_label", "feedback_rating",
)  # fmt: skip
SESSION_FIELDS = (*CALENDAR, "agent_email", "agent_group_name", "status", "resolution_label", "feedback_rating")
AVAILABILITY_FIELDS = (*CALENDAR, "agent_email")
MOST_DAYS = 120

_DIGITS = re.compile(r"\d{1,18}", re.ASCII)

_CONVERSATIONS = TypeAdapter(list[AssistantConversation])
_CONVERSATION_GROUPS = TypeAdapter(list[ConversationGroup])
_SESSIONS = TypeAdapter(list[LiveSupportSession])
_SESSION_GROUPS = TypeAdapter(list[SessionGroup])
_STRETCHES = TypeAdapter(list[AgentAvailability])
_STRETCH_GROUPS = TypeAdapter(list[AvailabilityGroup])


@overload
def assistant_conversations(*, days: int, group_by: None = None) -> Call[list[AssistantConversation]]: ...


@overload
def assistant_conversations(*, days: int, group_by: Fields) -> Call[list[ConversationGroup]]: ...


def assistant_conversations(
    *, days: int, group_by: Fields | None = None
) -> Call[list[AssistantConversation]] | Call[list[ConversationGroup]]:
    """Conversations with the assistant, one by one or counted by group.

    A visit in which nobody clicked, searched or kept a help page open for ten seconds is a bounce and no conversation.
    """
    if group_by is None:
        return _call("/assistant-conversations.json", _CONVERSATIONS, days)
    return _call("/assistant-conversations.json", _CONVERSATION_GROUPS, days, group_by, CONVERSATION_FIELDS)


@overload
def live_support_sessions(*, days: int, group_by: None = None) -> Call[list[LiveSupportSession]]: ...


@overload
def live_support_sessions(*, days: int, group_by: Fields) -> Call[list[SessionGroup]]: ...


def live_support_sessions(
    *, days: int, group_by: Fields | None = None
) -> Call[list[LiveSupportSession]] | Call[list[SessionGroup]]:
    """Sessions with live agents, one by one or as nine statistics by group."""
    if group_by is None:
        return _call("/live-support-sessions.json", _SESSIONS, days)
    return _call("/live-support-sessions.json", _SESSION_GROUPS, days, group_by, SESSION_FIELDS)


@overload
def agent_availabilities(*, days: int, group_by: None = None) -> Call[list[AgentAvailability]]: ...


@overload
def agent_availabilities(*, days: int, group_by: Fields) -> Call[list[AvailabilityGroup]]: ...


def agent_availabilities(
    *, days: int, group_by: Fields | None = None
) -> Call[list[AgentAvailability]] | Call[list[AvailabilityGroup]]:
    """When agents were available, stretch by stretch or summed by group.

    The vendor spells the agent as agent_email and agent-email: either is taken and the first is sent; see `respelled`.
    """
    if group_by is None:
        return _call("/agent-availabilities.json", _STRETCHES, days)
    return _call("/agent-availabilities.json", _STRETCH_GROUPS, days, group_by, AVAILABILITY_FIELDS)


def respelled(error: TalkscopeError, call: Call[T]) -> Call[T] | None:
    """The same call with agent-email, for a service that refused agent_email; None where that cannot be the reason."""
    if not isinstance(error, APIError) or error.status not in {400, 422} or "agent-availabilities" not in call.path:
        return None
    fields = dict(call.params).get("group_by", "").split(",")
    if "agent_email" not in fields:
        return None
    spelled = ",".join("agent-email" if field == "agent_email" else field for field in fields)
    return replace(call, params=tuple((name, spelled if name == "group_by" else value) for name, value in call.params))


def _call(
    where: str, rows: TypeAdapter[list[T]], days: int, group_by: Fields | None = None, known: tuple[str, ...] = ()
) -> Call[list[T]]:
    # The vendor counts a request against the right limit only when days comes last.
    asked = {"group_by": None if group_by is None else _fields(group_by, known), "days": _days(days)}
    return Call(where, rows.validate_python, query(asked), listed=True)


def _days(days: object) -> int:
    if isinstance(days, str) and _DIGITS.fullmatch(days):
        days = int(days)
    if isinstance(days, bool) or not isinstance(days, int) or not 1 <= days <= MOST_DAYS:
        raise InvalidArgument(
            f"days must be a whole number from 1 to {MOST_DAYS}.",
            hint="1 is the last 24 hours, 2 the last 48; nothing older than 120 days is kept.",
        )
    return days


def _fields(group_by: object, known: tuple[str, ...]) -> str:
    listed = group_by.split(",") if isinstance(group_by, str) else group_by
    if not isinstance(listed, Sequence) or not listed or not all(isinstance(field, str) for field in listed):
        raise InvalidArgument("group_by names no fields.", hint=f"Name one or more of {', '.join(known)}.")
    fields = [field.strip() for field in listed]
    if "agent_email" in known:
        fields = ["agent_email" if field == "agent-email" else field for field in fields]
    for field in fields:
        if field not in known:
            raise unknown("group_by field", clean(field, 60), known)
    if len(set(fields)) < len(fields):
        raise InvalidArgument("group_by names a field twice.", hint="Name each field once.")
    units = [field for field in fields if field in CALENDAR]
    if len(units) > 1:
        raise InvalidArgument(
            f"group_by has both {units[0]} and {units[1]}, whose dates would share one field.",
            hint="Ask for one of date, week and month.",
        )
    return ",".join(fields)
