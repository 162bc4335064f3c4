"""Studio Chat's ratings, conversions, calls and citations as records, and the figures that have no rows."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from talkscope.platforms.studio_chat import models, records
from tests.platforms.recorded import Row, figures, of, one, rows, us

START, END = datetime(2026, 5, 1, tzinfo=UTC), datetime(2026, 5, 5, tzinfo=UTC)
CSAT: dict[str, Any] = {
    "is_configured": True, "total_rated": 9, "csat_score_pct": 66.7, "dsat_score_pct": 22.2, "eligible_deflected": 30,
    "response_rate_pct": 30.0, "rating_distribution": {"5": 6, "3": 1, "1": 2}, "positive_count": 6,
    "neutral_count": 1, "negative_count": 2,
    "ratings": [
        {"conversation_id": "118", "rating": 2, "remark": "Had to ask twice", "rated_at": "2026-05-04T09:00:00Z",
         "tags": ["billing"], "first_message_at": "2026-05-03T10:00:00Z"},
        {"conversation_id": "119", "rating": 5, "remark": None, "rated_at": None, "tags": [],
         "first_message_at": "2026-05-02T10:00:00Z"},
        {"conversation_id": "120", "rating": 4},
    ],
}  # fmt: skip
CONVERSION: dict[str, Any] = {
    "is_configured": True,
    "definition": {"name": "Purchases", "slug": "purchases", "value_label": "EUR", "enabled": True,
                   "last_event_at": None},
    "total_events": 2, "total_value": 50.0, "avg_value": 25.0, "converting_conversations": 1,
    "eligible_conversations": 30, "conversion_rate_pct": 3.3, "avg_value_per_conversation": 50.0,
    "events": [
        {"id": "e1", "conversation_id": "118", "match_value": "ana@mail.example", "idempotency_key": "k1",
         "value": 19.5, "occurred_at": "2026-05-04T09:00:00+02:00", "metadata": {"order": 7}, "tags": ["vip"]},
        {"id": "e2", "conversation_id": None, "match_value": None, "value": None,
         "occurred_at": "2026-05-04T10:00:00Z"},
    ],
}  # fmt: skip
CALL: dict[str, Any] = {
    "id": "r1", "input_params": {"order_id": "4711"}, "output_result": None, "request_meta": {"status": 503},
    "success": False, "error_message": "upstream said 503", "duration_ms": 812.5,
    "created_at": "2026-05-04T09:00:00Z", "conversation_id": "118",
}  # fmt: skip
USE: dict[str, Any] = {"total_calls": 1, "successful_calls": 0, "failed_calls": 1}


def rated(told: dict[str, Any], known: dict[str, datetime] | None = None) -> list[Row]:
    answer = models.CsatAnalytics.model_validate(told)
    return rows(lambda: records.ratings(answer, START, END, last_message_at=known))


def converted(told: dict[str, Any], slug: str | None = None) -> list[Row]:
    answer = models.ConversionAnalytics.model_validate(told)
    return rows(lambda: records.conversions(answer, START, END, slug=slug))


def cited(told: dict[str, Any]) -> list[Row]:
    answer = models.KnowledgeBaseCitations.model_validate(told)
    return rows(lambda: records.citations(answer, START, END))


def test_a_rating_counts_by_its_conversations_last_message_where_that_is_known() -> None:
    last = datetime(2026, 5, 3, 11, tzinfo=UTC)
    assert of(rated(CSAT, {"118": last}), "rating")[0] == {
        "type": "rating",
        "platform": "studio_chat",
        "rating_id": "118",
        "session_id": "118",
        "time": us("2026-05-03T11:00:00Z"),
        "rating": 2.0,
        "rating_scale": 5.0,
        "kind": "csat",
        "remark": "Had to ask twice",
        "tags": ["billing"],
        "attributes": {"rated_at": "2026-05-04T09:00:00+00:00"},
    }


def test_else_it_counts_by_when_it_was_given_or_when_the_conversation_began() -> None:
    assert [(each["session_id"], each["time"]) for each in of(rated(CSAT), "rating")] == [
        ("118", us("2026-05-04T09:00:00Z")),
        ("119", us("2026-05-02T10:00:00Z")),
    ]


def test_satisfaction_of_all_conversations_is_figures_of_the_window() -> None:
    assert figures(rated(CSAT)) == {
        "studio_chat.csat.is_configured": 1.0,
        "studio_chat.csat.total_rated": 9.0,
        "studio_chat.csat.eligible_deflected": 30.0,
        "studio_chat.csat.csat_score_pct": 66.7,
        "studio_chat.csat.dsat_score_pct": 22.2,
        "studio_chat.csat.response_rate_pct": 30.0,
    }


def test_satisfaction_that_is_not_configured_is_no_0_percent() -> None:
    assert figures(rated({**CSAT, "is_configured": False})) == {"studio_chat.csat.is_configured": 0.0}
    nobody = rated({**CSAT, "total_rated": 0, "csat_score_pct": 0, "dsat_score_pct": 0, "ratings": None})
    assert "studio_chat.csat.csat_score_pct" not in figures(nobody)
    assert figures(nobody)["studio_chat.csat.total_rated"] == 0.0


def test_a_conversion_counts_by_when_it_happened() -> None:
    first, second = of(converted(CONVERSION), "conversion")
    assert first == {
        "type": "conversion",
        "platform": "studio_chat",
        "conversion_id": "purchases/e1",
        "session_id": "118",
        "time": us("2026-05-04T07:00:00Z"),
        "metric": "purchases",
        "value": 19.5,
        "unit": "EUR",
        "tags": ["vip"],
        "attributes": {
            "title": "Purchases", "match_value": "ana@mail.example", "idempotency_key": "k1", "metadata": {"order": 7},
        },
    }  # fmt: skip
    assert not {"session_id", "value", "tags"} & set(second)


def test_a_metric_that_no_one_made_says_so_and_nothing_else() -> None:
    unknown: dict[str, Any] = {
        "is_configured": False,
        "definition": None,
        "total_events": 0,
        "events": [],
        "conversion_rate_pct": 0.0,
    }
    assert figures(converted(unknown, "typo"), "metric") == {("studio_chat.conversions.is_configured", "typo"): 0.0}
    assert converted(unknown) == []
    assert figures(converted(CONVERSION), "metric") == {
        ("studio_chat.conversions.is_configured", "purchases"): 1.0,
        ("studio_chat.conversions.converting_conversations", "purchases"): 1.0,
        ("studio_chat.conversions.eligible_conversations", "purchases"): 30.0,
        ("studio_chat.conversions.conversion_rate_pct", "purchases"): 3.3,
        ("studio_chat.conversions.total_value", "purchases"): 50.0,
        ("studio_chat.conversions.is_silent", "purchases"): 1.0,
    }


def test_a_call_of_an_api_tool_goes_by_the_id_that_was_asked_for() -> None:
    config = {"method": "GET", "url": "https://shop.example/{id}"}
    told = models.ApiToolUsage.model_validate(
        {**USE, "tool_config": config, "recent": [{**CALL, "tool_name": "order_status"}]}
    )
    expected = {
        "type": "resource_call",
        "platform": "studio_chat",
        "resource_call_id": "api_tool/r1",
        "session_id": "118",
        "time": us("2026-05-04T09:00:00Z"),
        "kind": "api_tool",
        "name": "tool-1",
        "status": "error",
        "duration_ms": 812.5,
        "error_message": "upstream said 503",
        "attributes": {
            "title": "order_status", "input": {"order_id": "4711"}, "request": {"status": 503}, "config": config,
        },
    }  # fmt: skip
    assert rows(lambda: records.api_tool_calls(told, tool_id="tool-1")) == [expected]
    assert one(rows(lambda: records.api_tool_calls(told)), "resource_call")["name"] == "order_status"


def test_a_call_of_a_toolkit_has_its_action_and_may_not_be_timed() -> None:
    row = {**CALL, "toolkit_slug": "SLACK", "action_name": "SLACK_SEND_MESSAGE", "success": True, "duration_ms": None,
           "error_message": None, "conversation_id": None}  # fmt: skip
    told = models.ToolkitUsage.model_validate({**USE, "recent": [row]})
    found = one(rows(lambda: records.toolkit_calls(told)), "resource_call")
    assert (found["kind"], found["name"], found["action"], found["status"]) == (
        "toolkit", "SLACK", "SLACK_SEND_MESSAGE", "ok",
    )  # fmt: skip
    assert not {"duration_ms", "error_message", "session_id"} & set(found)


def test_a_load_of_a_skill_is_a_call_and_one_without_an_id_is_known_by_what_it_says() -> None:
    row = {"id": None, "skill_name": "refund-process", "success": True, "created_at": "2026-05-04T09:00:00Z",
           "conversation_id": "118"}  # fmt: skip
    told = models.SkillUsage.model_validate({**USE, "recent": [row]})
    assert rows(lambda: records.skill_loads(told)) == [
        {
            "type": "resource_call",
            "platform": "studio_chat",
            "session_id": "118",
            "time": us("2026-05-04T09:00:00Z"),
            "kind": "skill",
            "name": "refund-process",
            "status": "ok",
        }
    ]


@pytest.mark.parametrize(
    "row",
    [
        {"citation_id": "c1", "kb_id": "kb-1", "item_id": "i-1", "created_at": "2026-05-04T09:00:00Z"},
        {"id": "c1", "knowledge_base_id": "kb-1", "kb_item_id": "i-1", "cited_at": "2026-05-04T09:00:00"},
        {"id": "c1", "kb_id": "kb-1", "item_id": "i-1", "created_at": None, "timestamp": "2026-05-04T11:00:00+02:00"},
    ],
)
def test_a_recent_citation_is_read_by_any_of_its_likely_names(row: dict[str, object]) -> None:
    found = cited({"recent": [{**row, "conversation_id": "118", "source": "faq", "title": "Refunds"}]})
    assert one(found, "resource_call") == {
        "type": "resource_call",
        "platform": "studio_chat",
        "resource_call_id": "118/citation/c1",
        "session_id": "118",
        "time": us("2026-05-04T09:00:00Z"),
        "kind": "knowledge_base",
        "name": "kb-1",
        "item_id": "i-1",
        "attributes": {"source": "faq", "title": "Refunds"},
    }


@pytest.mark.parametrize("at", [None, "", "lately", 1_777_885_200, True])
def test_a_citation_without_a_time_that_can_be_read_is_not_kept(at: object) -> None:
    assert cited({"recent": [{"id": "c1", "kb_id": "kb-1", "created_at": at}]}) == []


def test_one_citation_is_one_record_wherever_it_is_told() -> None:
    told = {"id": "c1", "created_at": "2026-05-04T09:00:00Z", "conversation_id": "118"}
    recent = one(cited({"recent": [told]}), "resource_call")
    chat = {"conversation_id": "118", "first_message_at": "2026-05-04T09:00:00Z", "citations": [{"citation_id": "c1"}]}
    found = one(rows(lambda: records.conversation(models.ConversationDetail.model_validate(chat))), "resource_call")
    assert found["resource_call_id"] == recent["resource_call_id"]
    others = [told | {"conversation_id": None}, told | {"conversation_id": "119"}]
    ids = [each["resource_call_id"] for each in of(cited({"recent": others}), "resource_call")]
    assert ids == ["citation/c1", "119/citation/c1"]


def test_citations_by_source_and_by_item_are_figures() -> None:
    sources = [{"source": "faq", "count": 5}, {"source": None, "count": 1}, {"source": "file", "count": None}]
    assert figures(cited({"total": 6, "by_source": sources}), "source") == {
        ("studio_chat.knowledge_base.citations", None): 6.0,
        ("studio_chat.knowledge_base.citations", "faq"): 5.0,
        ("studio_chat.knowledge_base.citations", "unstated"): 1.0,
    }
    told = models.KnowledgeBaseItemCitations.model_validate({"items": [{"item_id": "i-1", "count": 4}]})
    found = rows(lambda: records.item_citations(told, "kb-1", START, END))
    assert [(each["dimensions"], each["value"]) for each in found] == [({"kb_id": "kb-1", "item_id": "i-1"}, 4.0)]


def test_how_many_conversations_were_scored_is_a_figure() -> None:
    labels = ("sentiment", "resources", "sentiment_shift", "deflection_quality", "handoff_reason", "recontact_risk")
    empty: dict[str, Any] = {f"{name}_distribution": {} for name in labels}
    told = {"total_conversations": 10, "total_scored_conversations": 7, "coverage_percentage": 70.0, **empty}
    found = rows(lambda: records.signals(models.MetricsAggregate.model_validate(told), START, END))
    assert figures(found) == {
        "studio_chat.signals.total_conversations": 10.0,
        "studio_chat.signals.scored_conversations": 7.0,
        "studio_chat.signals.coverage_pct": 70.0,
    }


def test_latencies_of_whole_buckets_are_figures_and_empty_buckets_have_none() -> None:
    point = {"total_conversations": 3, "conversations_with_handoff": 1, "avg_response_latency_ms": 900,
             "min_response_latency_ms": 100, "max_response_latency_ms": 3_000,
             "p99_response_latency_ms": 2_900}  # fmt: skip
    nothing = dict.fromkeys(point, 0)
    told = models.ConversationAnalytics.model_validate({
        "total_conversations": 9, "total_messages": 40, "conversations_with_handoff": 1,
        "conversations_without_handoff": 8, "winback_sent_count": 4, "winback_answered_count": 1,
        "winback_conversion_rate": 0.25, "time_granularity": "day",
        "time_series": [{"timestamp": "2026-04-30", **point}, {"timestamp": "2026-05-02", **point},
                        {"timestamp": "2026-05-03", **nothing}, {"timestamp": "2026-05-05", **point}],
    })  # fmt: skip
    found = rows(lambda: records.conversation_analytics(told, START, END))
    assert figures(found, "granularity") == {
        ("studio_chat.winback.sent", None): 4.0,
        ("studio_chat.winback.answered", None): 1.0,
        ("studio_chat.winback.conversion_rate", None): 0.25,
        ("studio_chat.response_latency.avg", "day"): 900.0,
        ("studio_chat.response_latency.min", "day"): 100.0,
        ("studio_chat.response_latency.max", "day"): 3_000.0,
        ("studio_chat.response_latency.p99", "day"): 2_900.0,
    }
    assert {(each["start_time"], each["end_time"]) for each in found if "dimensions" in each} == {
        (us("2026-05-02T00:00:00Z"), us("2026-05-03T00:00:00Z"))
    }


def test_an_account_tells_the_time_that_it_saved() -> None:
    told = models.AccountAnalytics.model_validate({"total_conversations": 9, "total_ai_messages": 20})
    found = rows(lambda: records.account_analytics(told, START, END))
    assert figures(found)["studio_chat.account.minutes_saved"] == 100.0
