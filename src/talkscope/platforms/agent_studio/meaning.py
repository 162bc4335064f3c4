"""What is to be said beside Agent Studio's figures, and what its refusals mean."""

from __future__ import annotations

from typing import TypeVar

from talkscope.errors import AuthenticationError, NotFound, PlanInsufficient, RateLimited, TalkscopeError
from talkscope.flow import Call
from talkscope.platforms.agent_studio.models import ProviderLatency

T = TypeVar("T")

STARTED_BEFORE = "The vendor says of started_before that it bounds the start of calls, and elsewhere their end."
ESTIMATED = "Percentiles marked estimated are fixed multiples of the mean (0.9, 1.5, 2), so not measured."
WEEKS = "The day on which a week starts is the vendor's, and unstated."
_FORBIDDEN = "The key or login lacks the scope for this call: use one of the same tenant that has it."
_LOGIN = "A key begins with as_live_ or as_test_; the token of a login lasts 30 minutes."
_CALL = "Check the call's id: the error log names those of calls with errors."
_ROUTE = "AGENT_STUDIO_URL, or the source's url, goes up to and with /api/v1."
_BUSY = "A key may ask 100 times a minute: wait for the next one."


def notes(call: Call[T], answer: T | None = None) -> tuple[str, ...]:
    """What an answer to the call must say beside its figures; the answer itself adds what only it shows."""
    asked = dict(call.params)
    said = [STARTED_BEFORE] if "started_before" in asked and call.path != "/analytics/summary" else []
    said += [WEEKS] if asked.get("interval") == "week" else []
    rows = answer if isinstance(answer, list) else []
    said += [ESTIMATED] if any(isinstance(row, ProviderLatency) and row.estimated for row in rows) else []
    return tuple(said)


def explained(error: TalkscopeError, call: Call[T]) -> TalkscopeError:
    """The error with a hint of this platform, where the usual one would mislead; else the same error."""
    hints: dict[type[TalkscopeError], str] = {
        AuthenticationError: _LOGIN,
        PlanInsufficient: _FORBIDDEN,
        NotFound: _CALL if call.path.startswith("/calls/") else _ROUTE,
        RateLimited: _BUSY,
    }
    hint = hints.get(type(error))
    if hint is None:
        return error
    return type(error)(error.message, hint=hint, code=error.code, status=error.status, details=error.details)
