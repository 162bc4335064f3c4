"""The rules of the restricted query, which the service holds as well: a misspelt member costs no request."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from talkscope.errors import InvalidArgument, InvalidRange, Json
from talkscope.models.text import clean
from talkscope.models.v1 import CubeQueryRequest
from talkscope.platforms.convai.checks import check_limit, checked, named

PREFIX = "SessionMetrics."
WIDEST = 12
MOST_ROWS = 5_000


def body(request: Mapping[str, object]) -> dict[str, Json]:
    """The query as it is sent, in camelCase.

    Raises InvalidArgument whose code is missing_argument, empty_query, query_too_wide, invalid_member,
    forbidden_granularity or invalid_limit, InvalidRange or UnknownArgument.
    """
    # Callers without a type checker hand over what they have.
    if not isinstance(request, Mapping):
        raise InvalidArgument(
            "query takes one mapping: measures, dimensions, …",
            code="missing_argument",
            hint='Write query({"measures": ["SessionMetrics.count"]}).',
        )
    told = named(CubeQueryRequest, request)
    wanted = [member for name in ("measures", "dimensions", "segments") for member in _listed(told.get(name))]
    _check_width(len(wanted))
    for member in (*wanted, *_members(told)):
        _check_member(member)
    for each in _listed(told.get("time_dimensions")):
        _check_time(each)
    if "limit" in told:
        check_limit(told["limit"], 1, MOST_ROWS)
    asked = checked(CubeQueryRequest, told)
    sent: dict[str, Json] = asked.model_dump(mode="json", by_alias=True, exclude_unset=True, exclude_none=True)
    return sent


def _listed(value: object) -> list[object]:
    return list(value) if isinstance(value, list | tuple) else []


def _members(told: Mapping[str, object]) -> Iterator[object]:
    """The members outside of the three lists that count."""
    for name, key in (("filters", "member"), ("time_dimensions", "dimension")):
        for each in _listed(told.get(name)):
            if isinstance(each, Mapping):
                yield each.get(key)
    order = told.get("order")
    if isinstance(order, Mapping):
        yield from order


def _check_width(total: int) -> None:
    if total == 0:
        raise InvalidArgument(
            "The query asks for nothing.", hint="Name a measure, a dimension or a segment.", code="empty_query"
        )
    if total > WIDEST:
        raise InvalidArgument(
            f"The query has {total} measures, dimensions and segments; {WIDEST} are the most.",
            hint="Ask two queries.",
            code="query_too_wide",
            details={"total": total, "max": WIDEST},
        )


def _check_member(member: object) -> None:
    if isinstance(member, str) and member.startswith(PREFIX) and len(member) > len(PREFIX):
        return
    shown = clean(member, 60) if isinstance(member, str) else None
    raise InvalidArgument(
        f"{shown!r} is no member of {PREFIX[:-1]}." if shown else "A member is missing, or no text.",
        hint=f"Every member begins with {PREFIX}, as in {PREFIX}count.",
        code="invalid_member",
        details={"member": shown, "required_prefix": PREFIX},
    )


def _check_time(each: object) -> None:
    if not isinstance(each, Mapping):
        return
    if each.get("granularity") == "second":
        raise InvalidArgument(
            "A query has no buckets of a second.",
            hint="Ask for minute, hour, day, week or month.",
            code="forbidden_granularity",
            details={"granularity": "second"},
        )
    window = each.get("dateRange", each.get("date_range"))
    if isinstance(window, list | tuple) and len(window) != 2:
        raise InvalidRange(
            "dateRange is one text, or two: the start and the end.", hint='Write "last 7 days", or two times.'
        )
