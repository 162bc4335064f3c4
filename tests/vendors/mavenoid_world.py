"""What happened at a customer of Mavenoid, made from a seed: plain records, which a test can count for itself."""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TypeVar

from tests.vendors.contract import Json

NEVER_TAKEN = ("WAITING_FOR_AGENT", "AGENT_TIMEOUT", "CUSTOMER_SKIPPED", "DECLINED_BY_AGENT", "NO_AGENT_CAPACITY")
FLOWS = {"Scooter Support": "en", "Washing Machine Support": "de", "=Boiler, «Heizung»": "sv"}
GROUPS = {"Europe": ("ida@help.example", "olu@help.example"), "Americas": ("ana@help.example",)}

T = TypeVar("T", "Conversation", "Session", "Availability")


@dataclass(frozen=True, slots=True)
class Session:
    """A session with a live agent; what a session that nobody took cannot have is None."""

    conversation: str
    conversation_at: datetime
    at: datetime
    updated: datetime
    agent: str | None
    group: str | None
    status: str
    label: str | None = None
    rating: int | None = None
    queue_duration_ms: int | None = None
    first_response_ms: int | None = None
    chat_duration_ms: int | None = None
    summary: str = ""
    labels: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Conversation:
    """A conversation with the assistant, and its sessions in their order."""

    id: str
    at: datetime
    updated: datetime
    flow: str
    touchpoint: str
    status: str
    label: str
    language: str
    search: tuple[str | None, str | None, str | None]
    topics: tuple[str, ...]
    comment: str
    rating: int | None
    form: Mapping[str, Json]
    sessions: tuple[Session, ...] = ()


@dataclass(frozen=True, slots=True)
class Availability:
    """A stretch in which an agent was available; `end` is None while it lasts."""

    agent: str
    at: datetime
    end: datetime | None
    duration_ms: int
    active_ms: int


@dataclass(frozen=True)
class World:
    """What really happened, oldest first."""

    now: datetime
    conversations: tuple[Conversation, ...] = ()
    availabilities: tuple[Availability, ...] = ()
    sessions: tuple[Session, ...] = field(init=False)

    def __post_init__(self) -> None:
        found = sorted((session for one in self.conversations for session in one.sessions), key=lambda one: one.at)
        object.__setattr__(self, "sessions", tuple(found))

    def last(self, days: int, records: Iterable[T]) -> list[T]:
        """The records that began in the last so many times 24 hours."""
        return [record for record in records if self.now - timedelta(days=days) <= record.at < self.now]


def make_world(now: datetime, *, seed: int = 5, conversations: int = 600, days: int = 125) -> World:
    """A world of so many conversations, evenly over the days before `now`; the same for the same arguments."""
    drawn = random.Random(seed)
    step = timedelta(days=days) / max(conversations, 1)
    begun = [now - timedelta(days=days) + step * (place + drawn.random()) for place in range(conversations)]
    return World(
        now,
        tuple(_conversation(drawn, place, _whole(at), now) for place, at in enumerate(begun)),
        tuple(sorted(_availabilities(drawn, now, days), key=lambda one: one.at)),
    )


def _whole(at: datetime) -> datetime:
    """To the millisecond, which is all that a timestamp of the API has."""
    return at.replace(microsecond=at.microsecond // 1000 * 1000)


def _conversation(drawn: random.Random, number: int, at: datetime, now: datetime) -> Conversation:
    name, flow = f"{drawn.choice('FG')}{1000 + number}", drawn.choice(list(FLOWS))
    rating = drawn.choice((1, 2, 3, 4, None, None))
    sessions = _sessions(drawn, name, at, rating) if drawn.random() < 0.4 else ()
    ended = max((one.updated for one in sessions), default=at + timedelta(seconds=drawn.randrange(20, 600)))
    resolved = sessions[-1].status == "RESOLVED" if sessions else drawn.random() < 0.7
    open_ = ended >= now or (not resolved and drawn.random() < 0.3)
    status = "OPEN" if open_ else "RESOLVED" if resolved else "ESCALATED" if sessions else "OPEN"
    query = drawn.choice(("End my ride", "error E18", None))
    return Conversation(
        name, at, min(ended, now), flow, drawn.choice(("Support Website", "App")), status,
        drawn.choice(("", "", "warranty", "spare part")), FLOWS[flow],
        (query, query and f"How to: {query}", drawn.choice((None, "Pair the remote"))),
        tuple(drawn.sample(("speed", "tone", "accuracy"), drawn.randrange(3))) if rating else (),
        f"Comment {number}, reach me at customer{number}@mail.example" if rating else "", rating,
        {"$customer-email": f"customer{number}@mail.example", "$created-on-page-url": "https://shop.example/help",
         "serial": {"model": "X1", "parts": [number % 7]}},
        sessions,
    )  # fmt: skip


def _sessions(drawn: random.Random, id: str, began: datetime, rating: int | None) -> tuple[Session, ...]:
    """One session, or one that is transferred and the one that follows it."""
    at = began + timedelta(seconds=drawn.randrange(30, 300))
    made: list[Session] = []
    if drawn.random() < 0.15:
        made.append(_session(drawn, id, began, at, rating, "TRANSFERRED"))
        at = made[-1].updated
    ends = ("RESOLVED", "RESOLVED", "RESOLVED", "ACTIVE", "INACTIVITY_TIMEOUT", *NEVER_TAKEN)
    made.append(_session(drawn, id, began, at, rating, drawn.choice(ends)))
    return tuple(made)


def _session(drawn: random.Random, id: str, began: datetime, at: datetime, rating: int | None, status: str) -> Session:
    if status in NEVER_TAKEN:
        waited = timedelta(seconds=drawn.randrange(5, 200))
        return Session(id, began, at, at + waited, None, drawn.choice((None, *GROUPS)), status, rating=rating)
    group = drawn.choice(list(GROUPS))
    queue = drawn.randrange(1_000, 90_000)
    first = queue + drawn.randrange(500, 30_000) if drawn.random() < 0.95 else None
    chat = (first or queue) + drawn.randrange(10_000, 900_000)
    done = status in {"RESOLVED", "TRANSFERRED"}
    return Session(
        id, began, at, at + timedelta(milliseconds=chat), drawn.choice(GROUPS[group]), group, status,
        drawn.choice(("worked", "did not work")) if done else None, rating, queue, first,
        None if status == "ACTIVE" else chat, "Refund promised to Mr Ø" if done else "",
        tuple(drawn.sample(("breakdown", "refund"), drawn.randrange(3))) if done else (),
    )  # fmt: skip


def _availabilities(drawn: random.Random, now: datetime, days: int) -> Iterable[Availability]:
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    for agent in (agent for group in GROUPS.values() for agent in group):
        for back in range(days):
            at = (
                midnight - timedelta(days=back) + timedelta(hours=drawn.choice((8, 9, 22)), minutes=drawn.randrange(60))
            )
            end = at + timedelta(minutes=drawn.randrange(30, 480))
            if at < now and drawn.random() < 0.7:
                lasted = int((min(end, now) - at).total_seconds() * 1000)
                yield Availability(agent, at, end if end < now else None, lasted, drawn.randrange(lasted + 1))
