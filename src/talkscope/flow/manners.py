"""How a service wants to be asked: how often, what its refusals mean, and how long its answers are good for."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from talkscope.errors import TalkscopeError
from talkscope.flow.call import Call

# What is asked for matters to none of these functions.
AnyCall: TypeAlias = Call[Any]

# A service's clock and ours do not run alike, and its window may begin a little after ours.
_MARGIN = 0.05
_SOON = 0.05


@dataclass(frozen=True, slots=True)
class Limit:
    """At most `calls` in `seconds`."""

    calls: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Allowance:
    """What is left of a limit, as an answer's headers say; `reset` is in seconds since 1970."""

    remaining: int
    reset: int


def _one(call: AnyCall) -> str:
    del call
    return "key"


def _none(_: object) -> None:
    return None


def _same(error: TalkscopeError, call: AnyCall) -> TalkscopeError:
    del call
    return error


def _no_other(error: TalkscopeError, call: AnyCall) -> AnyCall | None:
    del error, call
    return None


@dataclass(frozen=True, slots=True)
class Manners:
    """How one service wants to be asked.

    Attributes:
        limits: How often, by bucket; without one, as often as one likes.
        bucket: The limit that a call counts against.
        allowance: What an answer's headers, by lower-case name, say is left; None where they say nothing.
        explained: An error as this service means it, with what to do about it.
        again: The call to make in place of one that was refused so; None where that is the end.
        refresh: Seconds for which an answer to the call is good; None where the service states none.
    """

    limits: Mapping[str, Limit] = field(default_factory=dict)
    bucket: Callable[[AnyCall], str] = _one
    allowance: Callable[[Mapping[str, str]], Allowance | None] = _none
    explained: Callable[[TalkscopeError, AnyCall], TalkscopeError] = _same
    again: Callable[[TalkscopeError, AnyCall], AnyCall | None] = _no_other
    refresh: Callable[[AnyCall], float | None] = _none


@dataclass(slots=True, eq=False)
class Turn:
    """The right to send one request; `ended` is when it was over, for until then the service may yet count it."""

    ended: float = math.inf


class Turns:
    """Who may ask a service when, so that no limit of it is passed: shared by all calls of one client.

    In no span of `seconds` does a service see more than `calls` requests, whenever its own span begins: a request
    counts from when it is sent until `seconds` after it was answered. Times are a clock's that only grows.
    """

    def __init__(self, limits: Mapping[str, Limit]) -> None:
        self._limits = limits
        self._taken: dict[str, list[Turn]] = {name: [] for name in limits}
        self._closed: dict[str, float] = dict.fromkeys(limits, -math.inf)
        self._lock = threading.Lock()

    def take(self, bucket: str, now: float) -> Turn | float:
        """A turn, or the seconds after which to ask for one again."""
        limit = self._limits.get(bucket)
        if limit is None:
            return Turn(now)
        with self._lock:
            if now < self._closed[bucket]:
                return self._closed[bucket] - now
            taken = [turn for turn in self._taken[bucket] if turn.ended + limit.seconds + _MARGIN > now]
            self._taken[bucket] = taken
            if len(taken) < limit.calls:
                turn = Turn()
                taken.append(turn)
                return turn
            first = min(turn.ended for turn in taken)
            return _SOON if math.isinf(first) else first + limit.seconds + _MARGIN - now

    def close(self, bucket: str, until: float) -> None:
        """Let nobody ask before this moment: the service says that the limit is used up."""
        with self._lock:
            if bucket in self._closed:
                self._closed[bucket] = max(self._closed[bucket], until)

    def after_fork(self) -> None:
        """Give a forked child a lock of its own, and no turns that end in the parent only."""
        self._lock = threading.Lock()
        self._taken = {name: [each for each in taken if each.ended < math.inf] for name, taken in self._taken.items()}
