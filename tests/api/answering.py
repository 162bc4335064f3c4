"""Apps that answer in a known way, and both clients asked in the same way."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import anyio
import httpx

from talkscope.api import Answering, build
from talkscope.client import AsyncClient, Client, PortalTransport
from talkscope.models.answers import Answer, Meta
from talkscope.models.questions import Asked
from talkscope.warehouse.store import DuckStore, Stop

META = Meta(source="test", n=0)


class Recorded:
    """Answers everything alike, and remembers what it was asked."""

    def __init__(self, answer: Answer | None = None) -> None:
        self.asked: list[tuple[str, Asked]] = []
        self.answer = answer or Answer(columns=["a"], rows=[[1]], meta=META)

    def __call__(self, name: str, asked: Asked, stop: Stop) -> Answer:
        self.asked.append((name, asked))
        return self.answer


class Raising:
    """Raises the same error each time."""

    def __init__(self, error: Exception) -> None:
        self.error = error

    def __call__(self, name: str, asked: Asked, stop: Stop) -> Answer:
        raise self.error


class Told(Sequence[str]):
    """No parameters, and a word when the engine is given them: after the last look at whether a question is wanted."""

    def __init__(self, tell: Callable[[], object]) -> None:
        self._tell = tell

    def __len__(self) -> int:
        return 0

    def __getitem__(self, at: Any) -> Any:
        raise IndexError(at)

    def __iter__(self) -> Iterator[str]:
        self._tell()
        return iter(())


class Slow:
    """Answers with a query that would take the engine days: that it ends at all is the doing of an interrupt."""

    def __init__(self, folder: Path) -> None:
        self.store = DuckStore(folder, threads=1)
        self._counting = threading.Lock()
        self.began = 0
        self.most = 0
        """The most that ran at once."""
        self.ended: list[str] = []

    @property
    def rests(self) -> bool:
        """Whether every question that began has ended."""
        with self._counting:
            return len(self.ended) == self.began

    def __call__(self, name: str, asked: Asked, stop: Stop) -> Answer:
        begun = threading.Event()

        def begin() -> None:
            begun.set()
            with self._counting:
                self.began += 1
                self.most = max(self.most, self.began - len(self.ended))

        far = "range(100000000)"
        try:
            rows = self.store.snapshot(stop).fetch(f"SELECT sum(a.range * b.range) FROM {far} a, {far} b", Told(begin))
        except Exception as error:
            if begun.is_set():
                with self._counting:
                    self.ended.append(type(error).__name__)
            raise
        return Answer(columns=["x"], rows=[[str(rows)]], meta=META)


def transport(answering: Answering, **options: Any) -> httpx.ASGITransport:
    return httpx.ASGITransport(build(answering, **options), raise_app_exceptions=False)


def blocking(answering: Answering, name: str, **words: object) -> Answer:
    with Client("http://app", transport=PortalTransport(transport(answering))) as client:
        return client.ask(name, **words)


def asynchronous(answering: Answering, name: str, **words: object) -> Answer:
    async def ask() -> Answer:
        async with AsyncClient("http://app", transport=transport(answering)) as client:
            return await client.ask(name, **words)

    return anyio.run(ask)


def raw(
    answering: Answering, method: str, path: str, *, app: dict[str, Any] | None = None, **options: Any
) -> httpx.Response:
    """The app's own reply, without a client of ours in front of it."""

    async def ask() -> httpx.Response:
        inner = transport(answering, **(app or {}))
        async with httpx.AsyncClient(base_url="http://app", transport=inner) as client:
            return await client.request(method, path, **options)

    return anyio.run(ask)
