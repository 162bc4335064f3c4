"""A restricted query in the form of the v1 contract: known members only, compiled to the figures of all questions."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC

from talkscope.errors import InvalidArgument, UnknownName, unknown
from talkscope.models.answers import Answer, Cell
from talkscope.models.buckets import Grain, coarsen, edges, label
from talkscope.models.questions import Query, QueryAsked, QueryFilter
from talkscope.models.semantics import (
    DIMENSIONS,
    MEASURES,
    Dimension,
    Filter,
    Measure,
    dimension,
    measure,
    segment_filters,
)
from talkscope.models.window import RANGES, Window, resolve
from talkscope.warehouse.ask import Ask, platforms_of
from talkscope.warehouse.figures import Figure, Key, Wanted, basis, coverage, figures
from talkscope.warehouse.layout import Layout
from talkscope.warehouse.rows import Which

PREFIX = "SessionMetrics."
MOST_MEMBERS = 12
_TIME = ("eventtime", "event_time", "time")
_NUMERIC = ("gt", "gte", "lt", "lte")


@dataclass(frozen=True, slots=True)
class Having:
    """A condition on a measure of a group."""

    measure: Measure
    operator: str
    value: float

    def passes(self, figure: Figure) -> bool:
        """Whether the group's value meets it; a missing value meets none."""
        found = figure.values.get(self.measure.name)
        if found is None:
            return False
        return {
            "gt": found > self.value,
            "gte": found >= self.value,
            "lt": found < self.value,
            "lte": found <= self.value,
            "equals": found == self.value,
            "notEquals": found != self.value,
        }[self.operator]


def answer(asked: QueryAsked, ask: Ask) -> Answer:
    """One row a group: [bucket], dimensions, measures and n, ordered and limited as the query says."""
    query = asked.query
    members = len(query.measures) + len(query.dimensions) + len(query.segments)
    if not 1 <= members <= MOST_MEMBERS:
        raise InvalidArgument(
            f"The query names {members} measures, dimensions and segments.",
            hint=f"Name between 1 and {MOST_MEMBERS}.",
            code="empty_query" if not members else "query_too_wide",
        )
    window, grain = _time(query, asked.timezone, ask)
    measures = tuple(dict.fromkeys(_measure(name) for name in query.measures)) or (measure("count"),)
    by = tuple(dict.fromkeys(_dimension(name) for name in query.dimensions))
    filters, having = _conditions(query, ask, window)
    notes = []
    if grain and (chosen := coarsen(window, grain, query.limit)) != grain:
        notes.append(f"Granularity is {chosen}, not {grain}, to fit the limit.")
        grain = chosen
    shown = tuple(dict.fromkeys([*measures, *(each.measure for each in having)]))
    wanted = Wanted(shown, Which(window, filters), by, grain)
    found = [item for item in figures(ask, wanted).items() if all(each.passes(item[1]) for each in having)]
    layout = Layout(measures)
    ordered = _ordered(found, query, by, layout, grain)
    if len(ordered) > query.limit:
        notes.append(f"{query.limit} of {len(ordered)} rows are shown: raise limit, or filter.")
    rows: list[list[Cell]] = [
        [*_labelled(key, grain, window.zone), *layout.cells(figure)] for key, figure in ordered[: query.limit]
    ]
    n, unknown_latency = coverage(ask, wanted)
    return Answer(
        columns=[*(["bucket"] if grain else []), *(each.name for each in by), *layout.columns],
        rows=rows if n or unknown_latency else [],
        meta=ask.meta(
            n=n, window=window, basis=basis(wanted), units=layout.units, granularity=grain,
            unknown_latency=unknown_latency or None, notes=notes, platforms=platforms_of(filters),
        ),
    )  # fmt: skip


def _bare(member: str) -> str:
    return member.removeprefix(PREFIX)


def _measure(member: str) -> Measure:
    try:
        return measure(_bare(member))
    except UnknownName:
        raise unknown("member", member, [PREFIX + name for name in MEASURES]) from None


def _dimension(member: str) -> Dimension:
    try:
        return dimension(_bare(member))
    except UnknownName:
        raise unknown("member", member, [PREFIX + name for name in DIMENSIONS]) from None


def _time(query: Query, timezone: str, ask: Ask) -> tuple[Window, Grain | None]:
    """The window and the granularity that the query's time dimension and its date filters ask for."""
    asked = query.timeDimensions[0] if query.timeDimensions else None
    if asked is not None and _bare(asked.dimension).lower() not in _TIME:
        raise unknown("time dimension", asked.dimension, [PREFIX + "eventTime"])
    words = asked.dateRange if asked is not None else None
    for each in query.filters:
        if each.operator == "inDateRange" and _bare(each.member).lower() in _TIME:
            words = each.values
    return window_of(words, timezone, ask), asked.granularity if asked else None


def window_of(words: str | list[str] | None, timezone: str, ask: Ask) -> Window:
    """The window of a dateRange: a token, its words (`last 30 days`), or one or two dates, both days included."""
    now = ask.now.astimezone(UTC)
    if words is None or words == []:
        return resolve(now=now, timezone=timezone)
    if isinstance(words, str) or len(words) == 1:
        text = (words if isinstance(words, str) else words[0]).strip()
        token = text.lower().replace(" ", "_")
        spelled = {
            "last_15_minutes": "last_15m", "last_1_hour": "last_1h", "last_hour": "last_1h", "last_6_hours": "last_6h",
            "last_24_hours": "last_24h", "last_day": "last_24h", "last_7_days": "last_7d", "last_30_days": "last_30d",
        }  # fmt: skip
        if spelled.get(token, token) in RANGES:
            return resolve(now=now, range=spelled.get(token, token), timezone=timezone)
        if not text[:4].isdigit():
            return resolve(now=now, range=token, timezone=timezone)
        words = [text, text]
    if len(words) != 2:
        raise InvalidArgument("dateRange has more than two dates.", hint="Give one or two.")
    first = resolve(now=now, start_time=words[0], end_time="2199-12-31", timezone=timezone)
    if len(words[1]) == 10:  # a bare end date is the whole of that day, as the v1 contract has it
        day = resolve(now=now, start_time=words[1], end_time="2199-12-31", timezone=timezone)
        return _through_day(first, day)
    return resolve(now=now, start_time=words[0], end_time=words[1], timezone=timezone)


