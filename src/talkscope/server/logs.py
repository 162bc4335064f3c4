"""One line per log record on stderr, without secrets, and without ever waiting for whoever reads it.

An MCP host may never read the server's stderr. A pipe that nobody reads is full after 64 KiB, and a handler that writes
to it then stops the whole server. So records go to a small store in memory, a thread of their own writes them, and what
does not fit is dropped and counted.
"""

from __future__ import annotations

import logging
import os
import re
import select
import sys
import threading
from collections import deque
from functools import cache
from pathlib import Path

from talkscope.models.text import clean

logger = logging.getLogger(__name__)

_ROOM = 1 << 20
_SEEN = 8_000  # characters of a text that are looked at: a message may hold megabytes of somebody's arguments
_LINE = 2_000
_TEXT = 300

_SECRETS: tuple[tuple[re.Pattern[str], str], ...] = (
    # Most pydantic errors quote the value that they refuse.
    (re.compile(r"input_value=.{0,2000}?(?=, input_type=|$)", re.DOTALL), "input_value=…"),
    (re.compile(r"(https?://)[^\s/@'\"]+@", re.IGNORECASE), r"\1…@"),
    (re.compile(r"(https?://[^\s?'\"]+)\?[^\s'\"]+", re.IGNORECASE), r"\1?…"),
    (re.compile(r"\b(bearer|basic)\s+[\w.~+/=-]{4,}", re.IGNORECASE), r"\1 …"),
    (
        re.compile(
            r"""((?:authorization|cookie|passw(?:or)?d|secret|token|credential|signature|(?:api|access|x-api)?[-_]?key)s?
            ["']?\s*[:=]\s*["']?)(?!…|(?:bearer|basic)\s…|\d+\b)[^\s"',;&)}\]]{4,}""",
            re.IGNORECASE | re.VERBOSE,
        ),
        r"\1…",
    ),
    (re.compile(r"\b(?:ck|sk|pk|rk|tsk)[-_](?:(?:live|test|proj|ant)[-_])?[\w-]{8,}"), "…"),
    (re.compile(r"\b(?:gh[pousr]_|github_pat_|xox[abprs]-|AKIA|AIza)[\w-]{8,}"), "…"),
    (re.compile(r"\beyJ[\w-]{6,}\.[\w-]+(?:\.[\w-]*)?"), "…"),
)


def redact(text: str) -> str:
    """The text without what looks like a key, a token, a password, a query string or a refused argument."""
    for pattern, instead in _SECRETS:
        text = pattern.sub(instead, text)
    return text


def write_all(fd: int, data: bytes) -> None:
    """Write all of it, however often that takes.

    Raises:
        OSError: Nobody can read it any more.
    """
    rest = memoryview(data)
    while rest:
        try:
            rest = rest[os.write(fd, rest) :]
        except BlockingIOError:  # a parent may have made its end, and so ours, non-blocking
            select.select([], [fd], [])


class Sink:
    """Takes bytes for a descriptor and returns at once; drops what does not fit while nobody reads."""

    def __init__(self, fd: int, room: int = _ROOM) -> None:
        self._fd = fd
        self._room = room
        self._waiting: deque[bytes] = deque()
        self._held = 0
        self._dropped = 0
        self._open = True
        self._thread: threading.Thread | None = None
        self._changed = threading.Condition()

    def offer(self, data: bytes) -> None:
        """Have the data written soon, or dropped when there is no room for it."""
        with self._changed:
            if not self._open or self._held + len(data) > self._room:
                self._dropped += 1
                return
            self._waiting.append(data)
            self._held += len(data)
            if self._thread is None:
                self._thread = threading.Thread(target=self._write, name="talkscope-stderr", daemon=True)
                self._thread.start()
            self._changed.notify_all()

    def flush(self, seconds: float) -> bool:
        """Wait until all of it is written, but no longer than this; whether it is."""
        with self._changed:
            return self._changed.wait_for(lambda: not self._held or not self._open, seconds)

    def _write(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._waiting)
                data = self._waiting.popleft()
            try:
                write_all(self._fd, data)
            except OSError:
                with self._changed:
                    self._open = False
                    self._waiting.clear()
                    self._changed.notify_all()
                return
            with self._changed:
                self._held -= len(data)
                if self._dropped and not self._waiting:
                    note = f"talkscope: {self._dropped} log lines were dropped, because nobody read stderr\n".encode()
                    self._dropped = 0
                    self._waiting.append(note)
                    self._held += len(note)
                self._changed.notify_all()


