"""What Retell's calls become: a call as the API has it, the events posted of it, and what a page lists."""

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
from talkscope.warehouse.ingest import detect, retell
from tests.warehouse import mapped

from .loading import stored

DATA = Path(__file__).resolve().parent / "data"
CALL: dict[str, Any] = json.loads((DATA / "retell" / "call.json").read_bytes())
ID = str(CALL["call_id"])
T = 1_767_607_200_000_000
"""When the call starts."""
SECOND = 1_000_000


class Mapped(mapped.Mapped):
    """What a file of this format becomes."""

    def __init__(self, content: bytes) -> None:
        super().__init__(retell.read, content)

    def values(self, metric: str) -> list[float]:
        return [row["value"] for row in self.rows["event"] if row["metric_name"] == metric]


def of(*values: object) -> Mapped:
    return Mapped(b"\n".join(json.dumps(value).encode() for value in values))


def changed(**more: object) -> dict[str, Any]:
    """The call with some of its fields changed."""
    return {**copy.deepcopy(CALL), **more}


def with_latencies(*values: float | None) -> dict[str, Any]:
    return changed(latency={"e2e": {"values": list(values), "num": len(values)}})


# The session and its turns


def test_a_call_is_a_session_with_its_agent_its_caller_and_its_times() -> None:
    session = of(CALL).one("session")
    wanted = {
        "session_id": ID,
        "platform": "retell",
        "start_time": T,
        "end_time": T + 16 * SECOND,
        "status": "ended",
        "channel": "phone",
        "character_id": CALL["agent_id"],
        "character_name": "Nora",
        "end_user_id": "+12137771234",
    }
    assert {name: session[name] for name in wanted} == wanted
    attributes = session["attributes"]
    assert (attributes["disconnection_reason"], attributes["opening"]) == ("user_hangup", "Hi, this is Nora.")
    assert attributes["llm_token_usage"]["values"] == [800, 920, 990]
    assert attributes["latency"]["e2e"]["num"] == 2
    assert attributes["other_lines"][0]["new_node_name"] == "Retry"


@pytest.mark.parametrize(
    ("more", "channel", "user"),
    [
        ({"direction": "outbound"}, "phone", "+12137771235"),
        ({"call_type": "web_call", "direction": None, "from_number": None, "to_number": None}, "web", None),
    ],
)
def test_the_end_user_is_the_other_side_of_the_line(more: dict[str, Any], channel: str, user: str | None) -> None:
    session = of(changed(**more)).one("session")
    assert (session["channel"], session["end_user_id"]) == (channel, user)


def test_the_token_that_opens_a_web_calls_room_stays_outside() -> None:
    assert "secret-token" not in json.dumps(of(changed(access_token="secret-token")).rows)


def test_a_turn_is_what_the_user_says_with_all_that_answers_it() -> None:
    turns = of(CALL).rows["interaction"]
    assert [row["interaction_id"] for row in turns] == [f"{ID}/turn/{index}" for index in range(3)]
    assert [(row["attributes"]["input"], row["attributes"].get("output")) for row in turns] == [
        ("Can you move my booking?", "I could not reach the calendar."),
        ("Try again.", "Done, it is on Friday."),
        ("Great.", None),
    ]
    assert [row["status"] for row in turns] == ["ok", "ok", None]
    # Where a tool answers first, and where nobody does, a turn starts as the last word ends.
    assert [row["start_time"] for row in turns] == [T + 5 * SECOND, T + 10 * SECOND, T + 14_400_000]
    assert [row["end_time"] for row in turns] == [T + 8 * SECOND, T + 13_500_000, None]


def test_a_turn_that_words_answer_starts_the_latency_before_them() -> None:
    lines = [each for each in CALL["transcript_with_tool_calls"] if "words" in each]
    turns = of(changed(transcript_with_tool_calls=lines)).rows["interaction"]
    assert [row["start_time"] for row in turns[:2]] == [T + 6_400_000 - 1_400_000, T + 11_800_000 - 1_800_000]


def test_words_of_the_user_in_a_row_are_one_turns() -> None:
    lines = [
        {"role": "user", "content": "Well,", "words": [{"word": "Well,", "start": 1.0, "end": 1.5}]},
        {"role": "user", "content": "hello.", "words": []},
        {"role": "agent", "content": "Hello.", "words": []},
    ]
    turn = of(changed(transcript_with_tool_calls=lines)).one("interaction")
    assert (turn["attributes"]["input"], turn["start_time"]) == ("Well, hello.", T + 1_500_000)


