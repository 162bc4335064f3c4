"""Records put into a warehouse through the loader, and a question asked of it as the API asks it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path

from talkscope.contract import QUESTIONS, understand
from talkscope.models.answers import Answer, Cell
from talkscope.models.records import check
from talkscope.warehouse.ask import Ask
from talkscope.warehouse.load import Loader
from talkscope.warehouse.store import DuckStore, Stop

NOW = datetime(2027, 1, 1, tzinfo=UTC)
Record = Mapping[str, object]


class Loaded:
    """A warehouse with some records in it, added to what is there."""

    def __init__(self, folder: Path, batches: Iterable[Iterable[Record]] = ()) -> None:
        # So little data is loaded and read fastest by one thread.
        loader = Loader(folder, threads=1)
        for batch in batches:
            stage = loader.stage()
            stage.file_begins()
            for record in batch:
                stage.add(*check(record))
            loader.commit(stage)
            stage.discard()
        self.store = DuckStore(folder, threads=1)

    def ask(self, question: str, *, now: object = NOW, **words: object) -> Answer:
        """The answer to the question, at a time that is a datetime."""
        assert isinstance(now, datetime)
        module = import_module(f"talkscope.warehouse.questions.{question}")
        asked = understand(QUESTIONS[question].params, words)
        answer = module.answer(asked, Ask(self.store.snapshot(Stop()), self.store.name, now))
        assert isinstance(answer, QUESTIONS[question].answer)
        assert all(len(row) == len(answer.columns) for row in answer.rows)
        return answer

    def close(self) -> None:
        """Let go of the engine."""
        self.store.close()


def column(answer: Answer, name: str) -> list[Cell]:
    """One column of the answer."""
    return [row[answer.columns.index(name)] for row in answer.rows]


def numbers(answer: Answer, name: str) -> list[float]:
    """One column of the answer that holds numbers only."""
    cells = column(answer, name)
    assert all(isinstance(cell, int | float) for cell in cells)
    return [cell for cell in cells if isinstance(cell, int | float)]
