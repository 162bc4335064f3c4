"""The JSON routes that the published server has, with what is wrong with them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from statistics import fmean

from tests.vendors.engine import Asked, Json
from tests.vendors.general_bots.world import World

NIL = "00000000-0000-0000-0000-000000000000"
COLLECTIONS = 90
"""How often the gauges have been collected, and so how many times too high their sums are."""


def dashboard(world: World, asked: Asked) -> Json:
    """Totals of gauges that were summed each minute, and charts that repeat one rate for every hour."""
    week = [one for one in world.sessions if one.start >= world.now - timedelta(days=7)]
    rate = round(sum(len(one.messages) for one in week) / (7 * 24), 3)
    hours = [f"{hour:02}:00" for hour in range(24)]
    dataset = {"label": "messages", "data": [rate] * 24, "color": "#3b82f6"}
    return {
        "total_users": len(world.users) * COLLECTIONS,
        "active_users": len({one.user_id for one in week}),
        "total_messages": sum(len(one.messages) for one in world.sessions),
        "total_sessions": len(world.sessions) * COLLECTIONS,
        "storage_used_gb": 2.4,
        "api_calls_per_minute": rate / 60,
        "error_rate": 0.0,
        "response_time_p95": _percentile([took for one in world.sessions for took in one.response_ms], 95),
        "charts": [{"title": "Messages", "chart_type": "line", "labels": hours, "datasets": [dataset]}],
    }


def metric(world: World, asked: Asked) -> Json:
    """One metric over the last minutes (60 unless told); an unknown one is an error with status 200."""
    name, minutes = asked.query["name"], min(asked.get("window_minutes") or 60, 10**6)
    values = _values(world, name, minutes)
    if values is None:
        return {"error": "Metric not found", "metric": name}
    return {
        "metric": name,
        "value": _together(values, asked.query["aggregation"], minutes),
        "timestamp": world.now.isoformat(),
    }


def attendant_stats(world: World, asked: Asked) -> Json:
    """Live support today; a session waits while nobody has handled it."""
    midnight = world.now.replace(hour=0, minute=0, second=0, microsecond=0)
    today = [one for one in world.sessions if one.start >= midnight and one.waited_s is not None]
    stars = [one.stars for one in today if one.stars is not None]
    return {
        "total_sessions_today": len(today),
        "active_sessions": sum(one.end is None for one in today),
        "waiting_sessions": 0,
        "avg_wait_time_seconds": _mean(one.waited_s for one in today if one.waited_s is not None),
        "avg_handle_time_seconds": _mean(one.handled_s for one in today if one.handled_s is not None),
        "agents_online": world.agents_online,
        "agents_on_break": world.agents_on_break,
        "satisfaction_avg": _mean(stars),
    }


def insights(world: World, asked: Asked) -> Json:
    return {"user_id": NIL, "total_seconds": 0, "focus_score": 0, "apps": []}


def dashboards(world: World, asked: Asked) -> Json:
    return [{"id": "d1", "name": "Operations"}]


def query_dashboards(world: World, asked: Asked) -> Json:
    return {"asked": asked.body, "rows": [{"total_sessions": len(world.sessions)}]}


def goals(world: World, asked: Asked) -> Json:
    return [{"id": "g1", "objective": "Answer faster", "progress": 0.0}]


def _values(world: World, name: str, minutes: int) -> list[float] | None:
    """What was collected: a gauge's level each minute, or each event's value; None for a name that nobody feeds."""
    since = world.now - timedelta(minutes=minutes)

    def levels(level: Callable[[], float]) -> list[float]:
        return [level()] * min(minutes, COLLECTIONS)

    messages = [at for one in world.sessions for at in one.messages if at >= since]
    match name:
        case "users.total":
            return levels(lambda: len(world.users))
        case "users.active":
            return levels(lambda: len({one.user_id for one in world.sessions if one.start >= since}))
        case "sessions.total":
            return levels(lambda: len(world.sessions))
        case "storage.gb":
            return levels(lambda: 2.4)
        case "messages.total" | "api.calls":
            return [1.0 for _ in messages]
        case "api.duration_ms":
            return _durations(world, since)
        case "api.errors" | "files.operations" | "files.bytes":
            return []
    return None


def _durations(world: World, since: datetime) -> list[float]:
    return [
        float(took) for one in world.sessions
        for at, took in zip(one.messages[1::2], one.response_ms, strict=True) if at >= since
    ]  # fmt: skip


def _together(values: list[float], aggregation: str, minutes: int) -> float:
    if aggregation == "sum":
        return sum(values)
    if aggregation == "rate":
        return sum(values) / minutes
    return _percentile(values, int(aggregation.removeprefix("p")))


def _percentile(values: Iterable[float], share: int) -> float:
    """The nearest-rank percentile, 0 of nothing."""
    ordered = sorted(values)
    return float(ordered[max(0, -(-len(ordered) * share // 100) - 1)]) if ordered else 0.0


def _mean(values: Iterable[float]) -> float | None:
    known = list(values)
    return round(fmean(known), 3) if known else None
