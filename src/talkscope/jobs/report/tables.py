"""Answers as tables for people: chosen columns, titles with units, numbers as they are written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from talkscope.jobs.report.content import Table
from talkscope.models.answers import Answer, Cell
from talkscope.models.semantics import DIMENSIONS, MEASURES

MISSING = "–"
_TITLES = {
    "processor": "component",
    "character_id": "character",
    "end_users": "end users",
    "error_rate": "error rate",
    "handoff_rate": "handed over",
    "deflection_rate": "deflected",
    "cost_usd": "cost",
}
_NAMES = {"character_id": "character_name"}
_TITLED_UNITS = {"ms": "ms", "USD": "US$"}


def table(
    answer: Answer, columns: Sequence[str], *, caption: str = "", titles: Mapping[str, str] | None = None
) -> Table:
    """These columns of the answer, those that it has."""
    names = [name for name in columns if name in answer.columns]
    units = {name: unit_of(answer, name) for name in names}
    known = titles or {}
    records = answer.records()
    return Table(
        head=[known.get(name) or title(name, units[name]) for name in names],
        rows=[[_shown(row, name, units[name]) for name in names] for row in records],
        numeric=frozenset(
            place
            for place, name in enumerate(names)
            if name not in DIMENSIONS and not any(isinstance(row[name], str) for row in records)
        ),
        caption=caption,
    )


def unit_of(answer: Answer, column: str) -> str:
    """The unit of a column, where it has one."""
    known = MEASURES.get(column)
    return answer.meta.units.get(column) or (known.unit if known else "")


def title(name: str, unit: str) -> str:
    """A column's title, with the unit that its numbers are in."""
    plain = _TITLES.get(name) or name.removesuffix(f"_{unit}").replace("_", " ")
    return f"{plain} ({_TITLED_UNITS[unit]})" if unit in _TITLED_UNITS else plain


def _shown(row: Mapping[str, Cell], name: str, unit: str) -> str:
    value = row[name]
    named = row.get(_NAMES.get(name, ""))
    if value is None and name in DIMENSIONS:
        return "(none)"
    return str(named) if isinstance(named, str) else number(value, unit)


def number(value: Cell, unit: str) -> str:
    """A cell as people write it: fractions as percentages, thousands set apart, a dash for what is not known."""
    if value is None:
        return MISSING
    if isinstance(value, str):
        return value
    if unit == "fraction":
        return f"{value * 100:,.2f} %"
    if isinstance(value, int) or abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:,.3g}"


def percent(change: float) -> str:
    """A relative change with its sign."""
    return f"{change * 100:+,.1f} %".replace("-", "−")


def points(now: float, before: float) -> str:
    """How far a fraction moved, in percentage points, which are not per cent."""
    return f"{(now - before) * 100:+.2f} points".replace("-", "−")
