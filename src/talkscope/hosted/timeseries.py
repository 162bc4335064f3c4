"""How did it develop? A call a measure by the service's own buckets, which are regrouped where their values add up."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, replace

from talkscope.errors import InvalidArgument, NotSupported
from talkscope.hosted.account import Account
from talkscope.hosted.reading import SIZES, covered, drifted, points, rows, sampled, shown
from talkscope.hosted.series import Key, Layout, Part, Reading, Wanted, labels, merged, named, rank, wanted_of
from talkscope.hosted.words import only_ids
from talkscope.models.answers import Answer, Cell
from talkscope.models.buckets import Grain, buckets, choose, coarsen, edges, label
from talkscope.models.questions import TimeseriesAsked
from talkscope.models.v1 import BreakdownResponse, TimeseriesResponse
from talkscope.models.window import Window, resolve
from talkscope.platforms import convai

_COMFORTABLE = 62
_FULL = 50
"""Groups from which on a series may have left some out."""


@dataclass(frozen=True, slots=True)
class _Cut:
    """How the window is cut: the asked grain, and the service's own that it is made from; `native` when they agree."""

    grain: Grain
    base: Grain
    native: bool


@dataclass(slots=True)
class _Series:
    """What the calls answered, by the starts of the answer's buckets, and the window that they saw together."""

    readings: dict[Part, dict[Key, Reading]]
    answers: list[TimeseriesResponse]
    window: Window
    windows: list[Window]
    full: set[Part]

    def groups(self) -> set[Key]:
        """Every group that any bucket has."""
        return {key[1:] for found in self.readings.values() for key in found}


