"""Real sessions of real agents, asked through the real server, against figures worked out from the raw files alone."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

import talkscope
from tests.end_to_end.asking import ask, by_label, same
from tests.end_to_end.conftest import served
from tests.oracle import percentile
from tests.server.wire import Wire

ROOT = Path(__file__).parents[2]
DATA = ROOT.parent / "shared" / "data"
JULY = {"start_time": "2026-07-01", "end_time": "2026-08-01"}

if not DATA.is_dir():
    pytest.skip("the real telemetry (../shared/data) is not on this machine", allow_module_level=True)


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Wire]:
    """A server over the Langfuse exports and both tau2 files, loaded the way the documentation says."""
    folder = tmp_path_factory.mktemp("real") / "warehouse"
    report = talkscope.ingest(DATA / "langfuse", warehouse=folder)
    assert report.ok
    assert len(report.files) == 13
    example = [sys.executable, str(ROOT / "examples" / "import_tau2.py"), "--warehouse", str(folder)]
    files = [str(DATA / "tau2_airline_run1.json"), str(DATA / "tau2_voice_sim.json")]
    subprocess.run([*example, *files], check=True, capture_output=True, timeout=60)
    with served(folder) as wire:
        wire.handshake()
        yield wire


@pytest.fixture(scope="module")
def talks() -> list[dict[str, Any]]:
    raw: dict[str, Any] = json.loads((DATA / "tau2_airline_run1.json").read_text(encoding="utf-8"))
    found: list[dict[str, Any]] = raw["simulations"]
    return found


def waits(talk: dict[str, Any]) -> list[float]:
    """Milliseconds from each message of the user to the next words of the agent."""
    found, asked = [], None
    for message in talk["messages"]:
        at = datetime.fromisoformat(message["timestamp"])
        if message["role"] == "user":
            asked = at
        elif message["role"] == "assistant" and message["content"] and asked is not None:
            found.append((at - asked).total_seconds() * 1_000)
            asked = None
    return found


def calls(talks: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [message for talk in talks for message in talk["messages"] if message["role"] == "tool"]


def test_how_many_turns_and_how_long_the_customers_waited(real: Wire, talks: list[dict[str, Any]]):
    answer = ask(real, "get_summary", **JULY)
    figures = {key[0]: value for key, value in by_label(answer, ["measure"], ["value", "n"]).items()}
    every = [wait for talk in talks for wait in waits(talk)]
    assert figures["sessions"][0] == len(talks) == 50
    assert figures["interactions"][0] == len(every)
    for name, percent in (("p50", 50), ("p95", 95), ("p99", 99)):
        assert same(figures[name][0], percentile(every, percent)), name
    assert same(figures["avg"][0], sum(every) / len(every))
    assert figures["avg"][1] == len(every)


def test_how_many_tool_calls_there_were_and_how_many_failed(real: Wire, talks: list[dict[str, Any]]):
    answer = ask(real, "get_breakdown", measures=["count", "errors"], group_by="processor", **JULY)
    made = calls(talks)
    expected = (len(made), sum(bool(call["error"]) for call in made))
    assert by_label(answer, ["processor"], ["count", "errors"])[("execute_tool",)] == expected


def test_what_the_simulated_customer_cost(real: Wire, talks: list[dict[str, Any]]):
    answer = ask(
        real, "get_breakdown", measures=["cost_usd", "input_tokens"], group_by="model",
        filters=["processor=user_simulator"], **JULY,
    )  # fmt: skip
    said = [each for talk in talks for each in talk["messages"] if each["role"] == "user" and each["usage"]]
    cost, tokens = by_label(answer, ["model"], ["cost_usd", "input_tokens"])[("gpt-4o-2024-08-06",)]
    assert same(cost, sum(each["cost"] for each in said), 1e-6)
    assert tokens == sum(each["usage"]["prompt_tokens"] for each in said)


def test_how_many_sessions_went_to_a_person(real: Wire, talks: list[dict[str, Any]]):
    answer = ask(real, "get_breakdown", measures=["handoffs", "outcomes"], group_by="channel", **JULY)
    confirmed = {
        talk["id"]
        for talk in talks
        for before, after in zip(talk["messages"], talk["messages"][1:], strict=False)
        for call in before.get("tool_calls") or []
        if call["name"] == "transfer_to_human_agents" and after["role"] == "tool" and not after["error"]
    }
    assert [row[1:3] for row in answer["rows"]] == [[len(confirmed), len(talks)]]


def test_every_trace_and_token_of_the_langfuse_exports_is_there(real: Wire):
    exports = [json.loads(file.read_text(encoding="utf-8")) for file in sorted((DATA / "langfuse").glob("*.json"))]
    answer = ask(
        real, "get_breakdown", measures=["interactions", "sessions"], group_by="platform", start_time="2024-01-01"
    )
    turns, sessions = by_label(answer, ["platform"], ["interactions", "sessions"])[("langfuse",)]
    assert turns == len(exports) == 13
    assert sessions == len({each["trace"].get("sessionId") or each["trace"]["id"] for each in exports})
    spans = ask(
        real, "get_breakdown", measures=["count"], group_by="processor", filters=["platform=langfuse"], limit=100,
        start_time="2024-01-01",
    )  # fmt: skip
    ended = [each for export in exports for each in export["observations"] if each.get("endTime")]
    assert sum(row[1] for row in spans["rows"]) == len(ended)
