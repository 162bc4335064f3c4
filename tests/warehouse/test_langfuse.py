"""What a Langfuse export becomes: first the real exports of thirteen agent frameworks, then shapes that they lack."""

from __future__ import annotations

import io
import json
from collections import Counter
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from talkscope.errors import IngestError
from talkscope.warehouse.ingest import langfuse
from tests.warehouse import mapped

DATA = Path(__file__).resolve().parents[2].parent / "shared" / "data" / "langfuse"
Rows = list[dict[str, Any]]


class Mapped(mapped.Mapped):
    """What a file of this format becomes."""

    def __init__(self, content: bytes) -> None:
        super().__init__(langfuse.read, content)

    def spans(self) -> dict[str, dict[str, Any]]:
        return {row["span_id"]: row for row in self.rows["span"]}


def of(*values: object) -> Mapped:
    return Mapped(b"\n".join(json.dumps(value).encode() for value in values))


def real(name: str) -> tuple[Mapped, dict[str, Any]]:
    if not DATA.is_dir():
        pytest.skip("the shared data folder with real Langfuse exports is not beside this repository")
    (path,) = DATA.glob(f"{name}-20*.json")
    content = path.read_bytes()
    return Mapped(content), json.loads(content)


FRAMEWORKS = (
    "agno autogen beeai google-adk google-gemini google-vertex-tools-langchain koog langgraph llamaindex "
    "microsoft-agent openai-agents openai-assistants pydantic-ai-tools".split()
)


def milliseconds(start: str, end: str) -> float:
    return (datetime.fromisoformat(end) - datetime.fromisoformat(start)) / timedelta(milliseconds=1)


# Real exports


@pytest.mark.parametrize("name", FRAMEWORKS)
def test_every_part_of_a_real_export_becomes_a_record(name: str) -> None:
    mapped, raw = real(name)
    ended = [each for each in raw["observations"] if each["endTime"]]
    assert mapped.refused == {}
    assert len(mapped.rows["session"]) == len(mapped.rows["interaction"]) == 1
    assert {row["span_id"]: row["duration_ms"] for row in mapped.rows["span"]} == {
        each["id"]: milliseconds(each["startTime"], each["endTime"]) for each in ended
    }
    events = len(raw["observations"]) - len(ended) + len(raw["trace"].get("scores") or [])
    assert len(mapped.rows["event"]) == events
    assert mapped.rows["outcome"] == []


@pytest.mark.parametrize("name", FRAMEWORKS)
def test_the_parents_of_a_real_export_stay(name: str) -> None:
    mapped, raw = real(name)
    wanted = {each["id"]: each["parentObservationId"] for each in raw["observations"] if each["endTime"]}
    assert {row["span_id"]: row["parent_id"] for row in mapped.rows["span"]} == wanted


@pytest.mark.parametrize("name", FRAMEWORKS)
def test_a_real_export_is_recognised(name: str) -> None:
    _, raw = real(name)
    assert langfuse.sniff(json.dumps(raw).encode()[:65_536])
    assert langfuse.sniff(json.dumps(raw, indent=2).encode()[:65_536])


@pytest.mark.parametrize(
    ("name", "latency"),
    [("langgraph", 2610.0), ("agno", 6991.0), ("google-gemini", 12032.0), ("google-vertex-tools-langchain", 1874.0)],
)
def test_a_turns_latency_is_its_traces_own_span(name: str, latency: float) -> None:
    mapped, raw = real(name)
    starts = [each["startTime"] for each in raw["observations"]]
    ends = [each["endTime"] for each in raw["observations"]]
    assert mapped.one("interaction")["latency_ms"] == latency == milliseconds(min(starts), max(ends))


def test_a_session_is_named_where_the_trace_names_one_and_is_the_trace_else() -> None:
    named, _ = real("google-adk")
    assert named.one("session")["session_id"] == "demo-session"
    assert named.one("session")["end_user_id"] == "demo-user"
    alone, raw = real("beeai")
    assert alone.one("session")["session_id"] == raw["trace"]["id"] == alone.one("interaction")["interaction_id"]


