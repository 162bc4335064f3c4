"""Every way a question can fail, as one tree.

    TalkscopeError
    ├── UsageError                 the caller's words are off; nothing was sent
    │   ├── InvalidArgument        a value that cannot be understood
    │   ├── UnknownName            no such measure, dimension, source, id; carries the nearest
    │   │   └── UnknownArgument    no such argument; a ValueError too
    │   ├── AmbiguousName          one name, several ids; carries the candidates
    │   ├── InvalidRange           a window that is no window
    │   └── SourceNotChosen        several sources are configured and none was named
    ├── NotSupported               this source cannot answer that
    ├── APIError                   the service answered with an error status
    │   ├── BadRequest             400
    │   ├── AuthenticationError    401
    │   ├── PlanRequired           402, carries required_plan
    │   ├── PlanInsufficient       403, carries required_plan
    │   ├── NotFound               404
    │   ├── ValidationError        422
    │   ├── RateLimited            429, carries retry_after
    │   ├── ServerError            5xx
    │   └── UnexpectedRedirect     3xx, never followed
    ├── BadAnswer                  the service answered with something that is not the contract
    │   └── AnswerTooLarge         more bytes than the call's cap
    ├── ConnectionFailed           nothing answered
    ├── DeadlineExceeded           the answer took longer than the call's deadline
    ├── CannotDraw                 a chart of which no picture can be made
    ├── WarehouseError             the folder that holds telemetry cannot be used
    │   └── WarehouseBusy          another writer holds the lease for too long
    └── IngestError                a file that cannot be read as telemetry

Raise, never return. The message says what happened, without URL queries, keys or bodies; `hint` says what to do next,
because a model reads it. `details` are plain JSON values.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from typing import TypeAlias, TypeVar

Json: TypeAlias = "None | bool | int | float | str | list[Json] | dict[str, Json]"

E = TypeVar("E", bound=Exception)


def sentences(message: str, hint: str) -> str:
    """What happened and what to do as one text; a service's own message may lack the full stop between them."""
    ended = not message or message.rstrip(" )\"'").endswith((".", "!", "?", ":", "…"))
    return f"{message}{'' if ended or not hint else '.'} {hint}".strip()


