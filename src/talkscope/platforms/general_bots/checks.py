"""The words of a call, checked before anything is sent."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, date, datetime

from talkscope.errors import InvalidArgument, InvalidRange
from talkscope.flow import Param
from talkscope.platforms.checks import chosen, whole_number

GROUPS = ("hour", "day", "week", "month")
PERIODS = ("today", "week", "month", "year")
INSIGHT_PERIODS = ("daily", "weekly", "monthly")

_DATE = r"\d{4}-\d\d-\d\d"
_ISO = re.compile(rf"{_DATE}(T\d\d:\d\d(:\d\d(\.\d{{1,9}})?)?(Z|[+-]\d\d:?\d\d)?)?", re.ASCII)
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.ASCII | re.IGNORECASE)


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
        "days": whole_number("days", days, 1),
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
