"""The vendor's groups as rows: same ones put together, the smallest as one, cut dates and odd sums marked."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Generic, TypeVar

from pydantic import BaseModel

from talkscope.models.answers import Cell
from talkscope.platforms.mavenoid.calls import CALENDAR
from talkscope.platforms.mavenoid.groups import partial
from talkscope.tools.vendor import Reach

G = TypeVar("G", bound=BaseModel)

OTHER = "(other)"
FOLDED = "The {} smallest groups are one row, {}; raise limit to see them."
_NONE = "No data in this window."


@dataclass(frozen=True, slots=True)
class Grouping(Generic[G]):
    """How groups of one kind become rows.

    Args:
        merged: Several groups as one.
        size: What the largest groups are largest by.
        figures: A group's figures by column.
        besides: A field that is shown beside another, where any group has it.
    """

    merged: Callable[[Sequence[G]], G]
    size: Callable[[G], float]
    figures: Callable[[G], Mapping[str, Cell]]
    besides: Mapping[str, str]


def table(
    reach: Reach, found: Sequence[G], *, by: Sequence[str], days: int, limit: int, how: Grouping[G]
) -> tuple[list[str], list[list[Cell]]]:
    """Columns and rows: by date, or the largest first."""
    fields = [name.replace("-", "_") for name in by]
    unit = next((name for name in fields if name in CALENDAR), None)
    shown = ["date" if name == unit else name for name in fields]
    for name, other in how.besides.items():
        if name in shown and any(getattr(group, other) is not None for group in found):
            shown.insert(shown.index(name) + 1, other)
    groups = _together(found, shown, how)
    kept = sorted(groups.items(), key=lambda one: -how.size(one[1]))
    rest = [group for _, group in kept[limit:]]
    kept = kept[:limit]
    if unit is not None:
        # Sorting keeps the larger of one date first.
        kept.sort(key=lambda one: str(one[0][shown.index("date")] or ""))
    cut = partial(unit, days, reach.now) if unit else frozenset[date]()
    rows = [_row(key, group, how, None if unit is None else _cut(key, shown, cut)) for key, group in kept]
    if rest:
        reach.note(FOLDED.format(len(rest), OTHER))
        labels: list[Cell] = [None if name == "date" else OTHER for name in shown]
        rows.append(_row(labels, how.merged(rest), how, None if unit is None else [None]))
    reach.note(*[] if found else [_NONE])
    figures = list(how.figures(found[0])) if found else []
    return [*shown, *(["partial"] if unit else []), *figures], rows


def _together(found: Sequence[G], shown: Sequence[str], how: Grouping[G]) -> dict[tuple[Cell, ...], G]:
    """The groups by what they are of; what differs only in how a word is spelled is one group."""
    groups: dict[tuple[Cell, ...], list[G]] = {}
    for group in found:
        groups.setdefault(tuple(_label(group, name) for name in shown), []).append(group)
    return {key: same[0] if len(same) == 1 else how.merged(same) for key, same in groups.items()}


def _label(group: BaseModel, name: str) -> Cell:
    value: Cell | date = getattr(group, name)
    if isinstance(value, date):
        return value.isoformat()
    spelled = name == "status" or name.endswith("_status")
    return value.strip().upper() if spelled and isinstance(value, str) else value


def _cut(key: Sequence[Cell], shown: Sequence[str], cut: frozenset[date]) -> list[Cell]:
    day = key[shown.index("date")]
    return ["yes" if isinstance(day, str) and date.fromisoformat(day) in cut else "no"]


def _row(key: Sequence[Cell], group: G, how: Grouping[G], cut: list[Cell] | None) -> list[Cell]:
    return [*key, *(cut or []), *how.figures(group).values()]