@pytest.mark.parametrize(
    ("name", "tokens", "cost"),
    [
        # Two instrumentations of one call, one inside the other: only the inner ones, 163/20 and 663/225, count.
        ("agno", (163 + 663, 20 + 225), 3.645e-05 + 0.000234449999),
        # The agent repeats the tokens of its last call.
        ("microsoft-agent", (25 + 631, 70 + 35), 0.000762499999 + 0.0019275),
        ("beeai", (1988 + 2359 + 1195, 0), 0.0002982 + 0.00035385 + 0.00017925),
        ("langgraph", (60 + 108, 15 + 51), 7.5e-05 + 0.000159),
        ("google-vertex-tools-langchain", (1200, 15), 0.00011),
        # Its only model call has no end.
        ("openai-assistants", (0, 0), 0),
    ],
)
def test_tokens_and_cost_count_once(name: str, tokens: tuple[int, int], cost: float) -> None:
    mapped, _ = real(name)
    spans = mapped.rows["span"]
    assert tuple(sum(row[side] or 0 for row in spans) for side in ("input_tokens", "output_tokens")) == tokens
    assert sum(row["cost_usd"] or 0 for row in spans) == pytest.approx(cost)


def test_what_an_outer_observation_states_again_stays_in_its_attributes() -> None:
    mapped, _ = real("microsoft-agent")
    (agent,) = (row for row in mapped.rows["span"] if row["processor"] == "agent")
    assert agent["input_tokens"] is None
    assert agent["attributes"]["usageDetails"] == {"input": 631, "output": 35, "total": 666}
    assert agent["attributes"]["counted_in_children"] == ["input_tokens", "output_tokens"]


def test_a_real_call_without_an_end_is_an_event_that_keeps_its_tokens() -> None:
    mapped, _ = real("openai-assistants")
    event = mapped.one("event")
    assert (event["metric_name"], event["processor"], event["model"]) == ("llm.unfinished", "llm", "gpt-4")
    assert event["value"] is None
    assert event["attributes"]["usageDetails"] == {"input": 49, "output": 40, "total": 89}
    assert event["attributes"]["costDetails"]["total"] == 0.00387


def test_components_come_from_the_type_then_from_the_instrumentation_then_from_the_name() -> None:
    beeai, _ = real("beeai")
    assert Counter(row["processor"] for row in beeai.rows["span"]) == {
        "agent": 18,
        "llm": 5,
        "execute_tool": 3,
        "chain": 3,
    }
    langgraph, _ = real("langgraph")
    assert Counter(row["processor"] for row in langgraph.rows["span"]) == {
        "LangGraph": 1,
        "agent": 2,
        "tools": 1,
        "Web-Search": 1,
        "should_continue": 2,
        "llm": 2,
    }


def test_the_provider_is_the_one_that_the_instrumentation_names() -> None:
    wanted = {"agno": "openai", "google-gemini": "google", "langgraph": "openai", "autogen": None}
    found = {}
    for name in wanted:
        mapped, _ = real(name)
        found[name] = next((row["provider"] for row in mapped.rows["span"] if row["provider"]), None)
    assert found == wanted


def test_an_evaluation_does_not_make_a_session_longer() -> None:
    mapped, _ = real("beeai")
    assert mapped.one("session")["end_time"] == mapped.one("interaction")["end_time"]
    scores = {row["metric_name"]: row["value"] for row in mapped.rows["event"]}
    assert scores == {"score.hallucination": 0.2, "score.toxicity": 0}
    assert min(row["time"] for row in mapped.rows["event"]) > mapped.one("session")["end_time"]


def test_one_real_trace_reads_the_same_in_every_wrapping() -> None:
    mapped, raw = real("openai-agents")
    embedded = {**raw["trace"], "observations": raw["observations"]}
    pieces = [*raw["observations"], {**raw["trace"], "scores": None}, *raw["trace"]["scores"]]
    for wrapped in (of([raw]), of(embedded), of({"data": [embedded], "meta": {"page": 1}}), of(*pieces), of(pieces)):
        assert wrapped.rows["span"] == mapped.rows["span"]
        assert wrapped.one("interaction") == mapped.one("interaction")
        assert wrapped.one("session") == mapped.one("session")
        assert wrapped.rows["event"] == mapped.rows["event"]


