"""Hand-made records that two readers of the same pages would get differently, in three batches loaded in order."""

from __future__ import annotations

Record = dict[str, object]
DAY = "2026-03-28T"


def _session(session_id: str, start: str, **rest: object) -> Record:
    return {"type": "session", "session_id": session_id, "start_time": start, **rest}


def _turn(session_id: str, interaction_id: str, start: str, **rest: object) -> Record:
    return {
        "type": "interaction",
        "interaction_id": interaction_id,
        "session_id": session_id,
        "start_time": start,
        **rest,
    }


def _span(session_id: str, processor: str, start: str, ms: float, **rest: object) -> Record:
    return {
        "type": "span",
        "session_id": session_id,
        "processor": processor,
        "start_time": start,
        "duration_ms": ms,
        **rest,
    }


def _event(session_id: str, time: str, metric_name: str, **rest: object) -> Record:
    return {"type": "event", "session_id": session_id, "time": time, "metric_name": metric_name, **rest}


def _outcome(session_id: str, time: str, **rest: object) -> Record:
    return {"type": "outcome", "session_id": session_id, "time": time, **rest}


def clock_changes() -> list[Record]:
    """Turns on both sides of every change of the clock, and on both edges of days."""
    moments = {
        "berlin-spring": "2026-03-28T22:59:59.999999Z 2026-03-28T23:00:00Z 2026-03-29T01:59:59.999+01:00 "
        "2026-03-29T03:00:00+02:00 2026-03-29T21:59:59.999Z 2026-03-29T22:00:00Z",
        "berlin-autumn": "2026-10-24T22:00:00Z 2026-10-25T02:30:00+02:00 2026-10-25T02:30:00+01:00 "
        "2026-10-25T00:59:59.999999Z 2026-10-25T01:00:00Z 2026-10-25T22:59:59Z 2026-10-25T23:00:00Z",
        "howe-autumn": "2026-04-04T12:59:59Z 2026-04-04T13:00:00Z 2026-04-04T14:59:59.999Z "
        "2026-04-04T15:00:00Z 2026-04-04T15:29:59Z 2026-04-04T15:30:00Z 2026-04-05T13:30:00Z",
        "howe-spring": "2026-10-03T13:30:00Z 2026-10-03T15:29:59Z 2026-10-03T15:30:00Z "
        "2026-10-03T15:59:59Z 2026-10-03T16:00:00Z 2026-10-04T12:59:59Z",
        "sao-paulo": "2026-03-29T02:59:59Z 2026-03-29T03:00:00Z 2026-03-29T03:00:00.000001Z",
        "month-end": "2026-03-31T21:59:59Z 2026-03-31T22:00:00Z 2026-04-01T00:00:00Z",
    }
    return [
        _turn(f"clock {name}", f"clock {name} {number}", moment, latency_ms=300 + 25 * number)
        for name, times in moments.items()
        for number, moment in enumerate(times.split())
    ]


def late_and_lonely() -> list[Record]:
    """Facts far from their session's start, sessions of one fact, sessions without an end or without a length."""
    return [
        _session("late", "2026-03-27T21:50:00Z", character_id="char-a", end_user_id="user-late"),
        _turn("late", "late-1", "2026-03-27T23:59:59.999999Z", latency_ms=910.5),
        _turn("late", "late-2", DAY + "00:00:00Z", end_time=DAY + "00:00:09Z", latency_ms=1210.5),
        _turn("late", "late-3", "2026-03-29T00:00:00Z", latency_ms=40),
        _session("only an outcome", "2026-03-20T08:00:00Z", end_user_id="user-outcome", channel="phone"),
        _outcome("only an outcome", DAY + "08:00:00Z", resolution="handoff", rating=2, tags=["vip", "refund"]),
        _outcome("outcome of nobody", DAY + "08:30:00Z", resolution="resolved", handoff=True),
        _session("no length", DAY + "09:00:00Z", end_time=DAY + "09:00:00Z"),
        _session("no end, no facts", DAY + "09:05:00Z", end_user_id="user-silent"),
        _session("no end, one outcome", DAY + "09:10:00Z"),
        _outcome("no end, one outcome", DAY + "11:10:00Z", resolution="abandoned", tags=["refund"]),
        _session("no end, a turn", DAY + "09:15:00Z"),
        _turn("no end, a turn", "ends later", DAY + "09:20:00Z", end_time=DAY + "09:21:00Z"),
        _session("no end, facts before it", DAY + "09:30:00Z"),
        _event("no end, facts before it", DAY + "09:29:00Z", "client.loaded", value=1),
        _session("back to back 1", DAY + "10:00:00Z", end_time=DAY + "10:30:00Z"),
        _session("back to back 2", DAY + "10:30:00Z", end_time=DAY + "11:00:00Z"),
        _session("three weeks", "2026-03-15T00:00:00Z", end_time="2026-04-05T00:00:00Z", channel="Kiosk "),
        _event("nobody 1", DAY + "12:00:00Z", "error.connect"),
        _span("nobody 2", "vad", DAY + "12:00:01Z", 12.5),
    ]


