"""Our server over an asker that answers at once, never, when it is told to, or not at all: the filter says which."""

from __future__ import annotations

import logging
from collections.abc import Mapping

import anyio

from talkscope.contract import Question
from talkscope.models.answers import Answer
from talkscope.server import calls, stdio
from talkscope.server.app import build
from talkscope.server.logs import configure_logging
from tests.tools.fakes import Fake, Manner, plain

configure_logging()
logger = logging.getLogger("asker")
calls._BEAT = 0.02


class Asker(Fake):
    def __init__(self) -> None:
        super().__init__()
        self.released = anyio.Event()

    async def ask(self, source: str | None, question: Question[Answer], words: Mapping[str, object]) -> Answer:
        match words.get("filters"):
            case ["status=hang"]:
                try:
                    await anyio.sleep_forever()
                except anyio.get_cancelled_exc_class():
                    logger.warning("the query was interrupted")
                    raise
            case ["status=wait"]:
                await self.released.wait()
            case ["status=release"]:
                self.released.set()
            case ["status=crash"]:
                raise LookupError(f"the key ck_live_{'k' * 20} of jane opened nothing")
            case ["status=hostile"]:
                return plain(question.name, [["half \ud83d\u202e" + "x" * 1_000_000, 1.0, 1]])
        return await super().ask(source, question, words)


if __name__ == "__main__":
    stdio.run(build(Asker(), settings=Manner()))
