"""The facts that a measure is over, as SQL: which tables, which columns, which window, which filters.

Every SELECT made here has the columns that it is asked for under their own names, null where a table has no such
column, so that facts of several tables can stand in one union. Words from outside arrive as bound parameters only.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from talkscope.models.buckets import Grain, Stretch, edges, stretches
from talkscope.models.semantics import USER_TO_BOT, Filter
from talkscope.models.window import Window, moment
from talkscope.warehouse.ask import Ask
from talkscope.warehouse.schema import ERROR_EVENT, FAILED, TABLES, TALK
from talkscope.warehouse.store import Param

Facts: TypeAlias = Literal[
    "turns", "people", "errors", "spans", "leaves", "metrics", "outcomes", "events", "sessions", "chats", "calls",
]  # fmt: skip

_EPOCH_DAY = 719_163
_DAY = 86_400_000_000
_CHARACTERS = (
    "unnest(CASE WHEN len(coalesce(participants, [])) = 0 THEN [character_id]"
    " ELSE list_distinct(list_append(participants, character_id)) END)"
)
_TAGS = "unnest(CASE WHEN len(coalesce(tags, [])) = 0 THEN [NULL]::VARCHAR[] ELSE list_distinct(tags) END)"
_SEVERAL: Mapping[str, tuple[str, str]] = {"character_id": ("participants", _CHARACTERS), "tag": ("tags", _TAGS)}
"""Dimensions of which a fact may have several values: the column that lists them, and a row for each as SQL."""

HANDED = (
    "CASE WHEN handoff IN ('true', 'false') THEN handoff = 'true' WHEN resolution = 'handoff' THEN true"
    " WHEN resolution IN ('resolved', 'abandoned') THEN false END"
)
"""Whether an outcome says that its session was handed to a person, as SQL; null where it does not say."""


@dataclass(slots=True)
class Sql:
    """SQL text and the parameters that its question marks stand for, in order."""

    text: str
    params: list[Param] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Part:
    """One table's share of some facts: which of its rows, and what they are worth where that is not a column."""

    table: str
    where: str = "true"
    made: Mapping[str, str] = field(default_factory=dict)


def _processor_metric(suffix: str, kind: str, value: str) -> Part:
    made = {"metric_name": f"processor || '.{suffix}'", "metric_type": f"'{kind}'", "value": value, "unit": "'ms'"}
    return Part("spans", f"{value} IS NOT NULL", made)


_TITLE = "coalesce(json_extract_string(attributes, '$.title'), json_extract_string(attributes, '$.file_name'))"
_NAME_TITLE = "json_extract_string(attributes, '$.name_title')"

_PARTS: Mapping[Facts, tuple[Part, ...]] = {
    "turns": (Part("interactions", made={"value": "latency_ms", "bad": "failed"}),),
    "people": tuple(Part(name) for name in TALK),
    "errors": (
        Part("interactions", made={"bad": "failed"}),
        Part("events", f"interaction_id IS NULL AND {ERROR_EVENT}", {"bad": "true"}),
    ),
    "spans": (Part("spans", made={"value": "duration_ms", "bad": FAILED}),),
    "leaves": (Part("spans", "leaf", {"value": "duration_ms", "bad": FAILED}),),
    "metrics": (
        Part("events", made={"bad": FAILED}),
        Part("interactions", "latency_ms IS NOT NULL", {
            "metric_name": f"'{USER_TO_BOT}'", "metric_type": "'UserBotLatencyMetricsData'", "value": "latency_ms",
            "unit": "'ms'",
        }),
        _processor_metric("ttfb", "TTFBMetricsData", "ttfb_ms"),
        _processor_metric("processing", "ProcessingMetricsData", "duration_ms"),
        Part("spans", FAILED, {"metric_name": "'error.' || processor", "metric_type": "'ErrorMetricsData'"}),
        Part("interactions", "failed", {"metric_name": "'error.interaction'", "metric_type": "'ErrorMetricsData'"}),
    ),
    "outcomes": (Part("outcomes"),),
    "events": (Part("events"),),
    "sessions": (Part("sessions"),),
    "chats": (Part("live_support"),),
    "calls": (Part("resource_calls", made={"title": _TITLE, "name_title": _NAME_TITLE}),),
}  # fmt: skip
_TYPES = {"value": "DOUBLE", "bad": "BOOLEAN", "unit": "VARCHAR", "metric_name": "VARCHAR", "metric_type": "VARCHAR"}


