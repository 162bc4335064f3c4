"""What OpenTelemetry traces become: the four families of spans that people export, then shapes that these lack."""

from __future__ import annotations

import base64
import io
import json
import random
import re
import tracemalloc
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import talkscope
from talkscope.errors import IngestError
from talkscope.warehouse.ingest import detect, otlp
from talkscope.warehouse.ingest.otlp import gather
from tests.warehouse import mapped
from tests.warehouse.loading import stored

DATA = Path(__file__).parent / "data" / "otlp"
FIXTURES = ("genai", "genai_old", "livekit", "pipecat")
BEGIN = 1_772_359_200_000_000
"""Microseconds; when the fixtures begin."""
DAY = {"start_time": "2026-03-01", "end_time": "2026-03-02"}
T, P = "4bf92f3577b34da6a3ce929d0e0e4736", "c0ffee00c0ffee00c0ffee00c0ffee01"
Rows = list[dict[str, Any]]
Request = dict[str, Any]


class Mapped(mapped.Mapped):
    """What a file of this format becomes."""

    def __init__(self, content: bytes) -> None:
        super().__init__(otlp.read, content)

    def span(self, id: str) -> dict[str, Any]:
        (row,) = (row for row in self.rows["span"] if row["span_id"].endswith(f":{id:0>16}"))
        return row

    def turn(self, id: str) -> dict[str, Any]:
        (row,) = (row for row in self.rows["interaction"] if row["interaction_id"].endswith(id))
        return row

    def event(self, name: str) -> dict[str, Any]:
        (row,) = (row for row in self.rows["event"] if row["metric_name"] == name)
        return row

    def all(self) -> list[str]:
        """Every record and refusal, in no order of the file's."""
        rows = [json.dumps([kind, row], sort_keys=True) for kind, rows in self.rows.items() for row in rows]
        return sorted([*rows, *self.refused.values()])


def fixture(name: str) -> Mapped:
    return Mapped((DATA / f"{name}.json").read_bytes())


def requests(name: str) -> list[Request]:
    return [json.loads(line) for line in (DATA / f"{name}.json").read_bytes().splitlines()]


def of(*values: object) -> Mapped:
    return Mapped(b"\n".join(json.dumps(value).encode() for value in values))


def value(plain: object) -> dict[str, object]:
    kind = {bool: "boolValue", int: "intValue", float: "doubleValue"}.get(type(plain), "stringValue")
    return {kind: str(plain) if kind == "intValue" else plain}


def span(id: str, start: float, end: float | None, name: str = "chat", parent: str = "", **more: Any) -> Request:
    """A model's span of the trace T, `facts` its attributes; seconds after the fixtures begin."""
    facts = {"gen_ai.operation.name": name, **more.pop("facts", {})}
    made = {
        "traceId": T,
        "spanId": f"{id:0>16}",
        "parentSpanId": f"{parent:0>16}" if parent else "",
        "name": name,
        "kind": 1,
        "startTimeUnixNano": str(BEGIN * 1_000 + round(start * 1_000_000_000)),
        "attributes": [{"key": key, "value": value(each)} for key, each in facts.items() if each is not None],
    }
    if end is not None:
        made["endTimeUnixNano"] = str(BEGIN * 1_000 + round(end * 1_000_000_000))
    return made | more


def request(*spans: object, scope: str = "made.up", **facts: str) -> Request:
    resource = {"attributes": [{"key": key.replace("_", "."), "value": value(each)} for key, each in facts.items()]}
    return {"resourceSpans": [{"resource": resource, "scopeSpans": [{"scope": {"name": scope}, "spans": list(spans)}]}]}


# GenAI conventions


def test_a_model_call_has_its_vendor_the_model_that_answered_tokens_and_first_chunk() -> None:
    call = fixture("genai").span("3")
    assert (call["processor"], call["provider"], call["model"]) == ("llm", "openai", "gpt-4o-2024-08-06")
    assert (call["input_tokens"], call["output_tokens"], call["ttfb_ms"]) == (120, 18, 312.5)
    assert (call["start_time"], call["duration_ms"]) == (BEGIN + 200_000, 1_000)
    assert (call["span_id"], call["parent_id"]) == (f"{T}:{3:016}", f"{T}:{2:016}")
    kept = call["attributes"]
    assert (kept["name"], kept["kind"], kept["gen_ai.request.model"]) == ("chat gpt-4o", "client", "gpt-4o")
    assert kept["gen_ai.response.finish_reasons"] == ["tool_calls"]
    assert (kept["gen_ai.usage.cache_read.input_tokens"], kept["server.port"]) == (64, 443)


def test_the_outermost_span_that_names_a_session_has_the_word_and_the_whole_trace_follows() -> None:
    mapped = fixture("genai")
    # The model's own conversation inside the call is no session.
    assert {row["session_id"] for rows in mapped.rows.values() for row in rows} == {"chat-42"}
    session = mapped.one("session")
    assert (session["character_id"], session["character_name"], session["end_user_id"]) == (
        "agent_mia",
        "Mia",
        "customer-7",
    )
    assert (session["app_key"], session["participants"], session["end_time"]) == ("shop-assistant", None, None)
    assert session["attributes"]["deployment.environment.name"] == "production"


