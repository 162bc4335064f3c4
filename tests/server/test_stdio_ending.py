from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Iterator

import pytest
from mcp.client.stdio import PROCESS_TERMINATION_TIMEOUT

from talkscope.server.stdio import GRACE, PATIENCE
from tests.server.wire import FIXTURE, HASTY, PATIENT, Wire, enveloped, text, well
from tests.waiting import SAFETY

TIDIED = "the lifespan was tidied up"
BEGUN = {"hang_for_good": "hanging for good", "hold_the_loop": "holding the loop", "cling": "clinging"}


@pytest.fixture
def wire() -> Iterator[Wire]:
    with Wire(FIXTURE, forked=True) as wire:
        wire.handshake()
        yield wire


@pytest.fixture
def patient() -> Iterator[Wire]:
    with Wire(PATIENT, forked=True) as wire:
        wire.handshake()
        yield wire


@pytest.fixture
def hasty() -> Iterator[Wire]:
    with Wire(HASTY, forked=True) as wire:
        wire.handshake()
        yield wire


def hang(wire: Wire, tool: str, times: int = 1) -> None:
    """Have that many calls hang, and know that they have begun."""
    for _ in range(times):
        wire.begin("tools/call", {"name": tool, "arguments": {}})
    if tool in BEGUN:
        wire.until_logged(BEGUN[tool])
    else:
        assert wire.request("ping")["result"] == {}


# Calls that hang: for ever, so that an end is an end in time


def test_what_hangs_is_given_less_time_than_clients_give_a_server():
    assert PATIENCE < GRACE < PROCESS_TERMINATION_TIMEOUT


def test_sixty_hung_calls_leave_the_server_answering(wire: Wire):
    hang(wire, "hang", 60)
    assert wire.request("ping")["result"] == {}
    assert well(wire)
    assert len(wire.request("tools/list")["result"]["tools"]) > 5


@pytest.mark.parametrize("tool", ["hang", "hang_for_good"])
def test_the_end_of_input_ends_the_process_though_calls_hang(tool, wire: Wire):
    hang(wire, tool, 3)
    assert wire.close() == 0


def test_requests_piped_in_at_once_are_answered_before_the_end():
    with Wire(PATIENT, forked=True) as wire:
        first = wire.begin("tools/call", enveloped({"name": "soon", "arguments": {"text": "first"}}))
        wire.send_raw(b'{"jsonrpc":"2.0","id":"last","method":"tools/call","params":')
        wire.send_raw(json.dumps(enveloped({"name": "soon", "arguments": {"text": "last"}})).encode() + b"}")
        assert wire.close() == 0  # and the last line has no end
        assert text(wire.answer(first)) == "first"
        assert text(wire.answer("last")) == "last"


# Signals


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_one_signal_is_enough(number, code, patient: Wire):
    patient.process.send_signal(number)
    assert patient.wait() == code
    assert TIDIED in patient.stderr
    assert "Traceback" not in patient.stderr


@pytest.mark.parametrize(("tool", "times"), [("hang", 50), ("hang_for_good", 50), ("hold_the_loop", 1), ("cling", 1)])
def test_one_ctrl_c_is_enough_while_calls_hang(tool, times, hasty: Wire):
    hang(hasty, tool, times)
    hasty.process.send_signal(signal.SIGINT)
    assert hasty.wait() == 130


def test_a_second_ctrl_c_does_not_wait(patient: Wire):
    hang(patient, "cling")
    patient.process.send_signal(signal.SIGINT)
    patient.until_logged("cancelled, and clinging still")
    assert patient.process.poll() is None
    patient.process.send_signal(signal.SIGINT)
    assert patient.wait() == 130


def test_a_signal_is_heard_though_the_client_reads_no_answers():
    with Wire(FIXTURE, forked=True, reads_stdout=False) as wire:
        for _ in range(5):
            wire.begin(
                "tools/call", enveloped({"name": "repeat", "arguments": {"text": "long text ", "times": 100_000}})
            )
        wire.stdout.read(1)  # the server has begun to write more than a pipe holds
        wire.process.send_signal(signal.SIGTERM)
        assert wire.wait() == 143


# Clients that leave


