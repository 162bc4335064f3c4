"""The renderer: keeps one child process warm, asks it for pictures, and replaces it when it hangs or dies."""

from __future__ import annotations

import json
import os
import re
import threading
from collections.abc import Mapping
from types import TracebackType
from typing import Literal, Self, TypeAlias, get_args

from anyio import CapacityLimiter, to_thread

from talkscope.charts.rendering.process import Child, Request
from talkscope.errors import CannotDraw, InvalidArgument, Json, UsageError
from talkscope.models.text import clean

Kind: TypeAlias = Literal["png", "svg", "pdf"]

VEGA_LITE = "6.4"
"""The version of Vega-Lite that draws a spec which names none, and that is in the bundle."""
MOST_BYTES = 150_000
"""What a PNG may weigh in an answer to a model."""
DEADLINE = 20.0
_LARGEST_SCALE = 8.0
_BUNDLE = Request("bundle", b"", VEGA_LITE, DEADLINE)
_VERSION = re.compile(r"/vega-lite/v(\d+\.\d+)")
_INLINE = frozenset({"values", "datasets"})


class Renderer:
    """Turns specs into pictures, one at a time, in a child process that starts with the first and stays warm.

    Threads and event loops may share it; a forked process gets a child of its own. Nothing is loaded from anywhere: a
    spec holds its data. Close it, or use it as a context manager; a forgotten one ends its child with the interpreter.
    """

    def __init__(self) -> None:
        self._child: Child | None = None
        self._lock = threading.Lock()
        self._process = os.getpid()
        self._closed = False
        self._bundle: str | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def pid(self) -> int | None:
        """The process that draws, where one runs."""
        child = self._child
        return None if child is None or self._process != os.getpid() else child.pid

    def render(
        self,
        spec: Mapping[str, Json],
        kind: Kind,
        *,
        scale: float = 2.0,
        most: int | None = MOST_BYTES,
        deadline: float = DEADLINE,
    ) -> bytes:
        """The picture of a Vega-Lite spec.

        Args:
            spec: The spec, with its data inline.
            kind: `png`, `svg` (UTF-8) or `pdf`.
            scale: Pixels of a PNG for each pixel of the spec; 2 is sharp on every screen.
            most: Bytes that a PNG may have: it is drawn smaller until it fits. None for as many as it takes.
            deadline: Seconds that it may take once it is its turn, the start of the process included.

        Raises:
            CannotDraw: The spec is none, names a URL, or the process that draws cannot be started.
            DeadlineExceeded: It takes longer; the next picture is not affected.
            InvalidArgument: The scale is out of its bounds.
            UsageError: The renderer is closed.
        """
        return self._ask(_request(spec, kind, scale, most, deadline), threading.Event())

    async def arender(
        self,
        spec: Mapping[str, Json],
        kind: Kind,
        *,
        scale: float = 2.0,
        most: int | None = MOST_BYTES,
        deadline: float = DEADLINE,
    ) -> bytes:
        """The same while the event loop goes on; one that is cancelled is drawn to its end and dropped."""
        return await self._asked(_request(spec, kind, scale, most, deadline))

    def bundle(self) -> str:
        """Vega, Vega-Lite and Vega-Embed as one JavaScript text that loads nothing else (0.9 MB).

        Raises what `render` raises.
        """
        if self._bundle is None:
            self._bundle = self._ask(_BUNDLE, threading.Event()).decode()
        return self._bundle

    async def abundle(self) -> str:
        """The same while the event loop goes on."""
        if self._bundle is None:
            self._bundle = (await self._asked(_BUNDLE)).decode()
        return self._bundle

    def close(self) -> None:
        """End the child process, also in the middle of a picture. Closing twice is closing once."""
        self._closed = True
        if self._process != os.getpid():
            self._start_over()
        if self._child is not None:
            self._child.kill()  # whoever waits for a picture lets go of the lock
        with self._lock:
            if self._child is not None:
                self._child.end()

    async def _asked(self, request: Request) -> bytes:
        dropped = threading.Event()
        try:
            # Threads of its own, since those that anyio shares also read stdin; the lock has them draw in turn.
            return await to_thread.run_sync(
                self._ask, request, dropped, abandon_on_cancel=True, limiter=CapacityLimiter(1)
            )
        finally:
            dropped.set()

    def _ask(self, request: Request, dropped: threading.Event) -> bytes:
        if self._process != os.getpid():
            self._start_over()
        with self._lock:
            if self._closed:
                raise UsageError("This renderer is closed.", hint="Make a new one.")
            if dropped.is_set():
                return b""  # nobody waits for this one any more
            answer = self._answer(request)
        if answer is None:
            if self._closed:
                raise UsageError("This renderer was closed while it drew.", hint="Make a new one.")
            raise CannotDraw("The process that draws ended while it drew.")
        if answer[:1] != b"+":
            raise CannotDraw(f"The chart cannot be drawn: {_reason(answer[1:].decode(errors='replace'))}")
        return answer[1:]

    def _answer(self, request: Request) -> bytes | None:
        """What a child answers; one that dies may have been dying when it was asked, and is replaced once."""
        answer = None
        for _ in range(2):
            child = self._child
            if child is None or child.ended:
                child = self._child = Child(self)
            answer = child.ask(request)
            if answer is not None or self._closed:
                break
            child.end()
            self._child = None
        return answer

    def _start_over(self) -> None:
        """Leave the child to the process that this one was forked from, and the lock that a thread of it may hold."""
        if self._child is not None:
            self._child.leave()
        self._child, self._lock, self._process = None, threading.Lock(), os.getpid()


def _request(spec: Mapping[str, Json], kind: Kind, scale: float, most: int | None, deadline: float) -> Request:
    """The request for a picture. Raises InvalidArgument, or CannotDraw for a spec that names a URL."""
    if kind not in get_args(Kind):
        raise InvalidArgument(f"A chart is drawn as {', '.join(get_args(Kind))}, not as {clean(str(kind), 40)!r}.")
    if not 0 < scale <= _LARGEST_SCALE:
        raise InvalidArgument(f"The scale is above 0 and at most {_LARGEST_SCALE:g}, not {scale:g}.")
    _refuse_urls(spec)
    named = _VERSION.search(str(spec.get("$schema", "")))
    version = VEGA_LITE if named is None else named[1]
    return Request(kind, json.dumps(spec).encode(), version, deadline, scale, most)


def _refuse_urls(spec: Mapping[str, Json]) -> None:
    """Raise CannotDraw where a spec would load something; its rows may hold what they like."""
    rest: list[object] = [spec]
    while rest:
        part = rest.pop()
        if isinstance(part, Mapping):
            if "url" in part:
                raise CannotDraw(
                    "The spec names a URL, and nothing is loaded from one.", hint="Put the data into the spec."
                )
            rest += [value for key, value in part.items() if key not in _INLINE]
        elif isinstance(part, list):
            rest += part


def _reason(told: str) -> str:
    """What the child said, without the lines of a stack that ends in a library."""
    lines = [line.strip() for line in told.splitlines()]
    kept = [line for line in lines if line and not line.startswith("at ")]
    return clean(" ".join(kept), 400)