def test_a_trace_is_a_turn_and_its_latency_is_its_own_span() -> None:
    turn = fixture("genai").one("interaction")
    assert (turn["interaction_id"], turn["latency_ms"], turn["attributes"]["latency_basis"]) == (T, 3_100, "span")
    # The tool failed, and the turn went on.
    assert (turn["status"], turn["failure_stage"], turn["interaction_type"]) == ("ok", None, None)


def test_tokens_that_an_agent_repeats_of_its_calls_count_once() -> None:
    mapped = fixture("genai")
    assert sum(row["input_tokens"] or 0 for row in mapped.rows["span"]) == 120 + 180 + 6
    agent = mapped.span("2")
    assert (agent["processor"], agent["input_tokens"], agent["provider"]) == ("agent", None, None)
    assert agent["attributes"]["counted_in_children"] == ["input_tokens", "output_tokens"]
    assert agent["attributes"]["gen_ai.usage.input_tokens"] == 300


def test_a_librarys_request_inside_a_call_is_an_event_so_that_the_call_stays_the_innermost_span() -> None:
    mapped = fixture("genai")
    inside = mapped.event("llm.http")
    assert (inside["value"], inside["unit"], inside["processor"], inside["status"]) == (980, "ms", "llm", None)
    assert inside["attributes"]["url.full"] == "https://api.openai.com/v1/chat/completions"
    failed = mapped.event("execute_tool.http")
    assert (failed["error_code"], failed["status"], failed["attributes"]["status"]) == ("503", None, "error")
    outside = {row["processor"]: row["duration_ms"] for row in mapped.rows["span"] if row["provider"] is None}
    assert (outside["transport"], outside["database"]) == (3_100, 60)


def test_a_failed_tool_says_what_failed_and_an_exception_alone_fails_no_turn() -> None:
    mapped = fixture("genai")
    tool = mapped.span("5")
    assert (tool["processor"], tool["status"], tool["error_code"]) == ("execute_tool", "error", "OrderServiceDown")
    assert tool["attributes"]["status_message"] == "order service answers 503"
    raised = mapped.event("exception")
    assert (raised["error_code"], raised["status"], raised["interaction_id"]) == ("OrderServiceDown", None, T)
    assert raised["attributes"]["exception.stacktrace"] == "Traceback …"


def test_an_evaluation_that_rates_a_session_is_its_outcome_and_any_other_an_event() -> None:
    mapped = fixture("genai")
    outcome, score = mapped.one("outcome"), mapped.event("score.relevance")
    assert (outcome["session_id"], outcome["rating"], outcome["time"]) == ("chat-42", 4, BEGIN + 2_950_000)
    assert outcome["attributes"]["evaluations"][0]["gen_ai.evaluation.explanation"] == "thankful"
    assert (score["value"], score["interaction_id"]) == (0.75, T)
    assert score["attributes"]["gen_ai.evaluation.score.label"] == "relevant"


def test_the_deprecated_names_mean_the_same() -> None:
    mapped = fixture("genai_old")
    call = mapped.span("b1")
    assert (call["processor"], call["provider"], call["model"]) == ("llm", "openai", "gpt-4-0613")
    assert (call["input_tokens"], call["output_tokens"]) == (75, 25)
    assert [row["processor"] for row in mapped.rows["span"]] == ["chain", "knowledge_bank", "llm", "llm"]


def test_messages_that_a_call_repeats_as_events_are_its_attributes() -> None:
    mapped = fixture("genai_old")
    messages = mapped.span("b1")["attributes"]["messages"]
    assert [each["event"] for each in messages] == ["gen_ai.system.message", "gen_ai.user.message", "gen_ai.choice"]
    assert messages[1]["content"] == "Do you ship to Norway?"
    assert [row["metric_name"] for row in mapped.rows["event"]] == ["exception"]


def test_a_trace_that_names_no_session_is_one_and_fails_with_its_root() -> None:
    mapped = fixture("genai_old")
    turn = mapped.turn("8d3efb1b173fecfa45baca4c2ee2c3a2")
    assert turn["session_id"] == turn["interaction_id"]
    assert (turn["status"], turn["failure_stage"], turn["latency_ms"]) == ("timeout", "llm", 30_000)
    assert mapped.span("c1")["error_code"] == "openai.APITimeoutError"
    assert {row["character_name"] for row in mapped.rows["session"]} == {"faq-bot"}


# Pipecat


def test_pipecats_conversation_is_the_session_and_its_turns_are_the_turns() -> None:
    mapped = fixture("pipecat")
    session = mapped.one("session")
    assert (session["session_id"], session["channel"], session["language"]) == ("call-2026-03-01-0001", "voice", "en")
    assert (session["end_user_id"], session["end_time"] - session["start_time"]) == ("caller-9", 15_000_000)
    assert session["attributes"]["deployment"] == "clinic-3"
    assert [row["index"] for row in mapped.rows["interaction"]] == [1, 2, 3]
    assert {row["interaction_type"] for row in mapped.rows["interaction"]} == {"voice_turn"}
    assert {row["processor"] for row in mapped.rows["span"]} == {"asr", "llm", "tts"}


