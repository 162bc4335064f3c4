"""What is known of a file so far: requests, turns and sessions, which are put together when it is read."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from talkscope.models.records import Refused
from talkscope.warehouse.documents import Found, Item, first_number, listed, mapping_of, number_of, text_of
from talkscope.warehouse.ingest.pipecat.fields import PLATFORM, Home, home_of, micros, ms
from talkscope.warehouse.ingest.pipecat.kinds import LATENCIES, usage_of
from talkscope.warehouse.ingest.pipecat.requests import Measure, requests_of, told

_REQUESTS = {"ttfb", "processing", "llm_usage", "tts_usage"}
_EVENTS = {
    # The name of the event, where its number is, its unit and what the number is multiplied with.
    "ttfa": ("ttfa", "ttfa", "ms", 1_000),
    "ttfat": ("ttfat", "ttfat", "ms", 1_000),
    "text_aggregation": ("text_aggregation", "value", "ms", 1_000),
    "stt_usage": ("audio", "audio_seconds", "s", 1),
    "turn_prediction": ("prediction", "e2e_processing_time_ms", "ms", 1),
}


@dataclass(slots=True)
class _Turn:
    """One turn as far as it is told; times in seconds."""

    place: str
    session: str
    silence: float | None = None
    """When the user stopped to speak."""
    start: float | None = None
    end: float | None = None
    latency: float | None = None
    status: str | None = None


@dataclass(slots=True)
class _Session:
    start: float
    told: dict[str, str] = field(default_factory=dict)


class Book:
    """Takes the metrics of a file one by one; what had to wait for others comes with `close`."""

    def __init__(self) -> None:
        self._requests: dict[tuple[str, str], list[Measure]] = {}
        self._turns: dict[tuple[str, str], _Turn] = {}
        self._sessions: dict[str, _Session] = {}
        self._repeated: list[Measure] = []
        self._told: set[tuple[str, str, float]] = set()

    def take(self, place: str, kind: str, item: Item, beside: Item) -> Iterator[Found]:
        """One metric; raises Refused."""
        home = home_of(beside)
        if kind == "breakdown":
            yield from self._breakdown(place, item, home)
            return
        self._meet(home, home.time())
        if kind == "latency":
            self._latency(place, item, home)
        elif kind == "turn_ended":
            self._ended(place, item, home)
        else:
            yield from self._metric(place, kind, item, home)

    def close(self) -> Iterator[Found]:
        """Requests, turns and sessions, now that the whole file is read."""
        for measure in self._repeated:
            yield from self._repeat(measure)
        for measures in self._requests.values():
            yield from requests_of(measures)
        for (_, key), turn in self._turns.items():
            yield turn.place, _interaction(key, turn)
        for name, session in self._sessions.items():
            if session.told:
                record = {"type": "session", "platform": PLATFORM, "session_id": name, **session.told}
                yield f"session {name}", record | {"start_time_us": micros(session.start)}

    def _meet(self, home: Home, at: float) -> None:
        session = self._sessions.setdefault(home.session, _Session(at))
        session.start = min(session.start, at)
        session.told = {**home.told, **session.told}

    def _metric(self, place: str, kind: str, item: Item, home: Home) -> Iterator[Found]:
        name, field_name, unit, factor = _EVENTS.get(kind, (kind, "value", "s", 1))
        number = number_of(usage_of(item).get(field_name)) if kind == "stt_usage" else number_of(item.get(field_name))
        value = 0.0 if kind == "llm_usage" else number
        processor = text_of(item.get("processor"))
        if value is None or value < 0 or processor is None:
            raise Refused(f"has no {'processor' if processor is None else field_name}")
        measure = Measure(place, kind, home.session, home.turn, processor, item, home.time(), value)
        if kind not in _REQUESTS:
            self._told.add((home.session, processor, value))
            yield place, told(measure, name, round(value * factor, 3), unit)
        elif value == 0 and kind in {"ttfb", "processing"}:
            # Pipecat announces every processor with zeros as a pipeline starts: nothing was measured.
            yield place, told(measure, "announced", None, None)
        else:
            self._requests.setdefault((home.session, processor), []).append(measure)

    def _latency(self, place: str, item: Item, home: Home) -> None:
        """The latency that Pipecat measured is told as the bot begins to speak."""
        seconds = first_number(item.get(name) for name in (*LATENCIES, "value"))
        if seconds is None or seconds < 0:
            raise Refused("has no latency_seconds")
        silence = home.time() - seconds
        turn = self._turn(place, home, silence)
        turn.latency, turn.silence = seconds, turn.silence or silence

    def _ended(self, place: str, item: Item, home: Home) -> None:
        if home.turn is None:
            raise Refused("names no turn: write turn_number beside it")
        turn = self._turn(place, home, home.time())
        turn.end, turn.start = home.time(), home.time() - (number_of(item.get("duration")) or 0)
        turn.status = "cancelled" if item.get("was_interrupted") is True else "ok"

    def _turn(self, place: str, home: Home, at: float) -> _Turn:
        # What a user waited for once is a turn, also where nothing counts the turns.
        key = home.turn or f"{home.session}/{micros(at)}"
        return self._turns.setdefault((home.session, key), _Turn(place, home.session))

    def _breakdown(self, place: str, item: Item, home: Home) -> Iterator[Found]:
        """What one wait was made of; the first bytes in it are those that metrics of the same file may tell as well."""
        silence, listened = number_of(item.get("user_turn_start_time")), number_of(item.get("user_turn_secs"))
        parts = [*listed(item.get("ttfb")), *listed(item.get("function_calls")), item.get("text_aggregation")]
        starts = [start for each in parts if (start := number_of(mapping_of(each).get("start_time"))) is not None]
        at = min([*([silence] if silence else []), *starts], default=home.at)
        if at is None:
            raise Refused('says no time: write it beside the metrics, "time": time.time()')
        self._meet(home, at)
        key = home.turn
        if silence:
            turn = self._turn(place, home, silence)
            turn.silence, key = silence, home.turn or f"{home.session}/{micros(silence)}"
            if listened:
                yield place, _span(home, key, "eou_detection", silence, listened)
        for each in map(mapping_of, listed(item.get("function_calls"))):
            start, seconds = number_of(each.get("start_time")), number_of(each.get("duration_secs"))
            if start is None or seconds is None:
                raise Refused("has a function call without start_time and duration_secs")
            yield place, _span(home, key, "execute_tool", start, seconds, text_of(each.get("function_name")))
        told = [("ttfb", each) for each in listed(item.get("ttfb"))] + [
            ("text_aggregation", item.get("text_aggregation"))
        ]
        for kind, part in told:
            each = mapping_of(part)
            start, seconds = number_of(each.get("start_time")), number_of(each.get("duration_secs"))
            processor = text_of(each.get("processor"))
            if start is not None and seconds is not None and processor:
                dump = {"processor": processor, "model": each.get("model"), "value": seconds}
                at = start + seconds
                self._repeated.append(Measure(place, kind, home.session, key, processor, dump, at, seconds))

    def _repeat(self, measure: Measure) -> Iterator[Found]:
        """What a breakdown tells, unless it repeats the very number of a metric, which then is of the same turn."""
        if measure.kind == "text_aggregation":
            if (measure.session, measure.processor, measure.value) not in self._told:
                yield measure.place, told(measure, "text_aggregation", ms(measure.value), "ms")
            return
        known = self._requests.setdefault((measure.session, measure.processor), [])
        same = next((each for each in known if each.kind == "ttfb" and each.value == measure.value), None)
        if same:
            same.turn = same.turn or measure.turn
        else:
            known.append(measure)


def _span(home: Home, turn: str | None, processor: str, start: float, seconds: float, name: str | None = None) -> Item:
    key = f"{processor}/{home.session}/{micros(start)}"
    return {
        "type": "span",
        "platform": PLATFORM,
        "session_id": home.session,
        "interaction_id": turn,
        "span_id": f"{key}/{name}" if name else key,
        "processor": processor,
        "start_time_us": micros(start),
        "duration_ms": ms(seconds),
        "attributes": {"name": name} if name else {},
    }


def _interaction(key: str, turn: _Turn) -> Item:
    start = turn.silence or turn.start
    return {
        "type": "interaction",
        "platform": PLATFORM,
        "interaction_id": key,
        "session_id": turn.session,
        "start_time_us": None if start is None else micros(start),
        "end_time_us": micros(turn.end) if turn.end and start and turn.end >= start else None,
        "latency_ms": None if turn.latency is None else ms(turn.latency),
        "status": turn.status,
    }
