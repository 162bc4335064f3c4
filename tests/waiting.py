"""Waiting for what must come: a minute is the net under it, generous on any machine, and measures nothing."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import anyio

SAFETY = 60.0
"""Seconds that anything may take before a test says that it does not come at all."""
_OFTEN = 0.005


def _pause() -> None:
    threading.Event().wait(_OFTEN)


def until(reached: Callable[[], object], what: str, *, meanwhile: Callable[[], object] = _pause) -> None:
    """Wait until it is reached, and do `meanwhile` again and again.

    Raises:
        TimeoutError: It did not come.
    """
    end = time.monotonic() + SAFETY
    while not reached():
        if time.monotonic() > end:
            raise TimeoutError(f"in {SAFETY:g} s this did not come: {what}")
        meanwhile()


async def until_async(reached: Callable[[], object], what: str) -> None:
    """The same in an event loop, which goes on meanwhile."""
    end = time.monotonic() + SAFETY
    while not reached():
        if time.monotonic() > end:
            raise TimeoutError(f"in {SAFETY:g} s this did not come: {what}")
        await anyio.sleep(_OFTEN)