def test_a_measured_turn_starts_when_the_user_stopped_speaking() -> None:
    turn = fixture("pipecat").turn("20")
    # Speech was transcribed at 8.3 s, 0.3 s after it ended.
    assert (turn["start_time"], turn["latency_ms"]) == (BEGIN + 8_000_000, 1_000)
    kept = turn["attributes"]
    assert (kept["latency_basis"], kept["turn_start"]) == (
        "turn.user_bot_latency_seconds",
        "2026-03-01T10:00:04.950000+00:00",
    )
    assert kept["turn.duration_seconds"] == 6.05


def test_a_greeting_has_no_latency_since_nobody_waited() -> None:
    turn = fixture("pipecat").turn("10")
    assert (turn["latency_ms"], turn["status"], turn["start_time"]) == (None, "ok", BEGIN + 50_000)
    assert "latency_basis" not in turn["attributes"]


def test_a_spoken_turn_in_which_something_failed_and_nothing_was_said_failed() -> None:
    turn = fixture("pipecat").turn("30")
    assert (turn["status"], turn["failure_stage"]) == ("error", "llm")


def test_the_user_who_speaks_over_the_bot_is_an_event_and_the_end_of_the_call_is_none() -> None:
    mapped = fixture("pipecat")
    cut = mapped.event("interaction.interrupted")
    assert (cut["interaction_id"], cut["time"]) == (f"{P}:{'20':0>16}", BEGIN + 11_000_000)
    assert mapped.span("23")["status"] == "cancelled"


def test_voices_and_transcribers_have_vendor_characters_and_first_byte() -> None:
    mapped = fixture("pipecat")
    voice, heard = mapped.span("23"), mapped.span("21")
    assert (voice["provider"], voice["voice_provider"], voice["model"]) == ("cartesia", "cartesia", "sonic-2")
    assert (voice["characters"], voice["ttfb_ms"]) == (48, 200)
    assert (heard["provider"], heard["voice_provider"], heard["ttfb_ms"]) == ("deepgram", None, 300)


# LiveKit


def test_livekits_turn_is_its_speech_with_what_the_user_said_before() -> None:
    mapped = fixture("livekit")
    turn = mapped.turn("speech_bb")
    assert (turn["latency_ms"], turn["attributes"]["latency_basis"]) == (1_200, "lk.e2e_latency")
    # The agent spoke at 6.2 s, 1.2 s after the user stopped.
    assert turn["start_time"] == BEGIN + 5_000_000
    inside = {row["span_id"][-2:] for row in mapped.rows["span"] if row["interaction_id"] == "speech_bb"}
    assert inside == {"30", "31", "32", "40", "41", "42", "45", "46", "48", "49", "50"}
    assert (mapped.turn("speech_aa")["latency_ms"], mapped.turn("speech_aa")["status"]) == (None, "ok")
    unanswered = mapped.turn("60")
    assert (unanswered["latency_ms"], unanswered["status"]) == (None, None)


def test_livekits_job_is_the_session_and_the_user_is_who_joined() -> None:
    mapped = fixture("livekit")
    session = mapped.one("session")
    assert (session["session_id"], session["channel"], session["language"]) == ("AJ_x7", "voice", "en")
    assert (session["end_user_id"], session["character_id"]) == ("caller-55", "reception")
    assert session["end_time"] - session["start_time"] == 10_500_000
    assert session["attributes"]["lk.agent_label"] == "main.Reception"
    assert not {"job_entrypoint", "agent_session"} & {row["processor"] for row in mapped.rows["span"]}


def test_one_call_of_livekits_is_one_span_whatever_it_was_wrapped_in() -> None:
    mapped = fixture("livekit")
    (model,) = (row for row in mapped.rows["span"] if row["processor"] == "llm")
    (voice,) = (row for row in mapped.rows["span"] if row["processor"] == "tts")
    assert (model["provider"], model["model"], model["ttfb_ms"]) == ("openai", "gpt-4.1", 350)
    assert (model["input_tokens"], model["output_tokens"], model["status"]) == (200, 30, "ok")
    assert (voice["characters"], voice["ttfb_ms"], voice["provider"]) == (61, 150, "cartesia")
    attempts = [row for row in mapped.rows["event"] if row["metric_name"] == "llm.attempt"]
    assert [(row["value"], row["error_code"], row["status"]) for row in attempts] == [
        (80, "APIConnectionError", None),
        (760, None, None),
    ]
    node = mapped.span("41")
    assert (node["processor"], node["provider"], node["ttfb_ms"]) == ("llm_node", None, 375)


def test_livekits_failed_tool_is_a_failed_span_and_its_texts_are_kept() -> None:
    tool = fixture("livekit").span("48")
    assert (tool["processor"], tool["status"]) == ("execute_tool", "error")
    assert tool["attributes"]["lk.pii.function_tool.output"] == "no slots"


def test_livekits_own_model_node_without_a_request_is_the_model() -> None:
    lines = requests("livekit")
    spans = lines[0]["resourceSpans"][0]["scopeSpans"][0]["spans"]
    spans[:] = [each for each in spans if not each["name"].startswith("llm_request")]
    node = of(*lines).span("41")
    assert (node["processor"], node["provider"], node["model"], node["ttfb_ms"]) == ("llm", "openai", "gpt-4.1", 375)


