"""Calls for figures: totals, signals, satisfaction and conversions.

Conversation analytics takes several assistants (`playbook_base_ids`), the others one (`playbook_base_id`).
Satisfaction and conversions are of the last seven days unless told otherwise: give the dates.
"""

from __future__ import annotations

from talkscope.flow import Call
from talkscope.platforms.studio_chat import models
from talkscope.platforms.studio_chat.asking import checked, get, paged
from talkscope.platforms.studio_chat.models.wire import listed
from talkscope.platforms.studio_chat.words import (
    Bases,
    Id,
    Skip,
    TagFilter,
    Tags,
    UpTo5,
    UpTo200,
    When,
)

_CONVERSATIONS = "/projects/{project_id}/conversations"
_CONVERSIONS = "/projects/{project_id}/conversion-metrics"


@checked
def conversation_analytics(
    project_id: Id,
    *,
    start_date: When,
    end_date: When,
    playbook_id: Id | None = None,
    playbook_base_ids: Bases | None = None,
    tags: Tags | None = None,
) -> Call[models.ConversationAnalytics]:
    """Totals, deflection, time series and breakdowns of one project."""
    params = {
        "start_date": start_date,
        "end_date": end_date,
        "playbook_id": playbook_id,
        "playbook_base_ids": playbook_base_ids,
        "tags": tags,
    }
    parse = models.ConversationAnalytics.model_validate
    return get(f"{_CONVERSATIONS}/analytics", parse, params, project_id=project_id)


@checked
def account_analytics(*, start_date: When, end_date: When) -> Call[models.AccountAnalytics]:
    """Totals over every project of the account."""
    params = {"start_date": start_date, "end_date": end_date}
    return get("/account/conversations/analytics", models.AccountAnalytics.model_validate, params)


@checked
def metrics_aggregate(
    project_id: Id,
    *,
    start_date: When,
    end_date: When,
    playbook_id: Id | None = None,
    playbook_base_id: Id | None = None,
    tags: Tags | None = None,
    inbox_id: Id | None = None,
) -> Call[models.MetricsAggregate]:
    """How the scored conversations are distributed over the labels of each signal."""
    params = {
        "start_date": start_date,
        "end_date": end_date,
        "playbook_id": playbook_id,
        "playbook_base_id": playbook_base_id,
        "tags": tags,
        "inbox_id": inbox_id,
    }
    parse = models.MetricsAggregate.model_validate
    return get(f"{_CONVERSATIONS}/metrics/aggregate", parse, params, project_id=project_id)


@checked
def csat_analytics(
    project_id: Id,
    *,
    start_date: When | None = None,
    end_date: When | None = None,
    tags: Tags | None = None,
    tag_filter: TagFilter | None = None,
    playbook_base_id: Id | None = None,
    ratings_limit: UpTo200 | None = None,
    ratings_offset: Skip | None = None,
    max_rating: UpTo5 | None = None,
) -> Call[models.CsatAnalytics]:
    """Satisfaction: scores, distribution, trend, and the ratings page by page, which max_rating alone narrows."""
    params = {
        "start_date": start_date,
        "end_date": end_date,
        "tags": tags,
        "tag_filter": tag_filter,
        "playbook_base_id": playbook_base_id,
        "ratings_limit": ratings_limit,
        "ratings_offset": ratings_offset,
        "max_rating": max_rating,
    }
    parse = models.CsatAnalytics.model_validate
    call = get("/projects/{project_id}/csat/analytics", parse, params, project_id=project_id)
    return paged(call, lambda page: page.ratings, size=10, prefix="ratings_")


@checked
def conversion_metrics(project_id: Id) -> Call[tuple[models.ConversionMetric, ...]]:
    """The project's conversion metrics, and when the last event of each came."""
    return get(_CONVERSIONS, listed(models.ConversionMetric), project_id=project_id)


@checked
def conversion_metric(project_id: Id, slug: Id) -> Call[models.ConversionMetric]:
    """One conversion metric, or NotFound."""
    return get(f"{_CONVERSIONS}/{{slug}}", models.ConversionMetric.model_validate, project_id=project_id, slug=slug)


@checked
def conversion_analytics(
    project_id: Id,
    slug: Id,
    *,
    start_date: When | None = None,
    end_date: When | None = None,
    tags: Tags | None = None,
    tag_filter: TagFilter | None = None,
    playbook_base_id: Id | None = None,
    events_limit: UpTo200 | None = None,
    events_offset: Skip | None = None,
) -> Call[models.ConversionAnalytics]:
    """Events, value and rate of one metric, and its events page by page; not configured when the slug is unknown."""
    params = {
        "start_date": start_date,
        "end_date": end_date,
        "tags": tags,
        "tag_filter": tag_filter,
        "playbook_base_id": playbook_base_id,
        "events_limit": events_limit,
        "events_offset": events_offset,
    }
    parse = models.ConversionAnalytics.model_validate
    call = get(f"{_CONVERSIONS}/{{slug}}/analytics", parse, params, project_id=project_id, slug=slug)
    return paged(call, lambda page: page.events, lambda page: page.total_events_filtered, size=25, prefix="events_")