# Latencies


def test_as_many_latencies_as_answers_are_the_turns_in_order() -> None:
    mapped = of(CALL)
    assert [row["latency_ms"] for row in mapped.rows["interaction"]] == [1400, 1800, None]
    assert mapped.values("voice.user_to_bot_latency") == []


@pytest.mark.parametrize("values", [(1400.0,), (1400.0, 1800.0, 1400.0)])
def test_latencies_that_fit_no_count_are_events_of_no_turn(values: tuple[float, ...]) -> None:
    mapped = of(with_latencies(*values))
    assert [row["latency_ms"] for row in mapped.rows["interaction"]] == [None, None, None]
    assert mapped.values("voice.user_to_bot_latency") == list(values)
    assert {row["interaction_id"] for row in mapped.rows["event"] if row["value"]} == {None}


def test_a_call_without_a_transcript_has_a_turn_for_each_latency() -> None:
    lean = {name: value for name, value in CALL.items() if not name.startswith("transcript")}
    turns = of(lean).rows["interaction"]
    assert [(row["latency_ms"], row["start_time"], row["status"]) for row in turns] == [
        (1400, T, "ok"),
        (1800, T, "ok"),
    ]


def test_components_latencies_are_events_and_no_spans() -> None:
    mapped = of(CALL)
    assert mapped.values("llm.ttfb") == [700, 650, 820]
    assert mapped.values("tts.ttfb") == [180, 190]
    assert {row["processor"] for row in mapped.rows["span"]} & {"llm", "tts"} == set()
    assert {row["time"] for row in mapped.rows["event"] if row["value"]} == {T + 16 * SECOND}


# Tools


def test_a_tool_whose_times_are_told_is_a_span() -> None:
    (tool,) = (row for row in of(CALL).rows["span"] if row["processor"] == "execute_tool")
    assert (tool["start_time"], tool["duration_ms"], tool["status"]) == (T + 10_200_000, 700, "ok")
    assert tool["interaction_id"] == f"{ID}/turn/1"
    assert (tool["attributes"]["name"], tool["attributes"]["result"]) == ("move_booking", "moved")


def test_a_timed_tool_that_failed_is_a_failed_span_in_a_turn_that_went_on() -> None:
    call = changed()
    call["transcript_with_tool_calls"][8]["successful"] = False
    mapped = of(call)
    (tool,) = (row for row in mapped.rows["span"] if row["processor"] == "execute_tool")
    assert (tool["status"], mapped.rows["interaction"][1]["status"]) == ("error", "ok")


def test_a_tool_without_times_is_an_event_after_the_words_before_it() -> None:
    (event,) = (row for row in of(CALL).rows["event"] if row["processor"] == "execute_tool")
    assert (event["metric_name"], event["time"]) == ("execute_tool.failed", T + 5 * SECOND)
    assert (event["interaction_id"], event["status"]) == (f"{ID}/turn/0", None)
    call = changed()
    call["transcript_with_tool_calls"][3]["successful"] = True
    (event,) = (row for row in of(call).rows["event"] if row["processor"] == "execute_tool")
    assert event["metric_name"] == "execute_tool.call"


# Costs


def test_the_bill_is_in_cents_and_becomes_dollars() -> None:
    spans = [row for row in of(CALL).rows["span"] if row["processor"].startswith("billing.")]
    assert {row["processor"]: row["cost_usd"] for row in spans} == {
        "billing.elevenlabs_tts": 0.01867,
        "billing.gpt_4o": 0.01333,
        "billing.retell_platform": 0.01467,
    }
    assert {row["duration_ms"] for row in spans} == {0}


def test_a_discount_is_an_item_so_that_the_sum_is_what_is_charged() -> None:
    mapped = Mapped((DATA / "retell" / "page.json").read_bytes())
    spans = [row for row in mapped.rows["span"] if row["session_id"] == "Moved1"]
    assert {row["processor"]: row["cost_usd"] for row in spans} == {"billing.gpt_4o": 0.02, "billing.other": -0.005}


def test_a_cost_that_nobody_states_is_unknown() -> None:
    costs = {"product_costs": [{"product": "gpt_4o", "cost": None}], "combined_cost": None}
    (span,) = (row for row in of(changed(call_cost=costs)).rows["span"] if row["processor"] == "billing.gpt_4o")
    assert span["cost_usd"] is None


