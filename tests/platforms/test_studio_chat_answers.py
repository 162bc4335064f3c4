"""What Studio Chat's documents contradict themselves about in answers, and where a reader slips, met by the client."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from talkscope.errors import (
    BadAnswer,
    NotFound,
    TalkscopeError,
)
from talkscope.platforms import studio_chat
from talkscope.platforms.studio_chat import models
from tests.platforms.studio_chat import WINDOW, Service, answer, call

CHAT: dict[str, Any] = {"conversation_id": "118", "message_count": 4, "has_handoff": False, "tags": []}


def read(name: str, payload: object) -> Any:
    return Service(payload).send(call(name))


def test_a_summary_row_may_call_two_signals_by_either_name() -> None:
    rows = [
        {**CHAT, "sentiment": "negative", "resources": "partial"},
        {**CHAT, "sentiment_label": "negative", "resources_label": "partial"},
        {**CHAT, "sentiment_label": None, "resources_label": None, "sentiment": "negative", "resources": "partial"},
    ]
    page = read("conversation_summaries", {"conversations": rows, "total": 3, "limit": 50, "offset": 0})
    assert [(row.sentiment_label, row.resources_label) for row in page.conversations] == [("negative", "partial")] * 3


@pytest.mark.parametrize("listed", ["conversations", "summaries", "items"])
def test_the_list_of_summaries_may_have_any_name(listed: str) -> None:
    page = read("conversation_summaries", {listed: [CHAT], "total": 1, "limit": 50, "offset": 0})
    assert [row.conversation_id for row in page.conversations] == ["118"]


def test_the_words_of_a_handoff_reason_are_its_detail_by_either_name() -> None:
    for name in ("handoff_reason_detail", "handoff_reason_reason"):
        row = read("conversation_metrics", {"handoff_reason": "policy", name: "Refunds need a person."})
        assert (row.handoff_reason, row.handoff_reason_detail) == ("policy", "Refunds need a person.")


def test_a_conversation_needs_nothing_but_its_id() -> None:
    bare = read("conversation", {"conversation_id": "118"})
    nulls = read("conversation", dict.fromkeys(models.ConversationDetail.model_fields) | {"conversation_id": "118"})
    assert bare == nulls
    assert (bare.tags, bare.skills, bare.messages, bare.has_handoff, bare.sentiment_label) == ((), (), (), None, None)


def test_an_unscored_conversation_has_no_signals() -> None:
    metrics = read("conversation_metrics", dict.fromkeys(models.ConversationMetrics.model_fields))
    assert set(metrics.model_dump().values()) == {None}


def test_labels_of_tomorrow_are_taken_as_they_are() -> None:
    page = read(
        "conversations",
        {"conversations": [{**CHAT, "sentiment_label": "elated"}], "total": 1, "limit": 20, "offset": 0},
    )
    assert page.conversations[0].sentiment_label == "elated"


def test_times_without_an_offset_are_utc_and_a_bucket_may_be_a_date() -> None:
    row = read("conversation", {"conversation_id": "1", "last_message_at": "2026-04-07T08:09:10.5"})
    assert row.last_message_at == datetime(2026, 4, 7, 8, 9, 10, 500_000, UTC)
    row = read("conversation", {"conversation_id": "1", "last_message_at": "2026-04-07T08:09:10-03:00"})
    assert row.last_message_at == datetime(2026, 4, 7, 11, 9, 10, tzinfo=UTC)
    for bucket in ("2026-04-07", "2026-04-07T00:00:00", "2026-04-07T00:00:00Z"):
        lines = read("skill_sparklines", {"refund": {"total": 2, "series": [{"date": bucket, "count": 2}]}})
        assert lines["refund"].series[0].date == datetime(2026, 4, 7, tzinfo=UTC)


def test_the_arguments_of_a_tool_are_json_as_text() -> None:
    tools = [
        {"id": "1", "name": "a", "arguments": '{"query": "refund"}', "tool_type": "kb_search"},
        {"id": "2", "name": "b", "arguments": {"query": "refund"}, "tool_type": "custom"},
        {"id": "3", "name": "c", "arguments": "{broken", "tool_type": "of tomorrow", "result": [1, None]},
    ]
    message = {"role": "assistant", "content": None, "tool_calls": tools, "metadata": None, "attachments": None}
    history = read("conversation_messages", {"messages": [message], "citations": None})
    found = history.messages[0].tool_calls
    assert [each.params for each in found] == [{"query": "refund"}, {"query": "refund"}, "{broken"]
    assert found[2].result == [1, None]


def test_no_message_promises_tokens_or_costs() -> None:
    message = {
        "role": "assistant",
        "content": "Hi",
        "metadata": {"input_tokens": 3, "cost": 0.1, "playbook_version": 2},
    }
    history = read("conversation_messages", {"messages": [message], "citations": []})
    assert history.messages[0].metadata.playbook_version == 2
    assert not {each for each in models.MessageMetadata.model_fields if "token" in each or "cost" in each}


def test_the_denominator_of_a_signal_is_the_sum_of_its_distribution() -> None:
    aggregate = read(
        "metrics_aggregate",
        answer(
            "MetricsAggregate",
            total_conversations=200,
            total_scored_conversations=100,
            deflection_quality_distribution={"resolved": 30, "partial": 10},
            handoff_reason_distribution={"policy": 15},
            resources_distribution=None,
        ),
    )
    quality = aggregate.deflection_quality_distribution
    assert (quality.n, quality.share("resolved"), quality.share("actioned")) == (40, 75.0, 0.0)
    assert aggregate.handoff_reason_distribution.share("policy") == 100.0
    assert (aggregate.resources_distribution.n, aggregate.resources_distribution.share("relevant")) == (0, None)


def test_a_rate_of_nothing_is_unknown_and_not_zero() -> None:
    analytics = read(
        "conversation_analytics",
        answer("ConversationAnalytics", total_conversations=0, deflection_rate=0, avg_response_latency_ms=0)
        | {"time_series": [answer("ConversationTimePoint", total_conversations=0, p99_response_latency_ms=0)]},
    )
    assert (analytics.deflection_rate, analytics.avg_response_latency_ms) == (None, None)
    assert analytics.time_series[0].p99_response_latency_ms is None
    assert read("metrics_aggregate", answer("MetricsAggregate", total_conversations=0)).coverage_percentage is None
    csat = read("csat_analytics", answer("CsatAnalytics", is_configured=True, total_rated=0, eligible_deflected=5))
    assert (csat.csat_score_pct, csat.dsat_score_pct, csat.response_rate_pct) == (None, None, 3.25)
    csat = read("csat_analytics", answer("CsatAnalytics", is_configured=True, total_rated=5, eligible_deflected=0))
    assert (csat.csat_score_pct, csat.dsat_score_pct, csat.response_rate_pct) == (3.25, 3.25, None)


def test_rates_whose_unit_is_documented_nowhere_are_worked_out_from_counts() -> None:
    analytics = read(
        "conversation_analytics", answer("ConversationAnalytics", winback_sent_count=8, winback_answered_count=2)
    )
    assert analytics.winback_answered_pct == 25.0
    none = answer("ConversationAnalytics", winback_sent_count=0, winback_answered_count=0)
    assert read("conversation_analytics", none).winback_answered_pct is None
    topic = answer("Topic", conversation_count=40, handoff_count=10, handoff_rate=0.25)
    analysis = read("trending_topics_analysis", answer("TrendingTopicsAnalysis", topics=[topic]))
    assert analysis.topics[0].handoff_pct == 25.0


def test_time_saved_is_five_minutes_for_each_message_of_an_assistant() -> None:
    assert read("account_analytics", answer("AccountAnalytics", total_ai_messages=12)).minutes_saved == 60


def test_satisfaction_that_is_not_configured_is_not_zero_percent() -> None:
    zeros = {"total_rated": 0, "csat_score_pct": 0, "response_rate_pct": 0.0, "rating_distribution": {}, "ratings": []}
    csat = read("csat_analytics", {"is_configured": False, **zeros})
    assert not csat.is_configured
    assert {name: value for name, value in csat.model_dump().items() if value is not None} == {
        "is_configured": False,
        "time_series": (),
        "ratings": (),
    }


def test_low_ratings_shown_are_of_the_low_ratings_and_not_of_all() -> None:
    low = answer(
        "CsatAnalytics",
        is_configured=True,
        total_rated=50,
        rating_distribution={"1": 3, "2": 4, "5": 43},
        ratings=[answer("CsatRating", rating=1, tags=None)],
    )
    csat = read("csat_analytics", low)
    assert (csat.total_rated, csat.rated_up_to(2), csat.rated_up_to(5), csat.rating_distribution.n) == (50, 7, 50, 50)
    assert csat.ratings[0].tags == ()
    assert read("csat_analytics", {"is_configured": False}).rated_up_to(2) is None


def test_an_unknown_conversion_metric_is_not_found_but_its_analytics_are_not_configured() -> None:
    with pytest.raises(NotFound):
        Service("no such metric", status=404).send(call("conversion_metric"))
    analytics = read("conversion_analytics", {"is_configured": False, "total_events": 0, "conversion_rate_pct": 0})
    assert (analytics.is_configured, analytics.conversion_rate_pct, analytics.definition) == (False, None, None)


def test_conversion_metrics_can_be_listed_whatever_the_note_says() -> None:
    found = read("conversion_metrics", [answer("ConversionMetric", slug="sales")])
    assert [each.slug for each in found] == ["sales"]


def test_a_conversion_metric_whose_last_event_is_old_is_stale() -> None:
    now = datetime(2026, 5, 1, tzinfo=UTC)
    for last, stale in [("2026-04-30T12:00:00Z", False), ("2026-04-20T00:00:00Z", True), (None, True)]:
        metric = read("conversion_metric", answer("ConversionMetric", last_event_at=last))
        assert metric.is_stale(now) is stale


@pytest.mark.parametrize("spelled", ["INTERCOM", "intercom", "Intercom"])
def test_the_kind_of_a_knowledge_base_is_in_capitals(spelled: str) -> None:
    found = read("knowledge_bases", [answer("KnowledgeBase", kb_type=spelled)])
    assert found[0].kb_type == "INTERCOM"


@pytest.mark.parametrize("name", ["api_tool_usage", "toolkit_usage"])
def test_a_duration_may_be_unknown(name: str) -> None:
    schema = {"api_tool_usage": "ApiToolUsage", "toolkit_usage": "ToolkitUsage"}[name]
    assert read(name, answer(schema, avg_duration_ms=None)).avg_duration_ms is None
    assert read(name, answer(schema, total_calls=8, successful_calls=6)).success_pct == 75.0
    assert read(name, answer(schema, total_calls=0, successful_calls=0)).success_pct is None


def test_extras_of_one_tool_or_one_filter_are_there_only_then() -> None:
    usage = answer("ToolkitUsage")
    del usage["by_param"]
    assert read("toolkit_usage", usage).by_param == ()
    assert read("api_tool_usage", answer("ApiToolUsage", tool_config=None)).tool_config is None


def test_citations_of_knowledge_bases_are_read_however_they_are_named() -> None:
    guessed = read("kb_citations", {"total": 5, "by_source": {"faq": 3, "article": 2}, "recent": None, "hits": [1]})
    assert guessed.total_citations == 5
    assert [(each.source, each.count) for each in guessed.by_source] == [("faq", 3), ("article", 2)]
    assert guessed.model_dump()["hits"] == [1]
    assert read("kb_citations", {}).total_citations is None


@pytest.mark.parametrize(
    "series",
    [
        [{"date": "2026-04-07", "count": 3}],
        [{"day": "2026-04-07", "citations": 3}],
        [{"timestamp": "2026-04-07T00:00:00Z", "total": 3, "date": None}, {"date": "2026-04-08"}, "odd", None],
        {"2026-04-07": 3},
    ],
)
def test_days_of_citations_are_read_by_any_of_their_likely_names(series: object) -> None:
    found = read("kb_citations", {"time_series": series}).time_series
    assert [(each.date, each.count) for each in found] == [(datetime(2026, 4, 7, tzinfo=UTC), 3)]


@pytest.mark.parametrize("odd", ["odd", 7, ["odd"], {"odd": {"a": 1}}, [{"a": 1, "count": "many"}]])
def test_a_part_of_the_citations_that_nobody_can_read_takes_nothing_from_the_rest(odd: object) -> None:
    rest = {"total_citations": 5, "recent": [{"id": "c1"}]}
    for name in ("by_source", "time_series"):
        found = read("kb_citations", {**rest, name: odd})
        assert (found.total_citations, found.recent, getattr(found, name)) == (5, ({"id": "c1"},), ())
    found = read("kb_citations", {"total": 5, "total_citations": odd, "recent": odd, "by_source": {"faq": 3}})
    assert (found.by_source[0].source, found.by_source[0].count) == ("faq", 3)


@pytest.mark.parametrize("name", ["projects", "api_tools", "eval_cases", "active_playbook_history"])
def test_a_list_may_come_bare_or_in_an_envelope(name: str) -> None:
    item = {
        "projects": {"id": "1", "colour": "red"},
        "api_tools": {"id": "1", "colour": "red"},
        "eval_cases": {"id": "1"},
        "active_playbook_history": {"version_number": 1, "activated_at": "2026-04-07T00:00:00Z"},
    }[name]
    bare, enveloped = read(name, [item]), read(name, {"items": [item], "total": 1})
    assert bare == enveloped
    assert len(bare) == 1
    for odd in ({}, {"items": None}, {"items": {"a": 1}}, [1]):
        with pytest.raises(BadAnswer):
            read(name, odd)


def test_what_no_document_names_is_kept_as_it_came() -> None:
    assert read("projects", [{"id": "1", "colour": "red"}])[0].model_dump()["colour"] == "red"
    assert read("eval_run", {"scores": [1]}).model_dump() == {"id": None, "scores": [1]}
    for odd in ({"conversations": [{"id": 1}]}, [{"id": 1}]):
        assert read("analyst_conversations", odd) == odd
        assert read("analyst_conversation_messages", odd) == odd


@pytest.mark.parametrize(
    ("history", "versions"),
    [
        ([{"version_number": 1}, {"version_number": 2}], 2),
        ({"versions": [{"version_number": 1}], "total": 1}, 1),
        ({"version_number": 1}, 1),
        ({}, 1),
        ([], 0),
    ],
)
def test_the_history_of_an_assistant_has_any_shape(history: object, versions: int) -> None:
    assert len(read("playbook_history", history)) == versions


def test_settings_that_were_never_set_are_none() -> None:
    assert Service((200, "null")).send(call("playbook_settings")) is None
    settings = read("playbook_settings", {"is_disabled": True, "url_shortener": None, "winback": {"hours": 4}})
    assert (settings.is_disabled, settings.winback) == (True, {"hours": 4})


@pytest.mark.parametrize(
    ("status", "body"),
    [(400, "start_date must be before end_date"), (404, '{"detail": "no such project"}'), (409, ""), (422, '["odd"]')],
)
def test_a_refusal_of_any_shape_is_an_error_with_its_status(status: int, body: str) -> None:
    with pytest.raises(TalkscopeError) as caught:
        Service((status, body)).send(studio_chat.conversation_analytics("p", **WINDOW))
    assert caught.value.status == status
    assert caught.value.message


@pytest.mark.parametrize("name", [name for name in studio_chat.CALLS if not name.startswith("analyst_")])
def test_an_answer_of_another_kind_is_a_bad_answer_that_shows_nothing_of_it(name: str) -> None:
    with pytest.raises(BadAnswer) as caught:
        Service("secret words").send(call(name))
    assert "secret" not in str(caught.value)