def test_without_a_measured_latency_livekits_three_stages_are_it() -> None:
    lines = requests("livekit")
    for line in lines:
        for each in line["resourceSpans"][0]["scopeSpans"][0]["spans"]:
            each["attributes"] = [fact for fact in each["attributes"] if fact["key"] != "lk.e2e_latency"]
    turn = of(*lines).turn("speech_bb")
    assert turn["latency_ms"] == pytest.approx(500 + 375 + 250)
    assert turn["attributes"]["latency_basis"] == "lk.end_of_turn_delay + lk.response.ttft + lk.response.ttfb"


def test_an_answer_that_was_thrown_away_is_not_what_answered_the_user() -> None:
    no = {"gen_ai.operation.name": None}
    said, answered = {**no, "lk.end_of_turn_delay": 0.5}, {**no, "lk.speech_id": "kept", "lk.e2e_latency": 2.0}
    mapped = of(
        request(
            span("2", 0, 3, "user_turn", facts=said),
            span("3", 2, 2.5, "agent_turn", facts={**no, "lk.speech_id": "early"}),
            span("4", 2.75, 6, "agent_turn", facts=answered),
            scope="livekit-agents",
            room_id="RM_1",
        )
    )
    assert mapped.span("2")["interaction_id"] == "kept"
    # Nothing says when the agent spoke: the user stopped half a second before the turn was taken.
    assert mapped.turn("kept")["start_time"] == BEGIN + 2_500_000
    assert mapped.turn("early")["latency_ms"] is None


def test_livekit_clouds_names_of_a_job_are_the_session() -> None:
    made = request(span("1", 0, 1, "agent_turn"), scope="livekit-agents")
    facts = made["resourceSpans"][0]["resource"]["attributes"]
    facts += [{"key": key, "value": value(key.upper())} for key in ("room_id", "job_id")]
    assert of(made).one("session")["session_id"] == "JOB_ID"


# Shapes that these lack


def test_without_a_transcript_the_wait_of_pipecat_begins_a_latency_before_the_voice() -> None:
    no = {"gen_ai.operation.name": None}
    turn = {**no, "turn.number": 1, "turn.user_bot_latency_seconds": 1.5}
    voice = span("2", 3, 5, "tts", "1", facts={"metrics.ttfb": 0.5})
    assert of(request(span("1", 0, 6, "turn", facts=turn), voice)).one("interaction")["start_time"] == BEGIN + 2_000_000
    # A moment outside the turn would be a wrong guess.
    late = span("2", 0.5, 5, "tts", "1", facts={"metrics.ttfb": 0.5})
    assert of(request(span("1", 0, 6, "turn", facts=turn), late)).one("interaction")["start_time"] == BEGIN


def test_an_evaluation_that_is_a_span_is_a_score_too() -> None:
    facts = {"gen_ai.evaluation.name": "handoff", "gen_ai.evaluation.score.label": "true"}
    mapped = of(request(span("1", 0, 1), span("2", 1, 1, "gen_ai.evaluation.result", "1", facts=facts)))
    assert (mapped.one("outcome")["resolution"], len(mapped.rows["span"])) == ("handoff", 2)


@pytest.mark.parametrize(
    ("name", "score", "label", "said"),
    [
        ("User Sentiment", None, "negative", ("sentiment", "negative")),
        ("resolution", 1.0, "Resolved", ("resolution", "resolved")),
        ("escalated", 1.0, None, ("resolution", "handoff")),
        ("escalated", 0.0, "false", None),
        ("resolution", None, "given to legal", None),
        ("csat", None, "happy", None),
    ],
)
def test_an_evaluation_is_an_outcome_only_where_it_says_how_a_session_ended(
    name: str, score: float | None, label: str | None, said: tuple[str, str] | None
) -> None:
    facts = {"gen_ai.evaluation.name": name, "gen_ai.evaluation.score.value": score}
    facts |= {"gen_ai.evaluation.score.label": label}
    mapped = of(request(span("1", 0, 1), span("2", 1, 1, "judge", "1", facts=facts)))
    if said is None:
        assert mapped.rows["outcome"] == []
        assert mapped.one("event")["metric_name"] == f"score.{name}"
    else:
        assert mapped.one("outcome")[said[0]] == said[1]
        assert mapped.rows["event"] == []


def test_the_latest_evaluation_of_a_kind_counts_and_earlier_ones_are_events() -> None:
    def rated(id: str, at: float, stars: float) -> Request:
        facts = {"gen_ai.evaluation.name": "csat", "gen_ai.evaluation.score.value": stars}
        return span(id, at, at, "judge", "1", facts=facts)

    mapped = of(request(span("1", 0, 1), rated("2", 5, 4.0), rated("3", 2, 1.0)))
    assert (mapped.one("outcome")["rating"], mapped.one("outcome")["time"]) == (4, BEGIN + 5_000_000)
    assert mapped.one("event")["value"] == 1


