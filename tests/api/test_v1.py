"""The v1 face against a small warehouse whose figures can be worked out by hand."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import anyio
import httpx
import pytest

from talkscope.models import v1
from talkscope.models.records import check
from talkscope.settings import Settings, SourceSettings
from talkscope.warehouse.load import Loader
from talkscope.wiring import App

NOW = datetime(2026, 5, 5, 16, 30, tzinfo=UTC)


def ago(**time: float) -> str:
    return (NOW - timedelta(**time)).isoformat()


def records() -> list[dict[str, object]]:
    """Two sessions of today and one of three days ago; the last turn of `s/1` failed in its speech."""
    ada: dict[str, object] = {"character_id": "char_a", "character_name": "Ada", "app_key": "app", "end_user_id": "u1"}
    found: list[dict[str, object]] = [
        {"type": "session", "session_id": "s/1", "start_time": ago(hours=2), "end_time": ago(hours=1), **ada},
        {"type": "session", "session_id": "s2", "start_time": ago(hours=5), "end_user_id": "u2"},
        {"type": "session", "session_id": "old", "start_time": ago(days=3), **ada},
    ]
    turns = (("i1", "s/1", 110, 100, "ok"), ("i2", "s/1", 100, 200, "ok"), ("i3", "s/1", 90, 300, "error"),
             ("i4", "s2", 299, None, "ok"), ("i5", "old", 3 * 1440 - 5, 100, "ok"))  # fmt: skip
    for turn, session, minutes, latency, status in turns:
        start = ago(minutes=minutes)
        found.append({
            "type": "interaction", "interaction_id": turn, "session_id": session, "start_time": start,
            "latency_ms": latency, "status": status, "interaction_type": "voice_turn",
        })  # fmt: skip
        if latency is not None:
            for processor, share in (("llm", 0.6), ("tts", 0.4)):
                found.append({
                    "type": "span", "session_id": session, "interaction_id": turn, "processor": processor,
                    "start_time": start, "duration_ms": latency * share, "provider": f"{processor}-vendor",
                    "voice_provider": "voices" if processor == "tts" else None, "ttfb_ms": 10,
                    "status": status if processor == "tts" else "ok",
                })  # fmt: skip
    found.append({"type": "event", "session_id": "s/1", "time": ago(minutes=95), "metric_name": "session.reconnect"})
    return found


class Face:
    """Asks the v1 face of one warehouse."""

    def __init__(self, app: App) -> None:
        self._app = app

    def reply(self, path: str, *, body: object = None, **words: object) -> httpx.Response:
        async def ask() -> httpx.Response:
            async with httpx.AsyncClient(base_url="http://app", transport=self._app.transport()) as client:
                at = f"/v1/analytics{path}"
                params: Any = words
                return await (client.get(at, params=params) if body is None else client.post(at, json=body))

        return anyio.run(ask)

    def __call__(self, path: str, *, body: object = None, **words: object) -> dict[str, Any]:
        reply = self.reply(path, body=body, **words)
        assert reply.status_code == 200, reply.text
        told: dict[str, Any] = reply.json()
        return told


def opened(folder: Path) -> App:
    return App(Settings(sources=(SourceSettings("w", folder),)), clock=lambda: NOW)


@pytest.fixture(scope="module")
def face(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Face]:
    folder = tmp_path_factory.mktemp("v1") / "warehouse"
    loader = Loader(folder)
    stage = loader.stage()
    stage.file_begins()
    for record in records():
        stage.add(*check({name: value for name, value in record.items() if value is not None}))
    loader.commit(stage)
    stage.discard()
    with opened(folder) as app:
        yield Face(app)


def meta(n: int, start: timedelta) -> dict[str, object]:
    return {
        "freshnessAt": (NOW - timedelta(minutes=90)).isoformat(),
        "sampleCount": n,
        "effectiveRange": {"startTime": (NOW - start).isoformat(), "endTime": NOW.isoformat()},
        "backend": "cube",
        "cacheHit": False,
    }


def test_summary_is_the_contracts_to_the_letter(face: Face) -> None:
    assert face("/summary") == {
        "sessions": 2,
        "uniqueEndUsers": 2,
        "interactions": 4,
        "errorCount": 1,
        "p50EndToEndMs": 200.0,
        "p95EndToEndMs": 290.0,
        "p99EndToEndMs": 298.0,
        "meta": meta(2, timedelta(days=1)),
    }


def test_filters_narrow_in_either_spelling(face: Face) -> None:
    for words in ({"character_id": "char_a"}, {"characterId": "char_a"}, {"app_key": "app"}, {"appKey": "app"}):
        assert face("/summary", **words)["sessions"] == 1
    assert face("/summary", character_id="nobody")["sessions"] == 0


def test_figures_of_nothing_are_numbers(face: Face, tmp_path: Path) -> None:
    empty = face("/summary", range="last_15m")
    assert (empty["p50EndToEndMs"], empty["p95EndToEndMs"], empty["interactions"]) == (0.0, 0.0, 0)
    with opened(tmp_path / "none") as app:
        none = Face(app)
        assert none("/summary")["p99EndToEndMs"] == 0.0
        assert none("/summary")["meta"]["freshnessAt"] == NOW.isoformat()
        assert none("/breakdown")["rows"] == []
        assert none("/timeseries")["points"] == []
        assert none("/sessions")["sessions"] == []
        [metric] = none("/metrics/catalog")["metrics"]
        assert (metric["metricName"], metric["unit"]) == ("voice.user_to_bot_latency", "ms")
        assert none("/regression-detection")["rows"] == []


def test_timeseries_has_a_point_for_each_bucket(face: Face) -> None:
    told = face("/timeseries", measure="uniqueTurns", granularity="hour", range="last_6h")
    assert {key: told[key] for key in ("measure", "granularity")} == {"measure": "unique_turns", "granularity": "hour"}
    points = {point["bucketStart"]: (point["group"], point["value"]) for point in told["points"]}
    assert len(points) == 7
    assert points["2026-05-05T14:00:00+00:00"] == (None, 2.0)
    assert points["2026-05-05T16:00:00+00:00"] == (None, 0.0)


def test_timeseries_by_a_dimension_has_the_empty_group_for_facts_without_it(face: Face) -> None:
    told = face("/timeseries", measure="count", granularity="day", range="last_24h", groupBy="characterId")
    assert {point["group"] for point in told["points"]} == {"char_a", ""}


def test_a_day_of_the_series_is_a_time_with_its_offset(face: Face) -> None:
    told = face("/timeseries", granularity="day", range="last_7d", measure="p95_value")
    assert [point["bucketStart"] for point in told["points"]][-1] == "2026-05-05T00:00:00+00:00"
    assert told["points"][-1]["value"] == 290.0
    assert told["points"][0]["value"] is None


def test_breakdown_is_by_component_unless_said_otherwise(face: Face) -> None:
    assert face("/breakdown") == {
        "measure": "count",
        "groupBy": "processor",
        "rows": [
            {"group": "llm", "value": 3.0, "sampleCount": 3},
            {"group": "tts", "value": 3.0, "sampleCount": 3},
        ],
        "meta": meta(6, timedelta(days=1)),
    }


@pytest.mark.parametrize(
    ("words", "rows"),
    [
        ({"measure": "unique_sessions", "group_by": "character_id"}, {"": 1.0, "char_a": 1.0}),
        ({"measure": "p95_value", "segment": "end_to_end_turn_latency"}, {"llm": 174.0, "tts": 116.0}),
        ({"measure": "p50Value", "groupBy": "provider", "segment": "llmMetrics"}, {"llm-vendor": 120.0}),
        ({"measure": "turn_p50", "group_by": "status"}, {"ok": 150.0, "error": 300.0}),
        ({"metric_name_prefix": "error."}, {"tts": 1.0, "": 1.0}),
        ({"metric_name": "tts.voice_provider", "group_by": "voice_provider"}, {"voices": 3.0}),
        ({"metric_name": "session.reconnect", "group_by": "metric_name"}, {"session.reconnect": 1.0}),
        ({"limit": 1}, {"llm": 3.0}),
    ],
)
def test_the_facades_of_existing_clients_find_their_figures(
    face: Face, words: dict[str, object], rows: dict[str, float]
) -> None:
    assert {row["group"]: row["value"] for row in face("/breakdown", **words)["rows"]} == rows


def test_sessions_come_page_by_page_with_their_figures(face: Face) -> None:
    first = face("/sessions", sort="slowest", limit=1)
    assert first["sessions"] == [
        {
            "sessionId": "s/1",
            "characterId": "char_a",
            "appKey": "app",
            "experienceId": None,
            "startTime": ago(hours=2),
            "endTime": ago(hours=1),
            "durationSec": 3600.0,
            "interactionCount": 3,
            "p95EndToEndMs": 290.0,
            "errorCount": 1,
        }
    ]
    second = face("/sessions", sort="slowest", limit=1, cursor=first["nextCursor"])
    assert [(each["sessionId"], each["p95EndToEndMs"]) for each in second["sessions"]] == [("s2", 0.0)]
    assert second["nextCursor"] is None
    assert second["meta"]["effectiveRange"] == first["meta"]["effectiveRange"]


def test_a_session_is_its_metrics_in_order_of_time(face: Face) -> None:
    told = face("/sessions/s%2F1")
    assert (told["sessionId"], told["characterId"], told["startTime"]) == ("s/1", "char_a", ago(hours=2))
    times = [event["eventTime"] for event in told["events"]]
    assert times == sorted(times)
    latencies = [e["value"] for e in told["events"] if e["metricName"] == "voice.user_to_bot_latency"]
    assert latencies == [100.0, 200.0, 300.0]
    names = [event["metricName"] for event in told["events"]]
    assert {name: names.count(name) for name in names} == {
        "voice.user_to_bot_latency": 3, "llm.processing": 3, "llm.ttfb": 3, "tts.processing": 3, "tts.ttfb": 3,
        "session.reconnect": 1,
    }  # fmt: skip
    spoken = next(event for event in told["events"] if event["metricName"] == "tts.processing")
    assert (spoken["processor"], spoken["value"], spoken["attributes"]) == ("tts", 40.0, {"provider": "tts-vendor"})


def test_a_session_longer_than_a_page_comes_whole(tmp_path: Path) -> None:
    loader = Loader(tmp_path)
    stage = loader.stage()
    stage.file_begins()
    for second in range(1_200):
        stage.add(*check({"type": "event", "session_id": "s", "time": ago(seconds=second), "metric_name": "m"}))
    loader.commit(stage)
    stage.discard()
    with opened(tmp_path) as app:
        assert len(Face(app)("/sessions/s")["events"]) == 1_200


def test_an_interaction_is_its_spans(face: Face) -> None:
    told = face("/interactions/i3")
    spans = told.pop("spans")
    assert told.pop("meta")["sampleCount"] == 2
    assert told == {
        "interactionId": "i3",
        "sessionId": "s/1",
        "characterId": "char_a",
        "appKey": "app",
        "endUserId": "u1",
        "interactionType": "voice_turn",
        "startTime": ago(minutes=90),
        "endTime": told["endTime"],
        "totalDurationMs": 300.0,
        "terminalStatus": "error",
        "failureStage": None,
    }
    assert {span["processor"]: (span["durationMs"], span["status"]) for span in spans} == {
        "llm": (180.0, "ok"),
        "tts": (120.0, "error"),
    }
    assert all(span["startTime"] == ago(minutes=90) for span in spans)


def test_the_catalog_names_the_metrics_there_are(face: Face) -> None:
    metrics = {each["metricName"]: each for each in face("/metrics/catalog")["metrics"]}
    assert metrics["voice.user_to_bot_latency"] == {
        "metricName": "voice.user_to_bot_latency",
        "metricType": "UserBotLatencyMetricsData",
        "description": metrics["voice.user_to_bot_latency"]["description"],
        "visibility": "public",
        "unit": "ms",
        "supportsPercentiles": True,
    }
    assert {"llm.processing", "tts.ttfb", "session.reconnect"} <= set(metrics)


def test_a_regression_is_a_plain_threshold(face: Face) -> None:
    told = face("/regression-detection")
    assert told["rows"] == [
        {
            "group": "all",
            "baselineValue": 100.0,
            "currentValue": 290.0,
            "relativeChange": 1.9,
            "significant": True,
            "sampleCount": 3,
        }
    ]
    assert face("/regression-detection", threshold=2)["rows"][0]["significant"] is False
    by = face("/regression-detection", measure="p95Value", groupBy="processor")
    assert {row["group"]: row["relativeChange"] for row in by["rows"]} == {"llm": 1.9, "tts": 1.9}


def test_a_query_is_answered_by_member(face: Face) -> None:
    body = {
        "measures": ["SessionMetrics.uniqueSessions", "SessionMetrics.p95Value"],
        "dimensions": ["SessionMetrics.characterId"],
        "filters": [{"member": "SessionMetrics.characterId", "operator": "set"}],
        "timeDimensions": [
            {"dimension": "SessionMetrics.eventTime", "granularity": "day", "dateRange": "last 24 hours"}
        ],
        "order": {"SessionMetrics.p95Value": "desc"},
        "limit": 1,
    }
    assert face("/query", body=body)["data"] == [
        {
            "SessionMetrics.uniqueSessions": 1,
            "SessionMetrics.p95Value": 290.0,
            "SessionMetrics.characterId": "char_a",
            "SessionMetrics.eventTime": "2026-05-05T00:00:00+00:00",
            "SessionMetrics.eventTime.day": "2026-05-05T00:00:00+00:00",
        }
    ]


@pytest.mark.parametrize(
    ("path", "words", "place", "told"),
    [
        ("/summary", {"range": "today"}, "range", "last_24h"),
        ("/summary", {"rnage": "last_7d"}, "rnage", "did you mean range"),
        ("/summary", {"provider": "x"}, "provider", "Unknown parameter"),
        ("/breakdown", {"limit": 501}, "limit", "500"),
        ("/sessions", {"limit": 101}, "limit", "100"),
        ("/sessions", {"sort": "errors"}, "sort", "slowest"),
        ("/timeseries", {"granularity": "week"}, "granularity", "hour"),
        ("/regression-detection", {"threshold": 11}, "threshold", "10"),
        ("/regression-detection", {"threshold": "nan"}, "threshold", "finite"),
        ("/sessions/s2", {"range": "last_7d"}, "range", "Unknown parameter"),
    ],
)
def test_a_parameter_that_does_not_fit_is_refused_as_the_contract_does(
    face: Face, path: str, words: dict[str, object], place: str, told: str
) -> None:
    reply = face.reply(path, **words)
    assert reply.status_code == 422
    (problem,) = reply.json()["detail"]
    assert problem["loc"] == ["query", place]
    assert told in problem["msg"]


@pytest.mark.parametrize(
    ("path", "words", "code"),
    [
        ("/timeseries", {"measure": "p96"}, "unknown_name"),
        ("/timeseries", {"segment": "none"}, "unknown_name"),
        ("/breakdown", {"group_by": "procesor"}, "unknown_name"),
        ("/breakdown", {"measure": "turn_p95"}, "invalid_argument"),
        ("/regression-detection", {"baseline_range": "last_24h"}, "invalid_range"),
        ("/sessions", {"cursor": "nonsense"}, "invalid_argument"),
    ],
)
def test_an_unknown_name_is_a_bad_request_with_its_reason(
    face: Face, path: str, words: dict[str, object], code: str
) -> None:
    reply = face.reply(path, **words)
    assert (reply.status_code, reply.json()["error"]["code"]) == (400, code)
    assert set(reply.json()["error"]) == {"code", "message", "details"}


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({}, 400, "empty_query"),
        ({"measures": ["count"]}, 400, "invalid_member"),
        ({"measures": ["SessionMetrics.cuont"]}, 400, "unknown_name"),
        ({"measures": ["SessionMetrics.count"], "limit": 5_001}, 422, "validation_error"),
        ({"measures": ["SessionMetrics.count"], "offset": 5}, 422, "validation_error"),
        (
            {"measures": ["SessionMetrics.count"], "timeDimensions": [{"granularity": "second"}]},
            422,
            "validation_error",
        ),
        ([], 400, "invalid_argument"),
    ],
)
def test_a_query_that_is_none_is_refused(face: Face, body: object, status: int, code: str) -> None:
    reply = face.reply("/query", body=body)
    assert (reply.status_code, reply.json()["error"]["code"]) == (status, code)


@pytest.mark.parametrize("path", ["/sessions/none", "/interactions/none", "/sessions/", "/nothing"])
def test_what_is_not_there_is_not_found(face: Face, path: str) -> None:
    reply = face.reply(path)
    assert reply.status_code == 404
    assert reply.json()["error"]["message"]


def test_answers_are_read_back_by_the_models_of_the_contract(face: Face) -> None:
    asked = {"/sessions/{session_id}": "/sessions/s2", "/interactions/{interaction_id}": "/interactions/i1"}
    for route in v1.ROUTES:
        path = route.path.removeprefix("/v1/analytics")
        body = {"measures": ["SessionMetrics.count"]} if route.method == "POST" else None
        told = face(asked.get(path, path), body=body)
        read = route.response.model_validate(told)
        assert read.model_dump(mode="json", by_alias=True) == told
