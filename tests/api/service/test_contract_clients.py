"""What clients written for the hosted API rely on, asked of a real `talkscope serve`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import pytest

from tests.api.service.conftest import Town

SESSION, TURN = "ada-s0", "ada-i0"
PATHS = (
    "/summary", "/timeseries", "/breakdown", "/sessions", f"/sessions/{SESSION}", f"/interactions/{TURN}",
    "/metrics/catalog", "/regression-detection",
)  # fmt: skip


def ask(town: Town, path: str, **words: object) -> dict[str, Any]:
    reply = town.served.get(f"/v1/analytics{path}", town.keys["business"], params=words)
    assert reply.status_code == 200, reply.text
    told: dict[str, Any] = reply.json()
    return told


def query(town: Town, **words: object) -> dict[str, Any]:
    reply = town.served.request("POST", "/v1/analytics/query", town.keys["business"], json=words)
    assert reply.status_code == 200, reply.text
    told: dict[str, Any] = reply.json()
    return told


def texts(value: object) -> Iterator[str]:
    if isinstance(value, dict):
        for each in value.values():
            yield from texts(each)
    elif isinstance(value, list):
        for each in value:
            yield from texts(each)
    elif isinstance(value, str):
        yield value


@pytest.mark.parametrize("path", PATHS)
def test_every_time_has_an_offset_and_meta_is_whole(town: Town, path: str) -> None:
    told = ask(town, path)
    times = [text for text in texts(told) if re.match(r"\d{4}-\d\d-\d\dT", text)]
    assert len(times) >= 3
    assert all(datetime.fromisoformat(text).utcoffset() is not None for text in times)
    meta = told["meta"]
    assert set(meta) == {"freshnessAt", "sampleCount", "effectiveRange", "backend", "cacheHit"}
    assert meta["backend"] in ("cube", "bq")
    assert meta["cacheHit"] is False
    assert type(meta["sampleCount"]) is int


def test_percentiles_of_nothing_are_numbers_here_and_null_in_the_questions(town: Town) -> None:
    told = ask(town, "/summary", character_id="nobody")
    names = ("p50EndToEndMs", "p95EndToEndMs", "p99EndToEndMs")
    assert [told[name] for name in names] == [0.0] * 3
    assert all(type(told[name]) is float for name in names)
    reply = town.served.get("/v1/ask/timeseries", town.keys["scale"], params={"measures": "p95", "range": "last_7d"})
    at = reply.json()["columns"].index("p95")
    assert None in [row[at] for row in reply.json()["rows"]]


def test_groups_of_a_breakdown_are_texts(town: Town) -> None:
    for group in ("character_id", "session_id", "status", "provider", "errorCode", "metric_name"):
        assert all(isinstance(row["group"], str) for row in ask(town, "/breakdown", group_by=group)["rows"])
    assert ask(town, "/breakdown", group_by="character_id")["rows"][0]["group"] == "ada-char"


def test_the_headline_metric_is_in_the_catalogue(town: Town) -> None:
    [found] = [m for m in ask(town, "/metrics/catalog")["metrics"] if m["metricName"] == "voice.user_to_bot_latency"]
    assert (found["unit"], found["supportsPercentiles"], found["visibility"]) == ("ms", True, "public")


@pytest.mark.parametrize(
    ("measure", "value"),
    [("avg", 200.0), ("avgValue", 200.0), ("p95", 290.0), ("turnP75", 250.0), ("turnP90", 280.0), ("turn_max", 300.0),
     ("uniqueSessions", 3.0), ("unique_turns", 3.0), ("errorCount", 0.0), ("count", 3.0)],
)  # fmt: skip
def test_measures_are_known_by_every_spelling_that_clients_send(town: Town, measure: str, value: float) -> None:
    told = ask(town, "/breakdown", measure=measure, groupBy="characterId")
    assert [(row["group"], row["value"]) for row in told["rows"]] == [("ada-char", value)]


def test_groups_and_segments_are_known_by_every_spelling_that_clients_send(town: Town) -> None:
    groups = {row["group"] for row in ask(town, "/breakdown", group_by="sessionId")["rows"]}
    assert groups == {"ada-s0", "ada-s1", "ada-s2"}
    for segment in ("asrMetrics", "asr_metrics", "neurosyncMetrics", "neurosync_metrics", "neuroSyncTurnSummary"):
        assert ask(town, "/breakdown", segment=segment)["rows"] == []
    assert ask(town, "/timeseries", measure="p95Value", metricName="voice.user_to_bot_latency", groupBy="errorCode")


@pytest.mark.parametrize("words", ["last 30 days", "last_30d", "Last 7 days", "last_24h"])
def test_a_query_takes_its_range_in_words_and_as_a_token(town: Town, words: str) -> None:
    time = [{"dimension": "SessionMetrics.eventTime", "dateRange": words}]
    told = query(town, measures=["SessionMetrics.uniqueSessions"], timeDimensions=time)
    assert told["data"] == [{"SessionMetrics.uniqueSessions": 3}]