def test_the_end_of_input_ends_the_process_quietly(patient: Wire):
    assert patient.close() == 0
    assert patient.stderr.splitlines() == [f"WARNING fixture: {TIDIED}"]


def test_a_client_that_closes_stdout_ends_the_process_quietly():
    with Wire(PATIENT, forked=True, reads_stdout=False) as wire:
        wire.begin("server/discover", enveloped())
        wire.stdout.readline()
        wire.stdout.close()
        wire.begin("tools/call", enveloped({"name": "hang", "arguments": {}}))
        wire.begin("tools/call", enveloped({"name": "echo", "arguments": {"text": "nobody reads this"}}))
        assert wire.wait() == 0
        assert wire.stderr.splitlines() == [f"WARNING fixture: {TIDIED}"]


# Streams that are no pipes


def conversation(*calls: str) -> bytes:
    """One of these calls after the other, as a file would hold them."""
    params = [enveloped({"name": name, "arguments": {}}) for name in calls]
    requests = [{"jsonrpc": "2.0", "id": n, "method": "tools/call", "params": p} for n, p in enumerate(params)]
    return b"".join(json.dumps(request).encode() + b"\n" for request in requests)


def test_files_serve_as_well_as_pipes(tmp_path):
    (tmp_path / "in").write_bytes(conversation("shout", "half_a_character"))
    with (tmp_path / "in").open("rb") as given, (tmp_path / "out").open("wb") as taken:
        done = subprocess.run(PATIENT, stdin=given, stdout=taken, stderr=subprocess.PIPE, timeout=SAFETY, check=False)
    assert done.returncode == 0
    assert b"a stray print" in done.stderr
    answers = [json.loads(line) for line in (tmp_path / "out").read_text("utf-8").splitlines()]
    assert sorted(answer["id"] for answer in answers) == [0, 1]


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_streams_that_are_closed_from_the_start_do_no_harm(closed):
    shell = ["sh", "-c", f'exec "$@" {closed}', "sh", *PATIENT]
    given = conversation("half_a_character", "fail")
    done = subprocess.run(shell, input=given, capture_output=True, timeout=SAFETY, check=False)
    assert done.returncode == 0
    assert b"Traceback" not in done.stderr
    assert len(done.stdout.splitlines()) == (2 if closed == "2>&-" else 0)


PROGRAM = """
import os
from talkscope.server.process import claim_wire
_, wire_out = claim_wire()
assert wire_out > 2
os.write(wire_out, b"wire")
"""


def test_the_wire_never_takes_the_place_of_a_closed_stream():
    shell = ["sh", "-c", 'exec "$@" <&- 2>&-', "sh", sys.executable, "-c", PROGRAM]
    done = subprocess.run(shell, stdout=subprocess.PIPE, timeout=SAFETY, check=False)
    assert (done.returncode, done.stdout) == (0, b"wire")


# Other people's output


def test_what_tools_print_is_kept_off_the_wire_and_children_read_nothing(wire: Wire):
    assert text(wire.call("shout")) == "shouted"
    assert well(wire)
    for line in ("a stray print", "a stray half \\ud83d", "from C", "a child read ''"):
        wire.until_logged(line)
    assert wire.close() == 0


def test_a_client_that_never_reads_stderr_is_served():
    with Wire(FIXTURE, forked=True, reads_stderr=False) as wire:
        wire.handshake()
        assert text(wire.call("fill_stderr")) == "filled"
        calls = [
            wire.begin("tools/call", {"name": "fail", "arguments": {"text": "y" * 2000, "number": number}})
            for number in range(200)
        ]
        for call in calls:
            assert wire.answer(call)["result"]["isError"]
        assert wire.request("ping")["result"] == {}
        assert well(wire)
        assert wire.close() == 0


def test_a_failing_tool_is_logged_in_one_line_without_its_secrets(wire: Wire):
    answer = wire.call("fail", text="z" * 100_000)
    assert answer["result"]["isError"]
    assert wire.close() == 0
    (line,) = [line for line in wire.stderr.splitlines() if "fail" in line]
    assert "LookupError: nothing is called zzz" in line
    assert "fixture_server.py:" in line
    assert len(line) < 2100
    assert "ck_live" not in wire.stderr
