"""The example importer on real results of tau2-bench, counted here from the raw files, and on small invented runs."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from collections import Counter
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from talkscope.models.records import check

ROOT = Path(__file__).resolve().parents[2]
EXAMPLE = ROOT / "examples" / "import_tau2.py"
DATA = ROOT.parent / "shared" / "data"

spec = importlib.util.spec_from_file_location("import_tau2", EXAMPLE)
assert spec
assert spec.loader
tau2 = importlib.util.module_from_spec(spec)
sys.modules["import_tau2"] = tau2
spec.loader.exec_module(tau2)


def shared(name: str) -> Path:
    path: Path = DATA / name
    if not path.is_file():
        pytest.skip("the shared data folder with real tau2-bench results is not beside this repository")
    return path


def rows(path: Path, **options: Any) -> dict[str, list[dict[str, Any]]]:
    found: dict[str, list[dict[str, Any]]] = {k: [] for k in ("session", "interaction", "span", "event", "outcome")}
    for record in tau2.records(path, **options):
        kind, row = check(record)
        found[kind].append({**row, "attributes": json.loads(str(row["attributes"] or "{}"))})
    return found


@pytest.fixture(scope="module")
def airline() -> dict[str, list[dict[str, Any]]]:
    return rows(shared("tau2_airline_run1.json"))


@pytest.fixture(scope="module")
def raw_airline() -> list[dict[str, Any]]:
    simulations: list[dict[str, Any]] = json.loads(shared("tau2_airline_run1.json").read_bytes())["simulations"]
    return simulations


@pytest.fixture(scope="module")
def call() -> dict[str, list[dict[str, Any]]]:
    return rows(shared("tau2_voice_sim.json"))


def between(first: str, then: str) -> float:
    return (datetime.fromisoformat(then) - datetime.fromisoformat(first)) / timedelta(milliseconds=1)


# The text run


def test_the_airline_run_is_fifty_sessions_with_all_their_turns(airline) -> None:
    counts = {kind: len(found) for kind, found in airline.items()}
    assert counts == {"session": 50, "interaction": 283, "span": 1141, "event": 100, "outcome": 50}


def test_the_first_sessions_turns_wait_exactly_as_long_as_its_messages_say(airline, raw_airline) -> None:
    times = [message["timestamp"] for message in raw_airline[0]["messages"]]
    # Messages: 1 asked, 2 answered; 3 asked, 4 to 9 tools, 10 answered; 11 asked, 12 to 13 a tool, 14 answered; 15, 16.
    wanted = [between(times[1], times[2]), between(times[3], times[10]), between(times[11], times[14])]
    wanted.append(between(times[15], times[16]))
    turns = [row for row in airline["interaction"] if row["session_id"] == raw_airline[0]["id"]]
    assert [row["latency_ms"] for row in turns] == wanted
    assert wanted[:2] == [1357.681, 5675.867]
    assert turns[0]["attributes"]["output"].startswith("I can help you with that. What is your user ID")


def test_every_turn_is_a_user_message_and_the_next_words_of_the_assistant(airline, raw_airline) -> None:
    wanted = []
    for simulation in raw_airline:
        asked = None
        for message in simulation["messages"]:
            if message["role"] == "user":
                asked = message["timestamp"]
            elif message["role"] == "assistant" and message["content"] and asked:
                wanted.append(between(asked, message["timestamp"]))
                asked = None
    assert [row["latency_ms"] for row in airline["interaction"]] == wanted


def test_each_tool_call_is_a_span_from_the_call_to_its_result(airline, raw_airline) -> None:
    tools = [row for row in airline["span"] if row["processor"] == "execute_tool"]
    called = Counter(c["name"] for s in raw_airline for m in s["messages"] for c in m.get("tool_calls") or [])
    assert Counter(row["attributes"]["tool"] for row in tools) == called
    assert len(tools) == 265
    assert sum(row["status"] == "error" for row in tools) == 12
    messages = raw_airline[0]["messages"]
    first = next(row for row in tools if row["span_id"] == f"{raw_airline[0]['id']}/4/tool/0")
    assert first["duration_ms"] == between(messages[4]["timestamp"], messages[5]["timestamp"])
    assert first["attributes"]["tool"] == "get_reservation_details"
    assert all(row["interaction_id"] for row in tools)


def test_a_call_whose_id_was_used_before_gets_its_own_result(airline, raw_airline) -> None:
    messages = raw_airline[0]["messages"]
    assert messages[6]["tool_calls"][0]["id"] == messages[8]["tool_calls"][0]["id"]
    again = next(row for row in airline["span"] if row["span_id"] == f"{raw_airline[0]['id']}/8/tool/0")
    assert again["duration_ms"] == between(messages[8]["timestamp"], messages[9]["timestamp"])


def test_tokens_and_cost_are_the_simulated_users_and_say_so(airline, raw_airline) -> None:
    said = [message for simulation in raw_airline for message in simulation["messages"]]
    assert all(m["usage"] is None for m in said if m["role"] == "assistant")
    users = [row for row in airline["span"] if row["processor"] == "user_simulator"]
    assert len(users) == 333
    assert {row["model"] for row in users} == {"gpt-4o-2024-08-06"}
    assert {row["interaction_id"] for row in users} == {None}
    assert sum(row["input_tokens"] for row in users) == 319_716
    assert sum(row["output_tokens"] for row in users) == 8_144
    assert sum(row["cost_usd"] for row in users) == pytest.approx(sum(m["cost"] for m in said if m["role"] == "user"))
    agents = [row for row in airline["span"] if row["processor"] == "llm"]
    assert len(agents) == 543
    assert {(row["model"], row["input_tokens"], row["cost_usd"]) for row in agents} == {("whissle", None, None)}


def test_without_the_simulated_user_nothing_has_a_cost(airline) -> None:
    alone = rows(shared("tau2_airline_run1.json"), agent_only=True)
    assert Counter(row["processor"] for row in alone["span"]) == {"llm": 543, "execute_tool": 265}
    assert alone["interaction"] == airline["interaction"]


def test_the_agent_is_the_one_that_really_ran(airline) -> None:
    assert {(row["character_id"], row["app_key"], row["channel"]) for row in airline["session"]} == {
        ("whissle", "airline", "chat")
    }


def test_outcomes_claim_no_more_than_the_file_says(airline, raw_airline) -> None:
    transferred = {
        s["id"]
        for s in raw_airline
        for m in s["messages"]
        if any(c["name"] == "transfer_to_human_agents" for c in m.get("tool_calls") or [])
    }
    assert {row["session_id"] for row in airline["outcome"] if row["resolution"] == "handoff"} == transferred
    assert Counter((row["resolution"], row["rating"]) for row in airline["outcome"]) == {
        ("handoff", 1): 15,
        ("handoff", 0): 9,
        ("resolved", 1): 10,
        (None, 1): 3,  # the user took themselves for transferred, and nobody had transferred them
        (None, 0): 13,
    }
    unclear = [row for row in airline["outcome"] if row["resolution"] is None and row["rating"] == 1]
    assert {row["attributes"]["closes_with"] for row in unclear} == {"###TRANSFER###"}
    assert {row["rating_scale"] for row in airline["outcome"]} == {1}


def test_the_words_that_nobody_answers_are_events(airline) -> None:
    assert Counter(row["metric_name"] for row in airline["event"]) == {"agent.unprompted": 50, "user.unanswered": 50}
    closing = Counter(row["attributes"].get("closes_with") for row in airline["event"])
    assert closing == {None: 50, "###TRANSFER###": 27, "###STOP###": 21, "###OUT-OF-SCOPE###": 2}


# The voice run


def test_the_voice_run_has_a_turn_for_each_answered_utterance(call) -> None:
    raw = json.loads(shared("tau2_voice_sim.json").read_bytes())
    assert {kind: len(found) for kind, found in call.items()} == {
        "session": 1,
        "interaction": 14,
        "span": 0,
        "event": 49,
        "outcome": 0,
    }
    assert (call["session"][0]["channel"], call["session"][0]["character_id"]) == ("voice", None)
    # The user speaks from tick 26 to 161, the agent answers from tick 169.
    stamps = [tick["timestamp"] for tick in raw["ticks"]]
    assert [raw["ticks"][n]["user_chunk"]["contains_speech"] for n in (25, 26, 161, 162)] == [False, True, True, False]
    assert [raw["ticks"][n]["agent_chunk"]["contains_speech"] for n in (168, 169)] == [False, True]
    first = call["interaction"][0]
    assert first["latency_ms"] == between(stamps[162], stamps[169]) == 1748.676
    assert first["attributes"]["silent_ticks"] == 7
    assert first["interaction_type"] == "voice_turn"


def test_the_voice_runs_interruptions_are_the_users_and_the_agents_apart(call) -> None:
    raw = json.loads(shared("tau2_voice_sim.json").read_bytes())["ticks"]
    user = [tick["user_chunk"]["contains_speech"] for tick in raw]
    agent = [tick["agent_chunk"]["contains_speech"] for tick in raw]
    hums = [(tick["user_chunk"]["turn_taking_action"] or {}).get("action") == "backchannel" for tick in raw]
    begun = [n for n in range(1, len(raw)) if user[n] and not user[n - 1] and not hums[n]]
    broken = [n for n in begun if agent[n] and agent[n - 1]]
    found = [row for row in call["event"] if row["metric_name"] == "interaction.interrupted"]
    moments = [datetime.fromisoformat(raw[n]["timestamp"] + "+00:00") for n in broken]
    assert [row["time"] for row in found] == [round(moment.timestamp() * 1_000_000) for moment in moments]
    assert len(found) == 10
    assert all(row["interaction_id"] and row["unit"] == "ticks" for row in found)
    names = Counter(row["metric_name"] for row in call["event"])
    assert names["interaction.agent_overlap"] == 3
    assert (names["speech.user"], names["user.backchannel"], names["speech.agent"]) == (15, 1, 19)
    assert sum(row["attributes"]["ticks"] for row in call["event"] if row["metric_name"] == "speech.agent") == sum(
        agent
    )


# How it is run


def test_times_are_in_the_zone_that_is_named() -> None:
    path = shared("tau2_voice_sim.json")
    there = rows(path, zone=ZoneInfo("America/Los_Angeles"))["session"][0]
    assert there["start_time"] - rows(path)["session"][0]["start_time"] == 7 * 3_600_000_000


def test_the_example_prints_records_and_says_what_it_took_the_times_for() -> None:
    done = subprocess.run(
        [sys.executable, str(EXAMPLE), str(shared("tau2_airline_run1.json"))],
        capture_output=True,
        check=True,
        timeout=60,
    )
    records = [json.loads(line) for line in done.stdout.splitlines()]
    assert Counter(record["type"] for record in records)["interaction"] == 283
    assert all(line.startswith(b'{"type": ') for line in done.stdout.splitlines())
    said = done.stderr.decode()
    assert "read as UTC" in said
    assert "7 h behind UTC" in said


def test_records_go_to_a_file_or_into_a_warehouse(tmp_path, monkeypatch, capsys) -> None:
    import talkscope

    run = invented(tmp_path, [said("user", 0, "Hi"), said("assistant", 2, "Hello")])
    assert tau2.main([str(run), "--out", str(tmp_path / "out.ndjson")]) == 0
    written = [json.loads(line) for line in (tmp_path / "out.ndjson").read_text().splitlines()]
    loaded: list[Any] = []

    def ingest(records: Any, *, warehouse: Path) -> str:
        loaded.extend([warehouse, *records])
        return "loaded"

    monkeypatch.setattr(talkscope, "ingest", ingest, raising=False)
    assert tau2.main([str(run), "--warehouse", str(tmp_path / "w")]) == 0
    assert loaded == [tmp_path / "w", *written]
    assert capsys.readouterr().out == "loaded\n"


def test_a_zone_that_does_not_exist_is_refused(capsys) -> None:
    with pytest.raises(SystemExit):
        tau2.main(["x.json", "--timezone", "Mars/Olympus"])
    assert "no such time zone: 'Mars/Olympus'" in capsys.readouterr().err


# Invented runs


def said(role: str, second: int, content: str | None, **more: Any) -> dict[str, Any]:
    return {"role": role, "content": content, "timestamp": f"2026-03-01T10:00:{second:02}", **more}


def invented(folder: Path, messages: list[dict[str, Any]], **more: Any) -> Path:
    path = folder / "run.json"
    times = {"start_time": "2026-03-01T10:00:00", "end_time": "2026-03-01T10:01:00"}
    path.write_text(json.dumps({"id": "r1", **times, "messages": messages, **more}))
    return path


def test_a_model_that_states_its_usage_has_tokens_and_cost(tmp_path) -> None:
    answer = said("assistant", 2, "Hello", usage={"prompt_tokens": 9, "completion_tokens": 3}, cost=0.5)
    found = rows(invented(tmp_path, [said("user", 0, "Hi", usage=None, cost=None), answer]))
    (model,) = found["span"]
    assert (model["processor"], model["duration_ms"]) == ("llm", 2000)
    assert (model["input_tokens"], model["output_tokens"], model["cost_usd"]) == (9, 3, 0.5)
    assert found["outcome"] == []  # nothing was judged


def test_a_tool_that_never_answers_is_an_error_event(tmp_path) -> None:
    calls = [{"id": "c1", "name": "lookup", "arguments": {}}]
    found = rows(invented(tmp_path, [said("user", 0, "Hi"), said("assistant", 2, None, tool_calls=calls)]))
    lost = next(row for row in found["event"] if row["metric_name"] == "tool.unanswered")
    assert (lost["status"], lost["interaction_id"], lost["attributes"]["tool"]) == ("error", "r1/0", "lookup")
    assert found["interaction"] == []


def test_a_transfer_that_the_tool_refused_is_no_handoff(tmp_path) -> None:
    calls = [{"id": "c1", "name": "transfer_to_human_agents", "arguments": {"summary": "angry"}}]
    refused = said("tool", 3, "Error", id="c1", error=True)
    messages = [said("user", 0, "Hi"), said("assistant", 2, None, tool_calls=calls), refused]
    assert rows(invented(tmp_path, messages))["outcome"] == []
    messages[2] = said("tool", 3, "Transfer successful", id="c1", error=False)
    (outcome,) = rows(invented(tmp_path, messages))["outcome"]
    assert (outcome["resolution"], outcome["summary"], outcome["rating"]) == ("handoff", "angry", None)


def test_long_texts_are_cut_and_say_by_how_much(tmp_path) -> None:
    found = rows(invented(tmp_path, [said("user", 0, "x" * 4_010), said("assistant", 2, "ok")]))
    assert found["interaction"][0]["attributes"]["input"] == "x" * 4_000 + "…truncated 10 characters"


def test_a_message_without_a_time_ends_the_import_with_its_run_named(tmp_path) -> None:
    with pytest.raises(ValueError, match="simulation r1 has a message or tick without a timestamp"):
        rows(invented(tmp_path, [{"role": "user", "content": "Hi", "timestamp": None}]))
