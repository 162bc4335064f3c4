"""Retell's calls as records: a call is a session, what the user says with the answer to it is an interaction.

Taken: call objects as the API answers them, by themselves, in lists, on pages (`{items: […]}`) or as NDJSON, and the
events that Retell posts to a server (`{event, call}`).

What is decided here and not by the format:
- A turn begins when the user stops to speak. Greetings are no turn: they are the session's `opening`.
- Retell lists end-to-end latencies and does not say of which turn they are: they are those of the turns in order where
  they are as many as the turns that the agent answered in words. Where they are not, they are events that belong to no
  turn, and the turns' latency is unknown. A call without a transcript, as lists have them, has a turn for each.
- Components' latencies have neither times nor turns: they are events `llm.ttfb`, `tts.ttfb`, …, and there are no spans
  of them. Tools have a span where both times are told, else they are events `execute_tool.call`, or
  `execute_tool.failed`: a turn goes on after a tool failed.
- Costs are told of the call, in cents: they are spans `billing.<product>`, of no length, at its end, in USD. Of
  tokens it is not told whether they went in or came out: they stay in the session's attributes.
- What ended the call with an error is one error event of the call, `error.terminal`.
- Errors, outcomes, costs and events are taken from calls that have ended, since they are final then.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import BinaryIO

from talkscope.models.records import RECORDS, RecordType, Refused
from talkscope.models.semantics import USER_TO_BOT
from talkscope.warehouse.calls import (
    MILLISECOND,
    Charge,
    Line,
    Turn,
    Vendor,
    bill,
    interaction,
    measured_ms,
    read_calls,
    since_start,
    span,
    turns_of,
    values,
)
from talkscope.warehouse.documents import Found, Item, listed, mapping_of, number_of, rest, text_of

NAME = "retell"
TITLE = "Retell calls (JSON or NDJSON from the API, or the events posted to a server)"
LATENCY_BASIS = (
    "Retell's e2e latency, from the end of the user's words to the agent's first, without the network to the user, "
    "where a call has as many of them as answers; else unknown"
)

_BOM = b"\xef\xbb\xbf"
_FIELDS = (
    b"call_status disconnection_reason call_analysis transcript_object transcript_with_tool_calls call_cost agent_id "
    b"start_timestamp recording_url".split()
)
_FOREIGN = (b'"resourceSpans":', b'"traceId":', b'"parentObservationId":')
_OWN = re.compile(rb'\[?\{"type":"(?:%b)"' % b"|".join(kind.encode() for kind in RECORDS))

_CHANNELS = {"phone_call": "phone", "web_call": "web"}
_METRICS = {
    "asr": "asr.latency",
    "llm": "llm.ttfb",
    "tts": "tts.ttfb",
    "s2s": "s2s.ttfb",
    "knowledge_base": "knowledge_bank.processing",
    "llm_websocket_network_rtt": "transport.rtt",
}
_ROLES = {"user", "agent", "tool_call_invocation", "tool_call_result"}
_TRANSCRIPTS = ("transcript_with_tool_calls", "scrubbed_transcript_with_tool_calls", "transcript_object")
_HANDED_OVER = {"call_transfer", "transfer_bridged", "call_take_over"}
_FAULTS = re.compile(
    r"error_\w+|dial_failed|sip_routing_error|telephony_provider_\w+|concurrency_limit_reached|"
    r"no_concurrency_fallback|no_valid_payment"
)
_AT_FAULT = {
    "error_asr": "asr",
    "error_llm": "llm",
    "sip_routing": "transport",
    "telephony": "transport",
    "dial": "transport",
}
_MAPPED = (
    "call_id call_status start_timestamp end_timestamp agent_id agent_name call_analysis scrubbed_call_analysis "
    "latency call_cost access_token"
).split()


def sniff(head: bytes) -> bool:
    """Whether a file that begins like this holds Retell's calls."""
    text = re.sub(rb"\s+", b"", head[:65_536].removeprefix(_BOM))
    if not text.startswith((b"{", b"[")) or _OWN.match(text) or any(mark in text for mark in _FOREIGN):
        return False
    return b'"call_id":' in text and sum(b'"%b":' % field in text for field in _FIELDS) >= 2


def read(stream: BinaryIO, _kind: RecordType | None = None) -> Iterator[Found]:
    """Each record of the calls with its place, and each item that cannot be mapped with the reason.

    Raises IngestError when nothing in the file is a call of Retell's.
    """
    return read_calls(stream, _VENDOR)


def _call(item: Item) -> Item:
    """The call, out of the event that holds it; older events have it under `data`."""
    if "event" not in item:
        return item
    beside = {name: value for name, value in item.items() if name not in ("event", "call", "data")}
    return {**beside, **(mapping_of(item.get("call")) or mapping_of(item.get("data")))}


