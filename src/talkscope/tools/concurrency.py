"""How many sessions were active at once?"""

from __future__ import annotations

from collections.abc import Mapping

from talkscope import contract
from talkscope.models.answers import Answer, ConcurrencyAnswer
from talkscope.tools.tool import Tool

_MOST = 24


def _fewer_levels(answer: Answer) -> Answer:
    """The answer with levels in ranges of one width where there are many, such as `10-19`; seconds still sum up."""
    if not isinstance(answer, ConcurrencyAnswer) or len(answer.time_at_level) <= _MOST:
        return answer
    note = "time_at_level is in ranges of levels, because there are many."
    meta = answer.meta.model_copy(update={"notes": [*answer.meta.notes, note]})
    return answer.model_copy(update={"time_at_level": _ranged(answer.time_at_level), "meta": meta})


def _ranged(levels: Mapping[str, float]) -> dict[str, float]:
    by_level = {int(level): seconds for level, seconds in levels.items()}
    width = max(by_level) // _MOST + 1
    ranged: dict[int, float] = {}
    for level, seconds in sorted(by_level.items()):
        ranged[level // width] = ranged.get(level // width, 0.0) + seconds
    return {f"{each * width}-{(each + 1) * width - 1}": round(seconds, 6) for each, seconds in ranged.items()}


CONCURRENCY = Tool(
    name="get_concurrency",
    title="Sessions active at once",
    description=(
        "Sessions active at once, exact: the peak and when, the mean, the peak of each bucket, seconds at each level."
    ),
    question=contract.CONCURRENCY,
    hidden=frozenset({"max_rows"}),
    narrows="max_rows",
    left_out="Ask for a shorter window or a coarser granularity.",
    own=frozenset({"bucket", "time_at_level"}),
    fold=_fewer_levels,
)
