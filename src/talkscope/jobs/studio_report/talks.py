"""What the conversations themselves say: their metadata counted, and dimensions combined."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from statistics import median

from talkscope.jobs.studio_report.making import Making, Measured, share
from talkscope.jobs.studio_report.outcome import spread
from talkscope.models.answers import Cell
from talkscope.models.records import micros
from talkscope.models.window import iso
from talkscope.platforms.studio_chat.models import Conversation

FEW = 5
"""Conversations that are shown of a list."""
MOST_WORDS = 10
"""Skills, and tags, that are looked at by themselves: those of most conversations."""
LONG = 10
"""Messages from which on a conversation is long."""
_FRACTION = {"share": "fraction"}


def metadata(made: Making) -> None:
    """Sentiment, skills, negative handoffs, how deflections and handoffs came about, who may come back."""
    every = _every(made, "Conversation metadata")
    if every is None:
        return
    n = len(every)
    counts = [each.message_count for each in every if each.message_count is not None]
    middle = median(counts) if counts else None
    unscored = sum(each.sentiment_label is None for each in every)
    wrong = sum(each.has_error is True for each in every)
    made.figures(
        "totals",
        [
            Measured("conversations", "Conversations", n),
            Measured("unscored", "Not scored", share(unscored, n), "fraction", n, "conversations"),
            Measured("with_error", "With an error", share(wrong, n), "fraction", n, "conversations"),
            Measured("median_messages", "Median of messages", middle, "", len(counts), "conversations"),
        ],
    )
    spread(made, "sentiment", Counter(each.sentiment_label for each in every if each.sentiment_label))
    skills = Counter(skill for each in every for skill in set(each.skills))
    if skills:
        made.grid(
            "skills",
            ("skill", "conversations", "share", "n"),
            [[skill, count, share(count, n), n] for skill, count in _ranked(skills)],
            caption="Skills loaded: conversations that loaded each, of all conversations.",
            units=_FRACTION,
        )
    else:
        made.say("No conversation loaded a skill.")
    _negative_handoffs(made, every)
    spread(made, "deflection_quality", Counter(each.deflection_quality for each in every if each.deflection_quality))
    spread(made, "handoff_reason", Counter(each.handoff_reason for each in every if each.handoff_reason))
    _risky(made, every)
    made.note("Summaries, intents and reasons are the vendor's models' words about what customers wrote.")
    made.noted("conversations")


def _negative_handoffs(made: Making, every: Sequence[Conversation]) -> None:
    scored = [each for each in every if each.has_handoff and each.sentiment_label]
    bad = [each for each in scored if each.sentiment_label == "negative"]
    _told(made, "negative_handoffs", "Negative handoffs", "handoffs that are scored", bad, len(scored))
    if bad:
        made.grid(
            "negative_handoff_list",
            ("conversation", "last_message", "assistant", "reason", "summary"),
            [[*_who(each), each.handoff_reason, each.summary] for each in bad[:FEW]],
            caption=_first(bad, "Handoffs of negative sentiment"),
        )


def _risky(made: Making, every: Sequence[Conversation]) -> None:
    known = [each for each in every if each.recontact_risk]
    risky = [each for each in known if each.recontact_risk == "high"]
    _told(made, "high_recontact_risk", "High recontact risk", "conversations whose risk is known", risky, len(known))
    if risky:
        made.grid(
            "high_risk_list",
            ("conversation", "last_message", "assistant", "intent", "why"),
            [[*_who(each), each.user_intent, each.recontact_risk_reason] for each in risky[:FEW]],
            caption=_first(risky, "Conversations of high recontact risk"),
        )


def _told(made: Making, name: str, label: str, of: str, found: Sequence[Conversation], n: int) -> None:
    if not n:
        made.say(f"There are no {of}.")
        return
    made.figures(
        name, [Measured(name, label, len(found)), Measured("share", "Share", share(len(found), n), "fraction", n, of)]
    )


@dataclass(frozen=True, slots=True)
class _Example:
    """Two or more dimensions at once: which conversations, of which, and why each was found."""

    name: str
    what: str
    of: Callable[[Conversation], object]
    holds: Callable[[Conversation], bool]
    why: Callable[[Conversation], str | None]
    longest: bool = False


_EXAMPLES = (
    _Example(
        "long_irrelevant",
        f"{LONG} messages or more, resources irrelevant",
        lambda each: each.resources_label and (each.message_count or 0) >= LONG,
        lambda each: each.resources_label == "irrelevant",
        lambda each: each.resources_reason,
        longest=True,
    ),
    _Example(
        "actioned",
        "a follow-up action was created",
        lambda each: each.deflection_quality,
        lambda each: each.deflection_quality == "actioned",
        lambda each: each.deflection_quality_reason,
    ),
    _Example(
        "frustration_handoffs",
        "handed over for frustration",
        lambda each: each.handoff_reason,
        lambda each: each.handoff_reason == "frustration",
        lambda each: each.handoff_reason_detail,
    ),
    _Example(
        "high_risk",
        "high recontact risk",
        lambda each: each.recontact_risk,
        lambda each: each.recontact_risk == "high",
        lambda each: each.recontact_risk_reason,
    ),
    _Example(
        "degraded",
        "sentiment degraded",
        lambda each: each.sentiment_shift,
        lambda each: each.sentiment_shift == "degraded",
        lambda each: each.sentiment_shift_reason,
    ),
)


def combining(made: Making) -> None:
    """The seven combinations: negative by skill, handoffs by tag, and five of one or two labels."""
    every = _every(made, "Combined dimensions")
    if every is None:
        return
    examples = [*_by_skill(every), *_by_tag(every), *_EXAMPLES]
    found = [(each, [one for one in every if each.of(one)]) for each in examples]
    held = [(each, [one for one in of if each.holds(one)], len(of)) for each, of in found]
    made.grid(
        "examples",
        ("which", "conversations", "share", "n"),
        [[each.what, len(some), share(len(some), n), n] for each, some, n in held],
        caption="Each is a share of the conversations that could have it: those that have the signal, skill or tag.",
        units=_FRACTION,
    )
    rows: list[list[Cell]] = []
    for each, some, _ in held:
        ordered = sorted(some, key=lambda one: -(one.message_count or 0)) if each.longest else some
        rows += [
            [each.what, one.conversation_id, one.message_count, one.user_intent, each.why(one)] for one in ordered[:3]
        ]
    if rows:
        made.grid(
            "conversations",
            ("which", "conversation", "messages", "intent", "why"),
            rows,
            caption="Three of each: the longest of long ones and of handoffs by tag, else the newest.",
            keys=2,
        )
    made.note(f"Looked at are at most {MOST_WORDS} skills and {MOST_WORDS} tags, those of most conversations.")
    made.noted("conversations")


def _by_skill(every: Sequence[Conversation]) -> Iterator[_Example]:
    for skill in _busiest(skill for each in every for skill in set(each.skills)):
        yield _Example(
            "negative_skill",
            f"negative sentiment, skill {skill}",
            partial(_scored_with, skill),
            lambda each: each.sentiment_label == "negative",
            lambda each: each.sentiment_reason,
        )


def _by_tag(every: Sequence[Conversation]) -> Iterator[_Example]:
    for tag in _busiest(tag for each in every for tag in set(each.tags)):
        yield _Example(
            "tagged_handoffs",
            f"handed over, tag {tag}",
            partial(_tagged, tag),
            lambda each: each.has_handoff is True,
            lambda each: each.handoff_reason_detail,
            longest=True,
        )


def _busiest(words: Iterable[str]) -> list[str]:
    return sorted(word for word, _ in _ranked(Counter(words))[:MOST_WORDS])


def _scored_with(skill: str, each: Conversation) -> bool:
    return each.sentiment_label is not None and skill in each.skills


def _tagged(tag: str, each: Conversation) -> bool:
    return tag in each.tags


def _every(made: Making, what: str) -> Sequence[Conversation] | None:
    every = made.facts.conversations
    if every is None:
        made.lacks("conversations", what)
    elif not every:
        made.empty("no conversation had its last message in it")
    return every or None


def _ranked(counts: Counter[str]) -> list[tuple[str, int]]:
    return sorted(counts.items(), key=lambda each: (-each[1], each[0]))


def _who(each: Conversation) -> list[Cell]:
    at = iso(micros(each.last_message_at))[:16].replace("T", " ") if each.last_message_at else None
    return [each.conversation_id, at, each.playbook_name]


def _first(found: Sequence[Conversation], what: str) -> str:
    return f"{what}, the newest {FEW} of {len(found):,}." if len(found) > FEW else f"{what}, newest first."
