"""One made-up conversation, drawn turn by turn."""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from tests.vendors.studio_chat.records import (
    ApiTool,
    Citation,
    Conversation,
    Inbox,
    KnowledgeBase,
    Message,
    Playbook,
    Rating,
    ResourceCall,
    Signals,
    ToolCall,
)

TAGS = ("billing", "refund", "shipping", "login", "vip")
SKILLS = ("refund-process", "order-lookup", "identity-check")
INTENTS = ("refund of an order", "late delivery", "password reset", "pricing for a team", "cancel subscription")
_ASKED = (
    "Where is my order 4411? You can write to ana.17@mail.example",
    "I want my money back 😡",
    "كيف أغير كلمة المرور؟",
    "=SUM(A1:A9) is what your invoice says",
    "Thanks, and one more thing…",
)
_ANSWERED = (
    "I have looked that up for you.",
    "It is on its way.",
    "Here is what our article says:\n\n1. Sign out.",
    "Done!",
)
_REMARKS = ("Quick and kind", "Had to ask twice", "@cmd never again", "+1", None, None)


@dataclass(slots=True)
class Setting:
    """What a conversation is drawn from; `at` is its present moment and moves on with every turn."""

    drawn: random.Random
    number: int
    at: datetime
    playbooks: Sequence[Playbook]
    inboxes: Sequence[Inbox]
    bases: Sequence[KnowledgeBase]
    tools: Sequence[ApiTool]
    rates: bool
    calls: dict[str, list[ResourceCall]] = field(default_factory=lambda: {"api": [], "toolkit": [], "skill": []})

    @property
    def id(self) -> str:
        """The id that the messaging platform gave: three platforms, three habits."""
        number = 215_000 + self.number
        return (f"{number}", f"wa:+5491155{number}", f"chatwoot/{number}")[self.number % 3]

    def wait(self, least: int, most: int) -> datetime:
        self.at += timedelta(milliseconds=self.drawn.randrange(least, most))
        return self.at


def converse(of: Setting) -> Conversation:
    """A conversation of half an hour at most."""
    drawn = of.drawn
    turns = drawn.choice((1, 1, 2, 2, 3, 4, 6, 8))
    answered = turns > 1 or drawn.random() > 0.15
    handoff = answered and drawn.random() < 0.3
    first = drawn.choice(of.playbooks)
    second = drawn.choice(of.playbooks) if drawn.random() < 0.2 else first
    messages: list[Message] = []
    for turn in range(turns):
        playbook = first if turn * 2 < turns else second
        messages.append(Message("user", drawn.choice(_ASKED), of.wait(4_000, 90_000), playbook=playbook))
        if answered:
            messages.append(_answer(of, playbook, turn, handoff=handoff and turn == turns - 1))
    sent = back = None
    if answered and not handoff and drawn.random() < 0.2:
        last = messages[-1].playbook
        sent = of.wait(60_000, 120_000)
        messages.append(Message("assistant", "Are you still there?", sent, playbook=last, winback=True))
        if drawn.random() < 0.5:
            back = Message("user", "Yes, sorry!", of.wait(4_000, 90_000), playbook=last)
            messages.append(back)
    used = any(message.tool_calls for message in messages)
    ended = messages[-1].at
    rated = of.rates and answered and not handoff and drawn.random() < 0.35
    stars = drawn.choice((1, 2, 3, 4, 4, 5, 5, 5))
    return Conversation(
        of.id, drawn.choice(of.inboxes), tuple(messages), tuple(sorted(drawn.sample(TAGS, drawn.randrange(4)))),
        handoff=handoff, error=drawn.random() < 0.05,
        context={"email": f"customer{of.number}@mail.example", "plan": "pro"},
        signals=_signals(of, handoff=handoff, used=used, at=ended) if answered else None,
        scored=answered and drawn.random() < 0.85,
        rating=Rating(stars, drawn.choice(_REMARKS), ended + timedelta(minutes=3)) if rated else None,
        winback_at=sent, winback_answered=back is not None, api_calls=tuple(of.calls["api"]),
        toolkit_calls=tuple(of.calls["toolkit"]), skill_loads=tuple(of.calls["skill"]),
    )  # fmt: skip


