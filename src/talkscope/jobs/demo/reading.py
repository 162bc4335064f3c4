"""A tool's answer, read by its labels, and its figures held against what is true."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

Value: TypeAlias = "int | float | str | None"
Row: TypeAlias = Mapping[str, object]

# Answers are rounded: milliseconds to three decimals, rates and shares to six.
_MS = 0.0011
_RATE = 0.0000011


@dataclass(frozen=True, slots=True)
class Check:
    """One figure: what it is, what is true, what was answered."""

    what: str
    expected: Value
    got: object
    holds: bool


class Reading:
    """A tool's structured answer, read by labels; what it lacks reads as None."""

    def __init__(self, structured: Mapping[str, object]) -> None:
        self.structured = structured
        columns, rows = structured.get("columns"), structured.get("rows")
        names = [str(name) for name in columns] if isinstance(columns, list) else []
        listed = rows if isinstance(rows, list) else []
        self.columns = names
        self.rows: list[Row] = [dict(zip(names, row, strict=False)) for row in listed if isinstance(row, list)]

    def row(self, **labels: object) -> Row:
        """The first row with these labels, or an empty one."""
        return next((row for row in self.rows if all(row.get(key) == label for key, label in labels.items())), {})

    def labelled(self, label: object) -> Row:
        """The row whose first column has this label, or an empty one."""
        return self.row(**{self.columns[0]: label}) if self.columns else {}

    def column(self, name: str) -> list[object]:
        """The cells of one column, from the first row to the last."""
        return [row.get(name) for row in self.rows]

    def inner(self, *path: str) -> object:
        """A value beside the rows, by the keys that lead to it."""
        value: object = self.structured
        for key in path:
            value = value.get(key) if isinstance(value, Mapping) else None
        return value

    def excerpt(self, most: int, around: str | None) -> list[Row]:
        """The first rows, or with a column, as many rows around its largest number."""
        place = self.rows.index(self.top(around)) - most // 2 if around is not None and self.rows else 0
        first = max(0, min(place, len(self.rows) - most))
        return self.rows[first : first + most]

    def top(self, column: str) -> Row:
        """The row with the largest number in the column, or an empty one."""
        return max(self.rows, key=lambda row: number(row.get(column)), default={})


def number(value: object) -> float:
    """The value as a number; what is none is less than any."""
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else float("-inf")


def figure(what: str, expected: Value, got: object, *, within: float = _MS) -> Check:
    """A figure that is equal, or as close as rounding lets it be."""
    if isinstance(expected, float) and isinstance(got, int | float):
        return Check(what, expected, got, abs(expected - got) <= within)
    return Check(what, expected, got, expected == got)


def rate(what: str, expected: float | None, got: object) -> Check:
    """A rate or a share that is equal, or as close as rounding lets it be."""
    return figure(what, expected, got, within=_RATE)
