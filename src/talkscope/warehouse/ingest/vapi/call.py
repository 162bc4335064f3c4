"""One call as records: the session, its turns with their components, its tools, and how it ended."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from talkscope.models.records import Refused, micros
from talkscope.models.semantics import USER_TO_BOT
from talkscope.warehouse.calls import (
    MILLISECOND,
    SECOND,
    Line,
    Turn,
    bill,
    interaction,
    measured_ms,
    since_start,
    span,
    turns_of,
    values,
)
from talkscope.warehouse.documents import Item, first_number, listed, mapping_of, number_of, rest, text_of
from talkscope.warehouse.ingest.vapi.costs import charges_of, components_of
from talkscope.warehouse.ingest.vapi.reasons import TYPES, fault_of, rating_of, resolution_of

PLATFORM = "vapi"

_STAGES = (
    ("asr", "transcriberLatency"),
    ("eou_detection", "endpointingLatency"),
    ("llm", "modelLatency"),
    ("tts", "voiceLatency"),
)
"""The components of a response in the order in which they work."""
_TIMED = {"role", "message", "time", "endTime", "secondsFromStart", "duration"}
_MAPPED = (
    "id orgId status startedAt endedAt messages artifact analysis costs costBreakdown assistant squad workflow "
    "assistantOverrides squadOverrides workflowOverrides updatedAt artifactPlan monitor"
).split()
_MAPPED_OF_ARTIFACT = {"messages", "messagesOpenAIFormatted", "performanceMetrics"}


@dataclass(slots=True)
class _Call:
    """What is worked out of a call before its records are made."""

    item: Item
    ids: Item
    start: int
    end: int | None
    opening: list[Line]
    turns: list[Turn]
    latencies: list[Item]
    """Of each response."""


def records(place: str, item: Item, *, final: bool) -> Iterator[tuple[str, Item | Refused]]:
    """The records of one call with their place; of one that is not `final`, what stays true of it."""
    name = text_of(item.get("id"))
    where = f"call {name}" if name else place
    try:
        start = _moment(item, "startedAt") or _moment(item, "createdAt")
        end = _moment(item, "endedAt")
    except Refused as refusal:
        yield where, refusal
        return
    if name is None or start is None:
        yield where, Refused("has no id" if name is None else "has neither startedAt nor createdAt")
        return
    artifact = mapping_of(item.get("artifact"))
    opening, turns = turns_of(_lines(_messages(item), start))
    latencies = listed(mapping_of(artifact.get("performanceMetrics")).get("turnLatencies"))
    ids: Item = {"platform": PLATFORM, "session_id": name}
    call = _Call(item, ids, start, end if end is None or end >= start else start, opening, turns, [])
    call.latencies = [mapping_of(each) for each in latencies]
    yield where, _session(call)
    for record in (*_turns(call, final=final), *(_ending(call) if final else ())):
        yield where, record


def _moment(item: Item, name: str) -> int | None:
    value = text_of(item.get(name))
    if value is None:
        return None
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        raise Refused(f"{name} is not an ISO 8601 time: {value[:40]!r}") from None
    return micros(moment if moment.tzinfo else moment.replace(tzinfo=UTC))


def _session(call: _Call) -> Item:
    item, artifact = call.item, mapping_of(call.item.get("artifact"))
    assistant, customer = mapping_of(item.get("assistant")), mapping_of(item.get("customer"))
    active = [mapping_of(each) for each in listed(artifact.get("assistantActivations"))]
    first = active[0] if active else {}
    several = {text_of(each.get("assistantId")) or text_of(each.get("assistantName")) for each in active} - {None}
    name = text_of(assistant.get("name")) or text_of(first.get("assistantName"))
    people = (item.get("customerId"), *(customer.get(key) for key in ("externalId", "number", "sipUri", "email")))
    kept: Item = {
        "artifact": rest(artifact, _MAPPED_OF_ARTIFACT),
        "performance": rest(mapping_of(artifact.get("performanceMetrics")), {"turnLatencies"}),
        "opening": " ".join(line.text for line in call.opening if line.text),
        "squad_name": mapping_of(item.get("squad")).get("name"),
        "components": components_of(item),
        "variables": mapping_of(item.get("assistantOverrides")).get("variableValues"),
        "system": [_text(each) for each in _messages(item) if each.get("role") == "system"],
    }
    return {
        "type": "session",
        **call.ids,
        "start_time_us": call.start,
        "end_time_us": call.end,
        "status": item.get("status"),
        "app_key": text_of(item.get("orgId")),
        "channel": TYPES.get(str(item.get("type"))),
        "character_id": text_of(item.get("assistantId")) or text_of(first.get("assistantId")) or name,
        "character_name": name,
        "participants": list(several) if len(several) > 1 else None,
        "end_user_id": next((person for each in people if (person := text_of(each))), None),
        "language": text_of(mapping_of(assistant.get("transcriber")).get("language")),
        "attributes": rest(item, _MAPPED) | rest(kept, ()),
    }


def _messages(item: Item) -> list[Item]:
    told = listed(mapping_of(item.get("artifact")).get("messages")) or listed(item.get("messages"))
    return [mapping_of(each) for each in told]


def _lines(messages: list[Item], start: int) -> Iterator[Line]:
    results = {text_of(each.get("toolCallId")): each for each in messages if each.get("role") == "tool_call_result"}
    for message in messages:
        began = _at(message.get("time"), message, start)
        match message.get("role"):
            case "user":
                yield Line("user", _text(message), began, _until(message, began), rest(message, _TIMED))
            case "bot" | "assistant":
                yield Line("agent", _text(message), began, _until(message, began), rest(message, _TIMED))
            case "tool_calls":
                for called in (mapping_of(each) for each in listed(message.get("toolCalls"))):
                    result = results.get(text_of(called.get("id")), {})
                    ended = _at(result.get("time"), result, start) if result else None
                    yield Line("tool", "", began, ended, {"call": called, "result": result})


def _text(message: Item) -> str:
    return text_of(message.get("message")) or ""


def _at(value: object, message: Item, start: int) -> int | None:
    """A time of a message: milliseconds since 1970, in some seconds; else the seconds since the call's start."""
    told = number_of(value)
    if told is not None and 1e8 < told < 1e14:
        return round(told * (MILLISECOND if told > 1e11 else SECOND))
    return since_start(message.get("secondsFromStart"), start)


