"""What can be measured here?"""

from __future__ import annotations

from talkscope import contract
from talkscope.tools.tool import Tool

CATALOG = Tool(
    name="list_metrics",
    title="What can be measured",
    description="Measures, dimensions and metric names that this source has, with units. Ask before guessing a name.",
    question=contract.CATALOG,
    left_out="Ask for one kind.",
    own=frozenset({"kind", "unit", "description", "family"}),
)
