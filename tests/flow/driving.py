"""A call driven by hand: scripted answers, a clock that only Wait moves, and what was asked."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TypeVar

from pydantic import SecretStr

from talkscope.errors import Json
from talkscope.flow import Call, Clock, Failed, Policy, Reply, Request, RetryBudget, Wait, run

T = TypeVar("T")
NOW = 1_750_000_000.0


def reply(status: int, body: object = None, **headers: str) -> Reply:
    raw = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
    return Reply(status, {name.replace("_", "-"): value for name, value in headers.items()}, raw)


def told(body: Json) -> Json:
    return body


@dataclass
class Driver:
    """Answers in turn; the last one again and again."""

    answers: list[Reply | Failed]
    budget: RetryBudget = field(default_factory=RetryBudget)
    policy: Policy = field(default_factory=Policy)
    chance: float = 0.5
    takes: float = 0.0
    oversleeps: float = 0.0
    key: SecretStr | None = None
    now: float = 0.0
    requests: list[Request] = field(default_factory=list)
    waits: list[float] = field(default_factory=list)

    def ask(self, call: Call[T]) -> T:
        clock = Clock(monotonic=lambda: self.now, wall=lambda: NOW + self.now, chance=lambda: self.chance)
        steps = run(call, self.policy, self.budget, clock=clock, key=self.key)
        answer: Reply | Failed | None = None
        while True:
            try:
                step = steps.send(answer)
            except StopIteration as done:
                value: T = done.value
                return value
            if isinstance(step, Wait):
                self.waits.append(step.seconds)
                self.now += step.seconds + self.oversleeps
                answer = None
            else:
                answer = self.answers[min(len(self.requests), len(self.answers) - 1)]
                self.requests.append(step)
                self.now += self.takes


SUMMARY: Call[Json] = Call("/summary", told)
OK = reply(200, {"n": 1})
