"""Convai's sessions and traces as records, and a synced copy that answers as the service does."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

import orjson

import talkscope
from talkscope import Client
from talkscope.flow import Call
from talkscope.models.v1 import InteractionTrace, SessionDetail, SessionSummary
from talkscope.models.v1.routes import ROOT
from talkscope.platforms import convai
from talkscope.platforms.convai import records
from tests.platforms.recorded import Row, of, one, rows, us

T = TypeVar("T")
HEARD: dict[str, Any] = {
    "eventTime": "2026-05-05T10:00:01Z", "metricName": "voice.user_to_bot_latency",
    "metricType": "UserBotLatencyMetricsData", "interactionId": "t1", "status": "ok", "value": 900.0,
}  # fmt: skip
WORK: dict[str, Any] = {
    "eventTime": "2026-05-05T10:00:01.100Z", "metricName": "llm.processing", "metricType": "ProcessingMetricsData",
    "processor": "llm", "interactionId": "t1", "status": "error", "value": 500.0,
    "attributes": {"provider": "openai", "model": "gpt-x", "errorClass": "busy", "error_code": "429"},
}  # fmt: skip
FIRST_BYTE: dict[str, Any] = {**WORK, "metricName": "llm.ttfb", "metricType": "TTFBMetricsData", "value": 120.0}
ERROR: dict[str, Any] = {
    "eventTime": "2026-05-05T10:00:03Z", "metricName": "error.provider", "processor": "tts",
    "attributes": {"provider": "cartesia", "message": "voice is gone"},
}  # fmt: skip
ENDED: dict[str, Any] = {"eventTime": "2026-05-05T10:00:09Z", "metricName": "session.outcome", "status": "resolved",
                         "value": 4.0}  # fmt: skip
SESSION: dict[str, Any] = {
    "sessionId": "s1", "characterId": "c1", "appKey": "app", "experienceId": "x1", "startTime": "2026-05-05T10:00:00Z",
    "endTime": "2026-05-05T10:00:10Z", "events": [HEARD, WORK, FIRST_BYTE, ERROR, ENDED],
}  # fmt: skip
TRACE: dict[str, Any] = {
    "interactionId": "t1", "sessionId": "s1", "characterId": "c1", "appKey": "app", "endUserId": "ana",
    "interactionType": "voice_turn", "startTime": "2026-05-05T10:00:01Z", "endTime": "2026-05-05T10:00:02.500Z",
    "totalDurationMs": 1_500.0, "terminalStatus": "error", "failureStage": "llm",
    "spans": [
        {"startTime": "2026-05-05T10:00:01.100Z", "endTime": "2026-05-05T10:00:01.600Z", "durationMs": 500.0,
         "processor": "llm", "provider": "openai", "model": "gpt-x", "status": "error", "errorCode": "429",
         "metricName": "llm.processing", "attributes": {"ttfbMs": 120.0, "depth": 1, "voice_provider": "v"}},
        {"startTime": "2026-05-05T10:00:01Z", "durationMs": 900.0, "processor": "pipeline", "attributes": {"depth": 0}},
    ],
}  # fmt: skip


def session(
    events: list[dict[str, Any]] | None = None, traces: tuple[dict[str, Any], ...] = (), **more: Any
) -> list[Row]:
    traced = more.pop("traced", ())
    told = SessionDetail.model_validate({**SESSION, "events": SESSION["events"] if events is None else events, **more})
    held = [InteractionTrace.model_validate(each) for each in traces]
    return rows(lambda: records.session(told, held, traced=traced))


def interaction(**changed: object) -> list[Row]:
    told = InteractionTrace.model_validate({**TRACE, **changed})
    return rows(lambda: records.interaction(told))


def test_a_session_of_a_list_is_a_session_without_the_figures_of_a_range() -> None:
    told = SessionSummary.model_validate(
        {**SESSION, "durationSec": 10, "interactionCount": 5, "p95EndToEndMs": 900, "errorCount": 2}
    )
    assert rows(lambda: records.session(told)) == [
        {
            "type": "session",
            "platform": "convai",
            "session_id": "s1",
            "start_time": us("2026-05-05T10:00:00Z"),
            "end_time": us("2026-05-05T10:00:10Z"),
            "app_key": "app",
            "character_id": "c1",
            "experience_id": "x1",
        }
    ]


def test_a_session_at_no_time_is_not_kept_and_one_event_is_a_time() -> None:
    assert session([], startTime=None, endTime=None) == []
    found = one(session([ERROR], startTime=None, endTime=None), "session")
    assert found["start_time"] == us("2026-05-05T10:00:03Z")


def test_a_latency_is_an_interaction() -> None:
    assert one(session(), "interaction") == {
        "type": "interaction",
        "platform": "convai",
        "interaction_id": "t1",
        "session_id": "s1",
        "start_time": us("2026-05-05T10:00:01Z"),
        "latency_ms": 900.0,
        "status": "ok",
    }


def test_an_interaction_of_unknown_latency_is_one_and_a_second_latency_is_a_metric() -> None:
    found = session([{**HEARD, "value": None}, {**HEARD, "eventTime": "2026-05-05T10:00:05Z", "value": 7.0}])
    assert "latency_ms" not in one(found, "interaction")
    assert (one(found, "event")["metric_name"], one(found, "event")["value"]) == ("voice.user_to_bot_latency", 7.0)


def test_a_components_work_is_a_span_with_the_time_to_first_byte_of_the_same_instant() -> None:
    assert one(session(), "span") == {
        "type": "span",
        "platform": "convai",
        "span_id": f"s1/t1/llm/{us('2026-05-05T10:00:01.100Z')}",
        "session_id": "s1",
        "interaction_id": "t1",
        "processor": "llm",
        "start_time": us("2026-05-05T10:00:01.100Z"),
        "end_time": us("2026-05-05T10:00:01.600Z"),
        "duration_ms": 500.0,
        "ttfb_ms": 120.0,
        "provider": "openai",
        "model": "gpt-x",
        "status": "error",
        "error_code": "429",
        "attributes": {"errorClass": "busy"},
    }


def test_a_time_to_first_byte_without_work_is_a_metric_and_twins_are_two_spans() -> None:
    assert one(session([FIRST_BYTE]), "event")["metric_name"] == "llm.ttfb"
    twins = of(session([WORK, WORK, FIRST_BYTE]), "span")
    assert [each.get("ttfb_ms") for each in twins] == [None, 120.0]
    assert twins[1]["span_id"] == twins[0]["span_id"] + "/2"


def test_an_error_is_an_event_with_its_words() -> None:
    assert one(session(), "event") == {
        "type": "event",
        "platform": "convai",
        "event_id": f"s1/error.provider/{us('2026-05-05T10:00:03Z')}/",
        "session_id": "s1",
        "time": us("2026-05-05T10:00:03Z"),
        "metric_name": "error.provider",
        "processor": "tts",
        "provider": "cartesia",
        "level": "error",
        "message": "voice is gone",
    }


def test_what_an_event_has_no_column_for_is_kept_beside_it() -> None:
    said = {"voice_provider": "eleven", "message": {"de": "die Stimme ist weg"}, "model": "sonic", "code": 7}
    found = one(session([{**ERROR, "attributes": said}]), "event")
    assert found["model"] == "sonic"
    assert found["attributes"] == {name: value for name, value in said.items() if name != "model"}


def test_a_metric_is_an_event_that_is_no_error() -> None:
    found = one(
        session([{**ERROR, "metricName": "neurosync.output_fps", "value": 30.5, "attributes": {"a": 1}}]), "event"
    )
    assert (found["value"], found["attributes"]) == (30.5, {"a": 1})
    assert not {"level", "status", "message"} & set(found)


def test_what_became_of_a_session_is_its_outcome() -> None:
    found = one(session(), "outcome")
    assert (found["resolution"], found["rating"], found["time"]) == ("resolved", 4.0, us("2026-05-05T10:00:09Z"))


def test_a_trace_is_an_interaction_and_spans_below_each_other_by_their_depths() -> None:
    found = interaction()
    assert one(found, "interaction") == {
        "type": "interaction",
        "platform": "convai",
        "interaction_id": "t1",
        "session_id": "s1",
        "start_time": us("2026-05-05T10:00:01Z"),
        "end_time": us("2026-05-05T10:00:02.500Z"),
        "interaction_type": "voice_turn",
        "status": "error",
        "failure_stage": "llm",
        "attributes": {"total_duration_ms": 1_500.0, "end_user_id": "ana"},
    }
    pipeline, model = of(found, "span")
    assert model["parent_id"] == pipeline["span_id"]
    assert {**model, "parent_id": None, "attributes": None} == {
        **one(session(), "span"), "voice_provider": "v", "parent_id": None, "attributes": None,
    }  # fmt: skip


def test_of_neighbours_that_overlap_the_parent_is_the_one_that_holds_the_span_whole() -> None:
    def span(name: str, at: int, length: int, depth: int | None) -> dict[str, Any]:
        start = datetime(2026, 5, 5, 10, 0, 1, tzinfo=UTC) + timedelta(milliseconds=at)
        return {"startTime": start.isoformat(), "durationMs": length, "processor": name, "attributes": {"depth": depth}}

    overlapping = [span("a", 0, 100, 0), span("b", 50, 30, 0), span("in a", 60, 39, 1), span("far", 70, 500, 1)]
    found = {each["processor"]: each for each in of(interaction(spans=overlapping), "span")}
    assert found["in a"]["parent_id"] == found["a"]["span_id"]
    assert found["far"]["parent_id"] == found["b"]["span_id"]
    unknown = of(interaction(spans=[*overlapping, span("c", 5, 5, None)]), "span")
    assert all("parent_id" not in each for each in unknown)


def test_lengths_that_cannot_be_are_none() -> None:
    spans = [{"startTime": "2026-05-05T10:00:01Z", "durationMs": length, "processor": "a"} for length in (-5, 1e300)]
    assert [each["duration_ms"] for each in of(interaction(spans=spans), "span")] == [0.0, 0.0]


def test_a_trace_of_no_session_or_no_time_is_not_kept() -> None:
    assert interaction(sessionId=None) == []
    assert interaction(startTime=None, spans=[]) == []
    assert one(interaction(startTime=None, endTime=None), "interaction")["end_time"] == us("2026-05-05T10:00:02.500Z")


def test_a_session_with_its_traces_tells_each_interaction_once_and_whose_it_was() -> None:
    found = session(traces=(TRACE,))
    turn = one(found, "interaction")
    assert (turn["latency_ms"], turn["status"], turn["interaction_type"]) == (900.0, "error", "voice_turn")
    assert [each["processor"] for each in of(found, "span")] == ["pipeline", "llm"]
    assert one(found, "session")["end_user_id"] == "ana"
    assert {each["metric_name"] for each in of(found, "event")} == {"error.provider"}


def test_work_that_a_trace_stored_apart_tells_is_left_to_it() -> None:
    found = session(traced={"t1"})
    assert of(found, "span") == []
    assert one(found, "interaction")["latency_ms"] == 900.0


NOW = datetime(2026, 5, 6, tzinfo=UTC)
BEGUN = datetime(2026, 5, 5, 10, tzinfo=UTC)


def source() -> Iterator[dict[str, Any]]:
    """Two characters' sessions, of turns that some fail in, with nested spans, an error of none and an outcome."""
    for number in range(2):
        start, home = BEGUN + timedelta(minutes=number), f"s{number}"
        yield {
            "type": "session",
            "platform": "convai",
            "session_id": home,
            "start_time": start,
            "app_key": "app",
            "end_time": start + timedelta(seconds=50),
            "character_id": f"c{number % 2}",
            "end_user_id": f"u{number}",
        }
        for place in range(3):
            at, turn = start + timedelta(seconds=10 * place), f"{home}-{place}"
            failed = number == 1 and place == 2
            yield {
                "type": "interaction",
                "platform": "convai",
                "interaction_id": turn,
                "session_id": home,
                "start_time": at,
                "end_time": at + timedelta(seconds=2),
                "interaction_type": "voice_turn",
                "latency_ms": 400 + 37.5 * number + 210 * place,
                "status": "error" if failed else "ok",
            }
            for name, parent, begins, length in (("turn", None, 0, 900), ("llm", "turn", 100, 300 + 20 * number),
                                                 ("tts", "turn", 500, 90 + place)):  # fmt: skip
                yield {
                    "type": "span",
                    "platform": "convai",
                    "span_id": f"{turn}/{name}",
                    "session_id": home,
                    "parent_id": parent and f"{turn}/{parent}",
                    "interaction_id": turn,
                    "processor": name,
                    "start_time": at + timedelta(milliseconds=begins),
                    "duration_ms": length,
                    "provider": f"{name} inc",
                    "ttfb_ms": 50 if name == "llm" else None,
                    "status": "error" if failed and name == "llm" else "ok",
                }
        yield {
            "type": "event",
            "platform": "convai",
            "session_id": home,
            "time": start + timedelta(seconds=40),
            "metric_name": "error.provider",
            "status": "error",
            "processor": "tts",
            "provider": "tts inc",
        }
        yield {"type": "outcome", "platform": "convai", "session_id": home, "time": start + timedelta(seconds=45),
               "resolution": "handoff" if number else "resolved"}  # fmt: skip


