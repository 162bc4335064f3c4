"""What drives it? Measures by one or two dimensions: a call a measure, or one for each value of the other dimension."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from talkscope.errors import InvalidArgument, NotSupported
from talkscope.hosted.account import Account
from talkscope.hosted.reading import counted, covered, drifted, rows, sampled, shown
from talkscope.hosted.series import (
    Figure,
    Key,
    Layout,
    Part,
    Reading,
    Wanted,
    labels,
    merged,
    named,
    rank,
    wanted_of,
)
from talkscope.hosted.words import FILTERS, only_ids
from talkscope.models.answers import Answer, Cell
from talkscope.models.questions import BreakdownAsked
from talkscope.models.semantics import Dimension, Measure, measure
from talkscope.models.v1 import BreakdownResponse
from talkscope.platforms import convai

MOST_GROUPS = 500
"""Groups that the service lists at most."""
_LISTING = Part("unique_sessions", "never")
"""What every value of a dimension has some of."""


@dataclass(slots=True)
class _Found:
    """What the calls answered: readings by key, the first call's meta, whether lists were full, and what to say."""

    readings: dict[Part, dict[Key, Reading]]
    answers: list[BreakdownResponse]
    full: set[Part] = field(default_factory=set)
    notes: list[str] = field(default_factory=list)

    def groups(self) -> set[Key]:
        """Every group that any measure has."""
        return {key for found in self.readings.values() for key in found}


async def answer(asked: BreakdownAsked, account: Account) -> Answer:
    """One row a group, the asked measures and n; beyond `limit` one row for all others, where theirs add up.

    Raises NotSupported, whose hint says what to narrow, and the errors of `talkscope.errors`.
    """
    wanted = wanted_of(asked)
    sort = _sort(asked.sort, wanted.measures)
    found = await (_one(wanted, account) if len(wanted.by) == 1 else _two(wanted, account))
    windows = [covered(each.meta, wanted.words["range"], account.now, asked.timezone) for each in found.answers]
    layout = Layout(wanted.measures)
    figures = {key: _figure(wanted, found, key) for key in found.groups()}
    ranked = sorted(figures, key=lambda key: rank(figures[key], key, sort.name))
    columns, notes = named(wanted.by)
    lines: list[list[Cell]] = [[*labels(wanted.by, key), *layout.cells(figures[key])] for key in ranked[: asked.limit]]
    if len(ranked) > asked.limit:
        rest = _rest(wanted, found, ranked[asked.limit :])
        other = f"other ({len(ranked) - asked.limit} groups)"
        lines.append([other, *([None] * (len(columns) - 1)), *layout.cells(rest)])
        notes.append(f"{asked.limit} of {len(ranked)} groups are shown, by {sort.name}: raise limit, or filter.")
        notes += _unknown(wanted, rest)
    n = _n(wanted, found)
    return Answer(
        columns=[*columns, *layout.columns],
        rows=lines,
        meta=account.meta(
            found.answers[0].meta,
            n=n,
            window=shown(windows[0]),
            basis=wanted.basis,
            units=layout.units,
            zone=asked.timezone,
            covers="the window" if not found.full else f"the {MOST_GROUPS} largest groups of the window",
            notes=[*notes, *found.notes, *wanted.notes, *drifted(windows), *only_ids(wanted.words, empty=not lines)],
        ),
    )


def _sort(word: str | None, measures: tuple[Measure, ...]) -> Measure:
    if word is None:
        return measures[0]
    chosen = measure(word)
    if chosen not in measures:
        names = ", ".join(each.name for each in measures)
        raise InvalidArgument(f"sort {chosen.name!r} is not one of the measures.", hint=f"Sort by one of {names}.")
    return chosen


async def _readings(
    wanted: Wanted, account: Account, by: Dimension, parts: Sequence[Part], within: Iterable[Mapping[str, str]] = ({},)
) -> list[BreakdownResponse]:
    """The answers to a call for each part, once for each of the further filters `within`."""
    calls = [
        convai.breakdown(
            measure=part.measure, group_by=by.name, limit=MOST_GROUPS, **wanted.words, **dict(part.words), **more
        )
        for more in within
        for part in parts
    ]
    names = " and ".join(each.name for each in wanted.by)
    return await account.together(calls, f"{', '.join(each.name for each in wanted.measures)} by {names}")


async def _one(wanted: Wanted, account: Account) -> _Found:
    parts = wanted.parts()
    answers = await _readings(wanted, account, wanted.by[0], parts)
    signed = wanted.scope == "metric"
    by_part = {part: rows(part, told, signed=signed) for part, told in zip(parts, answers, strict=True)}
    found = _Found(by_part, answers)
    found.full = {part for part, told in zip(parts, answers, strict=True) if len(told.rows) >= MOST_GROUPS}
    if found.full:
        found.notes.append(
            f"The service lists {MOST_GROUPS} groups at most, and there may be more: figures that it left out are null."
        )
    return found


