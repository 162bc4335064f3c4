"""A caller's own httpx client as a transport: its connections, proxies, certificates and hooks, and nothing else of it.

Its headers, cookies, authentication and redirects stay out: a request is built by our clients alone, and so is what
follows from its answer. Whoever made the httpx client closes it.
"""

from __future__ import annotations

import httpx


class Borrowed(httpx.BaseTransport):
    """Sends through an httpx.Client."""

    def __init__(self, client: httpx.Client) -> None:
        self._client = client

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """The answer as it comes, not yet read."""
        return self._client.send(request, stream=True, auth=None, follow_redirects=False)


class AsyncBorrowed(httpx.AsyncBaseTransport):
    """Sends through an httpx.AsyncClient."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self._client = client

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """The answer as it comes, not yet read."""
        return await self._client.send(request, stream=True, auth=None, follow_redirects=False)