def test_agents_that_hold_speech_are_a_turn_each() -> None:
    said = {"gen_ai.conversation.id": "call-9"}
    mapped = of(
        request(
            span("1", 0, 20, "voice call", facts={"gen_ai.operation.name": None, **said}),
            span("2", 1, 4, "invoke_agent", "1", facts={"gen_ai.agent.name": "Mia"}),
            span("3", 1, 2, "speech_to_text", "2"),
            span("4", 2, 3, "chat", "2"),
            span("5", 3, 4, "text_to_speech", "2"),
            span("6", 9, 11, "invoke_agent", "1", facts={"gen_ai.agent.name": "Billing"}),
            span("7", 9, 10, "invoke_agent", "6", facts={"gen_ai.agent.name": "Ledger"}),
        )
    )
    turns = [(row["interaction_id"][-1], row["latency_ms"]) for row in mapped.rows["interaction"]]
    assert turns == [("2", 3_000), ("6", 2_000)]
    assert mapped.span("7")["interaction_id"] == mapped.span("6")["interaction_id"]
    assert (mapped.span("1")["interaction_id"], mapped.span("1")["session_id"]) == (None, "call-9")
    assert mapped.one("session")["participants"] == ["Billing", "Mia"]
    assert (mapped.one("session")["character_id"], mapped.one("session")["channel"]) == ("Mia", "voice")


def test_agents_that_only_write_are_parts_of_one_turn() -> None:
    mapped = of(
        request(
            span("1", 0, 5, "invoke_workflow"),
            span("2", 0, 2, "invoke_agent", "1"),
            span("3", 2, 5, "invoke_agent", "1"),
        )
    )
    assert mapped.one("interaction")["interaction_id"] == T


@pytest.mark.parametrize(
    ("name", "facts", "processor"),
    [
        ("text_completion", {}, "llm"),
        ("generate_content", {}, "llm"),
        ("rerank", {}, "knowledge_bank"),
        ("embeddings", {}, "embedding"),
        ("execute_tool", {}, "execute_tool"),
        ("speech_to_text", {}, "asr"),
        ("text_to_speech", {}, "tts"),
        ("anything", {"openinference.span.kind": "GUARDRAIL"}, "moderation"),
        ("anything", {"traceloop.span.kind": "tool"}, "execute_tool"),
        ("anything", {"gen_ai.request.model": "m"}, "llm"),
        ("VAD", {}, "vad"),
        ("STT", {}, "asr"),
        ("step 3 of 12", {}, "step n of n"),
        ("GET /x", {"http.request.method": "GET"}, "http"),
        ("users.find", {"rpc.system": "grpc"}, "rpc"),
        ("orders publish", {"messaging.system": "kafka"}, "messaging"),
        ("query", {"db.system": "Qdrant"}, "knowledge_bank"),
    ],
)
def test_what_a_span_is_called_as_a_component(name: str, facts: dict[str, object], processor: str) -> None:
    inner = span("2", 0, 1, name, "1", facts=facts)
    assert of(request(span("1", 0, 2, "invoke_agent"), inner)).span("2")["processor"] == processor


def snake(item: object) -> object:
    """The item as protobuf's own JSON of the same message has it: snake_case, ids in base64, enums by name."""
    if isinstance(item, list):
        return [snake(each) for each in item]
    if not isinstance(item, dict):
        return item
    made: dict[str, object] = {}
    for key, each in item.items():
        name = "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in key)
        if key in {"traceId", "spanId", "parentSpanId"}:
            made[name] = base64.b64encode(bytes.fromhex(each)).decode()
        elif key == "kind":
            made[name] = f"SPAN_KIND_{('UNSPECIFIED', 'INTERNAL', 'SERVER', 'CLIENT')[each]}"
        elif key == "status" and each:
            made[name] = {**each, "code": "STATUS_CODE_ERROR"}
        elif key.endswith("UnixNano"):
            made[name] = int(each)
        else:
            made[name] = snake(each)
    return made


@pytest.mark.parametrize("name", FIXTURES)
def test_every_spelling_of_the_same_spans_is_the_same(name: str) -> None:
    lines = requests(name)
    whole = {"resourceSpans": [each for line in lines for each in line["resourceSpans"]]}
    wanted = fixture(name).all()
    assert of(*(snake(line) for line in lines)).all() == wanted
    assert Mapped(json.dumps(whole, indent=2).encode()).all() == wanted
    assert of(lines).all() == wanted


def single(lines: Iterable[Request]) -> list[Request]:
    """Each span as a request of its own."""
    return [
        {"resourceSpans": [{"resource": group["resource"], "scopeSpans": [{"scope": held["scope"], "spans": [each]}]}]}
        for line in lines
        for group in line["resourceSpans"]
        for held in group["scopeSpans"]
        for each in held["spans"]
    ]


SPANS = single(line for name in FIXTURES for line in requests(name))
WHOLE = of(*SPANS).all()
TRACES = [
    [each for each in SPANS if each["resourceSpans"][0]["scopeSpans"][0]["spans"][0]["traceId"] == trace]
    for trace in dict.fromkeys(each["resourceSpans"][0]["scopeSpans"][0]["spans"][0]["traceId"] for each in SPANS)
]


