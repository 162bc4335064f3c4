"""How are tools, skills and knowledge bases used?"""

from __future__ import annotations

from talkscope import contract
from talkscope.tools.tool import Tool

RESOURCES = Tool(
    name="get_resource_usage",
    title="Resource usage",
    description=("Calls of tools, skills and knowledge bases: volume, failures, times."),
    question=contract.RESOURCES,
    narrows="limit",
    left_out="Filter, or ask for fewer.",
    own=frozenset({"kind"}),
    told={"filters": "dimension=value", "search": "in names and titles", "start_time": "ISO 8601"},
)
