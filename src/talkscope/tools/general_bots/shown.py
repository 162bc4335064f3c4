"""Answers whose shape is documented nowhere, as rows: every field as it came, none of them guessed at."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

from pydantic import BaseModel

from talkscope.errors import Json
from talkscope.models.answers import Cell
from talkscope.tools.vendor.said import named

_DEEPEST = 6
_MOST = 2_000
_WIDEST = 30

Table = tuple[list[str], list[list[Cell]]]


def table(answer: object) -> Table:
    """Columns and rows: a list of plain records as they are, all else as names and values.

    What is of one member of a list stands beside what that member begins with, such as its date, as `group`.
    """
    value = _json(answer)
    listed = value["data"] if isinstance(value, dict) and set(value) == {"data"} else value
    if isinstance(listed, list) and listed and all(map(_plain, listed)):
        columns = list(dict.fromkeys(name for row in listed if isinstance(row, dict) for name in row))
        if len(columns) <= _WIDEST:
            rows = [[_cell(row.get(name)) for name in columns] for row in listed if isinstance(row, dict)]
            return columns, rows
    found = list(islice(_told(value, "", None, 0), _MOST))
    if any(group is not None for group, _, _ in found):
        return ["group", "name", "value"], [[group, name, told] for group, name, told in found]
    return ["name", "value"], [[name, told] for _, name, told in found]


def facts(answer: object) -> int | None:
    """How many conversations an answer is over, where it says so in a documented field."""
    value = _json(answer)
    if not isinstance(value, dict):
        return None
    total, rows = value.get("total_conversations"), value.get("data")
    if isinstance(total, int):
        return total
    if not isinstance(rows, list):
        return None
    counts = [row.get("conversations") if isinstance(row, dict) else None for row in rows]
    known = [count for count in counts if isinstance(count, int)]
    return sum(known) if known and len(known) == len(counts) else None


def _json(answer: object) -> Json:
    """An answer as JSON; of a model, what the server sent."""
    if isinstance(answer, BaseModel):
        dumped: Json = answer.model_dump(mode="json", exclude_unset=True)
        return dumped
    if isinstance(answer, tuple | list):
        return [_json(each) for each in answer]
    return answer  # type: ignore[return-value]


def _plain(row: Json) -> bool:
    return isinstance(row, dict) and all(
        named(name) and not isinstance(value, dict | list) for name, value in row.items()
    )


def _told(value: Json, name: str, group: str | None, depth: int) -> Iterator[tuple[str | None, str, Cell]]:
    """Each figure with its name, dots between the names of what it is inside of."""
    if isinstance(value, dict) and depth < _DEEPEST:
        for key, part in value.items():
            yield from _told(part, f"{name}.{key}" if name else key, group, depth + 1)
    elif isinstance(value, list) and depth < _DEEPEST and any(isinstance(part, dict | list) for part in value):
        for place, part in enumerate(value, 1):
            label, rest = _labelled(part, place)
            yield from _told(rest, name, f"{group} / {label}" if group else label, depth + 1)
    else:
        yield group, name or "value", _cell(value)


def _labelled(part: Json, place: int) -> tuple[str, Json]:
    """What a member of a list is called, and the rest of it: its first text, else its place."""
    if isinstance(part, dict):
        for key, value in part.items():
            if isinstance(value, str):
                return value, {name: other for name, other in part.items() if name != key}
    return str(place), part


def _cell(value: Json) -> Cell:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if value is None or isinstance(value, int | float | str):
        return value
    if isinstance(value, list):
        return ", ".join(str(_cell(part)) for part in value[:50])
    return f"{len(value)} fields"
