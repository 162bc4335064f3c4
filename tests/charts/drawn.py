"""What tests of bars, waterfalls, timelines and scatters share: a drawing checked, its rows, and answers to draw."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import quote

import altair as alt
import jsonschema_rs
import vl_convert

from talkscope.charts.drawing import Drawing
from talkscope.models.answers import Meta, WindowMeta

SPECS = Path(__file__).parent / "specs"
WINDOW = WindowMeta(start="2026-06-01T00:00:00Z", end="2026-06-08T00:00:00Z", timezone="UTC")
HOSTILE = (
    'it\'s "quoted" \\ and \\u0027',
    "${datum.secret}",
    "datum.label",
    "datum['grey']||1==1",
    "');alert(1);//",
    "</script><script>alert(1)</script>",
    "javascript:alert(1)",
    "\x00\x1bcontrols\x07 and \u202ebidi\u202c \u200bzero",
    "<b>&amp;</b>",
    "ещё 名前 🙂",
    "x" * 10_240,
)
"""Names that people, vendors and attackers write."""


@cache
def _validator() -> jsonschema_rs.Validator:
    path = Path(alt.__file__).parent / "vegalite" / "v6" / "schema" / "vega-lite-schema.json"
    return jsonschema_rs.validator_for(json.loads(path.read_text(encoding="utf-8"), object_hook=_referring))


def _referring(part: dict[str, Any]) -> dict[str, Any]:
    """A part of the schema, its reference an address: the names of types have angle brackets, which none may have."""
    return {**part, "$ref": quote(part["$ref"], safe="#/")} if "$ref" in part else part


def checked(drawing: Drawing) -> str:
    """The SVG of the drawing, once its spec is a valid one that loads nothing."""
    _validator().validate(drawing.spec)
    text = json.dumps(drawing.spec)
    assert '"url"' not in text
    assert '"href"' not in text
    svg = vl_convert.vegalite_to_svg(drawing.spec, allowed_base_urls=[])
    assert "NaN" not in svg
    return str(svg)


def title(drawing: Drawing) -> str:
    """What the chart says it plots."""
    spec: Any = drawing.spec
    lines = spec["title"]["text"]
    return lines if isinstance(lines, str) else " ".join(lines)


def subtitle(drawing: Drawing) -> str:
    """What the chart says below its title, on one line."""
    return told(drawing.spec)


def told(spec: Any) -> str:
    """The subtitle of a spec, on one line."""
    lines = spec["title"]["subtitle"]
    return lines if isinstance(lines, str) else " ".join(lines)


def rows(drawing: Drawing, **facts: object) -> list[dict[str, Any]]:
    """The rows that Vega-Lite makes of the spec's data, those that these facts hold for."""
    spec: Any = drawing.spec
    flat = spec["transform"][0]["flatten"]
    found = []
    for series in spec["data"]["values"]:
        same = {name: value for name, value in series.items() if name not in flat}
        longest = max(len(series[name]) for name in flat)
        for index in range(longest):
            cells = {name: series[name][index] if index < len(series[name]) else None for name in flat}
            found.append({**same, **cells})
    return [row for row in found if all(row.get(name) == value for name, value in facts.items())]


def codes(drawing: Drawing) -> Iterator[str]:
    """Every text of the spec that is neither data nor title."""
    spec = {name: part for name, part in drawing.spec.items() if name not in ("data", "title")}

    def texts(part: Any) -> Iterator[str]:
        if isinstance(part, dict):
            for name, inside in part.items():
                yield name
                yield from texts(inside)
        elif isinstance(part, list):
            for inside in part:
                yield from texts(inside)
        elif isinstance(part, str):
            yield part

    return texts(spec)


def keeps_names_out_of_code(drawing: Drawing) -> None:
    """No part of a hostile name is anywhere but in data and titles."""
    said = "\n".join(codes(drawing))
    for name in ("quoted", "secret", "alert", "controls", "&amp;", "名前", "x" * 30):
        assert name not in said
    for each in ("\x00", "\x1b", "\u202e", "\u200b"):
        assert each not in json.dumps(drawing.spec, ensure_ascii=False)
        assert each not in drawing.summary


def same_as_before(name: str, drawing: Drawing) -> None:
    """The spec is the one that was looked at, its theme aside; TALKSCOPE_NEW_SPECS=1 writes it anew."""
    path = SPECS / f"{name}.json"
    spec = {key: part for key, part in drawing.spec.items() if key != "config"}
    text = json.dumps(spec, indent=1, ensure_ascii=False) + "\n"
    if os.environ.get("TALKSCOPE_NEW_SPECS"):
        path.write_text(text, encoding="utf-8")
    assert path.read_text(encoding="utf-8") == text


def meta(n: int, *, notes: Sequence[str] = (), window: bool = True, **more: Any) -> Meta:
    return Meta(source="warehouse", n=n, notes=list(notes), window=WINDOW if window else None, **more)