# How calls end


@pytest.mark.parametrize(
    ("reason", "processor"),
    [
        ("error_llm_websocket_lost_connection", "llm"),
        ("error_asr", "asr"),
        ("error_retell", None),
        ("dial_failed", "transport"),
        ("no_valid_payment", None),
    ],
)
def test_a_reason_that_is_an_error_is_one_error_event(reason: str, processor: str | None) -> None:
    mapped = of(changed(call_status="error", disconnection_reason=reason))
    (event,) = (row for row in mapped.rows["event"] if row["metric_name"] == "error.terminal")
    assert (event["status"], event["error_code"], event["processor"]) == ("error", reason, processor)
    assert (event["time"], event["interaction_id"]) == (T + 16 * SECOND, None)


@pytest.mark.parametrize(
    "reason", ["user_hangup", "inactivity", "dial_no_answer", "voicemail_reached", "call_transfer"]
)
def test_calls_end_without_an_error(reason: str) -> None:
    assert not [row for row in of(changed(disconnection_reason=reason)).rows["event"] if row["status"]]


@pytest.mark.parametrize(
    ("reason", "analysis", "resolution"),
    [
        ("call_transfer", {"call_successful": True}, "handoff"),
        ("transfer_bridged", {}, "handoff"),
        ("call_take_over", {}, "handoff"),
        ("transfer_cancelled", {"call_successful": False}, None),
        ("user_hangup", {"call_successful": True}, "resolved"),
        ("user_hangup", {"call_successful": False}, None),
        ("inactivity", {"call_successful": True}, "resolved"),
        ("inactivity", {"call_successful": False}, "abandoned"),
        ("voicemail_reached", {"call_successful": True}, None),
        ("agent_hangup", {"call_successful": True, "in_voicemail": True}, None),
    ],
)
def test_the_resolution_is_what_reason_and_analysis_say(
    reason: str, analysis: dict[str, Any], resolution: str | None
) -> None:
    outcome = of(changed(disconnection_reason=reason, call_analysis=analysis)).one("outcome")
    assert outcome["resolution"] == resolution
    assert outcome["handoff_reason"] == (reason if resolution == "handoff" else None)


def test_the_analysis_is_the_outcome_with_summary_and_sentiment() -> None:
    outcome = of(CALL).one("outcome")
    assert (outcome["sentiment"], outcome["summary"]) == ("positive", "The booking was moved to Friday.")
    assert outcome["attributes"]["custom_analysis_data"] == {"moved": True}
    unknown = of(changed(call_analysis={"user_sentiment": "Unknown", "in_voicemail": True})).one("outcome")
    assert (unknown["sentiment"], unknown["tags"]) == (None, ["voicemail"])


def test_an_end_that_says_nothing_of_the_outcome_is_none() -> None:
    assert of(changed(call_analysis=None)).rows["outcome"] == []


# Shapes


def test_the_events_of_one_call_are_one_call() -> None:
    events = Mapped((DATA / "retell" / "events.ndjson").read_bytes())
    mapped = of(CALL)
    assert [row["status"] for row in events.rows["session"]] == ["ongoing", "ended", "ended"]
    assert events.rows["event"] == mapped.rows["event"]
    assert events.rows["outcome"] == mapped.rows["outcome"]


def test_a_call_reads_the_same_in_every_wrapping() -> None:
    mapped = of(CALL)
    wrappings = ([CALL], {"items": [CALL], "has_more": False}, {"event": "call_analyzed", "call": CALL})
    for wrapped in (*map(of, wrappings), of({"event": "call_analyzed", "data": CALL})):
        assert wrapped.rows == mapped.rows


def test_a_call_that_goes_on_tells_its_turns_and_nothing_that_may_change() -> None:
    mapped = of(changed(call_status="ongoing", end_timestamp=None))
    assert mapped.one("session")["end_time"] is None
    assert len(mapped.rows["interaction"]) == 3
    assert mapped.rows["event"] == mapped.rows["outcome"] == []


@pytest.mark.parametrize(
    ("more", "reason"),
    [
        (
            {"call_status": "registered", "start_timestamp": None, "end_timestamp": None},
            "has not begun: its status is registered, and it has no start_timestamp",
        ),
        ({"start_timestamp": 1_767_607_200}, "start_timestamp is no time in milliseconds: '1767607200'"),
        ({"call_id": None}, "has no call_id"),
    ],
)
def test_a_call_that_cannot_be_mapped_is_refused_with_the_reason(more: dict[str, Any], reason: str) -> None:
    assert list(of(changed(**more)).refused.values()) == [reason]


