"""Which workflows, and which providers?"""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from talkscope.models.answers import Answer
from talkscope.models.questions import Asked
from talkscope.platforms.agent_studio import provider_latency, workflow_stats
from talkscope.tools.agent_studio.summary import NONE
from talkscope.tools.agent_studio.windows import asking, rate
from talkscope.tools.vendor import Reach, Timed, VendorTool

MORE = "These are the {} workflows that were asked for: there may be more."


class BreakdownAsked(Timed):
    """Calls by workflow, or latency by provider."""

    by: Literal["workflow", "provider"] = "workflow"
    limit: int = Field(default=10, ge=1, le=50, description="workflows, 1-50, default 10")


async def _answered(reach: Reach, asked: Asked) -> Answer:
    assert isinstance(asked, BreakdownAsked)
    return await (_by_provider if asked.by == "provider" else _by_workflow)(reach, asked)


async def _by_workflow(reach: Reach, asked: BreakdownAsked) -> Answer:
    window, words = asking(reach, asked)
    found = await reach.send(workflow_stats(limit=asked.limit, **words))
    reach.note(*[MORE.format(asked.limit)] if len(found) >= asked.limit else [], *[] if found else [NONE])
    return reach.answer(
        ["workflow", "slug", "workflow_id", "calls", "completed", "failed", "success_rate", "avg_duration"],
        [
            [
                each.workflow_name,
                each.workflow_slug,
                each.workflow_id,
                each.total_calls,
                each.completed_calls,
                each.failed_calls,
                rate(each.success_rate),
                each.avg_duration_seconds,
            ]
            for each in found
        ],
        n=sum(each.total_calls for each in found),
        window=window,
        basis="calls that completed or failed",
        units={"success_rate": "fraction of calls", "avg_duration": "s"},
    )


async def _by_provider(reach: Reach, asked: BreakdownAsked) -> Answer:
    window, words = asking(reach, asked)
    found = await reach.send(provider_latency(**words))
    reach.note(*[] if found else [NONE])
    return reach.answer(
        ["type", "provider", "calls", "avg", "p50", "p95", "p99", "estimated"],
        [
            [
                each.provider_type,
                each.provider_name,
                each.call_count,
                each.avg_latency_ms,
                each.p50_latency_ms,
                each.p95_latency_ms,
                each.p99_latency_ms,
                "yes" if each.estimated else "no",
            ]
            for each in found
        ],
        n=sum(each.call_count for each in found),
        window=window,
        basis="calls by provider: a call counts once for each type it uses",
        units=dict.fromkeys(("avg", "p50", "p95", "p99"), "ms"),
    )


BREAKDOWN = VendorTool(
    name="calls_breakdown",
    title="Calls by workflow or provider",
    description="Agent Studio calls by workflow (success rate, duration), or stt/llm/tts latency by provider. Provider"
    " percentiles marked estimated are only multiples of the mean.",
    platform="agent_studio",
    params=BreakdownAsked,
    answered=_answered,
    left_out="Ask for fewer workflows.",
    own=frozenset({"estimated"}),
)
