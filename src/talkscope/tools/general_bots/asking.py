"""What General Bots' questions share: their words, the window as the server takes it, and the answer."""

from __future__ import annotations

from typing import Literal, TypedDict, TypeVar

from pydantic import Field

from talkscope.errors import NotSupported
from talkscope.flow import Call
from talkscope.models.answers import Answer
from talkscope.models.window import Window, iso
from talkscope.tools.general_bots.shown import facts, table
from talkscope.tools.vendor import Reach, Timed

T = TypeVar("T")

PLANNED = "The vendor plans this route; only a few of its fields are documented, and no units: all come as they are."
END = "Whether the end of a window is a part of it is documented nowhere."
_ELSE = " Of those, bots_realtime shows two: about=dashboard and about=live_support."


class Dates(TypedDict):
    """A window as the server takes it."""

    start_date: str
    end_date: str


class BotsAsked(Timed):
    """What all questions about a window take."""

    group_by: Literal["hour", "day", "week", "month"] | None = None
    bot_id: str | None = Field(default=None, description="UUID")
    user_id: str | None = Field(default=None, description="UUID")


def dates(window: Window) -> Dates:
    """The window's two moments: the one of the three selectors of time that says just this."""
    return {"start_date": iso(window.start), "end_date": iso(window.end)}


async def sent(reach: Reach, call: Call[T]) -> T:
    """The answer to a call; a server without the route is told apart with what it may have instead."""
    try:
        return await reach.send(call)
    except NotSupported as error:
        raise NotSupported(error.message, hint=error.hint + _ELSE, details=error.details) from None


def told(reach: Reach, call: Call[T], found: T, window: Window | None = None, granularity: str | None = None) -> Answer:
    """An answer as it came, and the route that gave it."""
    columns, rows = table(found)
    n = facts(found)
    over = "n counts conversations" if n is not None else "n counts rows, for over how many facts is not told"
    reach.note(PLANNED, *([END] if window else []))
    return reach.answer(
        columns,
        rows,
        n=len(rows) if n is None else n,
        window=window,
        basis=f"as {call.method} {call.path} answers; {over}",
        units={"value" if "value" in columns else "figures": "the server's own, documented nowhere"},
        granularity=granularity,
    )