def errors() -> list[Record]:
    """Failures said by a status, by an event, by both, by neither."""
    s, at = "failing", DAY + "13:00:"
    return [
        _session(s, at + "00Z", character_id="char-b", language="de"),
        _turn(s, "f-ok", at + "01Z", status="ok", latency_ms=500),
        _turn(s, "f-cancelled", at + "02Z", status="cancelled", latency_ms=510),
        _turn(s, "f-error", at + "03Z", status="ERROR", failure_stage="tts", latency_ms=520),
        _turn(s, "f-timeout", at + "04Z", status="timeout"),
        _turn(s, "f-event", at + "05Z", status="ok", latency_ms=530),
        _event(s, at + "05.100Z", "error.llm", interaction_id="f-event", processor="llm"),
        _event(s, at + "05.200Z", "error.llm", interaction_id="f-event", processor="llm"),
        _turn(s, "f-event-status", at + "06Z", latency_ms=540),
        _event(s, "2026-03-30T00:00:00Z", "ack", interaction_id="f-event-status", status="timeout"),
        _event(s, at + "07Z", "error.tts", interaction_id="f-implied", provider="elevenlabs"),
        _event(s, at + "08Z", "error.session"),
        _event(s, at + "08Z", "error.session"),
        _event(s, at + "09Z", "link", status="error", value=3),
        _event(s, at + "10Z", "errors.total", value=7),
        _event(s, at + "11Z", "Error.upper", value=1),
        _event(s, at + "12Z", "link", status="cancelled"),
        _event(s, at + "13Z", "db.error_persist_dropped", value=1),
        _span(s, "tts", at + "01.100Z", 50, interaction_id="f-ok", status="error", error_code="E_429"),
        _span(s, "tts", at + "01.200Z", 50, interaction_id="f-ok", status="timeout", provider="elevenlabs"),
        _span(s, "tts", at + "01.300Z", 50, interaction_id="f-ok", status="cancelled", error_code="E_STOP"),
    ]


