"""Telling Pipecat's metrics apart: their dumps do not name their class, and several look alike."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from talkscope.models.records import Refused
from talkscope.warehouse.documents import Item, listed, mapping_of, number_of
from talkscope.warehouse.ingest.pipecat.fields import BESIDE, processor_of

GROUPS = {
    "ttfb": "ttfb",
    "ttfa": "ttfa",
    "ttfat": "ttfat",
    "processing": "processing",
    "tokens": "llm_usage",
    "stt_usage": "stt_usage",
    "characters": "tts_usage",
}
"""The lists of an RTVI metrics message, and what each holds."""
LATENCIES = ("latency_seconds", "user_bot_latency_seconds", "turn.user_bot_latency_seconds", "user_bot_latency")
"""What the latency that `on_latency_measured` tells is called, in seconds."""
NAMED = ("type", "metric_type", "class", "class_name", "__class__", "kind", "metric", "event")

_CLASSES = {
    "ttfb": "ttfb",
    "ttfa": "ttfa",
    "ttfat": "ttfat",
    "processing": "processing",
    "llmusage": "llm_usage",
    "tokens": "llm_usage",
    "ttsusage": "tts_usage",
    "characters": "tts_usage",
    "sttusage": "stt_usage",
    "textaggregation": "text_aggregation",
    "turn": "turn_prediction",
    "smartturn": "turn_prediction",
    "latencybreakdown": "breakdown",
    "onlatencybreakdown": "breakdown",
    "userbotlatency": "latency",
    "latencymeasured": "latency",
    "onlatencymeasured": "latency",
    "turnended": "turn_ended",
    "onturnended": "turn_ended",
}
CLASS_OF: Mapping[str, str] = {
    "ttfb": "TTFBMetricsData",
    "ttfa": "TTFAMetricsData",
    "ttfat": "TTFATMetricsData",
    "processing": "ProcessingMetricsData",
    "llm_usage": "LLMUsageMetricsData",
    "tts_usage": "TTSUsageMetricsData",
    "stt_usage": "STTUsageMetricsData",
    "text_aggregation": "TextAggregationMetricsData",
    # The newer TurnMetricsData is the same metric, and the older name is the one that is asked for.
    "turn_prediction": "SmartTurnMetricsData",
}
_AROUND = (
    "metrics",
    "metric",
    "message",
    "data",
    "frame",
    "event",
    "payload",
    "breakdown",
    "latency_breakdown",
    "record",
    "extra",
)
_FIELDS = {
    "ttfa": "ttfa",
    "ttfat": "ttfat",
    "prompt_tokens": "llm_usage",
    "audio_seconds": "stt_usage",
    "e2e_processing_time_ms": "turn_prediction",
}
_DEEPEST = 6


def within(value: object, beside: Item, depth: int = 0) -> Iterator[tuple[str | Refused, Item, Item]]:
    """Each metric in a value: what it is or why that cannot be told, the metric, and what stands around it."""
    if depth > _DEEPEST:
        return
    if isinstance(value, list):
        for each in value:
            yield from within(each, beside, depth + 1)
    elif isinstance(value, dict):
        beside = {**beside, **_around(value)}
        kind = kind_of(value) or (_ambiguous(value, beside) if "processor" in value else None)
        if kind is not None:
            yield kind, value, beside
        elif _grouped(value):
            yield from _group(value, beside)
            return
        if kind in {None, "latency", "turn_ended"}:
            for name in _AROUND:
                if isinstance(value.get(name), dict | list):
                    yield from within(value[name], beside, depth + 1)


def kind_of(item: Item) -> str | None:
    """What a metric is, by its fields or by a name beside them; None when neither tells."""
    value = item.get("value")
    inner = value if isinstance(value, dict) else item
    for name, kind in _FIELDS.items():
        if number_of(inner.get(name)) is not None:
            return kind
    if _is_breakdown(item):
        return "breakdown"
    if any(number_of(item.get(name)) is not None for name in LATENCIES):
        return "latency"
    if "was_interrupted" in item and number_of(item.get("duration")) is not None:
        return "turn_ended"
    named = _named(item)
    return named if named and number_of(value) is not None else None


def _is_breakdown(item: Item) -> bool:
    if "user_turn_secs" in item or "user_turn_start_time" in item:
        return True
    return any(isinstance(each, dict) and "duration_secs" in each for each in listed(item.get("ttfb")))


def _named(item: Item) -> str | None:
    for name in NAMED:
        plain = re.sub(r"[^a-z]", "", str(item.get(name)).lower()).removesuffix("data").removesuffix("metrics")
        if plain in _CLASSES:
            return _CLASSES[plain]
    return None


def _around(item: Item) -> Item:
    """What an object says for all that it holds; a log record of loguru's says its time in a time of its own."""
    found = {name: item[name] for name in BESIDE if item.get(name) is not None}
    told = _named(item)
    if told:
        found["_kind"] = told
    moment = found.get("time")
    if isinstance(moment, dict):
        found["time"] = moment.get("timestamp")
    return found


def _ambiguous(item: Item, beside: Item) -> str | Refused | None:
    """A number and a processor: four metrics look like this."""
    if number_of(item.get("value")) is None:
        return None
    told = beside.get("_kind")
    if isinstance(told, str):
        return told
    return Refused(
        "may be a TTFB, a processing time, a text aggregation or characters: write the metric's class beside it, "
        '"type": type(metric).__name__'
    )


def _grouped(item: Item) -> bool:
    return any(isinstance(item.get(name), list) for name in GROUPS)


def _group(item: Item, beside: Item) -> Iterator[tuple[str, Item, Item]]:
    """The metrics of an RTVI message; its tokens name no processor, and are those of its only model."""
    members = [
        (kind, each) for name, kind in GROUPS.items() for each in listed(item.get(name)) if isinstance(each, dict)
    ]
    names = {str(each["processor"]) for _, each in members if each.get("processor")}
    models = [name for name in names if processor_of(name)[0] == "llm"]
    for kind, each in members:
        if kind == "llm_usage" and not each.get("processor"):
            yield kind, {**each, "processor": models[0] if len(models) == 1 else "llm"}, beside
        else:
            yield kind, each, beside


def usage_of(item: Item) -> Item:
    """The tokens of a usage metric, which an RTVI message writes without the metric around them."""
    return mapping_of(item.get("value")) or item
