"""A restricted query, passed on to the service: the members are checked here, the rows come back in columns."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime

from pydantic import JsonValue

from talkscope.errors import BadAnswer, InvalidArgument, UnknownName, unknown
from talkscope.hosted.account import Account, window_of
from talkscope.hosted.reading import counted, measured, sampled
from talkscope.hosted.words import RANGES, only_utc
from talkscope.models.answers import Answer, Cell
from talkscope.models.buckets import Grain, label
from talkscope.models.questions import Query, QueryAsked
from talkscope.models.records import micros
from talkscope.models.semantics import Measure, dimension, measure, snake
from talkscope.models.text import whole
from talkscope.platforms import convai

PREFIX = "SessionMetrics."
MOST_MEMBERS = 12
_TIME = ("eventtime", "event_time", "time")
_DEFAULT = "last 24 hours"
_WIRE = {
    "sessions": "uniqueSessions", "interactions": "uniqueTurns", "end_users": "uniqueEndUsers", "errors": "errorCount",
    "avg": "avgValue", "p50": "p50Value", "p95": "p95Value", "p99": "p99Value",
}  # fmt: skip
_NUMBER = re.compile(r"-?\d{1,30}(\.\d{1,30})?(e-?\d{1,2})?", re.IGNORECASE)


async def answer(asked: QueryAsked, account: Account) -> Answer:
    """One row a group: [bucket], dimensions, measures and n, ordered and limited as the query says.

    Raises InvalidArgument, NotSupported, and PlanInsufficient from plans below business.
    """
    query = asked.query
    only_utc(asked.timezone, "a query")
    _check(query)
    measures = list(dict.fromkeys(query.measures)) or [f"{PREFIX}count"]
    groups = list(dict.fromkeys(query.dimensions))
    time = query.timeDimensions[0] if query.timeDimensions else None
    grain = time.granularity if time is not None else None
    told = await account.send(convai.query_cube(_body(query, measures, groups)))
    columns = [*(["bucket"] if grain else []), *map(_group, groups), *map(_measured, measures), "n"]
    rows: list[list[Cell]] = []
    for data in told.data[: query.limit]:
        row = {_folded(name): value for name, value in data.items()}
        cells: list[Cell] = [_bucket(row, grain)] if grain else []
        cells += [_cell(row.get(_folded(_member(name, _group(name))))) for name in groups]
        figures = [_figure(row.get(_folded(_wire(name))), name) for name in measures]
        rows.append([*cells, *figures, _n(measures[0], figures[0])])
    notes = ["n is null where the service does not say how many values a figure is over."] if rows else []
    if len(told.data) > query.limit:
        notes.append(f"{query.limit} of {len(told.data)} rows are shown.")
    if not rows:
        notes.append("Nothing in this window matches; check the filters, or ask for a longer dateRange.")
    return Answer(
        columns=columns,
        rows=rows,
        meta=account.meta(
            told.meta,
            n=sampled([told.meta], len(rows)) if rows else 0,
            window=window_of(told.meta, _token(query), "UTC"),
            basis="SessionMetrics as the service counts them",
            units=_units(measures),
            granularity=grain,
            covers="the query",
            notes=notes,
        ),
    )


def _check(query: Query) -> None:
    """Raise InvalidArgument for too many or no members, UnknownName for one that is no member."""
    members = len(query.measures) + len(query.dimensions) + len(query.segments)
    if not 1 <= members <= MOST_MEMBERS:
        raise InvalidArgument(
            f"The query names {members} measures, dimensions and segments.",
            hint=f"Name between 1 and {MOST_MEMBERS}.",
            code="empty_query" if not members else "query_too_wide",
        )
    for each in query.timeDimensions:
        if _bare(each.dimension).lower() not in _TIME:
            raise unknown("time dimension", each.dimension, [f"{PREFIX}eventTime"])


def _bare(member: str) -> str:
    return member.removeprefix(PREFIX)


def _known(member: str) -> Measure | None:
    try:
        return measure(_bare(member))
    except UnknownName:
        return None


def _measured(member: str) -> str:
    """The column of a measure: our name for it, or the service's own for one that we do not know."""
    found = _known(member)
    return found.name if found else _bare(member)