@cache
def stderr() -> Sink:
    """The process's stderr, for everybody who must not wait for its reader."""
    # Where Python found stderr closed when it started, descriptor 2 is any file that was opened since.
    return Sink(2 if sys.__stderr__ is not None else os.open(os.devnull, os.O_WRONLY))


def in_one_line(error: BaseException) -> str:
    """What went wrong and where: the first cause's type, its text without secrets, and the line that raised it."""
    seen = 0
    while seen < 20:  # a chain of causes may be a ring
        seen += 1
        if isinstance(error, BaseExceptionGroup):
            error = error.exceptions[0]
        elif error.__cause__ is not None:
            error = error.__cause__
        else:
            break
    try:
        text = clean(redact(str(error)[:_SEEN]), _TEXT)
    except Exception:  # noqa: BLE001 - an exception that cannot be printed must not hide that it was raised
        text = "(no text)"
    frame = error.__traceback__
    while frame is not None and frame.tb_next is not None:
        frame = frame.tb_next
    where = f" at {Path(frame.tb_frame.f_code.co_filename).name}:{frame.tb_lineno}" if frame is not None else ""
    return f"{type(error).__name__}: {text}{where}"


class OneLine(logging.Formatter):
    """A record as one line of at most 2,000 characters, without secrets and without a traceback."""

    def format(self, record: logging.LogRecord) -> str:
        """The line, without its end."""
        line = f"{record.levelname} {record.name}: {redact(record.getMessage()[:_SEEN])}"
        if record.exc_info and record.exc_info[1] is not None:
            line = f"{clean(line, _LINE - 2 * _TEXT)} | {in_one_line(record.exc_info[1])}"
        return clean(line, _LINE)


class SinkHandler(logging.Handler):
    """Hands each record to a sink as one line, and never fails."""

    def __init__(self, sink: Sink) -> None:
        super().__init__()
        self._sink = sink
        self.setFormatter(OneLine())

    def emit(self, record: logging.LogRecord) -> None:
        """Take the record."""
        try:
            line = self.format(record)
        except Exception:  # noqa: BLE001 - whatever a caller passed to a logger, the caller goes on
            line = f"{record.levelname} {record.name}: a log record that could not be formatted"
        self._sink.offer(line.encode("utf-8", "replace") + b"\n")


def configure_logging(level: str = "WARNING") -> None:
    """Send what is logged, warned or raised where nobody catches it to stderr, one line each.

    Call it before an `MCPServer` is made, which would otherwise install a handler that prints coloured tracebacks with
    the values of arguments and waits for stderr to be read. At INFO the SDK logs the text of calls that were refused.

    Args:
        level: The least level that is written: DEBUG, INFO, WARNING, ERROR or CRITICAL.

    Raises:
        ValueError: There is no such level.
    """
    root = logging.getLogger()
    root.setLevel(level.upper())
    for handler in list(root.handlers):
        root.removeHandler(handler)
    root.addHandler(SinkHandler(stderr()))
    logging.raiseExceptions = False
    logging.captureWarnings(capture=True)
    threading.excepthook = _thread_failed
    sys.unraisablehook = _not_raised


def _thread_failed(args: threading.ExceptHookArgs) -> None:
    name = args.thread.name if args.thread is not None else "a thread"
    _log(f"{name} failed", args.exc_value)


def _not_raised(args: sys.UnraisableHookArgs) -> None:
    _log(args.err_msg or "Exception ignored", args.exc_value)


def _log(message: str, error: BaseException | None) -> None:
    if error is not None:
        logger.error("%s", message, exc_info=(type(error), error, error.__traceback__))
