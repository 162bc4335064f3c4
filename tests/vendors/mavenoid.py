"""Mavenoid's analytics server: three whole arrays, one by one or in groups, over a world whose truth is known.

    world = make_world(now=NOW)
    with served(mavenoid(world, clock=time.time)) as url:
        ...

Where the document says two things, the schema's form is sent, and with `sloppy` that of its examples.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from tests.vendors.engine import Asked, Json, Limits, Operation, Pairs, Refused, Reply, Vendor
from tests.vendors.mavenoid_world import Availability, Conversation, Session, T, World, make_world

__all__ = ["SAMPLE_TOKEN", "STATISTICS", "TOKEN", "make_world", "mavenoid"]

TOKEN = "ma_1test_0123456789abcdef"
# The token of the document's curl example.
SAMPLE_TOKEN = "ma_15prljrk6_uvsb2u6aknvutrr6cvtu9t43odabsdd0o2vg"

STATISTICS = ("queue_duration_ms", "first_response_ms", "chat_duration_ms")

Row = dict[str, Json]


def mavenoid(
    world: World,
    *,
    token: str = TOKEN,
    dummy: World | None = None,
    clock: Callable[[], float] | None = None,
    sloppy: bool = False,
    agent_field: str | None = None,
    delay: float = 0,
) -> Vendor:
    """The server.

    Args:
        world: What the owner of the token gets.
        token: A token that is known.
        dummy: What the documented sample token gets; a small world unless given.
        clock: Seconds since 1970 for the limits: 60 a minute for `days=1` at the end of the query, else 10; None keeps
            none.
        sloppy: Send the forms of the document's examples instead of those of its schemas: other statuses in groups,
            `resolution`, no first response and rating in sessions, and hours of one digit.
        agent_field: The only spelling of the agent's field that availabilities are grouped by, `agent_email` or
            `agent-email`; None takes both.
        delay: Seconds before each answer.
    """
    dummy = dummy or make_world(world.now, seed=0, conversations=20)
    answers = _Answers(sloppy, agent_field)
    limits = Limits({"day": (60, 60), "other": (10, 60)}, _bucket, clock) if clock else None
    handlers = {
        "assistant_conversations": answers.conversations,
        "live_support_sessions": answers.sessions,
        "agent_availabilities": answers.availabilities,
    }
    return Vendor(
        "mavenoid", handlers, keys={token: world, SAMPLE_TOKEN: dummy}, invalid=400, limits=limits, delay=delay
    )


def _bucket(operation: Operation, pairs: Pairs) -> str:
    """By the end of the query, for that is where the vendor looks for `days`."""
    return "day" if pairs and pairs[-1] == ("days", "1") else "other"


@dataclass(frozen=True)
class _Answers:
    sloppy: bool
    agent_field: str | None

    def conversations(self, asked: Asked) -> Reply:
        found = asked.granted.owner.last(asked.get("days"), asked.granted.owner.conversations)
        by = asked.get("group_by")
        if not by:
            return Reply([_conversation_row(one) for one in found])
        rows = [{**_conversation_row(one), "status": self._standing(one)} for one in found]
        groups = _grouped(by, [(one.at, row) for one, row in zip(found, rows, strict=True)], found)
        return Reply([{**fields, "count": len(members)} for fields, members in groups])

    def _standing(self, of: Conversation) -> str:
        if not self.sloppy or of.status == "OPEN":
            return of.status
        if of.status == "ESCALATED":
            return "escalated"
        return "live_support_resolution" if of.sessions else "self_service_resolution"

    def sessions(self, asked: Asked) -> Reply:
        found = asked.granted.owner.last(asked.get("days"), asked.granted.owner.sessions)
        by = asked.get("group_by")
        if not by:
            return Reply([self._session_row(one) for one in found])
        rows = [{**_session_row(one), "agent_email": one.agent} for one in found]
        groups = _grouped(by, [(one.at, row) for one, row in zip(found, rows, strict=True)], found)
        return Reply([{**fields, "count": len(members), **_statistics(members)} for fields, members in groups])

    def _session_row(self, of: Session) -> Row:
        row = _session_row(of)
        if self.sloppy:
            row["resolution"] = row.pop("resolution_label")
            del row["first_response_ms"], row["feedback_rating"]
        return row

    def availabilities(self, asked: Asked) -> Reply:
        found = asked.granted.owner.last(asked.get("days"), asked.granted.owner.availabilities)
        by = asked.get("group_by")
        if not by:
            return Reply([self._availability_row(one) for one in found])
        if self.agent_field and {"agent_email", "agent-email"} & set(by) - {self.agent_field}:
            raise Refused(400, "There is no such field.")
        # Two names of one field, and a row has one of them.
        by = [name for name in by if name != "agent-email" or "agent_email" not in by]
        rows = [(one.at, {"agent_email": one.agent, "agent-email": one.agent}) for one in found]
        total = not {"agent_email", "agent-email"} & set(by)
        return Reply([
            {
                **fields,
                **({"agent_count": len({one.agent for one in members})} if total else {}),
                "duration_ms_sum": sum(one.duration_ms for one in members),
                "active_duration_ms_sum": sum(one.active_ms for one in members),
            }
            for fields, members in _grouped(by, rows, found)
        ])  # fmt: skip

    def _availability_row(self, of: Availability) -> Row:
        def spell(at: datetime) -> str:
            return _spelled(at).replace("T0", "T") if self.sloppy else _spelled(at)

        return {
            "agent_email": of.agent, "start_timestamp": spell(of.at), "end_timestamp": of.end and spell(of.end),
            "duration_ms": of.duration_ms, "active_duration_ms": of.active_ms,
        }  # fmt: skip


def _spelled(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _conversation_row(of: Conversation) -> Row:
    latest = of.sessions[-1] if of.sessions else None
    return {
        "id": of.id, "created_at": _spelled(of.at), "updated_at": _spelled(of.updated), "flow_name": of.flow,
        "touchpoint_name": of.touchpoint, "status": of.status, "label": of.label, "lang_code": of.language,
        "latest_search_query": of.search[0], "latest_search_result_chosen": of.search[1],
        "latest_search_shortcut_chosen": of.search[2],
        "latest_live_support_session_status": latest and latest.status,
        "latest_live_support_session_resolution_label": latest and latest.label,
        "feedback_topics": list(of.topics), "feedback_comments": of.comment, "feedback_rating": of.rating,
        "form_data": dict(of.form),
    }  # fmt: skip


def _session_row(of: Session) -> Row:
    return {
        "assistant_conversation_id": of.conversation, "assistant_conversation_created_at": _spelled(of.conversation_at),
        "created_at": _spelled(of.at), "updated_at": _spelled(of.updated), "agent_email": of.agent,
        "agent_group_name": of.group, "queue_duration_ms": of.queue_duration_ms,
        "first_response_ms": of.first_response_ms, "chat_duration_ms": of.chat_duration_ms, "status": of.status,
        "resolution_label": of.label, "debrief_labels": list(of.labels), "debrief_summary": of.summary,
        "feedback_rating": of.rating,
    }  # fmt: skip


def _grouped(
    by: Sequence[str], rows: Sequence[tuple[datetime, Row]], members: Sequence[T]
) -> list[tuple[Row, list[T]]]:
    """Each group's fields and members, the latest date first as in the document."""
    groups: dict[tuple[Any, ...], list[T]] = {}
    for (at, row), member in zip(rows, members, strict=True):
        key = tuple(_day(name, at) if name in {"date", "week", "month"} else row[name] for name in by)
        groups.setdefault(key, []).append(member)
    names = ["date" if name in {"week", "month"} else name for name in by]
    made = [(dict(zip(names, key, strict=True)), found) for key, found in groups.items()]
    return sorted(made, key=lambda one: str(one[0].get("date", "")), reverse=True)


def _day(unit: str, at: datetime) -> str:
    day: date = at.astimezone(UTC).date()
    if unit == "week":
        day -= timedelta(days=day.weekday())
    return (day.replace(day=1) if unit == "month" else day).isoformat()


def _statistics(members: Iterable[Session]) -> Row:
    found: Row = {}
    for name in STATISTICS:
        known = [value for one in members if (value := getattr(one, name)) is not None]
        found[f"{name}_max"] = max(known, default=None)
        found[f"{name}_mean"] = sum(known) / len(known) if known else None
        found[f"{name}_sum"] = sum(known) if known else None
    return found
