"""How the real server ends, also while a question is running: promptly, with the code that says why, and quietly."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from tests.end_to_end.conftest import served
from tests.server.wire import Wire

HEAVY = {
    "name": "get_breakdown",
    "arguments": {"measures": ["p95", "sessions"], "group_by": ["interaction_id"], "start_time": "2026-01-01"},
}


def begun(folder: Path) -> Wire:
    wire = served(folder)
    wire.handshake()
    wire.begin("tools/call", HEAVY)
    return wire


def test_the_end_of_input_ends_the_server_well(folder: Path):
    with begun(folder) as wire:
        wire.end_input()
        assert wire.wait() == 0
        assert "Traceback" not in wire.stderr


@pytest.mark.parametrize(("asked", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_a_signal_ends_the_server_with_its_own_code(folder: Path, asked: signal.Signals, code: int):
    with begun(folder) as wire:
        wire.process.send_signal(asked)
        assert wire.wait() == code
        assert "Traceback" not in wire.stderr


def test_both_eras_of_the_protocol_list_the_same_tools_and_answer_the_same(folder: Path):
    from tests.server.wire import enveloped

    window = {"start_time": "2026-01-01", "end_time": "2027-01-01"}
    with served(folder) as old, served(folder) as new:
        old.handshake("2024-11-05")
        listed = old.request("tools/list")["result"]
        modern = new.request("tools/list", enveloped({}))["result"]
        assert [tool["name"] for tool in listed["tools"]] == [tool["name"] for tool in modern["tools"]]
        assert modern["ttlMs"] > 0
        asked = {"name": "get_summary", "arguments": window}
        first = old.request("tools/call", asked)["result"]
        second = new.request("tools/call", enveloped(asked))["result"]
        assert first["structuredContent"] == second["structuredContent"]
