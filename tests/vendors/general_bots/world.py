"""A made-up botserver: the same seed makes the same one."""

from __future__ import annotations

import random
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

NOW = datetime(2026, 5, 5, 16, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Session:
    """A conversation of a user with a bot; `end` is None while it goes on.

    Args:
        messages: When each message came, in order.
        response_ms: How long each of the bot's answers took.
        resolved: Whether it was solved; None while it goes on.
        stars: The rating from 1 to 5, if there is one.
        waited_s: Seconds in the queue of live support, if it went there.
        handled_s: Seconds with a person, once that is over.
    """

    id: str
    bot_id: str
    user_id: str
    start: datetime
    end: datetime | None
    messages: tuple[datetime, ...]
    response_ms: tuple[int, ...]
    resolved: bool | None
    stars: int | None
    waited_s: int | None = None
    handled_s: int | None = None


@dataclass(frozen=True, slots=True)
class World:
    """The server at the moment `now`."""

    now: datetime
    bots: tuple[str, ...]
    users: tuple[str, ...]
    sessions: tuple[Session, ...]
    agents_online: int = 4
    agents_on_break: int = 1

    @property
    def active(self) -> list[Session]:
        """The sessions that go on."""
        return [session for session in self.sessions if session.end is None]


def make(*, seed: int = 7, sessions: int = 300, days: int = 40, now: datetime = NOW) -> World:
    """A server of three bots and twenty-five users, whose sessions began in the `days` before `now`."""
    drawn = random.Random(f"general bots/{seed}")
    bots = tuple(_uuid(drawn) for _ in range(3))
    users = tuple(_uuid(drawn) for _ in range(25))
    made = []
    for number in range(sessions):
        # Every fiftieth goes on, and every tenth is of the last day. None takes longer than 260 seconds.
        least, most = (260, 420) if number % 50 == 0 else (600, 86_400 if number % 10 == 0 else days * 86_400)
        start = now - timedelta(seconds=drawn.randrange(least, most))
        made.append(_session(drawn, number, drawn.choice(bots), drawn.choice(users), start, goes_on=number % 50 == 0))
    return World(now, bots, users, tuple(sorted(made, key=lambda one: (one.start, one.id))))


def _session(
    drawn: random.Random, number: int, bot: str, user: str, start: datetime, *, goes_on: bool
) -> Session:  # fmt: skip
    turns = drawn.randrange(1, 7)
    at, messages, took = start, [], []
    for _ in range(turns):
        at += timedelta(seconds=drawn.randrange(2, 40))
        messages.append(at)
        took.append(drawn.randrange(200, 4_000))
        at += timedelta(milliseconds=took[-1])
        messages.append(at)
    live = drawn.random() < 0.2
    rated = not goes_on and drawn.random() < 0.4
    return Session(
        f"session-{number}", bot, user, start, None if goes_on else at, tuple(messages), tuple(took),
        resolved=None if goes_on else drawn.random() < 0.7,
        stars=drawn.choice((1, 2, 3, 4, 4, 5, 5)) if rated else None,
        waited_s=drawn.randrange(5, 240) if live else None,
        handled_s=drawn.randrange(60, 900) if live and not goes_on else None,
    )  # fmt: skip


def _uuid(drawn: random.Random) -> str:
    return str(uuid.UUID(int=drawn.getrandbits(128), version=4))