def _through_day(first: Window, last: Window) -> Window:
    after = edges(Window(last.start, last.start + 3 * 86_400_000_000, last.zone), "day")[1]
    if after <= first.start:
        raise InvalidArgument("dateRange ends before it starts.", hint="Give the earlier date first.")
    return replace(first, end=after)


def _conditions(query: Query, ask: Ask, window: Window) -> tuple[tuple[Filter, ...], list[Having]]:
    """The conditions on dimensions as filters, and those on measures, which groups must meet."""
    words: list[str] = []
    having: list[Having] = []
    parts: list[Filter] = []
    for each in query.filters:
        name = _bare(each.member)
        if name.lower() in _TIME:
            if each.operator != "inDateRange":
                raise InvalidArgument(f"{each.operator} does not fit eventTime.", hint="Use inDateRange.")
        elif each.operator in _NUMERIC or _is_measure(name):
            having.append(_having(each))
        elif each.operator in ("contains", "notContains"):
            parts.append(_containing(each, ask, window))
        else:
            words += _filter(each)
    for segment in query.segments:
        words += segment_filters(_bare(segment))
    return (*ask.filters(words), *parts), having


def _containing(asked: QueryFilter, ask: Ask, window: Window) -> Filter:
    """The values of the dimension in the window that hold one of the words, whatever their case."""
    by = _dimension(asked.member)
    words = [value.lower() for value in asked.values if value]
    if not words:
        raise InvalidArgument(f"The filter on {asked.member} has no values.", hint="Give at least one.")
    known = figures(ask, Wanted((measure("count"),), Which(window), (by,)))
    held = (str(key[0]) for key in known if key[0] is not None)
    matching = tuple(value for value in held if any(word in value.lower() for word in words))
    return Filter(by, asked.operator == "contains", matching)


def _is_measure(name: str) -> bool:
    try:
        return bool(measure(name))
    except UnknownName:
        return False


def _having(asked: QueryFilter) -> Having:
    if asked.operator not in (*_NUMERIC, "equals", "notEquals") or len(asked.values) != 1:
        raise InvalidArgument(
            f"{asked.operator} with {len(asked.values)} values does not fit the measure {asked.member}.",
            hint="Compare a measure with one number: gt, gte, lt, lte, equals or notEquals.",
        )
    try:
        return Having(_measure(asked.member), asked.operator, float(asked.values[0]))
    except ValueError:
        raise InvalidArgument(f"{asked.member} is compared with what is no number.", hint="Give one number.") from None


def _filter(asked: QueryFilter) -> list[str]:
    name = _dimension(asked.member).name
    if asked.operator in ("set", "notSet"):
        return [f"{name}!=" if asked.operator == "set" else f"{name}="]
    if asked.operator in ("equals", "notEquals"):
        if not asked.values:
            raise InvalidArgument(f"The filter on {asked.member} has no values.", hint="Give at least one.")
        return [f"{name}{'=' if asked.operator == 'equals' else '!='}{value}" for value in asked.values]
    raise InvalidArgument(
        f"{asked.operator} does not fit the dimension {asked.member}.",
        hint="Use equals, notEquals, contains, notContains, set or notSet; inDateRange goes with eventTime.",
    )


def _ordered(
    found: list[tuple[Key, Figure]], query: Query, by: tuple[Dimension, ...], layout: Layout, grain: Grain | None
) -> list[tuple[Key, Figure]]:
    """In the order that the query asks for; else by time, or largest first by the first measure."""
    if not query.order:
        if grain:
            return sorted(found, key=lambda item: tuple(str(each) for each in item[0]))
        return sorted(found, key=layout.sorting(layout.measures[0]))
    ordered = sorted(found, key=lambda item: tuple(str(each) for each in item[0]))
    for member, direction in reversed(query.order.items()):
        ordered.sort(key=_rank(member, by, layout, grain), reverse=direction == "desc")
    return ordered


def _rank(
    member: str, by: tuple[Dimension, ...], layout: Layout, grain: Grain | None
) -> Callable[[tuple[Key, Figure]], tuple[bool, float, str]]:
    """How a member of the query orders rows: measures by value, the rest by name. Raises InvalidArgument for others."""
    name = _bare(member)
    measures = {each.name for each in layout.measures}
    if name.lower() in _TIME and grain:
        return lambda item: (True, int(str(item[0][0])), "")
    if _is_measure(name) and (asked := _measure(member).name) in measures:
        return lambda item: (item[1].values[asked] is not None, item[1].values[asked] or 0, "")
    if not _is_measure(name) and name.lower() not in _TIME and (found := _dimension(member)) in by:
        place = by.index(found) + (1 if grain else 0)
        return lambda item: (item[0][place] is not None, 0, str(item[0][place]))
    raise InvalidArgument(f"order names {member}, which is not asked for.", hint="Order by a member of the query.")


def _labelled(key: Key, grain: Grain | None, zone: str) -> list[Cell]:
    return [label(int(str(key[0])), grain, zone), *key[1:]] if grain else list(key)
