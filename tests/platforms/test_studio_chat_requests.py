"""What a reader of Studio Chat's documents would ask wrongly: refused, or put right, before anything is sent."""

from __future__ import annotations

import time
from datetime import UTC, date, datetime, timedelta, timezone

import pytest

from talkscope.errors import (
    APIError,
    InvalidArgument,
    InvalidRange,
    UnknownArgument,
)
from talkscope.platforms import studio_chat
from tests.platforms.studio_chat import Service, call


def sent(name: str, **words: object) -> dict[str, str]:
    return dict(call(name, **words).params)


def test_exporting_messages_costs_a_request_for_fifty_conversations_and_changes_nothing() -> None:
    ids = [f"conv-{each}" for each in range(50)]
    service = Service({"conversations": []})
    asked = studio_chat.conversation_batch("p", ids)
    service.send(asked)
    assert (asked.method, asked.read_only, asked.deadline) == ("POST", True, 60.0)
    assert len(service.requests) == 1
    with pytest.raises(InvalidArgument, match="holds 51 ids; 50 are the most") as caught:
        studio_chat.conversation_batch("p", [*ids, "one more"])
    assert "conversation_batches" in caught.value.hint


def test_ids_of_a_batch_may_hold_commas_in_a_list_and_are_asked_for_once() -> None:
    assert call("conversation_batch", conversation_ids=["a,b", "c", "a,b"]).body == {"conversation_ids": ["a,b", "c"]}
    assert call("conversation_batch", conversation_ids="a,b").body == {"conversation_ids": ["a", "b"]}
    with pytest.raises(InvalidArgument, match="conversation_ids is empty"):
        call("conversation_batch", conversation_ids=[])


@pytest.mark.parametrize("name", ["conversation_analytics", "trending_topics_status", "generate_trending_topics"])
def test_some_calls_take_several_assistants(name: str) -> None:
    asked = call(name, playbook_base_ids=["a", "b"])
    told = dict(asked.params).get("playbook_base_ids") or asked.body
    assert told in ("a,b", {"playbook_base_ids": ["a", "b"]})
    with pytest.raises(UnknownArgument) as caught:
        call(name, playbook_base_id="a")
    assert "playbook_base_ids" in caught.value.hint


@pytest.mark.parametrize(
    "name",
    ["conversations", "conversation_summaries", "metrics_aggregate", "csat_analytics", "conversion_analytics"],
)
def test_the_others_take_one_assistant(name: str) -> None:
    assert sent(name, playbook_base_id="def-456")["playbook_base_id"] == "def-456"
    with pytest.raises(UnknownArgument) as caught:
        call(name, playbook_base_ids=["a"])
    assert "playbook_base_id" in caught.value.hint


