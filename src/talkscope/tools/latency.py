"""Where does the time go?"""

from __future__ import annotations

from talkscope import contract
from talkscope.tools.tool import Tool

LATENCY = Tool(
    name="get_latency_breakdown",
    title="Where the time goes",
    description=(
        "Which component, provider, model or character drives latency: shares of turn time that sum to 1, bottlenecks"
        " first. What drives p95: percentile=p95."
    ),
    question=contract.LATENCY,
    narrows="limit",
    left_out="Filter, or ask for fewer rows.",
)
