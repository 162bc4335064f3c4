"""General Bots' server: it keeps its contract, and its figures are those of the records behind it."""

from __future__ import annotations

import io
import zipfile
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from statistics import fmean
from typing import Any

import httpx
import pytest

from tests.vendors import general_bots
from tests.vendors.engine import served
from tests.vendors.general_bots import NOW, ROLES, token
from tests.vendors.general_bots.reports import MEDIA
from tests.vendors.holding import hold

WORLD = general_bots.world()
EVERY = WORLD.sessions
PLANNED = "/api/v1/analytics"
ENGAGEMENT = {"type": "engagement", "start_date": "2026-04-01", "end_date": "2026-04-30", "format": "pdf"}

# A window that ends before it begins, and the year 0, are valid by their schemas and refused all the same.
# What is wrong with a request is the engine's to find, so a few operations stand for all in that.
SCHEMATHESIS = """
[checks.positive_data_acceptance]
expected-statuses = ["2xx", "400", "401", "403", "404"]
[phases.coverage]
unexpected-methods = []
[[operations]]
exclude-operation-id = ["create_report", "metric"]
[operations.phases.coverage.generation]
mode = "positive"
"""


class Asking:
    """A client of a server, with a role."""

    def __init__(self, url: str, role: str = "admin") -> None:
        self.http = httpx.Client(base_url=url, headers={"authorization": f"Bearer {token(role)}"}, trust_env=False)

    def get(self, path: str, **params: Any) -> Any:
        found = self.http.get(path, params=params or None)
        assert found.status_code == 200, found.status_code
        return found.json()

    def planned(self, path: str, **params: Any) -> Any:
        return self.get(f"{PLANNED}/{path}", **params)


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    """A server with every route, for tests that make no reports."""
    with served(general_bots.server("both")) as found:
        yield found


@pytest.fixture(scope="module")
def ask(url: str) -> Iterator[Asking]:
    asking = Asking(url)
    with asking.http:
        yield asking


