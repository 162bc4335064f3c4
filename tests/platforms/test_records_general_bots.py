"""General Bots' aggregates as snapshots: what is told, what is doubtful about it, and what is left alone."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from talkscope.platforms import general_bots
from talkscope.platforms.general_bots import meaning, records
from tests.platforms.recorded import Row, figures, one, rows, us

START, END = datetime(2026, 5, 1, tzinfo=UTC), datetime(2026, 5, 5, tzinfo=UTC)
AT = datetime(2026, 5, 5, 16, tzinfo=UTC)
DASHBOARD: dict[str, Any] = {
    "total_users": 2250, "active_users": 20, "total_messages": 900, "total_sessions": 27_000, "storage_used_gb": 2.4,
    "api_calls_per_minute": 0.5, "error_rate": 0.0, "response_time_p95": 3800.0,
    "charts": [{"title": "Messages", "chart_type": "line", "labels": ["00:00"],
                "datasets": [{"label": "messages", "data": [7.77], "color": "#000"}]}],
}  # fmt: skip
STATS: dict[str, Any] = {
    "total_sessions_today": 9, "active_sessions": 2, "waiting_sessions": 1, "avg_wait_time_seconds": 40.5,
    "avg_handle_time_seconds": None, "agents_online": 4, "agents_on_break": 1, "satisfaction_avg": 4.2,
}  # fmt: skip


def opened(name: str, answer: Any, **asked: Any) -> list[Row]:
    return rows(lambda: records.open_answer(name, answer, START, END, **asked))


def doubts(found: list[Row]) -> dict[str, Any]:
    return {row["metric"].rpartition("general_bots.")[2]: row.get("attributes", {}).get("doubtful") for row in found}


def test_usage_is_a_figure_each_of_the_window_with_the_filters_it_was_asked_with() -> None:
    told = general_bots.usage().parse({"total_conversations": 12, "total_messages": 80, "note": "so far", "live": True})
    found = rows(lambda: records.usage(told, START, END, about={"bot_id": "b1"}))
    assert figures(found, "bot_id") == {
        ("general_bots.usage.total_conversations", "b1"): 12.0,
        ("general_bots.usage.total_messages", "b1"): 80.0,
    }
    assert {(row["start_time"], row["end_time"]) for row in found} == {
        (us("2026-05-01T00:00:00Z"), us("2026-05-05T00:00:00Z"))
    }


def test_usage_of_a_day_is_of_that_day_and_days_outside_of_the_window_are_left() -> None:
    days: Any = [{"date": f"2026-05-0{day}", "conversations": day} for day in (3, 4, 5)]
    told = general_bots.daily_usage().parse({"data": days})
    found = rows(lambda: records.daily_usage(told, START, END))
    assert [(row["metric"], row["start_time"], row["end_time"], row["value"]) for row in found] == [
        ("general_bots.daily_usage.conversations", us("2026-05-03T00:00:00Z"), us("2026-05-04T00:00:00Z"), 3.0),
        ("general_bots.daily_usage.conversations", us("2026-05-04T00:00:00Z"), us("2026-05-05T00:00:00Z"), 4.0),
    ]
    assert all("dimensions" not in row for row in found)


@pytest.mark.parametrize(
    ("row", "group_by", "start", "end"),
    [
        ({"date": "2026-05-02T07:00:00Z"}, "hour", "2026-05-02T07:00:00Z", "2026-05-02T08:00:00Z"),
        ({"date": "2026-05-02T07:00:00"}, None, "2026-05-02T07:00:00Z", "2026-05-02T08:00:00Z"),
        ({"date": "2026-04-27"}, "week", "2026-04-27T00:00:00Z", "2026-05-04T00:00:00Z"),
        ({"week": "2026-04-27"}, None, "2026-04-27T00:00:00Z", "2026-05-04T00:00:00Z"),
        ({"date": "2025-12"}, "month", "2025-12-01T00:00:00Z", "2026-01-01T00:00:00Z"),
        ({"month": "2026-02"}, None, "2026-02-01T00:00:00Z", "2026-03-01T00:00:00Z"),
    ],
)
def test_a_row_is_of_the_stretch_of_time_that_its_date_names(
    row: dict[str, str], group_by: str | None, start: str, end: str
) -> None:
    def make() -> Any:
        wide = datetime(2025, 1, 1, tzinfo=UTC)
        return records.open_answer("conversation_volume", [row | {"conversations": 5}], wide, END, group_by=group_by)

    (found,) = rows(make)
    assert (found["start_time"], found["end_time"]) == (us(start), us(end))
    assert found["metric"] == "general_bots.conversation_volume.conversations"


@pytest.mark.parametrize("date", ["yesterday", "9999-12-31", "2026-13-01"])
def test_a_date_that_cannot_be_read_is_a_text_beside_the_figure(date: str) -> None:
    (found,) = opened("retention", [{"date": date, "users": 5}], group_by="day")
    assert found["dimensions"] == {"date": date}
    assert (found["start_time"], found["value"]) == (us("2026-05-01T00:00:00Z"), 5.0)


def test_rows_that_nothing_tells_apart_are_told_apart_by_their_order() -> None:
    found = opened("retention", [{"users": 5}, {"users": 7}, [1, 2]])
    assert figures(found, "row")["general_bots.retention.users", "2"] == 7.0
    assert len(found) == 4


def test_numbers_are_found_however_deep_they_lie_but_not_for_ever() -> None:
    answer: Any = {"average": 4.2, "distribution": {"1": 2, "5": 9}, "ratings": None}
    assert figures(opened("satisfaction", answer)) == {
        "general_bots.satisfaction.average": 4.2,
        "general_bots.satisfaction.distribution.1": 2.0,
        "general_bots.satisfaction.distribution.5": 9.0,
    }
    for _ in range(400):
        answer = {"more": answer}
    assert opened("satisfaction", answer) == []


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("satisfaction", meaning.SCALE),
        ("conversation_resolution", meaning.RATE),
        ("conversation_duration", meaning.DURATION),
        ("engagement", None),
    ],
)
def test_figures_of_an_undocumented_scale_or_unit_say_so(name: str, why: str | None) -> None:
    assert doubts(opened(name, {"value": 0.7})) == {f"{name}.value": why}


def test_the_dashboard_is_taken_without_its_charts_and_its_sums_of_levels_are_doubtful() -> None:
    told = general_bots.dashboard().parse(DASHBOARD)
    found = rows(lambda: records.dashboard(told, AT))
    assert doubts(found) == {
        "dashboard.total_users": meaning.SUMMED, "dashboard.active_users": meaning.SUMMED,
        "dashboard.total_messages": meaning.SUMMED, "dashboard.total_sessions": meaning.SUMMED,
        "dashboard.storage_used_gb": meaning.SUMMED, "dashboard.api_calls_per_minute": None,
        "dashboard.error_rate": meaning.UNITS, "dashboard.response_time_p95": meaning.UNITS,
    }  # fmt: skip
    week = next(row for row in found if row["metric"].endswith("active_users"))
    assert (week["start_time"], week["end_time"]) == (us("2026-04-28T16:00:00Z"), us("2026-05-05T16:00:00Z"))


@pytest.mark.parametrize(
    ("name", "aggregation", "doubtful"),
    [
        ("users.total", None, True),
        ("users.total", "sum", True),
        ("users.total", "p95", False),
        ("users.active", "sum", True),
        ("sessions.total", "sum", True),
        ("storage.gb", "sum", True),
        ("api.calls", "sum", False),
    ],
)
def test_a_metric_is_doubtful_where_it_is_a_sum_of_levels(name: str, aggregation: str | None, doubtful: bool) -> None:
    told = general_bots.metric(name).parse({"metric": name, "value": 2250, "timestamp": "2026-05-05T16:00:00+00:00"})
    found = one(rows(lambda: records.metric(told, AT, window_minutes=60, aggregation=aggregation)), "snapshot")
    assert found["metric"] == f"general_bots.metric.{name}"
    assert found["dimensions"] == {"aggregation": aggregation or "sum"}
    assert found["start_time"] == us("2026-05-05T15:00:00Z")
    assert ("doubtful" in found["attributes"]) == doubtful


def test_a_metric_of_the_servers_own_window_says_that_this_is_unknown() -> None:
    told = general_bots.metric("api.calls").parse({"metric": "api.calls", "value": 1})
    found = one(rows(lambda: records.metric(told, AT)), "snapshot")
    assert found["start_time"] == found["end_time"]
    assert found["attributes"] == {"window": "the server's own"}


def test_live_support_is_of_the_moment_and_an_average_of_nothing_is_left_out() -> None:
    told = general_bots.attendant_stats().parse(STATS)
    found = rows(lambda: records.attendant_stats(told, AT))
    assert figures(found) == {
        "general_bots.attendant.active_sessions": 2.0,
        "general_bots.attendant.waiting_sessions": 1.0,
        "general_bots.attendant.agents_online": 4.0,
        "general_bots.attendant.agents_on_break": 1.0,
        "general_bots.attendant.total_sessions_today": 9.0,
        "general_bots.attendant.avg_wait_time_seconds": 40.5,
        "general_bots.attendant.satisfaction_avg": 4.2,
    }
    assert doubts(found)["attendant.satisfaction_avg"] == meaning.SCALE


def test_figures_of_this_moment_are_kept_whatever_time_the_server_says_it_is() -> None:
    told = general_bots.realtime().parse({"active_sessions": 3, "messages_per_minute": 0.4, "timestamp": "2026-05-05"})
    assert figures(rows(lambda: records.realtime(told, AT))) == {
        "general_bots.realtime.active_sessions": 3.0,
        "general_bots.realtime.messages_per_minute": 0.4,
    }
    bare = general_bots.active_sessions().parse(3)
    assert figures(rows(lambda: records.active_sessions(bare, AT))) == {"general_bots.realtime.active_sessions": 3.0}
