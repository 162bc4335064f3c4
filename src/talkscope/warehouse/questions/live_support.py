"""How do live agents do? Queue, first response and chat durations, sessions by status, availability and occupancy."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

from talkscope.errors import InvalidArgument, unknown
from talkscope.models.answers import Answer, Cell
from talkscope.models.questions import LiveSupportAsked
from talkscope.models.semantics import Filter
from talkscope.models.window import Window
from talkscope.warehouse import availability
from talkscope.warehouse.ask import Ask, cell, ms
from talkscope.warehouse.availability import SPREAD, Stretches, stretches
from talkscope.warehouse.figures import Key
from talkscope.warehouse.layout import named as with_names
from talkscope.warehouse.layout import several_assistants
from talkscope.warehouse.own import absent, chosen, field, folded, grouped, named, order
from talkscope.warehouse.rows import Sql, Which, facts
from talkscope.warehouse.store import Out

DURATIONS = ("queue_ms", "first_response_ms", "chat_ms")
MEASURES = ("sessions", *DURATIONS, *availability.MEASURES)
OWN = {
    "agent": "agent_id",
    "agent_id": "agent_id",
    "agent_email": "agent_id",
    "agent_group": "agent_group",
    "group": "agent_group",
    "status": "status",
    "resolution": "resolution",
    "assistant": "character_id",
}
"""The words that sessions are grouped and filtered by, beside those of every session."""
_SHOWN = {"agent_id": "agent"}
_STATISTICS = ("n", "missing", "mean", "p50", "p90", "p95", "max", "sum")
_LISTED = (
    "count(*)",
    *(
        each.format(column)
        for column in DURATIONS
        for each in ("count({0})", *SPREAD, "sum({0})")
    ),
)  # fmt: skip
_EACH = len(SPREAD) + 2
_NOTHING: list[Cell] = [None] * 6
_BASIS = (
    "live-support sessions that start in the window; every duration begins with the session, so chat_ms includes the"
    " queue; missing: sessions without that figure. Availability: the part of each stretch inside the window;"
    " occupancy: active_ms / availability of the stretches that lie inside it"
)


@dataclass(frozen=True, slots=True)
class _Wanted:
    """What is measured: which sessions, by which column, and the stretches, where they have such a column."""

    window: Window
    filters: tuple[Filter, ...]
    keys: tuple[str, ...]
    measures: tuple[str, ...]

    @property
    def chats(self) -> bool:
        """Whether anything of the sessions is asked for."""
        return bool({*self.measures} & {"sessions", *DURATIONS})

    @property
    def available(self) -> bool:
        """Whether availability is asked for, and can be grouped and filtered so."""
        columns = [*self.keys, *(each.dimension.name for each in self.filters)]
        return bool({*self.measures} & {*availability.MEASURES}) and {*columns} <= {*availability.COLUMNS}


def answer(asked: LiveSupportAsked, ask: Ask) -> Answer:
    """One row a figure, or a group and figure: n, how many lack it, mean, exact percentiles, maximum and sum."""
    window = ask.window(asked)
    keys = tuple(named(word, OWN) for word in asked.group_by)
    wanted = _Wanted(window, chosen(ask, asked.filters, OWN), keys, _measures(asked.measures))
    notes = _left_out(asked, wanted)
    chats = _chats(ask, wanted) if wanted.chats else {}
    spans = stretches(ask, window, wanted.filters, keys) if wanted.available else {}
    groups = [key for key in dict.fromkeys([*chats, *spans]) if key in spans or _count(chats[key])]
    groups.sort(key=lambda key: (-_count(chats.get(key)), -_total(spans.get(key)), order(key)))
    rows: list[list[Cell]] = []
    for key in groups[: asked.limit]:
        rows += [[*key, *row] for row in _rows(wanted, chats.get(key), spans.get(key))]
    rows[1:1] = _statuses(ask, wanted) if not keys and "sessions" in wanted.measures and rows else []
    columns = with_names(ask, [field(name) for name in keys], rows, 0)
    if len(groups) > asked.limit:
        rows += _others(ask, wanted, groups[: asked.limit], len(groups), len(columns))
        notes.append(f"{asked.limit} of {len(groups)} groups are shown, by sessions: raise limit, or filter.")
    whole = _chats(ask, replace(wanted, keys=())) if keys and wanted.chats else chats
    n = _count(whole.get(()))
    shown = [_SHOWN.get(name, name) for name in columns] + (["metric", "status"] if not keys else ["metric"])
    return Answer(
        columns=[*shown, *_STATISTICS],
        rows=rows,
        meta=ask.meta(
            n=n or sum(each.n for each in spans.values()),
            window=window,
            basis=_BASIS,
            units={"occupancy": "fraction"},
            notes=[
                *notes,
                *_availability_notes(spans.values()),
                *several_assistants(ask, [field(name) for name in keys]),
                *([] if n else _none(ask, wanted)),
            ],
        ),
    )


def _measures(words: Sequence[str]) -> tuple[str, ...]:
    """The measures in the order of the answer, each once."""
    strangers = [word for word in words if word not in MEASURES]
    if strangers:
        raise unknown("measure", strangers[0], MEASURES)
    return tuple(each for each in MEASURES if each in words)


def _left_out(asked: LiveSupportAsked, wanted: _Wanted) -> list[str]:
    """The note, or the refusal, where availability cannot be told with these words."""
    available = {*availability.MEASURES}
    if wanted.available or not {*wanted.measures} & available:
        return []
    if {*wanted.measures} <= available:
        raise InvalidArgument(
            "Availability is by agent, agent_group or platform: a stretch belongs to no session.",
            hint="Group and filter by these only.",
        )
    return (
        ["Availability is left out: it can be grouped and filtered by agent, agent_group and platform only."]
        if asked.filters or asked.group_by
        else []
    )


def _facts(ask: Ask, wanted: _Wanted, *more: str) -> Sql:
    return facts(ask, "chats", Which(wanted.window, wanted.filters), [*wanted.keys, *more, *DURATIONS])


def _chats(ask: Ask, wanted: _Wanted, without: Sequence[Key] | None = None) -> dict[Key, tuple[Out, ...]]:
    return grouped(ask, _facts(ask, wanted), wanted.keys, _LISTED, without)


def _count(row: Sequence[Out] | None) -> int:
    return row[0] if row and isinstance(row[0], int) else 0


def _total(found: Stretches | None) -> float:
    return found.available[-1] or 0.0 if found else 0.0


def _rows(wanted: _Wanted, chats: Sequence[Out] | None, found: Stretches | None) -> list[list[Cell]]:
    """The rows of one group, without its name: those of its sessions, then those of its agents' stretches."""
    # Only ungrouped figures have the column that tells sessions by status apart.
    whole: list[Cell] = [] if wanted.keys else [None]
    n = _count(chats)
    rows: list[list[Cell]] = []
    if "sessions" in wanted.measures and (n or found is None or wanted.keys):
        rows.append(["sessions", *whole, n, None, *_NOTHING])
    for index, name in enumerate(DURATIONS):
        if name in wanted.measures and chats and n:
            known, *values = chats[1 + index * _EACH : 1 + (index + 1) * _EACH]
            counted = known if isinstance(known, int) else 0
            rows.append([name, *whole, counted, n - counted, *map(ms, values)])
    if found is None:
        return rows
    told: dict[str, list[Cell]] = {
        "agents": [found.agents, None, *_NOTHING],
        "availability_ms": [found.n, 0, *map(ms, found.available)],
        "active_ms": [found.whole, found.n - found.whole, *map(ms, found.active)],
        "occupancy": [found.whole, found.n - found.whole, _fraction(found.occupancy), *_NOTHING[1:]],
    }
    kept = [name for name in told if name in wanted.measures and not (name == "agents" and "agent_id" in wanted.keys)]
    return [*rows, *([name, *whole, *told[name]] for name in kept)]