def day(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def started(start: datetime, end: datetime) -> list[Any]:
    found = [one for one in EVERY if start <= one.start < end]
    assert found
    return found


def test_schemathesis_finds_that_it_keeps_its_contract(tmp_path: Path) -> None:
    vendor = general_bots.server("both")
    (tmp_path / "schemathesis.toml").write_text(SCHEMATHESIS, encoding="utf-8")
    said = hold(vendor, f"Authorization: Bearer {token('admin', 'Admin')}", tmp_path)
    assert "Tested: 29" in said
    assert {200, 202, 400, 401} <= {one.status for one in vendor.seen}
    answered = {one.operation for one in vendor.seen if one.status in {200, 202}}
    assert set(vendor.handlers) - answered <= {"report"}


@pytest.mark.parametrize(
    ("path", "allowed"),
    [
        (f"{PLANNED}/usage", {"analytics_viewer", "admin"}),
        (f"{PLANNED}/realtime/active", {"analytics_viewer", "admin"}),
        (f"{PLANNED}/reports", {"analytics_admin", "admin"}),
        ("/api/analytics/dashboard", {"Admin", "SuperAdmin", "Moderator"}),
        ("/api/attendant/stats", set(ROLES)),
    ],
)
def test_a_route_is_for_the_roles_that_its_document_names(url: str, path: str, allowed: set[str]) -> None:
    statuses = {}
    for role in ROLES:
        found = httpx.get(url + path, headers={"authorization": f"Bearer {token(role)}"}, trust_env=False)
        statuses[role] = found.status_code
        assert found.status_code == 200 or found.content == b""
    assert statuses == {role: 200 if role in allowed else 403 for role in ROLES}


@pytest.mark.parametrize("given", [{}, {"authorization": "Bearer x.y.z"}, {"x-api-key": token("admin")}])
def test_nobody_is_let_in_without_a_known_token(url: str, given: dict[str, str]) -> None:
    found = httpx.get(f"{url}{PLANNED}/usage", headers=given, trust_env=False)
    assert (found.status_code, found.content) == (401, b"")


def test_a_server_lacks_the_routes_of_the_other_one() -> None:
    for has, absent in (("published", f"{PLANNED}/realtime/active"), ("planned", "/api/analytics/dashboard")):
        with served(general_bots.server(has)) as url:
            found = httpx.get(url + absent, headers={"authorization": f"Bearer {token('admin')}"}, trust_env=False)
            assert (found.status_code, found.content) == (404, b"")


@pytest.mark.parametrize(
    ("params", "start", "end"),
    [
        ({}, "2020-01-01", "2030-01-01"),
        ({"start_date": "2026-04-10", "end_date": "2026-04-11"}, "2026-04-10", "2026-04-12"),
        ({"start_date": "2026-04-10T06:00:00Z", "end_date": "2026-04-12T00:00:00+02:00"},
         "2026-04-10T06:00", "2026-04-11T22:00"),
        ({"start_date": "2026-05-01"}, "2026-05-01", "2030-01-01"),
        ({"end_date": "2026-04-01"}, "2020-01-01", "2026-04-02"),
        ({"days": 7}, "2026-04-29", "2026-05-06"),
        ({"period": "today"}, "2026-05-05", "2026-05-06"),
        ({"period": "week"}, "2026-05-04", "2026-05-06"),
        ({"period": "month"}, "2026-05-01", "2026-05-06"),
        ({"period": "year"}, "2026-01-01", "2026-05-06"),
        ({"period": "today", "days": 7}, "2026-04-29", "2026-05-06"),
        ({"period": "today", "days": 7, "start_date": "2026-05-04"}, "2026-05-04", "2026-05-06"),
    ],
)  # fmt: skip
def test_a_window_holds_what_began_in_it(ask: Asking, params: dict[str, Any], start: str, end: str) -> None:
    found = ask.planned("usage", **params)
    expected = started(day(start), day(end))
    assert found["total_conversations"] == len(expected)
    assert found["active_users"] == len({one.user_id for one in expected})


def test_a_window_includes_its_start_and_leaves_out_its_end(ask: Asking) -> None:
    first, last = EVERY[100].start, EVERY[120].start
    params = {"start_date": first.isoformat(), "end_date": last.isoformat()}
    assert ask.planned("usage", **params)["total_conversations"] == 20


@pytest.mark.parametrize(
    "params",
    [{"days": 0}, {"days": "x"}, {"period": "daily"}, {"group_by": "year"}, {"bot_id": "b1"}, {"start_date": "May"},
     {"start_date": "2026-05-02", "end_date": "2026-04-01"}, {"start_date": "2026-02-30"}],
)  # fmt: skip
def test_parameters_outside_the_contract_are_refused_without_a_body(ask: Asking, params: dict[str, Any]) -> None:
    found = ask.http.get(f"{PLANNED}/usage", params=params)
    assert (found.status_code, found.content) == (400, b"")


def test_a_bot_and_a_user_filter_although_they_are_listed_under_grouping(ask: Asking) -> None:
    bot, user = WORLD.bots[0], EVERY[0].user_id
    for params, holds in (
        ({"bot_id": bot}, lambda one: one.bot_id == bot),
        ({"user_id": user.upper()}, lambda one: one.user_id == user),
        ({"bot_id": bot, "user_id": user}, lambda one: (one.bot_id, one.user_id) == (bot, user)),
    ):
        expected = sum(holds(one) for one in EVERY)
        assert 0 < expected < len(EVERY)
        assert ask.planned("usage", **params)["total_conversations"] == expected


def test_daily_usage_has_a_row_for_every_day_that_was_asked_for(ask: Asking) -> None:
    rows = ask.planned("usage/daily", days=7)["data"]
    assert [row["date"] for row in rows] == [f"{NOW.date() - timedelta(days=back)}" for back in range(6, -1, -1)]
    counts = Counter(one.start.date().isoformat() for one in EVERY)
    assert {row["date"]: row["conversations"] for row in rows} == {row["date"]: counts[row["date"]] for row in rows}
    assert sum(row["conversations"] for row in ask.planned("usage/daily")["data"]) == len(EVERY)
    months = {row["date"]: row["conversations"] for row in ask.planned("usage/monthly")["data"]}
    assert months == Counter(f"{one.start:%Y-%m}" for one in EVERY)


@pytest.mark.parametrize("size", ["hour", "day", "week", "month"])
def test_volume_is_grouped_as_asked(ask: Asking, size: str) -> None:
    rows = ask.planned("conversations/volume", group_by=size)["data"]
    form = {"hour": "%Y-%m-%dT%H:00:00Z", "day": "%Y-%m-%d", "month": "%Y-%m"}
    if size == "week":
        counts = Counter(f"{one.start.date() - timedelta(days=one.start.weekday())}" for one in EVERY)
    else:
        counts = Counter(one.start.strftime(form[size]) for one in EVERY)
    assert {row["date"]: row["conversations"] for row in rows} == counts


def test_figures_of_conversations_are_the_plain_counts_of_the_records(ask: Asking) -> None:
    over = [one for one in EVERY if one.end]
    assert 0 < len(over) < len(EVERY)
    lengths = [(one.end - one.start).total_seconds() for one in EVERY if one.end]
    assert ask.planned("conversations/duration") == {
        "average_duration_seconds": pytest.approx(fmean(lengths), abs=1e-3), "conversations": len(over),
    }  # fmt: skip
    solved = sum(one.resolved is True for one in over)
    found = ask.planned("conversations/resolution")
    assert (found["resolved"], found["conversations"]) == (solved, len(over))
    assert found["resolution_rate"] == pytest.approx(solved / len(over), abs=1e-4)
    assert ask.planned("conversations")["total_messages"] == sum(len(one.messages) for one in EVERY)


def test_figures_of_engagement_are_the_plain_counts_of_the_records(ask: Asking) -> None:
    found = ask.planned("engagement", days=3)
    recent = started(NOW.replace(hour=0) - timedelta(days=2), NOW)
    users = {one.user_id for one in recent}
    assert (found["active_users"], found["sessions_per_user"]) == (len(users), round(len(recent) / len(users), 4))
    stars = Counter(one.stars for one in EVERY if one.stars)
    rated = ask.planned("engagement/satisfaction")
    assert rated["distribution"] == {str(star): stars[star] for star in range(1, 6)}
    assert rated["average"] == pytest.approx(fmean(stars.elements()), abs=1e-4)
    weeks = ask.planned("engagement/retention")
    begins = [day(weeks[0]["week"]) + timedelta(days=7 * number) for number in range(3)]
    came, back = ({one.user_id for one in started(start, end)} for start, end in pairwise(begins))
    assert (weeks[0]["users"], weeks[0]["returned"]) == (len(came), len(came & back))


def test_what_is_active_now_goes_on(ask: Asking) -> None:
    active = [one for one in EVERY if one.end is None]
    found = ask.planned("realtime")
    assert found["active_sessions"] == ask.planned("realtime/active")["active_sessions"] == len(active) > 0
    recent = sum(at >= NOW - timedelta(minutes=5) for one in EVERY for at in one.messages)
    assert found["messages_per_minute"] == recent / 5 > 0
    bot = active[0].bot_id
    assert ask.planned("realtime", bot_id=bot)["active_sessions"] == sum(one.bot_id == bot for one in active)


def test_the_count_of_active_sessions_may_be_a_bare_number() -> None:
    with served(general_bots.server(bare=True)) as url:
        asking = Asking(url, "analytics_viewer")
        with asking.http:
            assert asking.planned("realtime/active") == len(WORLD.active)


@pytest.mark.parametrize("format", MEDIA)
def test_a_report_is_asked_for_waited_for_and_taken_as_a_document(format: str) -> None:
    with served(general_bots.server()) as url:
        asking = Asking(url, "analytics_admin")
        with asking.http as http:
            begun = http.post(f"{PLANNED}/reports", json={**ENGAGEMENT, "format": format})
            assert (begun.status_code, begun.json()["status"]) == (202, "pending")
            report = f"reports/{begun.json()['id']}"
            assert [asking.planned(report)["status"] for _ in range(3)] == ["pending", "completed", "completed"]
            assert [one["id"] for one in asking.planned("reports")] == [begun.json()["id"]]
            found = http.get(f"{PLANNED}/{report}", headers={"accept": MEDIA[format]})
    assert found.headers["content-type"].partition(";")[0] == MEDIA[format]
    text = found.text
    if format == "xlsx":
        text = zipfile.ZipFile(io.BytesIO(found.content)).read("report.csv").decode()
    users = len({one.user_id for one in started(day("2026-04-01"), day("2026-05-01"))})
    assert "active_users" in text
    assert str(users) in text


def test_a_report_can_fail_and_its_window_is_checked() -> None:
    with served(general_bots.server()) as url:
        asking = Asking(url)
        with asking.http as http:
            made = http.post(f"{PLANNED}/reports", json={**ENGAGEMENT, "type": "compliance"}).json()["id"]
            assert [asking.planned(f"reports/{made}")["status"] for _ in range(2)] == ["pending", "failed"]
            for wrong in ({"type": "daily"}, {"format": "doc"}, {"end_date": "2026-03-01"}, {"start_date": None}):
                assert http.post(f"{PLANNED}/reports", json={**ENGAGEMENT, **wrong}).status_code == 400
            assert http.get(f"{PLANNED}/reports/nobody's").status_code == 404
            assert len(asking.planned("reports")) == 1


def test_reports_can_come_in_the_other_documented_forms() -> None:
    with served(general_bots.server(begun=200, enveloped=True, stateless=True, at_once=True)) as url:
        asking = Asking(url)
        with asking.http as http:
            begun = http.post(f"{PLANNED}/reports", json=ENGAGEMENT)
            assert begun.status_code == 200
            assert "status" not in begun.json()
            assert asking.planned("reports")["data"] == [begun.json()]
            report = f"{PLANNED}/reports/{begun.json()['id']}"
            assert [http.get(report).headers["content-type"] for _ in range(2)] == ["application/json", MEDIA["pdf"]]


def test_the_published_dashboard_is_wrong_in_the_known_ways(url: str) -> None:
    asking = Asking(url, "Moderator")
    with asking.http:
        found = asking.get("/api/analytics/dashboard")
        assert found["total_users"] > 2 * len(WORLD.users)
        assert found["total_messages"] == sum(len(one.messages) for one in EVERY)
        assert {len(set(dataset["data"])) for chart in found["charts"] for dataset in chart["datasets"]} == {1}
        gauge = asking.get("/api/analytics/metric", name="users.total", window_minutes=10)
        assert gauge["value"] == 10 * len(WORLD.users)
        level = asking.get("/api/analytics/metric", name="users.total", window_minutes=10, aggregation="p95")
        assert level["value"] == len(WORLD.users)


def test_an_unknown_metric_is_an_error_with_status_200(url: str) -> None:
    asking = Asking(url, "Admin")
    with asking.http:
        found = asking.get("/api/analytics/metric", name="messages.sent")
        assert found == {"error": "Metric not found", "metric": "messages.sent"}


def test_metrics_are_worked_out_from_the_records(url: str) -> None:
    asking = Asking(url, "Admin")
    since = NOW - timedelta(minutes=1_440)
    with asking.http:
        messages = asking.get("/api/analytics/metric", name="messages.total", window_minutes=1_440)
        rate = asking.get("/api/analytics/metric", name="messages.total", window_minutes=1_440, aggregation="rate")
        slow = asking.get("/api/analytics/metric", name="api.duration_ms", window_minutes=1_440, aggregation="p99")
    expected = sum(at >= since for one in EVERY for at in one.messages)
    assert messages["value"] == expected > 0
    assert rate["value"] == pytest.approx(expected / 1_440)
    took = [ms for one in EVERY for at, ms in zip(one.messages[1::2], one.response_ms, strict=True) if at >= since]
    assert slow["value"] == pytest.approx(max(took), rel=0.05)


def test_live_support_today_is_the_plain_count_of_the_records(ask: Asking) -> None:
    found = ask.get("/api/attendant/stats")
    today = [one for one in EVERY if one.start.date() == NOW.date() and one.waited_s is not None]
    assert found["total_sessions_today"] == len(today) > 0
    assert found["avg_wait_time_seconds"] == pytest.approx(fmean(one.waited_s or 0 for one in today), abs=1e-3)


def test_insights_are_zeros_of_nobody(ask: Asking) -> None:
    found = ask.get("/api/insights/weekly", period="weekly")
    assert (found["user_id"], found["total_seconds"]) == ("00000000-0000-0000-0000-000000000000", 0)
    assert ask.http.get("/api/insights/weekly", params={"period": "week"}).status_code == 400
