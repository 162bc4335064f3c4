from __future__ import annotations

import logging
import os
import subprocess
import sys
import threading
from contextlib import suppress

import pytest
from pydantic import BaseModel

from talkscope.server.logs import OneLine, Sink, SinkHandler, in_one_line, redact


@pytest.mark.parametrize(
    "secret",
    [
        "ck_live_4f9d2c1b7a6e",
        "api_key=4f9d2c1b7a6e",
        "CONVAI-API-KEY: 4f9d2c1b7a6e",
        "{'token': '4f9d2c1b7a6e'}",
        '{"access_token":"4f9d2c1b7a6e"}',
        "Authorization: Bearer 4f9d2c1b7a6e",
        "authorization: Basic 4f9d2c1b7a6e==",
        "authorization=4f9d2c1b7a6e",
        "password = 4f9d2c1b7a6e",
        "sent with bearer 4f9d2c1b7a6e",
        "sk-proj-4f9d2c1b7a6e",
        "ghp_4f9d2c1b7a6e",
        "eyJhbGciOi.4f9d2c1b7a6e.c2ln",
        "https://user:4f9d2c1b7a6e@example.com/path",
        "https://example.com/path?q=4f9d2c1b7a6e",
        "input_value='4f9d2c1b7a6e', input_type=str",
    ],
)
def test_what_looks_like_a_secret_is_left_out(secret):
    assert "4f9d2c1b7a6e" not in redact(f"before {secret} after")
    assert redact(f"before {secret} after").startswith("before ")


@pytest.mark.parametrize(
    "plain",
    [
        "Tool 'get_summary' raised an unexpected exception",
        "session 0b1d4c1e-6a5f-4b1e-9f7a-3f1f0b1d4c1e not found",
        "input_tokens=123456 output_tokens=99",
        "https://example.com/v1/ask/summary answered 404",
        "nothing to do at 12:30",
    ],
)
def test_what_is_no_secret_is_kept(plain):
    assert redact(plain) == plain


def raised(error):
    try:
        raise error
    except type(error) as caught:
        return caught


def test_an_exception_is_one_line_with_its_first_cause_and_where_it_was_raised():
    cause = raised(LookupError("no such\nsession \x1b[31m token=4f9d2c1b7a6e"))
    try:
        raise RuntimeError("outer") from cause
    except RuntimeError as error:
        line = in_one_line(error)
    assert line.startswith("LookupError: no such session [31m token=… at test_logs.py:")
    assert in_one_line(ExceptionGroup("several", [cause])) == line


def test_a_ring_of_causes_and_an_exception_without_text_are_no_trouble():
    class Mute(Exception):
        def __str__(self):
            raise OSError

    one, two = raised(ValueError("one")), raised(ValueError("two"))
    one.__cause__, two.__cause__ = two, one
    assert in_one_line(one).startswith("ValueError: ")
    assert in_one_line(Mute()) == "Mute: (no text)"


def test_a_refused_argument_is_not_logged():
    class Arguments(BaseModel):
        limit: int

    with pytest.raises(ValueError, match="limit") as refused:
        Arguments.model_validate({"limit": "my private\ntext"})
    line = in_one_line(refused.value)
    assert "limit" in line
    assert "private" not in line


@pytest.fixture
def pipe():
    ends = os.pipe()
    yield ends
    for end in ends:
        with suppress(OSError):
            os.close(end)


def record(message, *args, error=None):
    info = (type(error), error, error.__traceback__) if error is not None else None
    return logging.LogRecord("name", logging.ERROR, __file__, 1, message, args, info)


def test_a_record_is_one_line_however_long_its_message(pipe):
    error = raised(ValueError("why"))
    line = OneLine().format(record("text %s\nmore", "z" * 100_000, error=error))
    assert line.startswith("ERROR name: text zzz")
    assert "ValueError: why at test_logs.py:" in line
    assert len(line) <= 2000
    assert "\n" not in line


