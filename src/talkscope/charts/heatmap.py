"""Heat: one measure by day and hour, in the zone that was asked for; by weekday and week when hours do not fit.

An hour that happens twice has two half cells, one that the zone skips has none, and a cell without a value is an
outline: a colour always is a value.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from talkscope.charts.drawing import Drawing, empty, finished, panels, theme, words
from talkscope.charts.drawing.clock import Clock
from talkscope.charts.drawing.remarks import cut, extent, remarks
from talkscope.charts.drawing.timeseries import Buckets
from talkscope.errors import Json
from talkscope.models.answers import Answer
from talkscope.models.buckets import buckets
from talkscope.models.window import moment

if TYPE_CHECKING:
    import altair as alt

_MS = 1_000
_EPOCH = date(1970, 1, 1)
_TICKS = 12
_ROW, _LOW, _MOST_HIGH = 26, 11, 640
"""Pixels of a row: as high as reads well, as low as can be told apart, and of all rows."""


def draw(answer: Answer, *, asked: str | None = "hour", notes: Sequence[str] = ()) -> Drawing:
    """The heat of a timeseries answer of one measure.

    Args:
        answer: Columns `bucket`, the measure, n, of hours, days, weeks or months.
        asked: The granularity that was asked for.
        notes: Lines for the subtitle.
    """
    assert answer.meta.window is not None
    cells = Buckets(answer)
    measure = cells.measures[0]
    grain = answer.meta.granularity or "hour"
    layout = _LAYOUTS[grain if grain in _LAYOUTS else "month"]
    heading = f"{cells.title()} by {layout.title}"
    blank = len(cells.values([measure])) < len(answer.rows)
    remarked = [*remarks(answer, asked=asked), *(["outlined: no data"] if blank else []), *notes]
    told = words.subtitle(answer, " · ".join(remarked), n_of=words.noun(answer))
    if not cells.has_figures():
        return empty(title=heading, subtitle=[*told, *extent(answer)])
    clock = Clock.of(answer.meta.window, cells.labels[0])
    return finished(
        _cells(cells, layout, clock),
        cells.series(clock),
        title=heading,
        subtitle=told,
        summary=_summary(cells, heading),
        steps=_places(clock, grain, layout),
    )


@dataclass(frozen=True, slots=True)
class _Layout:
    """Where a bucket's cell is: expressions of the local time for its row and column, and how both are labelled."""

    title: str
    row: str
    column: str
    row_label: str
    column_label: str
    columns: tuple[int, int] | None = None
    column_title: str | None = None


# 1970 began on a Thursday; days, weeks and months are counted from then on.
_LAYOUTS = {
    "hour": _Layout(
        "day and hour", "floor(datum.local/864e5)", "utchours(datum.local)",
        "utcFormat(datum.value*864e5,'%a %d %b')", "pad(datum.value,2,'0','left')+':00'", (0, 24),
    ),
    "day": _Layout(
        "weekday and week", "(floor(datum.local/864e5)+3)%7", "floor((floor(datum.local/864e5)+3)/7)",
        "['Mon','Tue','Wed','Thu','Fri','Sat','Sun'][datum.value]", "utcFormat((datum.value*7-3)*864e5,'%b %d')",
    ),
    "week": _Layout(
        "year and week", "utcyear(datum.local+2592e5)", "floor((utcdayofyear(datum.local+2592e5)-1)/7)",
        "datum.value", "datum.value+1", (0, 53), "week of the year",
    ),
    "month": _Layout(
        "year and month", "utcyear(datum.local)", "utcmonth(datum.local)",
        "datum.value", "utcFormat(utc(1970,datum.value,1),'%b')", (0, 12),
    ),
}  # fmt: skip


