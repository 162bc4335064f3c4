"""The client for blocking code."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from dataclasses import replace
from types import TracebackType
from typing import Self, TypeVar, overload

import httpx
from pydantic import SecretStr

from talkscope.client import asking, wire
from talkscope.client.recent import Recent
from talkscope.client.service import Service
from talkscope.contract import Question
from talkscope.flow import Body, Call, Clock, Failed, Manners, Param, Policy, Reply, Request, Wait, following
from talkscope.models.answers import Answer

T = TypeVar("T")
A = TypeVar("A", bound=Answer)


class Client(Service[httpx.Client]):
    """Asks a service, and waits for each answer. Threads may share it; a forked child gets connections of its own.

    Args:
        base_url: where calls' paths begin; plain http for this machine only, unless a transport is given.
        key: sent as `key_header` with each request, and nowhere else to be seen.
        key_header: the header's name; for `Authorization`, the key begins with its scheme ("Bearer …").
        transport: what answers instead of the network: an app in process (see `PortalTransport`), or a test's.
        deadline: seconds for each call, retries included (30); a call may have its own.
        cap: most bytes of a decoded answer (32 MiB); a call may have its own.
        headers: sent with each request; secrets and what the transport writes are refused.
        source: the name that answers shall give to what was asked; without it, the service's own.
        policy: attempts, waits and patience; `deadline` and `cap` win over it.
        clock: time and chance, for tests.
        manners: how the service wants to be asked; its limits are kept for all calls of this client together.

    `HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY`, `NO_PROXY`, `SSL_CERT_FILE` and `SSL_CERT_DIR` are honoured, except that
    this machine is never asked through a proxy. Redirects are not followed, cookies are not kept, `.netrc` is not read.
    Raises InvalidArgument for a url, key or header that cannot be used.
    """

    def __init__(
        self,
        base_url: str,
        *,
        key: SecretStr | str | None = None,
        key_header: str = "CONVAI-API-KEY",
        transport: httpx.BaseTransport | None = None,
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
    def ask(self, question: Question[A], /, **words: object) -> A: ...

    @overload
    def ask(self, question: str, /, **words: object) -> Answer: ...

    def ask(self, question: str | Question[A], /, **words: object) -> Answer:
        """The answer to a question of `talkscope.contract`, by name (`"breakdown"`) or typed (`contract.SESSION`).

        The words are the question's own: `ask("breakdown", measures=["p95"], group_by=["provider"], range="last_7d")`.
        Raises UnknownName or InvalidArgument before anything is sent, and the errors of `talkscope.errors`.
        """
        return self.send(asking.call(question, words, self._source))

    def send(self, call: Call[T]) -> T:
        """The call's typed answer. Raises the errors of `talkscope.errors`."""
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
                    self._clock.sleep(step.seconds)
                    answer = None
                else:
                    answer = self._exchange(step)

    def recent(self, call: Call[T]) -> Recent[T]:
        """The call's answer with its age: a kept one while the service says that it is good, else a new one.

        Only services that state how often to ask have answers kept (see `Manners.refresh`).
        """
        kept = self._recent.find(call)
        if kept is None:
            kept = Recent(self.send(call))
            self._recent.keep(call, kept.answer)
        return kept

    def pages(self, call: Call[T], next: Callable[[T], Mapping[str, Param] | None] | None = None) -> Iterator[T]:
        """The call's pages, one by one; `next` (else the call's own) gives the parameters of the page after a page.

        Raises BadAnswer when the service gives the same cursor twice.
        """
        asked: Call[T] | None = call if next is None else replace(call, next=next)
        seen: set[tuple[tuple[str, str], ...]] = set()
        while asked is not None:
            page = self.send(asked)
            yield page
            asked = following(asked, page, seen)

    def close(self) -> None:
        """Close the connections; the client asks nothing afterwards."""
        opened = self._closed()
        if opened is not None:
            opened.close()
        elif self._given is not None:
            self._given.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _open(self) -> httpx.Client:
        return httpx.Client(transport=self._given, follow_redirects=False, mounts=self._direct())

    def _exchange(self, step: Request) -> Reply | Failed:
        clock = self._clock.monotonic
        until = clock() + step.timeout
        pool = self._pool()
        request = self._request(pool, step)
        request.extensions["trace"] = wire.bounded
        with wire.exchange(lambda: until - clock()):
            try:
                response = pool.send(request, stream=True, follow_redirects=False)
                try:
                    body = Body(response.status_code, dict(response.headers), step.cap)
                    assert isinstance(response.stream, httpx.SyncByteStream)
                    # The stream itself, for httpx would decode it without a limit.
                    for chunk in response.stream:
                        if clock() >= until:
                            return Failed("timeout")
                        if not body.feed(chunk):
                            break
                finally:
                    response.close()
            except httpx.HTTPError as error:
                return wire.failed(error)
        return body.end()
