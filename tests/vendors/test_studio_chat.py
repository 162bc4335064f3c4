"""Studio Chat's server: it keeps its contract, and its figures are those of the records behind it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import fmean
from typing import Any
from urllib.parse import quote

import httpx
import pytest

from tests.vendors import studio_chat
from tests.vendors.holding import hold
from tests.vendors.studio_chat import BEARER, EXPORT_KEY, KEY, NOW, SMALL, Habits
from tests.vendors.studio_chat.asking import APRIL, BASE, EVERY, PROJECT, WORLD, Asking, asking, in_april, of_april
from tests.vendors.studio_chat.records import Conversation

# A window that ends before it begins is valid by its schema and refused all the same, and a job may be there already.
# What is wrong with a request is the engine's to find, so a few operations stand for all in that.
SCHEMATHESIS = """
[parameters]
{ids}
[checks.positive_data_acceptance]
expected-statuses = ["2xx", "400", "401", "404", "409"]
[phases.coverage]
unexpected-methods = []
[[operations]]
exclude-operation-id = ["conversation_batch", "eval_runs", "api_tool_sparklines"]
[operations.phases.coverage.generation]
mode = "positive"
"""


@pytest.fixture(scope="module")
def ask() -> Iterator[Asking]:
    """The account, for tests that change nothing in it."""
    with asking() as found:
        yield found


@pytest.fixture
def fresh() -> Iterator[Asking]:
    """An account of one's own."""
    with asking() as found:
        yield found


def test_schemathesis_finds_that_it_keeps_its_contract(tmp_path: Path) -> None:
    vendor = studio_chat.server(conversations=12)
    project = vendor.studio.world.projects[0]
    ids = {
        "project_id": project.id, "conversation_id": project.conversations[0].id, "kb_id": project.bases[0].id,
        "item_id": project.bases[0].items[0][0], "playbook_id": project.playbooks[0].id,
        "base_id": project.playbooks[0].base_id, "case_id": project.cases[0].id, "run_id": project.runs[0].id,
        "tool_id": project.tools[0].id, "slug": "sales", "job_id": "job-1", "analysis_id": "analysis-1",
    }  # fmt: skip
    given = "\n".join(f'"path.{name}" = "{one}"' for name, one in ids.items())
    (tmp_path / "schemathesis.toml").write_text(SCHEMATHESIS.format(ids=given), encoding="utf-8")
    said = hold(vendor, f"X-API-Key: {KEY}", tmp_path)
    assert "Tested: 50" in said
    assert {200, 400, 401, 409, 422} <= {one.status for one in vendor.seen}
    answered = {one.operation for one in vendor.seen if one.status == 200}
    # Its body is random, and an analysis has to be waited for.
    assert set(vendor.handlers) - answered <= {"trending_topics_analysis", "analyst_conversation_messages"}


@pytest.mark.parametrize(
    ("header", "value", "status"),
    [
        ("X-API-Key", KEY, 200),
        ("Authorization", f"Bearer {KEY}", 401),
        ("X-API-Key", EXPORT_KEY, 200),
        ("Authorization", f"Bearer {EXPORT_KEY}", 200),
        ("X-API-Key", BEARER, 401),
        ("Authorization", f"Bearer {BEARER}", 200),
        ("X-API-Key", "sbs_unknown", 401),
        ("X-Unrelated", KEY, 401),
    ],
)
def test_each_kind_of_key_belongs_in_its_header(ask: Asking, header: str, value: str, status: int) -> None:
    url = f"{ask.http.base_url}/projects"
    assert httpx.get(url, headers={header: value}, trust_env=False).status_code == status


def test_a_window_holds_what_was_last_active_in_it_its_end_left_out(ask: Asking) -> None:
    first, last = sorted(each.last_at for each in EVERY)[10:30:19]
    window: dict[str, Any] = {"start_date": first.isoformat(), "end_date": last.isoformat()}
    assert ask.of("conversations", **window)["total"] == 19
    window = {name: text.replace("+00:00", "") for name, text in window.items()}
    assert ask.of("conversations", **window)["total"] == 19
    shifted: dict[str, Any] = {"start_date": "2026-04-10T00:00:00-03:00", "end_date": "2026-04-11T00:00:00-03:00"}
    start = datetime(2026, 4, 10, 3, tzinfo=UTC)
    expected = sum(start <= each.last_at < start + timedelta(days=1) for each in EVERY)
    assert ask.of("conversations", **shifted)["total"] == expected > 0


