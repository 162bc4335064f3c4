"""What is going on now?"""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from talkscope.errors import InvalidArgument, NotSupported
from talkscope.models.answers import Answer
from talkscope.models.questions import Asked
from talkscope.platforms.general_bots import active_sessions, attendant_stats, dashboard, realtime
from talkscope.tools.general_bots.asking import sent, told
from talkscope.tools.vendor import Reach, VendorTool

ONLY_ACTIVE = "GET /api/v1/analytics/realtime is not on this server: only the active sessions are told."


class RealtimeAsked(Asked):
    """This moment."""

    about: Literal["now", "live_support", "dashboard"] = "now"
    bot_id: str | None = Field(default=None, description="UUID, with about=now")
    user_id: str | None = Field(default=None, description="UUID, with about=now")


async def _answered(reach: Reach, asked: Asked) -> Answer:
    assert isinstance(asked, RealtimeAsked)
    if asked.about == "now":
        return await _now(reach, asked)
    if asked.bot_id or asked.user_id:
        raise InvalidArgument(
            f"{asked.about} cannot be filtered.", hint="Leave bot_id and user_id out, or ask about now."
        )
    if asked.about == "live_support":
        stats = await reach.send(attendant_stats())
        figures = stats.model_dump(mode="json", exclude_unset=True)
        n: int | None = stats.total_sessions_today
        over = "today's sessions with live agents, as GET /api/attendant/stats answers"
    else:
        board = await reach.send(dashboard())
        # Its charts are made up, as a note says.
        figures = board.model_dump(mode="json", exclude_unset=True, exclude={"charts"})
        n = None
        over = "as GET /api/analytics/dashboard answers; n counts figures, for the totals are no counts"
    rows = [[name, value] for name, value in figures.items() if not isinstance(value, dict | list)]
    n = len(rows) if n is None else n
    return reach.answer(["name", "value"], rows, n=n, basis=over, units={"value": "as names say, else unstated"})


async def _now(reach: Reach, asked: RealtimeAsked) -> Answer:
    call = realtime(bot_id=asked.bot_id, user_id=asked.user_id)
    try:
        return told(reach, call, await sent(reach, call))
    except NotSupported as missing:
        only = active_sessions(bot_id=asked.bot_id, user_id=asked.user_id)
        try:
            found = await reach.send(only)
        except NotSupported:
            raise missing from None
    reach.note(ONLY_ACTIVE)
    return told(reach, only, found)


REALTIME = VendorTool(
    name="bots_realtime",
    title="Bots now",
    description="General Bots right now: active sessions and messages a minute (planned by the vendor, many servers"
    " lack it), today's live_support queue and agents, or the published server's dashboard totals.",
    platform="general_bots",
    params=RealtimeAsked,
    answered=_answered,
)
