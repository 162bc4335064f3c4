"""How a platform is reached: its address, its key, and how often it may be asked."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from pydantic import SecretStr


@dataclass(frozen=True, slots=True)
class Limit:
    """At most `calls` in `seconds`."""

    calls: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Access:
    """What it takes to ask a platform.

    Args:
        name: The platform's word, such as `studio_chat`.
        title: Its name for people.
        url: Its address unless another is set; None where every account has its own.
        url_env: The environment variable that holds another address.
        key_env: The environment variable that holds the key.
        header: The header that carries a key, by name and value.
        also: Other settings that calls need, by word: their environment variables.
        limits: How often it may be asked, by bucket; none when the vendor documents none.
    """

    name: str
    title: str
    url: str | None
    url_env: str
    key_env: str
    header: Callable[[SecretStr], tuple[str, SecretStr]]
    also: Mapping[str, str] = field(default_factory=dict)
    limits: Mapping[str, Limit] = field(default_factory=dict)


def bearer(key: SecretStr) -> tuple[str, SecretStr]:
    """The key as a bearer token."""
    return "authorization", SecretStr(f"Bearer {key.get_secret_value()}")