@pytest.mark.parametrize(
    "path",
    ["conversations", "conversations/summaries", "conversations/analytics", "conversations/metrics/aggregate",
     "csat/analytics", "conversion-metrics/sales/analytics"],
)  # fmt: skip
def test_a_window_that_ends_before_it_begins_is_refused(ask: Asking, path: str) -> None:
    ask.of(path, 400, start_date="2026-05-01T00:00:00Z", end_date="2026-04-01T00:00:00Z")


def _signal(name: str, *labels: str) -> Callable[[Conversation], bool]:
    return lambda each: each.scored and getattr(each.signals, name) in labels


VERSION = PROJECT.playbooks[1]
FILTERS: list[tuple[dict[str, Any], Callable[[Conversation], bool]]] = [
    ({"playbook_id": VERSION.id}, lambda each: VERSION in each.playbooks),
    ({"playbook_base_id": BASE}, lambda each: any(used.base_id == BASE for used in each.playbooks)),
    ({"inbox_id": PROJECT.inboxes[1].id}, lambda each: each.inbox.name == "WhatsApp"),
    ({"search": "wa:"}, lambda each: each.id.startswith("wa:")),
    ({"has_handoff": "true"}, lambda each: each.handoff),
    ({"has_handoff": "false"}, lambda each: not each.handoff),
    ({"has_winback": "true"}, lambda each: each.winback_at is not None),
    ({"tags": "billing,refund"}, lambda each: {"billing", "refund"} <= set(each.tags)),
    ({"sentiment": "negative,neutral"}, _signal("sentiment", "negative", "neutral")),
    ({"resources": "irrelevant,partial"}, _signal("resources", "irrelevant", "partial")),
    ({"sentiment_shift": "degraded"}, _signal("shift", "degraded")),
    ({"deflection_quality": "actioned,no_response"}, _signal("deflection_quality", "actioned", "no_response")),
    ({"handoff_reason": "frustration,bot_limitation"}, _signal("handoff_reason", "frustration", "bot_limitation")),
    ({"recontact_risk": "high"}, _signal("recontact_risk", "high")),
    ({"min_messages": 5, "max_messages": 8}, lambda each: 5 <= len(each.messages) <= 8),
    ({"max_messages": 1}, lambda each: len(each.messages) == 1),
    ({"skill_name": "refund-process"}, lambda each: any(load.name == "refund-process" for load in each.skill_loads)),
    (APRIL, lambda each: in_april(each.last_at)),
]


@pytest.mark.parametrize(
    ("params", "holds"), FILTERS, ids=lambda value: "-".join(value) if isinstance(value, dict) else ""
)
def test_a_filter_leaves_what_the_records_say(
    ask: Asking, params: dict[str, Any], holds: Callable[[Conversation], bool]
) -> None:
    found = ask.of("conversations", limit=100, **params)
    expected = {each.id for each in EVERY if holds(each)}
    assert found["total"] == len(expected)
    assert 0 < len(expected) < len(EVERY)
    assert {row["conversation_id"] for row in found["conversations"]} <= expected


@pytest.mark.parametrize("by", ["last_message_at", "first_message_at", "message_count"])
@pytest.mark.parametrize("order", ["asc", "desc"])
def test_pages_hold_everything_once_and_in_order(ask: Asking, by: str, order: str) -> None:
    rows = [
        row
        for offset in range(0, len(EVERY) + 90, 90)
        for row in ask.of("conversations", limit=90, offset=offset, sort_by=by, sort_order=order)["conversations"]
    ]
    assert Counter(row["conversation_id"] for row in rows) == Counter(each.id for each in EVERY)
    values = [row[by] for row in rows]
    assert values == sorted(values, reverse=order == "desc")


def test_a_page_has_twenty_rows_and_a_page_of_summaries_fifty_unless_told(ask: Asking) -> None:
    for path, size in (("conversations", 20), ("conversations/summaries", 50)):
        page = ask.of(path)
        assert (len(page["conversations"]), page["limit"], page["offset"], page["total"]) == (size, size, 0, len(EVERY))
        ask.of(path, 422, limit=101)


def test_summaries_name_two_labels_in_either_of_the_documented_ways(ask: Asking) -> None:
    known = {each.id: each for each in EVERY}
    with asking(habits=Habits(label_names=True)) as other:
        for one, suffix in ((ask, ""), (other, "_label")):
            for row in one.of("conversations/summaries", sentiment="negative")["conversations"]:
                assert row[f"sentiment{suffix}"] == "negative"
                assert row[f"resources{suffix}"] == known[row["conversation_id"]].signals.resources