# Invented exports


TRACE: dict[str, Any] = {"id": "t1", "timestamp": "2026-03-01T10:00:00Z", "name": "support bot", "sessionId": "s1"}


def span(key: str, start: float, end: float | None, **more: object) -> dict[str, Any]:
    begun = datetime.fromisoformat("2026-03-01T10:00:00+00:00")
    return {
        "id": key,
        "traceId": "t1",
        "type": "SPAN",
        "name": key,
        "startTime": (begun + timedelta(seconds=start)).isoformat(),
        "endTime": None if end is None else (begun + timedelta(seconds=end)).isoformat(),
        "parentObservationId": None,
        **more,
    }


def score(name: str, at: str = "2026-03-01T11:00:00Z", **more: object) -> dict[str, Any]:
    return {"id": f"{name}@{at}", "name": name, "timestamp": at, "traceId": "t1", "source": "API", **more}


def test_without_a_stated_latency_the_roots_span_is_the_latency() -> None:
    mapped = of(
        {"trace": TRACE, "observations": [span("root", 0.5, 2), span("after", 1, 9, parentObservationId="root")]}
    )
    turn = mapped.one("interaction")
    assert turn["latency_ms"] == 1500
    assert turn["end_time"] - turn["start_time"] == 9_000_000


def test_two_roots_and_no_stated_latency_are_an_unknown_latency() -> None:
    assert (
        of({"trace": TRACE, "observations": [span("a", 0, 1), span("b", 1, 2)]}).one("interaction")["latency_ms"]
        is None
    )


def test_a_trace_by_itself_has_an_unknown_latency_although_the_api_says_zero() -> None:
    turn = of({**TRACE, "latency": 0, "observations": ["o1", "o2"], "scores": []}).one("interaction")
    assert (turn["latency_ms"], turn["status"], turn["end_time"]) == (None, None, None)
    assert turn["attributes"]["observations"] == ["o1", "o2"]


def test_observations_alone_wait_for_no_trace() -> None:
    inner = of([span("a", 0, 1, parentObservationId="elsewhere", type="GENERATION")])
    assert inner.one("span")["session_id"] == "t1"
    assert inner.rows["interaction"] == inner.rows["session"] == []
    root = of([span("a", 0, 1)])
    assert root.one("interaction")["latency_ms"] == 1000
    assert root.rows["session"] == []


def test_the_scheduled_exports_rows_carry_their_trace() -> None:
    row = {
        "id": "o1",
        "trace_id": "t9",
        "project_id": "p1",
        "environment": "production",
        "type": "GENERATION",
        "parent_observation_id": "",
        "start_time": "2026-03-01 10:00:00.250000",
        "end_time": "2026-03-01 10:00:01.000000",
        "completion_start_time": "2026-03-01 10:00:00.500000",
        "name": "answer",
        "provided_model_name": "gpt-4o",
        "model_parameters": '{"temperature":0.7}',
        "usage_details": {"input": 10, "input_cached_tokens": 5, "output": 7, "total": 22},
        "cost_details": {"input": "0.001", "output": 0.002},
        "total_cost": 0.003,
        "user_id": "u1",
        "session_id": "s9",
        "trace_name": "support bot",
        "tags": ["channel:voice"],
        "release": "",
    }
    mapped = of(row)
    made = mapped.one("span")
    assert made["start_time"] == 1_772_359_200_250_000  # the rows are in UTC and do not say so
    assert (made["input_tokens"], made["output_tokens"], made["model"]) == (15, 7, "gpt-4o")
    assert (made["cost_usd"], made["ttfb_ms"], made["parent_id"]) == (pytest.approx(0.003), 250, None)
    session = mapped.one("session")
    assert (session["session_id"], session["end_user_id"], session["channel"]) == ("s9", "u1", "voice")
    assert (session["character_name"], session["app_key"]) == ("support bot", "p1")
    assert mapped.one("interaction")["latency_ms"] == 750
    assert langfuse.sniff(json.dumps(row).encode())