def _known(item: Item) -> bool:
    return "call_id" in _call(item)


def _records(place: str, item: Item) -> Iterator[tuple[str, Item | Refused]]:
    call = _call(item)
    name = text_of(call.get("call_id"))
    where = f"call {name}" if name else place
    if name is None:
        yield where, Refused("has no call_id")
        return
    try:
        start, end = _epoch(call, "start_timestamp"), _epoch(call, "end_timestamp")
    except Refused as refusal:
        yield where, refusal
        return
    start = end if start is None else start
    if start is None:
        yield where, Refused(f"has not begun: its status is {call.get('call_status')}, and it has no start_timestamp")
        return
    end = None if end is None else max(start, end)
    ids: Item = {"platform": NAME, "session_id": name}
    lines = next((told for key in _TRANSCRIPTS if (told := [mapping_of(each) for each in listed(call.get(key))])), [])
    opening, turns = turns_of(_lines(lines, start))
    yield where, _session(call, ids, start, end, opening, lines)
    final = call.get("call_status") in ("ended", "error", "not_connected")
    for record in _turns(call, ids, start, end, opening, turns, final=final):
        yield where, record
    if final:
        for record in _ending(call, ids, start if end is None else end):
            yield where, record


def _epoch(call: Item, name: str) -> int | None:
    """Microseconds of a field in milliseconds since 1970; None when it is empty; raises Refused."""
    value = call.get(name)
    if value is None or value == "":
        return None
    number = number_of(value)
    if number is None or not 1e11 < number < 1e14:
        raise Refused(f"{name} is no time in milliseconds: {str(value)[:40]!r}")
    return round(number * MILLISECOND)


def _session(call: Item, ids: Item, start: int, end: int | None, opening: list[Line], lines: list[Item]) -> Item:
    caller = {"inbound": "from_number", "outbound": "to_number"}.get(str(call.get("direction")))
    strangers = [rest(each, {"words"}) for each in lines if str(each.get("role")) not in _ROLES]
    kept: Item = {"opening": " ".join(line.text for line in opening if line.text), "other_lines": strangers}
    latencies = mapping_of(call.get("latency"))
    # The values themselves are records; what is worked out of them is kept.
    kept["latency"] = {name: rest(mapping_of(each), {"values"}) for name, each in latencies.items()}
    return {
        "type": "session",
        **ids,
        "start_time_us": start,
        "end_time_us": end,
        "status": call.get("call_status"),
        "channel": _CHANNELS.get(str(call.get("call_type"))) or ("phone" if caller else None),
        "character_id": text_of(call.get("agent_id")),
        "character_name": text_of(call.get("agent_name")),
        "end_user_id": text_of(call.get(caller)) if caller else None,
        "attributes": rest(call, {*_MAPPED, *_TRANSCRIPTS}) | rest(kept, ()),
    }


def _lines(lines: list[Item], start: int) -> Iterator[Line]:
    results = {text_of(each.get("tool_call_id")): each for each in lines if each.get("role") == "tool_call_result"}
    at: int | None = None
    for line in lines:
        words = [mapping_of(each) for each in listed(line.get("words"))]
        since = [moment for each in words if (moment := since_start(each.get("start"), start)) is not None]
        until = [moment for each in words if (moment := since_start(each.get("end"), start)) is not None]
        match line.get("role"):
            case "user" | "agent" as role:
                began = since[0] if since else None
                ended = max([until[-1], *since[:1]]) if until else began
                at = ended if ended is not None else at
                about = rest(line, {"role", "content", "words"})
                yield Line(
                    "user" if role == "user" else "agent", text_of(line.get("content")) or "", began, ended, about
                )
            case "tool_call_invocation":
                result = results.get(text_of(line.get("tool_call_id")), {})
                told: Item = {"call": line, "result": result, "after": at}
                yield Line(
                    "tool",
                    "",
                    since_start(line.get("time_sec"), start),
                    since_start(result.get("time_sec"), start),
                    told,
                )


