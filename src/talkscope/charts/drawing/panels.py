"""Panels over time: one or several below each other, with one axis of time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from talkscope.charts.drawing import theme, words
from talkscope.charts.drawing.clock import Clock

if TYPE_CHECKING:
    import altair as alt

    from talkscope.charts.drawing import Marks

    Layer = alt.Chart | alt.LayerChart

_GAP = 14
_LEGEND = 110
"""Characters of a legend's line, where a symbol takes six."""
_FEW_THINGS = 4
_POINT, _LONE, _SMALL, _FEW = 22, 14, 4, 120
"""A point's area where points are few; where they are many and some stand alone; where they would hide the line."""


@dataclass(frozen=True, slots=True)
class Panel:
    """Layers that share the axis of time, layers of their own data, and how high they stand."""

    layers: Sequence[Layer]
    beside: Sequence[Layer] = field(default=())
    height: int | None = None


def stacked(panels: Sequence[Panel], clock: Clock) -> Marks:
    """The panels over one axis of time, which the last one shows."""
    import altair as alt

    high = theme.HEIGHT if len(panels) == 1 else theme.PANEL
    drawn: list[alt.LayerChart] = []
    for panel in panels:
        axis = clock.axis() if panel is panels[-1] else alt.Axis(labels=False, ticks=False)
        x = alt.X("time:T", scale=clock.scale(), title=None, axis=axis)
        timed: alt.LayerChart = alt.layer(*panel.layers).encode(x=x)
        whole = alt.LayerChart(layer=[timed, *panel.beside]) if panel.beside else timed
        sized: alt.LayerChart = whole.properties(width=theme.WIDTH, height=panel.height or high)
        drawn.append(sized)
    concat = alt.vconcat(*drawn, spacing=_GAP).resolve_scale(color="independent", strokeDash="independent")
    marks: Marks = drawn[0] if len(drawn) == 1 else concat
    return marks


def hover(tooltip: Sequence[alt.Tooltip], buckets: int, *, after: bool = False) -> alt.Chart:
    """Unseen columns, one a bucket, that show the tooltip wherever the pointer is: around its start, or `after` it."""
    import altair as alt

    wide = round(theme.WIDTH / max(1, min(buckets, theme.WIDTH // 2)))
    base: alt.Chart = alt.Chart()
    unseen = base.mark_rule(
        opacity=0, strokeWidth=wide, xOffset=wide / 2 if after else alt.Undefined, clip=after or alt.Undefined
    )
    found: alt.Chart = unseen.encode(tooltip=list(tooltip))
    return found


def points(buckets: int, *, lone: bool = True) -> alt.OverlayMarkDef:
    """Points on a line; of many buckets none that are seen by themselves, unless one between two gaps has to be."""
    import altair as alt

    return alt.OverlayMarkDef(size=_POINT if buckets <= _FEW else _LONE if lone else _SMALL)


def apart(key: str, names: Sequence[str]) -> Mapping[str, alt.Color | alt.StrokeDash]:
    """Lines told apart by colour and dash, with one legend in the order of the lines."""
    import altair as alt

    if len(names) == 1:
        return {}
    longest = max(len(each) for each in names)
    columns = max(1, _LEGEND // (longest + 6))
    legend = alt.Legend(symbolType="stroke", symbolSize=400, columns=columns if columns < len(names) else alt.Undefined)
    dashes = [theme.DASHES[index % len(theme.DASHES)] for index in range(len(names))]
    return {
        "color": alt.Color(f"{key}:N", sort=None, title=None, legend=legend),
        "strokeDash": alt.StrokeDash(f"{key}:N", sort=None, title=None, scale=alt.Scale(range=dashes)),
    }


def threshold(level: float, unit: str) -> alt.LayerChart:
    """A level across the panel, named at its right."""
    import altair as alt

    rule = alt.Chart().mark_rule(color=theme.THRESHOLD, strokeDash=[6, 4])
    named = alt.Chart().mark_text(
        color=theme.THRESHOLD, align="left", dx=5, text=["threshold", words.figure(level, unit)]
    )
    beside = named.encode(x=alt.value("width"))
    return alt.layer(rule, beside, data=alt.sequence(1)).encode(y=alt.Y(datum=level))


def height(name: str, title: str, unit: str, *, highest: float, whole: bool = False) -> alt.Y:
    """The axis of values: numbered by the unit's form, in whole steps where halves mean nothing.

    What is always 0 gets a scale, because by itself it would have no height.
    """
    import altair as alt

    form = words.form(unit)
    plain = alt.Undefined if form == theme.NUMBERS else alt.Axis(format=form)
    axis = steps(highest) if whole else plain
    scale = alt.Undefined if highest else alt.Scale(domain=[0, 0.01 if unit == "fraction" else 1])
    return alt.Y(f"{name}:Q", title=title, axis=axis, scale=scale)


def steps(highest: float) -> alt.Axis:
    """What keeps an axis of things to whole numbers; Vega's own least step still halves where there are two or less."""
    import altair as alt

    few = highest <= _FEW_THINGS
    return alt.Axis(values=list(range(max(int(highest), 1) + 1))) if few else alt.Axis(tickMinStep=1)


def told(name: str, unit: str = "", title: str = "") -> alt.Tooltip:
    """A number in a tooltip, in the unit's form."""
    import altair as alt

    form = words.form(unit)
    return alt.Tooltip(
        field=name,
        type="quantitative",
        format=alt.Undefined if form == theme.NUMBERS else form,
        title=title if title and title != name else alt.Undefined,
    )