@given(st.randoms(use_true_random=False), st.integers(1, 9))
def test_however_spans_are_dealt_to_lines_the_records_are_the_same(rng: random.Random, most: int) -> None:
    dealt = SPANS + rng.sample(SPANS, 5)  # an exporter that tries again sends some twice
    rng.shuffle(dealt)
    lines = []
    while dealt:
        taken = [dealt.pop() for _ in range(min(len(dealt), rng.randint(1, most)))]
        lines.append({"resourceSpans": [group for each in taken for group in each["resourceSpans"]]})
    assert of(*lines).all() == WHOLE


@given(st.lists(st.integers(0, 2), min_size=len(TRACES), max_size=len(TRACES)))
def test_however_traces_are_dealt_to_files_the_records_are_the_same(files: list[int]) -> None:
    dealt = [
        [span for trace, at in zip(TRACES, files, strict=True) if at == file for span in trace] for file in range(3)
    ]
    assert sorted(each for spans in dealt if spans for each in of(*spans).all()) == WHOLE


@given(st.lists(st.booleans(), min_size=len(SPANS), max_size=len(SPANS)))
def test_a_span_has_the_same_key_parent_and_measures_in_whatever_piece_of_its_trace(piece: list[bool]) -> None:
    known = {row["span_id"]: row for row in of(*SPANS).rows["span"]}
    part = [span for span, taken in zip(SPANS, piece, strict=True) if taken]
    same = ("parent_id", "start_time", "duration_ms", "status", "ttfb_ms")
    for row in of(*part, request()).rows["span"]:
        if whole := known.get(row["span_id"]):  # a request without the call that made it is a span
            assert [row[name] for name in same] == [whole[name] for name in same]


def test_a_file_that_does_not_fit_in_memory_waits_on_disk_and_says_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gather, "HELD", 3_000)
    assert of(*SPANS).all() == WHOLE


def test_memory_does_not_grow_with_the_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gather, "HELD", 1 << 18)

    def lines() -> Iterable[bytes]:
        for number in range(4_000):
            chat = span("1", 0, 1, facts={"gen_ai.conversation.id": "s", "note": "x" * 2_000})
            yield json.dumps(request({**chat, "traceId": f"{number + 1:032x}"})).encode() + b"\n"

    content = io.BytesIO(b"".join(lines()))
    tracemalloc.start()
    try:
        count = sum(1 for _ in otlp.read(content))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert count == 8_001
    assert peak < 6 << 20  # the file has 9 MiB


def test_a_span_that_is_reported_before_it_ended_counts_when_it_has() -> None:
    early, done = span("1", 0, None), span("1", 0, 2)
    for order in ((early, done), (done, early)):
        mapped = of(*(request(each) for each in order))
        assert mapped.one("span")["duration_ms"] == 2_000
        assert mapped.rows["event"] == []
    alone = of(request(early))
    assert (alone.one("event")["metric_name"], alone.rows["span"]) == ("llm.unfinished", [])


def test_a_root_whose_parent_is_another_process_is_a_root_and_a_lost_parent_makes_none() -> None:
    entry = span("2", 0, 1, parent="1")
    assert of(request({**entry, "kind": "SPAN_KIND_SERVER"})).one("interaction")["latency_ms"] == 1_000
    assert of(request({**entry, "flags": 0x301})).one("interaction")["latency_ms"] == 1_000
    lost = of(request(entry))
    assert lost.rows["interaction"] == []
    assert lost.one("span")["interaction_id"] == T


def test_a_session_of_several_traces_is_what_the_earliest_says_of_it() -> None:
    talk = {"gen_ai.conversation.id": "talk"}
    first = span("1", 0, 1, facts={**talk, "user.id": "ada"}, traceId="cc" * 16)
    later = span("1", 5, 6, facts={**talk, "user.id": "bob", "channel": "web"}, traceId="bb" * 16)
    last = span("1", 9, 10, facts={**talk, "channel": "phone", "language": "sv"}, traceId="aa" * 16)
    for spans in ((first, later, last), (last, first, later), (later, last, first)):
        session = of(*(request(each) for each in spans)).one("session")
        assert (session["start_time"], session["end_time"]) == (BEGIN, None)
        assert (session["end_user_id"], session["channel"], session["language"]) == ("ada", "web", "sv")


@pytest.mark.parametrize("count", [-1, 2.5, "many"])
def test_a_count_that_is_none_stays_in_the_attributes(count: object) -> None:
    row = of(request(span("1", 0, 1, facts={"gen_ai.usage.input_tokens": count}))).one("span")
    assert (row["input_tokens"], row["attributes"]["gen_ai.usage.input_tokens"]) == (None, count)


def test_a_trace_of_nothing_but_libraries_is_refused_with_its_reason() -> None:
    health = span("1", 0, 1, "GET /healthz", facts={"gen_ai.operation.name": None, "http.request.method": "GET"})
    mapped = of(request({**health, "traceId": "ab" * 16}), request(span("1", 0, 1)))
    assert mapped.refused == {
        f"trace {'ab' * 16} (1 spans)": "belongs to no conversation: nothing in it names a session, an agent or a model"
    }
    assert len(mapped.rows["span"]) == 1


