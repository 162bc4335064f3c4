"""Reliability: the error rate on an axis of its own, the counts on theirs.

A rate and a count never share a scale, and a rate of nothing is a gap and no 0.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from talkscope.charts.drawing import Drawing, Series, empty, finished, panels, words
from talkscope.charts.drawing.clock import Clock
from talkscope.charts.drawing.remarks import extent, remarks
from talkscope.charts.drawing.timeseries import Buckets
from talkscope.models.answers import Answer, Cell

if TYPE_CHECKING:
    import altair as alt

DROPPED = "db.error_persist_dropped"
"""The metric of errors that could not be stored."""
_RATE, _COUNTS, _VOLUME = 190, 130, 90
_LOST = "Dropped error events"


def draw(answer: Answer, dropped: Answer | None, *, asked: str | None = None, notes: Sequence[str] = ()) -> Drawing:
    """Error rate, errors and dropped error events, and what they are out of.

    Args:
        answer: A timeseries of `errors`, `error_rate` and `interactions`.
        dropped: A timeseries of `count` of dropped error-persistence events; None where it is not known.
        asked: The granularity that was asked for.
        notes: Lines for the subtitle.
    """
    assert answer.meta.window is not None
    figures = Buckets(_filled(answer, dropped))
    lost = _lost(figures, dropped)
    heading = "Error rate, errors and dropped error events" if lost else "Error rate and errors"
    said = " · ".join([*remarks(answer, asked=asked), *notes])
    told = words.subtitle(answer, said)
    if not figures.has_figures() and not any(lost or []):
        return empty(title=heading, subtitle=[*told, *extent(answer)])
    clock = Clock.of(answer.meta.window, figures.labels[0])
    series = figures.series(clock)[0]
    columns = {**series.columns, **({_LOST: lost} if lost else {})}
    return finished(
        panels.stacked(_panels(figures, lost), clock),
        [Series(columns, series.facts, series.instants)],
        title=heading,
        subtitle=told,
        summary=_summary(figures, heading, lost),
        steps=[{"calculate": clock.wording("datum.time", grain=answer.meta.granularity or ""), "as": "when"}],
    )


def _filled(answer: Answer, dropped: Answer | None) -> Answer:
    """The answer; with rows that say that nothing happened, where only dropped events are known."""
    if answer.rows or dropped is None or not dropped.rows:
        return answer
    nothing: list[Cell] = [None if each == "error_rate" else 0 for each in answer.columns[1:]]
    return answer.model_copy(update={"rows": [[row[0], *nothing] for row in dropped.rows]})


def _lost(figures: Buckets, dropped: Answer | None) -> list[Cell]:
    """The dropped events of each bucket, 0 where there were none; nothing where they are not known."""
    if dropped is None:
        return []
    if not dropped.rows:
        return [0 for _ in figures.labels]
    at = dropped.columns.index("count")
    found = {str(row[0]): row[at] for row in dropped.rows}
    return [found.get(label) for label in figures.labels]


def _panels(figures: Buckets, lost: Sequence[Cell]) -> list[panels.Panel]:
    import altair as alt

    buckets = len(figures.labels)
    line = alt.Chart().mark_line(point=panels.points(buckets, lone=figures.has_lone(["error_rate"])))
    n = figures.n_column("errors")
    told = [
        alt.Tooltip(field="when"),
        panels.told("Error rate", "fraction"),
        panels.told("Errors"),
        *([panels.told(_LOST)] if lost else []),
        *[panels.told(each, title={"n": "out of"}.get(each, "")) for each in dict.fromkeys(("Interactions", n))],
    ]
    hover = panels.hover(told, buckets)
    rate = line.encode(y=_axis(figures, "Error rate", "Error rate (%)", ["error_rate"]))
    if lost:
        high = max(each for each in (*figures.values(["errors"]), *lost, 0) if isinstance(each, int | float))
        y = panels.height("value", "Count", "", highest=high, whole=True)
        counts = line.transform_fold(["Errors", _LOST]).encode(y=y, **panels.apart("key", ["Errors", _LOST]))
    else:
        counts = line.encode(y=_axis(figures, "Errors", "Errors", ["errors"]))
    volume = line.encode(y=_axis(figures, "Interactions", "Interactions", ["interactions"]))
    return [
        panels.Panel([rate, hover], height=_RATE),
        panels.Panel([counts, hover], height=_COUNTS),
        panels.Panel([volume, hover], height=_VOLUME),
    ]


def _axis(figures: Buckets, name: str, title: str, measures: Sequence[str]) -> alt.Y:
    high = max(figures.values(measures), default=0)
    return panels.height(name, title, figures.units[measures[0]], highest=high, whole=figures.counts(measures[0]))


def _summary(figures: Buckets, heading: str, lost: Sequence[Cell]) -> str:
    answer = figures.answer
    assert answer.meta.window is not None
    errors, of = sum(figures.values(["errors"])), answer.meta.n
    said = [f"{heading}, {words.about(answer.meta.window)}."]
    rate = f" ({words.figure(errors / of, 'fraction')})" if of else ""
    said.append(f"Errors: {errors:,} out of {of:,}{rate}.")
    if lost:
        said.append(f"Dropped error events: {sum(each for each in lost if isinstance(each, int | float)):,}.")
    else:
        said.append("Dropped error events are not known here.")
    said.append(figures.extremes("error_rate", answer.rows, None))
    worst = [pair for pair in figures.known("error_rate") if pair[0]]
    if worst:
        said.append(f"Worst: {figures.named(worst, 'error_rate')}.")
    return " ".join(each for each in said if each)
