"""The items of a conversation as turns: what the user said, what the agent answered, the tools that it used."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from talkscope.models.records import Refused
from talkscope.warehouse.documents import Found, Item, listed, mapping_of, rest, text_of
from talkscope.warehouse.ingest.livekit.fields import PLATFORM, micros, model_of, moment_of, ms, provider_of, seconds_of
from talkscope.warehouse.ingest.livekit.metrics import transcription


@dataclass(slots=True)
class Turn:
    """What one user message led to; without one, what the agent said by itself."""

    user: Item | None = None
    messages: list[Item] = field(default_factory=list)
    tools: list[tuple[Item, Item]] = field(default_factory=list)

    @property
    def id(self) -> str | None:
        """The first answer's id, else the user's message's."""
        return text_of((self.messages[0] if self.messages else self.user or {}).get("id"))

    def spoken(self) -> float | None:
        """When the agent began to speak."""
        times = (seconds_of(_metrics(each).get("started_speaking_at")) for each in self.messages)
        return next((time for time in times if time), None)

    def ended(self) -> float | None:
        """When the user stopped to speak."""
        told = seconds_of(_metrics(self.user).get("stopped_speaking_at"))
        latency, spoken = self.stated(), self.spoken()
        return told or (spoken - latency if spoken and latency is not None else None)

    def stated(self) -> float | None:
        """The end-to-end latency that LiveKit states, in seconds."""
        told = (seconds_of(_metrics(each).get("e2e_latency")) for each in self.messages)
        return next((latency for latency in told if latency is not None), None)

    def latency(self) -> float | None:
        """The stated latency, or else the sum of its three parts where no tool came between them; seconds."""
        stated = self.stated()
        if stated is not None or not self.messages or self.tools:
            return stated
        said = _metrics(self.messages[0])
        parts = [seconds_of(_metrics(self.user).get("end_of_turn_delay")) or None]
        parts += [seconds_of(said.get(name)) for name in ("llm_node_ttft", "tts_node_ttfb")]
        known = [part for part in parts if part is not None]
        return sum(known) if len(known) == len(parts) else None

    def responses(self) -> set[str]:
        """The providers' ids of the answers."""
        return {str(each) for item in self.messages for each in listed(_metrics(item).get("provider_request_ids"))}


def turns_of(items: list[Item]) -> tuple[list[Turn], list[Item]]:
    """The turns of a conversation in order, and the items that belong to none."""
    turns: list[Turn] = []
    others: list[Item] = []
    calls: dict[str, Item] = {}
    turn, used_tools = Turn(), False
    for item in items:
        kind, role, call = item.get("type"), item.get("role"), str(item.get("call_id"))
        if kind == "message" and role == "user":
            turns.append(turn)
            turn, used_tools = Turn(item), False
        elif kind == "message" and role == "assistant":
            if turn.messages and not used_tools:
                turns.append(turn)
                turn = Turn()
            turn.messages.append(item)
            used_tools = False
        elif kind == "function_call":
            calls[call] = item
            used_tools = True
        elif kind == "function_call_output":
            turn.tools.append((calls.pop(call, {}), item))
            used_tools = True
        else:
            others.append(item)
    turns.append(turn)
    return [turn for turn in turns if turn.user or turn.messages or turn.tools], [*others, *calls.values()]


def turn_records(turn: Turn, session: str, speech: str | None, timed: set[str]) -> Iterator[Found]:
    """The turn's interaction, and spans of the processors whose work `timed` has none of."""
    own = speech or turn.id
    where = f"turn {own}"
    ids: Item = {"platform": PLATFORM, "session_id": session, "interaction_id": own}
    if turn.user or turn.messages:
        try:
            yield where, _interaction(turn, ids)
        except Refused as refusal:
            yield where, refusal
    if turn.user and "eou_detection" not in timed:
        yield from ((where, record) for record in _listening(turn.user, ids))
    for message in turn.messages:
        yield from ((where, record) for record in _answering(message, ids) if record["processor"] not in timed)
    for call, output in turn.tools:
        yield f"tool call {output.get('call_id')}", _tool(call, output, ids)