def test_spans_of_several_services_say_whose_they_are() -> None:
    mapped = of(
        request(span("1", 0, 3, "invoke_agent"), service_name="front"),
        request(span("2", 1, 2, parent="1"), service_name="models"),
    )
    assert [row["attributes"]["service.name"] for row in mapped.rows["span"]] == ["front", "models"]
    assert mapped.one("session")["app_key"] == "front"


def test_every_kind_of_attribute_is_read_and_long_texts_are_cut() -> None:
    facts: list[object] = [
        {"key": "list", "value": {"arrayValue": {"values": [{"intValue": "7"}, {"boolValue": True}]}}},
        {"key": "map", "value": {"kvlistValue": {"values": [{"key": "a", "value": {"doubleValue": 0.5}}]}}},
        {"key": "bytes", "value": {"bytesValue": "aGk="}},
        {"key": "int", "value": {"intValue": 5}},
        {"key": "none", "value": {}},
        {"key": "nan", "value": {"doubleValue": "NaN"}},
        {"key": "name", "value": {"stringValue": "user's"}},
        {"key": "gen_ai.prompt", "value": {"stringValue": "x" * 5_000}},
    ]
    link = {"traceId": "ab" * 16, "spanId": "cd" * 8}
    facts.append({"key": "gen_ai.operation.name", "value": {"stringValue": "chat"}})
    made = span("1", 0, 1, attributes=facts, droppedAttributesCount=3, links=[link])
    kept = of(request(made)).one("span")["attributes"]
    assert (kept["list"], kept["map"], kept["bytes"], kept["int"]) == ([7, True], {"a": 0.5}, "aGk=", 5)
    assert (kept["name"], kept["attribute.name"], kept["droppedAttributesCount"]) == ("chat", "user's", 3)
    assert kept["links"] == [{"trace_id": "ab" * 16, "span_id": "cd" * 8}]
    assert kept["gen_ai.prompt"].endswith("…truncated 1000 characters")
    assert not {"none", "nan"} & kept.keys()


def test_a_duration_of_more_nanoseconds_than_there_are_numbers_is_none() -> None:
    made = (DATA / "pipecat.json").read_bytes()
    key = b'"metrics.ttfb", "value": {"doubleValue": '
    assert made.count(key) == 6
    mapped = Mapped(re.sub(re.escape(key) + b"[0-9.]+", key + b"1e302", made))
    assert {row["ttfb_ms"] for row in mapped.rows["span"]} == {None}
    assert len(mapped.rows["interaction"]) == len(fixture("pipecat").rows["interaction"])


def test_what_is_no_span_is_refused_with_its_place_and_the_rest_is_taken() -> None:
    mapped = of(
        request({**span("1", 0, 1), "traceId": ""}, {**span("2", 0, 1), "spanId": "0" * 16}, 7, span("3", 0, 1)),
        {"resourceMetrics": []},
        {"x": 1},
        request({**span("4", 0, 1), "startTimeUnixNano": "0"}, {**span("5", 0, 1), "endTimeUnixNano": "9" * 24}),
        request(span("6", 2, 1)),
    )
    assert mapped.refused == {
        "line 1, span 1": "has no traceId",
        "line 1, span 2": "has no spanId",
        "line 1, span 3": "is no span",
        "line 2": "holds metrics, not traces",
        "line 3": "is no request of OTLP traces",
        "line 4, span 1": "has no startTimeUnixNano",
        "line 4, span 2": "has a time that is out of range",
        f"trace {T} / span {6:016}": "end_time is before start_time",
    }
    assert mapped.one("span")["span_id"] == f"{T}:{3:016}"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "is empty"),
        (b'{"resourceLogs": []}', "holds logs, not traces"),
        (b"hello\nworld\n", "is not JSON"),
        (b'{"type": "span", "session_id": "s"}', "is no request of OTLP traces"),
    ],
)
def test_a_file_of_something_else_is_refused_as_a_whole(content: bytes, said: str) -> None:
    with pytest.raises(IngestError) as caught:
        list(otlp.read(io.BytesIO(content)))
    assert said in caught.value.message


def test_spans_in_a_loop_and_a_very_deep_trace_come_to_an_end() -> None:
    loop = of(request(span("1", 0, 1, parent="2"), span("2", 0, 1, parent="1"), span("3", 0, 1, parent="3")))
    assert len(loop.rows["span"]) == 3
    http = {"gen_ai.operation.name": None, "http.request.method": "GET"}
    deep = [span(f"{n:x}", n, n + 1, f"n{n}x", f"{n - 1:x}", facts=http) for n in range(2, 5_000)]
    mapped = of(request(span("1", 0, 9_000), *deep))
    assert (len(mapped.rows["span"]), len(mapped.rows["event"])) == (1, 4_998)


@pytest.mark.parametrize("name", FIXTURES)
def test_a_file_is_known_by_its_beginning(name: str) -> None:
    content = (DATA / f"{name}.json").read_bytes()
    assert detect(content[:65_536], "traces.jsonl") == "otlp"
    assert otlp.sniff(json.dumps(json.loads(content.splitlines()[0]), indent=2).encode())


