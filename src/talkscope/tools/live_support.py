"""How do live agents do?"""

from __future__ import annotations

from talkscope import contract
from talkscope.tools.tool import Tool

LIVE_SUPPORT = Tool(
    name="get_live_support",
    title="Live support",
    description=(
        "Live agents: times with percentiles (chat_ms includes the queue), statuses, availability, occupancy."
    ),
    question=contract.LIVE_SUPPORT,
    left_out="Ask for fewer groups (limit) or measures, or filter.",
    own=frozenset({"metric"}),
    bare=frozenset({"agent"}),
    told={
        "measures": "default sessions queue_ms first_response_ms chat_ms agents availability_ms active_ms occupancy",
        "group_by": "agent agent_group status resolution channel assistant",
        "start_time": "ISO 8601",
        "filters": "dimension=value",
    },
)
