"""The Convai Analytics API from Python: `ConvaiAnalytics`, and `AsyncConvaiAnalytics` for async code."""

from __future__ import annotations

from types import TracebackType
from typing import NoReturn, Self

import httpx
from pydantic import SecretStr

from talkscope.client.asynchronous import AsyncClient
from talkscope.client.blocking import Client
from talkscope.client.borrowed import AsyncBorrowed, Borrowed
from talkscope.client.convai.opening import account, hidden, refuse_both
from talkscope.client.convai.surface import Surface
from talkscope.errors import TalkscopeError, bare
from talkscope.platforms.convai import KEY_HEADER

__all__ = ["AsyncConvaiAnalytics", "ConvaiAnalytics"]


class ConvaiAnalytics(Surface[Client]):
    """Asks one Convai account: nine calls, and everyday questions as `latency`, `providers`, `errors` and `usage`.

    Args:
        api_key: the account's key; without it CONVAI_API_KEY, or the configured account's.
        base_url: without it CONVAI_ANALYTICS_BASE_URL, or https://analytics-api.convai.com/v1/analytics.
        timeout: seconds that each call may take, retries included.
        client: an httpx.Client to send through, for its proxies, certificates and hooks; or a `talkscope.Client` whose
            own address and key are used. Whoever made it closes it.

    Answers are models of `talkscope.models.v1`, their fields in snake_case. Threads may share it. Raises
    AuthenticationError without a key, InvalidArgument for one that cannot be, and the errors of `talkscope.errors`.
    """

    def __init__(
        self,
        api_key: SecretStr | str | None = None,
        *,
        base_url: str | None = None,
        timeout: float = 30.0,
        client: httpx.Client | Client | None = None,
    ) -> None:
        # At once, so that a traceback that shows local variables shows no key.
        api_key = hidden(api_key)
        self._owned = not isinstance(client, Client)
        if isinstance(client, Client):
            refuse_both(api_key, base_url)
            super().__init__(client)
            return
        transport = None if client is None else Borrowed(client)
        try:
            chosen = account(api_key, base_url, timeout)
            made = Client(chosen.url, key=chosen.key, key_header=KEY_HEADER, deadline=timeout, transport=transport)
        except TalkscopeError as error:
            # Without the frames that looked at the key, and at the environment.
            raise bare(error) from None
        super().__init__(made)

    def __reduce__(self) -> NoReturn:
        raise TypeError("A ConvaiAnalytics holds a key and cannot be copied: make one where it is used.")

    def close(self) -> None:
        """Close the connections; afterwards nothing can be asked."""
        if self._owned:
            self._client.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class AsyncConvaiAnalytics(Surface[AsyncClient]):
    """The same for async code: each call is awaited, `sessions.pages` is an async iterator.

    Cancelling the caller cancels the request. The arguments are those of `ConvaiAnalytics`, with an httpx.AsyncClient
    or a `talkscope.AsyncClient` as `client`. One of it belongs to one event loop.
    """

    def __init__(
        self,
        api_key: SecretStr | str | None = None,
        *,
        base_url: str | None = None,
        timeout: float = 30.0,
        client: httpx.AsyncClient | AsyncClient | None = None,
    ) -> None:
        api_key = hidden(api_key)
        self._owned = not isinstance(client, AsyncClient)
        if isinstance(client, AsyncClient):
            refuse_both(api_key, base_url)
            super().__init__(client)
            return
        transport = None if client is None else AsyncBorrowed(client)
        try:
            chosen = account(api_key, base_url, timeout)
            made = AsyncClient(chosen.url, key=chosen.key, key_header=KEY_HEADER, deadline=timeout, transport=transport)
        except TalkscopeError as error:
            # Without the frames that looked at the key, and at the environment.
            raise bare(error) from None
        super().__init__(made)

    def __reduce__(self) -> NoReturn:
        raise TypeError("An AsyncConvaiAnalytics holds a key and cannot be copied: make one where it is used.")

    async def aclose(self) -> None:
        """Close the connections; afterwards nothing can be asked."""
        if self._owned:
            await self._client.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()
