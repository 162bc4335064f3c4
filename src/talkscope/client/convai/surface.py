"""What can be asked of a Convai account: nine calls and seven everyday questions, for blocking and async code alike."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Generic, TypeVar, Unpack

from talkscope.client.asynchronous import AsyncClient
from talkscope.client.blocking import Client
from talkscope.client.convai.sending import Group, Paged, Sent
from talkscope.flow import Call
from talkscope.models import v1
from talkscope.platforms import convai
from talkscope.platforms.convai import facades, words

C = TypeVar("C", bound=Client | AsyncClient)


def _summary(**asked: Unpack[words.SummaryWords]) -> Call[v1.SummaryResponse]:
    """Headline figures of a range: sessions, end users, interactions, errors, and percentiles in milliseconds.

    Takes range, character_id, app_key and experience_id; any other argument raises UnknownArgument, a ValueError.
    """
    return convai.summary(**asked)


def _timeseries(**asked: Unpack[words.TimeseriesWords]) -> Call[v1.TimeseriesResponse]:
    """One measure over time, optionally by one dimension.

    Takes measure (count), granularity (hour), range, group_by, segment, metric_name, metric_name_prefix and filters:
    character_id, app_key, experience_id, end_user_id, provider, model, processor, status.
    """
    return convai.timeseries(**asked)


def _breakdown(**asked: Unpack[words.BreakdownWords]) -> Call[v1.BreakdownResponse]:
    """One measure by one dimension.

    Takes measure (count), group_by (processor), range, limit (50, up to 500), and the rest of what timeseries takes.
    """
    return convai.breakdown(**asked)


def _sessions(**asked: Unpack[words.SessionsWords]) -> Call[v1.SessionListResponse]:
    """Sessions of a range, a page at a time: `next_cursor` of one page is the `cursor` of the next.

    Takes range, sort (recent, longest or slowest), limit (25, up to 100), cursor, character_id, app_key, experience_id
    and end_user_id.
    """
    return convai.list_sessions(**asked)


def _regressions(**asked: Unpack[words.RegressionWords]) -> Call[v1.RegressionResponse]:
    """What got worse against a longer baseline (business plan and above).

    Takes measure, a metric's name (voice.user_to_bot_latency), baseline_range (last_7d), current_range (last_24h),
    group_by (overall) and threshold, the relative change that matters (0.15).
    """
    return convai.regression_detection(**asked)


def _query(cube_query: Mapping[str, object]) -> Call[v1.CubeQueryResponse]:
    """A restricted query of SessionMetrics members (business plan and above): its rows are keyed by the members."""
    return convai.query_cube(cube_query)


def _by_component(*, percentile: str = "p95", **asked: Unpack[words.ByGroupWords]) -> Call[v1.BreakdownResponse]:
    """Which component is slow: p50, p75, p90, p95 or p99 of the metrics of turns, by processor, in milliseconds."""
    return facades.latency_by_component(percentile=percentile, **asked)


def _latency_over_time(*, percentile: str = "p95", **asked: Unpack[words.OverTimeWords]) -> Call[v1.TimeseriesResponse]:
    """How long users wait for an answer, over time: a percentile of voice.user_to_bot_latency, in milliseconds."""
    return facades.latency_over_time(percentile=percentile, **asked)


def _compare(
    *, component: str = "llm", percentile: str = "p95", **asked: Unpack[words.ByGroupWords]
) -> Call[v1.BreakdownResponse]:
    """Which provider of a component (llm, tts, asr or neurosync) is slow: a percentile by provider, in milliseconds."""
    return facades.compare_providers(component=component, percentile=percentile, **asked)


def _errors(*, group_by: str = "processor", **asked: Unpack[words.ByGroupWords]) -> Call[v1.BreakdownResponse]:
    """How many errors there were, by component or another dimension."""
    return facades.errors_summary(group_by=group_by, **asked)


def _errors_over_time(**asked: Unpack[words.OverTimeWords]) -> Call[v1.TimeseriesResponse]:
    """How many errors there were, over time."""
    return facades.errors_over_time(**asked)


def _usage(*, group_by: str = "character_id", **asked: Unpack[words.ByGroupWords]) -> Call[v1.BreakdownResponse]:
    """How many sessions there were, by character or another dimension."""
    return facades.usage_summary(group_by=group_by, **asked)


def _interactions(*, group_by: str = "character_id", **asked: Unpack[words.ByGroupWords]) -> Call[v1.BreakdownResponse]:
    """How many interactions there were, by character or another dimension."""
    return facades.usage_interactions(group_by=group_by, **asked)


class Sessions(Group[C], Generic[C]):
    """Sessions: a page of them, all pages, or one."""

    list = Sent(_sessions)
    pages = Paged(_sessions)
    get = Sent(convai.get_session)


class Interactions(Group[C], Generic[C]):
    """Interactions, one by one."""

    get = Sent(convai.get_interaction)


class Latency(Group[C], Generic[C]):
    """How long answers take."""

    by_component = Sent(_by_component)
    over_time = Sent(_latency_over_time)


class Providers(Group[C], Generic[C]):
    """Vendors, compared."""

    compare = Sent(_compare)


class Errors(Group[C], Generic[C]):
    """What failed."""

    summary = Sent(_errors)
    over_time = Sent(_errors_over_time)


class Usage(Group[C], Generic[C]):
    """How much was used."""

    summary = Sent(_usage)
    interactions = Sent(_interactions)


class Surface(Group[C], Generic[C]):
    """All of it; the groups are attributes."""

    summary = Sent(_summary)
    timeseries = Sent(_timeseries)
    breakdown = Sent(_breakdown)
    catalog = Sent(convai.catalog)
    regression_detection = Sent(_regressions)
    query = Sent(_query)

    def __init__(self, client: C) -> None:
        super().__init__(client)
        self.sessions: Sessions[C] = Sessions(client)
        self.interactions: Interactions[C] = Interactions(client)
        self.latency: Latency[C] = Latency(client)
        self.providers: Providers[C] = Providers(client)
        self.errors: Errors[C] = Errors(client)
        self.usage: Usage[C] = Usage(client)
