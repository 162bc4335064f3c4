from __future__ import annotations

import json
import tracemalloc

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mcp_types import ErrorData, JSONRPCError, JSONRPCNotification, JSONRPCRequest, JSONRPCResponse

from talkscope.server.frames import Refusal, TooLong, decode, encode, lines


def read_in(pieces):
    rest = iter(pieces)
    return lambda: next(rest, b"")


@settings(max_examples=60, deadline=None)
@given(st.lists(st.binary(max_size=12).map(lambda data: data.replace(b"a", b"\n")), max_size=8))
def test_lines_do_not_depend_on_how_the_bytes_arrive(pieces):
    pieces = [piece for piece in pieces if piece]
    whole = b"".join(pieces)
    together = whole.split(b"\n")
    expected = together if together[-1] else together[:-1]
    assert list(lines(read_in(pieces))) == expected


@settings(max_examples=60, deadline=None)
@given(st.lists(st.sampled_from([b"x", b"zzz", b"\n", b"x\nx", b"xxxx\n"]), max_size=12))
def test_exactly_the_lines_that_are_too_long_are_refused(pieces):
    found = list(lines(read_in(pieces), longest=4))
    together = b"".join(pieces).split(b"\n")
    expected = together if together[-1] else together[:-1]
    assert [isinstance(line, TooLong) for line in found] == [len(line) > 4 for line in expected]
    assert all(line == as_sent for line, as_sent in zip(found, expected, strict=True) if len(as_sent) <= 4)


def test_a_line_that_never_ends_takes_no_more_memory_than_the_longest():
    pieces = (b"x" * 65_536 for _ in range(1024))
    tracemalloc.start()
    try:
        found = list(lines(lambda: next(pieces, b""), longest=1 << 20))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert isinstance(found[0], TooLong)
    assert peak < 4 << 20


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(exclude_categories=())),
    lambda parts: st.lists(parts, max_size=3) | st.dictionaries(st.sampled_from(["id", "method", "a"]), parts),
    max_leaves=8,
)


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=60) | JSON.map(lambda value: json.dumps(value).encode()))
def test_whatever_arrives_is_a_message_a_refusal_or_nothing(line):
    found = decode(line)
    if isinstance(found, Refusal):
        found = found.answer
        assert found.error.code in (-32700, -32600)
    if found is not None:
        assert json.loads(encode(found))["jsonrpc"] == "2.0"


def envelope(part, value):
    return {"jsonrpc": "2.0", "id": 1, "method": "m", "params": {}} | {part: value}


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(["jsonrpc", "id", "method", "params"]), JSON)
def test_a_request_with_a_usable_id_is_never_left_unanswered(part, value):
    found = decode(json.dumps(envelope(part, value)).encode())
    if isinstance(found, Refusal) and part != "id" and found.answer.error.code == -32600:
        assert found.answer.id == 1
    assert isinstance(found, Refusal | JSONRPCRequest)


@settings(max_examples=100, deadline=None)
@given(JSON)
def test_every_answer_is_one_line_of_utf8_that_says_the_same(value):
    line = encode(JSONRPCResponse(jsonrpc="2.0", id=1, result={"value": value}))
    assert line.endswith(b"\n")
    assert line.count(b"\n") == 1
    answer = json.loads(line.decode("utf-8"))
    assert answer["id"] == 1
    if value is None or isinstance(value, bool | int):
        assert answer["result"]["value"] == value


@pytest.mark.parametrize(
    ("value", "written"),
    [
        ("a\ud800b", "a\ufffdb"),
        ({"k\udfff": [1.5, "\udfff"]}, {"k\ufffd": [1.5, "\ufffd"]}),
        (["\ud800", float("nan"), float("inf")], ["\ufffd", None, None]),
        (object(), "<object>"),
    ],
    ids=["text", "key", "numbers", "object"],
)
def test_what_json_cannot_say_is_replaced(value, written):
    line = encode(JSONRPCResponse(jsonrpc="2.0", id="a", result={"value": value}))
    assert json.loads(line) == {"jsonrpc": "2.0", "id": "a", "result": {"value": written}}


def test_an_answer_that_cannot_be_written_is_an_error_and_a_notification_is_dropped():
    endless = {"value": ["\ud800", 10**5000]}
    answer = json.loads(encode(JSONRPCResponse(jsonrpc="2.0", id=4, result=endless)))
    assert (answer["id"], answer["error"]["code"]) == (4, -32603)
    assert encode(JSONRPCNotification(jsonrpc="2.0", method="m", params=endless)) == b""


def test_the_text_of_an_error_is_mended_too():
    error = ErrorData(code=1, message="half \ud83d", data={"text": "\ud83d"})
    answer = json.loads(encode(JSONRPCError(jsonrpc="2.0", id=None, error=error)))
    assert answer == {
        "jsonrpc": "2.0",
        "id": None,
        "error": {"code": 1, "message": "half \ufffd", "data": {"text": "\ufffd"}},
    }
