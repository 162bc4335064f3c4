"""Questions about records of one kind: filtered and grouped by their own fields, and by what their session says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from talkscope.errors import InvalidArgument, UnknownName, unknown
from talkscope.models.answers import Cell
from talkscope.models.semantics import DIMENSIONS, Dimension, Filter, dimension, snake
from talkscope.warehouse.ask import Ask, cell
from talkscope.warehouse.figures import MOST_GROUPS, Key
from talkscope.warehouse.rows import Sql, outside
from talkscope.warehouse.store import Out

SHARED = tuple(each.name for each in DIMENSIONS.values() if "outcome" in each.scopes and each.own is None)
"""The dimensions that a session gives to everything that belongs to it."""
_LOWERED = frozenset({"status", "kind"})


def field(column: str) -> Dimension:
    """A column as a dimension, for whoever groups or filters by it."""
    return DIMENSIONS.get(column) or Dimension(column, frozenset(), "")


def named(word: str, own: Mapping[str, str]) -> str:
    """The column that the word stands for: one of the records' own, or of their session's; UnknownName for others."""
    column = own.get(snake(word))
    if column is not None:
        return column
    try:
        found = dimension(word).name
    except UnknownName:
        found = ""
    if found not in SHARED:
        raise unknown("dimension", word, [*own, *(each for each in SHARED if each not in own)])
    return found


def chosen(ask: Ask, words: Sequence[str], own: Mapping[str, str]) -> tuple[Filter, ...]:
    """The filters `dimension=value` over own fields and those of the session; the same one twice means either."""
    mine: dict[tuple[str, bool], list[str]] = {}
    others: list[str] = []
    for word in words:
        name, sign, value = word.partition("=")
        plain = name.rstrip("!").strip()
        if sign and plain and (column := named(plain, own)) not in SHARED:
            told = value.strip().lower() if column in _LOWERED else value.strip()
            mine.setdefault((column, not name.endswith("!")), []).append(told)
        else:
            others.append(f"{named(plain, own)}{'!' * name.endswith('!')}={value}" if sign and plain else word)
    filters = [Filter(field(column), equal, tuple(values)) for (column, equal), values in mine.items()]
    return (*filters, *ask.filters(others))


def grouped(
    ask: Ask, rows: Sql, keys: Sequence[str], listed: Sequence[str], without: Sequence[Key] | None = None
) -> dict[Key, tuple[Out, ...]]:
    """The listed aggregates of each group by these columns; with `without`, of all rows outside those groups, as ().

    Without keys there is always the one group (). Raises InvalidArgument for more groups than fit in memory.
    """
    chosen = rows if without is None else outside(ask, rows, keys, without)
    by = list(keys) if without is None else []
    names = [f"{name} AS g{index}" for index, name in enumerate(by)]
    sql = f"SELECT {', '.join([*names, *listed])} FROM ({chosen.text})"
    if by:
        sql += f" GROUP BY {', '.join(by)}"
    found = ask.snapshot.fetch(f"{sql} LIMIT {MOST_GROUPS + 1}", chosen.params)
    if len(found) > MOST_GROUPS:
        raise InvalidArgument(
            f"The question makes more than {MOST_GROUPS:,} groups.",
            hint="Filter, ask a shorter window, or group by something coarser.",
        )
    return {tuple(cell(value) for value in row[: len(by)]): row[len(by) :] for row in found}


def order(key: Key) -> tuple[tuple[bool, str], ...]:
    """What groups of the same size are sorted by: their names, those without one last."""
    return tuple((each is None, str(each)) for each in key)


def folded(count: int, width: int) -> list[Cell]:
    """The group cells of the row that stands for all groups beyond the limit."""
    return [f"other ({count} group{'s' * (count != 1)})", *([None] * (width - 1))]


def absent(ask: Ask, table: str, what: str, whence: str) -> list[str]:
    """The note of a warehouse that holds no records of that kind at all."""
    if ask.snapshot.fetch(f"SELECT 1 FROM {ask.snapshot.table(table)} LIMIT 1"):
        return []
    return [f"This warehouse holds no {what}: {whence}"]
