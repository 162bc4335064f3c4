"""Clients of platforms' accounts, which keep to the limits of their vendors."""

from __future__ import annotations

from typing import TypeVar

from talkscope.client import AsyncClient, Client
from talkscope.flow import Policy
from talkscope.platforms import platform as find_platform
from talkscope.settings import PlatformSettings, Settings, needed_key, read

PATIENT = Policy(deadline=300.0, turn=900.0)
"""For work that takes as long as it takes, such as an export: a request waits for its turn under the vendor's limits.
"""

ClientT = TypeVar("ClientT", Client, AsyncClient)


def reaching(
    made: type[ClientT], account: PlatformSettings, deadline: float | None = None, policy: Policy | None = None
) -> ClientT:
    """A client of a platform's account. Raises AuthenticationError without a key."""
    found = find_platform(account.platform)
    header, key = found.access.header(needed_key(account))
    return made(
        account.url,
        key=key,
        key_header=header,
        deadline=None if policy else deadline,
        policy=policy,
        manners=found.manners,
        source=account.name,
    )


def connect_platform(
    platform: str, source: str | None = None, *, settings: Settings | None = None, policy: Policy | None = None
) -> Client:
    """A client of a platform's account, for the calls of `talkscope.platforms`: `send`, `pages` and `recent`.

    Settings come from the environment and `config.toml` unless they are given; the vendor's limits are kept.
    Raises NotSupported where none is configured, SourceNotChosen, UnknownName, or AuthenticationError without a key.
    """
    told = read() if settings is None else settings
    return reaching(Client, told.platform(platform, source), told.deadline, policy)


def connect_platform_async(
    platform: str, source: str | None = None, *, settings: Settings | None = None, policy: Policy | None = None
) -> AsyncClient:
    """The same for async code."""
    told = read() if settings is None else settings
    return reaching(AsyncClient, told.platform(platform, source), told.deadline, policy)
