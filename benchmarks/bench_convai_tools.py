"""The 38 tools of the hosted API's own MCP server beside ours: the same questions, and the bytes that a model reads.

Theirs is worked out from its documented shapes over the same telemetry: the v1 bodies that a tool returns, indented as
it indents them; a chart's rows stand in its spec and beside it. What else its spec holds is not counted, so its figures
are lower bounds. Ours are the texts of real calls, which are complete without the structured content.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import anyio
import httpx

import talkscope
from talkscope import api, tools
from talkscope.charts.rendering import Renderer
from talkscope.client import PortalTransport
from talkscope.contract import Question
from talkscope.errors import Json
from talkscope.jobs.demo.generate import generate
from talkscope.models.answers import Answer
from talkscope.models.questions import Asked
from talkscope.warehouse import questions
from talkscope.warehouse.store import DuckStore, Stop

NOW = datetime(2026, 6, 9, 12, tzinfo=UTC)
V1 = "/v1/analytics"
E2E = {"metric_name": "voice.user_to_bot_latency"}
LLM = {"metric_name_prefix": "LLMService."}
DROPPED = {"metric_name": "db.error_persist_dropped"}
BY_DAY = {"granularity": "day"}

Call = tuple[str, Mapping[str, Any]]
"""A path below the v1 root, and its query."""


def points(measure: str, **words: Any) -> Call:
    return "/timeseries", {"measure": measure, "range": "last_24h", "granularity": "hour", **words}


def rows(measure: str, by: str, **words: Any) -> Call:
    return "/breakdown", {"measure": measure, "group_by": by, "range": "last_24h", **words}


@dataclass(frozen=True)
class Pair:
    """One of their tools: the calls it makes and whether it draws them; and our tool and words for its question."""

    theirs: str
    calls: Sequence[Call]
    ours: str
    words: Mapping[str, Any] = field(default_factory=dict)
    chart: bool = False


PERCENTILES = [points(each, **E2E) for each in ("p50_value", "p95_value", "p99_value")]
MONTH = [points(each, **{**E2E, "range": "last_30d"}) for each in ("p50_value", "p95_value", "p99_value")]
USAGE = [points(each, **BY_DAY) for each in ("unique_sessions", "unique_turns", "unique_end_users")]
SESSIONS = [("/sessions", {"range": "last_24h", "limit": 100})]
COMPONENTS = [rows("p95_value", "processor", segment="end_to_end_turn_latency")]
ERRORS = [rows("count", "processor", metric_name_prefix="error.", limit=25)]
TTS = [rows("count", "voice_provider", metric_name="tts.voice_provider", limit=10)]
MODELS = [rows("p95_value", "model", limit=10, **LLM)]
CHARACTERS = [rows("unique_sessions", "character_id", limit=25)]
ERROR_TREND = [points("count", metric_name_prefix="error.", **BY_DAY)]
DROPPED_TREND = [points("count", **DROPPED, **BY_DAY)]
USED = {"measures": ["sessions", "interactions", "end_users"], **BY_DAY}
SPEECH = {"measures": ["count"], "group_by": ["voice_provider"], "filters": ["processor=tts"]}
MODEL = {"measures": ["p95"], "group_by": ["model"], "filters": ["processor=llm"]}


def pairs(session: str, turn: str) -> list[Pair]:
    """The 38, in their order, and one of them once more over a month."""
    trace: list[Call] = [(f"/interactions/{turn}", {})]
    detail: list[Call] = [(f"/sessions/{session}", {})]
    hourly = {"granularity": "hour"}
    return [
        Pair("get_summary", [("/summary", {"range": "last_24h"})], "get_summary"),
        Pair("get_metrics_catalog", [("/metrics/catalog", {})], "list_metrics"),
        Pair("list_sessions", [("/sessions", {"range": "last_24h", "limit": 25})], "list_sessions"),
        Pair("get_session_timeline", detail, "get_session", {"session_id": session}),
        Pair("get_interaction_trace", trace, "get_interaction", {"interaction_id": turn}),
        Pair("get_p95_latency_over_time", PERCENTILES[1:2], "get_timeseries", {"measures": ["p95"], **hourly}),
        Pair("get_latency_percentile_series", PERCENTILES[1:2], "get_timeseries", {"measures": ["p95"], **hourly}),
        Pair("get_latency_percentile_chart", PERCENTILES, "chart_latency", hourly, chart=True),
        Pair("get_latency_percentile_chart, 30 days", MONTH, "chart_latency",
             {"range": "last_30d", **hourly}, chart=True),
        Pair("get_latency_threshold_chart", PERCENTILES[1:2], "chart_latency",
             {"measures": ["p95"], "threshold_ms": 3000, **hourly}, chart=True),
        Pair("get_latency_heatmap_chart", PERCENTILES[1:2], "chart_latency", {"kind": "heatmap"}, chart=True),
        Pair("get_component_latency_breakdown", COMPONENTS, "get_latency_breakdown"),
        Pair("generate_component_latency_chart", COMPONENTS, "chart_breakdown",
             {"measures": ["p95"], "group_by": ["processor"]}, chart=True),
        Pair("find_component_latency_bottlenecks", COMPONENTS * 2, "get_latency_breakdown", {"limit": 5}),
        Pair("generate_interaction_waterfall", trace, "chart_interaction", {"interaction_id": turn}, chart=True),
        Pair("explain_slow_session", [*detail, *trace, *trace], "explain_slow_session", {"session_id": session}),
        Pair("get_error_trend", ERROR_TREND, "get_timeseries", {"measures": ["errors"], **BY_DAY}),
        Pair("generate_error_trend_chart", ERROR_TREND, "chart_timeseries", {"measures": ["errors"], **BY_DAY}, True),
        Pair("get_error_breakdown", ERRORS, "get_breakdown", {"measures": ["errors"], "group_by": ["processor"]}),
        Pair("generate_error_breakdown_chart", ERRORS, "chart_breakdown",
             {"measures": ["errors"], "group_by": ["processor"]}, chart=True),
        Pair("get_dropped_error_persist_trend", DROPPED_TREND, "get_timeseries",
             {"measures": ["count"], **DROPPED, **BY_DAY}),
        Pair("generate_dropped_error_persist_chart", DROPPED_TREND, "chart_timeseries",
             {"measures": ["count"], **DROPPED, **BY_DAY}, chart=True),
        Pair("generate_reliability_summary_chart", [("/summary", {"range": "last_24h"})], "chart_reliability",
             BY_DAY, chart=True),
        Pair("generate_reliability_trends_chart", [*ERROR_TREND, *DROPPED_TREND], "chart_reliability", BY_DAY, True),
        Pair("get_usage_trends", USAGE, "get_timeseries", USED),
        Pair("generate_usage_trends_chart", USAGE, "chart_timeseries", USED, chart=True),
        Pair("get_character_usage_leaderboard", CHARACTERS, "get_breakdown",
             {"measures": ["sessions"], "group_by": ["character_id"]}),
        Pair("generate_character_usage_chart", CHARACTERS, "chart_breakdown",
             {"measures": ["sessions"], "group_by": ["character_id"]}, chart=True),
        Pair("generate_session_duration_scatter", [("/sessions", {"range": "last_24h", "limit": 25})], "chart_sessions",
             {"limit": 25}, chart=True),
        Pair("estimate_active_session_concurrency", SESSIONS, "get_concurrency"),
        Pair("generate_active_session_concurrency_chart", SESSIONS, "chart_concurrency", {}, chart=True),
        Pair("generate_peak_concurrency_chart", SESSIONS, "chart_concurrency", {}, chart=True),
        Pair("get_tts_provider_attribution", TTS, "get_breakdown", SPEECH),
        Pair("generate_tts_provider_chart", TTS, "chart_breakdown", SPEECH, chart=True),
        Pair("get_llm_model_latency", MODELS, "get_breakdown", MODEL),
        Pair("generate_llm_model_latency_chart", MODELS, "chart_breakdown", MODEL, chart=True),
        Pair("compare_providers", [rows("p95_value", "provider", segment="llm_metrics")], "get_breakdown",
             {"measures": ["p95", "count", "error_rate"], "group_by": ["provider"], "filters": ["processor=llm"]}),
        Pair("detect_regressions", [("/regression-detection", {"measure": E2E["metric_name"]})], "detect_regressions"),
        Pair("advanced_query", [], "query", {"query": {"measures": ["SessionMetrics.count"]}}),
    ]  # fmt: skip


@dataclass
class InProcess:
    """Answers our tools' questions from the warehouse, at NOW."""

    store: DuckStore
    renderer: Renderer
    sources: Sequence[str] = ("warehouse",)

    async def ask(self, _: str | None, question: Question[Answer], words: Mapping[str, object]) -> Answer:
        """The warehouse's answer."""
        asked = question.params.model_validate(words)
        return questions.answer(question.name, asked, store=self.store, now=NOW, stop=Stop())

    def mask(self, _: str | None) -> Any:
        """Nothing is hidden: the telemetry is made up."""
        return str

    async def png(self, spec: Mapping[str, Json]) -> bytes:
        """The picture of a spec."""
        return self.renderer.render(spec, "png")


