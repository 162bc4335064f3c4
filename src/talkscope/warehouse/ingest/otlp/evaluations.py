"""Evaluations as outcomes where they say how a session ended, else as events."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from talkscope.warehouse.documents import Found, Item, number_of, text_of
from talkscope.warehouse.endings import FLAGS, RATINGS, RESOLUTIONS, WORDS
from talkscope.warehouse.ingest.otlp.parts import PLATFORM, Part

NAMED = "gen_ai.evaluation.name"


@dataclass(frozen=True, slots=True)
class _Evaluation:
    time: int
    where: str
    part: Part
    facts: Item

    @property
    def says(self) -> tuple[str, object] | None:
        """The outcome's field that it stands for and what it says of it; None when it says nothing of the end.

        A flag that is not set (`handoff` 0) says nothing of how the session ended instead.
        """
        name = re.sub(r"[^a-z]", "", str(self.facts[NAMED]).lower())
        label, value = text_of(self.facts.get("gen_ai.evaluation.score.label")), self.value
        word = (label or "").lower()
        if name in RATINGS and value is not None:
            return "rating", value
        if name in FLAGS and (value == 1 or word in {"true", "yes"}):
            return "resolution", FLAGS[name]
        if name in {"resolution", "outcome"} and word in RESOLUTIONS:
            return "resolution", word
        return (WORDS[name], label) if name in WORDS and label else None

    @property
    def value(self) -> float | None:
        """Its score, where that is a number."""
        return number_of(self.facts.get("gen_ai.evaluation.score.value"))


class Evaluations:
    """The evaluations of a file, which wait until all of a session's are known."""

    def __init__(self) -> None:
        self._found: list[_Evaluation] = []

    def add(self, where: str, part: Part, time: int, facts: Item) -> None:
        """Note an evaluation of a span."""
        self._found.append(_Evaluation(time, where, part, facts))

    def close(self) -> Iterator[Found]:
        """One outcome a session from the latest evaluation of each kind; every other evaluation as an event."""
        outcomes: dict[str | None, Item] = {}
        sources: dict[str | None, list[Item]] = {}
        told: set[tuple[str | None, str]] = set()
        for each in sorted(self._found, key=lambda each: (each.time, each.where), reverse=True):
            session, says = each.part.session, each.says
            if says is None or (session, says[0]) in told:
                yield each.where, _event(each)
                continue
            told.add((session, says[0]))
            outcome = outcomes.setdefault(session, {"time_ns": each.time})
            outcome[says[0]] = says[1]
            sources.setdefault(session, []).append(each.facts)
        for name, outcome in outcomes.items():
            outcome |= {"type": "outcome", "platform": PLATFORM, "session_id": name}
            yield f"session {name} / evaluations", {**outcome, "attributes": {"evaluations": sources[name]}}


def _event(each: _Evaluation) -> Item:
    return {
        "type": "event",
        "platform": PLATFORM,
        "session_id": each.part.session,
        "interaction_id": each.part.turn,
        "time_ns": each.time,
        "metric_name": f"score.{text_of(each.facts[NAMED]) or 'unnamed'}"[:200],
        "metric_type": "score",
        "value": each.value,
        "attributes": {**each.facts, "span_id": each.part.span.key},
    }
