"""A report's questions: asked at the same time, of one and the same window, each answered or refused by itself."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol, TypeVar

import anyio

from talkscope import contract
from talkscope.charts import reliability
from talkscope.contract import Question
from talkscope.errors import InvalidArgument, NotSupported, TalkscopeError
from talkscope.models.answers import Answer, ExplainAnswer, Meta, TurnAnswer, WindowMeta
from talkscope.models.safe import Masking, whole
from talkscope.models.window import Window, before, iso, parse_moment, zone_of

A = TypeVar("A", bound=Answer)
Progress = Callable[[str], None]

SLOWEST = 5
_AT_ONCE = 4
_FEW_HOURS = range(48, 24 * 10 + 1)
_HOURS = range(48, 24 * 45 + 1)
# The baseline of a source that takes no times of one's own.
_LONGER = {
    "last_15m": "last_6h",
    "last_1h": "last_24h",
    "last_6h": "last_24h",
    "last_24h": "last_7d",
    "last_7d": "last_30d",
}


class Asks(Protocol):
    """A client that answers questions without blocking."""

    async def ask(self, question: Question[A], /, **words: object) -> A:
        """The answer to the question with these words."""


@dataclass(slots=True)
class Found:
    """What came of the questions: answers and refusals by name, and what made each of the slowest sessions slow.

    All of it may be shown to others.
    """

    summary: Answer
    answers: dict[str, Answer] = field(default_factory=dict)
    refusals: dict[str, TalkscopeError] = field(default_factory=dict)
    explained: dict[int, ExplainAnswer] = field(default_factory=dict)
    turn: TurnAnswer | None = None

    @property
    def window(self) -> WindowMeta:
        """The window that the report is about."""
        assert self.summary.meta.window is not None
        return self.summary.meta.window

    @property
    def meta(self) -> Meta:
        """What the headline figures are about."""
        return self.summary.meta


def questions(summary: Answer) -> Mapping[str, tuple[Question[Answer], Mapping[str, object]]]:
    """The questions after the first, by name: what is asked with which words besides the window."""
    components = ["errors", "error_rate", "p50", "p95"]
    asked: dict[str, tuple[Question[Answer], Mapping[str, object]]] = {
        "latency": (contract.TIMESERIES, {"measures": ["p50", "p95", "p99"]}),
        "shares": (contract.LATENCY, {}),
        "usage": (contract.TIMESERIES, {"measures": ["sessions", "interactions", "end_users"]}),
        "concurrency": (contract.CONCURRENCY, {}),
        "characters": (
            contract.BREAKDOWN,
            {"measures": ["sessions", "interactions", "error_rate", "p95"], "group_by": ["character_id"], "limit": 10},
        ),
        "reliability": (contract.TIMESERIES, {"measures": ["errors", "error_rate", "interactions"]}),
        "dropped_events": (contract.TIMESERIES, {"measures": ["count"], "metric_name": reliability.DROPPED}),
        "components": (contract.BREAKDOWN, {"measures": components, "group_by": ["processor"], "sort": "errors"}),
        "slowest": (contract.SESSIONS, {"sort": "slowest", "limit": SLOWEST}),
        "outcomes": (contract.BREAKDOWN, {"measures": ["outcomes"], "group_by": ["resolution"]}),
        "handoffs": (
            contract.BREAKDOWN,
            {"measures": ["outcomes", "handoff_rate", "deflection_rate"], "group_by": ["character_id"], "limit": 10},
        ),
        "p95_overall": (contract.REGRESSIONS, {"measure": "p95", "group_by": "overall"}),
        "p95_by_component": (contract.REGRESSIONS, {"measure": "p95", "group_by": "processor"}),
        "p95_by_provider": (contract.REGRESSIONS, {"measure": "p95", "group_by": "provider"}),
        "errors_overall": (contract.REGRESSIONS, {"measure": "error_rate", "group_by": "overall"}),
    }
    assert summary.meta.window is not None
    hours = _hours(summary.meta.window)
    if hours in _FEW_HOURS:
        asked["concurrency"] = (contract.CONCURRENCY, {"granularity": "hour"})
    if hours in _HOURS:
        asked["heat"] = (contract.TIMESERIES, {"measures": ["p95"], "granularity": "hour"})
    return asked


async def gather(client: Asks, words: Mapping[str, object], *, mask: Masking, progress: Progress) -> Found:
    """Ask everything about the window that the words mean.

    A question that is refused is noted with its refusal. Raises what the headline figures themselves are refused with.
    """
    summary = whole(await client.ask(contract.SUMMARY, **words), mask)
    progress("headline figures: answered")
    asking = _Asking(client, words, Found(summary), mask, progress)
    await asking.all(questions(summary))
    return asking.found


class _Asking:
    """Asks questions about one window: by its exact times where the source takes them, else by its range."""

    def __init__(self, client: Asks, words: Mapping[str, object], found: Found, mask: Masking, progress: Progress):
        self._client, self._words, self._mask, self._progress = client, words, mask, progress
        self._few = anyio.CapacityLimiter(_AT_ONCE)
        self._sessions: list[str] = []
        self._slowest_turn: str | None = None
        self.found = found

    async def all(self, asked: Mapping[str, tuple[Question[Answer], Mapping[str, object]]]) -> None:
        """Ask these questions, then what made the slowest sessions slow, then for the slowest turn."""
        async with anyio.create_task_group() as group:
            for name, (question, words) in asked.items():
                group.start_soon(self._one, name, question, words)
        async with anyio.create_task_group() as group:
            for place, session in enumerate(self._sessions):
                group.start_soon(self._why, place, session)
        if self._slowest_turn is not None:
            await self._turn(self._slowest_turn)

    async def _one(self, name: str, question: Question[Answer], words: Mapping[str, object]) -> None:
        try:
            answer = await self._ask(question, words)
        except TalkscopeError as error:
            self.found.refusals[name] = error
            self._progress(f"{name.replace('_', ' ')}: refused")
            return
        self._progress(f"{name.replace('_', ' ')}: answered")
        if name == "slowest":
            # As they are: a mark in the place of an id finds nothing.
            self._sessions = [str(row["session_id"]) for row in answer.records()]
        self.found.answers[name] = whole(answer, self._mask)

    async def _why(self, place: int, session: str) -> None:
        try:
            answer = await self._ask(contract.EXPLAIN, {"session_id": session})
        except TalkscopeError as error:
            self.found.refusals.setdefault("why", error)
            return
        if place == 0 and answer.interaction is not None:
            self._slowest_turn = answer.interaction.interaction_id
        self.found.explained[place] = whole(answer, self._mask)

    async def _turn(self, interaction: str) -> None:
        words = {"interaction_id": interaction, "timezone": self.found.window.timezone}
        try:
            self.found.turn = whole(await self._client.ask(contract.INTERACTION, **words), self._mask)
        except TalkscopeError as error:
            self.found.refusals["turn"] = error

    async def _ask(self, question: Question[A], words: Mapping[str, object]) -> A:
        async with self._few:
            try:
                return await self._client.ask(question, **self._exact(question), **words)
            except NotSupported as error:
                if error.code != "unsupported_window":
                    raise
                return await self._client.ask(question, **self._relative(question), **words)

    def _exact(self, question: Question[A]) -> dict[str, object]:
        window = self.found.window
        words: dict[str, object] = {"start_time": window.start, "end_time": window.end, "timezone": window.timezone}
        if "filters" in self._words:
            words["filters"] = self._words["filters"]
        if question.name == contract.REGRESSIONS.name:
            compared = self.found.meta.previous
            words["baseline_start_time"] = compared.start if compared is not None else _before(window)
        return words

    def _relative(self, question: Question[A]) -> dict[str, object]:
        token = self.found.window.range
        if token is None or question.name != contract.REGRESSIONS.name:
            return dict(self._words)
        if token not in _LONGER:
            raise InvalidArgument(
                f"This source compares ranges, and has none longer than {token}.", hint="Report on a shorter range."
            )
        kept = {name: value for name, value in self._words.items() if name in ("timezone", "filters")}
        return {**kept, "current_range": token, "baseline_range": _LONGER[token]}


def _span(window: WindowMeta) -> Window:
    zone = zone_of(window.timezone)
    start, end = (parse_moment("time", text, zone) for text in (window.start, window.end))
    return Window(start, end, window.timezone)


def _hours(window: WindowMeta) -> int:
    return int(_span(window).seconds // 3_600)


def _before(window: WindowMeta) -> str:
    return iso(before(_span(window)).start, window.timezone)