async def answer(asked: TimeseriesAsked, account: Account) -> Answer:
    """One row a bucket, or a bucket and group; empty buckets are there, those that the window cuts are named.

    Raises NotSupported where the service's buckets do not make the asked ones, and the errors of `talkscope.errors`.
    """
    if len(asked.group_by) > 1:
        raise InvalidArgument("A time series takes at most one dimension.", hint="Use get_breakdown for two.")
    wanted = wanted_of(asked)
    expected = resolve(now=account.now, range=wanted.words["range"], timezone=asked.timezone)
    parts = wanted.parts(counted=True)
    account.need(len(parts) + (len(wanted.parts(wanted.measures[:1])) if wanted.by else 0), "The time series")
    ranked, full = await _ranked(wanted, account)
    most = max(1, asked.max_rows // max(1, min(len(ranked), asked.limit)))
    cut, notes = _cut(wanted, expected, asked.granularity or choose(expected, min(_COMFORTABLE, most)), most)
    series = await _asked(wanted, account, parts, cut, asked.timezone)
    groups = [*ranked, *sorted(series.groups() - set(ranked), key=lambda key: (key[0] is None, str(key)))]
    if wanted.by and len(groups) > asked.limit:
        many = f"{len(groups)} or more" if full else str(len(groups))
        notes.append(f"{asked.limit} of {many} groups are shown, by {wanted.measures[0].name}: raise limit, or filter.")
    return _answered(asked, account, wanted, cut, series, groups[: asked.limit] if wanted.by else [()], notes)


async def _ranked(wanted: Wanted, account: Account) -> tuple[list[Key], bool]:
    """The groups, largest first by the first measure over the whole window; and whether there may be more."""
    if not wanted.by:
        return [()], False
    first = replace(wanted, measures=wanted.measures[:1])
    parts = first.parts()
    by = wanted.by[0].name
    calls = [
        convai.breakdown(measure=part.measure, group_by=by, limit=500, **wanted.words, **dict(part.words))
        for part in parts
    ]
    told: list[BreakdownResponse] = await account.together(calls)
    found = {part: rows(part, each, signed=wanted.scope == "metric") for part, each in zip(parts, told, strict=True)}
    keys = {key for each in found.values() for key in each}
    name = first.measures[0].name
    ranked = sorted(keys, key=lambda key: rank(first.figure(found, key), key, name))
    return ranked, any(len(each.rows) >= 500 for each in told)


def _cut(wanted: Wanted, window: Window, grain: Grain, most: int) -> tuple[_Cut, list[str]]:
    """The grain that fits the answer, and the service's grain that makes it. Raises NotSupported."""
    chosen = coarsen(window, grain, most)
    notes = []
    if chosen != grain:
        notes.append(
            f"Granularity is {chosen}, not {grain}, to fit the answer: ask for a shorter range to see {grain}s."
        )
    inner = _inner(window, chosen)
    natives: tuple[Grain, ...] = ("day", "hour", "minute")
    base = next((each for each in natives if not any(edge % SIZES[each] for edge in inner)), None)
    if base is None:
        raise NotSupported(
            f"The hosted API's buckets are UTC minutes, which do not make {chosen}s of {window.zone}.",
            hint="Ask with timezone=UTC, or load the telemetry into a warehouse.",
            code="unsupported_timezone",
        )
    if chosen in SIZES and SIZES[chosen] <= SIZES[base]:
        # Without an edge inside the window any grain would do; the asked one is the service's own.
        base = chosen
    cut = _Cut(chosen, base, _inner(replace(window, zone="UTC"), base) == inner)
    if not cut.native:
        _check_additive(wanted, cut, window.zone)
        notes.append(f"Added up from the service's {base}s.")
    return cut, notes


def _inner(window: Window, grain: Grain) -> list[int]:
    """The edges inside the window."""
    return [edge for edge in edges(window, grain) if window.start < edge < window.end]


def _check_additive(wanted: Wanted, cut: _Cut, zone: str) -> None:
    """Raise NotSupported for measures whose values of small buckets do not make those of larger ones."""
    for each in wanted.measures:
        part = wanted.part(each)
        if part.merge != "never" and not (part.merge == "mean" and wanted.scope != "turn"):
            continue
        where = f"{cut.grain}s" if cut.grain not in SIZES else f"{cut.grain}s of {zone}"
        finer = "granularity=day" if cut.grain not in SIZES else "timezone=UTC or a finer granularity"
        raise NotSupported(
            f"{each.name} of {where} cannot be made from the hosted API's {cut.base}s: it does not add up.",
            hint=f"Ask with {finer}, for interactions or errors, or load the telemetry into a warehouse.",
            code="unsupported_granularity" if cut.grain not in SIZES else "unsupported_timezone",
        )


async def _asked(wanted: Wanted, account: Account, parts: Sequence[Part], cut: _Cut, zone: str) -> _Series:
    """The calls of the parts, and their readings in the answer's buckets."""
    by = wanted.by[0].name if wanted.by else None
    calls = [
        convai.timeseries(measure=part.measure, granularity=cut.base, group_by=by, **wanted.words, **dict(part.words))
        for part in parts
    ]
    told = await account.together(calls, "The time series")
    windows = [covered(each.meta, wanted.words["range"], account.now, zone) for each in told]
    window = replace(windows[0], start=min(each.start for each in windows), end=max(each.end for each in windows))
    signed = wanted.scope == "metric"
    found = {
        part: points(part, each, seen, cut.base, grouped=bool(by), signed=signed)
        for part, each, seen in zip(parts, told, windows, strict=True)
    }
    full = {part for part, each in found.items() if by and len({key[1:] for key in each}) >= _FULL}
    for each in wanted.measures:
        if each.family == "latency" and wanted.timed is not None:
            _number(found[wanted.part(each)], found[wanted.timed])
    starts = edges(window, cut.grain)
    return _Series({part: _regrouped(part, each, starts) for part, each in found.items()}, told, window, windows, full)


def _number(values: dict[Key, Reading], numbers: dict[Key, Reading]) -> None:
    """Give each value its n; a percentile of nothing is 0.0 on the wire."""
    for key, reading in values.items():
        reading.n = int(numbers.get(key, Reading(0.0)).value or 0)
        if reading.n == 0 and not reading.value:
            reading.value = None


def _regrouped(part: Part, found: dict[Key, Reading], starts: Sequence[int]) -> dict[Key, Reading]:
    gathered: dict[Key, list[Reading]] = {}
    for key, reading in found.items():
        # The first bucket may begin before the window, and so before the first of the answer's.
        start = starts[max(0, bisect_right(starts, int(str(key[0]))) - 1)]
        gathered.setdefault((start, *key[1:]), []).append(reading)
    return {key: each[0] if len(each) == 1 else merged(part, each) for key, each in gathered.items()}


def _answered(
    asked: TimeseriesAsked,
    account: Account,
    wanted: Wanted,
    cut: _Cut,
    series: _Series,
    groups: Sequence[Key],
    notes: list[str],
) -> Answer:
    layout = Layout(wanted.measures)
    columns, nameless = named(wanted.by)
    window, zone = series.window, asked.timezone
    starts = edges(window, cut.grain)
    left_out = {part: set(groups) - {key[1:] for key in series.readings[part]} for part in series.full}
    lines: list[list[Cell]] = []
    for start in starts:
        for group in groups:
            readings = {
                part: {(start, *group): Reading()} if group in left_out.get(part, ()) else each
                for part, each in series.readings.items()
            }
            figure = wanted.figure(readings, (start, *group))
            lines.append([label(start, cut.grain, zone), *labels(wanted.by, group), *layout.cells(figure)])
    if any(left_out.values()):
        notes.append("Groups that the service left out of a measure's series are null there.")
    if wanted.scope == "span" and any(each.family == "latency" for each in wanted.measures):
        notes.append("The service does not say how many durations a bucket holds: their n is null.")
    partial = [
        label(at, cut.grain, zone) for at, each in zip(starts, buckets(window, cut.grain), strict=True) if each.partial
    ]
    notes += [f"Cut by the window: {', '.join(partial)}."] if partial else []
    n = _n(wanted, series)
    notes += _worst(wanted, lines)
    return Answer(
        columns=["bucket", *columns, *layout.columns],
        rows=lines if n else [],
        meta=account.meta(
            series.answers[0].meta,
            n=n,
            window=shown(window),
            zone=zone,
            basis=wanted.basis,
            units=layout.units,
            granularity=cut.grain,
            covers="the window",
            notes=[*notes, *nameless, *wanted.notes, *drifted(series.windows), *only_ids(wanted.words, empty=not n)],
        ),
    )


def _n(wanted: Wanted, series: _Series) -> int:
    """How many facts the first measure is about: 0 only when no bucket of any measure holds anything."""
    first = wanted.measures[0]
    part = wanted.facts if first.family == "errors" else wanted.part(first)
    numbers = [
        each.n or 0 if first.family == "latency" else int(each.value or 0) for each in series.readings[part].values()
    ]
    total = sum(numbers) if part.merge != "never" or first.family == "latency" else max(numbers, default=0)
    if not any(each.value for found in series.readings.values() for each in found.values()):
        return 0
    place = list(series.readings).index(part)
    return sampled([series.answers[place].meta], total)


def _worst(wanted: Wanted, lines: Sequence[Sequence[Cell]]) -> list[str]:
    """The note that names the buckets to look at first: the highest p95, or first latency or error measure."""
    names = [each.name for each in wanted.measures]
    bad = [each.name for each in wanted.measures if each.family in ("latency", "errors")]
    if not bad or wanted.by:
        return []
    name = "p95" if "p95" in bad else bad[0]
    known = [(row[1 + names.index(name)], str(row[0])) for row in lines]
    high = [(value, bucket) for value, bucket in known if isinstance(value, int | float) and value]
    if len(high) < 3:
        return []
    worst = sorted(high, key=lambda each: (-each[0], each[1]))[:3]
    return [f"Highest {name}: " + ", ".join(f"{bucket} ({value})" for value, bucket in worst) + "."]
