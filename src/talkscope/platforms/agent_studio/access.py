"""How Agent Studio is reached, how often it may be asked, and which of its fields are about people."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

from pydantic import SecretStr

from talkscope.flow import Allowance, Call
from talkscope.platforms.access import Access, Limit, bearer

T = TypeVar("T")

LIMITS: Mapping[str, Limit] = {"key": Limit(100, 60.0)}
REFRESH: Mapping[str, float] = {
    "/analytics/summary": 30.0,
    "/analytics/active-calls": 10.0,
    "/analytics/call-volume": 60.0,
    "/analytics/workflow-stats": 60.0,
    "/analytics/provider-latency": 60.0,
    "/analytics/errors": 30.0,
}
"""Seconds after which the vendor recommends to ask each route again: how long an answer is good for."""

PERSONAL: frozenset[str] = frozenset({"CallDetail.user", "CallDetail.user_id", "Event.data", "TranscriptEntry.*"})
"""Fields that are about people, as `Model.field`; `*` is every field, those that are not documented included."""
UNTRUSTED: frozenset[str] = frozenset({"ErrorEntry.details", "ErrorEntry.message", "Event.data", "TranscriptEntry.*"})
"""Fields that hold the words of end users or of others outside, in the same form."""


def header(key: SecretStr) -> tuple[str, SecretStr]:
    """The header that carries the key: keys begin with `as_`, anything else is an access token of a login."""
    token = SecretStr(key.get_secret_value().strip())
    return ("x-api-key", token) if token.get_secret_value().startswith("as_") else bearer(token)


def bucket(call: Call[T]) -> str:
    """The limit that a call counts against: every call of a key shares one."""
    del call
    return "key"


def refresh(call: Call[T]) -> float | None:
    """Seconds for which an answer to the call is good, or None where the vendor recommends nothing."""
    return REFRESH.get(call.path)


def allowance(headers: Mapping[str, str]) -> Allowance | None:
    """The allowance that these headers state, by lower-case name; None unless all three are there and numbers."""
    words = [headers.get(f"x-ratelimit-{name}", "").strip() for name in ("limit", "remaining", "reset")]
    if not all(word.isascii() and word.isdigit() and len(word) < 16 for word in words):
        return None
    # How many there are in all, `limits` says.
    return Allowance(*map(int, words[1:]))


ACCESS = Access(name="agent_studio", header=header)