class TalkscopeError(Exception):
    """Anything Talkscope raises on purpose."""

    code = "error"
    status: int | None = None
    default_hint = ""
    answered = False
    """Whether a service's HTTP answer was this error; else it was found out here, and `status` is what it would be."""

    def __init__(
        self,
        message: str,
        *,
        hint: str | None = None,
        code: str | None = None,
        status: int | None = None,
        details: Mapping[str, Json] | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.hint = self.default_hint if hint is None else hint
        self.code = code or type(self).code
        self.status = status if status is not None else type(self).status
        self.details: dict[str, Json] = dict(details or {})

    def __str__(self) -> str:
        return sentences(self.message, self.hint)

    def to_json(self) -> dict[str, Json]:
        """The error as the API and the MCP server send it: code, message, hint and details."""
        return {"code": self.code, "message": self.message, "hint": self.hint, "details": self.details}


class UsageError(TalkscopeError):
    """The caller's words are off; nothing was sent."""

    code = "invalid_request"
    status = 422


class InvalidArgument(UsageError):
    """A value that cannot be understood."""

    code = "invalid_argument"


class UnknownName(UsageError):
    """No such measure, dimension, tool or source."""

    code = "unknown_name"


class UnknownArgument(UnknownName, ValueError):
    """No such argument of this question or call."""

    code = "unknown_argument"


class AmbiguousName(UsageError):
    """One name stands for several ids."""

    code = "ambiguous_name"


class InvalidRange(UsageError):
    """A window that is no window."""

    code = "invalid_range"


class SourceNotChosen(UsageError):
    """Several sources are configured and none was named."""

    code = "source_not_chosen"


class NotSupported(TalkscopeError):
    """This source cannot answer that."""

    code = "not_supported"
    status = 422


class APIError(TalkscopeError):
    """The service answered with an error status."""

    code = "api_error"

    @property
    def required_plan(self) -> str | None:
        """The plan that the service asks for, where it says so."""
        for key in ("required_plan", "requiredPlan", "plan", "minimum_plan", "minimumPlan"):
            value = self.details.get(key)
            if isinstance(value, str):
                return value
        return None

    @property
    def retry_after(self) -> float | None:
        """Seconds to wait before asking again, where the service says so."""
        value = self.details.get("retry_after")
        return float(value) if isinstance(value, int | float) else None


class BadRequest(APIError):
    """400: the service did not understand the request."""

    code = "bad_request"
    status = 400


class AuthenticationError(APIError):
    """401: the key is missing or not accepted."""

    code = "unauthorized"
    status = 401
    default_hint = "Set the source's key in the environment variable that its configuration names."


class PlanRequired(APIError):
    """402: the account has no plan that includes this API."""

    code = "plan_required"
    status = 402
    default_hint = "The account needs a plan that includes the analytics API."


class PlanInsufficient(APIError):
    """403: the account's plan does not include this endpoint."""

    code = "plan_insufficient"
    status = 403
    default_hint = "Ask a question that the account's plan includes, or raise the plan."


class NotFound(APIError):
    """404: no such thing, or not this account's."""

    code = "not_found"
    status = 404
    default_hint = "Check the id; list_sessions shows the ids there are."


class ValidationError(APIError):
    """422: the service refused the request's values."""

    code = "validation_error"
    status = 422


class RateLimited(APIError):
    """429: too many requests, or the month's quota is used up."""

    code = "rate_limited"
    status = 429
    default_hint = "Wait, then ask again."


class ServerError(APIError):
    """5xx: the service failed."""

    code = "server_error"
    status = 500
    default_hint = "Ask again; if it stays, the service is at fault."


class UnexpectedRedirect(APIError):
    """3xx: redirects are never followed, because the key would travel with them."""

    code = "unexpected_redirect"
    status = 302
    default_hint = "Set the source's url to the address that answers directly."


class BadAnswer(TalkscopeError):
    """The service answered with something that is not the contract."""

    code = "bad_answer"
    status = 502
    default_hint = "Check that the source's url is an analytics API."


class AnswerTooLarge(BadAnswer):
    """The answer holds more bytes than the call's cap."""

    code = "answer_too_large"
    default_hint = "Ask for a shorter window, a coarser granularity or fewer groups."


class ConnectionFailed(TalkscopeError):
    """Nothing answered."""

    code = "connection_failed"
    status = 503
    default_hint = "Check the network and the source's url."


class DeadlineExceeded(TalkscopeError):
    """The answer took longer than the call's deadline."""

    code = "deadline_exceeded"
    status = 504
    default_hint = "Ask for a shorter window, or raise TALKSCOPE_DEADLINE."


class CannotDraw(TalkscopeError):
    """A chart of which no picture can be made."""

    code = "cannot_draw"
    status = 500
    default_hint = "Ask for the chart's spec instead: any Vega-Lite viewer shows it."


class WarehouseError(TalkscopeError):
    """The folder that holds telemetry cannot be used."""

    code = "warehouse_error"
    status = 500
    default_hint = "Ask again; if it stays, `talkscope doctor` looks at the warehouse, and records can be loaded anew."


class WarehouseBusy(WarehouseError):
    """Another writer holds the warehouse's lease."""

    code = "warehouse_busy"
    status = 503
    default_hint = "Another load is running on this warehouse; try again when it has ended."


class IngestError(TalkscopeError):
    """A file that cannot be read as telemetry."""

    code = "ingest_error"
    status = 422


def bare(error: E) -> E:
    """The error without where it came from: local variables of those frames may hold a key, and tools print them."""
    error.__context__ = None
    return error.with_traceback(None)


def _tree(root: type[TalkscopeError]) -> Iterable[type[TalkscopeError]]:
    yield root
    for child in root.__subclasses__():
        yield from _tree(child)


def error_for(
    status: int, code: str, message: str, *, hint: str | None = None, details: Mapping[str, Json] | None = None
) -> TalkscopeError:
    """The error that a service's answer stands for: by its code where we know it, else by its status."""
    classes = [kind for kind in _tree(TalkscopeError) if kind.__module__ == __name__]
    known = next((kind for kind in classes if kind.code == code and kind.status == status), None)
    by_status = {kind.status: kind for kind in APIError.__subclasses__()}
    if known is not None:
        error = known(message, hint=hint, details=details)
    else:
        if 300 <= status < 400:
            chosen: type[APIError] = UnexpectedRedirect
        elif status >= 500:
            chosen = ServerError
        else:
            chosen = by_status.get(status, APIError)
        error = chosen(message, hint=hint, code=code or None, status=status, details=details)
    error.answered = True
    return error


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The known name that the word most probably meant."""
    names = list(known)
    folded = {name.lower().replace("-", "_"): name for name in names}
    found = difflib.get_close_matches(word.lower().replace("-", "_"), list(folded), n=1, cutoff=0.5)
    return folded[found[0]] if found else None


def unknown(kind: str, word: str, known: Iterable[str]) -> UnknownName:
    """An UnknownName whose hint names the nearest known one, or lists them."""
    names = list(known)
    close = nearest(word, names)
    shown = word if len(word) <= 60 else word[:60] + "…"
    if close:
        hint = f"Did you mean {close!r}?"
    else:
        hint = f"Known: {', '.join(names)}." if names else f"There is no {kind} to choose from."
    listed: list[Json] = list(names)
    return UnknownName(f"Unknown {kind} {shown!r}.", hint=hint, details={"nearest": close, "known": listed})
