"""How did it develop? Measures over time, optionally by one dimension."""

from __future__ import annotations

from dataclasses import replace

from talkscope.errors import InvalidArgument
from talkscope.models.answers import Answer, Cell
from talkscope.models.buckets import Bucket, Grain, buckets, choose, coarsen, label
from talkscope.models.questions import TimeseriesAsked
from talkscope.models.semantics import dimension
from talkscope.warehouse.ask import Ask
from talkscope.warehouse.figures import (
    Figure,
    Key,
    Layout,
    Wanted,
    basis,
    figures,
    measured,
    named,
    several_assistants,
    total,
)
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
    cut = buckets(window, chosen)
    found = figures(ask, replace(wanted, grain=chosen))
    rows = _rows(wanted, groups, cut, chosen, found)
    layout = Layout(wanted.measures)
    overall = total(ask, wanted)
    n = overall.n[wanted.measures[0].name]
    partial = [label(each.start, chosen, window.zone) for each in cut if each.partial]
    if partial:
        notes.append(f"Cut by the window: {', '.join(partial)}.")
    columns = ["bucket", *named(ask, by, rows, 1), *layout.columns]
    return Answer(
        columns=columns,
        rows=rows if n or overall.unknown else [],
        meta=ask.meta(
            n=n,
            window=window,
            basis=basis(wanted),
            units=layout.units,
            granularity=chosen,
            unknown_latency=overall.unknown or None,
            notes=[*notes, *several_assistants(ask, by)],
        ),
    )


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


def _rows(
    wanted: Wanted, groups: list[Key], cut: list[Bucket], grain: Grain, found: dict[Key, Figure]
) -> list[list[Cell]]:
    layout = Layout(wanted.measures)
    zone = wanted.which.window.zone
    empty = Figure(
        {
            each.name: 0 if each.family == "volume" or each.unit in ("errors", "sessions") else None
            for each in wanted.measures
        },
        dict.fromkeys([each.name for each in wanted.measures], 0),
    )
    by_start = {(max(int(str(key[0])), wanted.which.window.start), *key[1:]): figure for key, figure in found.items()}
    rows = []
    for bucket in cut:
        for group in groups:
            figure = by_start.get((bucket.start, *group), empty)
            rows.append([label(bucket.start, grain, zone), *group, *layout.cells(figure)])
    return rows
