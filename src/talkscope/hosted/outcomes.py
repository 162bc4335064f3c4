"""How did sessions end? The hosted API has no outcomes, so it is refused, with what has them."""

from __future__ import annotations

from typing import NoReturn

from talkscope.errors import NotSupported
from talkscope.hosted.account import Account
from talkscope.models.questions import OutcomesAsked


async def answer(asked: OutcomesAsked, account: Account) -> NoReturn:  # noqa: ARG001  # as all questions
    """Raises NotSupported, before any request: a status tells whether a turn failed, and not how a session ended."""
    raise NotSupported(
        "The hosted API does not say how sessions ended: it has no handoffs, labels, ratings or conversions.",
        hint="Ask a warehouse that platforms with outcomes are synced into (`talkscope sync`), or get_summary for"
        " sessions and errors.",
        code="no_outcomes",
    )
