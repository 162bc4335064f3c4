"""Seven everyday questions as calls: each is a breakdown or a timeseries with some of its words chosen.

Every facade passes on the words that it does not choose itself, and refuses the ones that it does.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

from talkscope.flow import Call
from talkscope.models import v1
from talkscope.models.v1 import routes
from talkscope.models.v1.responses import V1Response
from talkscope.models.v1.routes import Route
from talkscope.platforms.convai import calls
from talkscope.platforms.convai.checks import named
from talkscope.platforms.convai.vocabulary import (
    COMPONENTS,
    PERCENTILES,
    GroupBy,
    Measures,
    MetricNamePrefixes,
    MetricNames,
    Segments,
    chosen,
)

R = TypeVar("R", bound=V1Response)


def latency_by_component(*, percentile: str = "p95", **words: object) -> Call[v1.BreakdownResponse]:
    """Which component is slow: a percentile of the values by processor."""
    fixed = {
        "measure": chosen("percentile", percentile, PERCENTILES),
        "group_by": GroupBy.PROCESSOR,
        "segment": Segments.END_TO_END_TURN_LATENCY,
    }
    return calls.breakdown(**_with(routes.BREAKDOWN, words, fixed))


def latency_over_time(
    *, percentile: str = "p95", granularity: str | None = None, **words: object
) -> Call[v1.TimeseriesResponse]:
    """How long users wait for an answer, over time: a percentile of voice.user_to_bot_latency."""
    fixed = {
        "measure": chosen("percentile", percentile, PERCENTILES),
        "metric_name": MetricNames.VOICE_USER_TO_BOT_LATENCY,
    }
    return calls.timeseries(**_with(routes.TIMESERIES, words, fixed, granularity=granularity))


def compare_providers(
    *, component: str = "llm", percentile: str = "p95", **words: object
) -> Call[v1.BreakdownResponse]:
    """Which provider of a component (llm, tts, asr, neurosync) is slow: a percentile by provider."""
    fixed = {
        "measure": chosen("percentile", percentile, PERCENTILES),
        "segment": chosen("component", component, COMPONENTS),
        "group_by": GroupBy.VOICE_PROVIDER if component == "tts" else GroupBy.PROVIDER,
    }
    return calls.breakdown(**_with(routes.BREAKDOWN, words, fixed))


def errors_summary(*, group_by: str = GroupBy.PROCESSOR, **words: object) -> Call[v1.BreakdownResponse]:
    """How many error events there were, by component or another dimension."""
    fixed = {"measure": Measures.COUNT, "metric_name_prefix": MetricNamePrefixes.ERROR}
    return calls.breakdown(**_with(routes.BREAKDOWN, words, fixed, group_by=group_by))


def errors_over_time(*, granularity: str | None = None, **words: object) -> Call[v1.TimeseriesResponse]:
    """How many error events there were, over time."""
    fixed = {"measure": Measures.COUNT, "metric_name_prefix": MetricNamePrefixes.ERROR}
    return calls.timeseries(**_with(routes.TIMESERIES, words, fixed, granularity=granularity))


def usage_summary(*, group_by: str = GroupBy.CHARACTER_ID, **words: object) -> Call[v1.BreakdownResponse]:
    """How many sessions there were, by character or another dimension."""
    fixed = {"measure": Measures.UNIQUE_SESSIONS}
    return calls.breakdown(**_with(routes.BREAKDOWN, words, fixed, group_by=group_by))


def usage_interactions(*, group_by: str = GroupBy.CHARACTER_ID, **words: object) -> Call[v1.BreakdownResponse]:
    """How many interactions there were, by character or another dimension."""
    fixed = {"measure": Measures.UNIQUE_TURNS}
    return calls.breakdown(**_with(routes.BREAKDOWN, words, fixed, group_by=group_by))


def _with(route: Route[R], words: Mapping[str, object], fixed: Mapping[str, str], **own: object) -> dict[str, object]:
    """The facade's own arguments, the caller's words, and what the caller cannot choose."""
    return {**own, **named(route.params, words, fixed=fixed), **fixed}
