"""What Pipecat's metrics, RTVI messages and latency breakdowns become."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import talkscope
from talkscope.errors import IngestError
from talkscope.warehouse.ingest import detect, pipecat
from talkscope.warehouse.ingest.pipecat.fields import processor_of
from tests.warehouse import mapped
from tests.warehouse.loading import stored

DATA = Path(__file__).parent / "data" / "pipecat"
METRICS, RTVI = DATA / "metrics.jsonl", DATA / "rtvi.json"
BEGIN = 1_767_225_600
"""Seconds; when the fixtures begin."""
DAY = {"start_time": "2026-01-01", "end_time": "2026-01-02"}
LLM, TTS = "OpenAILLMService#0", "CartesiaTTSService#0"
AMBIGUOUS = (
    "may be a TTFB, a processing time, a text aggregation or characters: write the metric's class beside it, "
    '"type": type(metric).__name__'
)
Rows = list[dict[str, Any]]


class Mapped(mapped.Mapped):
    """What a file of this format becomes."""

    def __init__(self, content: bytes) -> None:
        super().__init__(pipecat.read, content)


def of(*values: object) -> Mapped:
    return Mapped(b"\n".join(json.dumps(value).encode() for value in values))


def at(seconds: float) -> int:
    return round((BEGIN + seconds) * 1_000_000)


def metric(kind: str | None, seconds: float, processor: str = LLM, **fields: Any) -> dict[str, Any]:
    """A metric's dump as a user logs it, its class, session and time beside it."""
    named = {} if kind is None else {"type": kind}
    return {"session_id": "s", "time": BEGIN + seconds, **named, "processor": processor, "model": "m", **fields}


def usage(seconds: float, processor: str = LLM, **more: object) -> dict[str, Any]:
    tokens = {"prompt_tokens": 9, "completion_tokens": 3, "total_tokens": 12, **more}
    return metric("LLMUsageMetricsData", seconds, processor, value=tokens)


# Metrics


def test_every_metric_becomes_a_record_or_is_refused_with_what_to_add() -> None:
    mapped = Mapped(METRICS.read_bytes())
    assert mapped.refused == {"line 20": AMBIGUOUS}
    assert Counter(row["processor"] for row in mapped.rows["span"]) == {
        "asr": 1,
        "llm": 1,
        "tts": 1,
        "eou_detection": 1,
        "execute_tool": 1,
    }
    assert Counter(row["metric_name"] for row in mapped.rows["event"]) == {
        "llm.announced": 2,
        "eou_detection.prediction": 1,
        "llm.ttfat": 1,
        "tts.text_aggregation": 1,
        "tts.ttfa": 1,
        "asr.audio": 1,
    }


def test_one_request_is_one_span_with_its_first_byte_and_what_it_used() -> None:
    span = Mapped(METRICS.read_bytes()).one("span", processor="llm")
    assert (span["start_time"], span["end_time"]) == (at(5.4), at(6.4))
    assert (span["duration_ms"], span["ttfb_ms"], span["input_tokens"], span["output_tokens"]) == (1000, 400, 200, 30)
    assert (span["provider"], span["model"], span["interaction_id"]) == ("openai", "gpt-4o", "conv-1/turn-1")
    assert span["attributes"] == {
        "processor": LLM,
        "total_tokens": 230,
        "cache_read_input_tokens": 128,
        "reasoning_tokens": 4,
    }


def test_a_first_byte_without_a_length_is_a_span_until_then() -> None:
    span = Mapped(METRICS.read_bytes()).one("span", processor="tts")
    assert (span["start_time"], span["end_time"], span["ttfb_ms"], span["characters"]) == (at(5.95), at(6.15), 200, 50)
    assert (span["provider"], span["voice_provider"]) == ("cartesia", "cartesia")
    assert span["attributes"]["measured"] == "until the first byte"


