"""A call, asked until there is an answer or an error: retries, waiting and the deadline, as a generator.

Retried are reads only, after a connection failure, a timeout, 502, 503, 504, or a 429 that says to come back within a
minute; never a used-up quota; never past the call's deadline or the client's retry budget. A service that limits how
often it is asked is asked no oftener: a request waits for its turn.
"""

from __future__ import annotations

import json
import math
import random
import threading
import time
from collections.abc import Awaitable, Callable, Generator
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
    RateLimited,
    TalkscopeError,
    bare,
)
from talkscope.flow.call import CAP, Call, Download, Failed, Reply, Request, Wait
from talkscope.flow.manners import Manners, Turn, Turns
from talkscope.flow.reading import read
from talkscope.flow.refusals import error_of, is_quota, its_time
from talkscope.flow.wording import shown
from talkscope.models.text import whole

T = TypeVar("T")
Steps: TypeAlias = Generator[Request | Wait, Reply | Failed | None, T]

LIMIT_KEPT = "limit_kept"
"""The code of the error that a call would have to wait too long for its turn: nothing was sent."""

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
        turn: the longest wait for a turn under the service's limits, before the deadline begins.
    """

    deadline: float = 30.0
    cap: int = CAP
    attempts: int = 4
    first_wait: float = 0.5
    longest_wait: float = 8.0
    patience: float = 60.0
    connect: float = 10.0
    turn: float = 20.0


@dataclass(frozen=True, slots=True)
class Clock:
    """Where time and chance come from: seconds that only grow, seconds since 1970, and a number in [0, 1).

    `sleep` lets time pass for blocking code, `asleep` for async code, which has its event loop's own without it.
    """

    monotonic: Callable[[], float] = time.monotonic
    wall: Callable[[], float] = time.time
    chance: Callable[[], float] = random.random
    sleep: Callable[[float], None] = time.sleep
    asleep: Callable[[float], Awaitable[None]] | None = None


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
    manners: Manners | None = None,
    turns: Turns | None = None,
) -> Steps[T]:
    """Ask the call: yields what to send or how long to wait, returns the typed answer.

    Send it a Reply or a Failed for each Request, and None after each Wait. `key` is what error texts must not show;
    `turns` are those of all calls that the service counts together. Raises the error tree of `talkscope.errors`, and
    nothing else.
    """
    manners = manners or Manners()
    asking = _Asking(
        policy or Policy(), budget or RetryBudget(), clock or Clock(), key, manners, turns or Turns(manners.limits)
    )
    try:
        return (yield from asking.ask(call))
    except TalkscopeError as error:
        other: Call[T] | None = manners.again(error, call)
        if other is None:
            # The frames of the reading hold what the service sent.
            raise bare(_explained(manners, error, call)) from None
    try:
        return (yield from asking.ask(other))
    except TalkscopeError as error:
        raise bare(_explained(manners, error, other)) from None


def _explained(manners: Manners, error: TalkscopeError, call: Call[T]) -> TalkscopeError:
    """The error as the service means it; what we refuse to send, the service knows nothing of."""
    if error.code == LIMIT_KEPT:
        return error
    explained = manners.explained(error, call)
    explained.answered = error.answered
    return explained


@dataclass(frozen=True, slots=True)
class _Asking:
    """What all attempts of one call have in common."""

    policy: Policy
    budget: RetryBudget
    clock: Clock
    key: SecretStr | None
    manners: Manners
    turns: Turns

    def ask(self, call: Call[T]) -> Steps[T]:
        clock, policy = self.clock, self.policy
        deadline = policy.deadline if call.deadline is None else call.deadline
        request = _request(call, policy, deadline)
        turn = yield from self.turn(call, policy.turn)
        until = clock.monotonic() + deadline
        for attempt in count(1):
            try:
                reply = yield request
            finally:
                turn.ended = clock.monotonic()
            assert reply is not None
            reset = self.heed(call, reply) if isinstance(reply, Reply) else None
            if isinstance(reply, Reply) and 200 <= reply.status < 300:
                answer = read(call, reply, self.key)
                self.budget.earn()
                return answer
            until += reply.came if isinstance(reply, Failed) else 0.0
            left = until - clock.monotonic()
            trouble = _error(reply, request.cap, deadline, left, clock, self.key)
            if isinstance(trouble, RateLimited):
                self.hold(call, trouble, reset)
            pause = _pause(trouble, reply, attempt, policy, clock) if call.read_only else None
            if pause is None or pause >= left or not self.budget.spend():
                raise trouble
            yield Wait(pause)
            left = until - clock.monotonic()
            if left <= 0:
                raise trouble
            turn = yield from self.turn(call, left, trouble)
            left = until - clock.monotonic()
            request = replace(request, timeout=left)
        raise AssertionError("counting does not end")

    def turn(self, call: Call[T], patience: float, trouble: TalkscopeError | None = None) -> Steps[Turn]:
        """Wait until the service's limits let the call be sent; raises RateLimited where that takes too long."""
        bucket = self.manners.bucket(call)
        until = self.clock.monotonic() + patience
        while True:
            now = self.clock.monotonic()
            found = self.turns.take(bucket, now)
            if isinstance(found, Turn):
                return found
            if now + found > until:
                raise trouble or _too_often(found)
            yield Wait(found)

    def heed(self, call: Call[T], reply: Reply) -> float | None:
        """Take to heart what the answer says is left of a limit; seconds until it is full again, where it is stated."""
        left = self.manners.allowance(reply.headers)
        if left is None:
            return None
        bucket = self.manners.bucket(call)
        limit = self.manners.limits.get(bucket)
        # A limit is full again after its span at the latest, whatever a clock that is off makes of it.
        most = math.inf if limit is None else limit.seconds
        reset = min(max(0.0, left.reset - its_time(reply.headers, self.clock.wall())), most)
        if not left.remaining:
            self.turns.close(bucket, self.clock.monotonic() + reset)
        return round(reset, 3)

    def hold(self, call: Call[T], refused: RateLimited, reset: float | None) -> None:
        """Have all calls of a limit wait where one was told that it is used up, as by somebody else with the same key.

        A service that does not say for how long means a span of its limit at most.
        """
        bucket = self.manners.bucket(call)
        limit = None if is_quota(refused) else self.manners.limits.get(bucket)
        if reset is None and limit is not None:
            reset = limit.seconds
        if reset is not None:
            refused.details.setdefault("retry_after", reset)
        asked = refused.details.get("retry_after")
        if limit is not None and isinstance(asked, int | float):
            self.turns.close(bucket, self.clock.monotonic() + min(asked, limit.seconds))


def _too_often(wait: float) -> RateLimited:
    return RateLimited(
        f"The service's limit is reached: the next request may be sent in {wait:.0f} s.",
        hint="Ask again then; nothing was sent.",
        code=LIMIT_KEPT,
        details={"retry_after": round(wait, 3), "sent": False},
    )


def _request(call: Call[T], policy: Policy, deadline: float) -> Request:
    headers = {"accept": call.media_type if isinstance(call, Download) else "application/json"}
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
    if reply.kind == "timeout" and reply.reason:
        return DeadlineExceeded(f"The answer did not come to its end: {shown(reply.reason, 200, key)}.")
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