def test_one_conversation_is_the_same_alone_in_a_batch_and_in_the_list(ask: Asking) -> None:
    chosen = [each.id for each in EVERY[:50]]
    batch = ask.post("conversations/batch", {"conversation_ids": chosen})["conversations"]
    assert [found["conversation_id"] for found in batch] == chosen
    listed = {row["conversation_id"]: row for row in ask.of("conversations", limit=100)["conversations"]}
    for found in batch[:6]:
        path = f"conversations/{quote(found['conversation_id'], safe='')}"
        assert ask.of(path) == found
        assert ask.of(f"{path}/messages") == {name: found[name] for name in ("messages", "citations")}
        assert listed.get(found["conversation_id"], found).items() <= found.items()


def test_a_batch_skips_ids_that_it_does_not_know_and_takes_fifty_at_most(ask: Asking) -> None:
    ids = [EVERY[0].id, "nobody's", EVERY[1].id]
    found = ask.post("conversations/batch", {"conversation_ids": ids})["conversations"]
    assert [each["conversation_id"] for each in found] == [EVERY[0].id, EVERY[1].id]
    ask.post("conversations/batch", {"conversation_ids": ["x"] * 51}, 422)


def test_the_ids_of_conversations_need_percent_encoding(ask: Asking) -> None:
    assert any("/" in each.id for each in EVERY)
    ask.of("conversations/chatwoot/215002", 404)


def test_what_does_not_exist_is_not_found(ask: Asking) -> None:
    ask.get("/projects/nobody/conversations", 404)
    ask.of("conversations/nobody", 404)
    ask.of("conversion-metrics/nothing", 404)
    ask.of("conversations/insights/trending-topics/job/nothing", 404)
    ask.of("analytics/kbs/nothing/items", 404)
    ask.get("/playbooks/nothing/active", 404)
    ask.get(f"/projects/{SMALL}/conversations/{EVERY[0].id}", 404)


def test_analytics_are_the_plain_counts_of_the_records(ask: Asking) -> None:
    found, expected = ask.of("conversations/analytics", **APRIL), of_april()
    handoffs = sum(each.handoff for each in expected)
    latencies = [value for each in expected for value in each.latencies]
    assert found["total_conversations"] == len(expected)
    assert found["conversations_with_handoff"] == handoffs
    assert found["conversations_without_handoff"] == len(expected) - handoffs
    assert found["deflection_rate"] == pytest.approx(100 * (len(expected) - handoffs) / len(expected), abs=1e-3)
    assert found["total_messages"] == sum(len(each.messages) for each in expected)
    assert found["avg_response_latency_ms"] == round(fmean(latencies))
    assert found["winback_sent_count"] == sum(each.winback_at is not None for each in expected)
    assert found["winback_answered_count"] == sum(each.winback_answered for each in expected)
    by_playbook = Counter(each.playbook.name for each in expected)
    assert {row["playbook_name"]: row["total_conversations"] for row in found["by_playbook"]} == by_playbook
    by_tag = Counter(tag for each in expected for tag in each.tags)
    assert {row["tag"]: row["total_conversations"] for row in found["by_tag"]} == by_tag
    days = Counter(each.last_at.date().isoformat() for each in expected)
    series = {point["timestamp"]: point for point in found["time_series"]}
    assert found["time_granularity"] == "day"
    assert {day: point["total_conversations"] for day, point in series.items() if point["total_conversations"]} == days
    busiest = max(days, key=lambda day: days[day])
    of_day = [value for each in expected if each.last_at.date().isoformat() == busiest for value in each.latencies]
    assert (series[busiest]["min_response_latency_ms"], series[busiest]["max_response_latency_ms"]) == (
        min(of_day), max(of_day),
    )  # fmt: skip
    assert max(of_day) >= series[busiest]["p99_response_latency_ms"] >= series[busiest]["avg_response_latency_ms"]


def test_analytics_take_several_assistants_and_every_tag(ask: Asking) -> None:
    bases = sorted({each.base_id for each in PROJECT.playbooks})[:2]
    found = ask.of("conversations/analytics", **APRIL, playbook_base_ids=",".join(bases), tags="billing,refund")
    assert found["total_conversations"] == sum(
        bool({used.base_id for used in each.playbooks} & set(bases)) and {"billing", "refund"} <= set(each.tags)
        for each in of_april()
    )


def test_a_short_window_is_cut_into_hours_and_an_empty_one_has_zeros(ask: Asking) -> None:
    found = ask.of("conversations/analytics", start_date="2026-05-04T00:00:00Z", end_date="2026-05-05T00:00:00Z")
    assert found["time_granularity"] == "hour"
    assert all(point["timestamp"].endswith(":00:00Z") for point in found["time_series"])
    gaps = [point for point in found["time_series"] if not point["total_conversations"]]
    assert gaps
    assert all(point["p99_response_latency_ms"] is None for point in gaps)
    empty = ask.of("conversations/analytics", start_date="2020-01-01T00:00:00Z", end_date="2020-02-01T00:00:00Z")
    assert (empty["total_conversations"], empty["deflection_rate"], empty["time_series"]) == (0, 0, [])