def _until(message: Item, began: int | None) -> int | None:
    """When a message ended; its `duration` is not asked, because it has been seconds and milliseconds."""
    ended = _at(message.get("endTime"), {}, 0)
    return None if ended is None or began is None else max(began, ended)


def _turns(call: _Call, *, final: bool) -> Iterator[Item]:
    assigned = _assigned(call)
    for turn in call.turns:
        told = assigned.get(turn.index, [])
        turn.latency = measured_ms(told[0].get("turnLatency")) if told else None
        record = interaction(call.ids, turn, call.start)
        attributes = mapping_of(record["attributes"])
        record["attributes"] = attributes | {"latencies": [dict(each) for each in told]} if told else attributes
        yield record
        if told:
            yield from _components(call, turn, record, told[0])
    for tool in (line for line in call.opening if line.role == "tool"):
        yield from _tool(call, tool, None, final=final)
    for turn in call.turns:
        for tool in (line for line in turn.answer if line.role == "tool"):
            yield from _tool(call, tool, f"{call.ids['session_id']}/turn/{turn.index}", final=final)
    if final and not assigned and call.latencies:
        at = call.start if call.end is None else call.end
        yield from values(call.ids, at, USER_TO_BOT, (measured_ms(each.get("turnLatency")) for each in call.latencies))
        for processor, name in _STAGES:
            yield from values(
                call.ids, at, f"{processor}.ttfb", (measured_ms(each.get(name)) for each in call.latencies)
            )


