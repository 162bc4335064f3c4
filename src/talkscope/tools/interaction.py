"""What happened in this turn?"""

from __future__ import annotations

from talkscope import contract
from talkscope.tools.tool import Tool

INTERACTION = Tool(
    name="get_interaction",
    title="One interaction's trace",
    description=(
        "One interaction (turn, trace): its spans with offsets, durations, errors and gaps, and which lie on the"
        " critical path."
    ),
    question=contract.INTERACTION,
    left_out="`talkscope interaction` and the SDK give all of them.",
    own=frozenset({"kind"}),
)
