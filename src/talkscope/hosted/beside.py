"""Live support, resources and errors row by row: the hosted API tells none of them, and what would answer is said."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NoReturn

from talkscope.errors import NotSupported
from talkscope.hosted.account import Account
from talkscope.models.questions import Asked, ErrorsAsked, LiveSupportAsked, ResourcesAsked

_LACKS: Mapping[type[Asked], tuple[str, str]] = {
    LiveSupportAsked: (
        "The hosted API knows nothing of live agents.",
        "Ask a warehouse that a platform with live support is synced into: `talkscope sync mavenoid`.",
    ),
    ResourcesAsked: (
        "The hosted API tells no calls of tools, skills or knowledge bases.",
        "Ask get_breakdown by processor for components, or a warehouse that Studio Chat is synced into.",
    ),
    ErrorsAsked: (
        "The hosted API lists no errors: it counts them.",
        "Ask get_breakdown for errors by error_code, or load the telemetry into a warehouse, which lists them.",
    ),
}


async def answer(asked: Asked, account: Account) -> NoReturn:  # noqa: ARG001
    """Raise NotSupported with what to ask instead."""
    message, hint = _LACKS[type(asked)]
    raise NotSupported(message, hint=hint, code="no_such_records")
