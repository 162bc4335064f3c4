"""Answers that a service recommends not to ask for again yet, with their age: the only answers that are ever kept."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar, cast

from talkscope.flow import AnyCall, Call

T = TypeVar("T")

_MOST = 256


@dataclass(frozen=True, slots=True)
class Recent(Generic[T]):
    """An answer, and how many seconds ago it came; 0 for one that was just asked for."""

    answer: T
    age: float = 0.0


class Answers:
    """The newest answers to calls, each kept for as long as `refresh` says that it is good."""

    def __init__(self, refresh: Callable[[AnyCall], float | None], clock: Callable[[], float]) -> None:
        self._refresh = refresh
        self._clock = clock
        self._kept: OrderedDict[tuple[object, ...], tuple[float, object]] = OrderedDict()
        self._lock = threading.Lock()

    def find(self, call: Call[T]) -> Recent[T] | None:
        """The answer that is still good, if there is one."""
        good = self._refresh(call)
        with self._lock:
            kept = self._kept.get(_key(call)) if good is not None else None
        if kept is None or good is None:
            return None
        age = self._clock() - kept[0]
        return Recent(cast("T", kept[1]), age) if age < good else None

    def keep(self, call: Call[T], answer: T) -> None:
        """Remember the answer, where the service says how long it is good."""
        if self._refresh(call) is None:
            return
        with self._lock:
            self._kept[_key(call)] = (self._clock(), answer)
            self._kept.move_to_end(_key(call))
            while len(self._kept) > _MOST:
                self._kept.popitem(last=False)

    def after_fork(self) -> None:
        """Give a forked child a lock of its own: another thread may have held the parent's."""
        self._lock = threading.Lock()


def _key(call: AnyCall) -> tuple[object, ...]:
    return call.method, call.path, call.params, repr(call.body)