def _fraction(value: float | None) -> float | None:
    return None if value is None else round(value, 6)


def _statuses(ask: Ask, wanted: _Wanted) -> list[list[Cell]]:
    """The sessions by status, most frequent first."""
    found = grouped(ask, _facts(ask, wanted, "status"), ["status"], ["count(*)"])
    ranked = sorted(found.items(), key=lambda item: (-_count(item[1]), order(item[0])))
    return [["sessions", cell(key[0]) or "(none)", _count(row), None, *_NOTHING] for key, row in ranked]


def _others(ask: Ask, wanted: _Wanted, shown: Sequence[Key], groups: int, width: int) -> list[list[Cell]]:
    """The rows of all further groups as one, from their records."""
    rest = stretches(ask, wanted.window, wanted.filters, wanted.keys, shown) if wanted.available else {}
    chats = _chats(ask, wanted, shown)[()] if wanted.chats else None
    named_so = folded(groups - len(shown), width)
    return [[*named_so, *row] for row in _rows(wanted, chats, rest.get(()))]


def _availability_notes(found: Collection[Stretches]) -> list[str]:
    """What the window cut, and what is still going on; each stretch is in one group."""
    n, cut = sum(each.n for each in found), sum(each.cut for each in found)
    still, guessed = sum(each.still for each in found), sum(each.guessed for each in found)
    notes = []
    if cut:
        notes.append(
            f"The window cuts {cut} of {n} stretches of availability: their active time inside it is unknown, so"
            " active_ms and occupancy leave them out."
        )
    if still:
        until = "as long as their length says" if not guessed else "up to the newest record"
        mixed = " where they say no length, else as long as it says" if 0 < guessed < still else ""
        notes.append(f"Stretches without an end yet, {still} of {n}, count {until}{mixed}.")
    return notes


def _none(ask: Ask, wanted: _Wanted) -> list[str]:
    table, what = ("live_support", "sessions with live agents") if wanted.chats else ("availability", "availability")
    whence = f"`talkscope sync mavenoid` loads those of Mavenoid, and records of type {table} are taken."
    return absent(ask, table, what, whence)
