"""How are tools, toolkits, skills and knowledge bases used, and how often do they fail?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from talkscope.models.answers import Answer, Cell
from talkscope.models.questions import ResourcesAsked
from talkscope.models.window import Window
from talkscope.warehouse.ask import Ask, cell, ms
from talkscope.warehouse.figures import Key
from talkscope.warehouse.layout import named as with_names
from talkscope.warehouse.layout import several_assistants
from talkscope.warehouse.own import absent, chosen, field, folded, grouped, order
from talkscope.warehouse.rows import Sql, Which, facts
from talkscope.warehouse.schema import FAILED

OWN = {"kind": "kind", "name": "name", "action": "action", "item": "item_id", "item_id": "item_id", "status": "status"}
"""The words that calls are filtered by, beside those of every session."""
_BY: dict[str, tuple[str, ...]] = {
    "name": ("kind", "name"),
    "action": ("kind", "name", "action"),
    "item": ("kind", "name", "item_id"),
    "error_message": ("kind", "name", "error_message"),
}
_NEEDED = {"action": "action IS NOT NULL", "item": "item_id IS NOT NULL", "error_message": FAILED}
_LEFT_OUT = {
    "action": "{} calls name no action: group by name for these.",
    "item": "{} calls name no item: group by name for these.",
}
_SHOWN = {"item_id": "item"}
_FIGURES = ("calls", "ok", "errors", "unknown", "error_rate", "mean_ms", "p95_ms", "n_ms", "sessions")
# What a citation is titled by is its item, which is no title of the knowledge base.
_OF_NAME = ("name", "title", "arg_max(coalesce(name_title, CASE WHEN kind <> 'knowledge_base' THEN title END), t)")
_OF_BASE = ("name", "base", "arg_max(name_title, t)")
_OF_ITEM = ("item_id", "title", "arg_max(title, t)")
_TITLES = {"name": (_OF_NAME,), "action": (_OF_NAME,), "item": (_OF_BASE, _OF_ITEM)}
"""What names are called, where a group has one: the column that is called so, that of its title, and that as SQL."""
_LISTED = (
    "count(*)",
    "count(*) FILTER (status = 'ok')",
    f"count(*) FILTER ({FAILED})",
    "avg(duration_ms)",
    "quantile_cont(duration_ms, 0.95)",
    "count(duration_ms)",
    "count(DISTINCT CASE WHEN session_id IS NOT NULL THEN platform || chr(31) || session_id END)",
)
_TELLS = ("count(*) FILTER (kind = 'tool')", "count(*) FILTER (kind IN ('api_tool', 'toolkit', 'skill'))")
_TWICE = (
    "kind=tool is what conversations say they called, and api_tool, toolkit and skill a platform's own log: a call may"
    " be in both, so filter by kind before adding up."
)
_SPANS = ("tool", "execute_tool", "function_tool", "knowledge_bank")
_BASIS = (
    "calls in the window; error_rate = errors / (ok + errors), unknown: calls whose success nobody told; mean_ms and"
    " p95_ms over the n_ms calls with a duration; sessions: different ones, where the call names its session"
)


@dataclass(frozen=True, slots=True)
class _Wanted:
    """Which calls, and by which columns."""

    asked: ResourcesAsked
    window: Window
    rows: Sql
    keys: tuple[str, ...]


def answer(asked: ResourcesAsked, ask: Ask) -> Answer:
    """One row a resource, or whatever is grouped by, most calls first; beyond `limit` one row for all others."""
    window = ask.window(asked)
    keys = _BY.get(asked.by, (asked.by,))
    wanted = _Wanted(asked, window, _calls(ask, asked, window, keys), keys)
    titles = _TITLES.get(asked.by, ())
    listed = [*_LISTED, *(sql for _, _, sql in titles)]
    narrowed = Sql(f"SELECT * FROM ({wanted.rows.text}) WHERE {_NEEDED.get(asked.by, 'true')}", wanted.rows.params)
    found = grouped(ask, narrowed, keys, listed)
    ranked = sorted(found.items(), key=lambda item: (-_number(item[1][0]), order(item[0])))
    shown = ranked[: asked.limit]
    rows: list[list[Cell]] = [list(key) for key, _ in shown]
    columns = with_names(ask, [field(name) for name in keys], rows, 0)
    for number, (name, title, _) in enumerate(titles, len(_LISTED)):
        called = [cell(figures[number]) for _, figures in shown]
        if any(called):
            place = columns.index(name) + 1
            columns.insert(place, title)
            for row, said in zip(rows, called, strict=True):
                row.insert(place, said)
    for row, (_, figures) in zip(rows, shown, strict=True):
        row.extend(_cells(figures))
    notes = [*several_assistants(ask, [field(name) for name in keys])]
    if len(ranked) > len(shown):
        without: list[Key] = [key for key, _ in shown]
        rest = grouped(ask, narrowed, keys, listed, without)[()]
        rows.append([*folded(len(ranked) - len(shown), len(columns)), *_cells(rest)])
        notes.append(f"{len(shown)} of {len(ranked)} groups are shown, by calls: raise limit, or filter.")
    n, counted, twice = _counted(ask, wanted)
    notes += [_TWICE] if twice else []
    if asked.by in _LEFT_OUT and n > counted:
        notes.append(_LEFT_OUT[asked.by].format(n - counted))
    return Answer(
        columns=[*(_SHOWN.get(name, name) for name in columns), *_FIGURES],
        rows=rows,
        meta=ask.meta(
            n=counted,
            window=window,
            basis=_BASIS,
            units={"error_rate": "fraction", "mean_ms": "ms", "p95_ms": "ms"},
            notes=[*notes, *_elsewhere(ask, window), *_none(ask, n)],
        ),
    )


def _calls(ask: Ask, asked: ResourcesAsked, window: Window, keys: Sequence[str]) -> Sql:
    """The calls that were asked for, each with what is grouped by and measured."""
    words = [*asked.filters, *([f"kind={asked.kind}"] if asked.kind != "all" else [])]
    columns = [
        *keys, "kind", "name", "name_title", "title", "action", "item_id", "status", "duration_ms", "platform",
        "session_id",
    ]  # fmt: skip
    rows = facts(ask, "calls", Which(window, chosen(ask, words, OWN)), columns)
    if asked.search:
        texts = "concat_ws(chr(31), name, name_title, title, action, item_id)"
        rows = Sql(
            f"SELECT * FROM ({rows.text}) WHERE contains(lower({texts}), lower(?))", [*rows.params, asked.search]
        )
    return rows


def _cells(figures: Sequence[object]) -> list[Cell]:
    calls, ok, errors, mean, p95, timed, sessions = figures[: len(_LISTED)]
    known = _number(ok) + _number(errors)
    rate = round(_number(errors) / known, 6) if known else None
    return [
        _number(calls),
        _number(ok),
        _number(errors),
        _number(calls) - known,
        rate,
        ms(mean if isinstance(mean, int | float) else None),
        ms(p95 if isinstance(p95, int | float) else None),
        _number(timed),
        _number(sessions),
    ]


def _number(value: object) -> int:
    return value if isinstance(value, int) else 0


def _counted(ask: Ask, wanted: _Wanted) -> tuple[int, int, bool]:
    """How many calls there are, how many of them the rows are about, and whether some may be told twice.

    Several assistants count a call once.
    """
    asked = wanted.asked
    rows = _calls(ask, asked, wanted.window, ())
    needed = _NEEDED.get(asked.by, "true")
    found = grouped(ask, rows, (), ["count(*)", f"count(*) FILTER ({needed})", *_TELLS])[()]
    return _number(found[0]), _number(found[1]), all(map(_number, found[2:4]))


def _elsewhere(ask: Ask, window: Window) -> list[str]:
    """The note that components which are tools are not among the calls: their spans do not say in a column which."""
    listed = ", ".join(f"'{name}'" for name in _SPANS)
    table = ask.snapshot.table("spans", window)
    sql = f"SELECT count(*) FROM {table} WHERE t >= {window.start} AND t < {window.end} AND processor IN ({listed})"
    spans = _number(ask.snapshot.fetch(sql)[0][0])
    if not spans:
        return []
    return [f"{spans} spans of tools and knowledge banks are not counted here: get_breakdown by processor has them."]


def _none(ask: Ask, n: int) -> list[str]:
    whence = "`talkscope sync studio-chat` loads those of Studio Chat, and records of type resource_call are taken."
    return [] if n else absent(ask, "resource_calls", "calls of resources", whence)