@dataclass(frozen=True)
class Manner:
    """How answers are given by default."""

    answer_tokens: int = 4_000
    reveal_personal_data: bool = False


def listed(body: Mapping[str, Any]) -> list[Any]:
    """The rows of a v1 body; a body without rows is a row itself."""
    return next((value for value in body.values() if isinstance(value, list)), [body])


def message(text: str, structured: object) -> int:
    """The bytes of a whole answer: its text, and the structured content beside it."""
    said = {"content": [{"type": "text", "text": text}], "structuredContent": structured}
    return len(json.dumps(said, separators=(",", ":"), ensure_ascii=False).encode())


def bodies_of(http: httpx.Client, pair: Pair) -> list[Any]:
    """What the service answers to the calls of one of their tools."""
    if pair.theirs == "advanced_query":
        time_dimension = {"dimension": "SessionMetrics.eventTime", "dateRange": "last 24 hours"}
        query = {"measures": ["SessionMetrics.count"], "timeDimensions": [time_dimension]}
        return [http.post(f"{V1}/query", json=query).raise_for_status().json()]
    return [http.get(V1 + path, params=dict(params)).raise_for_status().json() for path, params in pair.calls]


def theirs(http: httpx.Client, pair: Pair) -> tuple[int, int]:
    """The bytes of their answer's text, and of the whole answer, at the least."""
    bodies = bodies_of(http, pair)
    said: Any = bodies if len(bodies) > 1 else bodies[0]
    if pair.chart:
        said = {"spec": {"data": {"values": [row for body in bodies for row in listed(body)]}}, "series": said}
    text = json.dumps(said, indent=2, ensure_ascii=False)
    return len(text.encode()), message(text, said)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sessions-per-day", type=int, default=120)
    parser.add_argument("--runs", type=int, default=1, help="taken as the others take it: bytes are always the same")
    parser.add_argument("--days", type=int, default=8, help="31 fills the chart of a month")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        made = Path(folder)
        generate(made / "records", now=NOW, days=options.days, sessions_per_day=options.sessions_per_day)
        assert talkscope.ingest(sorted((made / "records").glob("*.ndjson")), warehouse=made / "w", generated=True).ok
        store = DuckStore(made / "w", name="warehouse", memory_limit="1GB", threads=2)
        try:
            return compare(store)
        finally:
            store.close()


