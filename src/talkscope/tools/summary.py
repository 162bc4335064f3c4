"""How is it going?"""

from __future__ import annotations

from talkscope import contract
from talkscope.tools.tool import Tool

SUMMARY = Tool(
    name="get_summary",
    title="Headline figures",
    description=(
        "How are we doing: sessions, interactions, end users, errors, error rate and latency of a window, and their"
        " change against the window before."
    ),
    question=contract.SUMMARY,
    own=frozenset({"measure"}),
)