@pytest.mark.parametrize(
    ("given", "wire"),
    [
        ("2025-01-01T00:00:00Z", "2025-01-01T00:00:00Z"),
        ("2025-01-01T00:00:00-03:00", "2025-01-01T00:00:00-03:00"),
        ("2025-01-01T00:00:00", "2025-01-01T00:00:00Z"),
        ("2025-01-01", "2025-01-01T00:00:00Z"),
        ("2025-01-01T10:20:30.5Z", "2025-01-01T10:20:30.500000Z"),
        (date(2025, 1, 1), "2025-01-01T00:00:00Z"),
        (datetime(2025, 1, 1, 6, tzinfo=UTC), "2025-01-01T06:00:00Z"),
        (datetime(2025, 1, 1, tzinfo=timezone(timedelta(hours=-5))), "2025-01-01T00:00:00-05:00"),
    ],
)
@pytest.mark.parametrize("zone", ["UTC", "Asia/Tokyo"])
def test_conversation_calls_take_instants_in_utc_unless_they_have_an_offset(
    given: object, wire: str, zone: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Wherever this machine is.
    monkeypatch.setenv("TZ", zone)
    time.tzset()
    try:
        both_dates_go_out_as(given, wire)
    finally:
        monkeypatch.undo()
        time.tzset()


def both_dates_go_out_as(given: object, wire: str) -> None:
    assert sent("conversations", start_date=given)["start_date"] == wire
    assert sent("csat_analytics", end_date=given)["end_date"] == wire


@pytest.mark.parametrize(
    "given",
    [
        "2025-01-01",
        "2025-01-01T00:00:00Z",
        "2024-12-31T21:00:00-03:00",
        date(2025, 1, 1),
        datetime(2025, 1, 1, tzinfo=UTC),
    ],
)
def test_resource_calls_take_days_however_midnight_is_written(given: object) -> None:
    for name in ("api_tool_usage", "toolkit_usage", "skill_usage", "kb_citations", "kb_item_citations"):
        assert sent(name, start_date=given, end_date=given) == {"start_date": "2025-01-01", "end_date": "2025-01-01"}


@pytest.mark.parametrize("name", ["conversations", "skill_usage"])
@pytest.mark.parametrize(
    "bad", ["yesterday", "", "2025-02-30", "2025-13-01T00:00:00Z", 1735689600, True, "0001-01-01T00:00:00+10:00"]
)
def test_a_time_that_is_none_is_refused_with_an_example(name: str, bad: object) -> None:
    with pytest.raises(InvalidArgument) as caught:
        call(name, start_date=bad)
    assert "2025-01-01" in caught.value.hint


def test_a_time_within_a_day_is_no_day() -> None:
    with pytest.raises(InvalidArgument, match="start_date is a time within a day"):
        call("skill_usage", start_date="2025-01-01T10:00:00Z")


def test_a_window_that_ends_before_it_starts_is_refused_by_instants_not_by_texts() -> None:
    with pytest.raises(InvalidRange):
        call("conversations", start_date="2025-02-01", end_date="2025-01-01")
    with pytest.raises(InvalidRange):
        call("kb_citations", start_date="2025-02-01", end_date="2025-01-01")
    with pytest.raises(InvalidRange):
        call("conversations", start_date="2025-01-01T00:00:00-03:00", end_date="2025-01-01T01:00:00Z")
    assert call("conversations", start_date="2025-01-01T02:00:00Z", end_date="2025-01-01T00:00:00-03:00").params


def test_no_messages_at_least_is_a_filter_too() -> None:
    told = sent("conversations", min_messages=0, max_messages=0)
    assert told == {"min_messages": "0", "max_messages": "0"}
    with pytest.raises(InvalidArgument, match="min_messages is more than max_messages"):
        call("conversations", min_messages=3, max_messages=2)


def test_the_four_newer_signals_filter_although_the_vendors_export_has_no_flags_for_them() -> None:
    told = sent(
        "conversations",
        sentiment_shift="degraded",
        deflection_quality=["actioned", "no_response"],
        handoff_reason="frustration,bot_limitation",
        recontact_risk=("high",),
    )
    assert told == {
        "sentiment_shift": "degraded",
        "deflection_quality": "actioned,no_response",
        "handoff_reason": "frustration,bot_limitation",
        "recontact_risk": "high",
    }


def test_a_filter_of_parameters_is_a_key_and_a_value() -> None:
    assert sent("toolkit_usage", param_filter="url:https://x")["param_filter"] == "url:https://x"
    for bad in ("ticket_type_id", ":67", "key:", ""):
        with pytest.raises(InvalidArgument):
            call("toolkit_usage", param_filter=bad)


@pytest.mark.parametrize("name", ["csat_analytics", "conversion_analytics"])
def test_a_tree_of_tags_is_json_and_stands_alone(name: str) -> None:
    tree = {"AND": ["billing", {"NOT": "é"}]}
    wire = '{"AND":["billing",{"NOT":"é"}]}'
    assert sent(name, tag_filter=tree)["tag_filter"] == wire
    assert sent(name, tag_filter='{"AND": ["billing", {"NOT": "é"}]}')["tag_filter"] == wire
    for bad in ("{", "[]", "billing", "", {}, {"a": object()}, {"a": float("nan")}, 3, "[" * 10**5):
        with pytest.raises(InvalidArgument, match="tag_filter is no JSON object"):
            call(name, tag_filter=bad)
    with pytest.raises(InvalidArgument, match="ignores tags beside tag_filter"):
        call(name, tag_filter=tree, tags="billing")


def test_sparklines_of_toolkits_lie_below_toolkit_calls() -> None:
    assert call("toolkit_sparklines").path.endswith("/analytics/toolkit-calls/sparklines")
    assert call("toolkit_usage").path.endswith("/analytics/toolkits")


def test_scoring_and_generating_are_the_only_side_effects_and_are_never_retried() -> None:
    assert [name for name in studio_chat.CALLS if not call(name).read_only] == [
        "analyze_conversation",
        "generate_trending_topics",
    ]
    service = Service({}, status=503)
    with pytest.raises(APIError):
        service.send(call("analyze_conversation"))
    assert [(each.method, each.content) for each in service.requests] == [("POST", b"")]
