"""Read one raw record: its names, times and values as the vocabulary means them, without the product's code."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from datetime import UTC, datetime

Row = dict[str, object]

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
OWN = "own"

TIMES = {"start_time", "end_time", "time"}
NUMBERS = {"duration_ms", "latency_ms", "ttfb_ms", "cost_usd", "value", "rating", "rating_scale"}
INTEGERS = {"index", "input_tokens", "output_tokens", "characters"}
TEXT_LISTS = {"participants", "tags"}
JSON_VALUES = {"attributes", "resources", "winback_sent", "winback_answered", "winback_converted", "reasons"}
LOWERED = {"status", "resolution", "channel"}
SENTENCES = {"message", "remark", "user_intent", "summary"}


def words(text: str) -> frozenset[str]:
    """The words of the text."""
    return frozenset(text.split())


FIELDS: Mapping[str, frozenset[str]] = {
    "session": words(
        "session_id start_time end_time platform participants app_key character_id character_name experience_id "
        "channel language end_user_id status attributes"
    ),
    "interaction": words(
        "interaction_id session_id start_time end_time index platform interaction_type latency_ms status "
        "failure_stage attributes"
    ),
    "span": words(
        "session_id processor start_time end_time duration_ms platform span_id parent_id interaction_id provider "
        "voice_provider model status error_code ttfb_ms input_tokens output_tokens characters cost_usd "
        "attributes"
    ),
    "event": words(
        "session_id time metric_name platform interaction_id metric_type value unit processor provider model status "
        "error_code attributes"
    ),
    "outcome": words(
        "session_id time platform outcome_id resolution handoff handoff_reason deflection_quality resources rating "
        "rating_scale remark sentiment sentiment_shift recontact_risk winback_sent winback_answered winback_converted "
        "user_intent summary reasons tags attributes"
    ),
}
REQUIRED: Mapping[str, tuple[str, ...]] = {
    "session": ("session_id", "start_time"),
    "interaction": ("interaction_id", "session_id", "start_time"),
    "span": ("session_id", "processor", "start_time"),
    "event": ("session_id", "time", "metric_name"),
    "outcome": ("session_id", "time"),
}
ID_OF = {"session": "session_id", "interaction": "interaction_id", "span": "span_id", "outcome": "outcome_id"}


def micros(moment: datetime) -> int:
    """The moment as integer microseconds since 1970 in UTC."""
    passed = moment - EPOCH
    return (passed.days * 86_400 + passed.seconds) * 1_000_000 + passed.microseconds


def at(text: str) -> int:
    """Microseconds of an ISO 8601 time that has an offset."""
    moment = datetime.fromisoformat(text.strip())
    if moment.tzinfo is None:
        raise ValueError(f"no offset in {text!r}")
    return micros(moment)


def ms_to_us(milliseconds: float) -> int:
    """Whole microseconds nearest to the milliseconds."""
    return round(milliseconds * 1_000)


def _epoch(name: str, value: object) -> tuple[str, int] | None:
    """The time that an integer column like `start_time_ms` holds, or None when the column is no such thing."""
    stem, _, unit = name.rpartition("_")
    if stem not in TIMES or unit not in ("ms", "us", "ns") or not isinstance(value, int):
        return None
    return stem, {"ms": value * 1_000, "us": value, "ns": value // 1_000}[unit]


def _value(name: str, value: object) -> object:
    if name in TIMES:
        return at(str(value))
    if name in NUMBERS:
        return float(str(value))
    if name in INTEGERS:
        return int(float(str(value)))
    if name in TEXT_LISTS:
        return sorted({str(item).strip() for item in (value if isinstance(value, list) else [value])} - {""})
    if name in JSON_VALUES:
        return value
    text = str(value)
    if name == "handoff":
        return {"true": "true", "1": "true", "false": "false", "0": "false"}[text.strip().lower()]
    if name in SENTENCES:
        return text
    return (text.strip().lower() if name in LOWERED else text.strip()) or None


def read(raw: Mapping[str, object]) -> tuple[str, Row]:
    """The record's type and its row: every known name, None where silent; unknown names inside `attributes`."""
    kind = str(raw["type"])
    row: Row = dict.fromkeys(FIELDS[kind])
    unknown: dict[str, object] = {}
    for name, value in raw.items():
        if name == "type" or value is None or value == "":
            continue
        epoch = _epoch(name, value)
        if name in FIELDS[kind]:
            row[name] = _value(name, value)
        elif epoch is not None:
            row[epoch[0]] = epoch[1]
        else:
            unknown[name] = value
    if unknown:
        given = row["attributes"]
        row["attributes"] = {**unknown, **given} if isinstance(given, dict) else unknown
    row["platform"] = row["platform"] or OWN
    for name in REQUIRED[kind]:
        if row[name] is None:
            raise ValueError(f"{kind} without {name}: {raw}")
    if kind == "span":
        _complete_span(row)
    return kind, row


def _complete_span(row: Row) -> None:
    """A span's end from its duration, or its duration from its end; when both are given, both stay as given."""
    start, end, duration = row["start_time"], row["end_time"], row["duration_ms"]
    assert isinstance(start, int)
    if end is None:
        assert isinstance(duration, float), "a span has an end or a duration"
        row["end_time"] = start + ms_to_us(duration)
    elif duration is None:
        assert isinstance(end, int)
        row["duration_ms"] = (end - start) / 1_000


def content(kind: str, row: Row) -> str:
    """What stands for the id of a record that has none: a hash of everything it says."""
    text = json.dumps([kind, row], sort_keys=True, separators=(",", ":"))
    return "~" + hashlib.sha256(text.encode()).hexdigest()[:24]


def merge(old: Row | None, new: Row) -> Row:
    """The old row with every non-null field of the new one; attributes key by key, a null there changes nothing."""
    if old is None:
        return dict(new)
    merged = dict(old)
    for name, value in new.items():
        before = merged.get(name)
        if name == "attributes" and isinstance(value, dict) and isinstance(before, dict):
            merged[name] = {**before, **{key: item for key, item in value.items() if item is not None}}
        elif value is not None:
            merged[name] = value
    return merged
