"""The questions, asked of the hosted Convai API: each composed from v1 calls, exactly or within a stated bound.

What a composition cannot say is refused with NotSupported, whose hint names what would answer it. Each module has
`async def answer(asked, account) -> Answer`, with the columns that the same question has on a warehouse.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import Protocol, cast

from talkscope.hosted.account import Account
from talkscope.models.answers import Answer
from talkscope.models.questions import Asked

QUESTIONS: Mapping[str, str] = {
    "summary": "talkscope.hosted.summary",
    "timeseries": "talkscope.hosted.timeseries",
    "breakdown": "talkscope.hosted.breakdown",
    "latency": "talkscope.hosted.latency",
    "sessions": "talkscope.hosted.sessions",
    "session": "talkscope.hosted.session",
    "interaction": "talkscope.hosted.interaction",
    "explain": "talkscope.hosted.explain",
    "concurrency": "talkscope.hosted.concurrency",
    "regressions": "talkscope.hosted.regressions",
    "catalog": "talkscope.hosted.catalog",
    "query": "talkscope.hosted.query",
    "live_support": "talkscope.hosted.beside",
    "resources": "talkscope.hosted.beside",
    "errors": "talkscope.hosted.beside",
    "outcomes": "talkscope.hosted.beside",
}


class _Module(Protocol):
    async def answer(self, asked: Asked, account: Account) -> Answer: ...


async def answer(name: str, asked: Asked, account: Account) -> Answer:
    """The answer to the question of that name. Raises the errors of `talkscope.errors`."""
    module = cast("_Module", importlib.import_module(QUESTIONS[name]))
    return await module.answer(asked, account)
