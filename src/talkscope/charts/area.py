"""Areas: how many sessions were active at once, with the peak and when it was.

Steps, not slopes: a bucket's peak is the highest level anywhere in it. The level of the peak is a rule across.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from talkscope.charts.drawing import Drawing, Series, empty, finished, panels, theme, words
from talkscope.charts.drawing.clock import Clock
from talkscope.charts.drawing.remarks import extent, remarks
from talkscope.models.answers import Answer, Cell, ConcurrencyAnswer

if TYPE_CHECKING:
    import altair as alt

_USUAL = 60
"""Buckets that a concurrency answer has at most when no granularity is asked for."""
_ABOVE = 1.18
_TITLE = "Sessions active at once"


def draw(answer: ConcurrencyAnswer, *, asked: str | None = None, notes: Sequence[str] = ()) -> Drawing:
    """The peak and the mean of each bucket of a concurrency answer.

    Args:
        answer: Columns `bucket`, `peak`, `mean`; the overall peak and its first instant.
        asked: The granularity that was asked for.
        notes: Lines for the subtitle.
    """
    window = answer.meta.window
    assert window is not None
    said = " · ".join([*remarks(answer, asked=asked, usual=_USUAL), *notes])
    told = words.subtitle(answer, said, n_of="sessions")
    if not answer.peak:
        return empty(title=_TITLE, subtitle=[*told, *extent(answer)])
    clock = Clock.of(window)
    return finished(
        panels.stacked([_panel(answer, clock)], clock),
        [_series(answer, clock)],
        title=_TITLE,
        subtitle=told,
        summary=_summary(answer),
        steps=[{"calculate": clock.wording("datum.time", grain=answer.meta.granularity or ""), "as": "when"}],
    )


def _series(answer: Answer, clock: Clock) -> Series:
    """The rows, and the last one again where the window ends, so that its step has a length."""
    at = {column: index for index, column in enumerate(answer.columns)}
    rows = [*answer.rows, [None, *answer.rows[-1][1:]]]
    instants = [clock.instant(str(row[0])) for row in answer.rows]
    columns: dict[str, Sequence[Cell]] = {each: [row[at[each]] for row in rows] for each in ("peak", "mean")}
    return Series(columns, {}, [*instants, clock.window.end])


def _panel(answer: ConcurrencyAnswer, clock: Clock) -> panels.Panel:
    import altair as alt

    grain = answer.meta.granularity or "bucket"
    y = alt.Y(
        "peak:Q",
        title="Active sessions",
        scale=alt.Scale(domainMin=0, domainMax=max(answer.peak * _ABOVE, answer.peak + 1)),
        axis=panels.steps(answer.peak),
    )
    steps = alt.Chart().mark_area(interpolate="step-after", opacity=0.35, line=True, clip=True)
    mean = alt.Chart().mark_line(interpolate="step-after", strokeDash=[6, 3], clip=True)
    told = [alt.Tooltip(field="when"), panels.told("peak"), panels.told("mean")]
    return panels.Panel(
        [
            steps.encode(y=y, color=alt.ColorDatum(f"peak of each {grain}")),
            mean.encode(y="mean:Q", color=alt.ColorDatum("mean")),
            panels.hover(told, len(answer.rows), after=True),
        ],
        [_peak(answer, clock)],
    )


def _peak(answer: ConcurrencyAnswer, clock: Clock) -> alt.LayerChart:
    """A rule at the level of the peak, and a point with words where it was reached first."""
    import altair as alt

    window = answer.meta.window
    assert window is not None
    assert answer.peak_at is not None
    at = clock.instant(answer.peak_at)
    right = at - clock.window.start > (clock.window.end - clock.window.start) / 2
    rule = alt.Chart().mark_rule(color=theme.THRESHOLD, strokeDash=[6, 4])
    x = alt.X(datum=at // 1_000, type="temporal")
    point = alt.Chart().mark_point(filled=True, size=50, opacity=1, color=theme.THRESHOLD).encode(x=x)
    text = f"peak {answer.peak:,} at {words.when(answer.peak_at)}"
    named = alt.Chart().mark_text(
        color=theme.THRESHOLD, align="right" if right else "left", dx=6 if right else -6, dy=-10, text=text
    )
    return alt.layer(rule, point, named.encode(x=x), data=alt.sequence(1)).encode(y=alt.Y(datum=answer.peak))


def _summary(answer: ConcurrencyAnswer) -> str:
    window = answer.meta.window
    assert window is not None
    assert answer.peak_at is not None
    said = [
        f"{_TITLE}, {words.about(window)}, n = {answer.meta.n:,} sessions.",
        f"Peak: {answer.peak:,}, first at {answer.peak_at}.",
    ]
    if answer.mean is not None:
        said.append(f"Mean: {answer.mean:,.3g}.")
    busiest = sorted(answer.rows, key=lambda row: (-_number(row[1]), str(row[0])))[:3]
    named = ", ".join(f"{words.when(str(row[0]))} ({_number(row[1]):,.0f})" for row in busiest)
    covers = answer.meta.covers
    return " ".join(
        [*said, f"Highest {answer.meta.granularity or 'bucket'}s: {named}.", *([f"Covers {covers}."] if covers else [])]
    )


def _number(cell: Cell) -> float:
    return cell if isinstance(cell, int | float) else 0.0
