"""Studio Chat's conversations as records: session, outcome, turns, tools and citations, field by field."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

import pytest

from talkscope.models.records import Refused, micros
from talkscope.platforms.studio_chat import models, records
from tests.platforms.recorded import Row, of, one, rows, us
from tests.vendors.studio_chat import MAIN, Habits, Studio, conversations
from tests.vendors.studio_chat.world import make

BASES = {"v-1": "base-1", "v-2": "base-1", "v-9": "base-9"}
ROW: dict[str, Any] = {
    "conversation_id": "wa:+549",
    "inbox_name": "WhatsApp",
    "playbook_name": "Support desk",
    "playbook_version": 2,
    "playbooks_info": [
        {"id": "v-9", "name": "Orders", "version": 1}, {"id": "v-1", "name": "Support desk", "version": 1},
        {"id": "v-2", "name": "Support desk", "version": 2},
    ],
    "message_count": 6,
    "first_message_at": "2026-05-05T10:00:00Z",
    "last_message_at": "2026-05-05T12:05:00+02:00",
    "first_user_message": "I am ana@mail.example",
    "last_assistant_message": "Done!",
    "has_handoff": False,
    "has_error": False,
    "tags": ["vip", "billing"],
    "skills": ["refund-process"],
    "avg_response_latency_ms": 2_100,
    "sentiment_label": "negative",
    "sentiment_reason": "Angry words.",
    "resources_label": "partial",
    "resources_reason": "Half of it.",
    "summary": "A refund was asked for.",
    "user_intent": "refund of an order",
    "sentiment_shift": "improved",
    "sentiment_shift_reason": "Thanks at the end.",
    "deflection_quality": "resolved",
    "deflection_quality_reason": "Solved.",
    "handoff_reason": None,
    "handoff_reason_detail": None,
    "recontact_risk": "low",
    "recontact_risk_reason": "Nothing open.",
    "model": "gpt-x",
    "winback_sent_at": None,
    "context": {"email": "ana@mail.example"},
}  # fmt: skip
UNSCORED: dict[str, Any] = {
    name: None for name in ROW if name.endswith(("_label", "_reason", "_detail", "_risk", "_quality", "_shift"))
} | {"summary": None, "user_intent": None}


def said(role: str, at: str | None, text: str, latency: float | None = None, **more: object) -> dict[str, Any]:
    metadata = {"playbook_id": "v-2", "response_latency_ms": latency, "labels": ["a"]} if role == "assistant" else None
    when = at and f"2026-05-05T10:{at}Z"
    return {"role": role, "content": text, "created_at": when, "metadata": metadata, "tool_calls": None, **more}


SEARCH: dict[str, Any] = {
    "id": "t1", "name": "search_knowledge", "arguments": '{"query": "refund"}', "tool_type": "kb_search",
    "result": [{"item_id": "i-1"}], "enhanced_params": {"rewritten": "money back"},
}  # fmt: skip
MESSAGES: list[dict[str, Any]] = [
    said("assistant", "00:00", "Welcome!"),
    said("user", "00:10", "Hello"),
    said("user", "00:15", "my refund?"),
    said("assistant", "00:17", "Looking", 2_000, tool_calls=[SEARCH]),
    said("assistant", "00:20", "Done!", 5_000),
    said("agent", "00:40", "A colleague here"),
    said("user", "01:00", "Thanks"),
    said("assistant", "03:00", "Still there?", is_winback=True),
    said("user", "05:00", "Yes", attachments=[{"url": "https://x.example/1"}]),
]
CITATIONS: list[dict[str, Any]] = [
    {"citation_id": "c1", "kb_id": "kb-1", "item_id": "i-1", "content": "Within 30 days.", "file_name": None},
    {"citation_id": "c2", "kb_id": None, "item_id": None, "content": "…", "file_name": "prices.pdf"},
]


def listed(**changed: object) -> list[Row]:
    told = models.Conversation.model_validate({**ROW, **changed})
    return rows(lambda: records.conversation(told, bases=BASES))


def detailed(**changed: object) -> list[Row]:
    told = models.ConversationDetail.model_validate(
        {**ROW, "messages": MESSAGES, "citations": CITATIONS, "winback_sent_at": "2026-05-05T10:03:00Z", **changed}
    )
    return rows(lambda: records.conversation(told, bases=BASES))


def test_a_conversation_is_a_session_of_its_assistant() -> None:
    found = one(listed(), "session")
    attributes = found.pop("attributes")
    assert found == {
        "type": "session",
        "platform": "studio_chat",
        "session_id": "wa:+549",
        "start_time": us("2026-05-05T10:00:00Z"),
        "end_time": us("2026-05-05T10:05:00Z"),
        "channel": "whatsapp",
        "participants": ["base-1", "base-9"],
        "character_id": "base-1",
        "character_name": "Support desk",
    }
    assert attributes == {
        "message_count": 6,
        "has_error": False,
        "model": "gpt-x",
        "playbook_version": 2,
        "skills": ["refund-process"],
        "avg_response_latency_ms": 2_100.0,
        "context": {"email": "ana@mail.example"},
        "first_user_message": "I am ana@mail.example",
        "last_assistant_message": "Done!",
        "playbooks": ROW["playbooks_info"],
    }


def test_assistants_whose_base_is_not_known_go_by_their_names() -> None:
    told = models.Conversation.model_validate(ROW)
    found = one(rows(lambda: records.conversation(told)), "session")
    assert (found["character_id"], found["participants"]) == ("Support desk", ["Orders", "Support desk"])


def test_versions_belong_to_their_base() -> None:
    books = [models.Playbook(id=each, base_id="b", version_number=2) for each in ("v-1", "v-2")]
    assert records.bases_of(books) == {"v-1": "b", "v-2": "b"}


def test_the_outcome_counts_by_the_last_message_and_has_every_label_and_reason() -> None:
    assert one(listed(), "outcome") == {
        "type": "outcome",
        "platform": "studio_chat",
        "outcome_id": "wa:+549",
        "session_id": "wa:+549",
        "time": us("2026-05-05T10:05:00Z"),
        "resolution": "resolved",
        "handoff": False,
        "deflection_quality": "resolved",
        "resources": "partial",
        "sentiment": "negative",
        "sentiment_shift": "improved",
        "recontact_risk": "low",
        "winback_sent": False,
        "user_intent": "refund of an order",
        "summary": "A refund was asked for.",
        "tags": ["billing", "vip"],
        "reasons": {
            "sentiment": "Angry words.", "resources": "Half of it.", "sentiment_shift": "Thanks at the end.",
            "deflection_quality": "Solved.", "recontact_risk": "Nothing open.",
        },
    }  # fmt: skip


@pytest.mark.parametrize(
    ("handoff", "quality", "resolution"),
    [
        (True, None, "handoff"),
        (True, "resolved", "handoff"),
        (False, "resolved", "resolved"),
        (False, "no_response", "abandoned"),
        (False, "partial", None),
        (False, "actioned", None),
        (False, "a new label", None),
        (False, None, None),
        (None, None, None),
    ],
)
def test_a_resolution_is_a_handoff_or_what_the_deflection_was_worth(
    handoff: bool | None, quality: str | None, resolution: str | None
) -> None:
    found = one(listed(has_handoff=handoff, deflection_quality=quality), "outcome")
    assert (found.get("resolution"), found.get("handoff")) == (resolution, handoff)
    assert found.get("deflection_quality") == quality


def test_the_text_of_a_handoffs_reason_has_a_name_of_its_own() -> None:
    told = {"has_handoff": True, "handoff_reason": "policy", "handoff_reason_detail": "Over the limit."}
    found = one(listed(**told), "outcome")
    assert (found["handoff_reason"], found["reasons"]["handoff_reason"]) == ("policy", "Over the limit.")


def test_a_conversation_that_is_not_scored_has_an_outcome_without_labels() -> None:
    assert set(one(listed(**UNSCORED), "outcome")) == {
        "type", "platform", "outcome_id", "session_id", "time", "handoff", "winback_sent", "tags",
    }  # fmt: skip


def test_a_winback_is_an_event_and_one_that_the_service_is_silent_about_is_unknown() -> None:
    sent = listed(winback_sent_at="2026-05-05T10:03:00Z")
    event = one(sent, "event")
    assert (event["metric_name"], event["time"]) == ("winback.sent", us("2026-05-05T10:03:00Z"))
    assert not {"status", "level"} & set(event)
    assert one(sent, "outcome")["winback_sent"] is True
    silent = models.Conversation.model_validate({name: each for name, each in ROW.items() if name != "winback_sent_at"})
    assert "winback_sent" not in one(rows(lambda: records.conversation(silent)), "outcome")


def test_messages_are_turns_of_a_user_and_the_answers() -> None:
    first, second, third = of(detailed(), "interaction")
    assert first == {
        "type": "interaction",
        "platform": "studio_chat",
        "interaction_id": "wa:+549/turn/0",
        "session_id": "wa:+549",
        "start_time": us("2026-05-05T10:00:10Z"),
        "end_time": us("2026-05-05T10:00:20Z"),
        "index": 0,
        "interaction_type": "text_turn",
        "latency_ms": 2_000.0,
        "status": "ok",
        "attributes": {
            "input": "Hello\nmy refund?",
            "output": "Looking\nDone!",
            "messages": [
                {"playbook_id": "v-2", "response_latency_ms": 2_000.0, "labels": ["a"]},
                {"playbook_id": "v-2", "response_latency_ms": 5_000.0, "labels": ["a"]},
            ],
            "others": [{"role": "agent", "content": "A colleague here"}],
        },
    }
    assert second["attributes"] == {"input": "Thanks", "others": [{"role": "assistant", "content": "Still there?"}]}
    assert third["attributes"] == {"input": "Yes", "attachments": [{"url": "https://x.example/1"}]}
    assert [each["start_time"] for each in (second, third)] == [us("2026-05-05T10:01:00Z"), us("2026-05-05T10:05:00Z")]
    assert not {"latency_ms", "status", "end_time"} & {*second, *third}
    assert third["interaction_id"] == "wa:+549/turn/2"


def test_what_an_assistant_says_first_is_no_turn() -> None:
    assert one(detailed(), "session")["attributes"]["opening"] == "Welcome!"
    assert of(detailed(messages=[said("assistant", "00:00", "Welcome!")]), "interaction") == []


def test_the_winback_has_its_words_where_messages_are_told() -> None:
    found = one(detailed(), "event")
    assert found["attributes"] == {"text": "Still there?"}
    assert found["event_id"] == one(listed(winback_sent_at="2026-05-05T10:03:00Z"), "event")["event_id"]
    assert one(detailed(winback_sent_at=None), "event")["time"] == us("2026-05-05T10:03:00Z")


def test_turns_keep_their_ids_as_a_conversation_goes_on() -> None:
    before, after = of(detailed(messages=MESSAGES[:7]), "interaction"), of(detailed(), "interaction")
    assert [each["interaction_id"] for each in before] == [each["interaction_id"] for each in after[:2]]
    assert before[0] == after[0]


@pytest.mark.parametrize("latency", [None, -1])
def test_a_latency_that_is_missing_or_none_is_unknown(latency: int | None) -> None:
    told = [said("user", "00:10", "Hi"), said("assistant", "00:12", "Yes", latency), said("assistant", "00:15", "!", 9)]
    assert "latency_ms" not in one(detailed(messages=told), "interaction")


def test_messages_without_times_go_with_those_before_them() -> None:
    told = [said("user", None, "Hi"), said("assistant", "00:12", "Yes", 5), said("user", None, "And?")]
    first, second = of(detailed(messages=told), "interaction")
    assert (first["start_time"], second["start_time"]) == (us("2026-05-05T10:00:00Z"), us("2026-05-05T10:00:12Z"))


def test_a_tool_that_a_message_called_is_a_resource_call_of_unknown_success() -> None:
    found = next(each for each in of(detailed(), "resource_call") if each["kind"] == "tool")
    assert found == {
        "type": "resource_call",
        "platform": "studio_chat",
        "resource_call_id": "wa:+549/tool/t1",
        "session_id": "wa:+549",
        "time": us("2026-05-05T10:00:17Z"),
        "kind": "tool",
        "name": "search_knowledge",
        "attributes": {
            "interaction_id": "wa:+549/turn/0",
            "tool_type": "kb_search",
            "arguments": {"query": "refund"},
            "result": [{"item_id": "i-1"}],
            "enhanced_params": {"rewritten": "money back"},
        },
    }


def test_tool_calls_without_an_id_are_told_apart_by_their_order() -> None:
    calls = [{"name": "lookup"}, {"name": "lookup"}, {"name": "other"}]
    told = [said("user", "00:10", "Hi"), said("assistant", "00:12", "Yes", 5, tool_calls=calls)]
    found = of(detailed(messages=told, citations=None), "resource_call")
    assert [each["resource_call_id"].rpartition("tool/")[2] for each in found] == ["lookup", "lookup/2", "other"]


def test_a_citation_has_the_time_of_the_search_that_found_it() -> None:
    first, second = (each for each in of(detailed(), "resource_call") if each["kind"] == "knowledge_base")
    assert first == {
        "type": "resource_call",
        "platform": "studio_chat",
        "resource_call_id": "wa:+549/citation/c1",
        "session_id": "wa:+549",
        "time": us("2026-05-05T10:00:17Z"),
        "kind": "knowledge_base",
        "name": "kb-1",
        "item_id": "i-1",
        "attributes": {"content": "Within 30 days."},
    }
    assert (second["name"], second["time"]) == ("prices.pdf", us("2026-05-05T10:00:17Z"))


@pytest.mark.parametrize("as_text", [False, True], ids=["JSON", "JSON as text"])
def test_a_citation_has_the_time_of_the_one_of_several_searches_that_names_it(as_text: bool) -> None:
    results: list[Any] = [[{"id": "c10", "item_id": "i-10"}], [{"item_id": "i-1"}], [{"id": "c2"}]]
    told = [said("user", "00:10", "Hi")] + [
        said("assistant", at, "", 5, tool_calls=[{**SEARCH, "result": json.dumps(each) if as_text else each}])
        for at, each in zip(("00:12", "00:14", "00:16"), results, strict=True)
    ]
    first, second = (each for each in of(detailed(messages=told), "resource_call") if each["kind"] == "knowledge_base")
    assert (first["time"], second["time"]) == (us("2026-05-05T10:00:14Z"), us("2026-05-05T10:00:16Z"))


@pytest.mark.parametrize("result", ["plain words", '{"n": 123456789012345678901234567890}', "[" * 90_000, "NaN"])
def test_a_result_of_any_text_is_searched_for_citations(result: str) -> None:
    told = [said("user", "00:10", "Hi"), said("assistant", "00:12", "", 5, tool_calls=[{**SEARCH, "result": result}])]
    assert of(detailed(messages=told), "resource_call")[-1]["time"] == us("2026-05-05T10:00:12Z")


def test_the_same_passage_cited_in_two_conversations_is_two_citations() -> None:
    ids = {of(detailed(conversation_id=each), "resource_call")[-1]["resource_call_id"] for each in ("118", "119")}
    assert ids == {"118/citation/c2", "119/citation/c2"}


def test_a_citation_that_no_search_or_several_may_have_found_has_the_time_of_the_conversation() -> None:
    found = of(detailed(messages=[]), "resource_call")
    assert {each["time"] for each in found} == {us("2026-05-05T10:05:00Z")}
    assert found[0]["attributes"]["time_of"] == "the conversation's last message"
    twice = [said("user", "00:10", "Hi"), *(said("assistant", at, "", 5, tool_calls=[{**SEARCH, "result": None}])
                                           for at in ("00:12", "00:14"))]  # fmt: skip
    assert of(detailed(messages=twice), "resource_call")[-1]["time"] == us("2026-05-05T10:05:00Z")


def test_a_conversation_without_any_time_is_not_kept_and_one_time_is_enough() -> None:
    assert listed(first_message_at=None, last_message_at=None) == []
    found = listed(first_message_at=None)
    assert one(found, "session")["start_time"] == us("2026-05-05T10:05:00Z")
    found = detailed(first_message_at=None, last_message_at=None)
    assert one(found, "outcome")["time"] == us("2026-05-05T10:05:00Z")


def test_a_long_result_is_cut_and_a_deep_one_too() -> None:
    deep: Any = "x"
    for _ in range(90):
        deep = [deep]
    calls = [{"name": "a", "result": "y" * 9_000}, {"name": "b", "result": deep},
             {"name": "c", "result": ["z" * 3_000] * 9}]  # fmt: skip
    told = [said("user", "00:10", "Hi" * 50_000), said("assistant", "00:12", "Yes", 5, tool_calls=calls)]
    found = of(detailed(messages=told, citations=None, summary="s" * 70_000), "resource_call")
    results = [each["attributes"]["result"] for each in found]
    assert [len(str(each)) <= 4_000 for each in results] == [True] * 3
    assert "truncated 5040 characters" in results[0]


def test_an_id_that_is_longer_than_ids_can_be_is_refused_and_one_made_of_it_is_not() -> None:
    assert one(detailed(citations=[{"citation_id": "c" * 600}], messages=[]), "resource_call")["name"] == "unnamed"
    with pytest.raises(Refused, match="session_id is longer"):
        listed(conversation_id="c" * 600)


def test_every_conversation_of_an_account_becomes_records_with_the_truth_in_them() -> None:
    studio = Studio(make(conversations=40), Habits())
    project = studio.world.project(MAIN)
    assert project is not None
    for each in project.conversations:
        told = models.ConversationDetail.model_validate(conversations._detail(studio, project, each))
        found = rows(lambda told=told: records.conversation(told))  # type: ignore[misc]
        assert one(found, "outcome")["handoff"] == each.handoff
        assert sum("latency_ms" in row for row in of(found, "interaction")) == len(each.latencies)
        assert [row["latency_ms"] for row in of(found, "interaction") if "latency_ms" in row] == each.latencies
        cited = {row["resource_call_id"]: row["time"] for row in of(found, "resource_call") if "item_id" in row}
        assert set(cited) == {f"{each.id}/citation/{citation.id}" for citation in each.citations}
        items = Counter(citation.item_id for citation in each.citations)
        once = [citation for citation in each.citations if items[citation.item_id] == 1]
        times = [cited[f"{each.id}/citation/{citation.id}"] for citation in once]
        assert times == [micros(citation.at) for citation in once]
