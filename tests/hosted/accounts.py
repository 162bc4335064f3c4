"""A hosted account to ask: the composition over any v1 service in process, with a clock that stands still."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, TypeAlias

import httpx

from talkscope.client import AsyncClient, Client, PortalTransport
from talkscope.flow import Policy
from talkscope.hosted.transport import HostedTransport
from talkscope.models.answers import Answer

Reply: TypeAlias = "Mapping[str, Any] | httpx.Response"


@dataclass
class Clock:
    """A clock that stands where it is put."""

    time: datetime

    def __call__(self) -> datetime:
        return self.time


@dataclass
class Watched(httpx.AsyncBaseTransport):
    """A transport that remembers what it was asked."""

    inner: httpx.AsyncBaseTransport
    seen: list[httpx.Request] = field(default_factory=list)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.seen.append(request)
        return await self.inner.handle_async_request(request)


class Hosted:
    """The hosted account and, beside it, the warehouse behind it: the same question of both, at the same time."""

    def __init__(self, service: httpx.AsyncBaseTransport, warehouse: Client | None, budget: int, clock: Clock) -> None:
        self.clock = clock
        self.watched = Watched(service)
        policy = Policy(attempts=1)
        inner = AsyncClient("http://talkscope/v1/analytics", key="k", transport=self.watched, policy=policy)
        transport = HostedTransport(inner, source="convai", clock=clock, budget=budget)
        self.client = Client("http://talkscope", transport=PortalTransport(transport))
        self._warehouse = warehouse

    def at(self, time: str) -> Hosted:
        """The same account at that time."""
        self.clock.time = datetime.fromisoformat(time).astimezone(UTC)
        return self

    def ask(self, question: str, /, **words: Any) -> Answer:
        """The composed answer."""
        self.watched.seen.clear()
        return self.client.ask(question, **words)

    def truth(self, question: str, /, **words: Any) -> Answer:
        """The warehouse's answer."""
        assert self._warehouse is not None
        return self._warehouse.ask(question, **words)


def by_label(answer: Answer, keys: Sequence[str], values: Sequence[str]) -> dict[tuple[Any, ...], tuple[Any, ...]]:
    """The named cells of every row, by the row's label cells."""
    at = [answer.columns.index(name) for name in keys]
    of = [answer.columns.index(name) for name in values]
    found = {tuple(row[i] for i in at): tuple(row[i] for i in of) for row in answer.rows}
    assert len(found) == len(answer.rows), "two rows have one label"
    return found


def same(got: float | None, expected: float | None, within: float = 0.00051) -> bool:
    """Whether a figure is the expected one, rounding apart; nothing is only the same as nothing."""
    if got is None or expected is None:
        return got is None and expected is None
    return abs(got - expected) <= within
