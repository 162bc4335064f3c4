"""What serving on stdio takes from the process: its descriptors, its signals and its end."""

from __future__ import annotations

import os
import signal
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import NoReturn

from mcp.os.win32.utilities import rebind_std_handle_to_fd

from talkscope.server.logs import stderr

_CHUNK = 1 << 16


def leave(code: int) -> NoReturn:
    """End the process now, without waiting for threads that hang; what was logged gets a moment to be written.

    Nothing runs after this, no `finally`, no `atexit`: an interpreter that ends in the usual way joins its threads.
    """

    def flush() -> None:
        with suppress(OSError, ValueError, AttributeError):
            sys.stdout.flush()
        stderr().flush(0.2)

    # In a thread, because a flush waits for a lock that a hung thread may hold.
    with suppress(RuntimeError):  # no thread can be started any more
        last = threading.Thread(target=flush, daemon=True)
        last.start()
        last.join(0.3)
    os._exit(code)


def claim_wire() -> tuple[int, int]:
    """Take stdin and stdout for the protocol: two private descriptors that no child inherits.

    Descriptor 0 is empty afterwards, so that no child eats the client's messages. What anybody prints to descriptor 1,
    C code included, goes to stderr through a pipe that is always read, so that printing never waits for a reader.
    """
    # Where Python found a stream closed when it started, its number is free for any file since: that one is not ours.
    nothing = os.open(os.devnull, os.O_RDWR)
    wire_in, wire_out = nothing, nothing
    if sys.__stdin__ is not None:
        wire_in = _private(0)
        _divert(0, nothing)
    if sys.__stdout__ is not None:
        wire_out = _private(1)
        printed, print_to = os.pipe()
        _divert(1, print_to)
        os.close(print_to)
        threading.Thread(target=_carry, args=(printed,), name="talkscope-printed", daemon=True).start()
        # A new stream, as the old one may take itself for a file's. What is printed to stderr goes the same way.
        sys.stdout = open(1, "w", 1, encoding="utf-8", errors="backslashreplace", closefd=False)  # noqa: SIM115
        sys.stderr = sys.stdout
    return wire_in, wire_out


def _private(fd: int) -> int:
    """A duplicate that no child inherits, and never one of the three standard numbers, should one of them be free."""
    copy = os.dup(fd)
    if copy > 2:
        return copy
    try:
        return _private(fd)
    finally:
        os.close(copy)


def _divert(fd: int, to: int) -> None:
    os.dup2(to, fd)
    with suppress(OSError):
        rebind_std_handle_to_fd(fd)  # Windows gives children its own idea of stdin and stdout; nothing elsewhere


def _carry(printed: int) -> None:
    while chunk := os.read(printed, _CHUNK):
        stderr().offer(chunk)


@contextmanager
def signals(heard: Callable[[int], None]) -> Iterator[None]:
    """Hear SIGINT and SIGTERM in a thread of its own, on every platform and even while the loop is busy.

    Windows has no `loop.add_signal_handler`, and elsewhere it hears nothing while a callback holds the loop. What both
    have is Python's wake-up descriptor: each signal's number is written to it at once. Windows knows Ctrl-Break too.

    Args:
        heard: Called with the exit code that the signal stands for.
    """
    if threading.current_thread() is not threading.main_thread():
        yield  # signals are the main thread's; whoever runs us elsewhere handles them
        return
    names = {"SIGINT": 130, "SIGTERM": 143, "SIGBREAK": 130}
    codes = {int(getattr(signal, name)): code for name, code in names.items() if hasattr(signal, name)}
    ear, mouth = socket.socketpair()
    mouth.setblocking(False)

    def listen() -> None:
        with ear:
            while number := ear.recv(1):
                if number[0] in codes:
                    heard(codes[number[0]])

    before = {number: signal.signal(number, lambda *_: None) for number in codes}
    woken = signal.set_wakeup_fd(mouth.fileno(), warn_on_full_buffer=False)
    threading.Thread(target=listen, name="talkscope-signals", daemon=True).start()
    try:
        yield
    finally:
        signal.set_wakeup_fd(woken)
        for number, handler in before.items():
            signal.signal(number, handler if handler is not None else signal.SIG_DFL)
        mouth.close()
