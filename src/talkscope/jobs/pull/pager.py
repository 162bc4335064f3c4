"""The pager: asks the parts of a plan, several at once, and writes each answer down before it counts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import BinaryIO

import anyio
import anyio.from_thread
import anyio.to_thread

from talkscope.client import AsyncClient
from talkscope.errors import (
    AnswerTooLarge,
    BadAnswer,
    InvalidArgument,
    Json,
    NotFound,
    NotSupported,
    PlanInsufficient,
    PlanRequired,
    TalkscopeError,
    ValidationError,
)
from talkscope.flow import CAP as DOCUMENT
from talkscope.flow import AnyCall, parse_any, parse_json
from talkscope.jobs.pull.journal import Journal
from talkscope.jobs.pull.plan import REFUSED, UNREAD, Answer, Part, Plan
from talkscope.jobs.pull.rows import Rows, is_list

AT_ONCE = 8
MOST_AT_ONCE = 64
_GRACE = 5.0
CAP = 1024 * 1024 * 1024
"""Most bytes of one part's answer: some platforms have no pages, and answer with everything."""
_NOT_HAD = (NotFound, NotSupported, PlanInsufficient, PlanRequired, ValidationError)


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
            found: list[Part] = []
            try:
                async with at_a_time:
                    if pulling.trouble is None:
                        found = await pulling.ask(part)
            except (TalkscopeError, OSError) as error:
                # The first is why, and the others follow from it. What is under way may yet come, and is kept then.
                if pulling.trouble is None:
                    pulling.trouble = error
                    group.cancel_scope.deadline = anyio.current_time() + _GRACE
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
                raise self._another_version()
            self.done += 1
            try:
                brought = self.plan.answered(part, value)
            except BadAnswer:
                # It was read when it came, by models that are no more.
                raise self._another_version() from None
            open_.update({each.key: each for each in brought})
        self.known = self.done + len(open_)
        self._told()
        return list(open_.values())

    def _another_version(self) -> InvalidArgument:
        return InvalidArgument(
            f"The journal in {self.journal.folder} is of another version of Talkscope.",
            hint="Add --restart to begin anew.",
        )

    async def ask(self, part: Part) -> list[Part]:
        """Ask one part and write its answer down; the parts that it brings."""
        try:
            if part.call.listed:
                return await self._save(part)
            return await self._learn(part, await self.client.send(_unread(part.call)))
        except _NOT_HAD as error:
            if not part.refusable:
                raise
            value: Json = {REFUSED: error.to_json()}
        except BadAnswer as error:
            if not part.spared:
                raise
            value = {UNREAD: error.to_json()}
        return await self._learn(part, value)

    async def _save(self, part: Part) -> list[Part]:
        """The same where the answer may be of any length: it goes into a file, and is read off it row by row."""
        with self.journal.draft() as draft:
            with await anyio.to_thread.run_sync(_opened, draft) as file:
                await self.client.save(replace(part.call, cap=part.call.cap or CAP), file)
            value = await anyio.to_thread.run_sync(_read, part.call, draft)
            return await self._learn(part, value, draft)

    async def _learn(self, part: Part, value: Answer, draft: Path | None = None) -> list[Part]:
        async with self.learning:
            if draft is not None and isinstance(value, Rows):
                # Long enough for others to lose patience meanwhile, were it not in a thread.
                found = list(await anyio.to_thread.run_sync(self.plan.answered, part, value))
                await anyio.to_thread.run_sync(self.journal.keep, part.key, draft)
            else:
                assert not isinstance(value, Rows)
                found = list(self.plan.answered(part, value))
                await anyio.to_thread.run_sync(self.journal.add, part.key, value)
        self.done += 1
        self.known += len(found)
        self._told()
        return found

    def _told(self) -> None:
        self.tell(Progress(self.done, self.known, self.plan.count))


def _opened(draft: Path) -> BinaryIO:
    return draft.open("wb")


def _read(call: AnyCall, draft: Path) -> Answer:
    """What a draft holds. Raises BadAnswer for what is no JSON, AnswerTooLarge for a long document that is no list."""
    if is_list(draft):
        return Rows(draft, anyio.from_thread.check_cancelled)
    size = draft.stat().st_size
    if size > DOCUMENT:
        raise AnswerTooLarge(f"The answer is one document of {size:,} bytes, and no list.")
    return (parse_any if call.scalar else parse_json)(draft.read_bytes())


def _unread(call: AnyCall) -> AnyCall:
    """The same call, answered with the service's own JSON, of which models may know less.

    A page is read all the same, for only its model knows what comes after it.
    """

    def value_of(value: Json) -> Json:
        if call.next is not None:
            call.parse(value)
        return value

    return replace(call, parse=value_of, cap=call.cap or CAP)
