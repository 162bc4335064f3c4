"""Bars: measures by one or two dimensions, largest first, and shares of turn time.

Each measure has a panel of its own with the same rows, because measures of different units share no scale; those of
one unit do. A bar's length is the measure; how many facts are behind it stands beside it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from talkscope.charts.drawing import Drawing, Series, empty, finished, room, theme, words
from talkscope.models.answers import Answer, Cell
from talkscope.models.semantics import DIMENSIONS, MEASURES
from talkscope.models.text import clean

if TYPE_CHECKING:
    import altair as alt

_PANELS = 3
_NAMES = 240
_SPACIOUS, _STEP, _TIGHT = 25, 27, 19
_GREY = "#9aa3b0"
_NONE = "(none)"
_REST = re.compile(r"other \([\d,]+ groups?\)")
_UNATTRIBUTED = "unattributed"
_CAP, _TITLE = 120, 100
_SAID = 5
_SHARES = {"share": "fraction", "mean_ms": "ms"}


def draw(
    answer: Answer,
    *,
    title: str | None = None,
    of: str = "",
    noun: str = "",
    notes: Sequence[str] = (),
    by: Sequence[str] = (),
    measures: Sequence[str] = (),
) -> Drawing:
    """The bars of a breakdown, or of a latency breakdown, in the answer's order.

    Args:
        answer: One or two dimensions (and a character's name), measures or `share`, and n.
        title: What is plotted; made from measures and dimensions when it is not given.
        of: What the measures are of, where the answer does not say: a metric's name.
        noun: What n counts, in words.
        notes: Lines for the subtitle.
        by: The columns that name a row, where they are not the dimensions that every question has.
        measures: The columns that are drawn, where they are not the measures that every question has.
    """
    bars = _Bars(answer, clean(of, _CAP), by, measures)
    heading = clean(title or bars.title(), _TITLE)
    told = words.subtitle(answer, *bars.notes(), *notes, n_of=noun or bars.noun())
    lack = bars.lack()
    if lack is not None:
        return empty(title=heading, subtitle=[*told, *([lack] if lack else [])])
    return finished(
        bars.panels(), [bars.series()], title=heading, subtitle=told, summary=bars.summary(heading, noun)
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Row:
    label: str
    id: str
    cells: Mapping[str, Cell]
    grey: bool
    named: bool


class _Bars:
    """A breakdown answer, taken apart: its rows with their labels, and its measures with their texts."""

    def __init__(self, answer: Answer, of: str, by: Sequence[str] = (), measures: Sequence[str] = ()) -> None:
        self.answer, self.of = answer, of
        self.shares = "share" in answer.columns
        if self.shares:
            self.measures = ["share"]
        elif measures:
            self.measures = list(measures)
        else:
            self.measures = [each for each in answer.columns if each in MEASURES or each.startswith("turn_")]
        self.dimensions = list(by) or [each for each in answer.columns if each in DIMENSIONS]
        self.units = {each: _SHARES.get(each) or clean(words.unit(answer, each), 24) for each in self.measures}
        self.rows = self._rows()

    def _rows(self) -> list[_Row]:
        found: list[_Row] = []
        last = len(self.answer.rows) - 2
        for index, cells in enumerate(self.answer.records()):
            keys = [cells[each] for each in self.dimensions]
            first = str(keys[0])
            rest = first == _UNATTRIBUTED if self.shares else False
            # A group may bear any name, but what is folded stands last, or before what is unattributed.
            rest = rest or (index >= last and _REST.fullmatch(first) is not None and not any(keys[1:]))
            named = any(each is not None for each in keys)
            shown = [first if rest else _NONE]
            if named and not rest:
                shown = [self._shown(cells, each) for each in self.dimensions]
            label = " / ".join(shown)
            ids = " / ".join(clean(str(_NONE if each is None else each), _CAP) for each in keys)
            found.append(_Row(label, ids if named and not rest else "", cells, rest or not named, named))
        # Rows are told apart by their labels, and names are not always different.
        labels = room.apart((row.label for row in found), _NAMES)
        return [replace(row, label=label) for row, label in zip(found, labels, strict=True)]

    @staticmethod
    def _shown(cells: Mapping[str, Cell], dimension: str) -> str:
        name = cells.get("character_name") if dimension == "character_id" else None
        value = cells[dimension] if name is None else name
        return (clean(str(value), _CAP) if value is not None else "") or _NONE

    def lack(self) -> str | None:
        """Why there is nothing to draw; None when there is something."""
        if not self.rows:
            return ""
        if not any(row.named for row in self.rows):
            return f"What was found names no {self._by()}."
        figures = [row.cells[each] for row in self.rows for each in self.measures]
        return "" if all(each is None for each in figures) and self.answer.meta.n == 0 else None

    def _by(self) -> str:
        return words.listing([_dimension(each) for each in self.dimensions])

    def title(self) -> str:
        """What is plotted: P95 of durations of leaf spans by processor."""
        if self.shares:
            return f"Share of turn time by {self._by()}"
        basis = self.answer.meta.basis
        latencies = all(self.units[each] == "ms" for each in self.measures)
        of = basis if basis and latencies else self.of
        return f"{_named(self.measures)}{f' of {of}' if of else ''} by {self._by()}"

    def noun(self) -> str:
        """What n counts: turns, where shares are of them."""
        return "turns" if self.shares else ""

    def notes(self) -> list[str]:
        """What the title does not say: the basis, and which measures are in tooltips only."""
        basis = (self.answer.meta.basis or "").split(";")[0]
        latencies = [each for each in self.measures if self.units[each] == "ms"]
        said = []
        if basis and self.shares:
            said.append(f"Over {basis}")
        elif basis and 0 < len(latencies) < len(self.measures):
            said.append(f"{_named(latencies)}: {basis}")
        if len(self.measures) > _PANELS:
            said.append(f"In tooltips: {_named(self.measures[_PANELS:])}")
        return said

    def n(self, row: _Row, measure: str) -> Cell:
        """How many facts are behind the row's figure; None where it counts them itself, or an earlier panel says it."""
        known = MEASURES.get(measure)
        if self.shares or (known and known.n_of is None):
            return None
        alike = [each for each in self.measures if _n_of(each) == _n_of(measure)]
        return row.cells.get(f"n_{_n_of(measure)}", row.cells.get("n")) if measure == alike[0] else None

    def text(self, row: _Row, measure: str) -> str:
        """What stands beside a bar: its value with its unit, and n."""
        value = row.cells[measure]
        unit = self.units[measure]
        if self.shares:
            mean = words.figure(row.cells.get("mean_ms"), "ms")
            return f"{words.figure(value, unit)} · mean {mean}"
        shown = words.figure(value, "" if MEASURES.get(measure, MEASURES["p95"]).family == "volume" else unit)
        n = self.n(row, measure)
        return shown if n is None else f"{shown} · n {n:,}"

    def series(self) -> Series:
        """The rows: a label, its ids where they differ, each measure with its text, and whether the row is grey."""
        columns: dict[str, list[Cell]] = {"label": [row.label for row in self.rows]}
        if any(row.id not in ("", row.label) for row in self.rows):
            columns["id"] = [row.id for row in self.rows]
        for each in self.measures:
            columns[each] = [row.cells[each] for row in self.rows]
            columns[f"{each}_text"] = [self.text(row, each) for row in self.rows]
        columns["grey"] = [int(row.grey) for row in self.rows]
        return Series(columns)

    def panels(self) -> alt.LayerChart | alt.HConcatChart:
        """A panel for each of the first measures, side by side, with the names at the first."""
        import altair as alt

        shown = self.measures[:_PANELS]
        names = min(_NAMES, max(room.width(row.label, 11) for row in self.rows))
        wide = (theme.WIDTH + 60 - names - 28 * (len(shown) - 1)) / len(shown)
        drawn = [self._panel(each, round(max(wide, 190)), first=each == shown[0]) for each in shown]
        return drawn[0] if len(drawn) == 1 else alt.hconcat(*drawn, spacing=28)

    def _panel(self, measure: str, wide: int, *, first: bool) -> alt.LayerChart:
        import altair as alt

        axis = alt.Axis(labelLimit=_NAMES, labelPadding=8, labelFontSize=12) if first else None
        y = alt.Y("label:N", sort=None, title=None, axis=axis, scale=alt.Scale(paddingInner=0.28, paddingOuter=0.2))
        unit = self.units[measure]
        scale = alt.Scale(domain=self._domain(measure, wide), nice=False)
        title = words.axis_title(words.name(measure), "" if unit == "rows" else unit)
        x = alt.X(
            f"{measure}:Q",
            scale=scale,
            axis=alt.Axis(
                title=title,
                format="~%" if unit == "fraction" else words.form(unit),
                tickCount=4 if wide < 260 else 6,
                grid=True,
            ),
        )
        bar = alt.Chart().mark_bar(cornerRadiusEnd=2).encode(
            x=x, y=y, tooltip=self._tooltip(),
            # Other bars have the theme's own colour.
            color=alt.Color(condition={"test": "datum.grey == 1", "value": _GREY}),
        )  # fmt: skip
        text = (
            alt.Chart()
            .transform_calculate(at=f"max(0,datum.{measure})")
            .mark_text(align="left", dx=5, fontSize=11.5)
            .encode(x=alt.X("at:Q", scale=scale), y=y, text=f"{measure}_text:N")
        )
        step = _STEP if len(self.rows) <= _SPACIOUS else _TIGHT
        return alt.LayerChart(layer=[bar, text], width=wide, height=len(self.rows) * step + 8)

    def _domain(self, measure: str, wide: float) -> list[float]:
        """From zero, or the lowest, to where the longest label still fits; the same for measures of one unit."""
        alike = [each for each in self.measures[:_PANELS] if self.units[each] == self.units[measure]]
        known = [
            (value, self.text(row, each))
            for each in alike
            for row in self.rows
            if isinstance(value := row.cells[each], int | float)
        ]
        low = min([0.0, *(value for value, _ in known)])
        far = room.stretched([(max(0.0, value), text) for value, text in known], wide, start=low)
        return [low, far if far > low else low + 1]

    def _tooltip(self) -> list[alt.Tooltip]:
        import altair as alt

        told = [alt.Tooltip("label:N", title=self._by())]
        if any(row.id not in ("", row.label) for row in self.rows):
            told.append(alt.Tooltip("id:N", title="id"))
        return [*told, *(alt.Tooltip(f"{each}_text:N", title=words.name(each)) for each in self.measures)]

    def summary(self, heading: str, noun: str) -> str:
        """The largest rows in words."""
        window = self.answer.meta.window
        about = f", {words.about(window)}" if window else ""
        counted = noun or self.noun()
        said = [f"{heading}{about}, n = {self.answer.meta.n}{' ' + counted if counted else ''}."]
        for row in self.rows[:_SAID]:
            figures = [f"{words.name(each)} {self.text(row, each)}" for each in self.measures]
            said.append(f"{row.label}: {', '.join(figures)}.")
        rest = len(self.rows) - _SAID
        return " ".join([*said, f"{rest} more rows are in the chart."] if rest > 0 else said)


def _named(measures: Sequence[str]) -> str:
    """Measures in a row: P95, count and error rate."""
    first, *rest = [words.name(each) for each in measures]
    return words.listing([first, *(each if each[1:].isdigit() else each[0].lower() + each[1:] for each in rest)])


def _n_of(measure: str) -> str | None:
    """What the measure's n is about: measures of one kind share one n."""
    return MEASURES[measure].n_of if measure in MEASURES else "latency"


def _dimension(name: str) -> str:
    """A dimension as people say it: error code, character."""
    return name.removesuffix("_id").replace("_", " ")