def test_a_failed_observation_keeps_its_message_and_a_warning_is_no_failure() -> None:
    failed = span(
        "call", 0, 1, level="ERROR", statusMessage="no seats", metadata={"attributes": {"error.type": "Full"}}
    )
    spans = of({"trace": TRACE, "observations": [failed, span("slow", 1, 2, level="WARNING")]}).spans()
    assert (spans["call"]["status"], spans["call"]["error_code"]) == ("error", "Full")
    assert spans["call"]["attributes"]["statusMessage"] == "no seats"
    assert (spans["slow"]["status"], spans["slow"]["attributes"]["level"]) == ("ok", "WARNING")


def test_a_turn_fails_with_its_root_and_names_the_innermost_failure() -> None:
    tool = span("lookup", 1, 2, type="TOOL", parentObservationId="root", level="ERROR")
    survived = of({"trace": TRACE, "observations": [span("root", 0, 3), tool]}).one("interaction")
    assert (survived["status"], survived["failure_stage"]) == ("ok", None)
    broken = of({"trace": TRACE, "observations": [span("root", 0, 3, level="ERROR"), tool]}).one("interaction")
    assert (broken["status"], broken["failure_stage"]) == ("error", "execute_tool")


def test_events_and_unfinished_observations_have_no_duration() -> None:
    mapped = of(
        {"trace": TRACE, "observations": [span("clicked 3 times", 0, None, type="EVENT"), span("tts", 1, None)]}
    )
    assert [row["metric_name"] for row in mapped.rows["event"]] == ["clicked n times", "tts.unfinished"]
    assert mapped.rows["span"] == []
    assert mapped.one("interaction")["latency_ms"] is None


@pytest.mark.parametrize(
    ("fields", "cost"),
    [
        ({"totalCost": 0, "costDetails": {}}, None),
        ({"totalCost": 0, "costDetails": {"input": 0, "total": 0}, "usageDetails": {"input": 5}}, None),
        ({"costDetails": {"total": 0}, "usageDetails": {"input": 5}, "internalModelId": "free"}, 0),
        ({"costDetails": {"total": 0}, "usageDetails": {"input": 0}, "internalModelId": "free"}, None),
        ({"costDetails": {"input": 0.25, "output": 0.5}}, 0.75),
        ({"costDetails": {"input": 0.25, "output": 0.5, "total": 1}}, 1),
        ({"calculatedTotalCost": "0.125"}, 0.125),
        ({"usage": {"totalCost": 2}}, 2),
        ({}, None),
    ],
)
def test_a_cost_of_zero_is_known_only_where_there_was_a_price(fields: dict[str, object], cost: float | None) -> None:
    assert (
        of({"trace": TRACE, "observations": [span("a", 0, 1, type="GENERATION", **fields)]}).one("span")["cost_usd"]
        == cost
    )


@pytest.mark.parametrize(
    ("fields", "counted"),
    [
        ({"usageDetails": {"input": 3, "input_audio": 2, "output": 1, "total": 6}}, (5, 1, None)),
        ({"usageDetails": {"input": 0, "output": 0, "total": 0}}, (None, None, None)),
        ({"usageDetails": {"input": 9, "total": 9}, "outputUsage": 0}, (9, None, None)),
        ({"inputUsage": 4, "outputUsage": 0}, (4, 0, None)),
        ({"promptTokens": 4, "completionTokens": 6}, (4, 6, None)),
        ({"usage": {"input": 7, "output": 8, "unit": "TOKENS"}}, (7, 8, None)),
        ({"usage": {"input": 70, "output": 80, "unit": "CHARACTERS"}}, (None, None, 150)),
        ({"usage": {"input": 70, "unit": "SECONDS"}}, (None, None, None)),
    ],
)
def test_usage_is_read_in_its_old_and_new_spellings(
    fields: dict[str, object], counted: tuple[int | None, int | None, int | None]
) -> None:
    row = of({"trace": TRACE, "observations": [span("a", 0, 1, type="GENERATION", **fields)]}).one("span")
    assert (row["input_tokens"], row["output_tokens"], row["characters"]) == counted


