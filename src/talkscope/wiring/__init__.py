"""From settings to clients: the one module that knows both the client and the warehouse.

The warehouse and the API are imported with the first question, because a model's host waits for this module.
"""

from __future__ import annotations

import secrets
import threading
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self, TypeVar

import anyio.to_thread
import httpx

from talkscope.client import AsyncClient, Client, PortalTransport, Recent, forks
from talkscope.errors import NotSupported
from talkscope.flow import Call, Policy
from talkscope.models.answers import Answer
from talkscope.models.masking import KEY_BYTES, Mask, stored_key
from talkscope.models.questions import Asked
from talkscope.platforms.convai import KEY_HEADER
from talkscope.settings import (
    AccountSettings,
    AnySource,
    PlatformSettings,
    Settings,
    SourceSettings,
    needed_key,
    private_folder,
    read,
)
from talkscope.settings.sources import folder
from talkscope.wiring.platforms import PATIENT, connect_platform, connect_platform_async, reaching

if TYPE_CHECKING:
    from talkscope.warehouse.store import DuckStore, Stop

__all__ = ["PATIENT", "App", "connect", "connect_platform", "connect_platform_async", "now", "open_warehouse"]

T = TypeVar("T")

# A name for the address that no network sees.
_HERE = "http://talkscope"


def now() -> datetime:
    """The time of this machine's clock."""
    return datetime.now(UTC)


class App:
    """Everything that was set, ready to be asked: one client of each kind for each source.

    Threads may share it. `close()` (or `with`) ends what blocking code opened, `aclose()` (or `async with`) everything.
    """

    def __init__(self, settings: Settings, *, clock: Callable[[], datetime] = now) -> None:
        self.settings = settings
        self._clock = clock
        self._lock = threading.RLock()
        # By source; by account and policy.
        self._blocking: dict[str | tuple[str, Policy | None], Client] = {}
        self._asynchronous: dict[str | tuple[str, Policy | None], AsyncClient] = {}
        self._stores: dict[str, DuckStore] = {}
        self._keys: dict[str, bytes] = {}
        self._left: list[object] = []
        forks.guard(self)

    @property
    def sources(self) -> list[str]:
        """The names of the configured sources."""
        return [source.name for source in self.settings.sources]

    def client(self, source: str | None = None) -> Client:
        """The blocking client of a source, the same each time. Raises SourceNotChosen or UnknownName."""
        asked = self.settings.source(source)
        with self._lock:
            if asked.name not in self._blocking:
                deadline = self.settings.deadline
                if isinstance(asked, AccountSettings) and asked.kind == "talkscope":
                    made = Client(asked.url, key=asked.key, deadline=deadline, source=asked.name)
                else:
                    made = Client(_HERE, transport=PortalTransport(self.transport(asked.name)), deadline=deadline)
                self._blocking[asked.name] = made
            return self._blocking[asked.name]

    def async_client(self, source: str | None = None) -> AsyncClient:
        """The async client of a source, the same each time. Raises SourceNotChosen or UnknownName."""
        asked = self.settings.source(source)
        with self._lock:
            if asked.name not in self._asynchronous:
                deadline = self.settings.deadline
                if isinstance(asked, AccountSettings) and asked.kind == "talkscope":
                    made = AsyncClient(asked.url, key=asked.key, deadline=deadline, source=asked.name)
                else:
                    made = AsyncClient(_HERE, transport=self.transport(asked.name), deadline=deadline)
                self._asynchronous[asked.name] = made
            return self._asynchronous[asked.name]

    def platform(self, platform: str, source: str | None = None, *, policy: Policy | None = None) -> Client:
        """The blocking client of a platform's account, the same each time, for the calls of `talkscope.platforms`.

        Raises NotSupported, SourceNotChosen, UnknownName, or AuthenticationError without a key.
        """
        account = self.settings.platform(platform, source)
        with self._lock:
            asked = account.name, policy
            if asked not in self._blocking:
                self._blocking[asked] = reaching(Client, account, self.settings.deadline, policy)
            return self._blocking[asked]

    def async_platform(self, platform: str, source: str | None = None, *, policy: Policy | None = None) -> AsyncClient:
        """The async client of a platform's account, the same each time. Raises as `platform` does."""
        account = self.settings.platform(platform, source)
        with self._lock:
            asked = account.name, policy
            if asked not in self._asynchronous:
                self._asynchronous[asked] = reaching(AsyncClient, account, self.settings.deadline, policy)
            return self._asynchronous[asked]

    def accounts(self, platform: str) -> list[PlatformSettings]:
        """The configured accounts of a platform."""
        return self.settings.accounts(platform)

    def account(self, platform: str, source: str | None = None) -> PlatformSettings:
        """The account of that name, or the only one. Raises NotSupported, SourceNotChosen or UnknownName."""
        return self.settings.platform(platform, source)

    async def reach(self, account: PlatformSettings, call: Call[T]) -> Recent[T]:
        """The account's answer to a call, with its age where it was kept as the vendor recommends."""
        return await self.async_platform(account.platform, account.name).recent(call)

    def now(self) -> datetime:
        """The time it is."""
        return self._clock()

    def masking(self, source: str | None = None) -> Mask:
        """What hides the personal data of a source's answers."""
        account = next((each for each in self.settings.platforms if each.name == source), None)
        return Mask(self._key(account or self.settings.source(source)))

    def close(self) -> None:
        """Close the blocking clients and the warehouses; the app asks nothing afterwards."""
        with self._lock:
            clients, self._blocking = list(self._blocking.values()), {}
            stores, self._stores = list(self._stores.values()), {}
        for client in clients:
            client.close()
        for store in stores:
            store.close()

    async def aclose(self) -> None:
        """Close everything."""
        with self._lock:
            clients, self._asynchronous = list(self._asynchronous.values()), {}
        for client in clients:
            await client.aclose()
        await anyio.to_thread.run_sync(self.close)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    def after_fork(self) -> None:
        """Open, in a forked child, engines of its own."""
        self._lock = threading.RLock()
        # Kept: closing them would wait for threads that only the parent has.
        self._left.append(self._stores)
        self._stores = {}

    def transport(self, source: str | None = None) -> httpx.AsyncBaseTransport:
        """A source's questions in process, for clients of one's own. Raises SourceNotChosen or UnknownName.

        A `talkscope serve` elsewhere has none: it is asked over the network. Raises NotSupported for it.
        """
        place = self.settings.source(source)
        if isinstance(place, SourceSettings):
            return self._warehouse(place)
        if place.kind == "convai":
            return self._hosted(place)
        raise NotSupported(f"The source {place.name} is asked over the network, not in process.")

    def _warehouse(self, place: SourceSettings) -> httpx.ASGITransport:
        from talkscope import api

        def answering(name: str, asked: Asked, stop: Stop) -> Answer:
            from talkscope.warehouse import questions

            return questions.answer(
                name, asked, store=self._store(place), now=self._clock(), stop=stop, mask_key=self._key(place)
            )

        return httpx.ASGITransport(api.build(answering, clock=self._clock), raise_app_exceptions=False)

    def _hosted(self, place: AccountSettings) -> httpx.AsyncBaseTransport:
        from talkscope.hosted.transport import HostedTransport

        deadline = self.settings.deadline
        client = AsyncClient(place.url, key=needed_key(place), key_header=KEY_HEADER, deadline=deadline)
        return HostedTransport(client, source=place.name, clock=self._clock, budget=self.settings.requests)

    def _store(self, source: SourceSettings) -> DuckStore:
        from talkscope.warehouse.store import DuckStore

        with self._lock:
            if source.name not in self._stores:
                self._stores[source.name] = DuckStore(
                    source.path,
                    name=source.name,
                    memory_limit=self.settings.memory_limit,
                    threads=self.settings.threads,
                )
            return self._stores[source.name]

    def _key(self, source: AnySource | PlatformSettings) -> bytes:
        with self._lock:
            if source.name not in self._keys:
                made = _mask_key(source)
                if made is None:
                    return secrets.token_bytes(KEY_BYTES)
                self._keys[source.name] = made
            return self._keys[source.name]


