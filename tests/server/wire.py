"""A stdio MCP client that knows nothing but pipes and JSON lines, so that a test can be as rude as it likes."""

from __future__ import annotations

import json
import queue
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from io import BufferedReader, BufferedWriter
from pathlib import Path
from typing import Any, Self, cast

from tests.server.forking import Forked
from tests.waiting import SAFETY, until

FIXTURE = [sys.executable, str(Path(__file__).with_name("fixture_server.py"))]
"""The server whose tools misbehave."""
PATIENT = [*FIXTURE, "3600"]
"""The same, but it gives what hangs an hour: what ends it earlier is no clock."""
HASTY = [*FIXTURE, "0.2"]
"""The same, but it gives what hangs a fifth of a second."""
MODERN = "2026-07-28"
HANDSHAKE = "2025-11-25"
_PREFIX = "io.modelcontextprotocol/"


def enveloped(params: Mapping[str, Any] | None = None, version: str = MODERN) -> dict[str, Any]:
    """The parameters of a request of the stateless era: each says its version, its client and what that can do."""
    meta = {
        f"{_PREFIX}protocolVersion": version,
        f"{_PREFIX}clientInfo": {"name": "wire", "version": "1"},
        f"{_PREFIX}clientCapabilities": {},
    }
    return {**(params or {}), "_meta": meta}


