from __future__ import annotations

import inspect
import os
from collections.abc import Iterator
from pathlib import Path

import anyio
import pytest
from mcp import Client, StdioServerParameters
from mcp.server import MCPServer, Server

from tests.server.wire import FIXTURE, Wire, enveloped, text, well

PARSE_ERROR, INVALID_REQUEST = -32700, -32600


@pytest.fixture(scope="module")
def shared() -> Iterator[Wire]:
    """One server for all that must not harm it."""
    with Wire(FIXTURE, forked=True) as wire:
        wire.handshake()
        yield wire
        assert well(wire)
        assert wire.close() == 0


# Both eras


@pytest.mark.parametrize("version", ["2024-11-05", "2025-11-25"])
def test_a_client_that_shakes_hands_is_served(version):
    with Wire(FIXTURE, forked=True) as wire:
        answer = wire.handshake(version)
        assert answer["result"]["protocolVersion"] == version
        assert answer["result"]["serverInfo"]["name"] == "fixture"
        assert wire.request("ping")["result"] == {}
        assert text(wire.call("echo", text="héllo")) == "héllo"
        assert wire.close() == 0


def test_a_client_that_sends_single_requests_is_served():
    with Wire(FIXTURE, forked=True) as wire:
        found = wire.request("server/discover", enveloped())
        called = wire.request("tools/call", enveloped({"name": "echo", "arguments": {"text": "héllo"}}))
        assert "2026-07-28" in found["result"]["supportedVersions"]
        assert text(called) == "héllo"
        assert wire.close() == 0


@pytest.mark.parametrize(("mode", "version"), [("legacy", "2025-11-25"), ("auto", "2026-07-28")])
def test_the_sdks_own_client_is_served_in_both_eras(mode, version):
    async def ask() -> None:
        parameters = StdioServerParameters(command=FIXTURE[0], args=FIXTURE[1:], env=dict(os.environ))
        async with Client(parameters, mode=mode) as client:
            assert client.protocol_version == version
            answer = await client.call_tool("echo", {"text": "hello"})
            assert answer.content[0].text == "hello"

    anyio.run(ask)


def test_the_sdk_still_hands_out_the_server_that_runs_on_any_streams():
    server = MCPServer("any")
    server.streamable_http_app()
    low_level = server.session_manager.app
    assert isinstance(low_level, Server)
    assert list(inspect.signature(low_level.run).parameters)[:3] == [
        "read_stream",
        "write_stream",
        "initialization_options",
    ]


# Text that cannot be encoded


def test_half_a_character_in_an_answer_does_not_end_the_server(shared: Wire):
    assert text(shared.call("half_a_character")) == "before \ufffd after"
    assert shared.call("refuse_with_half_a_character")["result"]["isError"]
    assert shared.call("half_a_key")["result"]["isError"]
    assert well(shared)


@pytest.mark.parametrize(
    ("sent", "understood"),
    [
        (rb"half \ud83d end", "half \ufffd end"),
        (rb"\udc00", "\ufffd"),
        (rb"\ud83d\ud83d\ude00 \\ud800", "\ufffd\U0001f600 \\ud800"),
        (b"bad \xff\xed\xa0\x80 bytes", "bad \ufffd\ufffd\ufffd\ufffd bytes"),
    ],
)
def test_half_a_character_in_a_request_is_replaced(sent, understood, shared: Wire):
    head = b'{"jsonrpc":"2.0","id":"half","method":"tools/call","params":{"name":"echo","arguments":{"text":"'
    shared.send_raw(head + sent + b'"}}}\n')
    assert text(shared.answer("half")) == understood


# Lines that are no request


