"""The routes of General Bots that its roadmap plans, apart from reports; `explained` tells of a server without them.

The window is `start_date` with `end_date`, or `days`, or `period`. `group_by` is the width of groups; `bot_id` and
`user_id` are filters. Every function returns a `Call` for `Client.send` or `AsyncClient.send`, and raises UnknownName,
InvalidRange or InvalidArgument. An argument that is None is left out.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date
from typing import Literal, Protocol, TypeAlias, TypeVar

from talkscope.errors import Json
from talkscope.flow import Call, Param, query
from talkscope.platforms.checks import chosen
from talkscope.platforms.general_bots.checks import GROUPS, identifier, window
from talkscope.platforms.general_bots.models import ActiveSessions, DailyUsage, Realtime, Usage, as_it_is
from talkscope.platforms.general_bots.routes import ROUTES

T = TypeVar("T")
When: TypeAlias = str | date | None
Period: TypeAlias = Literal["today", "week", "month", "year"]
GroupBy: TypeAlias = Literal["hour", "day", "week", "month"]


class Windowed(Protocol[T]):
    """Asks about a window; all ten routes that have one take the same words."""

    __name__: str

    def __call__(
        self,
        *,
        start_date: When = None,
        end_date: When = None,
        days: int | None = None,
        period: Period | None = None,
        group_by: GroupBy | None = None,
        bot_id: str | None = None,
        user_id: str | None = None,
    ) -> Call[T]:
        """The call."""


def _windowed(name: str, parse: Callable[[Json], T], says: str) -> Windowed[T]:
    def call(
        *,
        start_date: When = None,
        end_date: When = None,
        days: int | None = None,
        period: Period | None = None,
        group_by: GroupBy | None = None,
        bot_id: str | None = None,
        user_id: str | None = None,
    ) -> Call[T]:
        asked = window(start_date=start_date, end_date=end_date, days=days, period=period)
        asked["group_by"] = chosen("group_by", group_by, GROUPS)
        return _call(name, parse, {**asked, **_only(bot_id, user_id)})

    call.__name__ = call.__qualname__ = name
    call.__doc__ = says
    return call


usage = _windowed("usage", Usage.model_validate, "Overall usage.")
daily_usage = _windowed("daily_usage", DailyUsage.model_validate, "Usage day by day.")
monthly_usage = _windowed("monthly_usage", as_it_is, "Usage month by month.")
conversations = _windowed("conversations", as_it_is, "Conversation metrics.")
conversation_volume = _windowed("conversation_volume", as_it_is, "Conversations over time.")
conversation_duration = _windowed(
    "conversation_duration", as_it_is, "Average duration of conversations, in a unit that is documented nowhere."
)
conversation_resolution = _windowed(
    "conversation_resolution", as_it_is, "Resolution rate, as a fraction or in per cent: documented nowhere."
)
engagement = _windowed("engagement", as_it_is, "User engagement.")
retention = _windowed("retention", as_it_is, "User retention.")
satisfaction = _windowed("satisfaction", as_it_is, "Satisfaction scores, on a scale that is documented nowhere.")


def realtime(*, bot_id: str | None = None, user_id: str | None = None) -> Call[Realtime]:
    """Figures of this moment."""
    return _call("realtime", Realtime.model_validate, _only(bot_id, user_id))


def active_sessions(*, bot_id: str | None = None, user_id: str | None = None) -> Call[ActiveSessions]:
    """How many sessions are active now."""
    return replace(_call("active_sessions", ActiveSessions.model_validate, _only(bot_id, user_id)), scalar=True)


def _only(bot_id: str | None, user_id: str | None) -> dict[str, Param]:
    return {"bot_id": identifier("bot_id", bot_id), "user_id": identifier("user_id", user_id)}


def _call(name: str, parse: Callable[[Json], T], asked: Mapping[str, Param]) -> Call[T]:
    return Call(ROUTES[name].path, parse, query(asked))
