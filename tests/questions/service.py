"""The service that `make e2e` asks: its address and key from the environment, its requests paced and counted."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

import anyio
import httpx
from pydantic import SecretStr

from talkscope import ConvaiAnalytics
from talkscope.client import AsyncClient, Client, PortalTransport
from talkscope.client.borrowed import AsyncBorrowed, Borrowed
from talkscope.errors import InvalidArgument
from talkscope.hosted.transport import HostedTransport
from talkscope.platforms.convai import KEY_HEADER
from talkscope.settings import CONVAI_URL

V1 = "/v1/analytics"
DEADLINE = 45.0
"""Seconds for one call, or one question: more than a program would wait, for what is new may be slow."""
BUDGET = 40


@dataclass(frozen=True, slots=True)
class Address:
    """Where to ask: the v1 routes' address, the service's root, whether it answers Talkscope's questions itself."""

    v1: str
    root: str
    own: bool
    key: SecretStr | None

    @classmethod
    def chosen(cls, url: str | None, env: Mapping[str, str]) -> Address:
        """The service of `--url`, of CONVAI_ANALYTICS_BASE_URL and CONVAI_API_KEY, or of TALKSCOPE_URL and its key.

        An address that ends in /v1/analytics is asked as the hosted API is: Talkscope's questions are composed from its
        calls. Any other is that of a `talkscope serve`. Raises InvalidArgument when nothing is named.
        """
        hosted = env.get("CONVAI_ANALYTICS_BASE_URL") or (CONVAI_URL if env.get("CONVAI_API_KEY") else None)
        at = (url or hosted or env.get("TALKSCOPE_URL") or "").rstrip("/")
        if not at:
            raise InvalidArgument("No service is named.", hint="Set CONVAI_API_KEY, or TALKSCOPE_URL, or give --url.")
        own = not at.endswith(V1)
        names = ("TALKSCOPE_API_KEY", "CONVAI_API_KEY") if own else ("CONVAI_API_KEY", "TALKSCOPE_API_KEY")
        key = next((SecretStr(env[name]) for name in names if env.get(name)), None)
        parts = urlsplit(at)
        root = at if own else f"{parts.scheme}://{parts.netloc}"
        return cls(at + V1 if own else at, root, own, key)


@dataclass
class Pace:
    """Lets requests go one after the other, `delay` seconds apart, and counts them."""

    delay: float
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep
    requests: int = 0
    free: float = field(default=0.0)

    def turn(self, request: httpx.Request) -> None:
        """Wait until a request may go."""
        self.sleep(self._wait())

    async def turn_async(self, request: httpx.Request) -> None:
        """The same, for those that go from a loop."""
        await anyio.sleep(self._wait())

    def _wait(self) -> float:
        self.requests += 1
        now = self.clock()
        at = max(now, self.free)
        self.free = at + self.delay
        return at - now


class _Owned(AsyncBorrowed):
    """A borrowed client that nobody else will close."""

    async def aclose(self) -> None:
        await self._client.aclose()


class Service:
    """The service through the SDK (`analytics`), through Talkscope's questions (`client`), and its health (`health`).

    Raises AuthenticationError without a key, and InvalidArgument for an address to which no key is sent.
    """

    def __init__(self, address: Address, pace: Pace) -> None:
        self.pace = pace
        self.root = address.root
        self._opened = ExitStack()
        with ExitStack() as opening:
            self._http = opening.enter_context(
                httpx.Client(event_hooks={"request": [pace.turn]}, timeout=DEADLINE, follow_redirects=False)
            )
            self.analytics = opening.enter_context(
                ConvaiAnalytics(address.key, base_url=address.v1, timeout=DEADLINE, client=self._http)
            )
            self.client = opening.enter_context(self._questions(address))
            self._opened = opening.pop_all()

    def _questions(self, address: Address) -> Client:
        if address.own:
            return Client(address.root, key=address.key, deadline=DEADLINE, transport=Borrowed(self._http))
        paced = httpx.AsyncClient(event_hooks={"request": [self.pace.turn_async]})
        asked = AsyncClient(
            address.v1, key=address.key, key_header=KEY_HEADER, deadline=DEADLINE, transport=_Owned(paced)
        )
        composed = HostedTransport(asked, source="convai", clock=lambda: datetime.now(UTC), budget=BUDGET)
        # Composed answers are many paced requests, so the whole may take longer than any of them.
        return Client(
            "http://talkscope", transport=PortalTransport(composed), deadline=BUDGET * (DEADLINE + self.pace.delay)
        )

    def health(self, path: str) -> str:
        """What the service says of its health at that path of its root, without a key."""
        reply = self._http.get(f"{self.root}{path}")
        told = reply.json()
        return f"{reply.status_code} {told.get('status')}" if isinstance(told, dict) else str(reply.status_code)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._opened.close()
