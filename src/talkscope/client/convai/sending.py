"""Methods made of functions that return calls: one declaration serves the blocking and the async client.

`summary = Sent(calls.summary)` in a class gives its instances a method `summary` with the function's arguments, which
sends the call and returns its answer, or returns a coroutine that does.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from functools import wraps
from typing import Generic, ParamSpec, Self, TypeVar, overload

from talkscope.client.asynchronous import AsyncClient
from talkscope.client.blocking import Client
from talkscope.flow import Call

P = ParamSpec("P")
T = TypeVar("T")
C = TypeVar("C", bound=Client | AsyncClient)


class Group(Generic[C]):
    """Calls that belong together, sent by one client."""

    def __init__(self, client: C) -> None:
        self._client: C = client

    def __repr__(self) -> str:
        # A traceback may ask for it before there is a client.
        return f"{type(self).__name__}({getattr(self, '_client', '')!r})"


class Sent(Generic[P, T]):
    """A method that sends the call which a function returns."""

    def __init__(self, make: Callable[P, Call[T]]) -> None:
        self._make = make
        self.__doc__, self.__name__ = make.__doc__, make.__name__

    @overload
    def __get__(self, of: None, kind: type[object]) -> Self: ...

    @overload
    def __get__(self, of: Group[Client], kind: type[object]) -> Callable[P, T]: ...

    @overload
    def __get__(self, of: Group[AsyncClient], kind: type[object]) -> Callable[P, Coroutine[None, None, T]]: ...

    def __get__(
        self, of: Group[Client] | Group[AsyncClient] | None, kind: type[object]
    ) -> Self | Callable[P, T] | Callable[P, Coroutine[None, None, T]]:
        if of is None:
            return self
        make, client = self._make, of._client  # noqa: SLF001  # a method of Group, written once for all its methods
        if isinstance(client, AsyncClient):

            @wraps(make)
            async def send_async(*args: P.args, **words: P.kwargs) -> T:
                return await client.send(make(*args, **words))

            return send_async

        @wraps(make)
        def send(*args: P.args, **words: P.kwargs) -> T:
            return client.send(make(*args, **words))

        return send


class Paged(Generic[P, T]):
    """A method that gives the pages which follow from the call of a function, one by one."""

    def __init__(self, make: Callable[P, Call[T]]) -> None:
        self._make = make
        self.__doc__, self.__name__ = make.__doc__, make.__name__

    @overload
    def __get__(self, of: None, kind: type[object]) -> Self: ...

    @overload
    def __get__(self, of: Group[Client], kind: type[object]) -> Callable[P, Iterator[T]]: ...

    @overload
    def __get__(self, of: Group[AsyncClient], kind: type[object]) -> Callable[P, AsyncIterator[T]]: ...

    def __get__(
        self, of: Group[Client] | Group[AsyncClient] | None, kind: type[object]
    ) -> Self | Callable[P, Iterator[T]] | Callable[P, AsyncIterator[T]]:
        if of is None:
            return self
        make, client = self._make, of._client  # noqa: SLF001  # as above
        if isinstance(client, AsyncClient):

            @wraps(make)
            def pages_async(*args: P.args, **words: P.kwargs) -> AsyncIterator[T]:
                return client.pages(make(*args, **words))

            return pages_async

        @wraps(make)
        def pages(*args: P.args, **words: P.kwargs) -> Iterator[T]:
            return client.pages(make(*args, **words))

        return pages
