"""Asks an account each call once, however many sections want its answer, and a few calls at a time."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from typing import Protocol, TypeAlias, TypeVar

import anyio

from talkscope.errors import Json, TalkscopeError
from talkscope.flow import Call

T = TypeVar("T")
Keep: TypeAlias = Callable[[str, Json], object]
"""Takes a name and the JSON that the service answered."""
Ask: TypeAlias = Callable[[], Awaitable[None]]

AT_ONCE = 4
"""Calls under way at a time; the vendor documents no limit."""


class Sends(Protocol):
    """A client of the account."""

    async def send(self, call: Call[T]) -> T:
        """The call's typed answer. Raises TalkscopeError."""
        ...


class Once:
    """Asks one account."""

    def __init__(self, client: Sends, keep: Keep) -> None:
        self._client, self._keep = client, keep
        self._few = anyio.CapacityLimiter(AT_ONCE)
        self._answers: dict[object, object] = {}
        self._refusals: dict[object, TalkscopeError] = {}
        self._locks: dict[object, anyio.Lock] = {}

    async def ask(self, name: str, call: Call[T]) -> T:
        """The answer; its JSON is kept under the name. Raises TalkscopeError, the same one each time."""
        key = (call.path, call.params)
        async with self._locks.setdefault(key, anyio.Lock()):
            if key in self._refusals:
                raise self._refusals[key]
            if key not in self._answers:
                raw: list[Json] = []
                try:
                    async with self._few:
                        found = await self._client.send(_noting(call, raw))
                except TalkscopeError as error:
                    self._refusals[key] = error
                    raise
                self._keep(name, raw[-1])
                self._answers[key] = found
        answer: T = self._answers[key]  # type: ignore[assignment]
        return answer


def _noting(call: Call[T], raw: list[Json]) -> Call[T]:
    """The same call, whose JSON is noted as it comes."""

    def parse(value: Json) -> T:
        raw.append(value)
        return call.parse(value)

    return replace(call, parse=parse)


async def together(asks: Sequence[Ask]) -> None:
    """Do these at the same time. Raises the first refusal, when all have come to an end."""
    wrong: list[TalkscopeError] = []

    async def one(ask: Ask) -> None:
        try:
            await ask()
        except TalkscopeError as error:
            wrong.append(error)

    async with anyio.create_task_group() as group:
        for ask in asks:
            group.start_soon(one, ask)
    if wrong:
        raise wrong[0]
