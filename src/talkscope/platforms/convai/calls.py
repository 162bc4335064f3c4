"""The nine calls of the Convai Analytics API: words are checked, and spelled as the wire has them, before sending.

Parameters go out in snake_case, answers come back in camelCase; the service ignores what it does not know, so that an
unknown word here is an error. Every function returns a `Call` for `Client.send` or `AsyncClient.send`, and raises
UnknownArgument, UnknownName, InvalidRange or InvalidArgument. An argument that is None is left out.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar, get_args

from talkscope.errors import InvalidArgument, InvalidRange
from talkscope.flow import Call, Param, path, query
from talkscope.models import v1
from talkscope.models.v1 import routes
from talkscope.models.v1.asked import V1Range
from talkscope.models.v1.responses import V1Response
from talkscope.models.v1.routes import ROOT, Route
from talkscope.platforms.convai import cube, vocabulary
from talkscope.platforms.convai.checks import checked, named, spelled

R = TypeVar("R", bound=V1Response)

_SHORT_TO_LONG = get_args(V1Range)


def _call(route: Route[R], params: Mapping[str, Param], **ids: str) -> Call[R]:
    return Call(path(route.path.removeprefix(ROOT), **ids), route.response.model_validate, query(params))


def _asked(route: Route[R], words: Mapping[str, object]) -> Call[R]:
    return _call(route, spelled(checked(route.params, words)))


def summary(**words: object) -> Call[v1.SummaryResponse]:
    """Headline figures of a range: range, character_id, app_key, experience_id, and no other word."""
    return _asked(routes.SUMMARY, words)


def timeseries(**words: object) -> Call[v1.TimeseriesResponse]:
    """One measure over time: measure, granularity, range, group_by, segment, metric_name(_prefix), filters."""
    return _asked(routes.TIMESERIES, words)


def breakdown(**words: object) -> Call[v1.BreakdownResponse]:
    """One measure by one dimension: measure, group_by, range, limit, segment, metric_name(_prefix), filters."""
    return _asked(routes.BREAKDOWN, words)


def list_sessions(**words: object) -> Call[v1.SessionListResponse]:
    """A page of sessions: range, sort, limit, cursor, filters; `Client.pages` follows the cursor."""

    def after(page: v1.SessionListResponse) -> Mapping[str, Param] | None:
        return {"cursor": page.next_cursor} if page.next_cursor else None

    call = _asked(routes.SESSIONS, words)
    return Call(call.path, call.parse, call.params, next=after)


def get_session(session_id: str) -> Call[v1.SessionDetail]:
    """One session and its metrics, in order of time."""
    return _call(routes.SESSION, {}, session_id=_id("session_id", session_id))


def get_interaction(interaction_id: str) -> Call[v1.InteractionTrace]:
    """One interaction and its component spans."""
    return _call(routes.INTERACTION, {}, interaction_id=_id("interaction_id", interaction_id))


def catalog() -> Call[v1.CatalogResponse]:
    """The metrics that can be asked for."""
    return _call(routes.CATALOG, {})


def regression_detection(**words: object) -> Call[v1.RegressionResponse]:
    """What got worse (business plan and above): measure (a metric's name), ranges, group_by, threshold."""
    route = routes.REGRESSION
    told = named(route.params, words)
    measure, group = told.get("measure"), told.get("group_by")
    if isinstance(measure, str) and vocabulary.is_measure(measure):
        raise InvalidArgument(
            f"Regressions are looked for in a metric, and {measure} is a statistic of one.",
            hint=f"Give a metric's name as measure, such as {vocabulary.MetricNames.VOICE_USER_TO_BOT_LATENCY}.",
        )
    if isinstance(group, str):
        told["group_by"] = vocabulary.regression_group(group)
    asked = checked(v1.RegressionAsked, told)
    if _SHORT_TO_LONG.index(asked.baseline_range) <= _SHORT_TO_LONG.index(asked.current_range):
        raise InvalidRange(
            f"The baseline, {asked.baseline_range}, is no longer than the current range, {asked.current_range}.",
            hint="Give a baseline_range that is longer, as last_7d is longer than last_24h.",
            details={"baseline_range": asked.baseline_range, "current_range": asked.current_range},
        )
    params: dict[str, Param] = asked.model_dump(mode="json", exclude_unset=True)
    return _call(route, params)


def query_cube(request: Mapping[str, object]) -> Call[v1.CubeQueryResponse]:
    """A restricted query over SessionMetrics (business plan and above); its body is camelCase, snake_case is taken."""
    route = routes.QUERY
    return Call(route.path.removeprefix(ROOT), route.response.model_validate, method="POST", body=cube.body(request))


def _id(name: str, value: object) -> str:
    if not isinstance(value, str) or not value.strip():
        raise InvalidArgument(f"{name} is missing.", hint=f"Give {name} as a text.", code="missing_argument")
    return value
