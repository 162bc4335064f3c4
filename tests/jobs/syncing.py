"""A sync of a vendor's server into a folder, at a time of the test's choosing; as a process too, to be killed."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import anyio
import httpx
from pydantic import SecretStr

from talkscope.client import AsyncClient
from talkscope.flow import Policy
from talkscope.jobs.sync import Engine, Source, Synced, sync
from talkscope.platforms import platform as find_platform
from talkscope.platforms.convai import KEY_HEADER

NOW = datetime(2026, 5, 5, 16, 30, tzinfo=UTC)


def client_of(platform: str, url: str, key: str, transport: httpx.AsyncBaseTransport | None = None) -> AsyncClient:
    """A client without the vendor's limits, which other tests are about, and without retries."""
    once = Policy(attempts=1)
    if platform == "convai":
        return AsyncClient(url, key=key, key_header=KEY_HEADER, policy=once, transport=transport)
    found = find_platform(platform)
    header, secret = found.access.header(SecretStr(key))
    return AsyncClient(
        url, key=secret, key_header=header, policy=once, manners=replace(found.manners, limits={}, refresh=_never)
    )


def _never(_: object) -> None:
    return None


def synced(
    platform: str,
    url: str,
    key: str,
    warehouse: Path,
    *,
    now: datetime = NOW,
    since: datetime | None = None,
    also: Mapping[str, str] | None = None,
    restart: bool = False,
    traces: bool = True,
    transport: httpx.AsyncBaseTransport | None = None,
    name: str | None = None,
) -> list[Synced]:
    """What one run gives."""
    source = Source(name or platform, platform, url, dict(also or {}))

    async def run() -> list[Synced]:
        async with client_of(platform, url, key, transport) as client:
            return await sync(
                source, client, warehouse, now=lambda: now, since=since, restart=restart, traces=traces,
                engine=Engine(threads=1),
            )  # fmt: skip

    return anyio.run(run)


if __name__ == "__main__":
    _, url_, key_, project_, warehouse_ = sys.argv
    began = NOW - timedelta(days=60)
    synced("studio_chat", url_, key_, Path(warehouse_), since=began, also={"project_id": project_})