def test_the_first_byte_that_other_metrics_repeat_counts_once() -> None:
    repeated = {"ttfb": 0.2, "leading_silence": 0.05, "ttfa": 0.25}
    mapped = of(metric("TTFBMetricsData", 2, TTS, value=0.2), metric(None, 2.1, TTS, **repeated))
    assert mapped.one("span")["ttfb_ms"] == 200
    event = mapped.one("event")
    assert (event["metric_name"], event["value"], event["unit"]) == ("tts.ttfa", 250, "ms")
    thought = of(metric(None, 2, ttfat=0.5, ttfb=0.2, thinking_time=0.3))
    assert (thought.one("event")["metric_name"], thought.rows["span"]) == ("llm.ttfat", [])


def test_two_requests_of_one_processor_keep_what_is_theirs() -> None:
    def request(seconds: float, first: float) -> list[dict[str, Any]]:
        return [
            metric("TTFBMetricsData", seconds + first, value=first),
            usage(seconds + 0.9, completion_tokens=int(first * 10)),
            metric("ProcessingMetricsData", seconds + 1, value=1.0),
        ]

    spans = of(*request(10, 0.4), *request(11.0, 0.6)).rows["span"]
    assert [(row["start_time"], row["ttfb_ms"], row["output_tokens"]) for row in spans] == [
        (at(10), 400, 4),
        (at(11), 600, 6),
    ]


def test_two_processors_of_one_kind_are_told_apart() -> None:
    spans = of(
        metric("TTFBMetricsData", 2, "OpenAILLMService#0", value=0.5),
        metric("ProcessingMetricsData", 3, "OpenAILLMService#1", value=2.0),
    ).rows["span"]
    assert [row["ttfb_ms"] for row in spans] == [500, None]


def test_what_was_used_outside_of_any_request_is_an_event() -> None:
    mapped = of(usage(1), metric("TTSUsageMetricsData", 2, TTS, value=20))
    assert [(row["metric_name"], row["value"]) for row in mapped.rows["event"]] == [
        ("llm.tokens", 12),
        ("tts.characters", 20),
    ]
    assert mapped.rows["event"][0]["attributes"]["prompt_tokens"] == 9


def test_seconds_of_audio_are_events_that_add_up() -> None:
    said = (4.5, 2.0)
    mapped = of(*(metric(None, at, "DeepgramSTTService#0", value={"audio_seconds": at}) for at in said))
    assert [(row["metric_name"], row["value"], row["unit"]) for row in mapped.rows["event"]] == [
        ("asr.audio", 4.5, "s"),
        ("asr.audio", 2.0, "s"),
    ]


def test_a_turns_prediction_is_in_milliseconds_already_and_keeps_its_metric_type() -> None:
    told = {"is_complete": False, "probability": 0.3, "e2e_processing_time_ms": 61.5}
    for kind in ("TurnMetricsData", "SmartTurnMetricsData", None):
        event = of(metric(kind, 1, "BaseSmartTurn", **told)).one("event")
        assert (event["value"], event["unit"], event["metric_type"]) == (61.5, "ms", "SmartTurnMetricsData")
        assert event["attributes"]["is_complete"] is False


def test_the_zeros_with_which_a_pipeline_starts_measure_nothing() -> None:
    mapped = of(metric("TTFBMetricsData", 0, value=0.0), metric("ProcessingMetricsData", 0, value=0))
    assert mapped.rows["span"] == []
    assert [(row["metric_name"], row["value"]) for row in mapped.rows["event"]] == [("llm.announced", None)] * 2