async def _two(wanted: Wanted, account: Account) -> _Found:
    """By one of the dimensions, then by the other for each value of the first; readings keyed as asked."""
    parts = wanted.parts()
    outer, inner, told = await _outer(wanted, account, len(parts))
    listed = rows(_LISTING, told)
    values = _values(listed)
    what = f"{len(values)} values of {outer.name} by {inner.name}"
    account.need(len(values) * len(parts), what[0].upper() + what[1:])
    answers = await _readings(wanted, account, inner, parts, [{outer.name: value} for value in values])
    found = _Found({part: {} for part in parts}, [told, *answers])
    swapped = wanted.by[0] is not outer
    for place, each in enumerate(answers):
        part, value = parts[place % len(parts)], values[place // len(parts)]
        for (group,), reading in rows(part, each, signed=wanted.scope == "metric").items():
            found.readings[part][(group, value) if swapped else (value, group)] = reading
        if len(each.rows) >= MOST_GROUPS:
            found.full.add(part)
    if found.full or len(told.rows) >= MOST_GROUPS:
        found.notes.append(f"The service lists {MOST_GROUPS} groups at most: there may be more.")
    nameless = listed.get((None,), Reading()).value
    if nameless:
        found.notes.append(f"What has no {outer.name} is left out (in {counted(nameless)} sessions).")
    return found


async def _outer(wanted: Wanted, account: Account, calls: int) -> tuple[Dimension, Dimension, BreakdownResponse]:
    """The dimension to go through value by value, the other one, and the values of the first.

    Of two that will do it is one whose values the budget allows, that leaves out less, and that has fewer values.
    """
    ways = _ways(wanted)
    asked = [
        convai.breakdown(measure=_LISTING.measure, group_by=outer.name, limit=MOST_GROUPS, **wanted.words)
        for outer, _ in ways
    ]
    lists = await account.together(asked, "The breakdown")

    def cost(place: int) -> tuple[bool, float, int, int]:
        listed = rows(_LISTING, lists[place])
        many = len(_values(listed))
        return many * calls > account.left, listed.get((None,), Reading(0.0)).value or 0.0, many, place

    place = min(range(len(ways)), key=cost)
    return *ways[place], lists[place]


def _values(listed: Mapping[Key, Reading]) -> list[str]:
    """The values of a dimension that anything has."""
    return sorted(str(key[0]) for key, each in listed.items() if key[0] is not None and each.value)


def _ways(wanted: Wanted) -> list[tuple[Dimension, Dimension]]:
    """Each dimension that the service can filter by, with the other. Raises NotSupported when it filters by neither."""
    metric = "metric_name" in wanted.words or "metric_name_prefix" in wanted.words
    found = []
    for outer, inner in (wanted.by, wanted.by[::-1]):
        # Which values there are is asked of the same kind of fact, or of all facts.
        same = metric or wanted.scope != "metric" or outer.own != "span"
        if outer.name in (*FILTERS, "metric_name") and outer.name not in wanted.words and same:
            found.append((outer, inner))
    if found:
        return found
    names = " and ".join(each.name for each in wanted.by)
    raise NotSupported(
        f"The hosted API groups by one dimension at once, and cannot be asked for {names} one value at a time.",
        hint=f"Group by one of them, or by one of {', '.join(FILTERS)} and another; a warehouse groups by any two.",
        code="unsupported_dimension",
    )


def _figure(wanted: Wanted, found: _Found, key: Key) -> Figure:
    """The group's figures: where a full list left it out, they are not known."""
    known = {
        part: {key: each.get(key, Reading())} if part in found.full else each for part, each in found.readings.items()
    }
    return wanted.figure(known, key)


def _rest(wanted: Wanted, found: _Found, keys: Sequence[Key]) -> Figure:
    """One figure for all these groups."""
    together: dict[Part, dict[Key, Reading]] = {
        part: {(): merged(part, (each[key] for key in keys if key in each)) if part not in found.full else Reading()}
        for part, each in found.readings.items()
    }
    return wanted.figure(together, ())


def _unknown(wanted: Wanted, rest: Figure) -> list[str]:
    names = [each.name for each in wanted.measures if rest.values[each.name] is None]
    return [f"{', '.join(names)} of several groups cannot be made from theirs: null in the last row."] if names else []


def _n(wanted: Wanted, found: _Found) -> int:
    """How many facts the first measure is about."""
    first = wanted.measures[0]
    part = wanted.facts if first.family == "errors" else wanted.part(first)
    each = found.readings[part].values()
    total = sum((reading.n or 0) if not part.counts else int(reading.value or 0) for reading in each)
    if len(wanted.by) > 1:
        return total
    place = list(found.readings).index(part)
    return sampled([found.answers[place].meta], total) if total else 0
