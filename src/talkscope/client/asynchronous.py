"""The client for async code."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping
from contextlib import closing, suppress
from dataclasses import replace
from types import TracebackType
from typing import BinaryIO, Self, TypeVar, overload

import anyio
import httpx
from pydantic import SecretStr

from talkscope.client import asking, wire
from talkscope.client.recent import Recent
from talkscope.client.saving import IDLE, Saving
from talkscope.client.service import Service
from talkscope.contract import Question
from talkscope.errors import BadAnswer, ConnectionFailed, DeadlineExceeded, Json, TalkscopeError
from talkscope.flow import (
    AnyCall,
    Body,
    Call,
    Clock,
    Events,
    Failed,
    Manners,
    Param,
    Policy,
    Reply,
    Request,
    ServerEvent,
    Wait,
    following,
)
from talkscope.flow.refusals import error_of
from talkscope.models.answers import Answer

T = TypeVar("T")
A = TypeVar("A", bound=Answer)


class AsyncClient(Service[httpx.AsyncClient]):
    """Asks a service without blocking; cancelling the caller cancels the request.

    The arguments and errors are those of `Client`; the transport is an async one, `httpx.ASGITransport(app,
    raise_app_exceptions=False)` for an app in process. One client belongs to one event loop.
    """

    def __init__(
        self,
        base_url: str,
        *,
        key: SecretStr | str | None = None,
        key_header: str = "CONVAI-API-KEY",
        transport: httpx.AsyncBaseTransport | None = None,
        deadline: float | None = None,
        cap: int | None = None,
        headers: Mapping[str, str] | None = None,
        source: str | None = None,
        policy: Policy | None = None,
        clock: Clock | None = None,
        manners: Manners | None = None,
    ) -> None:
        super().__init__(
            base_url,
            key=key,
            key_header=key_header,
            headers=headers,
            deadline=deadline,
            cap=cap,
            policy=policy,
            clock=clock,
            transport=transport,
            manners=manners,
        )
        self._given = transport
        self._source = source

    @overload
    async def ask(self, question: Question[A], /, **words: object) -> A: ...

    @overload
    async def ask(self, question: str, /, **words: object) -> Answer: ...

    async def ask(self, question: str | Question[A], /, **words: object) -> Answer:
        """The answer to a question of `talkscope.contract`, by name (`"breakdown"`) or typed (`contract.SESSION`).

        The words are the question's own: `ask("breakdown", measures=["p95"], group_by=["provider"], range="last_7d")`.
        Raises UnknownName or InvalidArgument before anything is sent, and the errors of `talkscope.errors`.
        """
        return await self.send(asking.call(question, words, self._source))

    async def send(self, call: Call[T]) -> T:
        """The call's typed answer. Raises the errors of `talkscope.errors`."""
        return await self._answered(call, None)

    async def save(self, call: AnyCall, file: BinaryIO, *, idle: float = IDLE) -> int:
        """Write the call's answer into a file as it comes, decoded and without the key; its size in bytes.

        It is not read, so it may be anything, and larger than memory. The call's deadline is for its beginning; after
        that, 64 KiB or the end have to come in every `idle` seconds. Raises the errors of `talkscope.errors`, and
        OSError where the file cannot be written; it is empty then.
        """
        saving = Saving(file, self._key, idle, self._clock.monotonic)
        try:
            size = await self._answered(replace(call, parse=_size, scalar=True), saving)
            file.flush()
        except BaseException:
            with suppress(OSError):
                saving.begin()
            raise
        return int(size)

    async def _answered(self, call: Call[T], saving: Saving | None) -> T:
        answer: Reply | Failed | None = None
        # Closed at once, so that whoever is interrupted gives its turn back.
        with closing(self._steps(call)) as steps:
            while True:
                try:
                    step = steps.send(answer)
                except StopIteration as done:
                    value: T = done.value
                    return value
                if isinstance(step, Wait):
                    await (self._clock.asleep or anyio.sleep)(step.seconds)
                    answer = None
                else:
                    answer = await self._exchange(step, saving)

    async def recent(self, call: Call[T]) -> Recent[T]:
        """The call's answer with its age: a kept one while the service says that it is good, else a new one.

        Only services that state how often to ask have answers kept (see `Manners.refresh`).
        """
        kept = self._recent.find(call)
        if kept is None:
            kept = Recent(await self.send(call))
            self._recent.keep(call, kept.answer)
        return kept

    async def pages(
        self, call: Call[T], next: Callable[[T], Mapping[str, Param] | None] | None = None
    ) -> AsyncIterator[T]:
        """The call's pages, one by one; `next` (else the call's own) gives the parameters of the page after a page.

        Raises BadAnswer when the service gives the same cursor twice.
        """
        asked: Call[T] | None = call if next is None else replace(call, next=next)
        seen: set[tuple[tuple[str, str], ...]] = set()
        while asked is not None:
            page = await self.send(asked)
            yield page
            asked = following(asked, page, seen)

    async def listen(self, path: str, *, idle: float = 90.0) -> AsyncGenerator[ServerEvent, None]:
        """The events of a stream, as they come, until the service ends it.

        `idle` is how many seconds may pass without a sign of life. Raises the errors of `talkscope.errors`.
        """
        step = Request("GET", path, (), {"accept": "text/event-stream"}, None, self._policy.cap, idle)
        pool = self._pool()
        events, request = Events(), self._request(pool, step)
        request.headers["accept-encoding"] = "identity"
        try:
            response = await pool.send(request, stream=True, follow_redirects=False)
            try:
                if response.status_code != 200:
                    raise await self._refused(response, step)
                if not response.headers.get("content-type", "").lower().startswith("text/event-stream"):
                    raise BadAnswer("The answer is no stream of events.")
                assert isinstance(response.stream, httpx.AsyncByteStream)
                async for chunk in response.stream:
                    for event in events.feed(chunk):
                        yield event
            finally:
                await response.aclose()
        except httpx.HTTPError as error:
            failed = wire.failed(error)
            if failed.kind == "timeout":
                raise DeadlineExceeded(f"The stream said nothing for {idle:g} s.") from None
            raise ConnectionFailed(f"The stream broke: {failed.reason}.") from None

    async def _refused(self, response: httpx.Response, step: Request) -> TalkscopeError:
        body = Body(response.status_code, dict(response.headers), step.cap)
        assert isinstance(response.stream, httpx.AsyncByteStream)
        with anyio.move_on_after(step.timeout):
            async for chunk in response.stream:
                if not body.feed(chunk):
                    break
        reply = body.end()
        assert isinstance(reply, Reply)
        return error_of(reply, now=self._clock.wall(), key=self._key)

    async def aclose(self) -> None:
        """Close the connections; the client asks nothing afterwards."""
        opened = self._closed()
        if opened is not None:
            await opened.aclose()
        elif self._given is not None:
            await self._given.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    def _open(self) -> httpx.AsyncClient:
        return httpx.AsyncClient(transport=self._given, follow_redirects=False, mounts=self._direct())

    async def _exchange(self, step: Request, saving: Saving | None) -> Reply | Failed:
        clock = self._clock.monotonic
        until = clock() + step.timeout
        pool = self._pool()
        request = self._request(pool, step)
        if saving is not None:
            saving.begin()
            patience = wire.timeouts(max(step.timeout, saving.idle), self._policy.connect)
            request.extensions["timeout"] = patience.as_dict()
        failed = Failed("timeout")
        with wire.exchange(lambda: until - clock()), anyio.move_on_after(step.timeout) as time:
            try:
                response = await pool.send(request, stream=True, follow_redirects=False)
                try:
                    body = Body(response.status_code, dict(response.headers), step.cap)
                    assert isinstance(response.stream, httpx.AsyncByteStream)
                    if saving is not None and response.is_success:
                        return await saving.fill(body, response.stream, time)
                    # The stream itself, for httpx would decode it without a limit.
                    async for chunk in response.stream:
                        if not body.feed(chunk):
                            break
                finally:
                    await response.aclose()
                return body.end()
            except httpx.HTTPError as error:
                failed = wire.failed(error)
        return failed if saving is None else saving.failed(failed)


def _size(told: Json) -> object:
    # A 204 tells none.
    return told or 0
