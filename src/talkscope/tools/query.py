"""A restricted query over the semantic layer."""

from __future__ import annotations

from talkscope import contract
from talkscope.tools.tool import Tool

QUERY = Tool(
    name="query",
    title="Restricted query",
    description=(
        "For what no other tool answers: a query of the v1 contract, no SQL. Members are Cube.name, e.g."
        " SessionMetrics.count; errors name the nearest."
    ),
    question=contract.QUERY,
    left_out="Lower the limit, add filters or order by what matters.",
)
