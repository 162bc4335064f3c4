"""What drives it? Measures by one or two dimensions, largest first, each row with its n."""

from __future__ import annotations

from talkscope.errors import InvalidArgument
from talkscope.models.answers import Answer, Cell
from talkscope.models.questions import BreakdownAsked
from talkscope.models.semantics import Measure, dimension, measure
from talkscope.warehouse.ask import Ask, platforms_of
from talkscope.warehouse.figures import Rest, Wanted, basis, coverage, figures, measured
from talkscope.warehouse.layout import Layout, named, several_assistants
from talkscope.warehouse.rows import Which


def answer(asked: BreakdownAsked, ask: Ask) -> Answer:
    """One row a group, the asked measures and n; beyond `limit` one row for all others, from their facts."""
    window = ask.window(asked)
    by = tuple(dict.fromkeys(dimension(word) for word in asked.group_by))
    measures = measured(asked.measures)
    sort = _sort(asked.sort, measures)
    wanted = Wanted(
        measures, Which(window, ask.filters(asked.filters), asked.metric_name, asked.metric_name_prefix), by
    )
    layout = Layout(measures)
    ranked = sorted(figures(ask, wanted).items(), key=layout.sorting(sort))
    rows: list[list[Cell]] = [[*key, *layout.cells(figure)] for key, figure in ranked[: asked.limit]]
    columns = named(ask, by, rows, 0)
    notes = several_assistants(ask, by)
    if len(ranked) > asked.limit:
        others = len(ranked) - asked.limit
        rest = figures(ask, wanted, Rest(tuple(key for key, _ in ranked[: asked.limit])))[()]
        rows.append([f"other ({others} groups)", *([None] * (len(columns) - 1)), *layout.cells(rest)])
        notes.append(f"{asked.limit} of {len(ranked)} groups are shown, by {sort.name}: raise limit, or filter.")
    n, unknown_latency = coverage(ask, wanted)
    return Answer(
        columns=[*columns, *layout.columns],
        rows=rows,
        meta=ask.meta(
            n=n,
            window=window,
            basis=basis(wanted),
            units=layout.units,
            unknown_latency=unknown_latency or None,
            notes=notes,
            platforms=platforms_of(wanted.which.filters),
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