def test_what_is_no_call_is_refused_beside_calls_and_refuses_a_file_of_nothing_else() -> None:
    chat = {"event": "chat_ended", "chat": {"chat_id": "c"}}
    assert of(chat, CALL).refused == {"line 1": "is no call of Retell's"}
    with pytest.raises(IngestError, match=r"holds no call of Retell's: line 1 is no call"):
        of(chat)


@pytest.mark.parametrize("path", sorted(DATA.glob("*/*")), ids=lambda path: f"{path.parent.name}-{path.name}")
def test_a_file_is_taken_by_its_own_format_only(path: Path) -> None:
    head = path.read_bytes()[:65_536]
    assert retell.sniff(head) == (path.parent.name == "retell")
    assert detect(head, path.name) == path.parent.name


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.just("\ud800"),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


@given(
    st.dictionaries(st.sampled_from(sorted({*CALL} - {"call_id"})), JSON, max_size=4),
    st.dictionaries(st.sampled_from("role content words time_sec tool_call_id successful".split()), JSON),
    st.dictionaries(st.sampled_from("word start end".split()), JSON),
)
def test_whatever_a_field_holds_nothing_but_a_refusal_comes_of_it(
    fields: dict[str, Any], line: dict[str, Any], word: dict[str, Any]
) -> None:
    lines = [{**each, **line} for each in CALL["transcript_with_tool_calls"]]
    lines += [{**each, "words": [word]} for each in CALL["transcript_with_tool_calls"]]
    mapped = of(CALL, {**changed(transcript_with_tool_calls=lines), **fields, "call_id": "odd"})
    assert mapped.rows["session"]


# In a warehouse


def test_loading_again_in_pieces_and_as_events_changes_nothing(tmp_path: Path) -> None:
    call, page, events = (DATA / "retell" / name for name in ("call.json", "page.json", "events.ndjson"))
    report = talkscope.ingest([page, events], warehouse=tmp_path / "w")
    assert report.refused_count == 1
    before = stored(tmp_path / "w")
    for source in (call, page, events):
        counts = talkscope.ingest([source], warehouse=tmp_path / "w").types
        assert all(each.loaded == 0 for each in counts.values())
        assert all(each.changed == 0 for each in counts.values())
    assert stored(tmp_path / "w") == before


def test_the_analysis_counts_after_what_the_end_alone_said(tmp_path: Path) -> None:
    ended = changed(disconnection_reason="inactivity", call_analysis=None)
    analysed = changed(disconnection_reason="inactivity")
    for number, call in enumerate((analysed, ended)):  # in either order
        (tmp_path / f"{number}.json").write_text(json.dumps(call))
        talkscope.ingest([tmp_path / f"{number}.json"], warehouse=tmp_path / "w")
    day = {"start_time": "2026-01-05T00:00:00Z", "end_time": "2026-01-06T00:00:00Z"}
    with talkscope.open_warehouse(tmp_path / "w") as client:
        rows = client.ask("breakdown", measures=["outcomes"], group_by=["resolution"], **day).records()
    assert [(row["resolution"], row["outcomes"]) for row in rows] == [("resolved", 1)]


def test_a_loaded_warehouse_answers_latency_cost_errors_and_handoffs(tmp_path: Path) -> None:
    talkscope.ingest([DATA / "retell" / "call.json", DATA / "retell" / "page.json"], warehouse=tmp_path / "w")
    day = {"start_time": "2026-01-05T00:00:00Z", "end_time": "2026-01-06T00:00:00Z"}
    with talkscope.open_warehouse(tmp_path / "w") as client:
        turns = client.ask(
            "breakdown", measures=["p95", "errors", "handoffs", "cost_usd"], group_by=["platform"], **day
        ).records()[0]
        first = client.ask("breakdown", measures=["p50"], metric_name="llm.ttfb", **day).records()[0]
    # Of 1400, 1400, 1800 and 1800 ms the 95th percentile is the highest.
    assert turns["p95"] == 1_800
    assert (turns["errors"], turns["handoffs"]) == (1, 1)
    assert turns["cost_usd"] == pytest.approx(2 * 0.04667 + 0.015)
    assert first["p50"] == 700
