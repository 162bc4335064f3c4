"""Why was this session slow?"""

from __future__ import annotations

from talkscope import contract
from talkscope.models.answers import Answer, ExplainAnswer
from talkscope.tools.tool import Tool

_MOST = 10


def _fewer_ids(answer: Answer) -> Answer:
    """The answer with the first of its slower turns: there may be thousands."""
    if not isinstance(answer, ExplainAnswer) or len(answer.slower_without_spans) <= _MOST:
        return answer
    note = f"{_MOST} of {len(answer.slower_without_spans)} slower turns without spans are named."
    meta = answer.meta.model_copy(update={"notes": [*answer.meta.notes, note]})
    return answer.model_copy(update={"slower_without_spans": answer.slower_without_spans[:_MOST], "meta": meta})


EXPLAIN = Tool(
    name="explain_slow_session",
    title="Why a session was slow",
    description=(
        "Why a session was slow: a verdict, and its slowest turn's components by share, each against its usual time."
    ),
    question=contract.EXPLAIN,
    fold=_fewer_ids,
)