@pytest.mark.parametrize(
    ("line", "code", "request_id"),
    [
        (b"{not json", PARSE_ERROR, None),
        (b"\xff\xfe\x00", PARSE_ERROR, None),
        (b'{"jsonrpc":"2.0","id":7,"method":"ping"', PARSE_ERROR, None),
        (b'{"jsonrpc":"2.0","id":7,"method":"ping"}{"jsonrpc":"2.0","id":8,"method":"ping"}', PARSE_ERROR, None),
        (b'{"jsonrpc":"2.0","id":7,"method":"ping","params":{"a":NaN}}', PARSE_ERROR, None),
        (b'{"jsonrpc":"2.0","id":7,"method":"ping","params":{"a":' + b"9" * 10_000 + b"}}", PARSE_ERROR, None),
        (b"[" * 100_000, PARSE_ERROR, None),
        (b'{"a":' * 100_000 + b"1" + b"}" * 100_000, PARSE_ERROR, None),
        (b"[]", INVALID_REQUEST, None),
        (b'[{"jsonrpc":"2.0","id":7,"method":"ping"}]', INVALID_REQUEST, None),
        (b"7", INVALID_REQUEST, None),
        (b"null", INVALID_REQUEST, None),
        (b"{}", INVALID_REQUEST, None),
        (b'{"jsonrpc":"2.0","method":5}', INVALID_REQUEST, None),
        (b'{"id":7,"method":"ping"}', INVALID_REQUEST, 7),
        (b'{"jsonrpc":"1.0","id":"seven","method":"ping"}', INVALID_REQUEST, "seven"),
        (b'{"jsonrpc":"2.0","id":7}', INVALID_REQUEST, 7),
        (b'{"jsonrpc":"2.0","id":7,"method":null}', INVALID_REQUEST, 7),
        (b'{"jsonrpc":"2.0","id":7,"method":"ping","params":[1]}', INVALID_REQUEST, 7),
        (b'{"jsonrpc":"2.0","id":7,"method":"ping","params":"x"}', INVALID_REQUEST, 7),
        (b'{"jsonrpc":"2.0","id":null,"method":"ping"}', INVALID_REQUEST, None),
        (b'{"jsonrpc":"2.0","id":1.5,"method":"ping"}', INVALID_REQUEST, None),
        (b'{"jsonrpc":"2.0","id":true,"method":"ping"}', INVALID_REQUEST, None),
        (b'{"jsonrpc":"2.0","id":{"a":1},"method":"ping"}', INVALID_REQUEST, None),
    ],
    ids=lambda value: repr(value)[:50],
)
def test_a_line_that_is_no_request_is_refused(line, code, request_id, shared: Wire):
    shared.send_raw(line + b"\n")
    answer = shared.read_message()
    assert (answer["id"], answer["error"]["code"]) == (request_id, code)
    assert 0 < len(answer["error"]["message"]) < 200


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"   \r",
        b'{"jsonrpc":"2.0","method":"notifications/nobody-knows"}',
        b'{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":[]}}',
        b'{"jsonrpc":"2.0","id":99,"result":{}}',
        b'{"jsonrpc":"2.0","id":99,"result":7}',
        b'{"jsonrpc":"2.0","id":99,"error":{"code":"x"}}',
    ],
    ids=repr,
)
def test_a_line_that_asks_nothing_is_not_answered(line, shared: Wire):
    shared.send_raw(line + b"\n")
    ping = shared.begin("ping")
    assert shared.read_message() == {"jsonrpc": "2.0", "id": ping, "result": {}}


def test_a_byte_order_mark_and_windows_line_ends_do_no_harm(shared: Wire):
    shared.send_raw(b'\xef\xbb\xbf{"jsonrpc":"2.0","id":"bom","method":"ping"}\r\n')
    assert shared.answer("bom")["result"] == {}


def peak_memory(wire: Wire) -> int | None:
    """The most bytes that the server has had in memory, where the system says."""
    status = Path(f"/proc/{wire.process.pid}/status")
    if not status.exists():
        return None
    peak = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
    return int(peak.split()[1]) * 1024


@pytest.mark.parametrize(
    ("head", "tail", "request_id"),
    [
        (b'{"jsonrpc": "2.0", "id": 70, "method": "tools/call", "params": {"x": "', b'"}}', 70),
        (b'{"method":"tools/call","params":{"id":3,"x":"', b'"},"jsonrpc":"2.0","id":"seventy"}', "seventy"),
        (b'{"jsonrpc":"2.0","method":"a","params":{"id":3,"x":"', b'"}}', None),
        (b'{"jsonrpc":"2.0","id":70,"result":{"x":"', b'"}}', None),
        (b"x", b"", None),
    ],
)
def test_an_endless_line_is_refused_and_not_kept(head, tail, request_id, shared: Wire):
    before = peak_memory(shared)
    piece = b"x" * (1 << 20)
    shared.send_raw(head)
    for _ in range(48):
        shared.send_raw(piece)
    shared.send_raw(tail + b"\n")
    answer = shared.read_message()
    assert (answer["id"], answer["error"]["code"]) == (request_id, PARSE_ERROR)
    after = peak_memory(shared)
    assert before is None or after is None or after - before < 32 << 20


def test_a_line_of_seven_mebibytes_is_a_request_like_any_other(shared: Wire):
    long = "x" * (7 << 20)
    assert text(shared.call("echo", text=long)) == long
