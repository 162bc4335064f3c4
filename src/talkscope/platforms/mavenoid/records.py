"""Mavenoid's rows as records of the warehouse.

| Row | Records |
|---|---|
| an assistant conversation | `session`, `outcome`, and a `rating` where the customer gave one |
| a session with a live agent | `live_support` |
| a stretch in which an agent was available | `availability` |

A conversation counts by its beginning, as all of the vendor's rows do: that is the time of its outcome and its rating
too, and when it was last touched is an attribute. Its status is its resolution: resolved, `handoff` for escalated,
open. A person took part, `handoff` is true, where it was escalated, where live support resolved it, or where an agent
took its latest session. Its label, which a step of the flow sets, is a tag of the outcome; topics of the feedback are
tags of the rating. Grouped answers are figures of these same rows, and become nothing.
"""

from __future__ import annotations

from collections.abc import Iterator

from talkscope.platforms.mavenoid.groups import DURATIONS, lasted
from talkscope.platforms.mavenoid.meaning import RESOLVED
from talkscope.platforms.mavenoid.models import AgentAvailability, AssistantConversation, LiveSupportSession
from talkscope.platforms.recording import Record, key, later, record

PLATFORM = "mavenoid"
LATENCY_BASIS = "none: Mavenoid tells no messages, so there are no turns and no latencies of an assistant"
GAPS = (
    "Mavenoid tells no messages of a conversation, and neither components nor errors: there are no turns.",
    "It keeps no ids of end users: what it knows of the person is in a conversation's form data.",
    "It reaches back 120 days at most, and counts no bounces: openings without a meaningful interaction.",
    "A session that waits, or that nobody took, has no durations, a chat under way no length: zeros are left out.",
    "An agent's availability does not say the agent's group, and a row without an agent is not kept.",
    RESOLVED,
    "The rating of a session with an agent is that of the whole conversation, which the customer rates once.",
)

_SCALE = 4
_RESOLUTIONS = {"RESOLVED": "resolved", "ESCALATED": "handoff", "OPEN": "open"}
_OVER = ("AGENT_TIMEOUT", "CUSTOMER_SKIPPED", "DECLINED_BY_AGENT", "INACTIVITY_TIMEOUT", "NO_AGENT_CAPACITY",
         "RESOLVED", "TRANSFERRED")  # fmt: skip
_TAKEN = ("ACTIVE", "INACTIVITY_TIMEOUT", "RESOLVED", "TRANSFERRED")
_SEARCH = {"latest_search_query", "latest_search_result_chosen", "latest_search_shortcut_chosen"}
_LIVE = {"latest_live_support_session_status", "latest_live_support_session_resolution_label"}


def assistant_conversation(found: AssistantConversation) -> Iterator[Record]:
    """One conversation with the assistant: what it was, what became of it, and how the customer rated it."""
    rated = found.feedback_rating is not None
    yield record(
        "session",
        PLATFORM,
        session_id=found.id,
        start_time=found.created_at,
        end_time=found.updated_at,
        language=found.lang_code,
        channel=found.touchpoint_name,
        character_id=found.flow_name,
        character_name=found.flow_name,
        attributes={**found.model_dump(include=_SEARCH), "form_data": found.form_data},
    )
    yield record(
        "outcome",
        PLATFORM,
        outcome_id=found.id,
        session_id=found.id,
        time=found.created_at,
        resolution=_RESOLUTIONS.get(found.status, found.status),
        handoff=_handed_over(found),
        remark=None if rated else found.feedback_comments,
        tags=[found.label] if found.label else None,
        attributes={
            **found.model_dump(include={"resolved_by", "updated_at", *_LIVE}),
            "feedback_topics": None if rated else found.feedback_topics,
        },
    )
    if rated:
        yield record(
            "rating",
            PLATFORM,
            rating_id=found.id,
            session_id=found.id,
            time=found.created_at,
            rating=found.feedback_rating,
            rating_scale=_SCALE,
            kind="feedback",
            remark=found.feedback_comments,
            tags=found.feedback_topics,
            attributes={"updated_at": found.updated_at},
        )


def live_support_session(found: LiveSupportSession) -> Iterator[Record]:
    """One session with a live agent; its durations all begin with it, so that the chat's includes the queue."""
    status = found.status.strip().upper()
    queue, response, chat = (lasted(found, name) for name in DURATIONS)
    yield record(
        "live_support",
        PLATFORM,
        live_support_id=key(found.assistant_conversation_id, found.created_at),
        session_id=found.assistant_conversation_id,
        start_time=found.created_at,
        end_time=later(found.created_at, chat) if status in _OVER else None,
        agent_id=found.agent_email,
        agent_group=found.agent_group_name,
        queue_ms=queue,
        first_response_ms=response,
        chat_ms=chat,
        status=found.status,
        resolution=found.resolution_label,
        rating=found.feedback_rating,
        rating_scale=None if found.feedback_rating is None else _SCALE,
        labels=found.debrief_labels,
        summary=found.debrief_summary,
        attributes=found.model_dump(include={"assistant_conversation_created_at", "updated_at"}),
    )


def agent_availability(found: AgentAvailability) -> Iterator[Record]:
    """One stretch in which an agent was available; while it lasts it has no end, and its lengths grow."""
    if found.agent_email is None:
        return
    yield record(
        "availability",
        PLATFORM,
        availability_id=key(found.agent_email, found.start_timestamp),
        agent_id=found.agent_email,
        start_time=found.start_timestamp,
        end_time=found.end_timestamp,
        duration_ms=found.duration_ms,
        active_ms=found.active_duration_ms,
    )


def _handed_over(found: AssistantConversation) -> bool | None:
    """Whether a person took part; None where neither the status nor the latest session says."""
    latest = (found.latest_live_support_session_status or "").upper()
    if found.status == "ESCALATED" or found.resolved_by == "live_support" or latest in _TAKEN:
        return True
    return False if found.status in _RESOLUTIONS or found.resolved_by else None
