"""How charts look: one theme in two shades, told apart by colour-blind people too.

Colours start from Okabe and Ito's palette and stand at least 3:1 off the background where a line is thin. No form
relies on colour alone: lines differ in dashes, states in words, values in position. What a form leaves to the theme
follows the shade; what it colours itself is readable in both.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Literal, TypeAlias

from talkscope.errors import Json

Shade: TypeAlias = Literal["light", "dark"]

WIDTH = 720
"""Pixels of the plot: what a chat window shows without scaling."""
HEIGHT = 320
PANEL = 150
"""Pixels of one of several panels."""
FONT = "system-ui, Arial, sans-serif"

NUMBERS = ",.3~f"
"""How numbers are written where nothing else is said."""

SERIES = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#8C6D1F", "#7F7F7F", "#B22222", "#5D3A9B")
"""Colours of series in their order, which the theme gives to nominal colours by itself."""
DASHES: tuple[list[float], ...] = ([1, 0], [6, 3], [2, 2], [8, 3, 2, 3], [12, 3], [4, 4], [1, 3])
"""Dashes of series in their order; as many as make 56 pairs with the colours."""
STATUS: Mapping[str, str] = {"ok": "#3b82f6", "error": "#ef4444", "timeout": "#f59e0b", "cancelled": "#9ca3af"}
"""Colours of the states that a fact can end in."""
UNKNOWN_STATUS = "#64748b"
NO_STATUS = "no status"
"""What the state of a fact is called that says none."""
THRESHOLD = "#dc3c3c"
RAMP = ("#fde7c7", "#f2945c", "#a63a50", "#4a1942")
"""From little to much, for heat: the darker the more, in grey too; a dark page has the brighter the more."""

RANGES = ("category", "heatmap", "ramp")
"""The ranges of colours that a theme has: of names, of heat in cells, of heat in points."""

_DARK_SERIES = ("#56B4E9", "#F28C38", "#2EC4A0", "#E39CC4", "#E0C04F", "#A8AFBA", "#FF7A6B", "#B294F0")
_DARK_RAMP = ("#46204a", "#a63a50", "#f2945c", "#fde7c7")
_SHADES: Mapping[Shade, Mapping[str, str]] = {
    "light": {"page": "#ffffff", "text": "#1f2937", "quiet": "#5b6472", "line": "#9aa3b0", "grid": "#e7eaee"},
    "dark": {"page": "#16191f", "text": "#e8eaed", "quiet": "#a9b1bd", "line": "#5d6673", "grid": "#2b3038"},
}


def config(shade: Shade = "light", *, ranges: Collection[str] = RANGES) -> dict[str, Json]:
    """The Vega-Lite configuration of a shade, its background included, with these ranges of colours."""
    tone = _SHADES[shade]
    quiet, text = tone["quiet"], tone["text"]
    series, ramp = (SERIES, RAMP) if shade == "light" else (_DARK_SERIES, _DARK_RAMP)
    colours: dict[str, Json] = {"category": list(series), "heatmap": list(ramp), "ramp": list(ramp)}
    return {
        "background": tone["page"],
        "padding": 12,
        "font": FONT,
        # Vega would read times out in the reader's own zone; summaries and tooltips are the text.
        "aria": False,
        "mark": {"color": series[0]},
        "numberFormat": NUMBERS,
        **({"range": {each: colours[each] for each in RANGES if each in ranges}} if ranges else {}),
        "view": {"stroke": None},
        "style": {
            "guide-label": {"fill": quiet, "fontSize": 11},
            "guide-title": {"fill": quiet, "fontSize": 12, "fontWeight": 500},
        },
        "title": {
            "anchor": "start", "frame": "bounds", "color": text, "fontSize": 16, "offset": 14,
            "subtitleColor": quiet,
        },
        "axis": {"gridColor": tone["grid"], "labelLimit": 240},
        "axisX": {"grid": False},
        "axisY": {"domain": False, "ticks": False, "labelPadding": 8, "titlePadding": 10},
        "legend": {"orient": "top", "offset": 6, "symbolSize": 160, "labelLimit": 260},
        "text": {"color": text, "fontSize": 12},
        "rule": {"color": tone["line"]},
    }  # fmt: skip


def themed(spec: Mapping[str, Json], shade: Shade) -> dict[str, Json]:
    """The same chart in the other shade."""
    return {**spec, "config": config(shade, ranges=needed(spec))}


def needed(spec: Json | Mapping[str, Json]) -> frozenset[str]:
    """The ranges of colours that a spec takes from the theme."""
    found: set[str] = set()
    if isinstance(spec, Mapping):
        for channel in ("color", "fill", "stroke"):
            value = spec.get(channel)
            if isinstance(value, Mapping) and "type" in value:
                found |= {"heatmap", "ramp"} if value["type"] == "quantitative" else {"category"}
            elif isinstance(value, Mapping) and "datum" in value:
                found.add("category")
        parts = [part for name, part in spec.items() if name not in ("data", "config")]
    else:
        parts = spec if isinstance(spec, list) else []
    return frozenset(found.union(*(needed(part) for part in parts)))