@pytest.mark.parametrize(
    ("fields", "ttfb"),
    [
        ({"timeToFirstToken": 0.25, "latency": 2.0}, 250),
        ({"timeToFirstToken": 250, "latency": 2000}, 250),
        ({"timeToFirstToken": 0.25}, 250),
        ({"completionStartTime": "2026-03-01T10:00:00.300Z", "timeToFirstToken": 9}, 300),
        ({"completionStartTime": "2026-03-01T09:59:59Z"}, None),
        ({}, None),
    ],
)
def test_the_first_token_is_read_from_seconds_and_from_the_milliseconds_of_old_exports(
    fields: dict[str, object], ttfb: float | None
) -> None:
    assert of({"trace": TRACE, "observations": [span("a", 0, 2, **fields)]}).one("span")["ttfb_ms"] == ttfb


@pytest.mark.parametrize(
    ("fields", "processor"),
    [
        ({"type": "RETRIEVER"}, "knowledge_bank"),
        ({"type": "GUARDRAIL"}, "moderation"),
        ({"type": "EMBEDDING"}, "embedding"),
        ({"name": "STT"}, "asr"),
        ({"name": "step_3 of 12"}, "step_n of n"),
        ({"name": "run f9f77d1a-437f-4ba6-890e-b592a50cbd21"}, "run id"),
        ({"name": ""}, "span"),
        ({"metadata": {"attributes": {"gen_ai.operation.name": "text_to_speech"}}}, "tts"),
        ({"type": "GENERATION", "metadata": {"attributes": {"openinference.span.kind": "AGENT"}}}, "llm"),
    ],
)
def test_what_an_observation_is_called_as_a_component(fields: dict[str, object], processor: str) -> None:
    assert of({"trace": TRACE, "observations": [span("a", 0, 1, **fields)]}).one("span")["processor"] == processor


def test_an_agent_is_named_by_its_metadata_before_its_trace() -> None:
    metadata = json.dumps({"attributes": {"gen_ai.agent.id": "a-7", "gen_ai.agent.name": "Mia"}})
    session = of({"trace": TRACE, "observations": [span("root", 0, 1, metadata=metadata)]}).one("session")
    assert (session["character_id"], session["character_name"], session["participants"]) == ("a-7", "Mia", None)


def test_a_session_of_two_traces_runs_from_the_first_to_the_last_and_names_both_assistants() -> None:
    later = {"id": "t2", "timestamp": "2026-03-01T10:05:00Z", "name": "billing", "sessionId": "s1", "userId": "u1"}
    mapped = of(
        [{**later, "observations": [span("b", 300, 310, traceId="t2")]}, {**TRACE, "observations": [span("a", 0, 1)]}]
    )
    session = mapped.one("session")
    assert session["end_time"] - session["start_time"] == 310_000_000
    assert (session["character_id"], session["end_user_id"]) == ("support bot", "u1")
    assert session["participants"] == ["billing", "support bot"]
    assert len(mapped.rows["interaction"]) == 2


def test_the_latest_scores_of_each_kind_are_the_outcome_and_earlier_ones_are_events() -> None:
    mapped = of(
        {"trace": TRACE, "observations": [span("a", 0, 1)]},
        score("CSAT", "2026-03-01T11:00:00Z", value=2, dataType="NUMERIC", metadata={"maxValue": 5}),
        score("csat", "2026-03-01T12:00:00Z", value=4, dataType="NUMERIC", comment="thanks!", metadata='{"scale": 5}'),
        score("user_sentiment", "2026-03-01T11:30:00Z", value=1, stringValue="positive", dataType="CATEGORICAL"),
        score("handoff", value=1, stringValue="True", dataType="BOOLEAN"),
        score("accuracy", value=0.9, dataType="NUMERIC", observationId="a"),
    )
    outcome = mapped.one("outcome")
    assert (outcome["session_id"], outcome["rating"], outcome["rating_scale"]) == ("s1", 4, 5)
    assert (outcome["remark"], outcome["sentiment"], outcome["resolution"]) == ("thanks!", "positive", "handoff")
    assert outcome["time"] == 1_772_366_400_000_000
    assert len(outcome["attributes"]["scores"]) == 3
    events = {row["metric_name"]: (row["value"], row["interaction_id"]) for row in mapped.rows["event"]}
    assert events == {"score.CSAT": (2, "t1"), "score.accuracy": (0.9, "t1")}