def compare(store: DuckStore) -> int:
    """Ask both, and print each pair, the sum, and the charts that are not under a quarter of theirs."""

    def answering(name: str, asked: Asked, stop: Stop) -> Answer:
        return questions.answer(name, asked, store=store, now=NOW, stop=stop)

    app = api.build(answering, clock=lambda: NOW)
    transport = PortalTransport(httpx.ASGITransport(app))
    over: list[str] = []
    sums = [0, 0, 0, 0]
    with Renderer() as renderer, httpx.Client(transport=transport, base_url="http://talkscope", timeout=60) as http:
        asker = InProcess(store, renderer)
        sessions = http.get(f"{V1}/sessions", params={"range": "last_24h", "sort": "slowest"}).json()
        session = listed(sessions)[0]["sessionId"]
        events = http.get(f"{V1}/sessions/{session}").json()["events"]
        turn = next(event["interactionId"] for event in events if event["interactionId"])
        print(f"{'':42}{'theirs: text':>14}{'whole':>11}   {'ours':22}{'text':>8}{'whole':>9}{'ratio':>8}")
        for pair in pairs(session, turn):
            shaped = anyio.run(tools.find(pair.ours).call, asker, pair.words, Manner())
            assert not shaped.failed, shaped.text
            known = (*theirs(http, pair), len(shaped.text.encode()), message(shaped.text, shaped.structured))
            sums = [total + each for total, each in zip(sums, known, strict=True)]
            if pair.chart and known[3] * 4 > known[1]:
                over.append(pair.theirs)
            print(line(pair.theirs, pair.ours, known))
    print(line("all", "", sums))
    print(f"\nratio: {sums[3] / sums[1]:.2f}  talkscope / the Convai server, bytes of all answers")
    print(f"A token is about four bytes. Charts whose data theirs sends twice and ours is over a quarter: {len(over)}.")
    print("\n".join(over))
    return 0


def line(theirs: str, ours: str, known: Sequence[int]) -> str:
    """A line of the table; the ratio is of the whole answers."""
    return (
        f"{theirs:42}{known[0]:>14,}{known[1]:>11,}   {ours:22}{known[2]:>8,}{known[3]:>9,}{known[3] / known[1]:>8.2f}"
    )


if __name__ == "__main__":
    sys.exit(main())