def _answer(of: Setting, playbook: Playbook, turn: int, *, handoff: bool) -> Message:
    drawn = of.drawn
    latency = drawn.randrange(400, 9_000)
    of.at += timedelta(milliseconds=latency)
    calls: list[ToolCall] = []
    citations: tuple[Citation, ...] = ()
    if drawn.random() < 0.4:
        found, citations = _look_up(of, playbook, turn)
        calls.append(found)
    for kind, chance in (("api", 0.25), ("toolkit", 0.15), ("skill", 0.2)):
        if drawn.random() < chance:
            calls.append(_use(of, kind, turn))
    if handoff:
        calls.append(
            ToolCall(f"{of.id}-{turn}-team", "list_teams", "{}", [{"id": "t1", "name": "Tier 2"}], "list_teams")
        )
    text = "I am passing you on to a colleague." if handoff else drawn.choice(_ANSWERED)
    return Message("assistant", text, of.at, latency, playbook, tuple(calls), citations, handoff=handoff)


def _look_up(of: Setting, playbook: Playbook, turn: int) -> tuple[ToolCall, tuple[Citation, ...]]:
    """A search of the assistant's knowledge, which cites one or two articles."""
    chosen = of.drawn.choice(playbook.kb_ids)
    base = next(each for each in of.bases if each.id == chosen)
    items = of.drawn.sample(base.items, of.drawn.choice((1, 2)))
    citations = tuple(
        Citation(f"{of.id}-{turn}-c{place}", base.id, item, f"From {title}", base.kind.lower(), of.at)
        for place, (item, title) in enumerate(items)
    )
    given = json.dumps({"query": "order", "kb_id": base.id})
    gave = [{"item_id": item, "title": title} for item, title in items]
    return ToolCall(f"{of.id}-{turn}-kb", "search_knowledge", given, gave, "kb_search"), citations


def _use(of: Setting, kind: str, turn: int) -> ToolCall:
    drawn = of.drawn
    given: dict[str, object]
    if kind == "api":
        tool = drawn.choice(of.tools)
        owner, name, given = tool.id, tool.name, {"order_id": str(drawn.randrange(4_000, 5_000))}
    elif kind == "toolkit" and drawn.random() < 0.5:
        owner, name, given = "SLACK", "SLACK_SEND_MESSAGE", {"channel": "#support"}
    elif kind == "toolkit":
        owner, name = "INTERCOM_TICKETS", "INTERCOM_TICKETS_CREATE_TICKET"
        given = {"ticket_type_id": drawn.choice((67, 68)), "title": "Please call back"}
    else:
        owner = name = drawn.choice(SKILLS)
        given = {}
    ok = drawn.random() < 0.85
    # Loads of skills are not timed, and calls of toolkits not always.
    timed = kind == "api" or (kind == "toolkit" and drawn.random() < 0.8)
    duration = drawn.randrange(40, 3_000) if timed else None
    error = None if ok else drawn.choice(("error: upstream said 503", "timeout after 30 s"))
    made = ResourceCall(
        f"{of.id}-{turn}-{kind}", owner, name, of.at, ok, error, duration, given, {"ok": ok} if ok else None, of.id
    )
    of.calls[kind].append(made)
    return ToolCall(made.id, name, json.dumps(given), made.gave, "custom")


def _signals(of: Setting, *, handoff: bool, used: bool, at: datetime) -> Signals:
    drawn = of.drawn
    intent = drawn.choice(INTENTS)
    return Signals(
        sentiment=drawn.choice(("negative", "neutral", "neutral", "positive")),
        resources=drawn.choice(("irrelevant", "partial", "relevant", "relevant")) if used else None,
        shift=drawn.choice(("improved", "stable", "stable", "degraded")),
        deflection_quality=None
        if handoff
        else drawn.choice(("resolved", "resolved", "partial", "actioned", "no_response")),
        handoff_reason=drawn.choice(("policy", "user_request", "frustration", "bot_limitation")) if handoff else None,
        recontact_risk=drawn.choice(("low", "low", "medium", "high")),
        intent=intent,
        summary=f"The customer wrote about {intent}. The assistant answered.",
        at=at + timedelta(minutes=10),
    )
