"""How did it develop?"""

from __future__ import annotations

from talkscope import contract
from talkscope.tools.tool import Tool

TIMESERIES = Tool(
    name="get_timeseries",
    title="Measures over time",
    description=(
        "Trend of usage, errors, latency or any measure. Granularity is coarsened when the answer would be too long."
    ),
    question=contract.TIMESERIES,
    hidden=frozenset({"max_rows"}),
    narrows="max_rows",
    left_out="Ask for a shorter window, fewer groups or fewer measures.",
    own=frozenset({"bucket"}),
    told={"measures": "as in get_breakdown, default interactions"},
)
