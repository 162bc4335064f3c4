"""What goes wrong in the demo, as data: four incidents at fixed distances from its `now`.

| kind          | subject           | when                               | size                                      |
|---------------|-------------------|------------------------------------|-------------------------------------------|
| slow_provider | openai            | the last 24 hours                  | its LLM calls take 1.8 times as long      |
| tts_outage    | elevenlabs        | 14:00 to 16:00 UTC, three days ago | 70 % of its syntheses fail                |
| handoff_spike | billing           | the UTC day five days ago          | 60 % of outcomes are handoffs to a person |
| slow_model    | claude-sonnet-4-5 | all days                           | its calls take 2.5 times as long          |

The last one is used by one character only, so it shows as a slow model and as a slow character.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal, TypeAlias

from talkscope.models.records import micros

Kind: TypeAlias = Literal["slow_provider", "tts_outage", "handoff_spike", "slow_model"]

OUTAGE_CODE = "service_unavailable"


@dataclass(frozen=True, slots=True)
class Incident:
    """One planted incident in `[start, end)`; `size` is a factor on durations, or a chance from 0 to 1."""

    kind: Kind
    subject: str
    start: datetime
    end: datetime
    size: float
    says: str


@dataclass(frozen=True, slots=True)
class _Plan:
    """Where an incident lies: `ago` before now, moved to `utc_hour` of that UTC day when one is given."""

    kind: Kind
    subject: str
    size: float
    says: str
    ago: timedelta | None
    lasts: timedelta | None
    utc_hour: int | None = None


PLANS: tuple[_Plan, ...] = (
    _Plan(
        "slow_provider",
        "openai",
        1.8,
        "LLM calls to openai take 1.8 times as long as in the days before.",
        ago=timedelta(hours=24),
        lasts=timedelta(hours=24),
    ),
    _Plan(
        "tts_outage",
        "elevenlabs",
        0.7,
        "Speech synthesis by elevenlabs fails for two hours; the turns fail with it.",
        ago=timedelta(days=3),
        lasts=timedelta(hours=2),
        utc_hour=14,
    ),
    _Plan(
        "handoff_spike",
        "billing",
        0.6,
        "On one day most conversations are handed to a person, nearly all about billing.",
        ago=timedelta(days=5),
        lasts=timedelta(days=1),
        utc_hour=0,
    ),
    _Plan(
        "slow_model",
        "claude-sonnet-4-5",
        2.5,
        "One character uses a model that is 2.5 times slower than the others'.",
        ago=None,
        lasts=None,
    ),
)


def planted(now: datetime, days: int) -> tuple[Incident, ...]:
    """The incidents of a demo that ends at `now` and covers `days` days; without an `ago`, all of them."""
    found = []
    for plan in PLANS:
        start = now.astimezone(UTC) - (plan.ago or timedelta(days=days))
        if plan.utc_hour is not None:
            start = start.replace(hour=plan.utc_hour, minute=0, second=0, microsecond=0)
        end = start + (plan.lasts or timedelta(days=days))
        found.append(Incident(plan.kind, plan.subject, start, end, plan.size, plan.says))
    return tuple(found)


class Effects:
    """What the incidents do to one call or one outcome at one moment (microseconds UTC)."""

    def __init__(self, incidents: Sequence[Incident]) -> None:
        """Index the incidents by kind and subject."""
        self._spells = [(i.kind, i.subject, micros(i.start), micros(i.end), i.size) for i in incidents]

    def _size(self, kind: Kind, subject: str | None, at: int) -> float | None:
        for its_kind, its_subject, start, end, size in self._spells:
            if its_kind == kind and start <= at < end and subject in (None, its_subject):
                return size
        return None

    def llm_factor(self, provider: str, model: str, at: int) -> float:
        """How many times as long as usual an LLM call takes."""
        return (self._size("slow_provider", provider, at) or 1.0) * (self._size("slow_model", model, at) or 1.0)

    def tts_outage(self, provider: str, at: int) -> float:
        """The chance that a synthesis fails because its provider is down."""
        return self._size("tts_outage", provider, at) or 0.0

    def handoff_chance(self, usual: float, at: int) -> float:
        """The chance that an outcome is a handoff."""
        return self._size("handoff_spike", None, at) or usual

    def handoff_subject(self, at: int) -> str | None:
        """What a spike of handoffs is about, while there is one."""
        for kind, subject, start, end, _ in self._spells:
            if kind == "handoff_spike" and start <= at < end:
                return subject
        return None