def test_the_account_is_the_sum_of_its_projects(ask: Asking) -> None:
    found = ask.get("/account/conversations/analytics", **APRIL)
    expected = [each for project in WORLD.projects for each in project.conversations if in_april(each.last_at)]
    said = [message for each in expected for message in each.messages if message.role == "assistant"]
    assert (found["total_conversations"], found["total_ai_messages"]) == (len(expected), len(said))
    assert sum(row["total_conversations"] for row in found["by_assistant"]) == len(expected)


def test_the_aggregate_counts_the_labels_of_what_is_scored(ask: Asking) -> None:
    found, expected = ask.of("conversations/metrics/aggregate", **APRIL), of_april()
    scored = [each.signals for each in expected if each.scored]
    assert (found["total_conversations"], found["total_scored_conversations"]) == (len(expected), len(scored))
    assert found["coverage_percentage"] == pytest.approx(100 * len(scored) / len(expected), abs=1e-3)
    for word, name in {"sentiment": "sentiment", "resources": "resources", "sentiment_shift": "shift"}.items():
        labels = Counter(label for signals in scored if (label := getattr(signals, name)))
        assert found[f"{word}_distribution"] == labels
    # Each of the two applies to a part of the scored conversations only.
    of_outcomes = [found[f"{word}_distribution"] for word in ("deflection_quality", "handoff_reason")]
    assert sum(sum(each.values()) for each in of_outcomes) == len(scored)
    assert all(sum(each.values()) < len(scored) for each in of_outcomes)


def test_an_unscored_conversation_has_no_labels_until_it_is_scored(fresh: Asking) -> None:
    unscored = next(each for each in EVERY if each.signals and not each.scored)
    path = f"conversations/{quote(unscored.id, safe='')}"
    before = fresh.of(f"{path}/metrics")
    assert {before.pop("conversation_id")} == {unscored.id}
    assert set(before.values()) == {None}
    after = fresh.post(f"{path}/metrics/analyze")
    assert after == fresh.of(f"{path}/metrics")
    assert after["sentiment_label"] == fresh.of(path)["sentiment_label"] == unscored.signals.sentiment
    assert after["message_count_at_scoring"] == len(unscored.messages)


def test_a_conversation_of_one_message_cannot_be_scored(fresh: Asking) -> None:
    short = next(each for each in EVERY if len(each.messages) == 1)
    fresh.post(f"conversations/{quote(short.id, safe='')}/metrics/analyze", status=400)


def test_a_topic_analysis_is_asked_for_watched_and_read(fresh: Asking) -> None:
    topics = "conversations/insights/trending-topics"
    assert fresh.of(f"{topics}/status", tags="billing")["status"] == "none"
    started = fresh.post(f"{topics}/generate", {"tags": ["billing"]})
    assert started["status"] == "pending"
    assert fresh.of(f"{topics}/status", tags="billing")["status"] == "pending"
    looks = [fresh.of(f"{topics}/job/{started['job_id']}") for _ in range(5)]
    assert [look["status"] for look in looks] == ["pending", "running", "running", "completed", "completed"]
    assert [look["progress"] for look in looks] == [0, 35, 80, 100, 100]
    found = fresh.of(f"{topics}/analysis/{looks[-1]['analysis_id']}")
    assert fresh.of(f"{topics}/status", tags="billing") == {"status": "completed", "analysis": found}
    meant = [each for each in EVERY if "billing" in each.tags and NOW - timedelta(days=7) <= each.last_at < NOW]
    intents = Counter(each.signals.intent for each in meant if each.scored)
    assert (found["total_conversations"], found["conversations_analyzed"]) == (len(meant), intents.total())
    assert {topic["name"]: topic["conversation_count"] for topic in found["topics"]} == intents
    fresh.post(f"{topics}/generate", {"tags": ["billing"]}, 409)
    fresh.post(f"{topics}/generate")


def test_a_topic_analysis_of_nothing_fails_and_may_be_asked_for_again(fresh: Asking) -> None:
    topics = "conversations/insights/trending-topics"
    started = fresh.post(f"{topics}/generate", {"playbook_base_ids": ["nobody's"]})
    looks = [fresh.of(f"{topics}/job/{started['job_id']}") for _ in range(3)]
    assert [look["status"] for look in looks] == ["pending", "failed", "failed"]
    assert looks[-1]["analysis_id"] is None
    fresh.post(f"{topics}/generate", {"playbook_base_ids": ["nobody's"]})
