"""One file a question: a few SELECTs over one snapshot, finished in Python; the table of contents is `QUESTIONS`."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from datetime import datetime

from talkscope.models.answers import Answer
from talkscope.models.questions import Asked
from talkscope.warehouse.ask import Ask
from talkscope.warehouse.store import Stop, Store

QUESTIONS: Mapping[str, str] = {
    name: f"talkscope.warehouse.questions.{name}"
    for name in (
        "summary", "timeseries", "breakdown", "latency", "sessions", "session", "interaction", "explain", "concurrency",
        "regressions", "catalog", "query", "outcomes", "live_support", "resources", "errors",
    )
}  # fmt: skip
"""By the contract's name: the module whose `answer(asked, ask)` answers it."""


def answer(
    name: str, asked: Asked, *, store: Store, now: datetime, stop: Stop, mask_key: bytes | None = None
) -> Answer:
    """Answer one question of the contract from the store as it is now; blocking, to be run in a worker thread."""
    try:
        module = importlib.import_module(QUESTIONS[name])
        ask = Ask(store.snapshot(stop), store.name, now, mask_key=mask_key)
        given: Answer = module.answer(asked, ask)
        return given
    finally:
        stop.done()