@pytest.mark.parametrize(
    "head",
    [
        b'{"type":"session","session_id":"s","start_time":"2026-03-01T10:00:00Z"}\n',
        b'{"id":"o","traceId":"t","type":"SPAN","startTime":"2026-03-01T10:00:00Z","input":"{\\"resourceSpans\\":[]}"}',
        b'{"resourceMetrics":[]}',
        b"type,session_id,start_time\n",
        b"",
    ],
)
def test_other_formats_are_not_taken_for_otlp(head: bytes) -> None:
    assert not otlp.sniff(head)


NAMES = st.sampled_from(
    "traceId spanId parentSpanId name kind startTimeUnixNano endTimeUnixNano attributes status events links "
    "flags".split()
)
FACTS = st.sampled_from(
    sorted(
        {
            fact["key"]
            for line in SPANS
            for held in line["resourceSpans"][0]["scopeSpans"]
            for fact in held["spans"][0]["attributes"]
        }
    )
)
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=5)
    | st.sampled_from([T, "10", "\ud800"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5) | NAMES, inner, max_size=4),
    max_leaves=12,
)
ODD = st.fixed_dictionaries({}, optional=dict.fromkeys(("resource", "scopeSpans", "x"), JSON))


@given(
    st.lists(
        st.tuples(
            st.integers(0, len(SPANS) - 1), st.dictionaries(NAMES, JSON, max_size=3), st.dictionaries(FACTS, JSON)
        ),
        max_size=4,
    ),
    ODD,
)
def test_whatever_a_field_holds_nothing_but_a_refusal_comes_of_it(spans: list[Any], odd: dict[str, Any]) -> None:
    lines = []
    for number, fields, facts in spans:
        group = SPANS[number]["resourceSpans"][0]
        held = group["scopeSpans"][0]
        changed = {**held["spans"][0], "attributes": [*held["spans"][0]["attributes"], *facts_of(facts)], **fields}
        lines.append({"resourceSpans": [{**group, "scopeSpans": [{**held, "spans": [changed]}]}]})
    mapped = of(request(span("1", 0, 1)), *lines, {"resourceSpans": [odd]})
    assert mapped.rows["span"] or mapped.rows["event"] or mapped.refused


def facts_of(facts: dict[str, Any]) -> list[dict[str, Any]]:
    return [{"key": key, "value": {"stringValue": each}} for key, each in facts.items()]


def test_loading_again_in_pieces_and_twice_changes_nothing(tmp_path: Path) -> None:
    files = [DATA / f"{name}.json" for name in FIXTURES]
    report = talkscope.ingest(files, warehouse=tmp_path / "w")
    assert report.ok
    before = stored(tmp_path / "w")
    again = tmp_path / "again.jsonl"
    again.write_bytes(b"".join(file.read_bytes() for file in reversed(files)) * 2)
    for source in (files[2], again):
        counts = talkscope.ingest([source], warehouse=tmp_path / "w").types
        assert all(each.loaded == each.changed == 0 for each in counts.values())
    assert stored(tmp_path / "w") == before


def test_a_piece_of_a_trace_gives_way_to_the_whole_of_it(tmp_path: Path) -> None:
    whole = [line for line in SPANS if P in json.dumps(line)]
    plain = [line for line in whole if '"events"' not in json.dumps(line)]
    piece = tmp_path / "piece.jsonl"
    for folder, first in (("w", plain[2:4]), ("other", [])):
        for lines in filter(None, (first, whole)):
            piece.write_text("".join(json.dumps(line) + "\n" for line in lines))
            talkscope.ingest([piece], warehouse=tmp_path / folder)
    assert stored(tmp_path / "w") == stored(tmp_path / "other")


def test_the_loaded_warehouse_answers_with_figures_worked_out_by_hand(tmp_path: Path) -> None:
    talkscope.ingest([DATA / f"{name}.json" for name in FIXTURES], warehouse=tmp_path / "w")
    with talkscope.open_warehouse(tmp_path / "w") as client:
        turns = client.ask("breakdown", measures=["p95", "errors"], group_by=["interaction_type"], **DAY)
        models = client.ask("breakdown", measures=["p95", "count"], group_by=["processor"], **DAY).records()
        slow = client.ask("explain", session_id="otlp:call-2026-03-01-0001")
    # Measured: 1,000 and 1,200 ms; the traces' own spans: 2,200, 3,100 and 30,000 ms.
    assert {row["interaction_type"]: (row["p95"], row["errors"]) for row in turns.records()} == {
        "voice_turn": (1_000 + 0.95 * 200, 1),
        None: (3_100 + 0.9 * (30_000 - 3_100), 1),
    }
    assert "latency_basis in a turn's attributes" in str(turns.meta.latency_basis)
    assert next(row for row in models if row["processor"] == "execute_tool")["p95"] == 100 + 0.95 * 300
    assert next(row for row in models if row["processor"] == "llm")["count"] == 8
    # Of the second that the caller waited: 0.3 s for the transcript, 0.45 s for the model alone, then for the voice.
    shares = {row["processor"]: row["share"] for row in slow.records()}
    assert shares == {"asr": 0.3, "llm": 0.45, "tts": 0.25}
