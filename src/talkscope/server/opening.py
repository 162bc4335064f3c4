"""Whoever answers the server's questions: an app that is opened when the first question comes, not before.

A host waits for the list of tools, so nothing that only answers need is imported until then.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING, TypeVar

from talkscope.contract import Question
from talkscope.errors import Json, TalkscopeError
from talkscope.models.answers import Answer

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from talkscope.charts.rendering import Renderer
    from talkscope.client import AsyncClient, Recent
    from talkscope.flow import Call
    from talkscope.settings import PlatformSettings, Settings
    from talkscope.wiring import App

T = TypeVar("T")

RECORD_TABLES = ("outcomes", "live_support", "availability", "ratings", "conversions", "resource_calls")
"""The tables of a warehouse that the questions about outcomes, live support and resources are about."""


class Opening:
    """Settings that answer questions: the app that they stand for is opened with the first one, in a thread."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._app: App | None = None
        self._clients: dict[str | None, Future[AsyncClient]] = {}
        self._renderer: Renderer | None = None
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="talkscope-opening")

    @property
    def sources(self) -> Sequence[str]:
        """The names of the configured sources."""
        return [source.name for source in self._settings.sources]

    @property
    def default_source(self) -> str | None:
        """The name of the source that is asked when none is named, if one was set."""
        return self._settings.default_source

    async def ask(self, source: str | None, question: Question[Answer], words: Mapping[str, object]) -> Answer:
        """The source's answer; the first question opens it."""
        client = await self._client(source)
        return await client.ask(question, **words)

    @property
    def holds_records(self) -> bool:
        """Whether a warehouse among the sources holds what only some platforms tell, such as outcomes."""
        folders = [source.path for source in self._settings.sources if source.kind == "warehouse"]
        # What is wrong with a warehouse, its questions say.
        return any(_holds_records(folder) for folder in folders)

    def accounts(self, platform: str) -> Sequence[PlatformSettings]:
        """The configured accounts of a platform."""
        return self._settings.accounts(platform)

    def account(self, platform: str, source: str | None) -> PlatformSettings:
        """The account of that name, or the only one."""
        return self._settings.platform(platform, source)

    async def reach(self, account: PlatformSettings, call: Call[T]) -> Recent[T]:
        """The account's answer to the call; the first one opens it."""
        opening = self._open_once(
            f"account {account.name}", lambda app: app.async_platform(account.platform, account.name)
        )
        client = await asyncio.shield(asyncio.wrap_future(opening))
        return await client.recent(call)

    def now(self) -> datetime:
        """The time of this machine's clock."""
        return datetime.now(UTC)

    def mask(self, source: str | None) -> Callable[[str], str]:
        """What hides personal data in that source's answers; once it has been asked."""
        assert self._app is not None
        return self._app.masking(source).mask

    async def png(self, spec: Mapping[str, Json]) -> bytes:
        """The picture of a chart's spec, drawn by a process of its own so that the server goes on answering."""
        return await self._drawer().arender(spec, "png")

    async def bundle(self) -> str:
        """The program that draws charts in a page."""
        return await self._drawer().abundle()

    def _drawer(self) -> Renderer:
        if self._renderer is None:
            from talkscope.charts.rendering import Renderer

            self._renderer = Renderer()
        return self._renderer

    async def _client(self, source: str | None) -> AsyncClient:
        opening = self._open_once(source, lambda app: app.async_client(source))
        # Shielded: whoever gives up waiting must not take the client from the others.
        return await asyncio.shield(asyncio.wrap_future(opening))

    def _open_once(self, name: str | None, client: Callable[[App], AsyncClient]) -> Future[AsyncClient]:
        opening = self._clients.get(name)
        if opening is None or (opening.done() and opening.exception() is not None):
            opening = self._clients[name] = self._thread.submit(self._open, client)
        return opening

    def _open(self, client: Callable[[App], AsyncClient]) -> AsyncClient:
        if self._app is None:
            from talkscope.wiring import App

            self._app = App(self._settings)
        return client(self._app)

    async def aclose(self) -> None:
        """Close what was opened."""
        self._thread.shutdown(wait=False, cancel_futures=True)
        if self._renderer is not None:
            self._renderer.close()
        if self._app is not None:
            await self._app.aclose()


def _holds_records(folder: Path) -> bool:
    from talkscope.jobs.inventory import inventory

    with suppress(TalkscopeError, OSError):
        return any(map(inventory(folder).rows.get, RECORD_TABLES))
    return False
