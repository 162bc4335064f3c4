"""The metrics of one processor as its requests: a length, a first byte, and what was used, told one after the other."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass, field

from talkscope.warehouse.documents import Found, Item, number_of, rest
from talkscope.warehouse.ingest.pipecat.fields import BESIDE, PLATFORM, micros, ms, processor_of
from talkscope.warehouse.ingest.pipecat.kinds import CLASS_OF, NAMED, usage_of

SLACK = 0.05
"""Seconds by which the moments of one request, written down one after the other, may seem to cross."""
AT_ONCE = 16
"""Requests of one processor that may overlap."""
_TOKENS = {"prompt_tokens": "input_tokens", "completion_tokens": "output_tokens"}
_USED = BESIDE | {*NAMED, "processor", "model", "value"}


@dataclass(slots=True)
class Measure:
    """One number that a processor told: a duration in seconds, or what it used, at a moment in seconds since 1970."""

    place: str
    kind: str
    session: str
    turn: str | None
    processor: str
    item: Item
    at: float
    value: float

    @property
    def start(self) -> float:
        """When what it measures began."""
        return self.at - self.value


@dataclass(slots=True)
class _Request:
    """One piece of work, with what was told of it."""

    of: Measure
    first: Measure | None = None
    used: list[Measure] = field(default_factory=list)

    def holds(self, at: float) -> bool:
        """Whether a moment lies in it."""
        return self.of.start - SLACK <= at <= self.of.at + SLACK


def requests_of(measures: list[Measure]) -> Iterator[Found]:
    """The spans of one processor in one session, and events of what it used outside of them."""
    measures = sorted(measures, key=lambda each: each.at)
    works = [_Request(each) for each in measures if each.kind == "processing"]
    ends = [work.of.at for work in works]
    alone: list[_Request] = []

    def around(at: float) -> list[_Request]:
        first = bisect_left(ends, at - SLACK)
        return [work for work in works[first : first + AT_ONCE] if work.holds(at)]

    for each in measures:
        if each.kind == "ttfb":
            work = next((work for work in around(each.at) if work.first is None and work.holds(each.start)), None)
            if work:
                work.first = each
            else:
                alone.append(_Request(each, first=each))
    for each in measures:
        if each.kind in {"llm_usage", "tts_usage"}:
            held = next(iter(around(each.at)), None) or _before(alone, each)
            if held:
                held.used.append(each)
            else:
                yield each.place, _usage(each)
    for work in sorted([*works, *alone], key=lambda each: each.of.at):
        yield work.of.place, _span(work)


def named(measure: Measure) -> Item:
    """What any record of a metric says: whose it is and which component's, the processor's own name kept."""
    processor, provider = processor_of(measure.processor)
    attributes = {**rest(measure.item, _USED), "processor": measure.processor}
    ids: Item = {"platform": PLATFORM, "session_id": measure.session, "interaction_id": measure.turn}
    model = measure.item.get("model")
    return {**ids, "processor": processor, "provider": provider, "model": model, "attributes": attributes}


def told(measure: Measure, name: str, value: float | None, unit: str | None) -> Item:
    """The metric as an event, named after its component."""
    record = named(measure)
    metric = f"{record['processor']}.{name}"
    moment: Item = {"type": "event", "time_us": micros(measure.at), "metric_name": metric}
    return record | moment | {"metric_type": CLASS_OF[measure.kind], "value": value, "unit": unit}


def _before(requests: list[_Request], usage: Measure) -> _Request | None:
    """The request that began last before; tokens are told once, as a request ends, and characters as it goes on."""
    begun = (each for each in reversed(requests) if each.of.start - SLACK <= usage.at)
    last = next(begun, None)
    again = last is not None and usage.kind == "llm_usage" and any(each.kind == usage.kind for each in last.used)
    return None if again else last


def _span(work: _Request) -> Item:
    record, of = named(work.of), work.of
    for measure in ([work.first] if work.first else []) + work.used:
        record["interaction_id"] = record["interaction_id"] or measure.turn
        record["model"] = record["model"] or measure.item.get("model")
    used: Item = {}
    attributes = dict(record["attributes"]) if isinstance(record["attributes"], dict) else {}
    for measure in work.used:
        counts, more = _counted(measure)
        for name, count in counts.items():
            used[name] = (number_of(used.get(name)) or 0) + count
        attributes |= more
    if of.kind == "ttfb":
        attributes["measured"] = "until the first byte"
    return {
        "type": "span",
        "span_id": f"{of.processor}/{of.session}/{micros(of.at)}",
        **record,
        "start_time_us": micros(of.start),
        "duration_ms": ms(of.value),
        "ttfb_ms": ms(work.first.value) if work.first else None,
        "voice_provider": record["provider"] if record["processor"] == "tts" else None,
        **used,
        "attributes": attributes,
    }


def _counted(usage: Measure) -> tuple[dict[str, float], Item]:
    """What a usage metric counts, in the warehouse's names, and the rest of it."""
    if usage.kind == "tts_usage":
        return {"characters": usage.value}, {}
    item = usage_of(usage.item)
    counts = {ours: number_of(item.get(theirs)) for theirs, ours in _TOKENS.items()}
    return {name: count for name, count in counts.items() if count is not None}, rest(item, {*_TOKENS, *_USED})


def _usage(usage: Measure) -> Item:
    """What was used where no request is known: an event, since a span has a length."""
    if usage.kind == "tts_usage":
        return told(usage, "characters", usage.value, "characters")
    item = usage_of(usage.item)
    record = told(usage, "tokens", number_of(item.get("total_tokens")), "tokens")
    return record | {"attributes": {**rest(item, _USED), "processor": usage.processor}}
