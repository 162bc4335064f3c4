"""What every form of chart shares: the drawing that comes out, its theme, its data, time and words.

A form gives its marks to `finished`, which adds what all charts have. Specs are Vega-Lite 6 and hold their data
themselves; nothing in one is loaded from elsewhere, and no expression is made of text from outside.
"""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from talkscope.charts.drawing import theme
from talkscope.charts.drawing.table import Series, table
from talkscope.charts.drawing.words import NO_DATA
from talkscope.errors import Json

if TYPE_CHECKING:
    import altair as alt

    Marks: TypeAlias = alt.Chart | alt.LayerChart | alt.VConcatChart | alt.HConcatChart

__all__ = ["NO_DATA", "Drawing", "Series", "empty", "finished", "shown"]

_SCHEMA = "https://vega.github.io/schema/vega-lite/v6.json"
_TITLE = 84


@dataclass(frozen=True, slots=True)
class Drawing:
    """A chart: its Vega-Lite spec, and its key figures in words for whoever sees no picture."""

    spec: dict[str, Json]
    summary: str


def finished(
    marks: Marks,
    series: Sequence[Series],
    *,
    title: str,
    subtitle: Sequence[str],
    summary: str,
    steps: Sequence[Json] = (),
) -> Drawing:
    """The marks with their data, their title and the theme.

    Args:
        marks: What is drawn, without data of its own; fields are the series' facts and columns, and `time`.
        series: The rows, each number once.
        title: What is plotted.
        subtitle: Lines below it: window, zone, n, notes.
        summary: The key figures in words.
        steps: Transforms after those that make the rows.
    """
    import altair as alt

    lines = textwrap.wrap(title, _TITLE) or [""]
    heading = alt.TitleParams(
        text=lines if len(lines) > 1 else lines[0], subtitle=subtitle[0] if len(subtitle) == 1 else list(subtitle)
    )
    spec = marks.properties(data=alt.NamedData("rows"), title=heading).to_dict()
    data, made = table(series)
    own = spec.pop("transform", [])
    return Drawing(
        {
            **spec,
            "$schema": _SCHEMA,
            "data": data,
            "transform": [*made, *steps, *own],
            "config": theme.config(ranges=theme.needed(spec)),
        },
        summary,
    )


def empty(*, title: str, subtitle: Sequence[str], summary: str = NO_DATA, text: str = NO_DATA) -> Drawing:
    """The chart of an answer without rows: it says that there is no data; texts and summaries of one begin so."""
    import altair as alt

    marks = alt.Chart().mark_text(fontSize=15).encode(text=alt.Text("text:N"))
    sized = marks.properties(width=theme.WIDTH, height=120)
    return finished(sized, [Series({"text": [text]})], title=title, subtitle=subtitle, summary=summary)


def shown(drawing: Drawing) -> bool:
    """Whether the drawing shows data, and not that there is none."""
    return not drawing.summary.startswith("No data")