@dataclass(frozen=True, slots=True)
class Which:
    """Which facts: the window they start in, the filters they pass, the metric they are values of."""

    window: Window
    filters: tuple[Filter, ...] = ()
    metric_name: str | None = None
    metric_name_prefix: str | None = None


def condition(filters: Sequence[Filter]) -> Sql:
    """The filters as one condition; an empty value means that the fact has none, `!=` keeps facts that have none."""
    sql = Sql("true")
    for each in filters:
        values = [value for value in each.values if value]
        named = Sql("false")
        if values:
            marks = ", ".join("?" * len(values))
            if each.dimension.name == "tag":
                named = Sql(f"coalesce(list_has_any(tags, [{marks}]), false)", list(values))
            else:
                named = Sql(f"coalesce({each.dimension.name} IN ({marks}), false)", list(values))
            if each.dimension.name == "character_id":
                named.text += f" OR coalesce(list_has_any(participants, [{marks}]), false)"
                named.params += values
        if len(values) < len(each.values):
            missing = (
                "len(coalesce(tags, [])) = 0" if each.dimension.name == "tag" else f"{each.dimension.name} IS NULL"
            )
            named.text += f" OR {missing}"
        sql.text += f" AND ({named.text})" if each.equal else f" AND NOT ({named.text})"
        sql.params += named.params
    return sql


def _typed(table: str, name: str) -> str:
    known = TABLES[table].columns.get(name) or _TYPES.get(name)
    return known or next(each.columns[name] for each in TABLES.values() if name in each.columns)


def _part(ask: Ask, part: Part, which: Which, columns: Sequence[str]) -> Sql:
    """One table's rows: an inner SELECT that gives every needed column its name, an outer one that filters by them."""
    used = dict.fromkeys([*columns, *(each.dimension.name for each in which.filters), "t"])
    if any(each.dimension.name == "character_id" for each in which.filters):
        used["participants"] = None
    metric = which.metric_name is not None or which.metric_name_prefix is not None
    if metric:
        used["metric_name"] = None
    stored = TABLES[part.table].columns
    listed = ", ".join(
        f"({part.made[name]}) AS {name}"
        if name in part.made
        else name
        if name in stored
        else f"NULL::{_typed(part.table, name)} AS {name}"
        for name in used
    )
    window = which.window
    inner = (
        f"SELECT {listed} FROM {ask.snapshot.table(part.table, window)}"
        f" WHERE t >= {window.start} AND t < {window.end} AND {part.where}"
    )
    passing = condition(which.filters)
    if which.metric_name is not None:
        passing.text += " AND metric_name = ?"
        passing.params.append(which.metric_name)
    if which.metric_name_prefix is not None:
        passing.text += " AND starts_with(metric_name, ?)"
        passing.params.append(which.metric_name_prefix)
    names = ", ".join(dict.fromkeys([*columns, "t"]))
    return Sql(f"SELECT {names} FROM ({inner}) WHERE {passing.text}", passing.params)


def facts(ask: Ask, kind: Facts, which: Which, columns: Sequence[str]) -> Sql:
    """A SELECT of the facts with `t` and the asked columns.

    Outcomes are the latest of each session in the window, chosen before any filter. `character_id`, when it is asked
    for and sessions have several assistants, is one row for each of them; `tag` one for each of a session's tags.
    Where there are several rows of a fact, `fact` is the same in all of them.
    """
    needed = list(dict.fromkeys(columns))
    several = spreading(ask, needed)
    # What is spread out for one dimension may still be asked for by itself.
    inside = list(
        dict.fromkeys([*(name for name in needed if name != "tag"), *(_SEVERAL[name][0] for name in several)])
    )
    parts = [_part(ask, part, which, inside) for part in _PARTS[kind]] if kind != "outcomes" else [
        _latest_outcomes(ask, which, inside)
    ]  # fmt: skip
    sql = Sql(" UNION ALL ".join(part.text for part in parts), [value for part in parts for value in part.params])
    have = dict.fromkeys(["t", *inside])
    if several:
        # The engine numbers nothing where nobody asks for it.
        sql.text = f"SELECT *, row_number() OVER () AS fact FROM ({sql.text})"
        have["fact"] = None
    for name in several:
        listed = ", ".join(each for each in have if each != name)
        sql.text = f"SELECT {listed}, {spread(name)} AS {name} FROM ({sql.text})"
        have[name] = None
    return sql


