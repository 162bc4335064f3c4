"""The nine calls of the Convai Analytics API: words are checked, and spelled as the wire has them, before sending.

Parameters go out in snake_case, answers come back in camelCase; the service ignores what it does not know, so that an
unknown word here is an error. Every function returns a `Call` for `Client.send` or `AsyncClient.send`, and raises
UnknownName, InvalidArgument or InvalidRange.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

from talkscope.flow import Call, Param, path, query
from talkscope.models import v1
from talkscope.models.v1 import routes
from talkscope.models.v1.responses import V1Response
from talkscope.models.v1.routes import ROOT, Route
from talkscope.platforms.convai.vocabulary import checked, spelled

R = TypeVar("R", bound=V1Response)


def _get(route: Route[R], words: Mapping[str, object], **ids: str) -> Call[R]:
    asked = spelled(checked(route.params, words))
    params: dict[str, Param] = {name: value for name, value in asked.items() if isinstance(value, str | int | float)}
    return Call(path(route.path.removeprefix(ROOT), **ids), route.response.model_validate, query(params))


def summary(**words: object) -> Call[v1.SummaryResponse]:
    """Headline figures of a range: range, character_id, app_key, experience_id, and no other word."""
    return _get(routes.SUMMARY, words)


def timeseries(**words: object) -> Call[v1.TimeseriesResponse]:
    """One measure over time: measure, granularity, range, group_by, segment, metric_name(_prefix), filters."""
    return _get(routes.TIMESERIES, words)


def breakdown(**words: object) -> Call[v1.BreakdownResponse]:
    """One measure by one dimension: measure, group_by, range, limit, segment, metric_name(_prefix), filters."""
    return _get(routes.BREAKDOWN, words)


def list_sessions(**words: object) -> Call[v1.SessionListResponse]:
    """A page of sessions: range, sort, limit, cursor, filters; `Client.pages` follows the cursor."""

    def after(page: v1.SessionListResponse) -> Mapping[str, Param] | None:
        return {"cursor": page.next_cursor} if page.next_cursor else None

    call = _get(routes.SESSIONS, words)
    return Call(call.path, call.parse, call.params, next=after)


def get_session(session_id: str) -> Call[v1.SessionDetail]:
    """One session and its metrics, in order of time."""
    return _get(routes.SESSION, {}, session_id=session_id)


def get_interaction(interaction_id: str) -> Call[v1.InteractionTrace]:
    """One interaction and its component spans."""
    return _get(routes.INTERACTION, {}, interaction_id=interaction_id)


def catalog() -> Call[v1.CatalogResponse]:
    """The metrics that can be asked for."""
    return _get(routes.CATALOG, {})


def regression_detection(**words: object) -> Call[v1.RegressionResponse]:
    """What got worse (business plan and above): measure (a metric's name), ranges, group_by, threshold."""
    return _get(routes.REGRESSION, words)


def query_cube(request: Mapping[str, object]) -> Call[v1.CubeQueryResponse]:
    """A restricted query over SessionMetrics (business plan and above); its body is camelCase."""
    route = routes.QUERY
    asked = checked(route.params, request)
    body = asked.model_dump(mode="json", by_alias=True, exclude_defaults=True)
    return Call(route.path.removeprefix(ROOT), route.response.model_validate, method="POST", body=body)
