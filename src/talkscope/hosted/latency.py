"""Where does the time go? The hosted API has no traces in bulk, so it is refused, with what comes nearest."""

from __future__ import annotations

from typing import NoReturn

from talkscope.errors import NotSupported
from talkscope.hosted.account import Account
from talkscope.models.questions import LatencyBreakdownAsked


async def answer(asked: LatencyBreakdownAsked, account: Account) -> NoReturn:  # noqa: ARG001  # as all questions
    """Raises NotSupported, before any request.

    To share out a turn's time takes its spans. The service's durations by component are no bound for a share either:
    they are of whichever values a component reports, in whichever turns, and they overlap.
    """
    slow = 'measures=["p95", "count"]'
    raise NotSupported(
        "The hosted API has no traces in bulk: the time of turns cannot be shared out among their components.",
        hint=f'Ask get_breakdown({slow}, group_by=["{asked.by}"]) for what is slow by {asked.by},'
        " explain_slow_session for the components of one slow turn, or load the telemetry into a warehouse, which"
        " shares out the time of all turns.",
        code="no_attribution",
    )
