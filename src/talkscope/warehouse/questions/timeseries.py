"""How did it develop? Measures over time, optionally by one dimension."""

from __future__ import annotations

from dataclasses import replace

from talkscope.errors import InvalidArgument
from talkscope.models.answers import Answer, Cell
from talkscope.models.buckets import buckets, choose, coarsen, edges, label
from talkscope.models.questions import TimeseriesAsked
from talkscope.models.semantics import dimension
from talkscope.warehouse.ask import Ask, platforms_of
from talkscope.warehouse.figures import Figure, Key, Wanted, basis, coverage, figures, measured, nothing_of
from talkscope.warehouse.layout import Layout, named, several_assistants
from talkscope.warehouse.rows import Which

_COMFORTABLE = 62


def answer(asked: TimeseriesAsked, ask: Ask) -> Answer:
    """One row a bucket, or a bucket and group; empty buckets are there, those that the window cuts are named."""
    window = ask.window(asked)
    by = tuple(dimension(word) for word in asked.group_by)
    wanted = Wanted(
        measured(asked.measures),
        Which(window, ask.filters(asked.filters), asked.metric_name, asked.metric_name_prefix),
        by,
    )
    groups, notes = _groups(ask, wanted, asked.limit)
    most = max(1, asked.max_rows // max(1, len(groups)))
    grain = asked.granularity or choose(window, min(_COMFORTABLE, most))
    chosen = coarsen(window, grain, most)
    if chosen != grain:
        notes.append(
            f"Granularity is {chosen}, not {grain}, to fit the answer: ask for a shorter window to see {grain}s."
        )
    wanted = replace(wanted, grain=chosen)
    starts = edges(window, chosen)
    rows = _rows(wanted, groups, starts, figures(ask, wanted))
    layout = Layout(wanted.measures)
    n, unknown_latency = coverage(ask, wanted)
    cut = zip(starts, buckets(window, chosen), strict=True)
    partial = [label(start, chosen, window.zone) for start, bucket in cut if bucket.partial]
    if partial:
        notes.append(f"Cut by the window: {', '.join(partial)}.")
    notes += _worst(wanted, rows)
    columns = ["bucket", *named(ask, by, rows, 1), *layout.columns]
    return Answer(
        columns=columns,
        rows=rows if n or unknown_latency else [],
        meta=ask.meta(
            n=n,
            window=window,
            basis=basis(wanted),
            units=layout.units,
            granularity=chosen,
            unknown_latency=unknown_latency or None,
            notes=[*notes, *several_assistants(ask, by)],
            platforms=platforms_of(wanted.which.filters),
        ),
    )


def _worst(wanted: Wanted, rows: list[list[Cell]]) -> list[str]:
    """The note that names the buckets to look at first: the highest p95, or first latency or error measure."""
    names = [each.name for each in wanted.measures]
    bad = [each.name for each in wanted.measures if each.family in ("latency", "errors")]
    if not bad or wanted.by:
        return []
    name = "p95" if "p95" in bad else bad[0]
    at = 1 + names.index(name)
    known = [(row[at], row[0]) for row in rows if isinstance(row[at], int | float) and row[at]]
    if len(known) < 3:
        return []
    worst = sorted(known, key=lambda each: (-float(str(each[0])), str(each[1])))[:3]
    return [f"Highest {name}: " + ", ".join(f"{bucket} ({value})" for value, bucket in worst) + "."]


def _groups(ask: Ask, wanted: Wanted, limit: int) -> tuple[list[Key], list[str]]:
    """The groups shown, largest first by the first measure; and a note when some are not."""
    if not wanted.by:
        return [()], []
    if len(wanted.by) > 1:
        raise InvalidArgument("A time series takes at most one dimension.", hint="Use get_breakdown for two.")
    ranked = sorted(figures(ask, wanted).items(), key=Layout(wanted.measures).sorting(wanted.measures[0]))
    shown = [key for key, _ in ranked[:limit]]
    if len(ranked) <= limit:
        return shown, []
    return shown, [f"{limit} of {len(ranked)} groups are shown, by {wanted.measures[0].name}: raise limit, or filter."]


def _rows(wanted: Wanted, groups: list[Key], starts: list[int], found: dict[Key, Figure]) -> list[list[Cell]]:
    """Every bucket under the label of its own start, also where the window cuts it."""
    layout = Layout(wanted.measures)
    nothing = nothing_of(wanted.measures)
    grain, zone = wanted.grain or "day", wanted.which.window.zone
    return [
        [label(start, grain, zone), *group, *layout.cells(found.get((start, *group), nothing))]
        for start in starts
        for group in groups
    ]