@pytest.mark.parametrize(
    "wrapped",
    [
        {"type": "TTFBMetricsData", "processor": LLM, "model": "m", "value": 0.5},
        {"metric_type": "ttfb", "processor": LLM, "model": "m", "value": 0.5},
        {"type": "TTFBMetricsData", "data": {"processor": LLM, "model": "m", "value": 0.5}},
        {"metrics": [{"class": "TTFBMetricsData", "processor": LLM, "model": "m", "value": 0.5}]},
        {"data": {"ttfb": [{"processor": LLM, "model": "m", "value": 0.5}]}},
        {"label": "rtvi-ai", "type": "metrics", "data": {"ttfb": [{"processor": LLM, "model": "m", "value": 0.5}]}},
        {"record": {"extra": {"type": "TTFBMetricsData", "processor": LLM, "model": "m", "value": 0.5}}},
    ],
)
@pytest.mark.parametrize("time", [BEGIN + 2, (BEGIN + 2) * 1_000, (BEGIN + 2) * 10**9, "2026-01-01T01:00:02+01:00"])
def test_a_metric_reads_the_same_however_it_is_wrapped(wrapped: dict[str, Any], time: object) -> None:
    span = of({"conversation_id": "s", "timestamp": time, **wrapped}).one("span")
    assert (span["session_id"], span["end_time"], span["duration_ms"]) == ("s", at(2), 500)


def test_a_serialized_log_line_tells_its_time_itself() -> None:
    extra = {"session_id": "s", **metric("TTFBMetricsData", 0, value=0.5)}
    del extra["time"]
    record = {"extra": extra, "time": {"repr": "2026-01-01 00:00:02", "timestamp": BEGIN + 2.0}}
    assert of({"text": "…", "record": record}).one("span")["end_time"] == at(2)


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"session_id": None}, "names no session: write session_id or conversation_id beside the metrics"),
        ({"time": None}, 'says no time: write it beside the metrics, "time": time.time()'),
        ({"time": 42.5}, "time does not count from 1970: 42.5; frames' own times count from the pipeline's start"),
        ({"time": "2026-01-01T00:00:00"}, "time has no UTC offset: '2026-01-01T00:00:00'"),
        ({"time": "noon"}, "time is not an ISO 8601 time: 'noon'"),
        ({"type": None}, AMBIGUOUS),
        ({"value": -0.5}, "has no value"),
        ({"processor": None}, "has no processor"),
    ],
)
def test_a_metric_of_which_something_is_missing_is_refused_with_what_to_add(
    changed: dict[str, Any], reason: str
) -> None:
    assert of(metric("TTFBMetricsData", 1, value=0.5) | changed).refused == {"line 1": reason}


@pytest.mark.parametrize(
    ("name", "processor", "provider"),
    [
        ("OpenAILLMService#0", "llm", "openai"),
        ("OpenAIRealtimeLLMService#1", "llm", "openai"),
        ("GeminiLiveLLMService", "llm", "google"),
        ("AWSNovaSonicLLMService#0", "llm", "aws"),
        ("DeepgramFluxSTTService#2", "asr", "deepgram"),
        ("ElevenLabsHttpTTSService#0", "tts", "elevenlabs"),
        ("AcmeTTSService#0", "tts", "acme"),
        ("TavusVideoService#0", "avatar", "tavus"),
        ("Mem0MemoryService#0", "memory", "mem0"),
        ("BaseSmartTurn", "eou_detection", None),
        ("SileroVADAnalyzer#0", "vad", None),
        ("DailyOutputTransport#0", "transport", None),
        ("cartesia_tts", "tts", "cartesia"),
        ("llm", "llm", None),
        ("OrderLookup#3", "OrderLookup", None),
    ],
)
def test_what_a_processors_name_tells(name: str, processor: str, provider: str | None) -> None:
    assert processor_of(name) == (processor, provider)


# RTVI messages


def test_the_tokens_of_a_message_are_those_of_its_only_model() -> None:
    mapped = Mapped(RTVI.read_bytes())
    span = mapped.one("span")
    assert mapped.refused == {}
    assert (span["start_time"], span["ttfb_ms"], span["input_tokens"], span["output_tokens"]) == (at(4), 500, 10, 20)
    assert [row["metric_name"] for row in mapped.rows["event"]] == ["asr.audio", "tts.characters"]


def test_who_talked_is_told_beside_the_metrics() -> None:
    session = Mapped(RTVI.read_bytes()).one("session")
    assert (session["session_id"], session["start_time"], session["end_user_id"]) == ("conv-2", at(4.5), "u7")
    assert session["character_name"] == "concierge"
    assert Mapped(METRICS.read_bytes()).rows["session"] == []