def test_a_record_that_cannot_be_formatted_is_reported_and_nothing_is_raised(pipe):
    receive, send = pipe
    sink = Sink(send)
    SinkHandler(sink).emit(record("%d", "no number"))
    SinkHandler(sink).emit(record("half \ud83d"))
    assert sink.flush(60)
    assert os.read(receive, 1000).decode().splitlines() == [
        "ERROR name: a log record that could not be formatted",
        "ERROR name: half \ufffd",
    ]


def test_nobody_waits_for_a_reader_and_what_was_dropped_is_counted(pipe):
    receive, send = pipe
    sink = Sink(send, room=300_000)
    for _ in range(1000):
        sink.offer(b"x" * 999 + b"\n")
    assert not sink.flush(0)
    got = bytearray()
    while not got.endswith(b"read stderr\n"):
        got += os.read(receive, 65_536)
    *kept, note = got.decode().splitlines()
    assert len(kept) < 1000
    assert note == f"talkscope: {1000 - len(kept)} log lines were dropped, because nobody read stderr"
    assert sink.flush(60)


def test_a_reader_that_is_gone_is_no_trouble(pipe):
    receive, send = pipe
    os.close(receive)
    sink = Sink(send)
    for _ in range(3):
        sink.offer(b"line\n")
        assert sink.flush(60)


def test_threads_that_end_before_their_line_is_written_lose_nothing(pipe):
    receive, send = pipe
    sink = Sink(send)
    threads = [threading.Thread(target=sink.offer, args=(b"line\n",)) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sink.flush(60)
    assert os.read(receive, 1000) == b"line\n" * 20


PROGRAM = """
import logging, sys, threading, warnings
from talkscope.server.logs import configure_logging, stderr
assert not [name for name in sys.modules if name.split(".")[0] in ("mcp", "mcp_types")]
logging.basicConfig(format="other handler %(message)s")
configure_logging()
logging.getLogger("a").info("left out")
logging.getLogger("a").warning("kept %s", "here")
warnings.warn("outdated", DeprecationWarning, stacklevel=1)
def fail(): raise ValueError("token=4f9d2c1b7a6e")
thread = threading.Thread(target=fail, name="worker"); thread.start(); thread.join()
class Bad:
    def __del__(self): raise OSError("in del")
Bad()
try: fail()
except ValueError: logging.getLogger("b").exception("failed")
try: configure_logging("LOUD")
except ValueError as error: assert "LOUD" in str(error)
assert stderr().flush(60)
"""


def test_one_call_sends_logs_warnings_and_stray_exceptions_to_stderr_in_single_lines():
    done = subprocess.run(
        [sys.executable, "-W", "default", "-c", PROGRAM], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    # From 3.13 on a warning's line has its source too.
    lines = [line.partition("   warnings.warn(")[0] for line in done.stderr.splitlines()]
    assert lines == [
        "WARNING a: kept here",
        "WARNING py.warnings: <string>:9: DeprecationWarning: outdated",
        "ERROR talkscope.server.logs: worker failed | ValueError: token=… at <string>:10",
        "ERROR talkscope.server.logs: Exception ignored | OSError: in del at <string>:13",
        "ERROR b: failed | ValueError: token=… at <string>:10",
    ]


NO_STDERR = """
import logging, sys
from talkscope.server.logs import configure_logging, stderr
with open(sys.argv[1], "w") as file:
    assert file.fileno() == 2
    configure_logging()
    logging.getLogger("a").warning("no line for a file")
    assert stderr().flush(60)
"""


def test_where_there_is_no_stderr_no_other_file_gets_its_lines(tmp_path):
    file = tmp_path / "file"
    shell = ["sh", "-c", 'exec "$@" 2>&-', "sh", sys.executable, "-c", NO_STDERR, str(file)]
    assert subprocess.run(shell, timeout=60, check=False).returncode == 0
    assert file.read_bytes() == b""