@pytest.mark.parametrize(
    "fields",
    [
        {"name": "handoff", "value": 0, "stringValue": "False", "dataType": "BOOLEAN"},
        {"name": "resolution", "value": 0, "stringValue": "escalated to legal", "dataType": "CATEGORICAL"},
        {"name": "sentiment", "value": -0.5, "dataType": "NUMERIC"},
        {"name": "csat", "value": 7, "dataType": "NUMERIC", "metadata": {"maxValue": 5}},
        {"name": "feedback", "value": 0, "stringValue": "too slow", "dataType": "TEXT"},
    ],
)
def test_a_score_that_says_nothing_of_the_end_is_no_outcome(fields: dict[str, Any]) -> None:
    mapped = of({**score("x"), **fields})
    assert mapped.rows["outcome"] == []
    assert mapped.one("event")["metric_name"] == f"score.{fields['name']}"
    assert mapped.one("event")["value"] == (fields["value"] if fields["dataType"] in {"NUMERIC", "BOOLEAN"} else None)


def test_a_score_in_two_places_counts_once_and_one_without_a_home_is_refused() -> None:
    same = score("accuracy", value=1)
    mapped = of(
        {**TRACE, "observations": [span("a", 0, 1)], "scores": [same]}, same, {**score("y", value=1), "traceId": None}
    )
    assert mapped.one("event")["metric_name"] == "score.accuracy"
    assert mapped.refused == {"trace None / score y@2026-03-01T11:00:00Z": "belongs to no trace or session"}


def test_a_trace_on_two_pages_makes_each_event_once() -> None:
    page = {"trace": TRACE, "observations": [span("clicked", 0, None, type="EVENT")]}
    assert len(of(page, page).rows["event"]) == 1


def test_long_texts_are_cut_and_say_by_how_much() -> None:
    huge = span(
        "a", 0, 1, input="x" * 10_000, output=[{"text": "y" * 3_000}] * 10, metadata={"deep": {"note": "z" * 4_001}}
    )
    kept = of({"trace": TRACE, "observations": [huge]}).one("span")["attributes"]
    assert kept["input"] == "x" * 4_000 + "…truncated 6000 characters"
    assert kept["output"].startswith('[{"text":"yyy')
    assert kept["output"].endswith("…truncated 26121 characters")
    assert kept["metadata"]["deep"]["note"] == "z" * 4_000 + "…truncated 1 characters"


def test_nothing_unknown_is_lost() -> None:
    bundle = {"trace": {**TRACE, "colour": "red"}, "observations": [span("a", 0, 1, shape="round")], "exportedBy": "me"}
    mapped = of(bundle)
    assert mapped.one("span")["attributes"]["shape"] == "round"
    assert mapped.one("interaction")["attributes"]["colour"] == "red"
    assert mapped.one("interaction")["attributes"]["exportedBy"] == "me"


def test_a_broken_line_costs_only_itself() -> None:
    lines = [json.dumps(span("a", 0, 1)), '{"id": "b", "traceId"', json.dumps({"foo": 1}), json.dumps(span("c", 1, 2))]
    mapped = Mapped("\n".join(lines).encode())
    assert set(mapped.spans()) == {"a", "c"}
    assert mapped.refused["line 2"].startswith("is not JSON")
    assert mapped.refused["line 3"] == "is no trace, observation or score of Langfuse"


def test_a_broken_first_line_costs_only_itself() -> None:
    mapped = Mapped(b'{"id": "b", "traceId"\n\n' + json.dumps(span("c", 1, 2)).encode())
    assert set(mapped.spans()) == {"c"}
    assert list(mapped.refused) == ["line 1"]


