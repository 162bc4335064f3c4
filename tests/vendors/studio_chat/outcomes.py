"""Ratings and conversions. Ratings count in the window of their conversation's last message."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime

from tests.vendors.engine import Asked, Json, Refused
from tests.vendors.studio_chat.records import Conversation, Conversion, Metric
from tests.vendors.studio_chat.selection import buckets, chosen, floor, granularity, percent, window
from tests.vendors.studio_chat.state import Studio


def csat(studio: Studio, asked: Asked) -> Json:
    project = studio.project(asked)
    start, end = window(asked.query, now=studio.world.now)
    if not project.rates:
        return {"is_configured": False, **_scores([]), "time_series": [], "ratings": [], "ratings_offset": 0}
    found = chosen(studio, project, _between(asked, start, end))
    size = granularity(start, end)
    held: dict[datetime, list[Conversation]] = {}
    for each in found:
        held.setdefault(floor(each.last_at, size), []).append(each)
    series = [
        {"date": studio.bucket(at, size), **_point(held.get(at, []))}
        for at in buckets((one.last_at for one in found), size)
    ]
    offset = asked.query["ratings_offset"]
    return {
        "is_configured": True,
        **_scores(found),
        "time_series": series,
        "time_granularity": size,
        "ratings": _ratings(studio, found, asked.get("max_rating"))[offset : offset + asked.query["ratings_limit"]],
        "ratings_offset": offset,
    }


def _scores(found: Sequence[Conversation]) -> dict[str, Json]:
    stars = Counter(each.rating.stars for each in found if each.rating)
    eligible = sum(not each.handoff for each in found)
    positive, negative = stars[4] + stars[5], stars[1] + stars[2]
    return {
        "total_rated": stars.total(),
        "csat_score_pct": percent(positive, stars.total()),
        "dsat_score_pct": percent(negative, stars.total()),
        "eligible_deflected": eligible,
        "response_rate_pct": percent(stars.total(), eligible),
        "rating_distribution": {str(star): stars[star] for star in range(1, 6)},
        "positive_count": positive,
        "neutral_count": stars[3],
        "negative_count": negative,
    }


def _point(found: Sequence[Conversation]) -> dict[str, Json]:
    scores = _scores(found)
    return {
        "total": scores["total_rated"],
        "positive": scores["positive_count"],
        "neutral": scores["neutral_count"],
        "negative": scores["negative_count"],
        "csat_pct": scores["csat_score_pct"] if scores["total_rated"] else None,
        "eligible": scores["eligible_deflected"],
        "response_rate_pct": scores["response_rate_pct"] if scores["eligible_deflected"] else None,
    }


def _ratings(studio: Studio, found: Iterable[Conversation], most: int | None) -> list[Json]:
    """The table of ratings, the newest first; `most` narrows it and nothing else."""
    rated = [(each.rating, each) for each in found if each.rating and (most is None or each.rating.stars <= most)]
    rated.sort(key=lambda pair: (pair[0].at, pair[1].id), reverse=True)
    return [
        {
            "conversation_id": each.id, "rating": rating.stars, "remark": rating.remark,
            "rated_at": studio.time(rating.at), "tags": list(each.tags), "first_message_at": studio.time(each.first_at),
        }
        for rating, each in rated
    ]  # fmt: skip


def conversion_metrics(studio: Studio, asked: Asked) -> Json:
    project = studio.project(asked)
    return [_definition(studio, project.id, metric) for metric in project.metrics]


def conversion_metric(studio: Studio, asked: Asked) -> Json:
    project = studio.project(asked)
    for metric in project.metrics:
        if metric.slug == asked.path["slug"]:
            return _definition(studio, project.id, metric)
    raise Refused(404, "metric not found")


def conversion_analytics(studio: Studio, asked: Asked) -> Json:
    """Events by when they happened, over the deflected conversations by their last message; no 404 for a wrong slug."""
    project = studio.project(asked)
    start, end = window(asked.query, now=studio.world.now)
    metric = next((each for each in project.metrics if each.slug == asked.path["slug"]), None)
    if metric is None:
        return {"is_configured": False, "definition": None, **_converted([], 0), "time_series": [], "events": []}
    anywhen = {name: value for name, value in asked.query.items() if name not in {"start_date", "end_date"}}
    about = {each.id: each for each in chosen(studio, project, anywhen)}
    events = [event for event in metric.events if start <= event.at < end and event.conversation_id in about]
    events.sort(key=lambda event: (event.at, event.id), reverse=True)
    eligible = sum(not each.handoff for each in chosen(studio, project, _between(asked, start, end)))
    size = granularity(start, end)
    held: dict[datetime, list[Conversion]] = {}
    for event in events:
        held.setdefault(floor(event.at, size), []).append(event)
    offset = asked.query["events_offset"]
    return {
        "is_configured": True,
        "definition": {
            "name": metric.name, "slug": metric.slug, "value_label": metric.unit, "enabled": metric.enabled,
            "last_event_at": studio.maybe(metric.last_event_at),
        },
        **_converted(events, eligible),
        "time_granularity": size,
        "time_series": [
            {
                "date": studio.bucket(at, size), "event_count": len(some := held.get(at, [])),
                "total_value": round(sum(event.value for event in some), 2),
                "converting_conversations": len({event.conversation_id for event in some}),
            }
            for at in buckets(held, size)
        ],
        "events": [
            _event(studio, metric, event, about[event.conversation_id])
            for event in events[offset : offset + asked.query["events_limit"]]
        ],
        "events_offset": offset,
        "total_events_filtered": len(events),
    }  # fmt: skip


def _between(asked: Asked, start: datetime, end: datetime) -> dict[str, Json]:
    return {**asked.query, "start_date": start.isoformat(), "end_date": end.isoformat()}


def _converted(events: Sequence[Conversion], eligible: int) -> dict[str, Json]:
    total = round(sum(event.value for event in events), 2)
    converting = len({event.conversation_id for event in events})
    return {
        "total_events": len(events),
        "total_value": total,
        "avg_value": round(total / len(events), 4) if events else 0.0,
        "converting_conversations": converting,
        "eligible_conversations": eligible,
        "conversion_rate_pct": percent(converting, eligible),
        "avg_value_per_conversation": round(total / converting, 4) if converting else 0.0,
    }


def _event(studio: Studio, metric: Metric, event: Conversion, about: Conversation) -> dict[str, Json]:
    return {
        "id": event.id, "conversation_id": event.conversation_id, "match_value": about.context["email"],
        "idempotency_key": f"{metric.slug}:{event.id}", "value": event.value, "occurred_at": studio.time(event.at),
        "metadata": event.metadata, "tags": list(about.tags),
    }  # fmt: skip


def _definition(studio: Studio, project_id: str, metric: Metric) -> dict[str, Json]:
    return {
        "id": metric.id, "project_id": project_id, "slug": metric.slug, "name": metric.name, "description": None,
        "value_label": metric.unit, "enabled": metric.enabled, "created_at": studio.time(metric.created_at),
        "updated_at": studio.time(metric.created_at), "ingest_url_path": f"/ingest/{project_id}/{metric.slug}",
        "last_event_at": studio.maybe(metric.last_event_at),
    }  # fmt: skip