def _interaction(turn: Turn, ids: Item) -> Item:
    first = turn.user or turn.messages[0]
    start = turn.ended() or turn.spoken() or moment_of(first, "created_at")
    last = turn.messages[-1] if turn.messages else {}
    end = seconds_of(_metrics(last).get("stopped_speaking_at"))
    attributes: Item = {"messages": [rest(each, {"type", "hash"}) for each in turn.messages]} if turn.messages else {}
    if turn.user:
        attributes["user"] = rest(turn.user, {"type", "hash"})
    return {
        "type": "interaction",
        **ids,
        "start_time_us": micros(start),
        "end_time_us": micros(end) if end and end >= start else None,
        "latency_ms": ms(turn.latency()),
        "status": None if not last else "cancelled" if last.get("interrupted") is True else "ok",
        "attributes": attributes,
    }


def _listening(user: Item, ids: Item) -> Iterator[Item]:
    """How long it took to notice that the user had ended, and until the transcript was there."""
    said = _metrics(user)
    ended, delay = seconds_of(said.get("stopped_speaking_at")), seconds_of(said.get("end_of_turn_delay"))
    heard = seconds_of(said.get("transcription_delay"))
    stt = mapping_of(said.get("stt_metadata"))
    if ended and heard:
        # Of which turn it is may be told by another line, and an event has no id to be known by.
        event = transcription({**ids, "interaction_id": None}, heard, ended)
        yield event | {"provider": provider_of(stt), "model": model_of(stt)}
    if ended and delay:
        yield _span(ids, "eou_detection", user, ended, delay)


def _answering(message: Item, ids: Item) -> Iterator[Item]:
    """The waits for the model's first token and for the first audio, placed backwards from when the agent spoke."""
    said = _metrics(message)
    spoken = seconds_of(said.get("started_speaking_at"))
    audio, token = seconds_of(said.get("tts_node_ttfb")), seconds_of(said.get("llm_node_ttft"))
    at = spoken - (seconds_of(said.get("playback_latency")) or 0) if spoken else None
    if at is None:
        created = seconds_of(message.get("created_at"))
        at = created + (token or 0) + (audio or 0) if created else None
    if at is None:
        return
    if audio is not None:
        at -= audio
        yield _span(ids, "tts", message, at, audio)
    if token is not None:
        yield _span(ids, "llm", message, at - token, token)


def _span(ids: Item, processor: str, item: Item, start: float, seconds: float) -> Item:
    metadata = mapping_of(_metrics(item).get(f"{processor}_metadata"))
    provider, waited = provider_of(metadata), processor != "eou_detection"
    return {
        "type": "span",
        **ids,
        "span_id": f"{processor}/{ids['session_id']}/{item.get('id') or micros(start)}",
        "processor": processor,
        "provider": provider,
        "voice_provider": provider if processor == "tts" else None,
        "model": model_of(metadata),
        "start_time_us": micros(start),
        "duration_ms": ms(seconds),
        "ttfb_ms": ms(seconds) if waited else None,
        "attributes": {"measured": "until the first of the answer", "placed": "estimated"} if waited else {},
    }


def _tool(call: Item, output: Item, ids: Item) -> Item | Refused:
    try:
        end = moment_of(output, "created_at")
        start = moment_of(call, "created_at") if call else end
    except Refused as refusal:
        return refusal
    failed = output.get("is_error") is True
    name = text_of(call.get("name")) or text_of(output.get("name"))
    about: Item = {
        **ids,
        "processor": "execute_tool",
        "status": "error" if failed else "ok",
        "attributes": {**rest(call, {"type"}), **rest(output, {"type", "id"}), "name": name},
    }
    if not call or end < start:
        # Without its call a tool has a result and no length.
        return {"type": "event", **about, "interaction_id": None, "time_us": micros(end), "metric_name": "tool_result"}
    key = f"{ids['session_id']}/{call.get('call_id')}"
    times = {"start_time_us": micros(start), "end_time_us": micros(end)}
    return {"type": "span", "span_id": f"execute_tool/{key}", **about, **times}


def _metrics(item: Item | None) -> Item:
    return mapping_of((item or {}).get("metrics"))