def _places(clock: Clock, grain: str, layout: _Layout) -> list[Json]:
    """Where each cell is: the steps that make `when`, `row`, and from where to where its column goes."""
    twice = _twice(clock) if grain == "hour" else []
    left = layout.column + "".join(f"+(datum.time=={later // _MS}?.5:0)" for _, later in twice)
    halves = ",".join(str(each // _MS) for pair in twice for each in pair)
    width = f"(indexof([{halves}],datum.time)<0?.96:.46)" if twice else ".96"
    made = {
        "when": clock.wording("datum.time", grain=grain),
        "local": clock.local("datum.time"),
        "row": layout.row,
        "from": left,
        "to": f"datum.from+{width}",
    }
    return [{"calculate": expression, "as": name} for name, expression in made.items()]


def _twice(clock: Clock) -> list[tuple[int, int]]:
    """The hours that the zone's clocks show twice, as the instants at which each begins."""
    seen: dict[tuple[object, int], int] = {}
    found = []
    for each in buckets(clock.window, "hour"):
        at = moment(each.start, clock.zone)
        key = (at.date(), at.hour)
        if key in seen:
            found.append((seen[key], each.start))
        seen.setdefault(key, each.start)
    return found


def _cells(cells: Buckets, layout: _Layout, clock: Clock) -> alt.LayerChart:
    import altair as alt

    measure = cells.measures[0]
    name, unit = words.name(measure), cells.units[measure]
    rows, first, last = _extent(clock, cells.answer.meta.granularity)
    low, high = layout.columns or (first, last + 1)
    form = words.form(unit)
    n = cells.n_column(measure)
    tooltip = [alt.Tooltip(field="when"), panels.told(name, unit), *([panels.told(n, title="n")] if n else [])]
    legend = alt.Legend(
        title=words.axis_title(name, "" if unit == "rows" else unit), gradientLength=220, titleOrient="left",
        format=alt.Undefined if form == theme.NUMBERS else form,
    )  # fmt: skip
    x = alt.X(
        "from:Q", title=layout.column_title, scale=alt.Scale(domain=[low, high], nice=False, zero=False),
        axis=alt.Axis(values=_ticks(low, high), labelExpr=layout.column_label),
    )  # fmt: skip
    y = alt.Y(
        "row:O", title=None, axis=alt.Axis(labelExpr=layout.row_label, labelOverlap=True), scale=alt.Scale(padding=0.04)
    )
    outlined = alt.Chart().mark_rect(filled=False, color="#888", opacity=0.35)
    empty_ones = outlined.transform_filter(alt.FieldValidPredicate(field=name, valid=False))
    heat = alt.Chart().mark_rect().encode(color=alt.Color(f"{name}:Q", legend=legend))
    high_row = max(_LOW, min(_ROW, _MOST_HIGH // rows))
    wide = theme.WIDTH if layout.columns else min(theme.WIDTH, 48 * (high - low))
    return (
        alt.layer(empty_ones.encode(tooltip=[tooltip[0], *tooltip[2:]]), heat.encode(tooltip=tooltip))
        .encode(x=x, x2="to", y=y)
        .properties(width=max(wide, 240), height=high_row * rows)
    )


def _extent(clock: Clock, grain: str | None) -> tuple[int, int, int]:
    """How many rows there are, and the first and the last column where they have no fixed number."""
    first = moment(clock.window.start, clock.zone).date()
    last = moment(clock.window.end - 1, clock.zone).date()
    if grain == "hour":
        return last.toordinal() - first.toordinal() + 1, 0, 0
    if grain == "day":
        began = _EPOCH.toordinal() - 3
        return 7, (first.toordinal() - began) // 7, (last.toordinal() - began) // 7
    return last.year - first.year + 1, 0, 0


def _ticks(low: int, high: int) -> list[int]:
    step = next(each for each in (1, 2, 3, 4, 6, 8, 13, 26, 52, 104, 520) if (high - low) / each <= _TICKS)
    return list(range(low, high + (high - low == 24), step))


def _summary(cells: Buckets, heading: str) -> str:
    measure, window = cells.measures[0], cells.answer.meta.window
    assert window is not None
    known = cells.known(measure)
    said = [f"{heading}, {words.about(window)}, n = {cells.answer.meta.n:,}."]
    said.append(cells.extremes(measure, cells.answer.rows, None))
    said.append(f"Highest: {cells.named(known, measure)}.")
    if len(known) < len(cells.answer.rows):
        said.append(f"{len(cells.answer.rows) - len(known)} of {len(cells.answer.rows)} cells have no data.")
    note = cut(cells.answer)
    return " ".join([*said, f"{note[:1].upper()}{note[1:]}."] if note else said)
