"""An answer's columns as a chart reads them: each name once, each number once.

A spec holds one object for each series, whose members are arrays; Vega-Lite itself makes rows of them (`flatten`).
Instants that lie evenly are counted from the first on, and no array holds them.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from talkscope.errors import Json
from talkscope.models.answers import Cell

_MS = 1_000
TIME = "time"
"""The field that holds an instant."""


@dataclass(frozen=True, slots=True)
class Series:
    """Facts that hold for each row of a series, its columns, and the rows' instants in microseconds, if they have any.

    Names of facts and columns are ours; what others wrote stands in cells only.
    """

    columns: Mapping[str, Sequence[Cell]]
    facts: Mapping[str, Cell] = field(default_factory=dict)
    instants: Sequence[int] = ()


def table(series: Sequence[Series]) -> tuple[dict[str, Json], list[Json]]:
    """The `data` of a spec, and the transforms that make its rows, with the field `time` where there are instants."""
    instants = [each.instants for each in series]
    timed = any(instants)
    evenly = _evenly(instants) if timed else None
    start = min((at for each in instants for at in each), default=0)
    unit = _unit([at - start for each in instants for at in each])
    values: list[Json] = []
    for each in series:
        offsets: dict[str, Json] = {}
        if timed and evenly is None:
            offsets["t"] = [
                (at - start) // unit if (at - start) % unit == 0 else (at - start) / unit for at in each.instants
            ]
        values.append({**each.facts, **offsets, **{name: list(cells) for name, cells in each.columns.items()}})
    flat: list[Json] = [*(["t"] if timed and evenly is None else []), *(series[0].columns if series else ())]
    steps: list[Json] = [{"flatten": flat}]
    base = _number(start / _MS)
    if evenly == 0:
        steps.append({"calculate": base, "as": TIME})
    elif evenly is not None:
        by: list[Json] = list(series[0].facts)
        steps.append({"window": [{"op": "row_number", "as": "i"}], **({"groupby": by} if by else {})})
        steps.append({"calculate": f"{base}+{_number(evenly / _MS)}*(datum.i-1)", "as": TIME})
    elif timed:
        steps.append({"calculate": f"{base}+{_number(unit / _MS)}*datum.t", "as": TIME})
    return {"values": values}, steps


def _evenly(instants: Sequence[Sequence[int]]) -> int | None:
    """The step between instants when all series start together and go on in equal steps."""
    first = instants[0]
    if any(list(each) != list(first[: len(each)]) for each in instants):
        return None
    steps = {later - earlier for earlier, later in itertools.pairwise(first)}
    return steps.pop() if len(steps) == 1 else 0 if not steps else None


def _unit(offsets: Sequence[int]) -> int:
    """The largest of a minute, a second and a millisecond that all offsets are multiples of."""
    for unit in (60_000_000, 1_000_000):
        if all(offset % unit == 0 for offset in offsets):
            return unit
    return _MS


def _number(value: float) -> str:
    return str(int(value)) if value == int(value) else repr(value)