# Turns


def test_a_turn_begins_when_the_user_stopped_to_speak() -> None:
    first, second = Mapped(METRICS.read_bytes()).rows["interaction"]
    assert (first["interaction_id"], first["start_time"], first["end_time"]) == ("conv-1/turn-1", at(5), at(9))
    assert (first["latency_ms"], first["status"]) == (1250, "ok")
    assert (second["start_time"], second["latency_ms"], second["status"]) == (at(17.75), 2250, "cancelled")


@pytest.mark.parametrize("name", ["latency_seconds", "user_bot_latency_seconds", "user_bot_latency"])
def test_without_a_turns_name_every_measured_latency_is_a_turn(name: str) -> None:
    turns = of(*({"session_id": "s", "time": BEGIN + end, name: 0.75} for end in (5, 9))).rows["interaction"]
    assert [(row["start_time"], row["latency_ms"]) for row in turns] == [(at(4.25), 750), (at(8.25), 750)]


def test_a_breakdown_by_itself_is_spans_of_a_turn_whose_latency_is_unknown() -> None:
    breakdown = json.loads(METRICS.read_bytes().splitlines()[11])["breakdown"]
    mapped = of({"session_id": "s", **breakdown})
    turn = mapped.one("interaction")
    assert (turn["start_time"], turn["latency_ms"]) == (at(5), None)
    assert {row["processor"]: row["duration_ms"] for row in mapped.rows["span"]} == {
        "eou_detection": 350,
        "llm": 400,
        "tts": 200,
        "execute_tool": 50,
    }
    assert {row["interaction_id"] for row in mapped.rows["span"]} == {turn["interaction_id"]}
    assert mapped.one("event")["metric_name"] == "tts.text_aggregation"


def test_a_breakdown_names_the_turn_of_metrics_that_do_not() -> None:
    ttfb = {"processor": LLM, "model": "m", "start_time": BEGIN + 1.0, "duration_secs": 0.4}
    breakdown = {"ttfb": [ttfb], "user_turn_start_time": BEGIN + 0.5, "user_turn_secs": None}
    span = of(
        metric("TTFBMetricsData", 1.4, value=0.4), {"session_id": "s", "turn_number": 3, "breakdown": breakdown}
    ).one("span")
    assert (span["interaction_id"], span["ttfb_ms"]) == ("s/turn-3", 400)


def test_a_latency_and_its_breakdown_on_one_line_are_one_turn() -> None:
    breakdown = {"ttfb": [], "user_turn_start_time": BEGIN + 0.5, "user_turn_secs": 0.3}
    line = {"session_id": "s", "turn": 1, "time": BEGIN + 2.0, "latency_seconds": 1.5, "breakdown": breakdown}
    mapped = of(line)
    assert (mapped.one("interaction")["latency_ms"], mapped.one("interaction")["start_time"]) == (1500, at(0.5))
    assert mapped.one("span")["processor"] == "eou_detection"


def test_a_turn_that_ended_needs_its_number() -> None:
    ended = {"session_id": "s", "time": BEGIN + 9, "duration": 4.0, "was_interrupted": True}
    turn = of({**ended, "turn_number": 2}).one("interaction")
    assert (turn["start_time"], turn["end_time"], turn["status"]) == (at(5), at(9), "cancelled")
    assert of(ended).refused == {"line 1": "names no turn: write turn_number beside it"}


# Files


@pytest.mark.parametrize("path", [METRICS, RTVI])
def test_the_fixtures_are_recognised(path: Path) -> None:
    head = path.read_bytes()[:65_536]
    assert detect(head, "log.txt") == "pipecat"
    assert detect(b"\xef\xbb\xbf" + head, "log.jsonl") == "pipecat"


@pytest.mark.parametrize("folder", ["livekit", "otlp", "vapi", "retell"])
def test_files_of_other_systems_are_left_to_them(folder: str) -> None:
    for path in sorted((DATA.parent / folder).glob("*.json*")):
        assert not pipecat.sniff(path.read_bytes()[:65_536]), path.name


