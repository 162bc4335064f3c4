"""The questions' API over a hosted account, as a transport: what a client asks of it is composed from v1 calls."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

import httpx
import orjson

from talkscope import contract, hosted
from talkscope.client import AsyncClient
from talkscope.errors import InvalidArgument
from talkscope.hosted.account import Account, Pause

_ROOT = "/v1/ask/"


class HostedTransport(httpx.AsyncBaseTransport):
    """Answers `/v1/ask/<question>` by asking `client`, at most `budget` requests a question.

    Errors are raised as they are, not sent as replies: they come from this process. Closing it closes the client.
    """

    def __init__(self, client: AsyncClient, *, source: str, clock: Callable[[], datetime], budget: int = 20) -> None:
        self._client = client
        self._source = source
        self._clock = clock
        self._budget = budget
        self._pause = Pause()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """The composed answer. Raises the errors of `talkscope.errors`."""
        path = request.url.path
        if not path.startswith(_ROOT):
            raise InvalidArgument(f"A hosted account answers {_ROOT}, and nothing else.")
        question = contract.question(path.removeprefix(_ROOT))
        words: dict[str, object] = {}
        for name in request.url.params:
            values = request.url.params.get_list(name)
            words[name] = values[0] if len(values) == 1 else values
        if request.method == "POST":
            words |= orjson.loads(await request.aread())
        account = Account(self._client, self._source, self._clock(), self._budget, self._pause)
        found = await hosted.answer(question.name, contract.understand(question.params, words), account)
        return httpx.Response(200, content=found.model_dump_json().encode(), request=request)

    async def aclose(self) -> None:
        """Close the client."""
        await self._client.aclose()
