"""What is to be said beside General Bots' figures, and what its refusals mean."""

from __future__ import annotations

from typing import TypeVar

from talkscope.errors import (
    APIError,
    AuthenticationError,
    BadAnswer,
    ConnectionFailed,
    Json,
    NotFound,
    NotSupported,
    PlanInsufficient,
    TalkscopeError,
)
from talkscope.flow import Call
from talkscope.platforms.general_bots.access import ADDRESSES
from talkscope.platforms.general_bots.found import NO_METRIC
from talkscope.platforms.general_bots.reports import PAGE
from talkscope.platforms.general_bots.routes import Route, route_of

T = TypeVar("T")

SUMMED = "The server adds up a level each time it collects it, so the total of one grows with time and is no level."
FABRICATED = "The server makes the dashboard's charts up: each repeats one rate for every hour."
UNITS = "Whether error_rate is a fraction, and the unit of response_time_p95, is documented nowhere."
PLACEHOLDERS = "Most of the server's insights are zeros that stand for nothing, of a user whose id is all zeros."
SCALE = "The scale of satisfaction is documented nowhere: it cannot be compared with another platform's."
RATE = "Whether the rate is a fraction or per cent, and of what, is documented nowhere."
DURATION = "The unit of the duration is documented nowhere."
FIRST_PAGE = f"There are exactly {PAGE} reports in the answer, which may be a first page."

_TOKEN = "Set GENERAL_BOTS_TOKEN to a bearer token of this server: they expire."  # noqa: S105
DOCUMENT = "report_document"
"""The code of the error that a report came as something else than JSON: there is nothing more to wait for."""

_NOTES = {
    "dashboard": (SUMMED, FABRICATED, UNITS),
    "attendant_stats": (SCALE,),
    "satisfaction": (SCALE,),
    "conversation_resolution": (RATE,),
    "conversation_duration": (DURATION,),
}
# How an answer that is no JSON is told; one that is JSON, and not what was promised, does not begin so.
_NO_JSON = ("The answer is empty", "The answer is a web page", "The answer is not JSON")


def notes(call: Call[T], answer: T | None = None) -> tuple[str, ...]:
    """What an answer to the call must say beside its figures; the answer itself adds what only it shows."""
    route = route_of(call)
    if route is None:
        return ()
    if route.name == "metric":
        return (SUMMED,) if dict(call.params).get("aggregation", "sum") == "sum" else ()
    if route.name == "reports":
        return (FIRST_PAGE,) if isinstance(answer, tuple) and len(answer) == PAGE else ()
    if route.path.startswith("/api/insights/"):
        return (PLACEHOLDERS,)
    return _NOTES.get(route.name, ())


def explained(error: TalkscopeError, call: Call[T]) -> TalkscopeError:
    """The error as this platform means it; else the same error.

    A server that lacks the route is NotSupported; a 403 carries `required_role` and all `roles` in its details; where
    nothing answered, the hint names both of the ports that are documented.
    """
    route = route_of(call)
    if route is None:
        return error
    if _lacks(error, route):
        return _not_here(route)
    if isinstance(error, AuthenticationError):
        return AuthenticationError(error.message, hint=_TOKEN, code=error.code, details=error.details)
    if isinstance(error, PlanInsufficient):
        return _forbidden(error, route)
    if isinstance(error, ConnectionFailed):
        hint = f"Set GENERAL_BOTS_URL: the documents say {ADDRESSES[0]}, the published server is at {ADDRESSES[1]}."
        return ConnectionFailed(error.message, hint=hint, details=error.details)
    if route.name == "report" and error.status == NotFound.status:
        return NotFound(error.message, hint="The call reports lists the ids there are.", details=error.details)
    if route.name == "report" and _no_json(error):
        said = "The server sent no JSON: perhaps the report's document itself."
        return BadAnswer(said, hint="Download the report.", code=DOCUMENT)
    if error.code == "not_the_document":
        return BadAnswer(error.message, hint=f"{error.hint} The call report tells its status.", code=error.code)
    return error


def _lacks(error: TalkscopeError, route: Route) -> bool:
    """Whether the error says that the server does not have the route."""
    if isinstance(error, APIError) and error.status == 405:
        return True
    # One report may be missing where reports are not, and may come as the document that it is.
    if route.name == "report":
        return False
    return (isinstance(error, NotFound) and error.code != NO_METRIC) or _no_json(error)


def _no_json(error: TalkscopeError) -> bool:
    return type(error) is BadAnswer and error.message.startswith(_NO_JSON)


def _not_here(route: Route) -> NotSupported:
    hint = (
        "The vendor has only planned it. The published server has dashboard, metric and attendant_stats."
        if route.planned
        else "The server may be older, or keep its routes elsewhere."
    )
    details: dict[str, Json] = {"route": f"{route.method} {route.path}", "planned": route.planned}
    return NotSupported(f"{route.method} {route.path} is not available on this server.", hint=hint, details=details)


def _forbidden(error: PlanInsufficient, route: Route) -> PlanInsufficient:
    roles: list[Json] = list(route.roles)
    details: dict[str, Json] = {**error.details, "roles": roles, "required_role": route.required_role}
    hint = (
        f"The token needs one of the roles {', '.join(route.roles)}." if route.roles else "The token's role is short."
    )
    if route.planned:
        hint += " The published server knows Admin, SuperAdmin and Moderator instead."
    return PlanInsufficient(error.message, hint=hint, code="forbidden", details=details)
