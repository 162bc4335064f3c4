"""How General Bots is reached, and which of its fields are not to be trusted."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

from talkscope.flow import Call
from talkscope.platforms.access import Access, Limit, bearer

T = TypeVar("T")

ADDRESSES = ("http://localhost:9000", "http://localhost:8080")
"""Where a server listens: as the documents say, and as the published server does unless told otherwise."""
LIMITS: Mapping[str, Limit] = {}

PERSONAL: frozenset[str] = frozenset()
"""Fields that are about people, as `Model.field`; none is documented."""
UNTRUSTED: frozenset[str] = frozenset({"Chart.*", "Dataset.label", "OpenAnswer.*"})
"""Fields that may hold anybody's words, in the same form; an open answer is JSON without a model, and any of it may."""


def bucket(call: Call[T]) -> str:
    """The limit that a call counts against; none is documented, so `LIMITS` has no bucket of this name."""
    del call
    return "token"


ACCESS = Access(name="general_bots", header=bearer)
