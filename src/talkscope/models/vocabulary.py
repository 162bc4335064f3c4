"""The vocabulary of records: which types there are, the fields of each, its id, and the table that keeps it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

Kind: TypeAlias = Literal["text", "time", "ms", "number", "integer", "texts", "json"]
RecordType: TypeAlias = Literal[
    "session",
    "interaction",
    "span",
    "event",
    "outcome",
    "live_support",
    "availability",
    "rating",
    "conversion",
    "resource_call",
    "snapshot",
]


@dataclass(frozen=True, slots=True)
class Field:
    """One column of a record: its name, what it holds, and whether a record may leave it out."""

    name: str
    kind: Kind = "text"
    required: bool = False


@dataclass(frozen=True, slots=True)
class _Declaration:
    """A record type: its table, the field that is its id, its fields, and which of them are taken in lower case."""

    table: str
    id: str
    fields: tuple[Field, ...]
    lowered: frozenset[str]


def _declared(table: str, id: str, required: str, optional: str, lowered: str = "") -> _Declaration:
    def make(spec: str, must: bool) -> Field:
        name, _, kind = spec.partition(":")
        return Field(name, kind or "text", must)  # type: ignore[arg-type]  # the table below spells only known kinds

    fields = [make(s, True) for s in required.split()] + [make(s, False) for s in optional.split()]
    return _Declaration(table, id, tuple(fields), frozenset(lowered.split()))


_DECLARED: Mapping[RecordType, _Declaration] = {
    "session": _declared(
        "sessions",
        "session_id",
        "session_id start_time:time",
        "end_time:time platform participants:texts app_key character_id character_name experience_id channel language "
        "end_user_id status attributes:json",
        lowered="channel status",
    ),
    "interaction": _declared(
        "interactions",
        "interaction_id",
        "interaction_id session_id start_time:time",
        "end_time:time index:integer platform interaction_type latency_ms:ms status failure_stage attributes:json",
        lowered="status",
    ),
    "span": _declared(
        "spans",
        "span_id",
        "session_id processor start_time:time",
        "end_time:time duration_ms:ms platform span_id parent_id interaction_id provider voice_provider model status "
        "error_code ttfb_ms:ms input_tokens:integer output_tokens:integer characters:integer cost_usd:number "
        "attributes:json",
        lowered="status",
    ),
    "event": _declared(
        "events",
        "event_id",
        "session_id time:time metric_name",
        "platform event_id interaction_id metric_type value:number unit level message processor provider model status "
        "error_code attributes:json",
        lowered="level status",
    ),
    "outcome": _declared(
        "outcomes",
        "outcome_id",
        "session_id time:time",
        "platform outcome_id resolution handoff:json handoff_reason deflection_quality resources:json rating:number "
        "rating_scale:number remark sentiment sentiment_shift recontact_risk winback_sent:json winback_answered:json "
        "winback_converted:json user_intent summary reasons:json tags:texts attributes:json",
        lowered="resolution",
    ),
    "live_support": _declared(
        "live_support",
        "live_support_id",
        "session_id start_time:time",
        "end_time:time platform live_support_id agent_id agent_group queue_ms:ms first_response_ms:ms chat_ms:ms "
        "status resolution rating:number rating_scale:number labels:texts summary attributes:json",
        lowered="status",
    ),
    "availability": _declared(
        "availability",
        "availability_id",
        "agent_id start_time:time",
        "end_time:time platform availability_id agent_group duration_ms:ms active_ms:ms attributes:json",
    ),
    "rating": _declared(
        "ratings",
        "rating_id",
        "session_id time:time rating:number",
        "platform rating_id rating_scale:number kind remark tags:texts attributes:json",
    ),
    "conversion": _declared(
        "conversions",
        "conversion_id",
        "time:time metric",
        "platform session_id conversion_id value:number unit tags:texts attributes:json",
    ),
    "resource_call": _declared(
        "resource_calls",
        "resource_call_id",
        "time:time kind name",
        "platform session_id resource_call_id action item_id status duration_ms:ms error_message attributes:json",
        lowered="kind status",
    ),
    "snapshot": _declared(
        "snapshots",
        "snapshot_id",
        "metric start_time:time end_time:time",
        "platform snapshot_id dimensions:json value:number text unit attributes:json",
    ),
}

RECORDS: Mapping[RecordType, tuple[Field, ...]] = {kind: each.fields for kind, each in _DECLARED.items()}
"""The fields of each record type, required ones first."""

TABLE_OF: Mapping[RecordType, str] = {kind: each.table for kind, each in _DECLARED.items()}
"""The table that keeps the records of a type."""

ID_OF: Mapping[RecordType, str] = {kind: each.id for kind, each in _DECLARED.items()}
"""The field that is a record's key on its platform; one that leaves it out is known by its content."""

LOWERED: Mapping[RecordType, frozenset[str]] = {kind: each.lowered for kind, each in _DECLARED.items()}
"""The fields that are words of a fixed vocabulary, taken in lower case."""

LATER: Mapping[RecordType, frozenset[str]] = {
    "event": frozenset({"event_id", "level", "message"}),
    "outcome": frozenset({"outcome_id", "handoff"}),
}
"""The fields that a type had not at first: records that said them had them among their attributes."""
