"""What went wrong?"""

from __future__ import annotations

from talkscope import contract
from talkscope.tools.tool import Tool

ERRORS = Tool(
    name="list_errors",
    title="Errors",
    description=("Failed components, error events and failed turns, each failure once, newest first."),
    question=contract.ERRORS,
    hidden=frozenset({"granularity", "max_rows"}),
    narrows="limit",
    left_out="meta.next_cursor leads to the rest.",
    own=frozenset({"time", "kind", "level"}),
    told={
        "filters": "dimension=value",
        "service": "asr llm tts tool workflow ...",
        "cursor": "meta.next_cursor",
        "search": "in messages",
    },
)
