"""How figures become rows: columns, their n and units, the order of groups, their names."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from talkscope.models.answers import Cell
from talkscope.models.semantics import Dimension, Measure
from talkscope.warehouse.ask import Ask
from talkscope.warehouse.figures import Figure, Key, counts


def units(measures: Sequence[Measure]) -> dict[str, str]:
    """Measure to unit, for those that are no plain counts."""
    return {each.name: each.unit for each in measures if not counts(each)}


@dataclass(frozen=True, slots=True)
class Layout:
    """The columns that carry the measures and their n: `n` for the first, `n_<what>` where another's differs."""

    measures: tuple[Measure, ...]

    @property
    def _extra(self) -> list[tuple[str, str]]:
        first = self.measures[0].n_of
        seen = {first, None}
        extra = []
        for each in self.measures[1:]:
            if each.n_of not in seen:
                seen.add(each.n_of)
                extra.append((f"n_{each.n_of}", each.name))
        return extra

    @property
    def columns(self) -> list[str]:
        """The column names, after the groups."""
        return [*(each.name for each in self.measures), "n", *(name for name, _ in self._extra)]

    @property
    def units(self) -> dict[str, str]:
        """Column to unit, for those that are no plain counts."""
        return units(self.measures)

    def cells(self, figure: Figure) -> list[Cell]:
        """The cells of one group, in the order of the columns."""
        values: list[Cell] = [figure.values[each.name] for each in self.measures]
        n: list[Cell] = [figure.n[self.measures[0].name], *(figure.n[name] for _, name in self._extra)]
        return [*values, *n]

    def sorting(self, by: Measure) -> Callable[[tuple[Key, Figure]], tuple[bool, float, tuple[tuple[bool, str], ...]]]:
        """Largest value first, missing values last, ties by the group's name."""

        def rank(item: tuple[Key, Figure]) -> tuple[bool, float, tuple[tuple[bool, str], ...]]:
            key, figure = item
            value = figure.values[by.name]
            names = tuple((each is None, str(each)) for each in key)
            return value is None, -(value or 0), names

        return rank


def named(ask: Ask, by: Sequence[Dimension], rows: Sequence[list[Cell]], at: int) -> list[str]:
    """The group columns; ids that have a name get it beside them, in the rows too. Groups begin at column `at`."""
    columns: list[str] = []
    for each in by:
        columns.append(each.name)
        if each.name == "character_id":
            names = ask.character_names()
            place = at + len(columns)
            for row in rows:
                row.insert(place, names.get(str(row[place - 1])))
            columns.append("character_name")
    return columns


def several_assistants(ask: Ask, by: Sequence[Dimension]) -> list[str]:
    """The notes that an answer by assistant or by tag carries when sessions have several."""
    notes = []
    if any(each.name == "character_id" for each in by) and ask.has_participants():
        notes.append("Sessions with several assistants count under each of them, so rows do not add up to the total.")
    if any(each.name == "tag" for each in by):
        notes.append("Sessions with several tags count under each of them, so rows do not add up to the total.")
    return notes
