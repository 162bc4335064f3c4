"""What Vapi's calls become: a call as the API has it, the report posted when it ended, and what a page lists."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import talkscope
from talkscope.errors import IngestError
from talkscope.warehouse.ingest import detect, vapi
from tests.warehouse import mapped

from .loading import stored

DATA = Path(__file__).resolve().parent / "data"
CALL: dict[str, Any] = json.loads((DATA / "vapi" / "call.json").read_bytes())
ID = str(CALL["id"])
T = 1_767_607_200_000_000
"""When the call starts."""
SECOND = 1_000_000


class Mapped(mapped.Mapped):
    """What a file of this format becomes."""

    def __init__(self, content: bytes) -> None:
        super().__init__(vapi.read, content)

    def spans(self) -> dict[str, dict[str, Any]]:
        return {row["span_id"].removeprefix(f"{ID}/"): row for row in self.rows["span"]}


def of(*values: object) -> Mapped:
    return Mapped(b"\n".join(json.dumps(value).encode() for value in values))


def changed(**more: object) -> dict[str, Any]:
    """The call with some of its fields changed."""
    return {**copy.deepcopy(CALL), **more}


def with_latencies(latencies: list[Any], **more: object) -> dict[str, Any]:
    call = changed(**more)
    call["artifact"]["performanceMetrics"]["turnLatencies"] = latencies
    return call


LATENCIES: list[dict[str, Any]] = CALL["artifact"]["performanceMetrics"]["turnLatencies"]


# The session and its turns


def test_a_call_is_a_session_with_its_assistant_its_caller_and_its_times() -> None:
    session = of(CALL).one("session")
    wanted = {
        "session_id": ID,
        "platform": "vapi",
        "start_time": T,
        "end_time": T + 20 * SECOND,
        "status": "ended",
        "channel": "phone",
        "character_id": CALL["assistantId"],
        "character_name": "Reception",
        "end_user_id": "+14155550123",
        "language": "en",
        "app_key": CALL["orgId"],
    }
    assert {name: session[name] for name in wanted} == wanted
    assert session["attributes"]["endedReason"] == "customer-ended-call"
    assert session["attributes"]["opening"] == "Hello, Harbour Dental. How can I help?"
    assert session["attributes"]["performance"]["numAssistantInterrupted"] == 1


def test_the_assistants_configuration_stays_outside() -> None:
    assert "secret prompt" not in json.dumps(of(CALL).rows)


def test_a_turn_is_what_the_user_says_with_all_that_answers_it() -> None:
    turns = of(CALL).rows["interaction"]
    assert [row["interaction_id"] for row in turns] == [f"{ID}/turn/{index}" for index in range(3)]
    assert [(row["attributes"]["input"], row["attributes"].get("output")) for row in turns] == [
        ("I'd like an appointment on Tuesday.", "Let me look. I have half past ten."),
        ("That works.", "Booked. Anything else?"),
        ("No, thanks.", None),
    ]
    assert [row["status"] for row in turns] == ["ok", "ok", None]
    # 7.2 s less 1.2 s, 14.5 s less 1.5 s, and the end of words that nobody answered.
    assert [row["start_time"] for row in turns] == [T + 6 * SECOND, T + 13 * SECOND, T + 18 * SECOND]
    assert [row["end_time"] for row in turns] == [T + 11 * SECOND, T + 16 * SECOND, None]


# Latencies


def test_three_latencies_are_those_of_three_responses_in_two_answered_turns() -> None:
    mapped = of(CALL)
    assert [row["latency_ms"] for row in mapped.rows["interaction"]] == [1200, 1500, None]
    assert mapped.rows["interaction"][0]["attributes"]["latencies"] == LATENCIES[:2]
    assert mapped.rows["event"] == []


def test_two_latencies_are_those_of_the_two_answered_turns() -> None:
    mapped = of(with_latencies([LATENCIES[0], LATENCIES[2]]))
    assert [row["latency_ms"] for row in mapped.rows["interaction"]] == [1200, 1500, None]


def test_latencies_that_fit_no_count_are_events_of_no_turn() -> None:
    mapped = of(with_latencies([*LATENCIES, {"turnLatency": 700, "modelLatency": None}]))
    assert [row["latency_ms"] for row in mapped.rows["interaction"]] == [None, None, None]
    events = [(row["metric_name"], row["value"]) for row in mapped.rows["event"]]
    assert events[:4] == [("voice.user_to_bot_latency", value) for value in (1200, 860, 1500, 700)]
    assert [value for name, value in events if name == "llm.ttfb"] == [620, 500, 900]
    assert {row["interaction_id"] for row in mapped.rows["event"]} == {None}
    assert not any("/turn/" in name for name in mapped.spans())


def test_a_call_without_messages_has_a_turn_for_each_latency() -> None:
    turns = of(
        with_latencies(LATENCIES, messages=[]) | {"artifact": {"performanceMetrics": {"turnLatencies": LATENCIES}}}
    )
    assert [row["latency_ms"] for row in turns.rows["interaction"]] == [1200, 860, 1500]
    assert {row["start_time"] for row in turns.rows["interaction"]} == {T}


def test_components_lie_end_to_end_before_the_first_words_and_say_that_they_are_placed() -> None:
    spans = of(CALL).spans()
    placed = [spans[f"turn/0/{name}"] for name in ("asr", "eou_detection", "llm", "tts")]
    assert [row["duration_ms"] for row in placed] == [120, 250, 620, 210]
    assert [row["start_time"] for row in placed[1:]] == [row["end_time"] for row in placed[:-1]]
    assert placed[-1]["end_time"] == T + 7_200_000
    assert {row["attributes"]["placed"] for row in placed} == {"estimated"}
    assert [(row["provider"], row["model"]) for row in placed] == [
        ("deepgram", "nova-3"),
        (None, None),
        ("openai", "gpt-4o"),
        ("11labs", "eleven_flash_v2_5"),
    ]
    assert [row["ttfb_ms"] for row in placed] == [None, None, 620, 210]


def test_components_of_a_squad_with_two_models_name_none() -> None:
    other = {"type": "model", "model": {"provider": "groq", "model": "llama"}, "cost": 0.001}
    spans = of(changed(costs=[*CALL["costs"], other])).spans()
    assert (spans["turn/0/llm"]["provider"], spans["turn/0/tts"]["provider"]) == (None, "11labs")
    assert (spans["billing/llm"]["provider"], spans["billing/llm/2"]["provider"]) == ("openai", "groq")


# Tools


def test_a_tool_runs_from_its_call_to_its_result() -> None:
    tool = of(CALL).spans()["execute_tool/call_A1"]
    assert (tool["processor"], tool["duration_ms"], tool["status"]) == ("execute_tool", 640, "ok")
    assert tool["interaction_id"] == f"{ID}/turn/0"
    assert (tool["attributes"]["name"], tool["attributes"]["result"]) == ("find_slots", '{"slots":["10:30"]}')


def test_a_tool_without_a_result_is_an_event_once_the_call_is_over() -> None:
    call = changed()
    call["artifact"]["messages"] = [each for each in CALL["artifact"]["messages"] if "result" not in each]
    event = of(call).one("event")
    assert (event["metric_name"], event["time"]) == ("execute_tool.unfinished", T + 8 * SECOND)
    assert of({**call, "status": "in-progress", "endedAt": None}).rows["event"] == []


# Costs


def test_the_bill_is_spans_that_sum_to_the_calls_cost() -> None:
    spans = {name: row for name, row in of(CALL).spans().items() if name.startswith("billing/")}
    assert {name: row["cost_usd"] for name, row in spans.items()} == {
        "billing/asr": 0.0033,
        "billing/llm": 0.0052,
        "billing/tts": 0.0144,
        "billing/vapi": 0.0167,
        "billing/transport": 0.0333,
        "billing/analysis": 0.0016,
    }
    assert (spans["billing/llm"]["input_tokens"], spans["billing/llm"]["output_tokens"]) == (1830, 61)
    assert spans["billing/tts"]["characters"] == 96
    assert {row["duration_ms"] for row in spans.values()} == {0}


def test_a_bill_is_no_latency_of_a_provider() -> None:
    spans = [row for name, row in of(CALL).spans().items() if name.startswith("billing/")]
    parents = {row["parent_id"] for row in spans}
    assert [row["processor"] for row in spans if row["span_id"] not in parents] == ["billing.vapi"]


def test_without_costs_the_breakdown_is_the_bill() -> None:
    spans = of(changed(costs=None)).spans()
    assert sum(row["cost_usd"] or 0 for row in spans.values()) == pytest.approx(0.0745)
    assert (spans["billing/llm"]["input_tokens"], spans["billing/analysis"]["input_tokens"]) == (1830, 400)


def test_what_the_total_has_beyond_the_items_is_an_item() -> None:
    assert of(changed(cost=0.1)).spans()["billing/other"]["cost_usd"] == pytest.approx(0.0255)
    assert "billing/other" not in of(changed(cost=0.0746)).spans()


def test_a_cost_that_nobody_states_is_unknown() -> None:
    costs = [{**each, "cost": None} for each in CALL["costs"]]
    spans = of(changed(costs=costs, cost=None, costBreakdown=None)).spans()
    assert {row["cost_usd"] for row in spans.values()} == {None}


# How calls end


@pytest.mark.parametrize(
    ("reason", "metric", "processor", "provider"),
    [
        ("pipeline-error-openai-llm-failed", "error.provider", "llm", "openai"),
        ("pipeline-error-azure-openai-429-exceeded-quota", "error.provider", "llm", "azure-openai"),
        ("pipeline-error-eleven-labs-voice-failed", "error.provider", "tts", "11labs"),
        ("call.in-progress.error-vapifault-eleven-labs-quota-exceeded", "error.provider", "tts", "11labs"),
        (
            "call.in-progress.error-providerfault-deepgram-returning-502-network-error",
            "error.provider",
            "asr",
            "deepgram",
        ),
        ("call.in-progress.error-vapifault-openai-transcriber-failed", "error.provider", "asr", "openai"),
        ("call.in-progress.error-vapifault-worker-died", "error.terminal", None, None),
        ("call.in-progress.error-pipeline-no-available-llm-model", "error.terminal", "llm", None),
        ("call.start.error-subscription-frozen", "error.terminal", None, None),
        ("assistant-not-found", "error.terminal", None, None),
    ],
)
def test_a_reason_that_is_an_error_is_one_error_event(
    reason: str, metric: str, processor: str | None, provider: str | None
) -> None:
    event = of(changed(endedReason=reason)).one("event")
    assert (event["metric_name"], event["processor"], event["provider"]) == (metric, processor, provider)
    assert (event["error_code"], event["status"], event["time"]) == (reason, "error", T + 20 * SECOND)
    assert event["interaction_id"] is None


@pytest.mark.parametrize(
    ("more", "resolution"),
    [
        ({"endedReason": "assistant-forwarded-call"}, "handoff"),
        ({"destination": {"type": "number", "number": "+1415"}}, "handoff"),
        ({"destination": {"type": "assistant", "assistantName": "Billing"}}, "resolved"),
        ({"artifact": {"transfers": [{"status": "completed"}]}}, "handoff"),
        ({"artifact": {"transfers": [{"status": "failed"}]}}, "resolved"),
        ({"endedReason": "silence-timed-out"}, "resolved"),
        ({"endedReason": "silence-timed-out", "analysis": {"successEvaluation": "false"}}, "abandoned"),
        ({"endedReason": "voicemail"}, None),
        ({"analysis": {"successEvaluation": "false"}}, None),
        ({"analysis": {"successEvaluation": True}}, "resolved"),
    ],
)
def test_the_resolution_is_what_reason_transfer_and_evaluation_say(
    more: dict[str, Any], resolution: str | None
) -> None:
    assert of(changed(**more)).one("outcome")["resolution"] == resolution


@pytest.mark.parametrize("reason", ["customer-ended-call", "customer-did-not-answer", "exceeded-max-duration"])
def test_an_end_that_says_nothing_of_the_outcome_is_none(reason: str) -> None:
    mapped = of(changed(endedReason=reason, analysis=None))
    assert mapped.rows["outcome"] == mapped.rows["event"] == []


@pytest.mark.parametrize(
    ("evaluation", "rubric", "rating"),
    [
        ("8", "NumericScale", (8, 10)),
        ("8", None, (8, 10)),
        ("85%", "PercentageScale", (85, 100)),
        ("85", "PercentageScale", (85, 100)),
        ("4/5", None, (4, 5)),
        ("12/10", None, (None, None)),
        ("85", None, (85, None)),
        ("true", "PassFail", (None, None)),
        ("Good", "DescriptiveScale", (None, None)),
        ("B+", None, (None, None)),
    ],
)
def test_an_evaluation_that_is_a_number_is_a_rating(
    evaluation: str, rubric: str | None, rating: tuple[float | None, float | None]
) -> None:
    assistant = {"analysisPlan": {"successEvaluationPlan": {"rubric": rubric}}}
    outcome = of(changed(analysis={"successEvaluation": evaluation}, assistant=assistant)).one("outcome")
    assert (outcome["rating"], outcome["rating_scale"]) == rating
    assert outcome["attributes"] == {"successEvaluation": evaluation}


# Shapes


def test_the_report_and_the_call_say_the_same() -> None:
    report = Mapped((DATA / "vapi" / "report.json").read_bytes())
    mapped = of(CALL)
    for kind in ("interaction", "span", "event", "outcome"):
        assert report.rows[kind] == mapped.rows[kind]
    assert {**report.one("session"), "attributes": {}} == {**mapped.one("session"), "attributes": {}}


def test_a_call_reads_the_same_in_a_list_on_a_page_and_on_a_line() -> None:
    mapped = of(CALL)
    for wrapped in (of([CALL]), of({"results": [CALL], "metadata": {}}), of(CALL, CALL)):
        assert wrapped.rows["outcome"] == mapped.rows["outcome"]
        assert wrapped.rows["span"][: len(mapped.rows["span"])] == mapped.rows["span"]


def test_other_messages_only_say_that_there_is_a_call() -> None:
    call = {name: CALL[name] for name in ("id", "orgId", "type", "createdAt", "assistantId")}
    mapped = of(
        {"message": {"type": "status-update", "status": "in-progress", "call": call}},
        {"message": {"type": "conversation-update", "messages": [], "call": {**call, "status": "queued"}}},
    )
    assert [row["status"] for row in mapped.rows["session"]] == ["in-progress", None]
    assert all(mapped.rows[kind] == [] for kind in ("interaction", "span", "event", "outcome"))


@pytest.mark.parametrize(
    ("more", "reason"),
    [
        ({"startedAt": None, "createdAt": None}, "has neither startedAt nor createdAt"),
        ({"startedAt": "yesterday"}, "startedAt is not an ISO 8601 time: 'yesterday'"),
        ({"id": ""}, "has no id"),
    ],
)
def test_a_call_that_cannot_be_mapped_is_refused_with_the_reason(more: dict[str, Any], reason: str) -> None:
    assert list(of(changed(**more)).refused.values()) == [reason]


def test_an_assistant_is_no_call_and_a_call_without_its_type_is_one() -> None:
    assistant = {"id": "a", "orgId": "o", "createdAt": "2026-01-05T10:00:00Z", "name": "Reception"}
    mapped = of(changed(type=None), assistant)
    assert (mapped.one("session")["channel"], mapped.refused) == (None, {"line 2": "is no call of Vapi's"})


def test_what_is_no_call_is_refused_beside_calls_and_refuses_a_file_of_nothing_else() -> None:
    assert of({"x": 1}, CALL, 7).refused == {"line 1": "is no call of Vapi's", "line 3": "is no call of Vapi's"}
    with pytest.raises(IngestError, match=r"holds no call of Vapi's: line 1 is no call"):
        of({"x": 1}, {"x": 2})


@pytest.mark.parametrize("path", sorted(DATA.glob("*/*")), ids=lambda path: f"{path.parent.name}-{path.name}")
def test_a_file_is_taken_by_its_own_format_only(path: Path) -> None:
    head = path.read_bytes()[:65_536]
    assert vapi.sniff(head) == (path.parent.name == "vapi")
    assert detect(head, path.name) == path.parent.name


def test_records_that_carry_a_call_in_their_attributes_are_records() -> None:
    record = {"type": "session", "session_id": "s", "start_time": "2026-03-01T10:00:00Z", "attributes": CALL}
    assert detect(json.dumps(record).encode(), "sessions.ndjson") == "ndjson"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.just("\ud800"),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


@given(
    st.dictionaries(st.sampled_from(sorted({*CALL} - {"id"})), JSON, max_size=4),
    st.dictionaries(st.sampled_from("messages performanceMetrics transfers assistantActivations".split()), JSON),
    st.dictionaries(st.sampled_from("role message time endTime secondsFromStart toolCalls toolCallId".split()), JSON),
)
def test_whatever_a_field_holds_nothing_but_a_refusal_comes_of_it(
    fields: dict[str, Any], artifact: dict[str, Any], message: dict[str, Any]
) -> None:
    call = changed()
    call["artifact"]["messages"] += [{**each, **message} for each in call["artifact"]["messages"]]
    call["artifact"] |= artifact
    mapped = of(CALL, {**call, **fields, "id": "odd"})
    assert mapped.rows["session"]


# In a warehouse


def test_loading_again_and_as_report_or_call_changes_nothing(tmp_path: Path) -> None:
    files = [DATA / "vapi" / f"{name}.json" for name in ("report", "page", "call")]
    assert talkscope.ingest(files, warehouse=tmp_path / "w").ok
    before = stored(tmp_path / "w")
    for file in (files[2], files[1]):
        counts = talkscope.ingest([file], warehouse=tmp_path / "w").types
        assert all(each.loaded == each.changed == 0 for each in counts.values())
    assert stored(tmp_path / "w") == before
    counts = talkscope.ingest([files[0]], warehouse=tmp_path / "w").types
    assert all(each.loaded == 0 for each in counts.values())


def test_a_call_that_goes_on_is_completed_by_a_later_load(tmp_path: Path) -> None:
    early = {name: CALL[name] for name in ("id", "orgId", "type", "createdAt", "assistantId")} | {
        "status": "in-progress"
    }
    early["artifact"] = {"messages": CALL["artifact"]["messages"][:4]}
    for number, call in enumerate((early, CALL)):
        (tmp_path / f"{number}.json").write_text(json.dumps(call))
        assert talkscope.ingest([tmp_path / f"{number}.json"], warehouse=tmp_path / "w").ok
    alone = stored(tmp_path / "w")
    assert len(alone["interactions"]) == 3
    assert [row["latency_ms"] for row in alone["interactions"]] == [1200, 1500, None]
    assert (alone["sessions"][0]["status"], alone["sessions"][0]["t"]) == ("ended", T)


def test_a_loaded_warehouse_answers_latency_cost_errors_and_handoffs(tmp_path: Path) -> None:
    files = [DATA / "vapi" / f"{name}.json" for name in ("call", "page")]
    assert talkscope.ingest(files, warehouse=tmp_path / "w").ok
    day = {"start_time": "2026-01-05T00:00:00Z", "end_time": "2026-01-06T00:00:00Z"}
    with talkscope.open_warehouse(tmp_path / "w") as client:
        turns = client.ask("breakdown", measures=["p95", "errors", "handoffs"], group_by=["platform"], **day).records()[
            0
        ]
        costs = client.ask("breakdown", measures=["cost_usd"], group_by=["model"], **day).records()
        models = client.ask("breakdown", measures=["p50", "max"], group_by=["model"], **day).records()
        values = client.ask("breakdown", measures=["max"], metric_name="voice.user_to_bot_latency", **day).records()[0]
        blame = client.ask(
            "breakdown", measures=["count"], metric_name="error.provider", group_by=["provider"], **day
        ).records()
        shares = client.ask("explain", session_id=ID).records()
    # Two turns with a known latency, 1,200 and 1,500 ms: the 95th percentile lies 95 % of the way between them.
    assert (turns["p95"], turns["errors"], turns["handoffs"]) == (1_485, 1, 1)
    assert {row["model"]: row["cost_usd"] for row in costs}["gpt-4o"] == pytest.approx(0.0052)
    assert sum(float(str(row["cost_usd"])) for row in costs) == pytest.approx(0.0745)
    # 620 and 900 ms: the bill, which names the model too, is no latency of it.
    assert next((row["p50"], row["max"]) for row in models if row["model"] == "gpt-4o") == (760, 900)
    assert values["max"] == 1_500
    assert [(row["provider"], row["count"]) for row in blame] == [("11labs", 1)]
    # The slowest turn waited 1.5 s: 0.9 s of them for the model.
    assert next(row["share"] for row in shares if row["processor"] == "llm") == pytest.approx(0.6)
