"""A timeseries answer, taken apart for a chart: buckets, groups, measures with their units and names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from talkscope.charts.drawing import words
from talkscope.charts.drawing.clock import Clock
from talkscope.charts.drawing.table import Series
from talkscope.models.answers import Answer, Cell
from talkscope.models.semantics import DIMENSIONS, MEASURES
from talkscope.models.text import clean

_SHOWN, _AXIS = 3, 30
_NAME = 40
"""Characters of a group's name."""
_COUNTED = ("volume", "usage", "outcomes")


class Buckets:
    """A timeseries answer: columns `bucket`, at most one dimension (and its name), measures, n."""

    def __init__(self, answer: Answer, of: str = "") -> None:
        self.answer = answer
        self._of = clean(of, 120)
        self.measures = [each for each in answer.columns if each in MEASURES or each.startswith("turn_")]
        self.dimension = next((each for each in answer.columns if each in DIMENSIONS), None)
        self.units = {each: words.unit(answer, each) for each in self.measures}
        self.labels = list(dict.fromkeys(str(row[0]) for row in answer.rows))
        self._at = {column: index for index, column in enumerate(answer.columns)}
        offsets = {label[19:] for label in self.labels}
        self._offsets = len(offsets) > 1

    def has_figures(self) -> bool:
        """Whether any bucket has a figure: a 0 is one where something was counted that could have been more."""
        cells = [row[self._at[each]] for row in self.answer.rows for each in self.measures]
        return any(each for each in cells) or (self.answer.meta.n > 0 and any(each is not None for each in cells))

    def title(self) -> str:
        """What is plotted: P50, P95 and P99 of user-to-bot latency by provider."""
        of = self._of or words.basis(self.answer)
        timed = [each for each in self.measures if self.units[each] == "ms"]
        plain = [each for each in self.measures if each not in timed]
        listed = words.several(plain + timed if of else self.measures)
        by = f" by {words.name(self.dimension.removesuffix('_id')).lower()}" if self.dimension else ""
        return f"{listed}{f' of {of}' if of and (timed or self._of) else ''}{by}"

    def axis_title(self, measures: Sequence[str]) -> str:
        """What a panel's axis shows, with its unit."""
        unit = self.units[measures[0]]
        if len(measures) == 1:
            title = words.name(measures[0])
        elif unit == "ms":
            of = words.basis(self.answer)
            title = of[:1].upper() + of[1:] if of and len(of) <= _AXIS else "Value"
        else:
            title = unit.capitalize()
        return words.axis_title(title, "" if unit == "rows" else unit)

    def counts(self, measure: str) -> bool:
        """Whether the measure is a number of things, which has no halves."""
        known = MEASURES.get(measure)
        return measure == "errors" or bool(known and known.family in _COUNTED and known.unit != "USD")

    def groups(self) -> Mapping[str | None, list[list[Cell]]]:
        """The rows of each group, in the answer's order; one group where there is no dimension."""
        if self.dimension is None:
            return {None: self.answer.rows}
        key, named = self._at[self.dimension], self._at.get("character_name", self._at[self.dimension])
        found: dict[Cell, list[list[Cell]]] = {}
        for row in self.answer.rows:
            found.setdefault(row[key], []).append(row)
        shown: dict[str | None, list[list[Cell]]] = {}
        for group, rows in found.items():
            label = clean(str(rows[0][named] or group or "(none)"), _NAME)
            # Two characters may share a name, and names may be alike in their first characters.
            if label in shown:
                label = f"{clean(label, 24)} ({clean(str(group), 14)})"
            while label in shown:
                label += "'"
            shown[label] = rows
        return shown

    def series(self, clock: Clock) -> list[Series]:
        """One series a group: the measures under the names that are shown, and each n that is no measure already."""
        kept = {words.name(each): self._at[each] for each in self.measures}
        kept |= {each: self._at[each] for each in self._numbers()}
        return [
            Series(
                {name: [row[at] for row in rows] for name, at in kept.items()},
                {} if group is None else {"group": group},
                [clock.instant(str(row[0])) for row in rows],
            )
            for group, rows in self.groups().items()
        ]

    def n_column(self, measure: str) -> str:
        """The field that holds the measure's n; nothing for a measure that is its own n."""
        known = MEASURES.get(measure)
        if known is not None and known.n_of is None:
            return ""
        own = f"n_{known.n_of}" if known else "n"
        column = own if own in self._at else "n"
        return column if column in self._numbers() else words.name(self._same(column) or "")

    def values(self, measures: Sequence[str]) -> list[float]:
        """All known values of the measures."""
        cells = [row[self._at[each]] for row in self.answer.rows for each in measures]
        return [each for each in cells if isinstance(each, int | float)]

    def has_lone(self, measures: Sequence[str]) -> bool:
        """Whether any line has a value between two buckets without one, which no line shows."""
        for rows in self.groups().values():
            for at in (self._at[each] for each in measures):
                there = [False, *(row[at] is not None for row in rows), False]
                if any(there[i] and not there[i - 1] and not there[i + 1] for i in range(1, len(there) - 1)):
                    return True
        return False

    def known(self, measure: str, rows: Sequence[Sequence[Cell]] | None = None) -> list[tuple[float, str]]:
        """The measure's known values, each with its bucket."""
        at = self._at[measure]
        pairs = [(row[at], str(row[0])) for row in (self.answer.rows if rows is None else rows)]
        return [(value, label) for value, label in pairs if isinstance(value, int | float)]

    def extremes(self, measure: str, rows: Sequence[Sequence[Cell]], group: str | None) -> str:
        """The highest and the lowest value in words; nothing where no value is known."""
        known, unit = self.known(measure, rows), self.units[measure]
        if not known:
            return ""
        (high, most), (low, least) = max(known, key=lambda pair: pair[0]), min(known, key=lambda pair: pair[0])
        label = words.name(measure) if group is None else f"{group} {words.name(measure)}"
        if high == low:
            return f"{label}: always {words.figure(high, unit)}."
        return (
            f"{label}: highest {words.figure(high, unit)} at {self.when(most)},"
            f" lowest {words.figure(low, unit)} at {self.when(least)}."
        )

    def named(self, pairs: Sequence[tuple[float, str]], measure: str) -> str:
        """The largest values with their buckets, in words."""
        worst = sorted(pairs, key=lambda pair: (-pair[0], pair[1]))[:_SHOWN]
        return ", ".join(f"{self.when(label)} ({words.figure(value, self.units[measure])})" for value, label in worst)

    def when(self, label: str) -> str:
        """A bucket in words; with its offset where the window has several, as an hour may happen twice."""
        return words.when(label) + (label[19:] if self._offsets else "")

    def _numbers(self) -> list[str]:
        """The columns of n that say what no measure says."""
        columns = [each for each in self.answer.columns if each == "n" or each.startswith("n_")]
        return [each for each in columns if self._same(each) is None]

    def _same(self, column: str) -> str | None:
        at = self._at[column]
        return next(
            (each for each in self.measures if all(row[self._at[each]] == row[at] for row in self.answer.rows)), None
        )
