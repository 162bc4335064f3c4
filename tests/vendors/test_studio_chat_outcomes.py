"""Studio Chat's server: use of resources, ratings, conversions and configuration are those of its records."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta
from statistics import fmean
from typing import Any

import pytest

from tests.vendors.studio_chat import NOW, SMALL, Habits
from tests.vendors.studio_chat.asking import APRIL, BASE, EVERY, PROJECT, Asking, asking, in_april, of_april

APRIL_DAYS: dict[str, Any] = {"start_date": "2026-04-01", "end_date": "2026-05-01"}


@pytest.fixture(scope="module")
def ask() -> Iterator[Asking]:
    """The account, for tests that change nothing in it."""
    with asking() as found:
        yield found


@pytest.mark.parametrize(
    ("path", "calls"),
    [("api-tools", PROJECT.api_calls), ("toolkits", PROJECT.toolkit_calls), ("skills", PROJECT.skill_loads)],
)
def test_use_of_resources_is_counted_by_the_day_a_call_was_made(ask: Asking, path: str, calls: list[Any]) -> None:
    found = ask.of(f"analytics/{path}", **APRIL_DAYS, limit=500)
    expected = [call for call in calls if in_april(call.at)]
    worked = sum(call.ok for call in expected)
    assert (found["total_calls"], found["successful_calls"], found["failed_calls"]) == (
        len(expected), worked, len(expected) - worked,
    )  # fmt: skip
    days = Counter(call.at.date().isoformat() for call in expected)
    assert {point["date"]: point["count"] for point in found["time_series"]} == days
    assert [row["id"] for row in found["recent"]] == [
        call.id for call in sorted(expected, key=lambda call: (call.at, call.id), reverse=True)
    ]
    timed = [call.duration_ms for call in expected if call.duration_ms is not None]
    assert found.get("avg_duration_ms") == (pytest.approx(fmean(timed)) if timed else None)


def test_a_search_narrows_the_recent_calls_and_nothing_else(ask: Asking) -> None:
    for path in ("api-tools", "toolkits", "skills"):
        every = ask.of(f"analytics/{path}", limit=500)
        failed = ask.of(f"analytics/{path}", limit=500, search="error")
        assert {**every, "recent": []} == {**failed, "recent": []}
        assert 0 < len(failed["recent"]) < len(every["recent"])
        pages = [ask.of(f"analytics/{path}", limit=7, offset=offset)["recent"] for offset in (0, 7)]
        assert [*pages[0], *pages[1]] == every["recent"][:14]


def test_one_tool_comes_with_its_configuration_and_all_tools_without(ask: Asking) -> None:
    tool = PROJECT.tools[1]
    found = ask.of("analytics/api-tools", api_tool_id=tool.id)
    assert found["tool_config"] == {"method": "POST", "url": tool.url}
    assert found["total_calls"] == sum(call.owner == tool.id for call in PROJECT.api_calls)
    assert "tool_config" not in ask.of("analytics/api-tools")


def test_toolkits_break_down_by_action_and_by_the_values_of_a_parameter(ask: Asking) -> None:
    calls = PROJECT.toolkit_calls
    found = ask.of("analytics/toolkits", param_filter="ticket_type_id:67")
    types = Counter(call.given.get("ticket_type_id") for call in calls if call.owner == "INTERCOM_TICKETS")
    assert found["total_calls"] == types[67]
    assert {row["value"]: row["count"] for row in found["by_param"]} == types
    every = ask.of("analytics/toolkits")
    assert {row["action_name"]: row["count"] for row in every["by_action"]} == Counter(call.name for call in calls)
    assert "by_param" not in every
    slack = ask.of("analytics/toolkits", toolkit_slug="SLACK", action_name="SLACK_SEND_MESSAGE")
    assert slack["total_calls"] == sum(call.owner == "SLACK" for call in calls)


@pytest.mark.parametrize(
    ("path", "held"),
    [
        ("api-tools", [(call.owner, call.at) for call in PROJECT.api_calls]),
        ("toolkit-calls", [(call.owner, call.at) for call in PROJECT.toolkit_calls]),
        ("skills", [(call.owner, call.at) for call in PROJECT.skill_loads]),
        ("kbs", [(each.kb_id, each.at) for one in EVERY for each in one.citations]),
    ],
)
@pytest.mark.parametrize("days", [None, 3])
def test_sparklines_count_every_trailing_day(ask: Asking, path: str, held: list[Any], days: int | None) -> None:
    found = ask.of(f"analytics/{path}/sparklines", **({} if days is None else {"days": days}))
    first = NOW.date() - timedelta(days=(days or 14) - 1)
    expected = Counter(owner for owner, at in held if at.date() >= first)
    assert {owner: line["total"] for owner, line in found.items()} == expected
    for line in found.values():
        assert [point["date"] for point in line["series"]] == [
            (first + timedelta(days=number)).isoformat() for number in range(days or 14)
        ]
        assert sum(point["count"] for point in line["series"]) == line["total"]


def test_citations_are_counted_by_base_item_and_source(ask: Asking) -> None:
    cited = [each for one in EVERY for each in one.citations]
    base = Counter(each.kb_id for each in cited).most_common(1)[0][0]
    items = Counter(each.item_id for each in cited if each.kb_id == base)
    top = ask.of(f"analytics/kbs/{base}/items", limit=2)
    assert top["total_items_cited"] == len(items)
    assert [row["count"] for row in top["items"]] == sorted(items.values(), reverse=True)[:2]
    found = ask.of("analytics/kbs", **APRIL_DAYS)
    sources = Counter(each.source for each in cited if in_april(each.at))
    assert found["total_citations"] == sources.total()
    assert {row["source"]: row["count"] for row in found["by_source"]} == sources
    one = top["items"][0]["item_id"]
    assert ask.of("analytics/kbs", kb_id=base, item_id=one)["total_citations"] == items[one]
    assert ask.of("analytics/kbs", source="faq")["total_citations"] == sum(each.source == "faq" for each in cited)


def test_satisfaction_is_the_plain_count_of_the_ratings(ask: Asking) -> None:
    found = ask.of("csat/analytics", **APRIL, ratings_limit=200)
    stars = Counter(each.rating.stars for each in of_april() if each.rating)
    eligible = sum(not each.handoff for each in of_april())
    assert found["rating_distribution"] == {str(star): stars[star] for star in range(1, 6)}
    assert (found["total_rated"], found["eligible_deflected"]) == (stars.total(), eligible)
    assert found["csat_score_pct"] == pytest.approx(100 * (stars[4] + stars[5]) / stars.total(), abs=1e-3)
    assert found["dsat_score_pct"] == pytest.approx(100 * (stars[1] + stars[2]) / stars.total(), abs=1e-3)
    assert found["response_rate_pct"] == pytest.approx(100 * stars.total() / eligible, abs=1e-3)
    assert Counter(row["rating"] for row in found["ratings"]) == stars
    assert sum(point["total"] for point in found["time_series"]) == stars.total()
    assert {point["csat_pct"] is None for point in found["time_series"] if not point["total"]} == {True}


def test_the_highest_rating_to_show_narrows_the_table_alone(ask: Asking) -> None:
    every, low = (ask.of("csat/analytics", **APRIL, ratings_limit=200, **more) for more in ({}, {"max_rating": 2}))
    assert {**every, "ratings": []} == {**low, "ratings": []}
    assert low["ratings"] == [row for row in every["ratings"] if row["rating"] <= 2] != []
    page = ask.of("csat/analytics", **APRIL, ratings_offset=5)
    assert page["ratings"] == every["ratings"][5:15]


def test_without_dates_the_last_seven_days_count(ask: Asking) -> None:
    recent = [each for each in EVERY if NOW - timedelta(days=7) <= each.last_at < NOW]
    assert ask.of("csat/analytics")["total_rated"] == sum(each.rating is not None for each in recent)
    found = ask.of("conversion-metrics/sales/analytics")
    assert found["eligible_conversations"] == sum(not each.handoff for each in recent)


def test_a_tag_filter_is_a_tree_that_wins_over_tags(ask: Asking) -> None:
    rule = {"AND": [{"OR": ["billing", "refund"]}, {"NOT": "vip"}]}
    found = ask.of("csat/analytics", **APRIL, tag_filter=json.dumps(rule), tags="login")
    assert found["eligible_deflected"] == sum(
        bool({"billing", "refund"} & set(each.tags)) and "vip" not in each.tags and not each.handoff
        for each in of_april()
    )
    for text in ("{", "[]", '"billing"', '{"XOR": []}', '{"NOT": 1}'):
        ask.of("csat/analytics", 400, tag_filter=text)


def test_a_project_that_asks_for_no_ratings_says_so(ask: Asking) -> None:
    found = ask.get(f"/projects/{SMALL}/csat/analytics", **APRIL)
    assert (found["is_configured"], found["csat_score_pct"], found["ratings"]) == (False, 0, [])
    assert ask.get(f"/projects/{SMALL}/conversion-metrics") == []


def test_conversions_count_events_when_they_happened(ask: Asking) -> None:
    found = ask.of("conversion-metrics/sales/analytics", **APRIL, events_limit=200)
    events = [event for event in PROJECT.metrics[0].events if in_april(event.at)]
    converting = {event.conversation_id for event in events}
    eligible = sum(not each.handoff for each in of_april())
    assert (found["total_events"], found["converting_conversations"]) == (len(events), len(converting))
    assert found["total_value"] == pytest.approx(sum(event.value for event in events))
    assert found["conversion_rate_pct"] == pytest.approx(100 * len(converting) / eligible, abs=1e-3)
    assert {row["id"] for row in found["events"]} == {event.id for event in events}
    assert sum(point["event_count"] for point in found["time_series"]) == len(events)
    of_base = ask.of("conversion-metrics/sales/analytics", **APRIL, playbook_base_id=BASE)
    about = {each.id for each in EVERY if any(used.base_id == BASE for used in each.playbooks)}
    assert of_base["total_events"] == sum(event.conversation_id in about for event in events)


def test_an_unknown_metric_is_not_found_but_its_analytics_are_unconfigured(ask: Asking) -> None:
    ask.of("conversion-metrics/nothing", 404)
    assert ask.of("conversion-metrics/nothing/analytics")["is_configured"] is False


def test_one_metric_lives_one_fell_silent_and_one_never_had_an_event(ask: Asking) -> None:
    last = {row["slug"]: row["last_event_at"] for row in ask.of("conversion-metrics")}
    assert last["sales"] > (NOW - timedelta(days=2)).isoformat()
    assert last["bookings"] < (NOW - timedelta(days=19)).isoformat()
    assert last["upgrades"] is None
    assert ask.of("conversion-metrics/bookings")["last_event_at"] == last["bookings"]


def test_assistants_come_in_their_version_in_use_unless_more_is_asked_for(ask: Asking) -> None:
    in_use = ask.of("playbooks")
    assert {(row["name"], row["version_number"]) for row in in_use} == {
        ("Support desk", 3),
        ("Sales guide", 2),
        ("Orders", 1),
    }
    assert len(ask.of("playbooks", include_versions="true")) == 6
    assert len(ask.of("playbooks", include_versions="true", include_deleted="true")) == 7
    for row in in_use:
        assert ask.get(f"/playbooks/{row['base_id']}/active")["playbook"] == ask.get(f"/playbooks/{row['id']}") == row
        assert [one["id"] for one in ask.get(f"/playbooks/{row['id']}/history")][-1] == row["id"]
        assert ask.get(f"/playbooks/{row['id']}/versions/1")["version_number"] == 1
        assert len(ask.get(f"/playbooks/{row['base_id']}/active/history")) == row["version_number"]
    settings = {row["name"]: ask.get(f"/playbooks/{row['id']}/settings") for row in in_use}
    assert settings["Orders"] is None
    assert settings["Support desk"]["is_disabled"] is False


def test_knowledge_bases_show_their_items_and_who_uses_them(ask: Asking) -> None:
    kinds = {row["kb_type"]: row for row in ask.of("knowledgebases", include_playbook_usage="true")}
    assert "FILE" not in kinds
    assert len(ask.of("knowledgebases", include_final_delete="true")) == len(PROJECT.bases)
    assert {used["name"] for used in kinds["INTERCOM"]["used_by_playbooks"]} == {"Support desk"}
    articles = ask.get(f"/knowledgebases/{kinds['INTERCOM']['id']}")["intercom_items"]
    item = ask.get(f"/knowledgebases/{kinds['INTERCOM']['id']}/items/{articles[0]['id']}")
    assert (item["title"], item["item_type"]) == (articles[0]["title"], "intercom")


def test_test_runs_come_in_pages_and_test_cases_as_yaml(ask: Asking) -> None:
    pages = [ask.get(f"/playbooks/{BASE}/eval-runs", page=page) for page in (1, 2, 3, 4)]
    assert [len(page["items"]) for page in pages] == [10, 10, 3, 0]
    assert {(page["total"], page["total_pages"]) for page in pages} == {(23, 3)}
    run = ask.get(f"/eval-runs/{pages[0]['items'][0]['id']}")
    assert {row["case_id"]: row["score"] for row in run["results"]} == PROJECT.runs[0].scores
    cases = ask.get(f"/playbooks/{BASE}/eval-cases")
    enabled = ask.get(f"/playbooks/{BASE}/eval-cases", enabled_only="true")
    assert (len(cases), len(enabled)) == (8, 6)
    assert ask.get(f"/eval-cases/{cases[0]['id']}") == cases[0]
    assert ask.get(f"/playbooks/{BASE}/eval-cases/export-yaml")["yaml_content"].count("- input:") == 8


def test_what_the_documents_leave_open_can_come_in_the_other_form() -> None:
    habits = Habits(lower_case=True, enveloped=True, naive_times=True, dated_buckets=False)
    with asking(habits=habits) as other:
        assert {row["kb_type"] for row in other.of("knowledgebases")} >= {"intercom", "faq"}
        assert len(other.get("/projects")["items"]) == 2
        assert datetime.fromisoformat(other.of("conversations")["conversations"][0]["last_message_at"]).tzinfo is None
        assert "T00:00:00" in other.of("conversations/analytics", **APRIL)["time_series"][0]["timestamp"]
