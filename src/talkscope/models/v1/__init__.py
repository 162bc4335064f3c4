"""The v1 contract: nine routes, snake_case parameters, camelCase JSON. What is asked, what is answered, and where.

Existing clients of the hosted analytics API speak it; the warehouse answers it as well.
"""

from __future__ import annotations

from talkscope.models.v1.asked import (
    BreakdownAsked,
    CatalogAsked,
    CubeQueryRequest,
    Filters,
    InteractionAsked,
    RegressionAsked,
    SessionAsked,
    SessionsAsked,
    SummaryAsked,
    TimeseriesAsked,
    V1Asked,
)
from talkscope.models.v1.responses import (
    BreakdownResponse,
    BreakdownRow,
    CatalogResponse,
    ComponentSpan,
    CubeQueryResponse,
    EffectiveRange,
    InteractionTrace,
    MetricDefinition,
    RegressionResponse,
    RegressionRow,
    ResponseMeta,
    SessionDetail,
    SessionListResponse,
    SessionSummary,
    SessionTimelineEvent,
    SummaryResponse,
    TimeseriesPoint,
    TimeseriesResponse,
    V1Response,
)
from talkscope.models.v1.routes import ROUTES, Route

__all__ = [
    "ROUTES",
    "BreakdownAsked",
    "BreakdownResponse",
    "BreakdownRow",
    "CatalogAsked",
    "CatalogResponse",
    "ComponentSpan",
    "CubeQueryRequest",
    "CubeQueryResponse",
    "EffectiveRange",
    "Filters",
    "InteractionAsked",
    "InteractionTrace",
    "MetricDefinition",
    "RegressionAsked",
    "RegressionResponse",
    "RegressionRow",
    "ResponseMeta",
    "Route",
    "SessionAsked",
    "SessionDetail",
    "SessionListResponse",
    "SessionSummary",
    "SessionTimelineEvent",
    "SessionsAsked",
    "SummaryAsked",
    "SummaryResponse",
    "TimeseriesAsked",
    "TimeseriesPoint",
    "TimeseriesResponse",
    "V1Asked",
    "V1Response",
]
