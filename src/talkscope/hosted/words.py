"""What a question's words are on the v1 contract, or why the hosted API cannot be asked that."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import get_args

from talkscope.errors import Json, NotSupported
from talkscope.models.questions import Windowed
from talkscope.models.semantics import parse_filters
from talkscope.models.v1.asked import V1Range
from talkscope.models.window import zone_of

RANGES: tuple[str, ...] = get_args(V1Range)
FILTERS = ("character_id", "app_key", "experience_id", "end_user_id", "provider", "model", "processor", "status")
GROUPS = (
    "processor", "provider", "voice_provider", "model", "character_id", "app_key", "experience_id", "session_id",
    "status", "metric_name", "metric_type", "error_code", "end_user_id", "interaction_type",
)  # fmt: skip
_MASKED = ("email:", "phone:", "url:")


def range_of(asked: Windowed) -> str:
    """The v1 range that the question's words mean. Raises NotSupported for every other window."""
    zone_of(asked.timezone)
    if asked.start_time is not None or asked.end_time is not None:
        raise NotSupported(
            "The hosted API takes no start_time and end_time: its windows end now.",
            hint=f"Use range, one of {', '.join(RANGES)}; a warehouse takes any window.",
            code="unsupported_window",
        )
    return known_range(asked.range or "last_24h")


def known_range(token: str) -> str:
    """The token, when the hosted API takes it. Raises NotSupported."""
    if token not in RANGES:
        listed: list[Json] = list(RANGES)
        raise NotSupported(
            f"The hosted API has no range {token}.",
            hint=f"Use one of {', '.join(RANGES)}; or load the telemetry into a warehouse.",
            code="unsupported_window",
            details={"received": token, "allowed": listed},
        )
    return token


def known_grouping(name: str) -> str:
    """The dimension, when the hosted API groups by it. Raises NotSupported."""
    if name not in GROUPS:
        listed: list[Json] = list(GROUPS)
        raise NotSupported(
            f"The hosted API does not group by {name}.",
            hint=f"It groups by {', '.join(GROUPS)}; a warehouse groups by every dimension.",
            code="unsupported_dimension",
            details={"received": name, "allowed": listed},
        )
    return name


def filters_of(words: Sequence[str], allowed: Collection[str] = FILTERS, instead: str = "") -> dict[str, str]:
    """The filters as v1 parameters: one value each, by equality. Raises NotSupported, saying what would do.

    `allowed` are those that the call takes, `instead` is the hint when another is asked for.
    """
    found: dict[str, str] = {}
    for each in parse_filters(words):
        name = each.dimension.name
        if name not in allowed:
            raise NotSupported(
                f"The hosted API cannot filter this by {name}.",
                hint=instead or f"It filters by {', '.join(allowed)}; a warehouse filters by every dimension.",
                code="unsupported_filter",
            )
        if not each.equal or len(each.values) > 1:
            raise NotSupported(
                f"The hosted API filters by one {name} and by equality only.",
                hint="Ask once for each value, or load the telemetry into a warehouse.",
                code="unsupported_filter",
            )
        value = each.values[0]
        if not value:
            # An empty parameter is no filter to the service: it would answer with everything.
            raise NotSupported(
                f"The hosted API cannot ask for what has no {name}.",
                hint=f"Group by {name} instead: what has none is the row without a name.",
                code="unsupported_filter",
            )
        if name == "end_user_id" and value.startswith(_MASKED):
            raise NotSupported(
                "The hosted API does not know what a masked id stands for.",
                hint="Filter by the id itself.",
                code="unsupported_filter",
            )
        found[name] = value
    return found


def only_utc(timezone: str, what: str) -> None:
    """Raise NotSupported unless the zone is UTC all along: the hosted API's buckets are UTC's."""
    if timezone not in {"UTC", "Etc/UTC", "Zulu", "Etc/Zulu", "GMT", "Etc/GMT"}:
        raise NotSupported(
            f"The hosted API's buckets are in UTC: {what} cannot be given in {timezone}.",
            hint="Ask with timezone=UTC, or load the telemetry into a warehouse.",
            code="unsupported_timezone",
        )


def only_ids(words: Mapping[str, str], *, empty: bool) -> list[str]:
    """What an answer without anything in it should say of its filters."""
    if not empty:
        return []
    if "character_id" in words:
        return ["Nothing matches; the hosted API knows characters by id and not by name."]
    return ["Nothing in this window matches; check the filters, or ask for a longer range."]
