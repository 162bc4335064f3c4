"""A call, asked until there is an answer or an error: retries, waiting and the deadline, as a generator.

Retried are reads only, after a connection failure, a timeout, 502, 503, 504, or a 429 that says to come back within a
minute; never a used-up quota; never past the call's deadline or the client's retry budget.
"""

from __future__ import annotations

import json
import random
import threading
import time
from collections.abc import Callable, Generator
from dataclasses import dataclass, replace
from itertools import count
from typing import TypeAlias, TypeVar

from pydantic import SecretStr

from talkscope.errors import (
    AnswerTooLarge,
    BadAnswer,
    ConnectionFailed,
    DeadlineExceeded,
    InvalidArgument,
    TalkscopeError,
    bare,
)
from talkscope.flow.call import CAP, Call, Failed, Reply, Request, Wait
from talkscope.flow.reading import read
from talkscope.flow.refusals import error_of, is_quota
from talkscope.flow.wording import shown
from talkscope.models.text import whole

T = TypeVar("T")
Steps: TypeAlias = Generator[Request | Wait, Reply | Failed | None, T]

_RETRIED = {429, 502, 503, 504}
# Timers of a socket and of ours may differ by this much, in seconds.
_SLACK = 0.005


@dataclass(frozen=True, slots=True)
class Policy:
    """How long and how often one call is tried. Seconds and bytes.

    Attributes:
        deadline: for everything that one call does, waiting and retries included.
        cap: most bytes of a decoded answer.
        attempts: most requests of one call.
        first_wait: the longest first pause; it doubles with each further one.
        longest_wait: where doubling ends.
        patience: the longest Retry-After that is slept through.
        connect: for reaching the service, each time.
    """

    deadline: float = 30.0
    cap: int = CAP
    attempts: int = 4
    first_wait: float = 0.5
    longest_wait: float = 8.0
    patience: float = 60.0
    connect: float = 10.0


@dataclass(frozen=True, slots=True)
class Clock:
    """Where time and chance come from: seconds that only grow, seconds since 1970, and a number in [0, 1)."""

    monotonic: Callable[[], float] = time.monotonic
    wall: Callable[[], float] = time.time
    chance: Callable[[], float] = random.random


class RetryBudget:
    """The retries that all calls of one client share, so that callers do not multiply a service's trouble.

    A retry takes one token of ten, an answer gives a fifth back: about 1.2 requests a call in the long run, and ten
    more in all while nothing is answered.
    """

    def __init__(self, tokens: float = 10.0, earned: float = 0.2) -> None:
        self._most = self._tokens = tokens
        self._earned = earned
        self._lock = threading.Lock()

    def spend(self) -> bool:
        """Take the token for one retry, if there is one."""
        with self._lock:
            # Ten times 0.1 is a little less than one.
            if self._tokens < 1 - 1e-9:
                return False
            self._tokens -= 1
            return True

    def earn(self) -> None:
        """Count one answered call."""
        with self._lock:
            self._tokens = min(self._most, self._tokens + self._earned)

    def after_fork(self) -> None:
        """Give a forked child a lock of its own: another thread may have held the parent's."""
        self._lock = threading.Lock()


def run(
    call: Call[T],
    policy: Policy | None = None,
    budget: RetryBudget | None = None,
    *,
    clock: Clock | None = None,
    key: SecretStr | None = None,
) -> Steps[T]:
    """Ask the call: yields what to send or how long to wait, returns the typed answer.

    Send it a Reply or a Failed for each Request, and None after each Wait. `key` is what error texts must not show.
    Raises the error tree of `talkscope.errors`, and nothing else.
    """
    policy, budget, clock = policy or Policy(), budget or RetryBudget(), clock or Clock()
    deadline = policy.deadline if call.deadline is None else call.deadline
    until = clock.monotonic() + deadline
    request = _request(call, policy, deadline)
    for attempt in count(1):
        reply = yield request
        if isinstance(reply, Reply) and 200 <= reply.status < 300:
            try:
                answer = read(call, reply, key)
            except TalkscopeError as error:
                # The frames of the reading hold what the service sent.
                raise bare(error) from None
            budget.earn()
            return answer
        assert reply is not None
        left = until - clock.monotonic()
        trouble = _error(reply, request.cap, deadline, left, clock, key)
        pause = _pause(trouble, reply, attempt, policy, clock) if call.read_only else None
        if pause is None or pause >= left or not budget.spend():
            raise trouble
        yield Wait(pause)
        left = until - clock.monotonic()
        if left <= 0:
            raise trouble
        request = replace(request, timeout=left)
    raise AssertionError("counting does not end")


def _request(call: Call[T], policy: Policy, deadline: float) -> Request:
    headers = {"accept": "application/json"}
    body = None
    if call.body is not None:
        headers["content-type"] = "application/json"
        try:
            text = json.dumps(call.body, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
        except (TypeError, ValueError, RecursionError):
            raise InvalidArgument(
                "The request's body is not JSON: a number is not finite, or a value has no form."
            ) from None
        body = whole(text).encode()
    cap = policy.cap if call.cap is None else call.cap
    return Request(call.method, call.path, call.params, headers, body, cap, deadline)


def _error(
    reply: Reply | Failed, cap: int, deadline: float, left: float, clock: Clock, key: SecretStr | None
) -> TalkscopeError:
    if isinstance(reply, Reply):
        return error_of(reply, now=clock.wall(), key=key)
    if reply.kind == "timeout" or (reply.kind == "connect" and left <= _SLACK):
        return DeadlineExceeded(f"There was no whole answer within {deadline:g} s.")
    reason = shown(reply.reason, 200, key)
    if reply.kind == "connect":
        return ConnectionFailed(f"The service did not answer: {reason}." if reason else "The service did not answer.")
    if reply.kind == "too_large":
        return AnswerTooLarge(f"The answer holds more than {cap:,} bytes.")
    return BadAnswer(f"The answer cannot be decoded: {reason}.")


def _pause(error: TalkscopeError, reply: Reply | Failed, attempt: int, policy: Policy, clock: Clock) -> float | None:
    """Seconds until it is worth asking again, or None when it is not."""
    asked = error.details.get("retry_after") if isinstance(reply, Reply) else None
    floor = float(asked) if isinstance(asked, int | float) else 0.0
    if isinstance(reply, Failed):
        worth = reply.kind in {"connect", "timeout"}
    else:
        worth = reply.status in _RETRIED and not is_quota(error) and (reply.status != 429 or asked is not None)
    if not worth or attempt >= policy.attempts or floor > policy.patience:
        return None
    backoff = min(policy.longest_wait, policy.first_wait * 2.0 ** (attempt - 1))
    return floor + clock.chance() * backoff
