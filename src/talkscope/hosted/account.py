"""One question's dealings with a hosted account: the requests that it may still make, a few at a time.

A composition states its calls; this keeps the budget, cancels the rest when one fails, and remembers for all questions
of the account how long the service wants to be left alone.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol, TypeVar

import anyio

from talkscope.errors import BadAnswer, Json, NotSupported, RateLimited, TalkscopeError
from talkscope.flow import Call, is_quota
from talkscope.models.answers import Meta, WindowMeta
from talkscope.models.records import micros
from talkscope.models.v1 import ResponseMeta
from talkscope.models.window import iso

T = TypeVar("T")
AT_ONCE = 4
# How long a used-up quota is believed where the service does not say.
_QUOTA = 60.0


class Sender(Protocol):
    """What sends a call: `AsyncClient`, or a test's stand-in."""

    async def send(self, call: Call[T]) -> T:
        """The call's typed answer. Raises the errors of `talkscope.errors`."""


@dataclass(slots=True)
class Pause:
    """Until when the service wants no requests, on a clock that only grows; shared by an account's questions."""

    monotonic: Callable[[], float] = time.monotonic
    until: float = 0.0
    told: RateLimited | None = None

    def check(self) -> None:
        """Raise the service's own RateLimited, with the seconds that are left, while it is to be left alone."""
        left = self.until - self.monotonic()
        if self.told is not None and left > 0:
            details: dict[str, Json] = {**self.told.details, "retry_after": round(left, 3)}
            raise RateLimited(self.told.message, hint=self.told.hint, code=self.told.code, details=details)

    def heed(self, error: RateLimited) -> None:
        """Remember what the service said."""
        seconds = error.retry_after if error.retry_after is not None else _QUOTA if is_quota(error) else None
        if seconds:
            self.until, self.told = self.monotonic() + seconds, error


@dataclass(slots=True)
class Account:
    """A hosted account as one question sees it: `budget` requests, `spent` of them made."""

    sender: Sender
    source: str
    now: datetime
    budget: int = 20
    pause: Pause = field(default_factory=Pause)
    spent: int = 0

    @property
    def left(self) -> int:
        """Requests that the question may still make."""
        return self.budget - self.spent

    def need(self, requests: int, what: str) -> None:
        """Raise NotSupported unless so many requests are left: better refused at once than after half of them."""
        if requests > self.left:
            raise NotSupported(
                f"{what} takes {requests} requests of the hosted API, and {self.left} of {self.budget} are left.",
                hint="Ask for less at once (fewer measures, groups or a shorter window), raise"
                " TALKSCOPE_REQUEST_BUDGET, or load the telemetry into a warehouse.",
                code="request_budget",
                details={"needed": requests, "budget": self.budget},
            )

    async def send(self, call: Call[T]) -> T:
        """The call's answer, within the budget. Raises the errors of `talkscope.errors`."""
        self.need(1, "This")
        self.pause.check()
        self.spent += 1
        try:
            return await self.sender.send(call)
        except RateLimited as error:
            self.pause.heed(error)
            raise

    async def together(self, calls: Sequence[Call[T]], what: str = "This") -> list[T]:
        """The answers in the order of the calls, at most four calls at a time; the first error ends the others."""
        self.need(len(calls), what)
        found: dict[int, T] = {}
        limiter = anyio.CapacityLimiter(AT_ONCE)
        failed: list[TalkscopeError] = []

        async def one(place: int, call: Call[T]) -> None:
            async with limiter:
                try:
                    found[place] = await self.send(call)
                except TalkscopeError as error:
                    failed.append(error)
                    group.cancel_scope.cancel()

        async with anyio.create_task_group() as group:
            for place, call in enumerate(calls):
                group.start_soon(one, place, call)
        if failed:
            raise failed[0]
        return [found[place] for place in range(len(calls))]

    def meta(
        self,
        told: ResponseMeta,
        *,
        n: int,
        range: str | None = None,
        zone: str = "UTC",
        window: WindowMeta | None = None,
        previous: WindowMeta | None = None,
        basis: str | None = None,
        units: dict[str, str] | None = None,
        granularity: str | None = None,
        covers: str | None = None,
        next_cursor: str | None = None,
        notes: Sequence[str] = (),
    ) -> Meta:
        """The answer's meta: the window that the service says it used, its freshness, what the figures cover."""
        return Meta(
            source=self.source,
            window=window or (window_of(told, range, zone) if range is not None else None),
            previous=previous,
            n=n,
            basis=basis,
            units=units or {},
            granularity=granularity,
            freshness=written(told.freshness_at, zone) if told.freshness_at else None,
            covers=covers,
            requests=self.spent,
            next_cursor=next_cursor,
            notes=list(notes),
        )


def window_of(told: ResponseMeta, range: str | None, zone: str) -> WindowMeta | None:
    """The window that the service says it used, as an answer shows it."""
    used = told.effective_range
    if used is None:
        return None
    return WindowMeta(
        start=written(used.start_time, zone), end=written(used.end_time, zone), timezone=zone, range=range
    )


def written(at: datetime, zone: str) -> str:
    """A time of the service's as an answer shows it. Raises BadAnswer for one at the ends of the calendar."""
    try:
        return iso(micros(at), zone)
    except (OverflowError, ValueError):
        raise BadAnswer("The service gave a time that cannot be.") from None