def _assigned(call: _Call) -> dict[int, list[Item]]:
    """The latencies of each turn, where their number tells which are whose; the first is that of the first response."""
    if not call.turns and not call.opening:
        call.turns = [Turn(index) for index in range(len(call.latencies))]
        return {turn.index: [latency] for turn, latency in zip(call.turns, call.latencies, strict=True)}
    answered = [turn for turn in call.turns if turn.answer]
    for counts in ([1] * len(answered), [turn.responses() for turn in answered]):
        if answered and sum(counts) == len(call.latencies):
            left = iter(call.latencies)
            return {turn.index: [next(left) for _ in range(n)] for turn, n in zip(answered, counts, strict=True)}
    return {}


def _components(call: _Call, turn: Turn, record: Item, latency: Item) -> Iterator[Item]:
    """The first response's components, laid end to end so that the last one ends when the latency does."""
    if turn.latency is None or not turn.answer:
        return
    known = [
        (processor, length) for processor, name in _STAGES if (length := measured_ms(latency.get(name))) is not None
    ]
    end = int(str(record["start_time_us"])) + round(turn.latency * MILLISECOND)
    at = end - sum(round(length * MILLISECOND) for _, length in known)
    makers = components_of(call.item)
    for processor, length in known:
        start, at = at, at + round(length * MILLISECOND)
        yield span(call.ids, f"turn/{turn.index}/{processor}", processor, start, at) | {
            "interaction_id": record["interaction_id"],
            "ttfb_ms": length if processor in ("llm", "tts") else None,
            "status": "ok",
            "attributes": {"placed": "estimated"},
            **makers.get(processor, {}),
        }


def _tool(call: _Call, line: Line, turn: str | None, *, final: bool) -> Iterator[Item]:
    called, result = mapping_of(line.about["call"]), mapping_of(line.about["result"])
    function = mapping_of(called.get("function"))
    attributes = rest(called, {"function"}) | rest(result, {"role", "toolCallId", "time", "secondsFromStart"})
    attributes |= rest({"name": function.get("name"), "arguments": function.get("arguments")}, ())
    if line.start is None or line.end is None or line.end < line.start:
        # Without its result a tool has no length, and an event is told once: when the call is over.
        if final and line.start is not None:
            unfinished: Item = {"type": "event", **call.ids, "time_us": line.start, "interaction_id": turn}
            yield (
                unfinished
                | {"metric_name": "execute_tool.unfinished", "processor": "execute_tool"}
                | {"attributes": attributes}
            )
        return
    key = f"execute_tool/{text_of(called.get('id')) or line.start}"
    yield span(call.ids, key, "execute_tool", line.start, line.end) | {
        "interaction_id": turn,
        "status": "error" if result.get("error") else "ok",
        "attributes": attributes,
    }


def _ending(call: _Call) -> Iterator[Item]:
    """What is known when a call is over: its bill, the error that ended it, its outcome."""
    item, end = call.item, call.start if call.end is None else call.end
    reason = text_of(item.get("endedReason")) or ""
    total = first_number((item.get("cost"), mapping_of(item.get("costBreakdown")).get("total")))
    yield from bill(call.ids, charges_of(item), total, end)
    if fault := fault_of(reason):
        yield {
            "type": "event",
            **call.ids,
            "time_us": end,
            "metric_name": "error.provider" if fault.provider else "error.terminal",
            "metric_type": "ErrorMetricsData",
            "status": "error",
            "processor": fault.component,
            "provider": fault.provider,
            "error_code": reason,
        }
    analysis = mapping_of(item.get("analysis"))
    verdict = analysis.get("successEvaluation")
    evaluation = str(verdict).lower() if isinstance(verdict, bool) else text_of(verdict)
    resolution = resolution_of(item, reason, evaluation)
    told = rest(analysis, {"summary"})
    summary = text_of(analysis.get("summary"))
    if resolution is None and not told and summary is None:
        return
    rating, scale = rating_of(item, evaluation)
    yield {
        "type": "outcome",
        **call.ids,
        # An analysis comes after the end, and the latest outcome of a session is the one that counts.
        "time_us": end + (MILLISECOND if analysis else 0),
        "resolution": resolution,
        "handoff_reason": reason or None if resolution == "handoff" else None,
        "rating": rating,
        "rating_scale": scale,
        "summary": summary,
        "tags": ["voicemail"] if reason == "voicemail" else None,
        "attributes": told,
    }
