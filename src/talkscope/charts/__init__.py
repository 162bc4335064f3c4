"""Charts: pure functions from an answer to a Vega-Lite spec, one file a form, and the ways to show one.

`drawing` is what all forms share, `rendering` turns specs into pictures, `pages` into pages. A form is imported only
when something is drawn: Altair takes its time to load.

    from talkscope.charts import line, save

    save(line.draw(answer), "latency.png")
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, cast

from talkscope.errors import InvalidArgument
from talkscope.models import files

if TYPE_CHECKING:
    from talkscope.charts.drawing import Drawing
    from talkscope.charts.rendering import Kind

_PICTURES = (".png", ".svg", ".pdf")
_PAGES = (".html", ".htm")


def save(drawing: Drawing, file: str | Path, *, title: str = "Chart", scale: float = 2.0) -> None:
    """Write a chart as the file's name ends: .png, .svg, .pdf, .html (a page that works offline) or .json (the spec).

    Args:
        drawing: What a form drew.
        file: Where to; a file that is there is replaced when the chart is whole.
        title: The title of an HTML page.
        scale: Pixels of a PNG for each pixel of the spec.

    Raises:
        InvalidArgument: The name ends in none of them.
        CannotDraw: The chart cannot be drawn.
    """
    place = Path(file)
    form = place.suffix.lower()
    if form == ".json":
        data = (json.dumps(drawing.spec, ensure_ascii=False) + "\n").encode()
    elif form in _PICTURES or form in _PAGES:
        data = _drawn(drawing, form, title, scale)
    else:
        raise InvalidArgument(
            f"The name {place.name!r} names no form of picture.", hint="End it in .png, .svg, .pdf, .html or .json."
        )
    files.write(place, data)


def _drawn(drawing: Drawing, form: str, title: str, scale: float) -> bytes:
    from talkscope.charts.rendering import Renderer

    with Renderer() as renderer:
        if form in _PICTURES:
            return renderer.render(drawing.spec, cast("Kind", form[1:]), scale=scale, most=None)
        from talkscope.charts.pages import standalone

        spec = {**drawing.spec, "description": drawing.summary}
        return standalone(renderer.bundle(), [spec], title=title).encode()
