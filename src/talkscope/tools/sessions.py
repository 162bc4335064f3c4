"""Which sessions were there?"""

from __future__ import annotations

from talkscope import contract
from talkscope.tools.tool import Tool

SESSIONS = Tool(
    name="list_sessions",
    title="Sessions",
    description=("Sessions of a window with their figures. Next page: meta.next_cursor as cursor, all else unchanged."),
    question=contract.SESSIONS,
    narrows="limit",
    left_out="meta.next_cursor leads to the rest.",
    told={"cursor": "meta.next_cursor"},
)
