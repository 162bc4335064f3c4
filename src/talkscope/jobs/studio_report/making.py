"""How a section comes about: measures and grids, for people as figures and tables and for programs as plain cells."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from talkscope.charts.drawing import words
from talkscope.jobs.report.content import Figure, Figures, Part, Says, Section, Table, Tone
from talkscope.jobs.report.tables import MISSING, number
from talkscope.jobs.studio_report.facts import Facts
from talkscope.models.answers import Cell
from talkscope.models.safe import Masking, cell, safe
from talkscope.models.text import clean

NO_DATA = "No data in this window"
COLUMNS = ("recipe", "table", "row", "figure", "value", "unit", "n")
"""The columns of a report as CSV: one figure a line."""
MOST_ROWS = 100
"""Rows of a table for people."""
_SENTENCE = 600
_CALLED = re.compile(r"(?<=[:/_-])\+\d{7,15}(?!\d)")


@dataclass(frozen=True, slots=True)
class Measured:
    """One figure: its name for programs and for people, its value and unit, and of how many of what it is."""

    name: str
    label: str
    value: Cell
    unit: str = ""
    n: int | None = None
    of: str = ""


class Making:
    """A section in the making. Text from outside is masked on its way in."""

    def __init__(self, recipe: str, facts: Facts, mask: Masking, *, reveal: bool) -> None:
        self.recipe, self.facts, self.reveal = recipe, facts, reveal
        self.cells: list[list[Cell]] = []
        self._mask = mask if reveal else _reaching(mask)
        self._parts: list[Part] = []
        self._notes: list[str] = []

    def say(self, text: str, tone: Tone = "quiet") -> None:
        """A sentence."""
        self._parts.append(Says(safe(text, self._mask, _SENTENCE), tone))

    def note(self, *sentences: str) -> None:
        """What belongs to the section's figures, once."""
        made = [safe(each, self._mask, _SENTENCE) for each in sentences]
        self._notes += [each for each in dict.fromkeys(made) if each not in self._notes]

    def noted(self, *names: str) -> None:
        """What belongs to the figures of these facts."""
        for name in names:
            self.note(*self.facts.notes.get(name, ()))

    def lacks(self, name: str, what: str) -> None:
        """Say why there is nothing of these facts."""
        self.say(f"{what}: {self.facts.lacking.get(name, 'it was not asked for.')}", "refused")

    def empty(self, what: str) -> None:
        """Say that there is nothing in the window."""
        self.say(f"{NO_DATA}: {what}.")

    def figures(self, table: str, measures: Iterable[Measured]) -> None:
        """Figures side by side, each rate with what it is a rate of."""
        shown = list(measures)
        self._parts.append(
            Figures([Figure(each.label, figure(each.value, each.unit), "", _of(each)) for each in shown], "n")
        )
        self.cells += [
            [self.recipe, table, "all", each.name, cell(each.value, self._mask), each.unit or None, each.n]
            for each in shown
        ]

    def grid(
        self,
        table: str,
        columns: Sequence[str],
        rows: Iterable[Sequence[Cell]],
        *,
        caption: str,
        units: Mapping[str, str] | None = None,
        titles: Mapping[str, str] | None = None,
        own: frozenset[str] = frozenset(),
        keys: int = 1,
        of: Mapping[str, str] | None = None,
        drawn: frozenset[str] = frozenset(),
    ) -> None:
        """A table whose first columns (`keys`) say what each row is about.

        `n` is what the row's fractions are of, but for those whose own column `of` names. The texts of `own` columns
        are ours, and not masked; `drawn` ones are for the eye, and not told to programs.
        """
        known, named = units or {}, titles or {}
        hiding = [str if name in own else self._mask for name in columns]
        made = [[cell(value, mask) for value, mask in zip(row, hiding, strict=True)] for row in rows]
        numeric = {
            place
            for place, name in enumerate(columns)
            if place >= keys and not any(isinstance(row[place], str) for row in made) and name not in own
        }
        each_unit = [known.get(name, "") for name in columns]
        self._parts.append(
            Table(
                head=[named.get(name) or _title(name, known.get(name, "")) for name in columns],
                rows=[[number(*each) for each in zip(row, each_unit, strict=True)] for row in made[:MOST_ROWS]],
                numeric=frozenset(numeric),
                caption=caption if len(made) <= MOST_ROWS else f"{caption} {MOST_ROWS} of {len(made):,}; CSV has all.",
            )
        )
        for row in made:
            told = dict(zip(columns, row, strict=True))
            key = row[0] if keys == 1 else " / ".join(str(each) for each in row[:keys])
            for name in columns[keys:]:
                if name != "n" and name not in drawn:
                    unit = known.get(name) or None
                    n = told.get((of or {}).get(name, "n")) if unit == "fraction" else None
                    self.cells.append([self.recipe, table, key, name, told[name], unit, n])

    def done(self, title: str) -> Section:
        """The section."""
        return Section(title, self._parts, self._notes)


def _reaching(mask: Masking) -> Masking:
    """The masking, which takes numbers to call within ids too: messengers make ids of them (wa:+49…)."""
    return lambda text: mask(_CALLED.sub(lambda found: mask(found[0]), text))


def share(part: float | None, n: float | None) -> float | None:
    """A fraction, None of nothing."""
    return part / n if part is not None and n else None


def figure(value: Cell, unit: str) -> str:
    """A figure with its unit, which may be any word of the platform's."""
    if value is None or isinstance(value, str) or unit == "fraction":
        return words.figure(value, unit)
    return f"{number(value, '')} {clean(unit, 40)}".rstrip()


def fraction(percent: float | None) -> float | None:
    """A fraction in place of the vendor's percents."""
    return None if percent is None else percent / 100


def listed(texts: Iterable[str]) -> str:
    """Several words in one cell."""
    return ", ".join(clean(each, 80) for each in texts) or MISSING


def _of(each: Measured) -> str:
    return f"of {each.n:,} {each.of}".rstrip() if each.n is not None else each.of


def _title(name: str, unit: str) -> str:
    plain = name.removesuffix("_ms").replace("_", " ")
    return f"{plain} ({unit})" if unit not in ("", "fraction") else plain
