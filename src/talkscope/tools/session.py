"""What happened in this session?"""

from __future__ import annotations

from talkscope import contract
from talkscope.tools.tool import Tool

SESSION = Tool(
    name="get_session",
    title="One session's timeline",
    description="One session: its facts, and its interactions, spans, events and outcome in order of time, paged.",
    question=contract.SESSION,
    narrows="limit",
    left_out="meta.next_cursor leads to the rest.",
    own=frozenset({"kind"}),
    told={"cursor": "meta.next_cursor"},
)