def shapes_of_traces() -> list[Record]:
    """Spans nested, parallel, tied, sticking out, in loops, with parents that are elsewhere or nowhere."""
    s, at = "traces", DAY + "14:00:"
    deep = {"interaction_id": "deep"}
    odd = {"interaction_id": "odd"}
    return [
        _session(s, at + "00Z", end_time=DAY + "14:30:00Z", character_id="char-c"),
        _turn(s, "deep", at + "00Z", latency_ms=1000),
        _span(s, "turn", at + "00Z", 1000, span_id="d-turn", **deep),
        _span(s, "llm", at + "00.200Z", 600, span_id="d-llm", parent_id="d-turn", provider="openai", **deep),
        _span(s, "tool", at + "00.300Z", 200, span_id="d-tool", parent_id="d-llm", **deep),
        _span(s, "tts", at + "00.350Z", 900, span_id="d-tts", parent_id="d-turn", provider="elevenlabs", **deep),
        _span(s, "transport", "2026-03-28T13:59:59.900Z", 150, span_id="d-net", **deep),
        _turn(s, "odd", at + "10Z", end_time=at + "12Z", latency_ms=800),
        _span(s, "knowledge_bank", at + "10Z", 100, span_id="tie-b", **odd),
        _span(s, "llm", at + "10Z", 300, span_id="tie-a", **odd),
        _span(s, "own parent", at + "10.300Z", 100, span_id="o-self", parent_id="o-self", **odd),
        _span(s, "loop 1", at + "10.350Z", 100, span_id="o-1", parent_id="o-2", **odd),
        _span(s, "loop 2", at + "10.350Z", 90, span_id="o-2", parent_id="o-1", **odd),
        _span(s, "below loop", at + "10.360Z", 20, span_id="o-3", parent_id="o-2", **odd),
        _span(s, "lost parent", at + "10.600Z", 50, parent_id="nowhere", **odd),
        _span(s, "no length", at + "10.700Z", 0, **odd),
        _span(s, "far away", at + "30Z", 100, **odd),
        _span(s, "two lengths", at + "10.710Z", 90, end_time=at + "10.750Z", **odd),
        _span(s, "outer", at + "09Z", 5000, span_id="o-root"),
        _span(s, "asr", at + "10.760Z", 90, parent_id="o-root", **odd),
        _turn(s, "latency 0", at + "20Z", latency_ms=0),
        _span(s, "llm", at + "20Z", 30, interaction_id="latency 0"),
        _turn(s, "latency unknown", at + "21Z", end_time=at + "21.500Z"),
        _span(s, "llm", at + "21.100Z", 30, interaction_id="latency unknown"),
        _turn(s, "no spans, slowest", at + "22Z", latency_ms=9000),
        _turn(s, "no spans, fast", at + "23Z", latency_ms=10),
        _span(s, "llm", at + "24Z", 40, interaction_id="implied", model="m-1"),
        _span(s, "tts", at + "24.040Z", 60, interaction_id="implied", ttfb_ms=20),
        _event(s, at + "24.500Z", "note", interaction_id="implied"),
        _span("other", "llm", at + "25Z", 70, span_id="elsewhere", parent_id="d-turn"),
    ]


def names_and_people() -> list[Record]:
    """Odd names, two characters of one name, several assistants in a session, one id on several platforms."""
    odd = ["O'Brien", 'say "hi"', "Robert'); DROP TABLE sessions;--", "100%_off", "100x_off", "Zoë 🦊 \u202e", "a\tb"]
    at = DAY + "15:00:00Z"
    found: list[Record] = []
    for number, name in enumerate(odd):
        found.append(_session(f"odd {name}", at, character_id=name, character_name="Ava", end_user_id=name))
        found.append(_turn(f"odd {name}", f"odd turn {name}", at, latency_ms=100 + number, interaction_type=name))
        found.append(
            _span(f"odd {name}", name, at, 5 + number, interaction_id=f"odd turn {name}", provider=name, model=name)
        )
        found.append(_event(f"odd {name}", at, f"{name}.score", value=number))
    found += [
        _session("two helpers", at, participants=["bot-1", "bot-2"], end_time=DAY + "15:05:00Z"),
        _turn("two helpers", "th-1", at, latency_ms=700, status="error"),
        _span("two helpers", "llm", at, 300, interaction_id="th-1", provider="openai", cost_usd=0.25),
        _outcome("two helpers", DAY + "15:05:00Z", resolution="handoff"),
        _session("helper and self", at, participants=["bot-2", "char-a"], character_id="char-a"),
        _turn("helper and self", "hs-1", at, latency_ms=900),
        _session("helper and another", at, participants=["bot-2"], character_id="char-b", character_name="Bea"),
        _event("helper and another", at, "error.audio"),
    ]
    for number, platform in enumerate((None, "convai", "mavenoid")):
        same = {"platform": platform}
        found += [
            _session("same", at, character_id=f"same-{number}", end_user_id="same user", **same),
            _turn("same", "same turn", at, latency_ms=200 + number, **same),
            _span("same", "llm", at, 100 + number, span_id="same span", interaction_id="same turn", **same),
            _span("same", "tts", at, 50, span_id="same leaf", parent_id="same span" if number else None, **same),
        ]
    return found


