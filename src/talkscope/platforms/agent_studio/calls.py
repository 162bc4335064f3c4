"""The calls of Agent Studio, each checked before it is sent: six of analytics, and two about one call.

The window of the analytics is a `period` that ends now (the service takes 24h when nothing is given), or the moments
`started_after` and `started_before`. Every function returns a `Call` for `Client.send` or `AsyncClient.send`, and
raises UnknownName, InvalidRange or InvalidArgument. An argument that is None is left out.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal, TypeAlias, TypeVar, get_args

from pydantic import TypeAdapter

from talkscope.errors import Json
from talkscope.flow import Call, Param, path, query
from talkscope.platforms.agent_studio.checks import window
from talkscope.platforms.agent_studio.models import (
    ActiveCalls,
    CallDetail,
    CallVolume,
    ErrorLog,
    ProviderLatency,
    Summary,
    TranscriptEntry,
    WorkflowStat,
)
from talkscope.platforms.checks import chosen, whole_number

T = TypeVar("T")

Period: TypeAlias = Literal["1h", "24h", "7d", "30d"]
Interval: TypeAlias = Literal["hour", "day", "week"]
Service: TypeAlias = Literal["stt", "llm", "tts", "workflow", "tool"]
Level: TypeAlias = Literal["error", "warning"]
When: TypeAlias = str | datetime | None

PERIODS: tuple[str, ...] = get_args(Period)
INTERVALS: tuple[str, ...] = get_args(Interval)
SERVICES: tuple[str, ...] = get_args(Service)
LEVELS: tuple[str, ...] = get_args(Level)
MOST_WORKFLOWS = 50
MOST_ERRORS = 200
_ERRORS_ON_A_PAGE = 50

_WORKFLOWS = TypeAdapter(list[WorkflowStat])
_PROVIDERS = TypeAdapter(list[ProviderLatency])
_ENTRIES = TypeAdapter(list[TranscriptEntry])


def summary(*, period: Period | None = None, started_after: When = None, started_before: When = None) -> Call[Summary]:
    """Totals and averages of the calls in a window."""
    asked = window(period, PERIODS, started_after, started_before)
    return Call("/analytics/summary", Summary.model_validate, query(asked))


def call_volume(
    *,
    interval: Interval | None = None,
    period: Period | None = None,
    started_after: When = None,
    started_before: When = None,
) -> Call[CallVolume]:
    """Calls over time, in buckets of an hour (when nothing is said), a day or a week."""
    asked = window(period, PERIODS, started_after, started_before)
    asked["interval"] = chosen("interval", interval, INTERVALS)
    return Call("/analytics/call-volume", CallVolume.model_validate, query(asked))


def workflow_stats(
    *,
    limit: int | None = None,
    period: Period | None = None,
    started_after: When = None,
    started_before: When = None,
) -> Call[list[WorkflowStat]]:
    """Calls by workflow: 10 workflows unless `limit` says otherwise, 50 at most."""
    asked = window(period, PERIODS, started_after, started_before)
    asked["limit"] = whole_number("limit", limit, 1, MOST_WORKFLOWS)
    return Call("/analytics/workflow-stats", _rows(_WORKFLOWS), query(asked))


def provider_latency(
    *, period: Period | None = None, started_after: When = None, started_before: When = None
) -> Call[list[ProviderLatency]]:
    """Latency by provider; a row whose percentiles are mere multiples of its mean says `estimated`."""
    asked = window(period, PERIODS, started_after, started_before)
    return Call("/analytics/provider-latency", _rows(_PROVIDERS), query(asked))


def error_logs(
    *,
    service: Service | None = None,
    level: Level | None = None,
    offset: int | None = None,
    limit: int | None = None,
    period: Period | None = None,
    started_after: When = None,
    started_before: When = None,
) -> Call[ErrorLog]:
    """A page of errors and warnings: 50 unless `limit` says otherwise, 200 at most; `Client.pages` has them all."""
    asked = window(period, PERIODS, started_after, started_before)
    asked["service"] = chosen("service", service, SERVICES)
    asked["level"] = chosen("level", level, LEVELS)
    first, most = whole_number("offset", offset, 0), whole_number("limit", limit, 1, MOST_ERRORS)
    asked.update(offset=first, limit=most)
    return _Paged("/analytics/errors", _page(first or 0, most), query(asked), next=_After(first or 0))


def active_calls() -> Call[ActiveCalls]:
    """How many calls are under way; the one analytics call that takes no period."""
    return Call("/analytics/active-calls", ActiveCalls.model_validate)


def call_detail(call_id: str) -> Call[CallDetail]:
    """One call, with its figures."""
    return Call(path("/calls/{id}", id=call_id), CallDetail.model_validate)


def call_transcript(call_id: str) -> Call[list[TranscriptEntry]]:
    """What was said in one call, in order."""
    return Call(path("/calls/{id}/transcript", id=call_id), _rows(_ENTRIES))


def _rows(rows: TypeAdapter[list[T]]) -> Callable[[Json], list[T]]:
    """Reads a bare list, as these routes show it, or the envelope that the API promises for lists."""

    def read(value: Json) -> list[T]:
        return rows.validate_python(value["items"] if isinstance(value, dict) and "items" in value else value)

    return read


def _page(offset: int, limit: int | None) -> Callable[[Json], ErrorLog]:
    """Reads a page; the API promises `offset` and `limit` in every list, and this one is shown without them."""

    def read(value: Json) -> ErrorLog:
        if not isinstance(value, dict):
            return ErrorLog.model_validate(value)
        stated = value.get("limit") or limit or _ERRORS_ON_A_PAGE
        return ErrorLog.model_validate({**value, "limit": stated, "offset": offset})

    return read


@dataclass(frozen=True, slots=True)
class _After:
    """The page after a page that begins at this offset: counted by what came, for the page need not say it."""

    offset: int

    def __call__(self, page: ErrorLog) -> Mapping[str, Param] | None:
        reached = self.offset + len(page.items)
        return {"offset": reached} if page.items and reached < page.total else None


@dataclass(frozen=True)
class _Paged(Call[ErrorLog]):
    """A call for one page, which knows where the page begins."""

    def changed(self, params: Mapping[str, Param]) -> Call[ErrorLog]:
        after = super().changed(params)
        told = dict(after.params)
        offset, limit = int(told.get("offset", 0)), told.get("limit")
        following = _After(offset) if isinstance(self.next, _After) else self.next
        return replace(after, parse=_page(offset, int(limit) if limit else None), next=following)