def sent(client: Client, call: Call[T]) -> T:
    """The answer of the v1 face, which stands for the service."""
    return client.send(replace(call, path=ROOT + call.path))


def ask(client: Client) -> Iterator[tuple[str, Any]]:
    """Figures that a copy must have in common with its origin."""
    window = {"range": "last_24h"}
    for measure in ("count", "error_count", "p95_value", "unique_sessions"):
        for group in ("processor", "character_id"):
            told = sent(client, convai.breakdown(measure=measure, group_by=group, **window))
            yield f"{measure} by {group}", [(row.group, row.value, row.sample_count) for row in told.rows]
    summary = sent(client, convai.summary(**window))
    yield "summary", summary.model_dump(exclude={"meta"})
    sessions = sent(client, convai.list_sessions(**window))
    yield "sessions", [each.model_dump() for each in sessions.sessions]
    for each in sessions.sessions:
        yield each.session_id, sent(client, convai.get_session(each.session_id)).model_dump(exclude={"meta"})
    yield "trace", sent(client, convai.get_interaction("s1-2")).model_dump(exclude={"meta"})


def test_a_synced_copy_answers_as_the_service_that_it_was_synced_from(tmp_path: Path) -> None:
    file = tmp_path / "origin.ndjson"
    file.write_bytes(b"\n".join(map(orjson.dumps, source())))
    assert talkscope.ingest(file, warehouse=tmp_path / "origin").ok
    with talkscope.open_warehouse(tmp_path / "origin", clock=lambda: NOW) as service:
        copied: list[Any] = []
        for each in sent(service, convai.list_sessions(range="last_24h")).sessions:
            told = sent(service, convai.get_session(each.session_id))
            turns = dict.fromkeys(event.interaction_id for event in told.events if event.interaction_id)
            traces = [sent(service, convai.get_interaction(turn)) for turn in turns]
            copied += records.session(told, traces)
        expected = dict(ask(service))
    copy = tmp_path / "copy.ndjson"
    copy.write_bytes(b"\n".join(map(orjson.dumps, copied)))
    assert talkscope.ingest(copy, warehouse=tmp_path / "copy").ok
    with talkscope.open_warehouse(tmp_path / "copy", clock=lambda: NOW) as synced:
        assert dict(ask(synced)) == expected
