"""How much are the bots used?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from talkscope.errors import NotSupported
from talkscope.flow import AnyCall
from talkscope.models.answers import Answer
from talkscope.models.questions import Asked
from talkscope.models.window import Window
from talkscope.platforms.general_bots import daily_usage, dashboard, monthly_usage, usage
from talkscope.platforms.general_bots.planned import Windowed
from talkscope.tools.general_bots.asking import BotsAsked, dates, sent, told
from talkscope.tools.vendor import Reach, VendorTool

INSTEAD = (
    "{} is not on this server; GET /api/analytics/dashboard answered instead, which of usage tells only the users that"
    " were active in the last 7 days."
)
_ROUTES: Mapping[str, Windowed[Any]] = {"day": daily_usage, "month": monthly_usage}
# The window of the dashboard's active users.
_DASHBOARD = "last_7d"


class UsageAsked(BotsAsked):
    """Usage."""


async def _answered(reach: Reach, asked: Asked) -> Answer:
    assert isinstance(asked, UsageAsked)
    window = reach.window(asked)
    call = _call(asked, window)
    try:
        found = await sent(reach, call)
    except NotSupported:
        if asked.group_by or asked.bot_id or asked.user_id or window.range != _DASHBOARD:
            raise
        return await _dashboard(reach, call, window)
    return told(reach, call, found, window, asked.group_by)


def _call(asked: UsageAsked, window: Window) -> AnyCall:
    """Days and months have routes of their own, the shape of the first of which is documented."""
    ask: Windowed[Any] = _ROUTES.get(asked.group_by or "", usage)
    # A route for days has no other width.
    width = None if asked.group_by in _ROUTES else asked.group_by
    return ask(**dates(window), group_by=width, bot_id=asked.bot_id, user_id=asked.user_id)


async def _dashboard(reach: Reach, call: AnyCall, window: Window) -> Answer:
    """The one figure of usage that the published server has, where just that is asked for."""
    found = await sent(reach, dashboard())
    reach.note(INSTEAD.format(f"{call.method} {call.path}"))
    return reach.answer(
        ["name", "value"],
        [["active_users", found.active_users], ["total_conversations", None]],
        n=found.active_users,
        window=window,
        basis="as GET /api/analytics/dashboard answers; n counts users",
        units={"value": "users"},
    )


USAGE = VendorTool(
    name="bots_usage",
    title="Usage of bots",
    description="General Bots usage: conversations and active users, in all or by group_by. Planned by the vendor:"
    " many servers lack it and say so.",
    platform="general_bots",
    params=UsageAsked,
    answered=_answered,
    left_out="Ask for a coarser group_by or a shorter window.",
)
