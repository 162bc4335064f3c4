"""What happened in an agent's session at one moment, as events."""

from __future__ import annotations

from talkscope.warehouse.documents import Item, mapping_of, rest, text_of
from talkscope.warehouse.ingest.livekit.fields import BESIDE, PLATFORM, micros, model_of, provider_of

_USED = {"type", "created_at"} | BESIDE
_FAILED = {"status": "error"}
_PROCESSORS = {"stt": "asr", "realtime_model": "llm"}


def event_of(item: Item, session: str, at: float) -> Item:
    """An event of the session, or an item of its conversation that is no message, under its own name."""
    kind = str(item["type"])
    record: Item = {
        "type": "event",
        "platform": PLATFORM,
        "session_id": session,
        "time_us": micros(at),
        "metric_name": kind,
        "attributes": rest(item, _USED),
    }
    return record | (_error(item) if kind == "error" else {})


def _error(item: Item) -> Item:
    """An error that LiveKit gets over by itself, by asking again, is none of the session's."""
    error, source = mapping_of(item.get("error")), mapping_of(item.get("source"))
    code = text_of(error.get("type")) or "unknown"
    part = code.removesuffix("_error").removesuffix("_detection")
    again = error.get("recoverable") is True
    named: Item = {"model_name": source.get("model"), "model_provider": source.get("provider")}
    about: Item = {"provider": provider_of(named, error.get("label")), "model": model_of(named)}
    processor = _PROCESSORS.get(part, part)
    about |= {"processor": processor, "error_code": code, "metric_type": "error"}
    return about | (
        {"metric_name": f"{processor}.retry"} if again else {"metric_name": f"error.{processor}", **_FAILED}
    )


def usage_of(each: Item, session: str, at: float) -> Item:
    """What one model was used in a whole session; its parts may be known from metrics, so that it adds to nothing."""
    kind = text_of(each.get("type")) or "usage"
    part = kind.removesuffix("_usage")
    return {
        "type": "event",
        "platform": PLATFORM,
        "session_id": session,
        "time_us": micros(at),
        "metric_name": f"usage.{_PROCESSORS.get(part, part)}",
        "metric_type": kind,
        "processor": _PROCESSORS.get(part, part),
        "provider": provider_of({"model_provider": each.get("provider")}),
        "model": text_of(each.get("model")),
        "attributes": rest(each, {"type", "provider", "model"}),
    }
