"""What drives it?"""

from __future__ import annotations

from talkscope import contract
from talkscope.tools.tool import Tool

BREAKDOWN = Tool(
    name="get_breakdown",
    title="Measures by dimension",
    description=(
        "Compare groups: errors by error_code, usage by character_id, p95 and error_rate by provider and model."
        " Latency by processor, provider, model or error_code is of spans, else user-to-bot."
        " Largest first, with n; the rest is one row."
    ),
    question=contract.BREAKDOWN,
    narrows="limit",
    left_out="Filter, or ask for fewer groups.",
    told={
        "measures": (
            "1-8 of count sessions interactions end_users errors error_rate avg p50 p75 p90 p95 p99 max input_tokens"
            " output_tokens characters cost_usd outcomes handoff_rate deflection_rate, default count"
        ),
        "group_by": (
            "1-2 of processor provider voice_provider model error_code character_id experience_id channel language"
            " status end_user_id or others of list_metrics, default processor"
        ),
    },
)
