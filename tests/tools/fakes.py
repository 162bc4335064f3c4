"""An asker that answers what a test tells it to, and remembers what it was asked."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, TypeVar

import anyio

from talkscope import tools
from talkscope.client import Recent
from talkscope.contract import Question
from talkscope.errors import Json
from talkscope.flow import Call
from talkscope.models.answers import (
    Answer,
    Cell,
    ConcurrencyAnswer,
    ErrorsAnswer,
    ExplainAnswer,
    Meta,
    SessionAnswer,
    SessionFacts,
    TurnAnswer,
    TurnFacts,
    WindowMeta,
)
from talkscope.models.masking import Mask
from talkscope.settings import PlatformSettings, Settings
from talkscope.tools.tool import Tool

T = TypeVar("T")

ASKING = [tool for tool in (*tools.TOOLS, *tools.RECORD_TOOLS) if isinstance(tool, Tool)]
"""The tools that answer with rows; the others draw."""
WINDOW = WindowMeta(start="2026-05-04T00:00:00Z", end="2026-05-05T00:00:00Z", timezone="UTC", range="last_24h")
SESSION = SessionFacts(
    session_id="s-1", platform="own", start_time="2026-05-04T10:00:00Z", interactions=3, errors=0, p95_ms=812.5
)
TURN = TurnFacts(interaction_id="i-1", session_id="s-1", platform="own", start_time="2026-05-04T10:00:01Z")


def meta(**more: Any) -> Meta:
    return Meta(**{"source": "warehouse", "window": WINDOW, "n": 7, "freshness": "2026-05-04T23:59:00Z", **more})


def rows_of(count: int, *, text: str = "name-{}") -> list[list[Cell]]:
    return [[text.format(index), index * 1.23456, index] for index in range(count)]


def plain(name: str, rows: Any = None, **more: Any) -> Answer:
    """An answer of the kind that the question gives."""
    shown: Sequence[Sequence[Cell]] = [["llm", 812.34567, 40], ["tts", None, 0]] if rows is None else rows
    given: dict[str, Any] = {
        "columns": ["processor", "p95", "n"],
        "rows": [list(row) for row in shown],
        "meta": meta(units={"p95": "ms"}, **more),
    }
    if name == "session":
        return SessionAnswer(**given, session=SESSION)
    if name == "interaction":
        return TurnAnswer(**given, interaction=TURN)
    if name == "explain":
        return ExplainAnswer(**given, session=SESSION, interaction=TURN, verdict="llm took 80 % of the turn.")
    if name == "errors":
        return ErrorsAnswer(**given, by_service={"llm": 5, "tts": 2})
    if name == "concurrency":
        return ConcurrencyAnswer(
            **given, peak=3, peak_at="2026-05-04T10:00:00Z", time_at_level={"0": 86_000.0, "3": 400.0}
        )
    return Answer(**given)


def always(answer: Answer) -> Callable[[str, Mapping[str, object]], Answer]:
    """What answers this, whatever is asked."""
    return lambda name, words: answer


@dataclass
class Manner:
    answer_tokens: int = 4_000
    reveal_personal_data: bool = False
    allow_side_effects: bool = False


@dataclass
class Fake:
    """Answers by `answering`, which gets the question's name and its words."""

    answering: Callable[[str, Mapping[str, object]], Answer] = lambda name, words: plain(name)
    sources: Sequence[str] = ("warehouse",)
    default_source: str | None = None
    asked: list[tuple[str | None, str, dict[str, Any]]] = field(default_factory=list)
    settings: Settings = field(default_factory=Settings)
    holds_records: bool = False

    def accounts(self, platform: str) -> Sequence[PlatformSettings]:
        return [each for each in self.settings.platforms if each.platform == platform]

    def account(self, platform: str, source: str | None) -> PlatformSettings:
        return self.settings.platform(platform, source)

    async def reach(self, account: PlatformSettings, call: Call[T]) -> Recent[T]:
        raise AssertionError(f"{account.name} is not asked here: {call.path}")

    def now(self) -> datetime:
        return datetime(2026, 5, 5, tzinfo=UTC)

    async def ask(self, source: str | None, question: Question[Answer], words: Mapping[str, object]) -> Answer:
        self.asked.append((source, question.name, dict(words)))
        return self.answering(question.name, words)

    def mask(self, source: str | None) -> Callable[[str], str]:
        return Mask(b"k" * 32).mask

    async def png(self, spec: Mapping[str, Json]) -> bytes:
        return b"\x89PNG " + str(spec["title"]).encode()


def call(tool: str, asker: Fake | None = None, manner: Manner | None = None, /, **words: object) -> Any:
    """The tool's shaped answer."""
    return anyio.run(lambda: tools.find(tool).call(asker or Fake(), words, manner or Manner()))


NEEDED: Mapping[str, Mapping[str, Any]] = {
    "get_session": {"session_id": "s-1"},
    "get_interaction": {"interaction_id": "i-1"},
    "query": {"query": {"measures": ["SessionMetrics.count"]}},
}
"""What a tool cannot be called without."""