class Wire:
    """A server process and its three pipes.

    Args:
        argv: The program and its arguments.
        env: Its environment; ours when none is given.
        reads_stdout: False leaves stdout full of what the server writes.
        reads_stderr: The same for stderr.
        forked: Start it from a process that has loaded what servers import, which spares half a second.
    """

    def __init__(
        self,
        argv: Sequence[str],
        env: Mapping[str, str] | None = None,
        *,
        reads_stdout: bool = True,
        reads_stderr: bool = True,
        forked: bool = False,
    ) -> None:
        pipe = subprocess.PIPE
        self.process = (
            Forked(argv, env)
            if forked
            else subprocess.Popen(argv, stdin=pipe, stdout=pipe, stderr=pipe, env=dict(env) if env else None)
        )
        self._stdin = cast("BufferedWriter", self.process.stdin)
        self.stdout = cast("BufferedReader", self.process.stdout)
        self._stderr = cast("BufferedReader", self.process.stderr)
        self._arrived: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        self._kept: deque[dict[str, Any]] = deque()
        self._logged: list[bytes] = []
        self._next_id = 0
        self._writer = ThreadPoolExecutor(1)
        self._readers = [
            threading.Thread(target=work, daemon=True)
            for work, wanted in ((self._read_stdout, reads_stdout), (self._read_stderr, reads_stderr))
            if wanted
        ]
        for reader in self._readers:
            reader.start()

    def _read_stdout(self) -> None:
        for line in self.stdout:
            self._arrived.put(line)
        self._arrived.put(None)

    def _read_stderr(self) -> None:
        while chunk := self._stderr.read1():
            self._logged.append(chunk)

    # Sending

    def send_raw(self, data: bytes, timeout: float = SAFETY) -> None:
        """Send these bytes as they are.

        Raises:
            TimeoutError: The server did not read them in time.
            BrokenPipeError: The server has ended.
        """
        self._writer.submit(self._send, data).result(timeout)

    def _send(self, data: bytes) -> None:
        self._stdin.write(data)
        self._stdin.flush()

    def send(self, message: object) -> None:
        """Send this as one line of JSON."""
        self.send_raw(json.dumps(message).encode() + b"\n")

    def notify(self, method: str, params: Mapping[str, Any] | None = None) -> None:
        """Send a notification."""
        self.send({"jsonrpc": "2.0", "method": method, **({} if params is None else {"params": params})})

    def begin(self, method: str, params: Mapping[str, Any] | None = None) -> int:
        """Send a request and do not wait for its answer; its id."""
        self._next_id += 1
        given = {} if params is None else {"params": params}
        self.send({"jsonrpc": "2.0", "id": self._next_id, "method": method, **given})
        return self._next_id

    def request(self, method: str, params: Mapping[str, Any] | None = None, timeout: float = SAFETY) -> dict[str, Any]:
        """Send a request and wait for its answer: the whole message, with `result` or `error`."""
        return self.answer(self.begin(method, params), timeout)

    def call(self, tool: str, timeout: float = SAFETY, **arguments: Any) -> dict[str, Any]:
        """Call a tool and wait for the whole answer."""
        return self.request("tools/call", {"name": tool, "arguments": arguments}, timeout)

    def handshake(self, version: str = HANDSHAKE) -> dict[str, Any]:
        """Shake hands as the era before 2026 does; the server's answer."""
        client = {"name": "wire", "version": "1"}
        opening = {"protocolVersion": version, "capabilities": {}, "clientInfo": client}
        answer = self.request("initialize", opening)
        self.notify("notifications/initialized")
        return answer

    # Receiving

    def read_message(self, timeout: float = SAFETY) -> dict[str, Any]:
        """The next message that nobody has taken.

        Raises:
            TimeoutError: None came in time.
            EOFError: The server has closed its stdout.
            AssertionError: What came is not a line of JSON-RPC.
        """
        return self._kept.popleft() if self._kept else self._receive(timeout)

    def answer(self, request_id: object, timeout: float = SAFETY) -> dict[str, Any]:
        """The answer to this request; what else comes meanwhile is kept for `read_message`."""
        until = time.monotonic() + timeout
        for message in list(self._kept):
            if _answers(message, request_id):
                self._kept.remove(message)
                return message
        while True:
            message = self._receive(until - time.monotonic())
            if _answers(message, request_id):
                return message
            self._kept.append(message)

    def _receive(self, timeout: float) -> dict[str, Any]:
        try:
            line = self._arrived.get(timeout=max(0.001, timeout))
        except queue.Empty:
            raise TimeoutError(f"no message in time; stderr: {self.stderr[-2000:]!r}") from None
        if line is None:
            self._arrived.put(None)
            raise EOFError(f"the server closed its stdout; stderr: {self.stderr[-2000:]!r}")
        try:
            message = json.loads(line)
        except ValueError:
            raise AssertionError(f"not protocol: {line[:200]!r}") from None
        assert isinstance(message, dict), f"not protocol: {line[:200]!r}"
        assert message.get("jsonrpc") == "2.0", f"not protocol: {line[:200]!r}"
        return message

    @property
    def stderr(self) -> str:
        """What the server has written to stderr so far."""
        return b"".join(self._logged).decode("utf-8", "replace")

    def until_logged(self, words: str) -> None:
        """Wait until stderr has these words. Raises TimeoutError when they do not come."""
        until(lambda: words in self.stderr, f"{words!r} on stderr")

    # Ending

    def end_input(self) -> None:
        """Close the server's stdin."""
        with suppress(BrokenPipeError):
            self._stdin.close()

    def wait(self, timeout: float = SAFETY) -> int:
        """The exit code, once the process has ended by itself and everything it wrote has been read.

        Raises:
            subprocess.TimeoutExpired: It did not end in time.
            TimeoutError: It ended, but somebody else holds its stdout or stderr open.
        """
        code = self.process.wait(timeout)
        for reader in self._readers:
            reader.join(timeout)
            if reader.is_alive():
                raise TimeoutError(f"the process ended with {code}, its output did not")
        return code

    def close(self, timeout: float = SAFETY) -> int:
        """End the server's input and wait for its exit code."""
        self.end_input()
        return self.wait(timeout)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *raised: object) -> None:
        self.process.kill()
        self.process.wait(SAFETY)
        self._writer.shutdown()
        self.end_input()
        for reader in self._readers:
            reader.join(SAFETY)
        self.stdout.close()
        self._stderr.close()


def _answers(message: Mapping[str, Any], request_id: object) -> bool:
    return "method" not in message and message.get("id") == request_id


def text(answer: Mapping[str, Any]) -> str:
    """The text of a tool's answer."""
    found = answer["result"]["content"][0]["text"]
    assert isinstance(found, str)
    return found


def well(wire: Wire) -> bool:
    """Whether the fixture's server answers as it should."""
    return text(wire.call("echo", text="well")) == "well"
