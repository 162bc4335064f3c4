"""How did sessions end?"""

from __future__ import annotations

from talkscope import contract
from talkscope.tools.tool import Tool

OUTCOMES = Tool(
    name="get_outcomes",
    title="How sessions ended",
    description="How sessions ended: rates and shares with n.",
    question=contract.OUTCOMES,
    left_out="Ask for fewer measures or groups.",
    told={
        "measures": (
            "outcomes deflection resolution handoff_reason deflection_quality sentiment"
            " sentiment_shift resources recontact_risk recontacted csat dsat rating rating_mean response_rate"
            " conversions conversion_value winback coverage"
        ),
        "group_by": "assistant, tag, channel…",
        "filters": "",
        "limit": "",
        "start_time": "ISO 8601",
        "timezone": "",
    },
    own=frozenset({"measure"}),
)
