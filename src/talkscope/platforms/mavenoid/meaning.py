"""What is to be said beside Mavenoid's figures, and what its refusals mean."""

from __future__ import annotations

from typing import TypeVar

from pydantic import SecretStr

from talkscope.errors import AuthenticationError, NotFound, RateLimited, TalkscopeError
from talkscope.flow import Call
from talkscope.platforms.mavenoid.access import is_sample
from talkscope.platforms.mavenoid.calls import CALENDAR
from talkscope.platforms.mavenoid.groups import disagreements
from talkscope.platforms.mavenoid.models import SessionGroup

T = TypeVar("T")

SAMPLE = "The key is the vendor's documented sample token: these are dummy data, not an organisation's own."
CUT_SHORT = "The window rolls by 24 hours, so the first and the last date are cut short; dates are taken to be UTC."
SUMS = "For {}, the vendor's sum is not what its mean and count make: one of the three is off."
RESOLVED = "Resolved is the vendor's word: the customer said so, the flow did, or the customer left at a solution."
_TOKEN = "Mavenoid hands out its tokens, which begin with ma_; set yours in MAVENOID_API_TOKEN."  # noqa: S105
_ROUTE = "MAVENOID_API_URL, or the source's url, goes up to and with /v1."
_BUSY = "Mavenoid answers 10 requests a minute, and 60 for days=1: wait for the next minute."


def notes(call: Call[T], answer: T | None = None, *, key: SecretStr | str | None = None) -> tuple[str, ...]:
    """What an answer to the call must say beside its figures; the answer itself adds what only it shows."""
    said = [SAMPLE] if key is not None and is_sample(key) else []
    fields = dict(call.params).get("group_by", "").split(",")
    said += [CUT_SHORT] if any(field in CALENDAR for field in fields) else []
    rows = answer if isinstance(answer, list) else []
    off = {name for row in rows if isinstance(row, SessionGroup) for name in disagreements(row)}
    said += [SUMS.format(", ".join(sorted(off)))] if off else []
    return tuple(said)


def explained(error: TalkscopeError, call: Call[T]) -> TalkscopeError:
    """The error with a hint of this platform, where the usual one would mislead; else the same error."""
    del call
    hints: dict[type[TalkscopeError], str] = {AuthenticationError: _TOKEN, NotFound: _ROUTE, RateLimited: _BUSY}
    hint = hints.get(type(error))
    if hint is None:
        return error
    return type(error)(error.message, hint=hint, code=error.code, status=error.status, details=error.details)
