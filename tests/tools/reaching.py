"""Tools asked of a vendor's server: over a real client and a real socket, at the time of the vendor's world.

vendor = studio_chat.server()
with reaching(vendor, "studio_chat", key=studio_chat.KEY, also={"project_id": studio_chat.MAIN}, now=NOW) as reached:
    shaped = reached.tool("studio_overview", range="last_30d")
    shaped.structured["rows"], reached.paths
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeVar

import pytest
from anyio.from_thread import BlockingPortal, start_blocking_portal
from pydantic import SecretStr

from talkscope import tools
from talkscope.client import AsyncClient, Recent
from talkscope.contract import Question
from talkscope.errors import Json, TalkscopeError
from talkscope.flow import Call
from talkscope.models.answers import Answer
from talkscope.models.masking import Mask
from talkscope.platforms import platform as find_platform
from talkscope.settings import PlatformSettings, Settings
from tests.tools.fakes import Manner
from tests.vendors.serving import Served, served

T = TypeVar("T")


@dataclass
class Reaching:
    """A Reacher with real clients, one for each account; `paths` are those of its calls, in their order."""

    settings: Settings
    at: datetime
    portal: BlockingPortal
    clients: dict[str, AsyncClient] = field(default_factory=dict)
    calls: list[Call[Any]] = field(default_factory=list)
    sources: Sequence[str] = ()
    default_source: str | None = None
    holds_records: bool = False

    @property
    def paths(self) -> list[str]:
        return [call.path for call in self.calls]

    def accounts(self, platform: str) -> Sequence[PlatformSettings]:
        return [each for each in self.settings.platforms if each.platform == platform]

    def account(self, platform: str, source: str | None) -> PlatformSettings:
        return self.settings.platform(platform, source)

    async def reach(self, account: PlatformSettings, call: Call[T]) -> Recent[T]:
        self.calls.append(call)
        if account.name not in self.clients:
            self.clients[account.name] = _client(account)
        return await self.clients[account.name].recent(call)

    def now(self) -> datetime:
        return self.at

    async def ask(self, source: str | None, question: Question[Answer], words: Mapping[str, object]) -> Answer:
        raise AssertionError(f"{question.name} is no question to a platform: {source} {words}")

    def mask(self, source: str | None) -> Callable[[str], str]:
        return Mask(b"k" * 32).mask

    async def png(self, spec: Mapping[str, Json]) -> bytes:
        raise AssertionError(f"nothing is drawn here: {spec}")

    def instead(self, patch: pytest.MonkeyPatch, ending: str, payload: Json | TalkscopeError) -> None:
        """Answer calls whose path ends so with this, or refuse them with it."""
        reach = self.reach

        async def changed(account: PlatformSettings, call: Call[T]) -> Recent[T]:
            if not call.path.endswith(ending):
                return await reach(account, call)
            if isinstance(payload, TalkscopeError):
                raise payload
            return Recent(call.parse(payload))

        patch.setattr(self, "reach", changed)

    def tool(self, name: str, /, manner: Manner | None = None, **words: object) -> Any:
        """The tool's shaped answer. Raises what the tool raises."""
        self.calls.clear()
        told = manner or Manner(answer_tokens=10_000)
        return self.portal.call(lambda: tools.find(name).call(self, words, told))

    def rows(self, name: str, /, manner: Manner | None = None, **words: object) -> list[dict[str, Any]]:
        """The rows of the tool's answer as mappings by column."""
        found = self.tool(name, manner, **words).structured
        return [dict(zip(found["columns"], row, strict=True)) for row in found["rows"]]

    async def aclose(self) -> None:
        for client in self.clients.values():
            await client.aclose()


def _client(account: PlatformSettings) -> AsyncClient:
    found = find_platform(account.platform)
    assert account.key is not None
    header, key = found.access.header(account.key)
    return AsyncClient(account.url, key=key, key_header=header, manners=found.manners, source=account.name)


@contextmanager
def reaching(
    vendor: Served, platform: str, *, key: str, now: datetime, also: Mapping[str, str] | None = None
) -> Iterator[Reaching]:
    """A Reacher of one account of a vendor's server, which runs until the block ends."""
    with served(vendor) as url:
        account = PlatformSettings(platform, platform, url, SecretStr(key), "the test", dict(also or {}))
        with start_blocking_portal() as portal:
            reached = Reaching(Settings(platforms=(account,)), now, portal)
            try:
                yield reached
            finally:
                portal.call(reached.aclose)
