"""Asking the real server, and reading its answers by label."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from talkscope.models.text import clean
from talkscope.models.window import iso
from tests.oracle import Case
from tests.server.wire import Wire, text


def ask(wire: Wire, tool: str, **words: Any) -> dict[str, Any]:
    """The structured answer of a tool call that must succeed."""
    result = wire.call(tool, timeout=60, **words)["result"]
    assert not result.get("isError"), text({"result": result})
    answer: dict[str, Any] = result["structuredContent"]
    return answer


def refused(wire: Wire, tool: str, **words: Any) -> dict[str, Any]:
    """The error of a tool call that must be refused."""
    result = wire.call(tool, **words)["result"]
    assert result["isError"]
    error: dict[str, Any] = result["_meta"]["talkscope/error"]
    return error


def within(case: Case) -> dict[str, str]:
    """The words that name the case's window."""
    return {"start_time": iso(case.start), "end_time": iso(case.end), "timezone": case.zone}


def by_label(
    answer: dict[str, Any], keys: Sequence[str], values: Sequence[str]
) -> dict[tuple[Any, ...], tuple[Any, ...]]:
    """The named cells of every row, by the row's label cells."""
    columns = answer["columns"]
    at = [columns.index(name) for name in keys]
    of = [columns.index(name) for name in values]
    found = {tuple(row[i] for i in at): tuple(row[i] for i in of) for row in answer["rows"]}
    assert len(found) == len(answer["rows"]), "two rows have one label"
    return found


def shown(key: Sequence[Any]) -> tuple[Any, ...]:
    """A label as an answer shows it: text from outside is cleaned."""
    return tuple(clean(each, 200) if isinstance(each, str) else each for each in key)


def same(got: float | None, expected: float | None, within: float = 0.00051) -> bool:
    """Whether an answered figure is the expected one, rounding apart; nothing is only the same as nothing."""
    if got is None or expected is None:
        return got is None and expected is None
    return abs(got - expected) <= within
