"""What got worse?"""

from __future__ import annotations

from talkscope import contract
from talkscope.tools.tool import Tool

REGRESSIONS = Tool(
    name="detect_regressions",
    title="What got worse",
    description=(
        "What got worse against a baseline, worst first. A row is significant when it passes threshold and a"
        " permutation test by session at 5 %."
    ),
    question=contract.REGRESSIONS,
    narrows="limit",
    left_out="Filter, or ask for fewer rows.",
    own=frozenset({"measure", "significant"}),
    plain=frozenset({"baseline_range"}),
    told={
        "start_time": "current window, not with current_range",
        "baseline_range": "as current_range, default last_7d; the current window is cut out",
    },
)
