"""What went wrong in calls?"""

from __future__ import annotations

import re
from typing import Literal

from pydantic import Field

from talkscope.errors import InvalidArgument
from talkscope.models.answers import Answer
from talkscope.models.questions import Asked
from talkscope.models.records import micros
from talkscope.models.window import iso
from talkscope.platforms.agent_studio import error_logs
from talkscope.tools.agent_studio.windows import asking
from talkscope.tools.vendor import Reach, Timed, VendorTool
from talkscope.tools.vendor.said import written

NONE = "No call of this window has such an entry."
SHOWN = "Entries {} to {} of {}."
_CURSOR = re.compile(r"\d{1,9}", re.ASCII)


class ErrorsAsked(Timed):
    """Errors and warnings, newest first as the vendor lists them."""

    service: Literal["stt", "llm", "tts", "workflow", "tool"] | None = None
    level: Literal["error", "warning"] | None = None
    limit: int = Field(default=50, ge=1, le=200, description="1-200, default 50")
    cursor: str | None = Field(default=None, description="next_cursor of the page before")


async def _answered(reach: Reach, asked: Asked) -> Answer:
    assert isinstance(asked, ErrorsAsked)
    window, words = asking(reach, asked)
    offset = _offset(asked.cursor)
    found = await reach.send(
        error_logs(service=asked.service, level=asked.level, offset=offset, limit=asked.limit, **words)
    )
    reached = offset + len(found.items)
    reach.note(SHOWN.format(offset + 1, reached, found.total) if found.items else NONE)
    return reach.answer(
        ["time", "level", "service", "agent", "message", "call_id", "details"],
        [
            [
                iso(micros(each.timestamp), window.zone),
                each.level,
                each.service,
                each.agent,
                each.message,
                each.call_id,
                written(each.details) if each.details else None,
            ]
            for each in found.items
        ],
        n=found.total,
        window=window,
        basis="errors and warnings of calls that began in the window",
        units={"n": "entries that match"},
        next_cursor=str(reached) if found.items and reached < found.total else None,
    )


def _offset(cursor: str | None) -> int:
    if cursor is None:
        return 0
    if not _CURSOR.fullmatch(cursor):
        raise InvalidArgument("cursor is not one that this tool gave.", hint="Give meta.next_cursor, or leave it out.")
    return int(cursor)


ERRORS = VendorTool(
    name="calls_errors",
    title="Errors of calls",
    description="Agent Studio errors and warnings, newest first, with how many match; calls_detail shows the call of"
    " one.",
    platform="agent_studio",
    params=ErrorsAsked,
    answered=_answered,
    left_out="Ask with a smaller limit, or filter by service or level.",
)
