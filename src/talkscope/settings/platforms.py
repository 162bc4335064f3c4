"""Accounts of platforms that have calls of their own: by variables, or by tables of the configuration file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from pydantic import SecretStr

from talkscope.errors import NotSupported, SourceNotChosen, unknown


@dataclass(frozen=True, slots=True)
class Variables:
    """A platform's name for people, and what its account is set by.

    That is the key, the address and its usual value, and what else its calls need.
    """

    title: str
    key: str
    url: str
    usual: str
    also: Mapping[str, str] = field(default_factory=dict)


PLATFORMS: Mapping[str, Variables] = {
    "studio_chat": Variables(
        "Studio Chat",
        "STUDIO_API_TOKEN",
        "STUDIO_API_URL",
        "https://api.studiochat.io",
        {"project_id": "STUDIO_PROJECT_ID"},
    ),
    "agent_studio": Variables(
        "Agent Studio", "AGENT_STUDIO_API_KEY", "AGENT_STUDIO_URL", "https://api.agentstudio.dev/api/v1"
    ),
    "general_bots": Variables("General Bots", "GENERAL_BOTS_TOKEN", "GENERAL_BOTS_URL", "http://localhost:9000"),
    "mavenoid": Variables(
        "Mavenoid", "MAVENOID_API_TOKEN", "MAVENOID_API_URL", "https://analytics-api.mavenoid.com/v1"
    ),
}
"""By platform: the variables of its one account without a configuration file."""


def platform_of(word: str) -> str:
    """The platform of that name, in kebab or snake case. Raises UnknownName with the nearest."""
    name = word.replace("-", "_")
    if name not in PLATFORMS:
        raise unknown("platform", word, PLATFORMS)
    return name


@dataclass(frozen=True, slots=True)
class PlatformSettings:
    """One account of a platform: its name, where it is, its key and where that is from, and what else calls need.

    A `key` of None is one that is not set.
    """

    name: str
    platform: str
    url: str
    key: SecretStr | None = None
    key_from: str = ""
    also: Mapping[str, str] = field(default_factory=dict)


def chosen(accounts: Sequence[PlatformSettings], platform: str, name: str | None) -> PlatformSettings:
    """Of a platform's accounts the one of that name, else the only one there is.

    Raises NotSupported where none is configured, SourceNotChosen and UnknownName.
    """
    found = {each.name: each for each in accounts}
    if not found:
        variables = PLATFORMS[platform]
        needed = " and ".join([variables.key, *variables.also.values()])
        raise NotSupported(
            f"No {platform} account is configured.", hint=f"Set {needed}, or name one in the configuration file."
        )
    if name is None and len(found) == 1:
        return next(iter(found.values()))
    if name is None:
        raise SourceNotChosen(
            f"Several {platform} accounts are configured and none is named.",
            hint=f"Name one of {', '.join(found)}.",
            details={"known": [*found]},
        )
    if name not in found:
        raise unknown("source", name, found)
    return found[name]
