"""One metrics object as a span, or as an event when it is no work of a length."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from talkscope.models.records import Refused
from talkscope.warehouse.documents import Item, mapping_of, number_of, rest, text_of
from talkscope.warehouse.ingest.livekit.fields import (
    BESIDE,
    PLATFORM,
    micros,
    model_of,
    moment_of,
    ms,
    provider_of,
    seconds_of,
)


@dataclass(slots=True)
class Part:
    """A mapped metrics object, and what its speech needs to know of it; times in seconds."""

    record: Item
    kind: str
    speech: str | None
    request: str | None
    start: float
    first: float | None
    """Seconds from the start to the first of the answer; of an end of utterance, its delay."""
    cancelled: bool = False


def part_of(item: Item, session: str) -> Part:
    """Map one metrics object; raises Refused when it has no time."""
    kind, metadata = str(item["type"]), mapping_of(item.get("metadata"))
    at = moment_of(item, "timestamp")
    part = Part(
        {"platform": PLATFORM, "session_id": session, "interaction_id": text_of(item.get("speech_id"))},
        kind,
        text_of(item.get("speech_id")),
        text_of(item.get("request_id")),
        at,
        None,
        item.get("cancelled") is True,
    )
    part.record |= {"provider": provider_of(metadata, item.get("label")), "model": model_of(metadata)}
    used = _MAPPED[kind](item, part, at) | BESIDE | {"type", "timestamp", "speech_id"}
    left = rest(item, used)
    if part.record["type"] == "event":
        part.record |= {"time_us": micros(at), "metric_type": kind}
    elif kind == "realtime_model_metrics":
        left["type"] = kind
    part.record["attributes"] = left
    return part


def also_of(item: Item, part: Part) -> Item | None:
    """The event that a metrics object holds beside its span: how long the transcript of the user's words took."""
    delay = seconds_of(item.get("transcription_delay")) if part.kind == "eou_metrics" else None
    return transcription(part.record, delay, part.start) if delay else None


def transcription(whose: Item, delay: float, at: float) -> Item:
    """The event of a transcript that was there `delay` seconds after the user's last word."""
    ids = {name: whose.get(name) for name in ("platform", "session_id", "interaction_id")}
    named: Item = {"metric_name": "asr.transcription_delay", "processor": "asr", "value": ms(delay), "unit": "ms"}
    return {"type": "event", **ids, **named, "time_us": micros(at)}


def _work(part: Part, processor: str, start: float, seconds: float, *ids: object) -> set[str]:
    """Make it a span; its id holds the moment, since a request may be measured in pieces."""
    named = "/".join(str(each) for each in (part.record["session_id"], *ids, micros(start + seconds)) if each)
    status = "cancelled" if part.cancelled else "ok"
    part.start = start
    part.record |= {"type": "span", "span_id": f"{processor}/{named}", "processor": processor, "status": status}
    part.record |= {"start_time_us": micros(start), "duration_ms": ms(seconds), "ttfb_ms": ms(part.first)}
    return {"request_id", "duration", "cancelled"}


def _tell(part: Part, name: str, processor: str, value: float | None = None, unit: str | None = None) -> set[str]:
    """Make it an event."""
    part.record |= {"type": "event", "metric_name": name, "processor": processor, "value": value, "unit": unit}
    return set()


def _tokens(item: Item, input_name: str, output_name: str) -> Item:
    """How many tokens were used; LiveKit writes zeros where the model told nothing."""
    given, made = number_of(item.get(input_name)), number_of(item.get(output_name))
    return {"input_tokens": given, "output_tokens": made} if given or made else {}


def _llm(item: Item, part: Part, at: float) -> set[str]:
    part.first = seconds_of(item.get("ttft"))
    part.record |= _tokens(item, "prompt_tokens", "completion_tokens")
    seconds = seconds_of(item.get("duration"))
    if seconds is None:
        raise Refused("has no duration")
    return _work(part, "llm", at - seconds, seconds, part.request) | {"ttft", "prompt_tokens", "completion_tokens"}