def spreading(ask: Ask, dimensions: Collection[str]) -> list[str]:
    """Of these dimensions those of which a fact may have several."""
    return [name for name in _SEVERAL if name in dimensions and (name != "character_id" or ask.has_participants())]


def outside(ask: Ask, rows: Sql, dimensions: Sequence[str], groups: Sequence[Sequence[Param]]) -> Sql:
    """Of facts those in other groups by these dimensions, each of them once, however many of the others it is in."""
    sql = Sql(f"SELECT * FROM ({rows.text})", list(rows.params))
    if groups:
        same = " AND ".join(f"{name} IS NOT DISTINCT FROM ?" for name in dimensions)
        sql.text += " WHERE NOT (" + " OR ".join(f"({same})" for _ in groups) + ")"
        sql.params += [value for group in groups for value in group]
    several = spreading(ask, dimensions)
    if several:
        sql.text = f"SELECT DISTINCT * EXCLUDE ({', '.join(several)}) FROM ({sql.text})"
    return sql


def spread(name: str) -> str:
    """A dimension's values as SQL, one row for each where a fact may have several."""
    return _SEVERAL[name][1] if name in _SEVERAL else name


def latest_outcomes(ask: Ask, window: Window) -> str:
    """The latest outcome in the window of each session that has one, with all columns, as FROM-able SQL."""
    return (
        f"(SELECT * FROM {ask.snapshot.table('outcomes', window)} WHERE t >= {window.start} AND t < {window.end}"
        " QUALIFY row_number() OVER (PARTITION BY platform, session_id ORDER BY t DESC, key DESC) = 1)"
    )


def _latest_outcomes(ask: Ask, which: Which, columns: Sequence[str]) -> Sql:
    passing = condition(which.filters)
    names = ", ".join(dict.fromkeys([*columns, "t"]))
    return Sql(f"SELECT {names} FROM {latest_outcomes(ask, which.window)} WHERE {passing.text}", passing.params)


@dataclass(frozen=True, slots=True)
class Buckets:
    """How an engine names a fact's bucket (`expression` over `t`), and where the bucket of each name starts."""

    expression: str
    starts: Mapping[int, int]


def bucketed(window: Window, grain: Grain) -> Buckets:
    """The window's buckets as integer arithmetic, exact across changes of the zone's offset."""
    starts = edges(window, grain)
    pieces = stretches(window)
    if grain in ("minute", "hour"):
        size = 60_000_000 if grain == "minute" else 3_600_000_000
        arms = [
            f"(t + {p.offset}) // {size} * {size} - {p.offset}"
            if p is pieces[0]
            else f"greatest((t + {p.offset}) // {size} * {size} - {p.offset}, {p.start})"
            for p in pieces
        ]
        return Buckets(_switch(pieces, arms), {start: start for start in starts})
    if grain == "month":
        cases = "".join(f" WHEN t < {edge} THEN {index}" for index, edge in enumerate(starts[1:]))
        text = f"CASE{cases} ELSE {len(starts) - 1} END" if cases else "0"
        return Buckets(text, dict(enumerate(starts)))
    days = {moment(start, window.zone).date().toordinal() - _EPOCH_DAY: start for start in starts}
    text = _switch(pieces, [f"(t + {p.offset}) // {_DAY}" for p in pieces])
    if grain == "week":
        return Buckets(f"({text} + 3) // 7", {(day + 3) // 7: start for day, start in days.items()})
    return Buckets(text, days)


def _switch(pieces: Sequence[Stretch], arms: Sequence[str]) -> str:
    if len(arms) == 1:
        return f"({arms[0]})"
    ends = [piece.end for piece in pieces]
    cases = "".join(f" WHEN t < {end} THEN {arm}" for end, arm in zip(ends[:-1], arms[:-1], strict=True))
    return f"(CASE{cases} ELSE {arms[-1]} END)"
