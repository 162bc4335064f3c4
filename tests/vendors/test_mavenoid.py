"""Mavenoid's server: it keeps its contract, and its figures are those of the world behind it."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from statistics import fmean
from typing import Any

import httpx
import pytest

from tests.vendors.engine import Vendor, served
from tests.vendors.holding import hold
from tests.vendors.mavenoid import SAMPLE_TOKEN, STATISTICS, TOKEN, make_world, mavenoid
from tests.vendors.mavenoid_world import NEVER_TAKEN, Availability, Conversation, Session

NOW = datetime(2026, 5, 5, 16, 30, tzinfo=UTC)
WORLD = make_world(NOW)
HEADERS = {"authorization": f"Bearer {TOKEN}"}
PATHS: dict[str, tuple[Conversation | Session | Availability, ...]] = {
    "assistant-conversations": WORLD.conversations,
    "live-support-sessions": WORLD.sessions,
    "agent-availabilities": WORLD.availabilities,
}


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with served(mavenoid(WORLD)) as found:
        yield found


@pytest.fixture(scope="module")
def sloppy_url() -> Iterator[str]:
    with served(mavenoid(WORLD, sloppy=True)) as found:
        yield found


def answer(url: str, path: str, query: str, token: str = TOKEN) -> httpx.Response:
    headers = {"authorization": f"Bearer {token}"}
    return httpx.get(f"{url}/{path}.json?{query}", headers=headers, trust_env=False, verify=False)


def rows(url: str, path: str, query: str) -> list[dict[str, Any]]:
    found = answer(url, path, query)
    assert found.status_code == 200, found.text
    return found.json()


def since(days: int) -> datetime:
    return NOW - timedelta(days=days)


def test_schemathesis_finds_that_it_keeps_its_contract(tmp_path: Path) -> None:
    vendor = mavenoid(WORLD)
    assert "3 passed" in hold(vendor, f"Authorization: Bearer {TOKEN}", tmp_path)
    assert {200, 400, 401, 405} <= {one.status for one in vendor.seen}


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("days", [1, 2, 30, 120])
def test_a_whole_array_is_what_began_in_the_last_so_many_times_24_hours(url: str, path: str, days: int) -> None:
    expected = [record for record in PATHS[path] if record.at >= since(days)]
    assert len(rows(url, path, f"days={days}")) == len(expected)
    assert len(expected) < len(PATHS[path])


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(
    "query",
    ["", "days=0", "days=121", "days=1.5", "days=", "group_by=status", "group_by=colour&days=1", "group_by=&days=1",
     "group_by=date,week&days=1", "group_by=date,date&days=1", "group_by=date&group_by=month&days=1"],
)  # fmt: skip
def test_requests_outside_the_contract_are_refused(url: str, path: str, query: str) -> None:
    assert answer(url, path, query).status_code == 400


@pytest.mark.parametrize("token", ["none", "ma_unknown", TOKEN.removeprefix("ma_")])
def test_an_unknown_token_gets_nothing(url: str, token: str) -> None:
    assert answer(url, "assistant-conversations", "days=1", token).status_code == 401


def test_the_documented_sample_token_gets_dummy_data(url: str) -> None:
    mine = {row["id"] for row in rows(url, "assistant-conversations", "days=120")}
    dummy = answer(url, "assistant-conversations", "days=120", SAMPLE_TOKEN).json()
    assert dummy
    assert len(dummy) < len(mine)


def test_a_conversation_tells_all_that_the_world_knows_of_it(url: str) -> None:
    found = {row["id"]: row for row in rows(url, "assistant-conversations", "days=120")}
    known = next(one for one in reversed(WORLD.conversations) if one.sessions and one.rating)
    row = found[known.id]
    assert datetime.fromisoformat(row["created_at"]) == known.at
    assert (row["flow_name"], row["status"], row["label"]) == (known.flow, known.status, known.label)
    assert row["latest_live_support_session_status"] == known.sessions[-1].status
    assert row["form_data"]["$customer-email"] in row["feedback_comments"]
    assert {row["status"] for row in found.values()} == {"OPEN", "RESOLVED", "ESCALATED"}
    assert {row["label"] for row in found.values()} == {"", "warranty", "spare part"}


def test_sessions_that_nobody_took_have_no_durations(url: str) -> None:
    found = rows(url, "live-support-sessions", "days=120")
    untaken = [row for row in found if row["status"] in NEVER_TAKEN]
    assert untaken
    assert all(row[name] is None for row in untaken for name in STATISTICS)
    assert all(row["queue_duration_ms"] is not None for row in found if row["status"] not in NEVER_TAKEN)
    assert {"TRANSFERRED", "ACTIVE", "RESOLVED"} <= {row["status"] for row in found}


def test_a_stretch_that_lasts_has_no_end(url: str) -> None:
    found = rows(url, "agent-availabilities", "days=120")
    assert (
        sum(row["end_timestamp"] is None for row in found) == sum(one.end is None for one in WORLD.availabilities) > 0
    )


def test_conversations_are_counted_by_flow_and_status(url: str) -> None:
    expected = Counter((one.flow, one.status) for one in WORLD.conversations if one.at >= since(90))
    found = rows(url, "assistant-conversations", "group_by=flow_name,status&days=90")
    assert {(row["flow_name"], row["status"]): row["count"] for row in found} == expected


@pytest.mark.parametrize("field", ["touchpoint_name", "label", "lang_code", "feedback_rating",
                                   "latest_live_support_session_status",
                                   "latest_live_support_session_resolution_label"])  # fmt: skip
def test_groups_of_each_field_are_those_of_the_rows(url: str, field: str) -> None:
    expected = Counter(row[field] for row in rows(url, "assistant-conversations", "days=120"))
    found = rows(url, "assistant-conversations", f"group_by={field}&days=120")
    assert {row[field]: row["count"] for row in found} == expected


@pytest.mark.parametrize("unit", ["date", "week", "month"])
def test_the_date_of_a_group_is_its_day_its_monday_or_its_first(url: str, unit: str) -> None:
    def day(at: datetime) -> date:
        found = at.date()
        return {"date": found, "week": found - timedelta(found.weekday()), "month": found.replace(day=1)}[unit]

    expected = Counter(day(one.at).isoformat() for one in WORLD.conversations if one.at >= since(60))
    found = rows(url, "assistant-conversations", f"group_by={unit}&days=60")
    assert {row["date"]: row["count"] for row in found} == expected
    assert all(earlier["date"] > later["date"] for earlier, later in pairwise(found))


def test_two_days_of_24_hours_touch_three_dates(url: str) -> None:
    assert [row["date"] for row in rows(url, "assistant-conversations", "group_by=date&days=2")] == [
        "2026-05-05", "2026-05-04", "2026-05-03",
    ]  # fmt: skip


def test_the_nine_statistics_of_sessions_are_those_of_the_sessions_that_have_them(url: str) -> None:
    groups = defaultdict(list)
    for one in WORLD.sessions:
        if one.at >= since(60):
            groups[one.at.date().isoformat(), one.agent].append(one)
    found = rows(url, "live-support-sessions", "group_by=date,agent_email&days=60")
    assert len(found) == len(groups)
    for row in found:
        members = groups[row["date"], row["agent_email"]]
        assert row["count"] == len(members)
        for name in STATISTICS:
            known = [value for one in members if (value := getattr(one, name)) is not None]
            assert row[f"{name}_max"] == (max(known) if known else None)
            assert row[f"{name}_sum"] == (sum(known) if known else None)
            assert row[f"{name}_mean"] == (pytest.approx(fmean(known)) if known else None)


def test_agents_are_counted_unless_the_rows_are_theirs(url: str) -> None:
    recent = [one for one in WORLD.availabilities if one.at >= since(30)]
    (total,) = [
        row for row in rows(url, "agent-availabilities", "group_by=month&days=30") if row["date"] == "2026-05-01"
    ]
    members = [one for one in recent if one.at.date() >= date(2026, 5, 1)]
    assert total["agent_count"] == len({one.agent for one in members}) > 1
    assert total["duration_ms_sum"] == sum(one.duration_ms for one in members)
    by_agent = rows(url, "agent-availabilities", "group_by=agent_email&days=30")
    assert {row["agent_email"]: row["active_duration_ms_sum"] for row in by_agent} == {
        agent: sum(one.active_ms for one in recent if one.agent == agent) for agent in {one.agent for one in recent}
    }
    assert not any("agent_count" in row for row in by_agent)
    assert {"agent-email", "duration_ms_sum", "active_duration_ms_sum"} == set(
        rows(url, "agent-availabilities", "group_by=agent-email&days=30")[0]
    )


def test_both_spellings_of_the_agent_s_field_at_once_are_one_field(url: str) -> None:
    assert rows(url, "agent-availabilities", "group_by=agent-email,agent_email&days=30") == rows(
        url, "agent-availabilities", "group_by=agent_email&days=30"
    )


@pytest.mark.parametrize("field", ["agent_email", "agent-email"])
def test_a_server_may_know_one_spelling_only(field: str) -> None:
    with served(mavenoid(WORLD, agent_field=field)) as url:
        for name in ("agent_email", "agent-email"):
            found = answer(url, "agent-availabilities", f"group_by=date,{name}&days=2")
            assert found.status_code == (200 if name == field else 400)


def test_a_sloppy_server_says_what_the_examples_say(sloppy_url: str) -> None:
    grouped = rows(sloppy_url, "assistant-conversations", "group_by=status&days=120")
    recent = [one for one in WORLD.conversations if one.at >= since(120) and one.status == "RESOLVED"]
    counts = {row["status"]: row["count"] for row in grouped}
    assert set(counts) == {"OPEN", "self_service_resolution", "live_support_resolution", "escalated"}
    assert counts["live_support_resolution"] == sum(bool(one.sessions) for one in recent)
    assert counts["self_service_resolution"] + counts["live_support_resolution"] == len(recent)
    session = rows(sloppy_url, "live-support-sessions", "days=120")[0]
    assert "resolution" in session
    assert not {"resolution_label", "first_response_ms", "feedback_rating"} & set(session)
    starts = [row["start_timestamp"] for row in rows(sloppy_url, "agent-availabilities", "days=120")]
    assert any(start[11:13] in {"8:", "9:"} for start in starts)


class Clock:
    def __init__(self) -> None:
        self.now = 1_777_998_600.0

    def __call__(self) -> float:
        return self.now


def test_the_end_of_the_query_decides_which_limit_counts(tmp_path: Path) -> None:
    clock = Clock()
    vendor = mavenoid(make_world(NOW, conversations=5), clock=clock)
    with served(vendor) as url, httpx.Client(headers=HEADERS, trust_env=False, verify=False) as client:

        def ask(query: str, times: int) -> list[int]:
            return [client.get(f"{url}/agent-availabilities.json?{query}").status_code for _ in range(times)]

        assert ask("group_by=date&days=1", 61) == [200] * 60 + [429]
        assert ask("days=1&group_by=date", 6) == [200] * 6
        clock.now += 30
        assert ask("days=30", 5) == [200] * 4 + [429]
        clock.now += 30
        assert ask("days=2", 7) == [200] * 6 + [429]
        assert ask("days=1", 1) == [200]


def test_a_document_s_example_is_served_where_a_test_asks_for_it() -> None:
    vendor: Vendor = mavenoid(WORLD)
    shown = vendor.answer_with_example("live_support_sessions", "individual")
    with served(vendor) as url:
        assert rows(url, "live-support-sessions", "days=30") == shown


def test_the_same_seed_makes_the_same_world() -> None:
    assert make_world(NOW) == WORLD
    assert make_world(NOW, seed=6) != WORLD
