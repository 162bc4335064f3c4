"""What LiveKit's metrics, session events and session reports become."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

import talkscope
from talkscope.errors import IngestError
from talkscope.warehouse.ingest import detect, livekit
from tests.warehouse import mapped
from tests.warehouse.loading import stored

DATA = Path(__file__).parent / "data" / "livekit"
METRICS, REPORT = DATA / "metrics.jsonl", DATA / "session_report.json"
BEGIN = 1_767_225_600
"""Seconds; when the fixtures begin."""
DAY = {"start_time": "2026-01-01", "end_time": "2026-01-02"}
Rows = list[dict[str, Any]]


class Mapped(mapped.Mapped):
    """What a file of this format becomes."""

    def __init__(self, content: bytes) -> None:
        super().__init__(livekit.read, content)

    def turns(self) -> dict[str, dict[str, Any]]:
        return {row["interaction_id"]: row for row in self.rows["interaction"]}


def of(*values: object) -> Mapped:
    return Mapped(b"\n".join(json.dumps(value).encode() for value in values))


def at(seconds: float) -> int:
    return round((BEGIN + seconds) * 1_000_000)


def lines() -> list[dict[str, Any]]:
    return [json.loads(line) for line in METRICS.read_bytes().splitlines()]


def metric(number: int, **changed: object) -> dict[str, Any]:
    """One line of the fixture, its metrics object changed."""
    line = lines()[number - 1]
    return {**line, "metrics": {**line["metrics"], **changed}}


def message(id: str, role: str, created: float, **more: Any) -> dict[str, Any]:
    times = ("started_speaking_at", "stopped_speaking_at")
    metrics = {name: BEGIN + each if name in times else each for name, each in more.pop("metrics", {}).items()}
    item = {"id": id, "type": "message", "role": role, "content": ["…"], "created_at": BEGIN + created, **more}
    added = {"type": "conversation_item_added", "item": {**item, "metrics": metrics}, "created_at": BEGIN + created}
    return {"room_id": "RM_hotel1", **added}


# Metrics


def test_every_metrics_object_becomes_a_record_and_none_is_refused() -> None:
    mapped = Mapped(METRICS.read_bytes())
    assert mapped.refused == {}
    assert Counter(row["processor"] for row in mapped.rows["span"]) == {"eou_detection": 3, "llm": 3, "tts": 2}
    assert Counter(row["metric_name"] for row in mapped.rows["event"]) == {
        "asr.connection": 1,
        "asr.audio": 1,
        "asr.transcription_delay": 3,
        "vad.inference": 1,
        "eou_detection.inference": 1,
        "interruption": 1,
        "avatar.playback_latency": 1,
    }


def test_a_span_ends_at_its_timestamp_and_counts_in_milliseconds() -> None:
    span = of(metric(6)).one("span")
    assert (span["start_time"], span["end_time"], span["duration_ms"], span["ttfb_ms"]) == (
        at(10.5),
        at(11.5),
        1000,
        400,
    )
    assert (span["provider"], span["model"], span["input_tokens"], span["output_tokens"]) == (
        ("openai", "gpt-4o-mini", 100, 20)
    )
    assert (span["session_id"], span["interaction_id"], span["status"]) == ("RM_hotel1", "speech_a1", "ok")
    assert span["attributes"]["prompt_cached_tokens"] == 64
    assert span["attributes"]["metadata"]["model_provider"] == "api.openai.com"


def test_a_voice_counts_characters_and_no_tokens_that_it_does_not_tell() -> None:
    span = of(metric(7)).one("span")
    assert (span["characters"], span["input_tokens"], span["output_tokens"]) == (48, None, None)
    assert (span["provider"], span["voice_provider"], span["ttfb_ms"]) == ("cartesia", "cartesia", 200)


def test_a_realtime_response_begins_at_its_timestamp() -> None:
    response = {
        "type": "realtime_model_metrics",
        "label": "livekit.plugins.openai.realtime.RealtimeModel",
        "request_id": "resp_1",
        "timestamp": BEGIN + 3,
        "duration": 2.0,
        "ttft": -1,
        "cancelled": True,
        "input_tokens": 7,
        "output_tokens": 0,
        "input_token_details": {"audio_tokens": 7},
        "output_token_details": {},
    }
    span = of({"room_name": "hotel", "metrics": response}).one("span")
    assert (span["start_time"], span["end_time"], span["ttfb_ms"]) == (at(3), at(5), None)
    assert (span["processor"], span["provider"], span["status"]) == ("llm", "openai", "cancelled")
    assert (span["input_tokens"], span["output_tokens"], span["session_id"]) == (7, 0, "hotel")
    connected = of({"room_name": "hotel", "metrics": {**response, "duration": 0.0, "acquire_time": 0.5}})
    assert connected.one("event")["metric_name"] == "llm.connection"
    assert connected.rows["span"] == []


def test_what_never_happened_is_unknown_and_no_tokens_at_all_are_too() -> None:
    span = of(metric(14)).one("span")
    assert (span["ttfb_ms"], span["input_tokens"], span["status"]) == (None, None, "cancelled")


def test_streaming_speech_to_text_has_seconds_of_audio_and_no_span() -> None:
    mapped = of(metric(3))
    event = mapped.one("event")
    assert (event["value"], event["unit"], event["time"], mapped.rows["span"]) == (5, "s", at(9.9), [])
    whole = of(metric(3, streamed=False, duration=0.5)).one("span")
    assert (whole["processor"], whole["duration_ms"], whole["start_time"]) == ("asr", 500, at(9.4))


def test_a_turns_latency_is_the_three_waits_of_its_speech_from_the_end_of_the_users_words() -> None:
    turns = Mapped(METRICS.read_bytes()).turns()
    first, second = turns["speech_a1"], turns["speech_b2"]
    assert (first["start_time"], first["latency_ms"]) == (at(10), 500 + 400 + 200)
    # The callback took 0.1 s after the decision, of which the timestamp is the end.
    assert (second["start_time"], second["latency_ms"]) == (at(19.9), 500 + 600 + 300)


def test_a_latency_of_which_a_part_is_missing_is_unknown() -> None:
    for missing in (5, 6, 7):
        mapped = of(*(metric(number) for number in (5, 6, 7) if number != missing))
        assert [row["latency_ms"] for row in mapped.rows["interaction"]] in ([], [None])
    assert of(metric(5), metric(6), metric(7, ttfb=-1)).one("interaction")["latency_ms"] is None
    assert of(metric(5), metric(6, ttft=-1), metric(7)).one("interaction")["latency_ms"] is None


def test_the_end_of_words_that_was_not_noticed_is_no_delay_of_zero() -> None:
    mapped = of(metric(5, end_of_utterance_delay=0.0, transcription_delay=0.0), metric(6), metric(7))
    assert mapped.rows["interaction"] == []
    assert mapped.one("event")["metric_name"] == "eou_detection.unnoticed"


def test_a_model_that_was_asked_again_before_anything_sounded_makes_the_latency_unknown() -> None:
    again = metric(6, request_id="chatcmpl-1b", timestamp=BEGIN + 11.6, duration=0.9)
    assert of(metric(5), metric(6), again, metric(7)).one("interaction")["latency_ms"] is None
    later = metric(6, request_id="chatcmpl-1b", timestamp=BEGIN + 14, duration=1.0)
    assert of(metric(5), metric(6), later, metric(7)).one("interaction")["latency_ms"] == 1100


def test_what_was_cancelled_is_no_error() -> None:
    mapped = Mapped(METRICS.read_bytes())
    assert {key: row["status"] for key, row in mapped.turns().items()} == {
        "speech_a1": None,
        "speech_b2": "cancelled",
        "speech_c3": "cancelled",
    }
    assert {row["status"] for row in mapped.rows["span"]} == {"ok", "cancelled"}


def test_an_answer_that_was_prepared_too_early_is_of_no_turn() -> None:
    mapped = of(metric(6, cancelled=True, speech_id="speech_never"))
    assert mapped.one("span")["interaction_id"] is None
    assert mapped.rows["interaction"] == []


@pytest.mark.parametrize(
    "wrapped",
    [
        lambda line: {**line["metrics"], "room_id": "RM_hotel1"},
        lambda line: {"room": {"sid": "RM_hotel1", "name": "hotel"}, "metrics": line["metrics"]},
        lambda line: {"room_id": "RM_hotel1", "event": {"type": "metrics_collected", "metrics": line["metrics"]}},
        lambda line: {"room_id": "RM_hotel1", "metrics": [line["metrics"]]},
        lambda line: [{"job_id": "AJ_1", "room_sid": "RM_hotel1", "data": line["metrics"]}],
    ],
)
def test_metrics_read_the_same_however_their_ids_stand_beside_them(wrapped: Any) -> None:
    assert of(wrapped(lines()[5])).rows["span"] == of(lines()[5]).rows["span"]
    assert livekit.sniff(json.dumps(wrapped(lines()[5])).encode())


def test_metrics_that_name_no_session_are_refused_with_what_to_add() -> None:
    mapped = of(lines()[5]["metrics"], lines()[6])
    reason = "names no session: write room_id or job_id beside what is logged, or load the session's report"
    assert mapped.refused == {"line 1": reason}
    assert len(mapped.rows["span"]) == 1


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"timestamp": None}, "has no timestamp"),
        ({"timestamp": BEGIN * 1_000}, "timestamp is not in seconds since 1970: 1.76723e+12"),
        ({"duration": -1}, "has no duration"),
    ],
)
def test_metrics_without_a_time_or_a_length_are_refused(changed: dict[str, Any], reason: str) -> None:
    assert of(metric(7), metric(6, **changed)).refused == {"line 2": reason}


def test_interruptions_backchannels_and_avatars_are_events() -> None:
    assert (of(metric(11)).one("event")["metric_name"], of(metric(11)).one("event")["value"]) == ("interruption", 1)
    nod = of(metric(11, num_interruptions=0, num_backchannels=2)).one("event")
    assert (nod["metric_name"], nod["value"]) == ("backchannel", 2)
    joined = of(metric(12, session_started_time=BEGIN + 1.0, avatar_joined_time=BEGIN + 3.5)).one("event")
    assert (joined["metric_name"], joined["value"], joined["provider"]) == ("avatar.join", 2500, "tavus")


# Session reports and events


def test_a_report_is_a_session_with_its_turns() -> None:
    mapped = Mapped(REPORT.read_bytes())
    session = mapped.one("session")
    assert mapped.refused == {}
    assert (session["session_id"], session["start_time"], session["end_time"]) == ("RM_hotel2", at(0.4), at(30))
    assert (session["channel"], session["character_id"], session["status"]) == ("voice", "concierge", "ok")
    assert session["attributes"]["sdk_version"] == "1.4.0"
    assert {key: row["latency_ms"] for key, row in mapped.turns().items()} == {
        "item_g0": None,
        "item_a1": 1200,
        "item_a2": 3500,
        "item_u3": None,
    }


def test_a_turn_runs_from_the_users_last_word_to_the_agents() -> None:
    turn = Mapped(REPORT.read_bytes()).turns()["item_a1"]
    assert (turn["start_time"], turn["end_time"], turn["status"]) == (at(10), at(13), "ok")
    assert turn["attributes"]["user"]["content"] == ["Is there a room tonight?"]


def test_an_interrupted_answer_is_cancelled_and_one_that_never_came_is_neither() -> None:
    turns = Mapped(REPORT.read_bytes()).turns()
    assert (turns["item_a2"]["status"], turns["item_u3"]["status"]) == ("cancelled", None)


def test_the_waits_of_a_report_are_spans_until_the_agent_spoke() -> None:
    spans = [row for row in Mapped(REPORT.read_bytes()).rows["span"] if row["interaction_id"] == "item_a2"]
    assert {row["processor"]: (row["start_time"], row["end_time"]) for row in spans} == {
        "eou_detection": (at(20), at(20.6)),
        "execute_tool": (at(21.5), at(22.25)),
        "llm": (at(22.6), at(23.1)),
        "tts": (at(23.1), at(23.4)),
    }
    assert next(row["attributes"]["placed"] for row in spans if row["processor"] == "llm") == "estimated"


def test_a_tool_that_failed_is_a_failed_span_of_the_turn_that_used_it() -> None:
    span = Mapped(REPORT.read_bytes()).one("span", processor="execute_tool")
    assert (span["status"], span["duration_ms"], span["interaction_id"]) == ("error", 750, "item_a2")
    assert (span["attributes"]["name"], span["attributes"]["output"]) == ("book_room", "no rooms left")


def test_an_error_that_is_tried_again_is_none_and_the_other_is() -> None:
    mapped = Mapped(REPORT.read_bytes())
    tried, failed = mapped.one("event", metric_name="llm.retry"), mapped.one("event", metric_name="error.tts")
    assert (tried["status"], tried["error_code"]) == (None, "llm_error")
    assert (failed["status"], failed["provider"], failed["time"]) == ("error", "cartesia", at(26.5))


def test_usage_and_handoffs_of_a_report_are_events() -> None:
    mapped = Mapped(REPORT.read_bytes())
    used = mapped.one("event", metric_name="usage.llm")
    assert (used["time"], used["model"], used["attributes"]["input_tokens"]) == (at(30.5), "gpt-4o-mini", 300)
    assert mapped.one("event", metric_name="agent_handoff")["attributes"]["new_agent_id"] == "concierge"


def test_events_of_a_session_one_a_line_are_the_same_turn_as_in_its_report() -> None:
    items = json.loads(REPORT.read_bytes())["chat_history"]["items"]
    added = [
        {"room_id": "RM_hotel2", "type": "conversation_item_added", "item": each, "created_at": each["created_at"]}
        for each in items
        if each["type"] == "message"
    ]
    calls = [[each] for each in items if each["type"].startswith("function")]
    names = ("function_calls", "function_call_outputs")
    tools = {"type": "function_tools_executed", **dict(zip(names, calls, strict=True)), "created_at": BEGIN + 22.25}
    logged = of(*added, {"room_id": "RM_hotel2", **tools})
    report = Mapped(REPORT.read_bytes())
    assert logged.refused == {}
    assert logged.turns() == report.turns()
    assert logged.rows["span"] == report.rows["span"]


def test_a_speech_and_the_item_of_the_conversation_that_it_became_are_one_turn_with_the_stated_latency() -> None:
    said = {"started_speaking_at": 11.15, "stopped_speaking_at": 13, "e2e_latency": 1.15, "llm_node_ttft": 0.41}
    mapped = of(
        metric(5),
        metric(6),
        metric(7),
        message("item_u1", "user", 10.5, metrics={"stopped_speaking_at": 10.02, "end_of_turn_delay": 0.5}),
        message("item_a1", "assistant", 10.6, metrics=said),
    )
    turn = mapped.one("interaction")
    assert (turn["interaction_id"], turn["latency_ms"], turn["status"]) == ("speech_a1", 1150, "ok")
    assert Counter(row["processor"] for row in mapped.rows["span"]) == {"eou_detection": 1, "llm": 1, "tts": 1}


def test_what_the_agent_says_by_itself_is_joined_by_when_it_sounded() -> None:
    said = {"started_speaking_at": 11.25, "stopped_speaking_at": 13}
    mapped = of(metric(7), message("item_g", "assistant", 11.0, metrics=said))
    assert mapped.one("interaction")["interaction_id"] == "speech_a1"
    far = of(metric(7), message("item_g", "assistant", 14.0, metrics={"started_speaking_at": 15.0}))
    assert far.one("interaction")["interaction_id"] == "item_g"


def test_a_realtime_response_is_of_the_turn_that_names_it() -> None:
    response = {"type": "realtime_model_metrics", "request_id": "resp_1", "timestamp": BEGIN + 10.2, "duration": 1.0}
    said = {"started_speaking_at": 10.8, "llm_node_ttft": 0.5, "provider_request_ids": ["resp_1"]}
    mapped = of(
        {"room_id": "RM_hotel1", "metrics": {**response, "ttft": 0.5}},
        message("item_a", "assistant", 10.1, metrics=said),
    )
    assert (mapped.one("span")["interaction_id"], mapped.one("span")["duration_ms"]) == ("item_a", 1000)


def test_without_a_stated_latency_an_items_three_waits_are_it_unless_a_tool_came_between() -> None:
    user = message("item_u", "user", 2, metrics={"stopped_speaking_at": 1, "end_of_turn_delay": 0.5})
    agent = message("item_a", "assistant", 3, metrics={"llm_node_ttft": 0.25, "tts_node_ttfb": 0.125})
    assert of(user, agent).one("interaction")["latency_ms"] == 875
    result = {
        "type": "function_call_output",
        "call_id": "c",
        "output": "",
        "is_error": False,
        "created_at": BEGIN + 2.5,
    }
    used = {"type": "function_tools_executed", "function_calls": [], "function_call_outputs": [result]}
    mapped = of(user, {"room_id": "RM_hotel1", **used, "created_at": BEGIN + 2.5}, agent)
    assert mapped.one("interaction")["latency_ms"] is None
    assert mapped.one("event")["metric_name"] == "tool_result"


def test_an_answer_after_a_tool_belongs_to_the_turn_that_began_with_one_moment_please() -> None:
    call = {"type": "function_call", "call_id": "c", "name": "look", "arguments": "{}", "created_at": BEGIN + 4}
    result = {"type": "function_call_output", "call_id": "c", "output": "", "is_error": False, "created_at": BEGIN + 5}
    used = {"type": "function_tools_executed", "function_calls": [call], "function_call_outputs": [result]}
    mapped = of(
        message("u", "user", 2),
        message("moment", "assistant", 3),
        {"room_id": "RM_hotel1", **used, "created_at": BEGIN + 5},
        message("found", "assistant", 6),
        message("more", "assistant", 60),
    )
    assert list(mapped.turns()) == ["moment", "more"]
    assert [each["id"] for each in mapped.turns()["moment"]["attributes"]["messages"]] == ["moment", "found"]


def test_items_of_a_conversation_without_a_time_are_refused() -> None:
    report = json.loads(REPORT.read_bytes())
    del report["chat_history"]["items"][1]["created_at"]
    report["events"].append("what?")
    del report["chat_history"]["items"][3]["id"]
    refused = {"turn None": "interaction_id is missing"}
    assert of(report).refused == refused | {"line 1, item 2": "has no created_at", "line 1, event 6": "is no event"}


# Files


@pytest.mark.parametrize("path", [METRICS, REPORT])
def test_the_fixtures_are_recognised(path: Path) -> None:
    head = path.read_bytes()[:65_536]
    assert detect(head, "log.txt") == "livekit"
    assert detect(b"\xef\xbb\xbf" + head, "log.jsonl") == "livekit"


@pytest.mark.parametrize("folder", ["pipecat", "otlp", "vapi", "retell"])
def test_files_of_other_systems_are_left_to_them(folder: str) -> None:
    for path in sorted((DATA.parent / folder).glob("*.json*")):
        assert not livekit.sniff(path.read_bytes()[:65_536]), path.name


@pytest.mark.parametrize(
    "head",
    [
        b"",
        b"time,type\n1,llm_metrics",
        b'{"type": "span", "attributes": {"metrics": {"type": "llm_metrics"}}}',
        b'{"resourceSpans": [{"type": "llm_metrics"}]}',
        b'{"id": "o", "traceId": "t", "metadata": {"lk": {"type":"llm_metrics"}}}',
        b'{"type": "error", "created_at": 1}',
    ],
)
def test_what_only_mentions_livekit_is_not_taken(head: bytes) -> None:
    assert not livekit.sniff(head)


def test_a_file_of_something_else_says_so() -> None:
    with pytest.raises(IngestError, match="no log of LiveKit's agents: line 1 is no metrics"):
        of({"a": 1}, {"b": 2})


def test_a_broken_line_costs_only_itself() -> None:
    mapped = Mapped(METRICS.read_bytes() + b'{"type": "llm_metr\n{"hello": 1}\n')
    assert list(mapped.refused) == ["line 15", "line 16"]
    assert len(mapped.rows["span"]) == 8


VALUES = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner, max_size=2),
    max_leaves=4,
)


@example(number=4, name=1, value=1.8e302)
@given(number=st.integers(1, 14), name=st.integers(0, 30), value=VALUES)
def test_no_value_of_a_metric_ends_the_reading(number: int, name: int, value: Any) -> None:
    names = [each for each in lines()[number - 1]["metrics"] if each != "type"]
    mapped = of(metric(6), metric(number, **{names[name % len(names)]: value}))
    assert mapped.rows["span"]


@given(name=st.sampled_from(["id", "role", "metrics", "created_at", "call_id", "type"]), value=VALUES)
def test_no_value_of_an_item_ends_the_reading(name: str, value: Any) -> None:
    report = json.loads(REPORT.read_bytes())
    for item in report["chat_history"]["items"]:
        item[name] = value
    assert of(report).rows["session"]


# The warehouse


def test_loading_again_in_pieces_and_twice_changes_nothing(tmp_path: Path) -> None:
    assert talkscope.ingest([METRICS, REPORT], warehouse=tmp_path / "w").ok
    before = stored(tmp_path / "w")
    content = METRICS.read_bytes().splitlines(keepends=True)
    piece, twice = tmp_path / "piece.jsonl", tmp_path / "twice.jsonl"
    piece.write_bytes(b"".join(content[:6]))
    twice.write_bytes(b"".join([*content, *content]))
    for source in (METRICS, REPORT, piece):
        counts = talkscope.ingest([source], warehouse=tmp_path / "w").types
        assert all(each.loaded == each.changed == 0 for each in counts.values()), source
    assert stored(tmp_path / "w") == before


def test_the_loaded_warehouse_answers_with_figures_worked_out_by_hand(tmp_path: Path) -> None:
    talkscope.ingest([METRICS, REPORT], warehouse=tmp_path / "w")
    with talkscope.open_warehouse(tmp_path / "w") as client:
        turns = client.ask("breakdown", measures=["p95", "errors"], group_by=["platform"], **DAY)
        parts = client.ask("breakdown", measures=["p95", "count"], group_by=["processor"], **DAY).records()
        shares = client.ask("explain", session_id="RM_hotel2").records()
    # 1,100 and 1,400 ms of the metrics, 1,200 and 3,500 ms of the report; one error, which has no turn.
    assert [(row["p95"], row["errors"]) for row in turns.records()] == [(1400 + 0.85 * 2100, 1)]
    assert "e2e_latency" in str(turns.meta.latency_basis)
    assert next(row for row in parts if row["processor"] == "llm")["count"] == 6
    assert next(row for row in parts if row["processor"] == "tts")["p95"] == 1000
    # The slowest turn's 3.5 s: 0.6 s until it was decided, 0.75 s the tool, 0.5 and 0.3 s the waits.
    assert {row["processor"]: row["share"] for row in shares if row["processor"] == "execute_tool"} == {
        "execute_tool": pytest.approx(0.75 / 3.5, abs=0.001)
    }
