"""The nine routes of the v1 contract: where each is, what it takes and what it gives."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, Literal, TypeVar

from talkscope.models.v1 import asked, responses
from talkscope.models.v1.asked import V1Asked
from talkscope.models.v1.responses import V1Response

R_co = TypeVar("R_co", bound=V1Response, covariant=True)
ROOT = "/v1/analytics"


@dataclass(frozen=True, slots=True)
class Route(Generic[R_co]):
    """One v1 route. `plan` is the lowest plan that includes it, where not every plan does."""

    name: str
    path: str
    params: type[V1Asked]
    response: type[R_co]
    doc: str
    method: Literal["GET", "POST"] = "GET"
    plan: str | None = None


SUMMARY = Route(
    "summary", f"{ROOT}/summary", asked.SummaryAsked, responses.SummaryResponse, "Headline figures of a range."
)
TIMESERIES = Route(
    "timeseries",
    f"{ROOT}/timeseries",
    asked.TimeseriesAsked,
    responses.TimeseriesResponse,
    "One measure over time, optionally by one dimension.",
)
BREAKDOWN = Route(
    "breakdown", f"{ROOT}/breakdown", asked.BreakdownAsked, responses.BreakdownResponse, "One measure by one dimension."
)
SESSIONS = Route(
    "sessions", f"{ROOT}/sessions", asked.SessionsAsked, responses.SessionListResponse, "Sessions, page by page."
)
SESSION = Route(
    "session",
    f"{ROOT}/sessions/{{session_id}}",
    asked.SessionAsked,
    responses.SessionDetail,
    "One session and its metrics, in order of time.",
)
INTERACTION = Route(
    "interaction",
    f"{ROOT}/interactions/{{interaction_id}}",
    asked.InteractionAsked,
    responses.InteractionTrace,
    "One interaction and its spans, in order of time.",
)
CATALOG = Route(
    "catalog", f"{ROOT}/metrics/catalog", asked.CatalogAsked, responses.CatalogResponse, "The metrics there are."
)
REGRESSION = Route(
    "regression",
    f"{ROOT}/regression-detection",
    asked.RegressionAsked,
    responses.RegressionResponse,
    "What got worse by more than a threshold.",
    plan="business",
)
QUERY = Route(
    "query",
    f"{ROOT}/query",
    asked.CubeQueryRequest,
    responses.CubeQueryResponse,
    "A restricted query over SessionMetrics.",
    method="POST",
    plan="business",
)

ROUTES: tuple[Route[V1Response], ...] = (
    SUMMARY, TIMESERIES, BREAKDOWN, SESSIONS, SESSION, INTERACTION, CATALOG, REGRESSION, QUERY,
)  # fmt: skip
