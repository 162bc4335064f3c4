"""The command line in this process, over an app that only notes what it is asked."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from talkscope.cli.group import Surroundings, run
from talkscope.contract import Question, understand
from talkscope.errors import TalkscopeError
from talkscope.models.answers import Answer, Meta
from talkscope.settings import Settings, SourceSettings

NOW = datetime(2026, 5, 4, 12, tzinfo=UTC)
PLAIN = Answer(columns=["measure", "value"], rows=[["p95", 12.5]], meta=Meta(source="warehouse", n=3))


@dataclass
class Noting:
    """In the place of the app and of its client."""

    answer: Answer | TalkscopeError = PLAIN
    asked: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    sources: list[str | None] = field(default_factory=list)
    folders: list[Path] = field(default_factory=list)
    closed: bool = False

    def client(self, source: str | None = None) -> Noting:
        self.sources.append(source)
        return self

    def ask(self, question: Question[Answer], **words: Any) -> Answer:
        understand(question.params, words)
        self.asked.append((question.name, words))
        if isinstance(self.answer, TalkscopeError):
            raise self.answer
        return self.answer

    def close(self) -> None:
        self.closed = True

    def __call__(self, settings: Settings) -> Any:
        self.folders += [source.path for source in settings.sources]
        return self

    def run(self, *arguments: str) -> int:
        """The exit code of the command line."""
        settings = Settings(sources=(SourceSettings("warehouse", Path("w").absolute()),))
        return run(arguments, around=Surroundings(settings=lambda: settings, app=self, now=lambda: NOW))
