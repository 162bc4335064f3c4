"""How a section comes about: it grows by what each answer gives, and by what is said where there is none."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

from talkscope.charts.drawing.words import NO_DATA
from talkscope.errors import TalkscopeError
from talkscope.jobs.report.asking import Found
from talkscope.jobs.report.content import Part, Says, Section
from talkscope.models.answers import Answer
from talkscope.models.text import so_many

# How to page through an answer means nothing on paper, and the highest buckets are seen in the chart.
_FOR_MODELS = re.compile("^Highest |cursor")
_ALIKE = 60
_EMPTY = f"{NO_DATA[0].lower()}{NO_DATA[1:]}."


class Making:
    """A section in the making."""

    def __init__(self, found: Found) -> None:
        self.found = found
        self.parts: list[Part] = []
        self._notes: list[str] = []

    def take(self, name: str, what: str, make: Callable[[Answer], Iterable[Part]]) -> None:
        """The parts made of that answer; else why there is no answer, or that it is empty."""
        refused = self.found.refusals.get(name)
        answer = self.found.answers.get(name)
        if refused is not None:
            self.refuse(what, refused)
        elif answer is not None and answer.rows:
            self.parts.extend(make(answer))
            self.note(answer)
        elif answer is not None:
            self.parts.append(Says(f"{what}: {_EMPTY}"))

    def refuse(self, what: str, error: TalkscopeError) -> None:
        """Why there is no answer."""
        self.parts.append(Says(f"{what}: not answered here. {error.message}", "refused"))

    def note(self, answer: Answer) -> None:
        """What belongs to an answer's figures."""
        meta = answer.meta
        if meta.basis:
            self._notes.append(f"Basis: {meta.basis}.")
        if meta.unknown_latency:
            self._notes.append(
                f"Left out, because their latency is not known: {so_many(meta.unknown_latency, 'turn')}."
            )
        self._notes.extend(note for note in meta.notes if not _FOR_MODELS.search(note))

    def done(self, title: str) -> Section:
        """The section."""
        # Notes of alike answers differ in a number at most.
        return Section(title, self.parts, list({note[:_ALIKE]: note for note in reversed(self._notes)}.values())[::-1])