def _tts(item: Item, part: Part, at: float) -> set[str]:
    part.first = seconds_of(item.get("ttfb"))
    part.record |= _tokens(item, "input_tokens", "output_tokens")
    part.record |= {"characters": number_of(item.get("characters_count")), "voice_provider": part.record["provider"]}
    seconds = seconds_of(item.get("duration"))
    if seconds is None:
        raise Refused("has no duration")
    used = _work(part, "tts", at - seconds, seconds, part.request, item.get("segment_id"))
    return used | {"ttfb", "characters_count", "input_tokens", "output_tokens"}


def _stt(item: Item, part: Part, at: float) -> set[str]:
    seconds, heard = seconds_of(item.get("duration")), seconds_of(item.get("audio_duration"))
    if seconds:
        part.record |= _tokens(item, "input_tokens", "output_tokens")
        used = {"input_tokens", "output_tokens"}
        return used | _work(part, "asr", at - seconds, seconds, part.request)
    # A stream has no length of its own, and its connection none of audio.
    if not heard and seconds_of(item.get("acquire_time")):
        return _tell(part, "asr.connection", "asr", ms(seconds_of(item.get("acquire_time"))), "ms")
    return _tell(part, "asr.audio", "asr", heard, "s")


def _realtime(item: Item, part: Part, at: float) -> set[str]:
    seconds = seconds_of(item.get("duration"))
    if not seconds:
        return _tell(part, "llm.connection", "llm", ms(seconds_of(item.get("acquire_time"))), "ms")
    part.first = seconds_of(item.get("ttft"))
    part.record |= _tokens(item, "input_tokens", "output_tokens")
    # The one metrics object whose timestamp is the beginning.
    return _work(part, "llm", at, seconds, part.request) | {"ttft", "input_tokens", "output_tokens"}


def _vad(item: Item, part: Part, _at: float) -> set[str]:
    return _tell(part, "vad.inference", "vad", ms(seconds_of(item.get("inference_duration_total"))), "ms")


def _eou(item: Item, part: Part, at: float) -> set[str]:
    delay = seconds_of(item.get("end_of_utterance_delay"))
    if not delay:  # It is 0 where the end of the user's words was not noticed.
        return _tell(part, "eou_detection.unnoticed", "eou_detection")
    decided = at - (seconds_of(item.get("on_user_turn_completed_delay")) or 0)
    used = _work(part, "eou_detection", decided - delay, delay, part.speech)
    part.first = delay
    return used


def _eot(item: Item, part: Part, _at: float) -> set[str]:
    return _tell(part, "eou_detection.inference", "eou_detection", ms(seconds_of(item.get("total_duration"))), "ms")


def _interruption(item: Item, part: Part, _at: float) -> set[str]:
    stopped, nodded = (number_of(item.get(name)) or 0 for name in ("num_interruptions", "num_backchannels"))
    name = "interruption" if stopped else "backchannel" if nodded else "overlap"
    return _tell(part, name, "interruption", stopped or nodded, "count")


def _avatar(item: Item, part: Part, _at: float) -> set[str]:
    begun, joined = number_of(item.get("session_started_time")), number_of(item.get("avatar_joined_time"))
    if begun and joined:
        return _tell(part, "avatar.join", "avatar", ms(seconds_of(joined - begun)), "ms")
    return _tell(part, "avatar.playback_latency", "avatar", ms(seconds_of(item.get("playback_latency"))), "ms")


_MAPPED: Mapping[str, Callable[[Item, Part, float], set[str]]] = {
    "llm_metrics": _llm,
    "stt_metrics": _stt,
    "tts_metrics": _tts,
    "vad_metrics": _vad,
    "eou_metrics": _eou,
    "eot_inference_metrics": _eot,
    "realtime_model_metrics": _realtime,
    "interruption_metrics": _interruption,
    "avatar_metrics": _avatar,
}
METRICS = frozenset(_MAPPED)
"""The types of metrics objects."""
