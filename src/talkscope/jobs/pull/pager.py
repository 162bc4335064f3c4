"""The pager: asks the parts of a plan, several at once, and writes each answer down before it counts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

import anyio
import anyio.to_thread

from talkscope.client import AsyncClient
from talkscope.errors import InvalidArgument, Json, TalkscopeError
from talkscope.flow import AnyCall
from talkscope.jobs.pull.journal import Journal
from talkscope.jobs.pull.plan import Part, Plan

AT_ONCE = 8
MOST_AT_ONCE = 64
CAP = 1024 * 1024 * 1024
"""Most bytes of one part's answer: some platforms have no pages, and answer with everything."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a pull is: parts that are done, parts that are known of, and items."""

    done: int
    known: int
    items: int


@dataclass(frozen=True, slots=True)
class Pulled:
    """What a pull has brought: requests of this run, parts kept from earlier runs, and items.

    Attributes:
        asked: Parts that this run asked for.
        kept: Parts that earlier runs had.
        items: Items, each once.
        duplicates: Items that came once more and were dropped.
        expected: Items that the service says there are, where it says so.
        missing: Ids whose details the service left out.
    """

    asked: int
    kept: int
    items: int
    duplicates: int
    expected: int | None
    missing: tuple[str, ...]

    @property
    def notes(self) -> tuple[str, ...]:
        """What is not as one would expect, in sentences."""
        told = []
        if self.duplicates:
            told.append(f"{self.duplicates:,} came twice, since pages shift while one pages; each is kept once.")
        if self.expected is not None and self.expected != self.items:
            told.append(
                f"The service says that there are {self.expected:,}, and {self.items:,} came: it changed meanwhile."
            )
        if self.missing:
            first = ", ".join(self.missing[:5]) + (", …" if len(self.missing) > 5 else "")
            told.append(f"The service left out the messages of {len(self.missing):,}: {first}.")
        return tuple(told)


async def pull(
    plan: Plan,
    client: AsyncClient,
    journal: Journal,
    *,
    at_once: int = AT_ONCE,
    tell: Callable[[Progress], object] = lambda _: None,
) -> Pulled:
    """Have every part of the plan in the journal: those that it holds are not asked for.

    Raises the errors of `talkscope.errors`, and OSError when the journal cannot be written; what came before is kept.
    """
    pulling = _Pulling(plan, client, journal, tell)
    left = pulling.go_on()
    kept = pulling.done
    at_a_time = anyio.CapacityLimiter(at_once)
    async with anyio.create_task_group() as group:

        async def get(part: Part) -> None:
            try:
                async with at_a_time:
                    found = await pulling.ask(part)
            except (TalkscopeError, OSError) as error:
                # The first is why, and the others follow from it.
                pulling.trouble = pulling.trouble or error
                group.cancel_scope.cancel()
                return
            for each in found:
                group.start_soon(get, each)

        for each in left:
            group.start_soon(get, each)
    if pulling.trouble is not None:
        raise pulling.trouble
    return Pulled(pulling.done - kept, kept, plan.count, plan.duplicates, plan.expected, tuple(plan.missing))


@dataclass(slots=True)
class _Pulling:
    """One run."""

    plan: Plan
    client: AsyncClient
    journal: Journal
    tell: Callable[[Progress], object]
    done: int = 0
    known: int = 0
    trouble: TalkscopeError | OSError | None = None
    # The journal's order is the order in which the plan learns, so that another run's plan comes to know the same.
    learning: anyio.Lock = field(default_factory=anyio.Lock)

    def go_on(self) -> list[Part]:
        """Learn what the journal holds; the parts that are left."""
        open_ = {part.key: part for part in self.plan.first()}
        for key, value in self.journal.answers():
            part = open_.pop(key, None)
            if part is None:
                raise InvalidArgument(
                    f"The journal in {self.journal.folder} is of another version of Talkscope.",
                    hint="Add --restart to begin anew.",
                )
            self.done += 1
            open_.update({each.key: each for each in self.plan.answered(part, value)})
        self.known = self.done + len(open_)
        self._told()
        return list(open_.values())

    async def ask(self, part: Part) -> list[Part]:
        """Ask one part and write its answer down; the parts that it brings."""
        value = await self.client.send(_as_it_is(part.call))
        async with self.learning:
            found = list(self.plan.answered(part, value))
            await anyio.to_thread.run_sync(self.journal.add, part.key, value)
        self.done += 1
        self.known += len(found)
        self._told()
        return found

    def _told(self) -> None:
        self.tell(Progress(self.done, self.known, self.plan.count))


def _as_it_is(call: AnyCall) -> AnyCall:
    """The same call, answered with the service's own JSON, of which models may know less."""
    return replace(call, parse=_unread, cap=call.cap or CAP)


def _unread(value: Json) -> Json:
    return value