def test_an_observation_that_cannot_be_placed_is_refused_with_the_reason() -> None:
    mapped = of(
        {**span("a", 0, 1), "traceId": None},
        {**span("b", 0, 1), "startTime": "yesterday"},
        {**span("c", 0, 1), "startTime": None},
        span("d", 5, 4),
        {"id": "t3", "timestamp": None, "observations": []},
    )
    assert mapped.refused == {
        "trace None / observation a": "has no traceId",
        "trace t1 / observation b": "startTime is not an ISO 8601 time: 'yesterday'",
        "trace t1 / observation c": "has no startTime",
        "trace t1 / observation d": "end_time is before start_time",
        "trace t3": "has no timestamp and no observations",
    }


def test_odd_characters_and_numbers_of_an_end_user_do_not_end_the_import() -> None:
    line = json.dumps(span("a", 0, 1, input="\ud800 hi", metadata={"n": float("nan"), "m": 1})).encode()
    made = Mapped(b"\xef\xbb\xbf" + line + b"\n").one("span")
    assert made["attributes"]["input"] == "\ufffd hi"
    assert "n" not in made["attributes"]["metadata"]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "is empty"),
        (b"\n \n", "is empty"),
        (b'{"id": 1, "traceId": ', "is not JSON"),
        (b"hello\nworld\n", "line 1 is not JSON"),
        (b'{"resourceSpans": []}', "is no trace, observation or score"),
        (
            b'{"type": "span", "session_id": "s", "processor": "llm", "start_time": "2026-03-01T10:00:00Z"}',
            "is no trace",
        ),
        (b"[" * 100_000, "is not JSON"),
        (b"[1, 2, 3]", "the file is no langfuse export: line 1, item 1"),
    ],
)
def test_a_file_of_something_else_is_refused_as_a_whole(content: bytes, said: str) -> None:
    with pytest.raises(IngestError) as caught:
        list(langfuse.read(io.BytesIO(content)))
    assert said in caught.value.message or said in caught.value.message.lower()
    assert len(caught.value.message) < 300


def test_an_export_of_nothing_is_no_error() -> None:
    assert list(langfuse.read(io.BytesIO(b"[]"))) == []
    assert list(langfuse.read(io.BytesIO(b'{"data": [], "meta": {"totalItems": 0}}'))) == []


@pytest.mark.parametrize(
    "head",
    [
        b'{"resourceSpans":[{"scopeSpans":[{"spans":[{"traceId":"a","spanId":"b"}]}]}]}',
        b'{"type":"session","session_id":"s","start_time":"2026-03-01T10:00:00Z"}\n',
        b'{"call_id":"c","start_timestamp":1,"transcript_object":[]}',
        b"type,session_id,start_time\n",
        b"",
    ],
)
def test_other_formats_are_not_taken_for_langfuse(head: bytes) -> None:
    assert not langfuse.sniff(head)


FIELDS = st.sampled_from(
    "id traceId trace observations scores type name startTime endTime completionStartTime timeToFirstToken metadata "
    "usageDetails usage costDetails totalCost level parentObservationId model modelParameters timestamp value dataType "
    "stringValue sessionId userId tags traceTags environment latency attributes comment source data".split()
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.just("2026-03-01T10:00:00Z"),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5) | FIELDS, inner, max_size=4),
    max_leaves=12,
)
SOUND = [span("a", 0, 1), span("b", 0, None, type="GENERATION"), TRACE, score("csat", value=3), {"trace": TRACE}]


@given(st.lists(st.tuples(st.sampled_from(SOUND), st.dictionaries(FIELDS, JSON, max_size=5)), min_size=1, max_size=4))
def test_whatever_a_field_holds_nothing_but_a_refusal_comes_of_it(items: list[tuple[Any, Any]]) -> None:
    mapped = of(TRACE, *({**sound, **odd} for sound, odd in items))
    assert mapped.rows["interaction"] or mapped.refused
