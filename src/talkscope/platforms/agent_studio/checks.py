"""The words of a call, checked before anything is sent."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, datetime

from talkscope.errors import InvalidArgument, InvalidRange
from talkscope.flow import Param
from talkscope.platforms.checks import chosen

_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?(Z|[+-]\d\d:\d\d)", re.ASCII)


def window(
    period: str | None, periods: Iterable[str], after: str | datetime | None, before: str | datetime | None
) -> dict[str, Param]:
    """A named period, or two moments: which wins when both are given is documented nowhere, so both are refused."""
    if period is not None and (after is not None or before is not None):
        raise InvalidArgument(
            "period and started_after or started_before are both given.", hint="Give the period, or the moments."
        )
    first, last = _moment("started_after", after), _moment("started_before", before)
    if first is not None and last is not None and datetime.fromisoformat(first) >= datetime.fromisoformat(last):
        raise InvalidRange("started_after is not before started_before.", hint="Give the earlier one as started_after.")
    return {"period": chosen("period", period, periods), "started_after": first, "started_before": last}


def _moment(name: str, value: object) -> str | None:
    if value is None:
        return None
    if isinstance(value, datetime) and value.tzinfo is not None:
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    try:
        if isinstance(value, str) and _MOMENT.fullmatch(value):
            datetime.fromisoformat(value)
            return value
    except ValueError:
        pass
    raise InvalidArgument(
        f"{name} is no moment with its offset from UTC.", hint="Write it as 2026-01-15T00:00:00Z, the Z included."
    )
