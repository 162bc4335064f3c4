"""What Vega makes of a spec: its transforms worked out here a second time, and what Vega itself draws."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, TypeAlias

import vl_convert

Row: TypeAlias = dict[str, Any]
_TOKEN = re.compile(r"\s*(?:(\d*\.?\d+(?:e\d+)?)|'([^']*)'|([A-Za-z_]\w*)|(==|[-+*/%<?:.,()\[\]]))")
_PRECEDENCE = {"==": 1, "<": 2, "+": 3, "-": 3, "*": 4, "/": 4, "%": 4}
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def _at(ms: float) -> datetime:
    return _EPOCH + timedelta(milliseconds=ms)


def _sum(left: Any, right: Any) -> Any:
    return left + right if isinstance(left, str) == isinstance(right, str) else str(left) + str(right)


_FUNCTIONS: Mapping[str, Callable[..., Any]] = {
    "utcFormat": lambda ms, form: _at(ms).strftime(form),
    "floor": math.floor,
    "utchours": lambda ms: _at(ms).hour,
    "utcyear": lambda ms: _at(ms).year,
    "utcmonth": lambda ms: _at(ms).month - 1,
    "utcdayofyear": lambda ms: _at(ms).timetuple().tm_yday,
    "indexof": lambda found, value: found.index(value) if value in found else -1,
    "pad": lambda value, length, character, side: str(value).rjust(length, character),
    "sequence": lambda start, stop, step: list(range(int(start), int(stop), int(step))),
}
_OPERATORS: Mapping[str, Callable[[Any, Any], Any]] = {
    "==": lambda left, right: left == right,
    "<": lambda left, right: left < right,
    "+": _sum,
    "-": lambda left, right: left - right,
    "*": lambda left, right: left * right,
    "/": lambda left, right: left / right,
    "%": math.fmod,
}


class _Expression:
    """A Vega expression, read from left to right and worked out at once."""

    def __init__(self, text: str, datum: Row) -> None:
        self._tokens = [match.groups() for match in _TOKEN.finditer(text)]
        assert "".join(match[0] for match in _TOKEN.finditer(text)) == text, text
        self._datum, self._next = datum, 0

    def value(self) -> Any:
        found = self._choice()
        assert self._next == len(self._tokens)
        return found

    def _symbol(self) -> str | None:
        return self._tokens[self._next][3] if self._next < len(self._tokens) else None

    def _take(self, symbol: str) -> bool:
        if self._symbol() != symbol:
            return False
        self._next += 1
        return True

    def _choice(self) -> Any:
        condition = self._operation(0)
        if not self._take("?"):
            return condition
        first = self._choice()
        assert self._take(":")
        second = self._choice()
        return first if condition else second

    def _operation(self, least: int) -> Any:
        left = self._unary()
        while (symbol := self._symbol()) and _PRECEDENCE.get(symbol, 0) > least:
            self._next += 1
            left = _OPERATORS[symbol](left, self._operation(_PRECEDENCE[symbol]))
        return left

    def _unary(self) -> Any:
        return -self._unary() if self._take("-") else self._postfix(self._primary())

    def _postfix(self, value: Any) -> Any:
        while True:
            if self._take("."):
                name = self._tokens[self._next][2]
                self._next += 1
                value = value[name]
            elif self._take("["):
                key = self._choice()
                assert self._take("]")
                value = value[int(key)] if isinstance(value, list) else value[key]
            else:
                return value

    def _primary(self) -> Any:
        number, text, name, symbol = self._tokens[self._next]
        self._next += 1
        if number is not None:
            return float(number)
        if text is not None:
            return text
        if name is not None:
            return self._datum if name == "datum" else _FUNCTIONS[name](*self._listed("(", ")"))
        if symbol == "[":
            self._next -= 1
            return self._listed("[", "]")
        assert symbol == "("
        found = self._choice()
        assert self._take(")")
        return found

    def _listed(self, opening: str, closing: str) -> list[Any]:
        assert self._take(opening)
        found = []
        while not self._take(closing):
            found.append(self._choice())
            self._take(",")
        return found


def worked_out(expression: str, **datum: object) -> Any:
    """The value of a Vega expression."""
    return _Expression(expression, datum).value()


def rows(spec: Any) -> list[Row]:
    """The rows that the spec's own transforms make of its data."""
    found: list[Row] = [dict(each) for each in spec["data"]["values"]]
    for step in spec["transform"]:
        if "flatten" in step:
            found = [made for row in found for made in _flattened(row, step["flatten"])]
        elif "window" in step:
            _numbered(found, step["window"][0]["as"], step.get("groupby", []))
        else:
            for row in found:
                row[step["as"]] = worked_out(step["calculate"], **row)
    return found


def _flattened(row: Row, names: list[str]) -> Iterator[Row]:
    lengths = {len(row[name]) for name in names}
    assert len(lengths) == 1, "the columns of a series are of one length"
    for index in range(lengths.pop()):
        yield {**row, **{name: row[name][index] for name in names}}


def _numbered(found: list[Row], name: str, groupby: list[str]) -> None:
    seen: dict[tuple[object, ...], int] = {}
    for row in found:
        key = tuple(row[each] for each in groupby)
        seen[key] = row[name] = seen.get(key, 0) + 1


def _drawn(spec: Any) -> Iterator[tuple[Any, Row]]:
    """Each mark that Vega draws with its items, from the outside in, descriptions included."""
    config = {**spec["config"], "aria": True}
    made = vl_convert.vegalite_to_scenegraph({**spec, "config": config}, allowed_base_urls=[])

    def visit(mark: Any) -> Iterator[tuple[Any, Row]]:
        for item in mark.get("items", []):
            yield mark, item
            for inside in item.get("items", []):
                yield from visit(inside)

    return visit(made["scenegraph"])


def marks(spec: Any, kind: str) -> list[Row]:
    """What Vega draws of that kind of mark, in order: each with its place and, as `description`, its tooltip."""
    return [item for mark, item in _drawn(spec) if mark["marktype"] == kind and mark.get("role") == "mark"]


def labels(spec: Any, axis: str) -> list[str]:
    """The texts of the labels of all axes "x" or "y"."""
    baseline = {"x": "top", "y": "middle"}[axis]
    found = [item for mark, item in _drawn(spec) if mark.get("role") == "axis-label" and item["baseline"] == baseline]
    return [str(item["text"]) for item in found if item.get("opacity", 1)]


def tooltips(spec: Any) -> list[dict[str, str]]:
    """The tooltips that Vega shows over time, one for each unseen column, as names and texts."""
    return [told(each) for each in marks(spec, "rule") if each.get("opacity") == 0]


def told(mark: Row) -> dict[str, str]:
    """A mark's description as names and texts."""
    parts = [each.partition(": ") for each in str(mark["description"]).split("; ")]
    return {name: text for name, _, text in parts}
