"""How a page looks, as a test asks for it."""

from __future__ import annotations

from talkscope.charts.drawing import theme
from talkscope.errors import Json

PAGE = "getComputedStyle(document.body).backgroundColor"
"""The colour behind everything."""


def _rgb(colour: Json) -> str:
    assert isinstance(colour, str)
    return f"rgb({', '.join(str(int(colour[at : at + 2], 16)) for at in (1, 3, 5))})"


def series(shade: theme.Shade) -> str:
    """The colour of the first line in a shade."""
    ranges = theme.config(shade)["range"]
    assert isinstance(ranges, dict)
    colours = ranges["category"]
    assert isinstance(colours, list)
    return str(colours[0])


LIGHT, DARK = _rgb(theme.config("light")["background"]), _rgb(theme.config("dark")["background"])
