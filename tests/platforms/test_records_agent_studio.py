"""Agent Studio's answers as records: calls, transcripts, errors that are errors and warnings that are none, figures."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from talkscope.platforms import agent_studio
from talkscope.platforms.agent_studio import records
from talkscope.platforms.agent_studio.models import ActiveCalls, CallDetail
from tests.platforms.recorded import Row, figures, of, one, rows, us

START, END = datetime(2026, 5, 5, 10, 20, tzinfo=UTC), datetime(2026, 5, 5, 13, 20, tzinfo=UTC)
CALL: dict[str, Any] = {
    "id": "call-1",
    "workflow_id": "wf-7",
    "workflow_slug": "daily-call",
    "user_id": "user-3",
    "status": "Completed",
    "direction": "outbound",
    "duration_seconds": 95.5,
    "agent_history": [{"agent": "greeter"}, {"agent": "meal"}, {"agent": "greeter"}],
    "current_agent": None,
    "metrics": {
        "duration_seconds": 95.5, "stt_latency_ms": 120.5, "llm_latency_ms": 280.25, "tts_latency_ms": None,
        "total_tokens": 900, "agent_handoffs": 2,
    },
    "created_at": "2026-05-05T10:00:00Z",
    "started_at": "2026-05-05T10:00:04Z",
    "ended_at": "2026-05-05T10:01:39.5Z",
    "user_data": {"name": "Ana"},
    "livekit_url": "wss://media.example/1",
}  # fmt: skip
ENTRY: dict[str, Any] = {
    "id": "call-1-0",
    "call_id": "call-1",
    "timestamp": "2026-05-05T10:00:30Z",
    "service": "llm",
    "level": "error",
    "message": "Rate limit exceeded",
    "details": {"provider": "openai", "retry_after": 60},
    "agent": "meal",
}
SUMMARY: dict[str, Any] = {
    "total_calls": 1247, "completed_calls": 1180, "failed_calls": 67, "active_calls": 3, "avg_duration_seconds": 145.2,
    "success_rate": 94.6, "total_tokens": 125_000, "avg_stt_latency_ms": 120.5, "avg_llm_latency_ms": None,
    "avg_tts_latency_ms": 85.2,
}  # fmt: skip


def call(said: list[object] | None = None, names: dict[str, str] | None = None, **changed: object) -> list[Row]:
    told = CallDetail.model_validate({**CALL, **changed})
    transcript = agent_studio.call_transcript("call-1").parse(said or [])  # type: ignore[arg-type]
    return rows(lambda: records.call(told, transcript, names=names))


def logged(*changed: dict[str, object]) -> list[Row]:
    items: Any = [{**ENTRY, **each} for each in changed]
    told = agent_studio.error_logs().parse({"items": items, "total": len(items)})
    return rows(lambda: records.errors(told))


def test_a_call_is_a_session_of_its_workflow() -> None:
    found = one(call(), "session")
    attributes = found.pop("attributes")
    assert found == {
        "type": "session",
        "platform": "agent_studio",
        "session_id": "call-1",
        "start_time": us("2026-05-05T10:00:04Z"),
        "end_time": us("2026-05-05T10:01:39.5Z"),
        "channel": "voice",
        "end_user_id": "user-3",
        "status": "completed",
        "character_id": "wf-7",
        "character_name": "daily-call",
    }
    assert attributes["direction"] == "outbound"
    assert attributes["agents"] == ["greeter", "meal"]
    assert attributes["user"] == {"name": "Ana"}
    assert attributes["metrics"]["agent_handoffs"] == 2
    assert attributes["duration_seconds"] == 95.5


def test_a_workflows_name_is_its_name_where_it_is_known() -> None:
    assert one(call(names={"wf-7": "Daily Health Check"}), "session")["character_name"] == "Daily Health Check"


@pytest.mark.parametrize("history", [["greeter", "meal"], [{"name": "greeter"}], [{"agent_name": "greeter", "at": 1}]])
def test_a_call_without_a_workflow_is_of_the_agent_that_spoke_first(history: list[object]) -> None:
    found = one(call(workflow_id=None, workflow_slug=None, agent_history=history), "session")
    assert (found["character_id"], found["character_name"]) == ("greeter", "greeter")


def test_a_call_under_way_has_no_end_and_no_figures() -> None:
    found = call(status="in_progress", ended_at=None, metrics=None, duration_seconds=4, current_agent="meal")
    assert "end_time" not in one(found, "session")
    assert of(found, "event") == []


def test_a_call_that_was_never_connected_begins_when_it_was_made() -> None:
    found = call(started_at=None, ended_at=None)
    assert one(found, "session")["start_time"] == us("2026-05-05T10:00:00Z")


def test_figures_of_a_call_are_metrics_at_its_beginning_and_a_null_latency_is_none() -> None:
    found = of(call(), "event")
    told = {(row["metric_name"], row.get("processor"), row["value"], row["unit"]) for row in found}
    assert told == {
        ("call.stt_latency", "stt", 120.5, "ms"),
        ("call.llm_latency", "llm", 280.25, "ms"),
        ("call.total_tokens", "llm", 900.0, "tokens"),
        ("call.agent_handoffs", None, 2.0, "handoffs"),
    }
    assert {row["time"] for row in found} == {us("2026-05-05T10:00:04Z")}
    assert all("status" not in row and "level" not in row for row in found)


def test_a_call_has_no_outcome_for_completed_is_no_resolution() -> None:
    assert of(call(), "outcome") == []


SAID: list[object] = [
    {"role": "agent", "text": "Hello Ana"},
    {"role": "user", "text": "Hi", "timestamp": "2026-05-05T10:00:10Z"},
    {"role": "user", "text": "are you there?", "timestamp": "2026-05-05T10:00:12Z"},
    {"role": "assistant", "content": "Yes.", "timestamp": "2026-05-05T10:00:14"},
    {"role": "tool", "text": "lookup"},
    {"speaker": "Caller", "message": "Bye"},
]


def test_a_transcript_is_turns_where_its_speakers_can_be_told() -> None:
    found = call(SAID)
    first, second = of(found, "interaction")
    assert one(found, "session")["attributes"]["opening"] == "Hello Ana"
    assert first == {
        "type": "interaction",
        "platform": "agent_studio",
        "interaction_id": "call-1/turn/0",
        "session_id": "call-1",
        "start_time": us("2026-05-05T10:00:10Z"),
        "end_time": us("2026-05-05T10:00:14Z"),
        "index": 0,
        "interaction_type": "voice_turn",
        "status": "ok",
        "attributes": {
            "input": "Hi\nare you there?", "output": "Yes.", "others": [{"text": "lookup", "speaker": "tool"}],
        },
    }  # fmt: skip
    assert (second["interaction_id"], second["start_time"]) == ("call-1/turn/1", us("2026-05-05T10:00:10Z"))
    assert not {"status", "end_time", "latency_ms"} & set(second)


def test_turns_without_times_begin_with_the_call_and_have_no_latency() -> None:
    found = of(call([{"role": "user", "text": "a", "timestamp": 3.5}, {"role": "agent", "text": "b"}]), "interaction")
    assert [(row["start_time"], "latency_ms" in row) for row in found] == [(us("2026-05-05T10:00:04Z"), False)]


def test_words_that_nobody_is_known_to_have_said_are_no_turns() -> None:
    found = call(["Hello", "Hi"])
    assert of(found, "interaction") == []
    assert one(found, "session")["attributes"]["opening"] == "Hello\nHi"


def test_an_error_is_an_error_event_of_its_call() -> None:
    assert logged({}) == [
        {
            "type": "event",
            "platform": "agent_studio",
            "event_id": "call-1-0",
            "session_id": "call-1",
            "time": us("2026-05-05T10:00:30Z"),
            "metric_name": "error.llm",
            "metric_type": "ErrorMetricsData",
            "level": "error",
            "message": "Rate limit exceeded",
            "status": "error",
            "processor": "llm",
            "provider": "openai",
            "attributes": {"details": {"provider": "openai", "retry_after": 60}, "agent": "meal"},
        }
    ]


@pytest.mark.parametrize("service", ["stt", "tts", "workflow", "tool"])
def test_a_warning_is_no_error(service: str) -> None:
    (found,) = logged({"level": "warning", "service": service, "details": {}, "agent": None})
    assert (found["metric_name"], found["level"], found["processor"]) == (f"warning.{service}", "warning", service)
    assert not {"status", "metric_type", "provider", "attributes"} & set(found)


def test_a_level_that_is_not_known_as_mild_is_an_error() -> None:
    (found,) = logged({"level": "CRITICAL", "details": {"provider": 5}})
    assert (found["metric_name"], found["level"], found["status"]) == ("error.llm", "critical", "error")
    assert "provider" not in found


def summary(**changed: Any) -> list[Row]:
    told = agent_studio.summary().parse({**SUMMARY, **changed})
    return rows(lambda: records.summary(told, START, END, at=END))


def test_a_summary_is_a_figure_each_of_its_window_and_active_calls_are_of_the_moment() -> None:
    found = summary()
    assert figures(found) == {
        "agent_studio.summary.total_calls": 1247.0,
        "agent_studio.summary.completed_calls": 1180.0,
        "agent_studio.summary.failed_calls": 67.0,
        "agent_studio.summary.total_tokens": 125_000.0,
        "agent_studio.summary.avg_duration_seconds": 145.2,
        "agent_studio.summary.success_rate": 94.6,
        "agent_studio.summary.avg_stt_latency_ms": 120.5,
        "agent_studio.summary.avg_tts_latency_ms": 85.2,
        "agent_studio.summary.active_calls": 3.0,
    }
    windows = {row["metric"].rpartition(".")[2]: (row["start_time"], row["end_time"]) for row in found}
    assert windows["total_calls"] == (us("2026-05-05T10:20:00Z"), us("2026-05-05T13:20:00Z"))
    assert windows["active_calls"] == (us("2026-05-05T13:20:00Z"),) * 2
    assert {row["unit"] for row in found} == {"calls", "tokens", "seconds", "percent", "ms"}


@pytest.mark.parametrize("nothing", [0, None])
def test_averages_of_no_calls_are_unknown_and_not_0(nothing: int | None) -> None:
    averages = {name: nothing for name in SUMMARY if name.startswith("avg_") or name == "success_rate"}
    found = summary(total_calls=0, completed_calls=0, failed_calls=0, total_tokens=0, **averages)
    assert {str(each).rpartition(".")[2] for each in figures(found)} == {
        "total_calls", "completed_calls", "failed_calls", "total_tokens", "active_calls",
    }  # fmt: skip


def test_a_newer_figure_takes_the_place_of_an_older_one_of_the_same_window() -> None:
    older, newer = summary(), summary(total_calls=1250)
    assert [row["snapshot_id"] for row in older] == [row["snapshot_id"] for row in newer]
    assert older != newer


def test_buckets_of_the_call_volume_are_kept_that_lie_in_the_window_whole() -> None:
    hours: Any = [{"timestamp": f"2026-05-05T{hour}:00:00Z", "total": 9, "completed": 8, "failed": 1}
                  for hour in (10, 11, 12, 13)]  # fmt: skip
    told = agent_studio.call_volume().parse({"interval": "hour", "data": hours})
    found = rows(lambda: records.call_volume(told, START, END))
    assert {(row["start_time"], row["end_time"]) for row in found} == {
        (us("2026-05-05T11:00:00Z"), us("2026-05-05T12:00:00Z")),
        (us("2026-05-05T12:00:00Z"), us("2026-05-05T13:00:00Z")),
    }
    assert figures(found, "interval") == {
        ("agent_studio.call_volume.total", "hour"): 9.0,
        ("agent_studio.call_volume.completed", "hour"): 8.0,
        ("agent_studio.call_volume.failed", "hour"): 1.0,
    }


def test_workflows_are_told_by_their_ids() -> None:
    row: Any = {"workflow_id": "wf-7", "workflow_name": "Daily", "workflow_slug": "daily-call", "total_calls": 20,
                "completed_calls": 19, "failed_calls": 1, "success_rate": 95.0,
                "avg_duration_seconds": 180.5}  # fmt: skip
    idle: Any = {**row, "workflow_id": "wf-8", "total_calls": 0, "completed_calls": 0, "failed_calls": 0,
                 "success_rate": 0, "avg_duration_seconds": 0}  # fmt: skip
    told = agent_studio.workflow_stats().parse([row, idle])
    found = rows(lambda: records.workflow_stats(told, START, END))
    values = figures(found, "workflow_id")
    assert values["agent_studio.workflow.success_rate", "wf-7"] == 95.0
    assert values["agent_studio.workflow.total_calls", "wf-8"] == 0.0
    assert ("agent_studio.workflow.success_rate", "wf-8") not in values
    assert found[0]["attributes"] == {"workflow_name": "Daily", "workflow_slug": "daily-call"}


def test_percentiles_that_are_multiples_of_the_mean_are_marked_as_estimated() -> None:
    measured: Any = {"provider_type": "stt", "provider_name": "deepgram", "avg_latency_ms": 120.5,
                     "p50_latency_ms": 90.0, "p95_latency_ms": 300.0, "p99_latency_ms": None,
                     "call_count": 40}  # fmt: skip
    made: Any = {**measured, "provider_type": "llm", "provider_name": "openai", "avg_latency_ms": 280.3,
                 "p50_latency_ms": 252.2, "p95_latency_ms": 420.4, "p99_latency_ms": 560.6}  # fmt: skip
    told = agent_studio.provider_latency().parse([measured, made])
    found = rows(lambda: records.provider_latency(told, START, END))
    marks = {
        (row["dimensions"]["provider"], row["metric"].rpartition(".")[2]): row.get("attributes", {}).get("estimated")
        for row in found
    }
    assert marks == {
        ("deepgram", "call_count"): None, ("deepgram", "avg_latency_ms"): None, ("deepgram", "p50_latency_ms"): False,
        ("deepgram", "p95_latency_ms"): False, ("openai", "call_count"): None, ("openai", "avg_latency_ms"): None,
        ("openai", "p50_latency_ms"): True, ("openai", "p95_latency_ms"): True, ("openai", "p99_latency_ms"): True,
    }  # fmt: skip
    assert {row["dimensions"]["processor"] for row in found} == {"stt", "llm"}


def test_active_calls_are_a_figure_of_a_moment() -> None:
    found = rows(lambda: records.active_calls(ActiveCalls(count=0), END))
    assert [(row["metric"], row["value"], row["start_time"] == row["end_time"]) for row in found] == [
        ("agent_studio.active_calls", 0.0, True)
    ]
