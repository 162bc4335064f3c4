"""What a platform is to the rest of Talkscope: how it is reached, its calls, its manners, its delicate fields."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from pydantic import SecretStr

from talkscope.errors import UnknownName, unknown
from talkscope.flow import AnyCall, Call, Limit, Manners
from talkscope.settings import PLATFORMS

__all__ = ["Access", "Limit", "Platform", "bearer"]


@dataclass(frozen=True, slots=True)
class Access:
    """What it takes to ask a platform; what an account of it is set by stands in `talkscope.settings`.

    Args:
        name: The platform's word, such as `studio_chat`.
        header: The header that carries a key, by name and value.
    """

    name: str
    header: Callable[[SecretStr], tuple[str, SecretStr]]

    @property
    def title(self) -> str:
        """Its name for people."""
        return PLATFORMS[self.name].title

    @property
    def url(self) -> str:
        """Its address unless another is set."""
        return PLATFORMS[self.name].usual


@dataclass(frozen=True, slots=True)
class Platform:
    """One vendor's system.

    Args:
        access: How it is reached.
        calls: Every call by its name: a function of keyword arguments that returns a `Call`.
        manners: How it wants to be asked.
        personal: Fields that are about people, as `Model.field` (`Model.*` is every field); subclasses inherit them.
        untrusted: Fields that hold words from outside, in the same form.
        notes: What an answer to a call must say beside its figures, given the answer, the key and the time it is.
        probes: Calls that cost little, made with an account's other settings: one that is answered shows that the
            account works.
    """

    access: Access
    calls: Mapping[str, Callable[..., Call[object]]]
    manners: Manners
    personal: frozenset[str]
    untrusted: frozenset[str]
    notes: Callable[[AnyCall, object, SecretStr | None, datetime], tuple[str, ...]]
    probes: Callable[[Mapping[str, str]], tuple[AnyCall, ...]]

    @property
    def name(self) -> str:
        """The platform's word."""
        return self.access.name

    @property
    def title(self) -> str:
        """Its name for people."""
        return self.access.title

    def call(self, name: str) -> Callable[..., Call[object]]:
        """The call of that name, in kebab or snake case. Raises UnknownName with the nearest."""
        word = name.replace("-", "_")
        if word in self.calls:
            return self.calls[word]
        error: UnknownName = unknown("call", name, self.calls)
        raise error


def bearer(key: SecretStr) -> tuple[str, SecretStr]:
    """The key as a bearer token."""
    return "authorization", SecretStr(f"Bearer {key.get_secret_value()}")
