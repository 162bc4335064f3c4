"""A request's questions, asked in a worker thread, and told to stop when nobody waits for the answer any more."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TypeAlias, TypeVar

import anyio
import anyio.to_thread
from anyio.lowlevel import RunVar
from starlette.requests import Request

from talkscope.contract import Question, understand
from talkscope.errors import DeadlineExceeded, InvalidArgument
from talkscope.models.answers import Answer
from talkscope.models.questions import Asked
from talkscope.warehouse.store import Stop

T = TypeVar("T")
A = TypeVar("A", bound=Answer)
Answering: TypeAlias = Callable[[str, Asked, Stop], Answer]
"""Answers the question of that name, blocking; raises DeadlineExceeded soon after its Stop is stopped."""

MOST_ROWS = 50_000


class Work:
    """The questions of one request, one after the other, in one worker thread."""

    def __init__(self, answering: Answering) -> None:
        self._answering = answering
        self._lock = threading.Lock()
        self._cancelled = False
        self._running: Stop | None = None

    def ask(self, question: Question[A], asked: Asked) -> A:
        """The answer to one question whose words are checked. Raises the errors of `talkscope.errors`."""
        # One for each question: a Stop that is done interrupts nothing any more.
        stop = Stop()
        with self._lock:
            if self._cancelled:
                raise DeadlineExceeded("The question was stopped.")
            self._running = stop
        try:
            answer = self._answering(question.name, asked, stop)
        finally:
            stop.done()
            with self._lock:
                self._running = None
        if not isinstance(answer, question.answer):
            raise TypeError(f"{question.name} was answered with a {type(answer).__name__}")
        if len(answer.rows) > MOST_ROWS:
            raise InvalidArgument(
                f"The answer has more than {MOST_ROWS:,} rows.",
                hint="Ask for a shorter window, a coarser granularity or fewer groups.",
                code="answer_too_large",
            )
        return answer

    def words(self, question: Question[A], **words: object) -> A:
        """The answer to one question in words; those that are None are left out."""
        return self.ask(question, understand(question.params, words))

    def cancel(self) -> None:
        """Stop the question that runs, and let none start."""
        with self._lock:
            self._cancelled = True
            running = self._running
        if running is not None:
            running.stop()


class Pool:
    """The threads that answer: as many at once as the limit says, in each event loop that uses the app."""

    def __init__(self, answering: Answering, limit: int, deadline: float | None) -> None:
        self._answering = answering
        self._limit = limit
        self._deadline = deadline
        self._limiters: RunVar[anyio.CapacityLimiter] = RunVar("talkscope.api.limiter")

    async def run(self, request: Request, work: Callable[[Work], T]) -> T:
        """What `work` returns in a worker thread. Cancelling the caller, or hanging up, stops its questions."""
        asking = Work(self._answering)
        result: list[T] = []
        try:
            with anyio.move_on_after(self._deadline) as scope:
                async with anyio.create_task_group() as group:
                    group.start_soon(_hung_up, request, group.cancel_scope)
                    result.append(
                        await anyio.to_thread.run_sync(work, asking, abandon_on_cancel=True, limiter=self._limiter())
                    )
                    group.cancel_scope.cancel()
        except ExceptionGroup as errors:
            # The group wraps its only error.
            raise errors.exceptions[0] from None
        finally:
            asking.cancel()
        if result:
            return result[0]
        if scope.cancelled_caught:
            raise DeadlineExceeded(f"There was no answer within {self._deadline:g} s.")
        raise DeadlineExceeded("The caller hung up.")

    def _limiter(self) -> anyio.CapacityLimiter:
        try:
            return self._limiters.get()
        except LookupError:
            limiter = anyio.CapacityLimiter(self._limit)
            self._limiters.set(limiter)
            return limiter


async def _hung_up(request: Request, scope: anyio.CancelScope) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass
    scope.cancel()