def _group(member: str) -> str:
    try:
        return dimension(_bare(member)).name
    except UnknownName:
        return _bare(member)


def _camel(name: str) -> str:
    head, *rest = name.split("_")
    return head + "".join(each.title() for each in rest)


def _wire(member: str) -> str:
    """A measure as the service names it."""
    found = _known(member)
    return _member(member, _WIRE.get(found.name, found.name) if found else _bare(member))


def _member(member: str, name: str) -> str:
    """The member with its prefix, its name as the service writes names; the caller's own spelling of it is kept."""
    return member if member.startswith(PREFIX) else PREFIX + _camel(name)


def _any(member: str) -> str:
    """A member of either kind as the service names it."""
    if _bare(member).lower() in _TIME:
        return f"{PREFIX}eventTime"
    return _wire(member) if _known(member) else _member(member, _group(member))


def _body(query: Query, measures: list[str], groups: list[str]) -> dict[str, object]:
    """The query as the service takes it. One without a time is of the last 24 hours, as it is on a warehouse."""
    time = query.timeDimensions[0] if query.timeDimensions else None
    dated = any(_bare(each.member).lower() in _TIME for each in query.filters)
    asked: dict[str, object] = {"dimension": f"{PREFIX}eventTime"}
    if time is not None and time.granularity:
        asked["granularity"] = time.granularity
    if time is not None and time.dateRange:
        asked["dateRange"] = time.dateRange
    elif not dated:
        asked["dateRange"] = _DEFAULT
    return {
        "measures": list(dict.fromkeys(map(_wire, measures))),
        "dimensions": list(dict.fromkeys(map(_any, groups))),
        "segments": [each if each.startswith(PREFIX) else PREFIX + each for each in query.segments],
        "filters": [{**each.model_dump(), "member": _any(each.member)} for each in query.filters],
        "time_dimensions": [asked] if len(asked) > 1 else [],
        "order": {_any(name): direction for name, direction in query.order.items()} or None,
        "limit": query.limit,
    }


def _token(query: Query) -> str | None:
    """The range that the query names, when it names one by its token."""
    words = query.timeDimensions[0].dateRange if query.timeDimensions else None
    return words if isinstance(words, str) and words in RANGES else None


def _folded(member: str) -> str:
    return snake(_bare(member))


def _bucket(row: Mapping[str, JsonValue], grain: Grain) -> Cell:
    """The bucket's start, which the service names with or without the granularity. Raises BadAnswer."""
    value = row.get(f"event_time.{grain}", row.get("event_time"))
    if value is None:
        return None
    try:
        at = datetime.fromisoformat(value if isinstance(value, str) else "")
        return label(micros(at if at.tzinfo else at.replace(tzinfo=UTC)), grain, "UTC")
    except (ValueError, OverflowError):
        raise BadAnswer("The service gave a bucket that is no time.") from None


def _cell(value: JsonValue) -> Cell:
    """A group's cell. Raises BadAnswer for what is no single value."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, str):
        return whole(value) or None
    if isinstance(value, list | dict):
        raise BadAnswer("The service gave a group that is no single value.")
    return measured(value, signed=True)


def _figure(value: JsonValue, member: str) -> Cell:
    """A measure's cell; some services write numbers as texts. Raises BadAnswer for what is no number."""
    if isinstance(value, str) and _NUMBER.fullmatch(value):
        value = float(value)
    if isinstance(value, bool | str | list | dict):
        raise BadAnswer("The service gave a figure that is no number.")
    known = _known(member)
    if value is None or known is None:
        return measured(value, signed=True)
    if known.family == "volume" or known.name == "errors":
        return counted(value)
    found = measured(value, signed=True)
    return None if found is None else round(found, 3)


def _n(member: str, value: Cell) -> Cell:
    known = _known(member)
    return value if known is not None and known.family == "volume" else None


def _units(measures: list[str]) -> dict[str, str]:
    known = (_known(each) for each in measures)
    return {each.name: each.unit for each in known if each is not None and each.family == "latency"}
