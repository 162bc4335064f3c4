"""Outcomes, live support, resources, errors row by row: the hosted API tells none, and what would answer is said."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NoReturn

from talkscope.errors import NotSupported
from talkscope.hosted.account import Account
from talkscope.models.questions import Asked, ErrorsAsked, LiveSupportAsked, OutcomesAsked, ResourcesAsked

_NONE = "no_such_records"
_LACKS: Mapping[type[Asked], tuple[str, str, str]] = {
    # A status tells whether a turn failed, and not how a session ended.
    OutcomesAsked: (
        "The hosted API does not say how sessions ended: it has no handoffs, labels, ratings or conversions.",
        (
            "Ask a warehouse that platforms with outcomes are synced into (`talkscope sync`), or get_summary for"
            " sessions and errors."
        ),
        "no_outcomes",
    ),
    LiveSupportAsked: (
        "The hosted API knows nothing of live agents.",
        "Ask a warehouse that a platform with live support is synced into: `talkscope sync mavenoid`.",
        _NONE,
    ),
    ResourcesAsked: (
        "The hosted API tells no calls of tools, skills or knowledge bases.",
        "Ask get_breakdown by processor for components, or a warehouse that Studio Chat is synced into.",
        _NONE,
    ),
    ErrorsAsked: (
        "The hosted API lists no errors: it counts them.",
        "Ask get_breakdown for errors by error_code, or load the telemetry into a warehouse, which lists them.",
        _NONE,
    ),
}


async def answer(asked: Asked, account: Account) -> NoReturn:  # noqa: ARG001  # as all questions
    """Raise NotSupported with what to ask instead, before any request."""
    message, hint, code = _LACKS[type(asked)]
    raise NotSupported(message, hint=hint, code=code)
