"""The routes of General Bots that its roadmap plans, apart from reports; `explained` tells of a server without them.

The window is `start_date` with `end_date`, or `days`, or `period`. `group_by` is the width of groups; `bot_id` and
`user_id` are filters. Every function returns a `Call` for `Client.send` or `AsyncClient.send`, and raises UnknownName,
InvalidRange or InvalidArgument. An argument that is None is left out.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Literal, TypeAlias, TypeVar

from talkscope.errors import Json
from talkscope.flow import Call, query
from talkscope.platforms.general_bots.checks import GROUPS, chosen, identifier, window
from talkscope.platforms.general_bots.models import ActiveSessions, DailyUsage, OpenAnswer, Realtime, Usage, as_it_is
from talkscope.platforms.general_bots.routes import ROUTES

T = TypeVar("T")
When: TypeAlias = str | date | None
Period: TypeAlias = Literal["today", "week", "month", "year"]
GroupBy: TypeAlias = Literal["hour", "day", "week", "month"]


def usage(
    *,
    start_date: When = None,
    end_date: When = None,
    days: int | None = None,
    period: Period | None = None,
    group_by: GroupBy | None = None,
    bot_id: str | None = None,
    user_id: str | None = None,
) -> Call[Usage]:
    """Overall usage."""
    return _call("usage", Usage.model_validate, start_date, end_date, days, period, group_by, bot_id, user_id)


def daily_usage(
    *,
    start_date: When = None,
    end_date: When = None,
    days: int | None = None,
    period: Period | None = None,
    group_by: GroupBy | None = None,
    bot_id: str | None = None,
    user_id: str | None = None,
) -> Call[DailyUsage]:
    """Usage day by day."""
    return _call(
        "daily_usage", DailyUsage.model_validate, start_date, end_date, days, period, group_by, bot_id, user_id
    )


def monthly_usage(
    *,
    start_date: When = None,
    end_date: When = None,
    days: int | None = None,
    period: Period | None = None,
    group_by: GroupBy | None = None,
    bot_id: str | None = None,
    user_id: str | None = None,
) -> Call[OpenAnswer]:
    """Usage month by month."""
    return _call("monthly_usage", as_it_is, start_date, end_date, days, period, group_by, bot_id, user_id)


def conversations(
    *,
    start_date: When = None,
    end_date: When = None,
    days: int | None = None,
    period: Period | None = None,
    group_by: GroupBy | None = None,
    bot_id: str | None = None,
    user_id: str | None = None,
) -> Call[OpenAnswer]:
    """Conversation metrics."""
    return _call("conversations", as_it_is, start_date, end_date, days, period, group_by, bot_id, user_id)


def conversation_volume(
    *,
    start_date: When = None,
    end_date: When = None,
    days: int | None = None,
    period: Period | None = None,
    group_by: GroupBy | None = None,
    bot_id: str | None = None,
    user_id: str | None = None,
) -> Call[OpenAnswer]:
    """Conversations over time."""
    return _call("conversation_volume", as_it_is, start_date, end_date, days, period, group_by, bot_id, user_id)


def conversation_duration(
    *,
    start_date: When = None,
    end_date: When = None,
    days: int | None = None,
    period: Period | None = None,
    group_by: GroupBy | None = None,
    bot_id: str | None = None,
    user_id: str | None = None,
) -> Call[OpenAnswer]:
    """Average duration of conversations, in a unit that is documented nowhere."""
    return _call("conversation_duration", as_it_is, start_date, end_date, days, period, group_by, bot_id, user_id)


def conversation_resolution(
    *,
    start_date: When = None,
    end_date: When = None,
    days: int | None = None,
    period: Period | None = None,
    group_by: GroupBy | None = None,
    bot_id: str | None = None,
    user_id: str | None = None,
) -> Call[OpenAnswer]:
    """Resolution rate, as a fraction or in per cent: documented nowhere."""
    return _call("conversation_resolution", as_it_is, start_date, end_date, days, period, group_by, bot_id, user_id)


def engagement(
    *,
    start_date: When = None,
    end_date: When = None,
    days: int | None = None,
    period: Period | None = None,
    group_by: GroupBy | None = None,
    bot_id: str | None = None,
    user_id: str | None = None,
) -> Call[OpenAnswer]:
    """User engagement."""
    return _call("engagement", as_it_is, start_date, end_date, days, period, group_by, bot_id, user_id)


def retention(
    *,
    start_date: When = None,
    end_date: When = None,
    days: int | None = None,
    period: Period | None = None,
    group_by: GroupBy | None = None,
    bot_id: str | None = None,
    user_id: str | None = None,
) -> Call[OpenAnswer]:
    """User retention."""
    return _call("retention", as_it_is, start_date, end_date, days, period, group_by, bot_id, user_id)


def satisfaction(
    *,
    start_date: When = None,
    end_date: When = None,
    days: int | None = None,
    period: Period | None = None,
    group_by: GroupBy | None = None,
    bot_id: str | None = None,
    user_id: str | None = None,
) -> Call[OpenAnswer]:
    """Satisfaction scores, on a scale that is documented nowhere."""
    return _call("satisfaction", as_it_is, start_date, end_date, days, period, group_by, bot_id, user_id)


def realtime(*, bot_id: str | None = None, user_id: str | None = None) -> Call[Realtime]:
    """Figures of this moment."""
    return _call("realtime", Realtime.model_validate, bot_id=bot_id, user_id=user_id)


def active_sessions(*, bot_id: str | None = None, user_id: str | None = None) -> Call[ActiveSessions]:
    """How many sessions are active now."""
    return _call("active_sessions", ActiveSessions.model_validate, bot_id=bot_id, user_id=user_id)


def _call(
    name: str,
    parse: Callable[[Json], T],
    start_date: When = None,
    end_date: When = None,
    days: int | None = None,
    period: str | None = None,
    group_by: str | None = None,
    bot_id: str | None = None,
    user_id: str | None = None,
) -> Call[T]:
    asked = window(start_date=start_date, end_date=end_date, days=days, period=period)
    asked["group_by"] = chosen("group_by", group_by, GROUPS)
    asked["bot_id"] = identifier("bot_id", bot_id)
    asked["user_id"] = identifier("user_id", user_id)
    return Call(ROUTES[name].path, parse, query(asked))
