"""Mavenoid's rows as records: fields one by one, and everything odd about the rows."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from talkscope.platforms.mavenoid import records
from talkscope.platforms.mavenoid.models import AgentAvailability, AssistantConversation, LiveSupportSession
from tests.platforms.recorded import Row, of, one, rows, us

CONVERSATION: dict[str, Any] = {
    "id": "F1246",
    "created_at": "2026-05-03T9:05:03.000Z",
    "updated_at": "2026-05-03T9:12:10.500Z",
    "flow_name": "Scooter Support",
    "touchpoint_name": "Support Website",
    "status": "RESOLVED",
    "label": "warranty",
    "lang_code": "en",
    "latest_search_query": "End my ride",
    "latest_search_result_chosen": None,
    "latest_search_shortcut_chosen": None,
    "latest_live_support_session_status": None,
    "latest_live_support_session_resolution_label": None,
    "feedback_topics": ["speed", "tone"],
    "feedback_comments": "Write to me: ana@mail.example",
    "feedback_rating": 3,
    "form_data": {"$customer-email": "ana@mail.example", "ride": {"ok": False}},
}
CHAT: dict[str, Any] = {
    "assistant_conversation_id": "F1246",
    "assistant_conversation_created_at": "2026-05-03T09:05:03.000Z",
    "created_at": "2026-05-03T09:06:00.000Z",
    "updated_at": "2026-05-03T09:12:00.000Z",
    "agent_email": "ida@help.example",
    "agent_group_name": "Europe",
    "queue_duration_ms": 30_000,
    "first_response_ms": 31_500,
    "chat_duration_ms": 300_000,
    "status": "RESOLVED",
    "resolution_label": "Worked",
    "debrief_labels": ["scooter_breakdown", "parts"],
    "debrief_summary": "Parts were ordered.",
    "feedback_rating": 4,
}
STRETCH: dict[str, Any] = {
    "agent_email": "ida@help.example",
    "start_timestamp": "2026-05-03T8:00:00.000Z",
    "end_timestamp": "2026-05-03T12:00:00.000Z",
    "duration_ms": 14_400_000,
    "active_duration_ms": 9_000_000,
}


def conversation(**changed: object) -> list[Row]:
    told = AssistantConversation.model_validate({**CONVERSATION, **changed})
    return rows(lambda: records.assistant_conversation(told))


def chat(**changed: object) -> Row:
    told = LiveSupportSession.model_validate({**CHAT, **changed})
    return one(rows(lambda: records.live_support_session(told)), "live_support")


def stretch(**changed: object) -> list[Row]:
    told = AgentAvailability.model_validate({**STRETCH, **changed})
    return rows(lambda: records.agent_availability(told))


def test_a_conversation_is_a_session_of_its_flow_with_an_unpadded_hour_read() -> None:
    assert one(conversation(), "session") == {
        "type": "session",
        "platform": "mavenoid",
        "session_id": "F1246",
        "start_time": us("2026-05-03T09:05:03Z"),
        "end_time": us("2026-05-03T09:12:10.500Z"),
        "channel": "support website",
        "language": "en",
        "character_id": "Scooter Support",
        "character_name": "Scooter Support",
        "attributes": {
            "latest_search_query": "End my ride",
            "form_data": {"$customer-email": "ana@mail.example", "ride": {"ok": False}},
        },
    }


def test_its_outcome_counts_by_its_beginning_and_has_the_label_as_a_tag() -> None:
    assert one(conversation(), "outcome") == {
        "type": "outcome",
        "platform": "mavenoid",
        "outcome_id": "F1246",
        "session_id": "F1246",
        "time": us("2026-05-03T09:05:03Z"),
        "resolution": "resolved",
        "handoff": False,
        "tags": ["warranty"],
        "attributes": {"updated_at": "2026-05-03T09:12:10.500000+00:00"},
    }


def test_its_rating_is_of_four_and_has_the_customers_words() -> None:
    assert one(conversation(), "rating") == {
        "type": "rating",
        "platform": "mavenoid",
        "rating_id": "F1246",
        "session_id": "F1246",
        "time": us("2026-05-03T09:05:03Z"),
        "rating": 3.0,
        "rating_scale": 4.0,
        "kind": "feedback",
        "remark": "Write to me: ana@mail.example",
        "tags": ["speed", "tone"],
        "attributes": {"updated_at": "2026-05-03T09:12:10.500000+00:00"},
    }


def test_words_of_a_customer_who_did_not_rate_stay_with_the_outcome() -> None:
    found = conversation(feedback_rating=None)
    assert of(found, "rating") == []
    assert one(found, "outcome")["remark"] == "Write to me: ana@mail.example"
    assert one(found, "outcome")["attributes"]["feedback_topics"] == ["speed", "tone"]


@pytest.mark.parametrize(
    ("status", "latest", "resolution", "handoff"),
    [
        ("OPEN", None, "open", False),
        ("ESCALATED", None, "handoff", True),
        ("escalated", None, "handoff", True),
        ("RESOLVED", "RESOLVED", "resolved", True),
        ("RESOLVED", "NO_AGENT_CAPACITY", "resolved", False),
        ("OPEN", "WAITING_FOR_AGENT", "open", False),
        ("OPEN", "ACTIVE", "open", True),
        ("live_support_resolution", None, "resolved", True),
        ("self_service_resolution", None, "resolved", False),
        ("SPAM", None, "spam", None),
        ("SPAM", "ACTIVE", "spam", True),
    ],
)
def test_a_status_is_a_resolution_and_says_whether_a_person_took_part(
    status: str, latest: str | None, resolution: str, handoff: bool | None
) -> None:
    found = one(conversation(status=status, latest_live_support_session_status=latest), "outcome")
    assert (found["resolution"], found.get("handoff")) == (resolution, handoff)


def test_an_empty_label_and_an_empty_form_are_nothing() -> None:
    found = conversation(label="", form_data={}, latest_search_query=None)
    assert "tags" not in one(found, "outcome")
    assert "attributes" not in one(found, "session")


def test_a_conversation_that_ended_before_it_began_keeps_both_times() -> None:
    found = one(conversation(updated_at="2026-05-03T08:00:00Z"), "session")
    assert "end_time" not in found
    assert found["attributes"]["end_time"] == "2026-05-03T08:00:00+00:00"


def test_a_session_with_an_agent_has_durations_that_all_begin_with_it() -> None:
    assert chat() == {
        "type": "live_support",
        "platform": "mavenoid",
        "live_support_id": "F1246/2026-05-03T09:06:00+00:00",
        "session_id": "F1246",
        "start_time": us("2026-05-03T09:06:00Z"),
        "end_time": us("2026-05-03T09:11:00Z"),
        "agent_id": "ida@help.example",
        "agent_group": "Europe",
        "queue_ms": 30_000.0,
        "first_response_ms": 31_500.0,
        "chat_ms": 300_000.0,
        "status": "resolved",
        "resolution": "Worked",
        "rating": 4.0,
        "rating_scale": 4.0,
        "labels": ["parts", "scooter_breakdown"],
        "summary": "Parts were ordered.",
        "attributes": {
            "assistant_conversation_created_at": "2026-05-03T09:05:03+00:00",
            "updated_at": "2026-05-03T09:12:00+00:00",
        },
    }


@pytest.mark.parametrize("nothing", [0, None])
@pytest.mark.parametrize("status", ["WAITING_FOR_AGENT", "waiting_for_agent", "NO_AGENT_CAPACITY", "CUSTOMER_SKIPPED"])
def test_a_session_that_nobody_took_has_no_durations(status: str, nothing: int | None) -> None:
    lengths = dict.fromkeys(("queue_duration_ms", "first_response_ms", "chat_duration_ms"), nothing)
    found = chat(status=status, agent_email=None, feedback_rating=None, **lengths)
    assert not {"queue_ms", "first_response_ms", "chat_ms", "end_time", "agent_id", "rating", "rating_scale"} & set(
        found
    )
    assert found["status"] == status.lower()


def test_the_time_that_someone_waited_in_vain_is_kept() -> None:
    found = chat(status="CUSTOMER_SKIPPED", queue_duration_ms=45_000, first_response_ms=0, chat_duration_ms=45_000)
    assert (found["queue_ms"], found.get("first_response_ms"), found["chat_ms"]) == (45_000.0, None, 45_000.0)
    assert found["end_time"] == us("2026-05-03T09:06:45Z")


def test_a_chat_that_goes_on_has_no_end_and_an_instant_answer_is_one() -> None:
    found = chat(status="ACTIVE", first_response_ms=0)
    assert "end_time" not in found
    assert found["first_response_ms"] == 0.0


@pytest.mark.parametrize("nothing", [0, None])
def test_a_chat_that_no_agent_has_ended_has_no_length_of_0(nothing: int | None) -> None:
    assert "chat_ms" not in chat(status="ACTIVE", chat_duration_ms=nothing)
    assert chat(status="ACTIVE", chat_duration_ms=5_000)["chat_ms"] == 5_000.0


# The nine statuses of a session: whether it is over, and whether an agent took it.
STATUSES = {
    "WAITING_FOR_AGENT": (False, False),
    "ACTIVE": (False, True),
    "AGENT_TIMEOUT": (True, False),
    "CUSTOMER_SKIPPED": (True, False),
    "DECLINED_BY_AGENT": (True, False),
    "INACTIVITY_TIMEOUT": (True, True),
    "NO_AGENT_CAPACITY": (True, False),
    "RESOLVED": (True, True),
    "TRANSFERRED": (True, True),
}


def test_the_nine_statuses_are_the_contracts() -> None:
    contract = Path(__file__).parents[2] / "openapi" / "platforms" / "mavenoid.json"
    schemas = json.loads(contract.read_text(encoding="utf-8"))["components"]["schemas"]
    assert list(STATUSES) == schemas["SessionStatus"]["enum"]
    # A conversation's latest session is never said to be transferred; it would be understood.
    assert [*STATUSES, None] == [*schemas["LatestSessionStatus"]["enum"][:-1], "TRANSFERRED", None]


@pytest.mark.parametrize(("status", "said"), STATUSES.items(), ids=STATUSES)
def test_each_of_the_nine_statuses_says_whether_a_session_is_over_and_was_taken(
    status: str, said: tuple[bool, bool]
) -> None:
    over, taken = said
    found = chat(status=status, queue_duration_ms=0, chat_duration_ms=1_000)
    assert found["status"] == status.lower()
    assert ("end_time" in found, found.get("queue_ms")) == (over, 0.0 if taken else None)
    latest = one(conversation(status="OPEN", latest_live_support_session_status=status), "outcome")
    assert latest["handoff"] is taken


def test_sessions_of_one_conversation_are_two_records() -> None:
    first, second = chat(status="TRANSFERRED"), chat(created_at="2026-05-03T09:11:00.000Z")
    assert first["session_id"] == second["session_id"]
    assert first["live_support_id"] != second["live_support_id"]


def test_a_negative_duration_is_none() -> None:
    found = chat(queue_duration_ms=-5, chat_duration_ms=-1)
    assert not {"queue_ms", "chat_ms", "end_time"} & set(found)


def test_availability_is_an_agents_stretch_of_time() -> None:
    assert one(stretch(), "availability") == {
        "type": "availability",
        "platform": "mavenoid",
        "availability_id": "ida@help.example/2026-05-03T08:00:00+00:00",
        "agent_id": "ida@help.example",
        "start_time": us("2026-05-03T08:00:00Z"),
        "end_time": us("2026-05-03T12:00:00Z"),
        "duration_ms": 14_400_000.0,
        "active_ms": 9_000_000.0,
    }


def test_an_agent_who_is_still_available_becomes_the_same_record_later() -> None:
    (now,), (later,) = stretch(end_timestamp=None, duration_ms=60_000), stretch()
    assert "end_time" not in now
    assert now["availability_id"] == later["availability_id"]


def test_availability_of_nobody_is_not_kept() -> None:
    assert stretch(agent_email=None) == []
