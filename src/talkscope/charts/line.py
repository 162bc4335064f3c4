"""Lines: measures over time, one or several, or one measure for each group.

Measures of different units stand in panels of their own, because two scales on one panel invite comparisons that mean
nothing; with groups each measure has its panel.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from talkscope.charts.drawing import Drawing, empty, finished, panels, words
from talkscope.charts.drawing.clock import Clock
from talkscope.charts.drawing.panels import Panel
from talkscope.charts.drawing.remarks import extent, remarks
from talkscope.charts.drawing.timeseries import Buckets
from talkscope.models.answers import Answer
from talkscope.models.semantics import MEASURES

if TYPE_CHECKING:
    import altair as alt

_WORST = 5


def draw(
    answer: Answer,
    *,
    title: str | None = None,
    of: str = "",
    threshold: float | None = None,
    band: bool = False,
    asked: str | None = None,
    notes: Sequence[str] = (),
) -> Drawing:
    """The lines of a timeseries answer.

    Args:
        answer: Columns `bucket`, at most one dimension (and its name), measures, n.
        title: What is plotted; made from the measures when it is not given.
        of: What the measures are of, where the answer does not say: a metric's name.
        threshold: A level to draw a line at, in the unit of the first measure.
        band: Fill what lies between the lowest and the highest percentile.
        asked: The granularity that was asked for.
        notes: Lines for the subtitle.
    """
    assert answer.meta.window is not None
    lines = _Lines(answer, of)
    heading = title or lines.title()
    told = words.subtitle(answer, " · ".join([*remarks(answer, asked=asked), *notes]), n_of=words.noun(answer))
    if not lines.has_figures():
        return empty(title=heading, subtitle=[*told, *extent(answer)])
    clock = Clock.of(answer.meta.window, lines.labels[0])
    drawn = [
        lines.panel(measures, threshold=threshold if index == 0 else None, band=band)
        for index, measures in enumerate(lines.panels())
    ]
    return finished(
        panels.stacked(drawn, clock),
        lines.series(clock),
        title=heading,
        subtitle=told,
        summary=lines.summary(heading, threshold),
        steps=[{"calculate": clock.wording("datum.time", grain=answer.meta.granularity or ""), "as": "when"}],
    )


class _Lines(Buckets):
    """A timeseries answer as lines: which measure goes to which panel, and how it is told apart."""

    def panels(self) -> list[list[str]]:
        """Measures that share a scale, together; each alone where lines are groups."""
        if self.dimension:
            return [[each] for each in self.measures]
        by_scale: dict[tuple[str, bool], list[str]] = {}
        for each in self.measures:
            unit = self.units[each]
            by_scale.setdefault((unit, False) if unit in ("ms", "fraction", "tokens") else (each, True), []).append(
                each
            )
        return list(by_scale.values())

    def panel(self, measures: Sequence[str], *, threshold: float | None, band: bool) -> Panel:
        """One panel: its lines, the band behind them and the threshold above them."""
        import altair as alt

        unit, buckets = self.units[measures[0]], len(self.labels)
        drawn = alt.Chart().mark_line(point=panels.points(buckets, lone=self.has_lone(measures)))
        if len(measures) > 1:
            folded = drawn.transform_fold([words.name(each) for each in measures])
            layers = [
                folded.encode(
                    y=self._y("value", measures), **panels.apart("key", [words.name(each) for each in measures])
                )
            ]
        else:
            apart = panels.apart("group", [str(each) for each in self.groups()]) if self.dimension else {}
            layers = [drawn.encode(y=self._y(words.name(measures[0]), measures), **apart)]
        low, high = self.band(measures) if band else ("", "")
        if low:
            area = alt.Chart().mark_area(opacity=0.13)
            layers.insert(0, area.encode(y=alt.Y(f"{words.name(low)}:Q"), y2=words.name(high)))
        layers.append(self._hover(measures))
        return Panel(layers, [panels.threshold(threshold, unit)] if threshold is not None else [])

    def band(self, measures: Sequence[str]) -> tuple[str, str]:
        """The lowest and the highest percentile of a panel that has several lines."""
        ranked = sorted((MEASURES[each].quantile or 0, each) for each in measures if each in MEASURES)
        known = [each for quantile, each in ranked if quantile]
        return (known[0], known[-1]) if len(known) > 1 and not self.dimension else ("", "")

    def _y(self, name: str, measures: Sequence[str]) -> alt.Y:
        return panels.height(
            name,
            self.axis_title(measures),
            self.units[measures[0]],
            highest=max((abs(each) for each in self.values(measures)), default=0),
            whole=self.counts(measures[0]),
        )

    def _hover(self, measures: Sequence[str]) -> alt.Chart:
        import altair as alt

        n = self.n_column(measures[0])
        shown = [panels.told(words.name(each), self.units[each]) for each in measures]
        told = [alt.Tooltip(field="when"), *shown, *([panels.told(n, title="n")] if n else [])]
        if not self.dimension:
            return panels.hover(told, len(self.labels))
        unseen = alt.Chart().mark_point(filled=True, opacity=0, size=150)
        named = alt.Tooltip("group:N", title=words.name(self.dimension.removesuffix("_id")))
        found: alt.Chart = unseen.encode(y=alt.Y(f"{words.name(measures[0])}:Q"), tooltip=[named, *told])
        return found

    def summary(self, heading: str, threshold: float | None) -> str:
        """The highest and the lowest figure of each line, and the buckets over the threshold."""
        assert self.answer.meta.window is not None
        said = [f"{heading}, {words.about(self.answer.meta.window)}, n = {self.answer.meta.n:,}."]
        said += [
            self.extremes(measure, rows, group)
            for group, rows in list(self.groups().items())[:_WORST]
            for measure in self.measures
        ]
        if not self.dimension:
            said.append(self._worst(threshold))
        return " ".join(each for each in said if each)

    def _worst(self, threshold: float | None) -> str:
        """The buckets to look at: those over the threshold, else the highest."""
        bad = [each for each in self.measures if self.units[each] == "ms"]
        if not bad:
            return ""
        measure = "p95" if "p95" in bad else bad[-1]
        if threshold is None:
            return f"Worst by {words.name(measure)}: {self.named(self.known(measure), measure)}."
        level = words.figure(threshold, self.units[measure])
        over = {each: [pair for pair in self.known(each) if pair[0] > threshold] for each in bad}
        counted = ", ".join(f"{words.name(each)} in {len(found)}" for each, found in over.items())
        said = f"Over {level}, of {len(self.known(measure))} buckets with data: {counted}."
        found = next((each for each in (measure, *reversed(bad)) if over[each]), None)
        return f"{said} Worst by {words.name(found)}: {self.named(over[found], found)}." if found else said