@pytest.mark.parametrize(
    "head",
    [
        b"",
        b"type,processor\nTTFBMetricsData,llm",
        b'{"type": "event", "metric_type": "SmartTurnMetricsData"}',
        b'{"resourceSpans": [], "processor": 1, "audio_seconds": 1}',
        b'{"id": "o", "traceId": "t", "metadata": {"processor": "llm", "completion_tokens": 3}}',
        b'{"label": "rtvi-ai", "type": "bot-ready"}',
    ],
)
def test_what_only_mentions_pipecat_is_not_taken(head: bytes) -> None:
    assert not pipecat.sniff(head)


def test_a_file_of_something_else_says_so() -> None:
    with pytest.raises(IngestError, match="no log of Pipecat's metrics: line 1 is no metric"):
        of({"a": 1}, {"b": 2})


VALUES = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner, max_size=2),
    max_leaves=4,
)


@given(number=st.integers(0, 19), name=st.integers(0, 30), value=VALUES)
def test_no_value_of_a_metric_ends_the_reading(number: int, name: int, value: Any) -> None:
    line = json.loads(METRICS.read_bytes().splitlines()[number])
    target = line.get("breakdown", line)
    mapped = of(metric("TTFBMetricsData", 1, value=0.5), {**line, list(line)[name % len(line)]: value})
    assert mapped.rows["span"]
    target[list(target)[name % len(target)]] = value
    assert of(metric("TTFBMetricsData", 1, value=0.5), line).rows["span"]


# The warehouse


def test_loading_again_and_twice_changes_nothing(tmp_path: Path) -> None:
    first = talkscope.ingest([METRICS, RTVI], warehouse=tmp_path / "w")
    assert first.reasons == {AMBIGUOUS: 1}
    before = stored(tmp_path / "w")
    for source in (METRICS, RTVI):
        counts = talkscope.ingest([source], warehouse=tmp_path / "w").types
        assert all(each.loaded == each.changed == 0 for each in counts.values()), source
    assert stored(tmp_path / "w") == before


def test_turns_loaded_one_by_one_are_what_they_are_together(tmp_path: Path) -> None:
    content = METRICS.read_bytes().splitlines(keepends=True)
    talkscope.ingest([METRICS], warehouse=tmp_path / "whole")
    for name, piece in (("first", content[:17]), ("second", content[17:])):
        (tmp_path / f"{name}.jsonl").write_bytes(b"".join(piece))
    for name in ("second", "first", "second"):
        talkscope.ingest([tmp_path / f"{name}.jsonl"], warehouse=tmp_path / "pieces")
    assert stored(tmp_path / "pieces") == stored(tmp_path / "whole")


def test_the_loaded_warehouse_answers_with_figures_worked_out_by_hand(tmp_path: Path) -> None:
    talkscope.ingest([METRICS, RTVI], warehouse=tmp_path / "w")
    with talkscope.open_warehouse(tmp_path / "w") as client:
        turns = client.ask("breakdown", measures=["p95", "count"], group_by=["platform"], **DAY)
        models = client.ask("breakdown", measures=["p95", "input_tokens"], group_by=["processor"], **DAY).records()
        shares = client.ask("explain", session_id="conv-1", **DAY).records()
    assert [(row["p95"], row["count"]) for row in turns.records()] == [(1250 + 0.95 * 1000, 2)]
    assert "Pipecat's user-to-bot latency" in str(turns.meta.latency_basis)
    (model,) = (row for row in models if row["processor"] == "llm")
    assert (model["p95"], model["input_tokens"]) == (1000, 210)
    # The only turn with spans took 1,250 ms: the transcript 250, the turn's release 100 more, then nothing for 50, the
    # model 600, in two pieces around the tool's 50, and the voice 200.
    assert {row["processor"]: row["self_ms"] for row in shares} == {
        "asr": 250,
        "eou_detection": 100,
        "unattributed": 50,
        "llm": 600,
        "execute_tool": 50,
        "tts": 200,
    }
