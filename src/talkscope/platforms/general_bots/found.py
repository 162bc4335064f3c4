"""The JSON routes of General Bots that its published server has.

Every function returns a `Call` for `Client.send` or `AsyncClient.send`, and raises UnknownName, InvalidRange or
InvalidArgument. An argument that is None is left out. What the figures are worth, `notes` says.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Literal, TypeAlias

from talkscope.errors import InvalidArgument, Json, NotFound
from talkscope.flow import Call, query
from talkscope.platforms.checks import chosen, whole_number
from talkscope.platforms.general_bots.checks import INSIGHT_PERIODS, window
from talkscope.platforms.general_bots.models import AttendantStats, Dashboard, Metric, OpenAnswer, as_it_is
from talkscope.platforms.general_bots.routes import ROUTES

When: TypeAlias = str | date | None
InsightPeriod: TypeAlias = Literal["daily", "weekly", "monthly"]
Aggregation: TypeAlias = Literal["p50", "p95", "p99", "rate", "sum"]

AGGREGATIONS = ("p50", "p95", "p99", "rate", "sum")
METRICS = (
    "api.calls", "api.duration_ms", "api.errors", "files.bytes", "files.operations", "messages.total",
    "sessions.total", "storage.gb", "users.active", "users.total",
)  # fmt: skip
"""The metrics that the published server feeds; any name may be asked for."""
NO_METRIC = "metric_not_found"


def dashboard() -> Call[Dashboard]:
    """Totals and charts of the server's own dashboard."""
    return Call(ROUTES["dashboard"].path, Dashboard.model_validate)


def metric(name: str, *, window_minutes: int | None = None, aggregation: Aggregation | None = None) -> Call[Metric]:
    """One collected metric over the last minutes, summed unless `aggregation` says otherwise.

    A metric that does not exist is answered with status 200 and an error, which is raised as NotFound.
    """
    asked = query(
        {
            "name": _named(name),
            "window_minutes": whole_number("window_minutes", window_minutes, 1),
            "aggregation": chosen("aggregation", aggregation, AGGREGATIONS),
        }
    )
    return Call(ROUTES["metric"].path, _metric, asked)


def attendant_stats() -> Call[AttendantStats]:
    """Live support today: the queue, the handling and the agents."""
    return Call(ROUTES["attendant_stats"].path, AttendantStats.model_validate)


def dashboards() -> Call[OpenAnswer]:
    """The dashboards kept on the server."""
    return Call(ROUTES["dashboards"].path, as_it_is)


def query_dashboards(question: Mapping[str, Json]) -> Call[OpenAnswer]:
    """A question to the dashboards' data; its shape is documented nowhere, and it is taken to change nothing."""
    if not isinstance(question, Mapping):
        raise InvalidArgument("The question is no mapping.", hint="Give the request's JSON object.")
    return Call(ROUTES["query_dashboards"].path, as_it_is, method="POST", body=dict(question))


def goals() -> Call[OpenAnswer]:
    """The goals (OKRs) kept on the server."""
    return Call(ROUTES["goals"].path, as_it_is)


def daily_insights(
    *, start_date: When = None, end_date: When = None, period: InsightPeriod | None = None
) -> Call[OpenAnswer]:
    """Insights of a day."""
    return _insights("daily_insights", start_date, end_date, period)


def weekly_insights(
    *, start_date: When = None, end_date: When = None, period: InsightPeriod | None = None
) -> Call[OpenAnswer]:
    """Insights of a week."""
    return _insights("weekly_insights", start_date, end_date, period)


def insight_trends(
    *, start_date: When = None, end_date: When = None, period: InsightPeriod | None = None
) -> Call[OpenAnswer]:
    """Trends among insights."""
    return _insights("insight_trends", start_date, end_date, period)


def insight_recommendations(
    *, start_date: When = None, end_date: When = None, period: InsightPeriod | None = None
) -> Call[OpenAnswer]:
    """What the server recommends."""
    return _insights("insight_recommendations", start_date, end_date, period)


def insight_settings(
    *, start_date: When = None, end_date: When = None, period: InsightPeriod | None = None
) -> Call[OpenAnswer]:
    """Settings of insights."""
    return _insights("insight_settings", start_date, end_date, period)


def insight_apps(
    *, start_date: When = None, end_date: When = None, period: InsightPeriod | None = None
) -> Call[OpenAnswer]:
    """Insights by app."""
    return _insights("insight_apps", start_date, end_date, period)


def insight_focus_mode(
    *, start_date: When = None, end_date: When = None, period: InsightPeriod | None = None
) -> Call[OpenAnswer]:
    """State of the focus mode."""
    return _insights("insight_focus_mode", start_date, end_date, period)


def insight_track(
    *, start_date: When = None, end_date: When = None, period: InsightPeriod | None = None
) -> Call[OpenAnswer]:
    """What is tracked."""
    return _insights("insight_track", start_date, end_date, period)


def _insights(name: str, start_date: When, end_date: When, period: str | None) -> Call[OpenAnswer]:
    asked = window(start_date=start_date, end_date=end_date, period=period, periods=INSIGHT_PERIODS)
    return Call(ROUTES[name].path, as_it_is, query(asked))


def _named(name: object) -> str:
    if isinstance(name, str) and name.strip():
        return name
    raise InvalidArgument("name is missing.", hint=f"Name a metric, such as {', '.join(METRICS)}.")


def _metric(value: Json) -> Metric:
    if isinstance(value, dict) and value.get("error"):
        raise NotFound(
            "The server has no such metric.", hint=f"The published server feeds {', '.join(METRICS)}.", code=NO_METRIC
        )
    return Metric.model_validate(value)
