"""Processes that start at once: one that has loaded what servers import forks another for whoever asks.

Each is a process of its own, with its own pid, pipes, signals and end; only its imports were made before it began.
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import runpy
import select
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from io import BufferedReader, BufferedWriter
from pathlib import Path
from typing import NoReturn

from tests.waiting import SAFETY

LOADED = ("talkscope.server.calls", "talkscope.server.opening", "talkscope.server.stdio", "talkscope.settings")
_ROOT = Path(__file__).parents[2]
_ROOM = 1 << 16


class Forked:
    """A Python program with three pipes, as `subprocess.Popen` would show it.

    Args:
        argv: The program as for `Popen`: an interpreter, then a file or `-m` and a module, then its arguments.
        env: Its environment; ours when none is given.
    """

    def __init__(self, argv: Sequence[str], env: Mapping[str, str] | None = None) -> None:
        ours, theirs = socket.socketpair()
        inlet, self_in = os.pipe()
        self_out, outlet = os.pipe()
        self_err, errors = os.pipe()
        given = [inlet, outlet, errors, theirs.fileno()]
        wanted = {"argv": list(argv[1:]), "env": dict(os.environ if env is None else env)}
        socket.send_fds(source.asked(), [json.dumps(wanted).encode() + b"\n"], given)
        for fd in given[:3]:
            os.close(fd)
        theirs.close()
        self._told = ours.makefile("rb")
        ours.close()
        self.pid = int(self._told.readline())
        self.returncode: int | None = None
        self.stdin: BufferedWriter = os.fdopen(self_in, "wb")
        self.stdout: BufferedReader = os.fdopen(self_out, "rb")
        self.stderr: BufferedReader = os.fdopen(self_err, "rb")

    def poll(self) -> int | None:
        """The exit code, or None as long as it runs."""
        return self._ended(0)

    def wait(self, timeout: float | None = None) -> int:
        """Its exit code; a negative one is a signal's number.

        Raises:
            subprocess.TimeoutExpired: It did not end in time.
        """
        code = self._ended(timeout)
        if code is None:
            raise subprocess.TimeoutExpired(str(self.pid), timeout or 0)
        return code

    def _ended(self, timeout: float | None) -> int | None:
        if self.returncode is None and select.select([self._told], [], [], timeout)[0]:
            self.returncode = os.waitstatus_to_exitcode(int(self._told.readline()))
            self._told.close()
        return self.returncode

    def send_signal(self, number: int) -> None:
        """Send this signal, unless it has ended."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        """End it at once, unless it has ended."""
        self.send_signal(signal.SIGKILL)


class Source:
    """The process that forks: started with the first program, ended by `close`."""

    def __init__(self) -> None:
        self._asked: socket.socket | None = None
        self._process: subprocess.Popen[bytes] | None = None

    def asked(self) -> socket.socket:
        """The way to it."""
        if self._asked is None:
            self._asked, theirs = socket.socketpair()
            env = {**os.environ, "PYTHONPATH": os.pathsep.join([str(_ROOT / "src"), str(_ROOT)])}
            argv = [sys.executable, "-m", "tests.server.forking", str(theirs.fileno())]
            self._process = subprocess.Popen(argv, env=env, stdin=subprocess.DEVNULL, pass_fds=[theirs.fileno()])
            theirs.close()
        return self._asked

    def close(self) -> None:
        """Let it end."""
        if self._asked is not None and self._process is not None:
            self._asked.close()
            self._process.wait(SAFETY)
            self._asked = self._process = None


source = Source()


def _fork_for_all(asked: socket.socket) -> None:
    for name in LOADED:
        importlib.import_module(name)
    gc.freeze()
    while True:
        message, fds, _, _ = socket.recv_fds(asked, _ROOM, 4)
        if not message:
            return
        while not message.endswith(b"\n"):
            message += asked.recv(_ROOM)
        if os.fork() == 0:
            asked.close()
            _watch(fds, **json.loads(message))
        for fd in fds:
            os.close(fd)
        with suppress(ChildProcessError):
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass


def _watch(fds: list[int], argv: list[str], env: dict[str, str]) -> NoReturn:
    """Fork the program, tell its pid, and how it ended."""
    *streams, tell = fds
    pid = os.fork()
    if pid == 0:
        os.close(tell)
        _become(streams, argv, env)
    for fd in streams:
        os.close(fd)
    with suppress(BrokenPipeError):  # whoever asked is gone
        os.write(tell, f"{pid}\n".encode())
        os.write(tell, f"{os.waitpid(pid, 0)[1]}\n".encode())
    os._exit(0)


def _become(streams: list[int], argv: list[str], env: dict[str, str]) -> NoReturn:
    for number, fd in enumerate(streams):
        os.dup2(fd, number)
        os.close(fd)
    os.environ.clear()
    os.environ.update(env)
    try:
        if argv[0] == "-m":
            sys.argv = argv[1:]
            runpy.run_module(argv[1], run_name="__main__", alter_sys=True)
        else:
            sys.argv = argv
            runpy.run_path(argv[0], run_name="__main__")
    finally:
        os._exit(70)  # a server ends by itself, and never comes here


if __name__ == "__main__":
    with socket.socket(fileno=int(sys.argv[1])) as asked:
        _fork_for_all(asked)
