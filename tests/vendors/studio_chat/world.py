"""A made-up account: the same seed makes the same one."""

from __future__ import annotations

import random
import uuid
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from tests.vendors.studio_chat.dialogue import Setting, converse
from tests.vendors.studio_chat.records import (
    ApiTool,
    Conversation,
    Conversion,
    EvalCase,
    EvalRun,
    Inbox,
    KnowledgeBase,
    Metric,
    Playbook,
    Project,
    ResourceCall,
    World,
)

NOW = datetime(2026, 5, 5, 16, tzinfo=UTC)
MAIN = "0b7c2a3e-8d41-4a0f-9a54-3d1f6a2b9c10"
SMALL = "5f1e9d77-1c2b-4f7e-b6a8-90e4d3c2b1a0"

_ASSISTANTS = {"Support desk": 3, "Sales guide": 2, "Orders": 1}
_INBOXES = ("Website", "WhatsApp", "Instagram")
_KINDS = ("INTERCOM", "FAQ", "TEXT", "SNIPPETS", "FILE", "NOTION", "GDRIVE")
_TITLES = ("Refund windows", "Shipping abroad", "Resetting a password", "Invoices", "Öffnungszeiten", "Plans & prices")


def make(*, seed: int = 7, conversations: int = 240, days: int = 40, now: datetime = NOW) -> World:
    """An account of two projects; the second is small, asks for no ratings and has no metric.

    Args:
        seed: What the account is drawn from.
        conversations: How many the main project has.
        days: Over how many days before `now` they end.
        now: The moment the account is seen at.
    """
    main = _project(f"{seed}/main", MAIN, "Shop", conversations, days, now, rates=True)
    small = _project(f"{seed}/small", SMALL, "Pilot", max(2, conversations // 12), days, now, rates=False)
    return World(now, (main, small))


def _project(root: str, id: str, name: str, count: int, days: int, now: datetime, *, rates: bool) -> Project:
    inboxes = tuple(Inbox(_id(root, "inbox", each), each) for each in _INBOXES)
    bases = tuple(_knowledge(root, kind) for kind in _KINDS)
    versions = _playbooks(root, inboxes, bases, now - timedelta(days=days))
    tools = (
        ApiTool(_id(root, "tool", "orders"), "order_status", "GET", "https://shop.example/orders/{order_id}"),
        ApiTool(_id(root, "tool", "refund"), "start_refund", "POST", "https://shop.example/refunds"),
    )
    made = []
    for number in range(count):
        own = random.Random(f"{root}/conversation/{number}")
        at = now - timedelta(milliseconds=own.randrange(3_600_000, days * 86_400_000))
        used = [each for each in versions if not each.deleted and each.since <= at]
        # The ids of the projects are apart, as those of a messaging platform are.
        made.append(
            converse(Setting(own, number if rates else 5_000 + number, at, used, inboxes, bases, tools, rates=rates))
        )
    return Project(
        id, name, "warm and brief", inboxes, versions, bases, tools, tuple(made),
        metrics=_metrics(root, made, now) if rates else (), cases=_cases(root, versions),
        runs=_runs(root, versions, now), rates=rates, test_calls=_test_calls(root, tools, now),
    )  # fmt: skip


def _id(*words: object) -> str:
    return str(uuid.UUID(int=random.Random("/".join(map(str, words))).getrandbits(128), version=4))


def _knowledge(root: str, kind: str) -> KnowledgeBase:
    items = tuple((_id(root, kind, title), f"{title} ({kind.lower()})") for title in _TITLES)
    status = {"FILE": "DELETED", "NOTION": "EDITED", "GDRIVE": "ADDED"}.get(kind, "ACTIVE")
    return KnowledgeBase(_id(root, "kb", kind), f"{kind.capitalize()} articles", kind, status, items)


def _playbooks(
    root: str, inboxes: tuple[Inbox, ...], bases: tuple[KnowledgeBase, ...], since: datetime
) -> tuple[Playbook, ...]:
    return tuple(
        Playbook(
            _id(root, name, version), _id(root, name), name, version, f"Answer as {name}, edition {version}.",
            tuple(base.id for base in bases[place : place + 3]), ("gpt-4.1", "claude-sonnet-4")[version % 2],
            inboxes[: place + 1], since + timedelta(days=12 * (version - 1) - 1),
            None if version == 1 else "lee@shop.example", deleted=name == "Retired",
        )
        for place, (name, versions) in enumerate({**_ASSISTANTS, "Retired": 1}.items())
        for version in range(1, versions + 1)
    )  # fmt: skip


def _metrics(root: str, conversations: list[Conversation], now: datetime) -> tuple[Metric, ...]:
    """A metric that lives, one whose events stopped coming, and one that never had any."""
    drawn = random.Random(f"{root}/conversions")
    sales, bookings = [], []
    for each in conversations:
        for turn in range(drawn.choice((0, 0, 0, 1, 2)) if not each.handoff else 0):
            at = each.last_at + timedelta(minutes=drawn.randrange(1, 50) + turn)
            if at >= now:
                continue
            event = Conversion(
                _id(root, "event", each.id, turn), each.id, round(drawn.uniform(5, 250), 2), at,
                {"order": f"o-{drawn.randrange(10**6)}"} if drawn.random() < 0.7 else None,
            )  # fmt: skip
            sales.append(event)
            if at < now - timedelta(days=20):
                bookings.append(replace(event, id=_id(root, "booking", each.id, turn), value=1.0))
    start = now - timedelta(days=90)
    return (
        Metric(_id(root, "sales"), "sales", "Sales", "USD", True, start, tuple(sales)),
        Metric(_id(root, "bookings"), "bookings", "Bookings", "bookings", True, start, tuple(bookings)),
        Metric(_id(root, "upgrades"), "upgrades", "Upgrades", "EUR", False, start, ()),
    )


def _cases(root: str, versions: tuple[Playbook, ...]) -> tuple[EvalCase, ...]:
    bases = dict.fromkeys(each.base_id for each in versions if not each.deleted)
    return tuple(
        EvalCase(
            _id(root, base, "case", number), base, f"Where is order {number}?", f'Says "on its way", order {number}.',
            ("orders", "smoke")[: 1 + number % 2], enabled=number % 4 != 3,
        )
        for base in bases for number in range(8)
    )  # fmt: skip


def _runs(root: str, versions: tuple[Playbook, ...], now: datetime) -> tuple[EvalRun, ...]:
    base = versions[0].base_id
    return tuple(
        EvalRun(_id(root, "run", number), base, now - timedelta(days=number), _scores(root, base, number))
        for number in range(23)
    )


def _scores(root: str, base: str, run: int) -> Mapping[str, float]:
    drawn = random.Random(f"{root}/scores/{run}")
    return {_id(root, base, "case", number): round(drawn.random(), 3) for number in range(8) if number % 4 != 3}


def _test_calls(root: str, tools: tuple[ApiTool, ...], now: datetime) -> tuple[ResourceCall, ...]:
    """Calls that nobody's conversation made."""
    return tuple(
        ResourceCall(
            _id(root, "try", number), tools[0].id, tools[0].name, now - timedelta(days=number, hours=2),
            number % 2 == 0, None if number % 2 == 0 else "error: no such order", 12,
            {"order_id": str(number)}, {"tried": True}, None,
        )
        for number in range(5)
    )  # fmt: skip
