"""The process that draws, as its parent holds it: started, asked, and ended without a trace."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import weakref
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from talkscope.charts.rendering import frames
from talkscope.errors import CannotDraw, DeadlineExceeded
from talkscope.models.text import clean

_PACKAGE = Path(__file__).resolve().parents[3]


@dataclass(frozen=True, slots=True)
class Request:
    """What the child is asked for: a picture of a spec, or the bundle."""

    kind: str
    spec: bytes
    version: str
    seconds: float
    scale: float = 1.0
    most: int | None = None

    def head(self) -> bytes:
        """All but the spec, as the child reads it."""
        told = {name: getattr(self, name) for name in ("kind", "version", "scale", "most", "seconds")}
        return json.dumps(told).encode()


@dataclass(slots=True)
class _Waiting:
    """Whether the deadline has passed for what is being asked."""

    late: bool = False


class Child:
    """The process that draws, as its parent holds it."""

    def __init__(self, owner: object) -> None:
        # What this process may import from, behind what a Python that trusts no folder and no variable imports from.
        code = f"import sys; sys.path.insert(0, {str(_PACKAGE)!a}); sys.path += {[p for p in sys.path if p]!a}; "
        code += f"from {__package__}.child import main; main()"
        try:
            self._process = subprocess.Popen(  # noqa: S603 - our own interpreter and our own words
                [sys.executable, "-I", "-c", code],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                bufsize=0,
                # Windows starts nothing without its environment; elsewhere the child has none that could hold a key.
                env=None if sys.platform == "win32" else {},
                cwd=_PACKAGE,
                creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
            )
        except (OSError, ValueError) as error:
            raise CannotDraw(f"The process that draws cannot be started: {clean(str(error), 200)}.") from None
        self._end = weakref.finalize(owner, _end, self._process, os.getpid())

    @property
    def pid(self) -> int | None:
        """Its number, as long as it has not been reaped."""
        return self._process.pid if self._end.alive else None

    @property
    def ended(self) -> bool:
        """Whether it takes no questions any more; it is reaped then."""
        if self._process.poll() is not None:
            self._end()
        return not self._end.alive

    def ask(self, request: Request) -> bytes | None:
        """What it answers, or None when it ends instead. Raises DeadlineExceeded, and ends it, when it takes longer."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        waiting = _Waiting()

        def stop() -> None:
            waiting.late = True
            self._process.kill()

        alarm = threading.Timer(request.seconds, stop)
        alarm.daemon = True
        alarm.start()
        try:
            frames.write(self._process.stdin, request.head())
            frames.write(self._process.stdin, request.spec)
            answer = frames.read(self._process.stdout)
        except (OSError, ValueError):
            answer = None
        except BaseException:
            self.end()  # its answer to this would be taken for the answer to the next
            raise
        finally:
            alarm.cancel()
            alarm.join()  # one that has begun to kill has killed before anything else is asked
        if answer is None or waiting.late:
            self.end()
        if answer is None and waiting.late:
            raise DeadlineExceeded(
                f"Drawing took longer than {request.seconds:g} s.",
                hint="Ask for the chart's spec, or for fewer points.",
            )
        return answer

    def kill(self) -> None:
        """End it, and leave it to be reaped by `end`."""
        self._process.kill()

    def end(self) -> None:
        """End and reap it; nobody may be asking."""
        self._end()

    def leave(self) -> None:
        """Let go of it in a forked process: it is the parent's."""
        self._end.detach()
        _let_go(self._process)
        self._process.returncode = 0  # it is not to be waited for in here


def _end(process: subprocess.Popen[bytes], parent: int) -> None:
    if os.getpid() != parent:
        return
    process.kill()
    process.wait()
    _let_go(process)


def _let_go(process: subprocess.Popen[bytes]) -> None:
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            with suppress(OSError):
                pipe.close()