def usage_and_units() -> list[Record]:
    """Tokens and costs known, zero and unknown; times as integers of each unit; empty texts; ids that are numbers."""
    at_ms = 1_774_713_600_000  # 2026-03-28T16:00:00Z
    return [
        {"type": "session", "session_id": 42, "start_time_ms": at_ms, "end_time_us": (at_ms + 5_000) * 1_000},
        {"type": "interaction", "interaction_id": 7, "session_id": "42", "start_time_ns": at_ms * 1_000_000 + 999},
        _span("42", "llm", DAY + "16:00:00Z", 10, cost_usd=0, input_tokens=0, provider="", model="free"),
        _span("42", "llm", DAY + "16:00:01Z", 10, cost_usd=0.1, input_tokens=10, output_tokens=3, model="paid"),
        _span("42", "llm", DAY + "16:00:02Z", 10, cost_usd=0.2, input_tokens=5, model="paid"),
        _span("42", "tts", DAY + "16:00:03Z", 10, characters=120, voice_provider="voices", unheard_of={"x": [1]}),
        {
            "type": "event",
            "session_id": "42",
            "time_ms": at_ms + 1,
            "metric_name": "voice.user_to_bot_latency",
            "value": 5,
        },
        {"type": "event", "session_id": "42", "time_us": at_ms * 1_000 + 1, "metric_name": "mos", "value": "4.5"},
    ]


def changing() -> tuple[list[Record], list[Record], list[Record]]:
    """Records that arrive without something and get it in a later batch, and one that changes inside a batch."""
    s, at = "changing", DAY + "17:00:"
    first = [
        _session(s, at + "00Z", attributes={"a": 1, "b": 1}),
        _turn(s, "c-latency", at + "01Z"),
        _turn(s, "c-status", at + "02Z", status="ok", latency_ms=300, interaction_type="voice_turn"),
        _turn(s, "c-moves", at + "03Z", latency_ms=350),
        _turn(s, "c-twice", at + "04Z", latency_ms=1),
        _turn(s, "c-twice", at + "04Z", latency_ms=360),
        _span(s, "llm", at + "02Z", 200, span_id="c-parent", interaction_id="c-status", status="ok"),
        _span(s, "rag", at + "02.050Z", 50, span_id="c-orphan", interaction_id="c-status"),
        _outcome(s, at + "40Z", resolution="open", handoff=False),
        _event(s, at + "05Z", "twin", value=1),
        _event(s, at + "05Z", "twin", value=1),
        _span(s, "vad", at + "05Z", 5),
        _span(s, "vad", at + "05Z", 5),
        _turn("implied first", "i-1", at + "30Z", latency_ms=45),
    ]
    second = [
        _session(s, at + "00Z", character_id="char-a", end_user_id="user-changing", attributes={"b": 2, "c": None}),
        _turn(s, "c-latency", at + "01Z", latency_ms=777.5),
        _turn(s, "c-moves", "2026-03-29T17:00:03Z"),
        _span(s, "llm", at + "02Z", 250, span_id="c-parent", interaction_id="c-status", model="m-2", status="error"),
        _span(s, "rag", at + "02.050Z", 50, span_id="c-orphan", interaction_id="c-status", parent_id="c-parent"),
        _event(s, at + "05Z", "twin", value=1),
        _event(s, at + "05Z", "twin", value=1),
        _event(s, at + "05Z", "twin", value=1),
        _span(s, "vad", at + "05Z", 5),
        _session("implied first", at + "10Z", character_id="char-b", channel="web"),
        _outcome(s, at + "50Z", resolution="handoff", handoff_reason="asked"),
    ]
    third = [
        _session(s, at + "00Z", character_id="char-c", end_time=DAY + "17:10:00Z", status="completed"),
        _turn(s, "c-status", at + "02Z", status="error"),
        _outcome(s, "2026-03-29T08:00:00Z", resolution="resolved"),
        _session("implied first", at + "10Z", participants=["bot-1"]),
    ]
    return first, second, third


def nasty() -> tuple[list[Record], list[Record], list[Record]]:
    """All of it, in three batches that must be loaded in this order."""
    first, second, third = changing()
    return (
        [*clock_changes(), *errors(), *first],
        [*late_and_lonely(), *shapes_of_traces(), *second],
        [*names_and_people(), *usage_and_units(), *third],
    )
