"""The words of a call, checked before anything is sent."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, date, datetime

from talkscope.errors import InvalidArgument, InvalidRange, unknown
from talkscope.flow import Param
from talkscope.models.text import clean

GROUPS = ("hour", "day", "week", "month")
PERIODS = ("today", "week", "month", "year")
INSIGHT_PERIODS = ("daily", "weekly", "monthly")

_DIGITS = re.compile(r"\d{1,18}", re.ASCII)
_DATE = r"\d{4}-\d\d-\d\d"
_ISO = re.compile(rf"{_DATE}(T\d\d:\d\d(:\d\d(\.\d{{1,9}})?)?(Z|[+-]\d\d:?\d\d)?)?", re.ASCII)
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.ASCII | re.IGNORECASE)


def chosen(name: str, value: object, choices: Iterable[str]) -> str | None:
    """The value, or UnknownName with the nearest unless it is one of the choices; None stays None."""
    known = list(choices)
    if value is None:
        return None
    if isinstance(value, str) and value in known:
        return value
    raise unknown(name, clean(str(value), 60), known)


def at_least_one(name: str, value: object) -> int | None:
    """The value, or InvalidArgument unless it is a whole number above 0, or its digits; None stays None."""
    if value is None:
        return None
    if isinstance(value, str) and _DIGITS.fullmatch(value):
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise InvalidArgument(f"{name} must be a whole number of 1 or more.", hint=f"Leave {name} out, or correct it.")
    return value


def identifier(name: str, value: object) -> str | None:
    """The value, or InvalidArgument unless it is a UUID; None stays None."""
    if value is None or (isinstance(value, str) and _UUID.fullmatch(value)):
        return value
    raise InvalidArgument(f"{name} is no UUID.", hint="Write it as 8-4-4-4-12 hexadecimal digits.")


def window(
    *,
    start_date: object,
    end_date: object,
    days: object = None,
    period: object = None,
    periods: Iterable[str] = PERIODS,
) -> dict[str, Param]:
    """Dates, or a number of days, or a named period: which wins is documented nowhere, so only one is taken."""
    dates = start_date is not None or end_date is not None
    if dates + (days is not None) + (period is not None) > 1:
        raise InvalidArgument(
            "Several selectors of time are given, and which one wins is documented nowhere.",
            hint="Give start_date with end_date, or days, or period.",
        )
    first, last = moment("start_date", start_date), moment("end_date", end_date)
    if first is not None and last is not None and _understood(first) > _understood(last):
        raise InvalidRange("start_date is after end_date.", hint="Give the earlier one as start_date.")
    return {
        "start_date": first,
        "end_date": last,
        "days": at_least_one("days", days),
        "period": chosen("period", period, periods),
    }


def moment(name: str, value: object) -> str | None:
    """The value as ISO 8601, or InvalidArgument unless it is a date or a date and a time; None stays None."""
    if value is None:
        return None
    if isinstance(value, date):
        return value.isoformat()
    try:
        if isinstance(value, str) and _ISO.fullmatch(value):
            _understood(value)
            return value
    except ValueError:
        pass
    raise InvalidArgument(
        f"{name} is no ISO 8601 date or time.", hint="Write it as 2025-01-31 or 2025-01-31T12:00:00Z."
    )


def _understood(text: str) -> datetime:
    at = datetime.fromisoformat(text)
    return at if at.tzinfo else at.replace(tzinfo=UTC)
