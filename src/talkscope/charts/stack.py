"""Stacked bars: how many of each thing, and how they divide; the same colours for the same ends in every row."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from talkscope.charts.drawing import Drawing, Series, empty, finished, room, theme, words
from talkscope.models.answers import Answer, Cell
from talkscope.models.text import clean

if TYPE_CHECKING:
    import altair as alt

_NAMES, _CAP, _TITLE = 260, 60, 100
_SPACIOUS, _STEP, _TIGHT = 25, 27, 19
_SAID = 5
_NONE = "(none)"


@dataclass(frozen=True, slots=True)
class Part:
    """One colour of the bars: the column with its number, its name in the legend, and the colour."""

    column: str
    name: str
    colour: str


def draw(
    answer: Answer,
    *,
    by: Sequence[str],
    parts: Sequence[Part],
    title: str,
    rate: str = "",
    noun: str = "",
    notes: Sequence[str] = (),
) -> Drawing:
    """A bar a row, in the answer's order, as long as its parts together.

    Args:
        answer: The columns `by` and a number for each part.
        by: The columns that name a row; empty ones are passed over.
        parts: What a bar is made of, from its beginning on.
        title: What is plotted.
        rate: A column with a fraction that stands beside the bar, in words `rate: column in the legend's name`.
        noun: What is counted, in words.
        notes: Lines for the subtitle.
    """
    heading = clean(title, _TITLE)
    told = words.subtitle(answer, *notes, n_of=noun)
    records = answer.records()
    if not records:
        return empty(title=heading, subtitle=told)
    labels = room.apart((_label([row[each] for each in by]) for row in records), _NAMES)
    totals = [sum(_number(row[each.column]) for each in parts) for row in records]
    texts = [_text(total, row.get(rate), rate) for total, row in zip(totals, records, strict=True)]
    columns: dict[str, list[Cell]] = {"label": list(labels), "total": list(totals), "text": list(texts)}
    columns |= {each.name: [_number(row[each.column]) for row in records] for each in parts}
    said = [f"{heading}, n = {answer.meta.n:,}{' ' + noun if noun else ''}."]
    if answer.meta.window:
        said[0] = f"{heading}, {words.about(answer.meta.window)}, n = {answer.meta.n:,}{' ' + noun if noun else ''}."
    for label, row, text in list(zip(labels, records, texts, strict=True))[:_SAID]:
        divided = ", ".join(f"{_number(row[each.column]):,} {each.name}" for each in parts if _number(row[each.column]))
        said.append(f"{label}: {text} ({divided}).")
    if len(records) > _SAID:
        said.append(f"{len(records) - _SAID} more rows are in the chart.")
    return finished(
        _marks(labels, list(zip(totals, texts, strict=True)), parts, noun),
        [Series(columns)],
        title=heading,
        subtitle=told,
        summary=" ".join(said),
    )


def _label(cells: Sequence[Cell]) -> str:
    """What a row is called."""
    return " / ".join(clean(str(each), _CAP) for each in cells if each is not None) or _NONE


def _number(value: Cell) -> float | int:
    return value if isinstance(value, int | float) else 0


def _text(total: float, fraction: Cell, rate: str) -> str:
    shown = f"{total:,}"
    if not isinstance(fraction, int | float):
        return shown
    return f"{shown} · {words.figure(fraction, 'fraction')} {words.name(rate).lower()}"


def _marks(
    labels: Sequence[str], ends: Sequence[tuple[float, str]], parts: Sequence[Part], noun: str
) -> alt.LayerChart:
    import altair as alt

    names = min(_NAMES, max(room.width(label, 11) for label in labels))
    wide = round(max(theme.WIDTH + 60 - names, 300))
    far = room.stretched(ends, wide)
    scale = alt.Scale(domain=[0, far or 1], nice=False)
    axis = alt.Axis(labelLimit=_NAMES, labelPadding=8, labelFontSize=12)
    y = alt.Y("label:N", sort=None, title=None, axis=axis, scale=alt.Scale(paddingInner=0.28, paddingOuter=0.2))
    colours = alt.Scale(domain=[each.name for each in parts], range=[each.colour for each in parts])
    whole = max(total for total, _ in ends)
    few = whole <= _FEW
    counts = alt.Axis(values=list(range(int(whole) + 1))) if few else alt.Axis(tickMinStep=1, tickCount=6)
    bars = (
        alt.Chart()
        .transform_fold([each.name for each in parts], as_=["part", "number"])
        .transform_calculate(place=" : ".join(_place(parts)))
        .mark_bar()
        .encode(
            x=alt.X("number:Q", scale=scale, title=noun.capitalize() or None, axis=counts),
            y=y,
            color=alt.Color("part:N", scale=colours, title=None, sort=None, legend=alt.Legend(orient="top")),
            order=alt.Order("place:Q"),
            tooltip=[
                alt.Tooltip("label:N", title=" "),
                *(alt.Tooltip(f"{each.name}:Q", format=theme.NUMBERS) for each in parts),
                alt.Tooltip("text:N", title="all"),
            ],
        )
    )
    text = alt.Chart().mark_text(align="left", dx=5, fontSize=11.5)
    beside = text.encode(x=alt.X("total:Q", scale=scale), y=y, text="text:N")
    step = _STEP if len(labels) <= _SPACIOUS else _TIGHT
    return alt.LayerChart(layer=[bars, beside], width=wide, height=len(labels) * step + 8)


_FEW = 4


def _place(parts: Sequence[Part]) -> list[str]:
    """An expression that numbers the parts in their order; their names are ours."""
    return [*(f"datum.part === '{each.name}' ? {index}" for index, each in enumerate(parts)), str(len(parts))]
