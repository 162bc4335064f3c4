"""A record of telemetry: session, interaction, span, event or outcome, and how a raw one is checked.

An importer yields plain mappings with a `type` and the canonical names; `check` turns one into the row that the
warehouse stores, or raises `Refused` with the reason. Times become integer microseconds since 1970 in UTC, durations
stay milliseconds, unknown keys move to `attributes`, an interval's missing half is worked out from the other.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from typing import Literal, TypeAlias

import orjson

from talkscope.models.text import whole

Kind: TypeAlias = Literal["text", "time", "ms", "number", "integer", "texts", "json"]
RecordType: TypeAlias = Literal["session", "interaction", "span", "event", "outcome"]
Value: TypeAlias = "str | int | float | bool | list[str] | None"
Row: TypeAlias = dict[str, Value]

OWN = "own"
MAX_ID = 512
MAX_TEXT = 65_536
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Refused(ValueError):
    """This record cannot be loaded; the text is the reason, for a person."""


@dataclass(frozen=True, slots=True)
class Field:
    """One column of a record: its name, what it holds, and whether a record may leave it out."""

    name: str
    kind: Kind = "text"
    required: bool = False


def _fields(required: str, optional: str) -> tuple[Field, ...]:
    def make(spec: str, must: bool) -> Field:
        name, _, kind = spec.partition(":")
        return Field(name, kind or "text", must)  # type: ignore[arg-type]  # the table below spells only known kinds

    return tuple([make(s, True) for s in required.split()] + [make(s, False) for s in optional.split()])


RECORDS: Mapping[RecordType, tuple[Field, ...]] = {
    "session": _fields(
        "session_id start_time:time",
        "end_time:time platform participants:texts app_key character_id character_name experience_id channel language "
        "end_user_id status attributes:json",
    ),
    "interaction": _fields(
        "interaction_id session_id start_time:time",
        "end_time:time index:integer platform interaction_type latency_ms:ms status failure_stage attributes:json",
    ),
    "span": _fields(
        "session_id processor start_time:time",
        "end_time:time duration_ms:ms platform span_id parent_id interaction_id provider voice_provider model status "
        "error_code ttfb_ms:ms input_tokens:integer output_tokens:integer characters:integer cost_usd:number "
        "attributes:json",
    ),
    "event": _fields(
        "session_id time:time metric_name",
        "platform interaction_id metric_type value:number unit processor provider model status error_code "
        "attributes:json",
    ),
    "outcome": _fields(
        "session_id time:time",
        "platform resolution handoff_reason deflection_quality resources:json rating:number rating_scale:number remark "
        "sentiment sentiment_shift recontact_risk winback_sent:json winback_answered:json winback_converted:json "
        "user_intent summary reasons:json tags:texts attributes:json",
    ),
}

ID_OF: Mapping[RecordType, str | None] = {
    "session": "session_id",
    "interaction": "interaction_id",
    "span": "span_id",
    "event": None,
    "outcome": None,
}

_IDS = {"session_id", "interaction_id", "span_id", "parent_id", "platform", "end_user_id", "character_id"}
_LOWER = {"status", "resolution", "channel"}
_UNITS = {"ms": 1_000, "us": 1, "ns": 0}


def micros(moment: datetime) -> int:
    """The moment as integer microseconds since 1970 in UTC, exactly."""
    delta = moment - EPOCH
    return (delta.days * 86_400 + delta.seconds) * 1_000_000 + delta.microseconds


def parse_time(value: object, zone: tzinfo | None) -> int:
    """Microseconds of an ISO 8601 text; one without an offset is in `zone`, or refused when that is None."""
    if not isinstance(value, str):
        raise Refused("is not an ISO 8601 time; an integer epoch needs a column name that ends in _ms, _us or _ns")
    text = value.strip()
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise Refused(f"is not an ISO 8601 time: {value[:40]!r}") from None
    if moment.tzinfo is None:
        if zone is None:
            raise Refused(f"has no UTC offset: {value[:40]!r}; name the zone it is in (--timezone)")
        moment = moment.replace(tzinfo=zone)
    try:
        return micros(moment)
    except OverflowError:
        raise Refused("is out of range") from None


def _epoch(value: object, unit: str) -> int:
    if isinstance(value, str) and value.strip().lstrip("-").isdigit():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int | float) or value != value:
        raise Refused(f"is not an integer epoch in {unit}")
    result = int(value) // 1_000 if unit == "ns" else int(value * _UNITS[unit])
    if not -62_135_596_800_000_000 <= result <= 253_402_300_799_999_999:
        raise Refused("is out of range: is the unit right?")
    return result


def _number(value: object) -> float | int:
    if isinstance(value, bool):
        raise Refused("is not a number")
    if isinstance(value, str):
        try:
            value = float(value)
        except ValueError:
            raise Refused(f"is not a number: {value[:40]!r}") from None
    if not isinstance(value, int | float) or not math.isfinite(value):
        raise Refused("is not a finite number")
    if abs(value) > 1e300:
        raise Refused("is out of range")
    return value


def _milliseconds(value: object) -> float:
    number = float(_number(value))
    if number < 0:
        raise Refused("is negative")
    return number


def _integer(value: object) -> int:
    number = _number(value)
    if number != int(number):
        raise Refused("is not a whole number")
    if not 0 <= number < 2**63:
        raise Refused("is negative or out of range")
    return int(number)


def _text(value: object) -> str:
    if isinstance(value, str):
        text = value
    elif isinstance(value, int | float) and not isinstance(value, bool):
        text = str(value)
    else:
        raise Refused("is not text")
    text = whole(text).replace("\x00", "\ufffd")
    if len(text) > MAX_TEXT:
        raise Refused(f"is longer than {MAX_TEXT} characters")
    return text


def _texts(value: object) -> list[str]:
    if isinstance(value, str):
        try:
            value = orjson.loads(value) if value.lstrip().startswith("[") else [value]
        except orjson.JSONDecodeError:
            raise Refused("is not a list of texts") from None
    if not isinstance(value, list):
        raise Refused("is not a list of texts")
    return sorted({_text(item) for item in value if item is not None})


def canonical(value: object) -> str:
    """The one JSON text of a value: sorted keys, no spaces, lone surrogates replaced."""
    try:
        return orjson.dumps(value, option=orjson.OPT_SORT_KEYS | orjson.OPT_NON_STR_KEYS).decode()
    except (TypeError, ValueError, RecursionError):
        try:
            return orjson.dumps(_scrubbed(value, 0), option=orjson.OPT_SORT_KEYS).decode()
        except (TypeError, ValueError):
            raise Refused("is not JSON") from None


def _scrubbed(value: object, depth: int) -> object:
    if depth > 100:
        raise Refused("is nested too deeply")
    if isinstance(value, str):
        return whole(value)
    if isinstance(value, dict):
        return {whole(str(key)): _scrubbed(item, depth + 1) for key, item in value.items()}
    if isinstance(value, list):
        return [_scrubbed(v, depth + 1) for v in value]
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) >= 2**63:
        return float(value) if abs(value) < 10**300 else str(value)
    return value


def _json(value: object) -> str:
    if isinstance(value, str):
        try:
            return canonical(orjson.loads(value))
        except orjson.JSONDecodeError:
            return canonical(value)
    return canonical(value)


_READERS: Mapping[Kind, Callable[[object], Value]] = {
    "text": _text,
    "ms": _milliseconds,
    "number": lambda value: float(_number(value)),
    "integer": _integer,
    "texts": _texts,
    "json": _json,
}
_BY_NAME: Mapping[str, Mapping[str, Field]] = {
    kind: {field.name: field for field in fields} for kind, fields in RECORDS.items()
}


def check(raw: Mapping[str, object], *, zone: tzinfo | None = None) -> tuple[RecordType, Row]:
    """The record's type and its row, every known name present and None where the record is silent.

    Raises Refused with the reason when the type is unknown, a required name is missing or a value does not fit.
    """
    kind = raw.get("type")
    fields = _BY_NAME.get(kind) if isinstance(kind, str) else None
    if fields is None:
        raise Refused(f"type is {str(kind)[:40]!r}, not one of {', '.join(RECORDS)}")
    row: Row = dict.fromkeys(fields)
    extra: dict[str, object] = {}
    for name, value in raw.items():
        if value is None or name == "type":
            continue
        field = fields.get(name)
        try:
            if field is None:
                stem, _, unit = name.rpartition("_")
                if unit in _UNITS and stem in fields and fields[stem].kind == "time":
                    row[stem] = _epoch(value, unit)
                else:
                    extra[name] = value
            elif field.kind == "time":
                row[name] = parse_time(value, zone)
            elif value != "" or field.kind == "json":
                row[name] = _READERS[field.kind](value)
        except Refused as refusal:
            raise Refused(f"{name} {refusal}") from None
    _finish(kind, row, extra, raw)  # type: ignore[arg-type]  # a key of RECORDS, looked up above
    return kind, row  # type: ignore[return-value]  # the same


def _finish(kind: RecordType, row: Row, extra: dict[str, object], raw: Mapping[str, object]) -> None:
    missing = [field.name for field in RECORDS[kind] if field.required and row[field.name] is None]
    if missing:
        raise Refused(f"{', '.join(missing)} is missing" if len(missing) == 1 else f"{', '.join(missing)} are missing")
    for name in _IDS & row.keys():
        value = row[name]
        if isinstance(value, str) and len(value) > MAX_ID:
            raise Refused(f"{name} is longer than {MAX_ID} characters")
    for name in _LOWER & row.keys():
        value = row[name]
        if isinstance(value, str):
            row[name] = value.strip().lower() or None
    _interval(kind, row)
    if extra:
        given = raw.get("attributes")
        if isinstance(given, str):
            given = orjson.loads(str(row["attributes"]))
        row["attributes"] = canonical({**extra, **given} if isinstance(given, dict) else extra)


def _interval(kind: RecordType, row: Row) -> None:
    start, end = row.get("start_time"), row.get("end_time")
    if isinstance(start, int) and isinstance(end, int) and end < start:
        raise Refused("end_time is before start_time")
    if kind != "span":
        return
    duration = row["duration_ms"]
    if isinstance(start, int) and isinstance(end, int) and duration is None:
        row["duration_ms"] = (end - start) / 1_000
    elif isinstance(start, int) and isinstance(duration, int | float) and end is None:
        row["end_time"] = start + round(duration * 1_000)
    elif duration is None:
        raise Refused("end_time or duration_ms is missing")


def content_key(kind: RecordType, row: Row) -> str:
    """The hash that stands for the id of a record that has none; `#n` for its occurrence is added by the loader."""
    return "~" + hashlib.blake2b(canonical([kind, row]).encode(), digest_size=12).hexdigest()
