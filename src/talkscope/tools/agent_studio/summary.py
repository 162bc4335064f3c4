"""How are the calls going? Headline figures of a window, and the calls that are under way."""

from __future__ import annotations

from talkscope.models.answers import Answer, Cell
from talkscope.models.questions import Asked
from talkscope.platforms.agent_studio import active_calls, summary
from talkscope.platforms.agent_studio.models import Summary
from talkscope.tools.agent_studio.windows import asking, rate
from talkscope.tools.vendor import Reach, Timed, VendorTool

NONE = "No call ended in this window, so rates and means are of nothing."
MEANS = "Over how many calls the vendor's means are is not told."
_ODD = "The vendor's total is not its completed and failed calls together."
_UNITS = {
    "success_rate": "fraction",
    "avg_duration": "s",
    "avg_stt_latency": "ms",
    "avg_llm_latency": "ms",
    "avg_tts_latency": "ms",
    "total_tokens": "tokens",
    "active_calls": "calls under way now",
}


class SummaryAsked(Timed):
    """Headline figures."""


async def _answered(reach: Reach, asked: Asked) -> Answer:
    assert isinstance(asked, SummaryAsked)
    window, words = asking(reach, asked)
    found = await reach.send(summary(**words))
    active = await reach.send(active_calls())
    n = found.total_calls
    reach.note(NONE if not n else MEANS)
    if n != found.completed_calls + found.failed_calls:
        reach.note(_ODD)
    return reach.answer(
        ["measure", "value", "n"],
        [*_rows(found, n), ["active_calls", active.count, None]],
        n=n,
        window=window,
        basis="calls that completed or failed; those under way are none of them",
        units=_UNITS,
    )


def _rows(found: Summary, n: int) -> list[list[Cell]]:
    return [
        ["total_calls", n, n],
        ["completed_calls", found.completed_calls, n],
        ["failed_calls", found.failed_calls, n],
        ["success_rate", rate(found.success_rate), n],
        ["avg_duration", found.avg_duration_seconds, None],
        ["avg_stt_latency", found.avg_stt_latency_ms, None],
        ["avg_llm_latency", found.avg_llm_latency_ms, None],
        ["avg_tts_latency", found.avg_tts_latency_ms, None],
        ["total_tokens", found.total_tokens, n],
    ]


SUMMARY = VendorTool(
    name="calls_summary",
    title="How calls are going",
    description="Agent Studio voice calls: totals, success rate, mean duration, mean stt/llm/tts latency, tokens, and"
    " calls under way now. Start here.",
    platform="agent_studio",
    params=SummaryAsked,
    answered=_answered,
    own=frozenset({"measure"}),
)