def _turns(
    call: Item, ids: Item, start: int, end: int | None, opening: list[Line], turns: list[Turn], *, final: bool
) -> Iterator[Item]:
    latencies = _values(call, "e2e")
    if not turns and not opening:
        turns = [Turn(index, latency=latency) for index, latency in enumerate(latencies)]
        latencies = []
    answered = [turn for turn in turns if turn.said()]
    if latencies and len(answered) == len(latencies):
        for turn, latency in zip(answered, latencies, strict=True):
            turn.latency = latency
        latencies = []
    at = start
    for turn in turns:
        record = interaction(ids, turn, at)
        at = max(at, int(str(record["end_time_us"] or record["start_time_us"])))
        yield record
        for line in turn.answer:
            if line.role == "tool":
                yield from _tool(ids, line, start, f"{ids['session_id']}/turn/{turn.index}", final=final)
    for line in opening:
        if line.role == "tool":
            yield from _tool(ids, line, start, None, final=final)
    if final:
        over = start if end is None else end
        yield from values(ids, over, USER_TO_BOT, latencies)
        for name, metric in _METRICS.items():
            yield from values(ids, over, metric, _values(call, name))


def _values(call: Item, name: str) -> list[float | None]:
    """The latencies of a component, in milliseconds."""
    told = mapping_of(mapping_of(call.get("latency")).get(name)).get("values")
    return [measured_ms(each) for each in listed(told)]


def _tool(ids: Item, line: Line, since: int, turn: str | None, *, final: bool) -> Iterator[Item]:
    called, result = mapping_of(line.about["call"]), mapping_of(line.about["result"])
    failed = result.get("successful") is False
    about: Item = {
        **ids,
        "interaction_id": turn,
        "processor": "execute_tool",
        "attributes": rest(called, {"role"}) | rest({"result": result.get("content")}, ()),
    }
    if line.start is not None and line.end is not None and line.end >= line.start:
        record = span(ids, f"execute_tool/{called.get('tool_call_id')}", "execute_tool", line.start, line.end)
        yield record | about | {"status": "error" if failed else "ok"}
    elif final:
        after = line.about.get("after")
        name = "execute_tool.failed" if failed else "execute_tool.call"
        yield {"type": "event", **about, "time_us": since if after is None else after, "metric_name": name}


def _ending(call: Item, ids: Item, end: int) -> Iterator[Item]:
    """What is known when a call is over: its bill, the error that ended it, its outcome."""
    costs = mapping_of(call.get("call_cost"))
    charges = [_charge(mapping_of(each)) for each in listed(costs.get("product_costs"))]
    yield from bill(ids, charges, _usd(costs.get("combined_cost")), end)
    reason = text_of(call.get("disconnection_reason")) or ""
    if _FAULTS.fullmatch(reason) or (call.get("call_status") == "error" and not reason):
        yield {
            "type": "event",
            **ids,
            "time_us": end,
            "metric_name": "error.terminal",
            "metric_type": "ErrorMetricsData",
            "status": "error",
            "processor": next((part for name, part in _AT_FAULT.items() if reason.startswith(name)), None),
            "error_code": reason or "error",
        }
    analysis = mapping_of(call.get("call_analysis")) or mapping_of(call.get("scrubbed_call_analysis"))
    resolution = _resolution(call, reason, analysis)
    if resolution is None and not analysis:
        return
    sentiment = (text_of(analysis.get("user_sentiment")) or "").lower()
    voicemail = analysis.get("in_voicemail") is True or reason == "voicemail_reached"
    yield {
        "type": "outcome",
        **ids,
        # An analysis comes after the end, and the latest outcome of a session is the one that counts.
        "time_us": end + (MILLISECOND if analysis else 0),
        "resolution": resolution,
        "handoff_reason": reason if resolution == "handoff" else None,
        "sentiment": None if sentiment == "unknown" else sentiment or None,
        "summary": text_of(analysis.get("call_summary")),
        "tags": ["voicemail"] if voicemail else None,
        "attributes": rest(analysis, {"call_summary", "user_sentiment"}),
    }


def _resolution(call: Item, reason: str, analysis: Item) -> str | None:
    """How the call ended for the user; None where nothing says so. Leaving a message resolves nothing."""
    if reason in _HANDED_OVER:
        return "handoff"
    if analysis.get("in_voicemail") is True or reason in ("voicemail_reached", "ivr_reached"):
        return None
    if analysis.get("call_successful") is True:
        return "resolved"
    return "abandoned" if reason == "inactivity" and call.get("call_status") == "ended" else None


def _charge(cost: Item) -> Charge:
    product = re.sub(r"\W+", "_", text_of(cost.get("product")) or "product").strip("_").lower()
    return Charge(product, _usd(cost.get("cost")), {"attributes": rest(cost, {"product", "cost"})})


def _usd(cents: object) -> float | None:
    number = number_of(cents)
    return None if number is None else round(number / 100, 9)


_VENDOR = Vendor(
    "call of Retell's",
    ("items", "calls", "data", "results"),
    _known,
    _records,
    "Export calls with list-calls or get-call, or keep the call_analyzed events that Retell posts; or name the file's "
    "format.",
)