def _mask_key(source: AnySource | PlatformSettings) -> bytes | None:
    """What marks of a source's personal data are made with; None while there are no data to mark."""
    if isinstance(source, SourceSettings):
        from talkscope.warehouse.manifest import mask_key

        return mask_key(source.path)
    folder = private_folder(source.name)
    with suppress(OSError):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return stored_key(folder)


class _WithApp(PortalTransport):
    """A transport whose app ends with it."""

    def __init__(self, app: App, inner: httpx.AsyncBaseTransport) -> None:
        super().__init__(inner)
        self._app = app

    def close(self) -> None:
        super().close()
        self._app.close()


def connect(
    source: str | None = None, *, settings: Settings | None = None, clock: Callable[[], datetime] = now
) -> Client:
    """A client of what is configured: the source of that name, or the one that is asked by default.

    Closing it closes what it opened. Settings come from the environment and `config.toml` unless they are given.
    Raises SourceNotChosen when several sources are configured and none is named, and UnknownName.
    """
    app = App(read() if settings is None else settings, clock=clock)
    place = app.settings.source(source)
    if isinstance(place, AccountSettings) and place.kind == "talkscope":
        return app.client(place.name)
    return Client(_HERE, transport=_WithApp(app, app.transport(place.name)), deadline=app.settings.deadline)


def open_warehouse(path: str | Path, *, deadline: float = 30.0, clock: Callable[[], datetime] = now) -> Client:
    """A client that asks the warehouse in a folder; closing it closes the warehouse.

    A folder that is not there is an empty warehouse, and stays away until something is ingested into it. Raises
    NotSupported for the address of an engine, and InvalidArgument for what can name no folder.
    """
    source = SourceSettings("warehouse", folder("path", str(path)))
    app = App(Settings(sources=(source,), deadline=deadline), clock=clock)
    return Client(_HERE, transport=_WithApp(app, app.transport()), deadline=deadline)
