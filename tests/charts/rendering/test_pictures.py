"""What the renderer draws: real specs, a real child, and the pixels that come out."""

from __future__ import annotations

from collections.abc import Iterator
from typing import get_args
from xml.etree import ElementTree as ET

import altair as alt
import anyio
import pytest
import vl_convert

from talkscope.charts.rendering import MOST_BYTES, VEGA_LITE, Kind, Renderer
from talkscope.errors import CannotDraw, InvalidArgument, Json
from tests.charts.rendering.pixels import picture, size
from tests.charts.rendering.programs import SPEC

WHITE, BLUE = (255, 255, 255, 255), (0x00, 0x72, 0xB2, 255)


@pytest.fixture(scope="module")
def renderer() -> Iterator[Renderer]:
    with Renderer() as made:
        yield made


def test_marks_are_drawn_in_their_colour_on_the_background(renderer: Renderer) -> None:
    bare: dict[str, Json] = {
        "x": {"field": "ms", "type": "quantitative", "axis": None},
        "y": {"field": "part", "type": "nominal", "axis": None},
    }
    drawn = picture(renderer.render({**SPEC, "encoding": bare}, "png", scale=1))
    assert drawn.at(0, 0) == WHITE
    # The plot begins 5 pixels in and is 60 by 40: llm above, as wide as the axis, and tts below, a third of it.
    assert (drawn.width, drawn.height) == (70, 50)
    assert [drawn.at(5 + x, 15) for x in (10, 50)] == [BLUE, BLUE]
    assert [drawn.at(5 + x, 35) for x in (10, 50)] == [BLUE, WHITE]


def test_text_is_drawn_where_none_of_the_fonts_named_before_sans_serif_exists(renderer: Renderer) -> None:
    def colours(text: str) -> int:
        spec: dict[str, Json] = {
            "width": 160,
            "height": 30,
            "background": "white",
            "config": {"font": "No Such Font, sans-serif"},
            "data": {"values": [{}]},
            "mark": {"type": "text", "text": text, "fontSize": 20},
        }
        return len(picture(renderer.render(spec, "png", scale=1)).colours())

    assert colours("p95 in ms ≤ 3") > colours("") + 5  # the edges of letters are smooth


def test_a_picture_has_as_many_pixels_as_its_scale_says(renderer: Renderer) -> None:
    once, twice = renderer.render(SPEC, "png", scale=1), renderer.render(SPEC, "png", scale=2)
    assert size(twice) == tuple(2 * side for side in size(once))
    assert renderer.render(SPEC, "png") == twice


def test_a_png_is_packed_tighter_than_vl_convert_packs_it_and_is_the_same_picture(renderer: Renderer) -> None:
    unseen: Json = {"mark": {"type": "rule", "opacity": 0}, "encoding": {"x": {"field": "ms", "type": "quantitative"}}}
    layers: list[Json] = [{"mark": SPEC["mark"], "encoding": SPEC["encoding"]}, unseen]
    spec = {name: part for name, part in SPEC.items() if name not in ("mark", "encoding")} | {"layer": layers}
    drawn = vl_convert.vegalite_to_png(dict(spec), vl_version=VEGA_LITE, scale=2)
    ours = renderer.render(spec, "png")
    assert picture(ours) == picture(drawn)
    assert picture(ours).chunks == ["IHDR", "pHYs", "IDAT", "IEND"]
    assert len(ours) < len(drawn) / 2


def test_a_png_that_would_weigh_too_much_is_drawn_smaller(renderer: Renderer) -> None:
    rows: list[Json] = [{"part": str(n % 40), "ms": n * n % 997} for n in range(600)]
    busy: dict[str, Json] = {**SPEC, "width": 300, "height": 300, "mark": "point", "data": {"values": rows}}
    whole = renderer.render(busy, "png", most=None)
    small = renderer.render(busy, "png", most=40_000)
    assert len(whole) > 40_000 >= len(small)
    assert size(small) < size(whole)
    assert (
        len(renderer.render(busy, "png", scale=4)) <= MOST_BYTES < len(renderer.render(busy, "png", scale=4, most=None))
    )


def test_a_png_that_fits_at_no_scale_is_refused(renderer: Renderer) -> None:
    with pytest.raises(CannotDraw, match="more than 50 bytes at any scale"):
        renderer.render(SPEC, "png", most=50)


def test_an_svg_is_xml_that_holds_its_words_and_loads_nothing(renderer: Renderer) -> None:
    svg = renderer.render(SPEC, "svg").decode()
    root = ET.fromstring(svg)
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    assert {"llm", "tts"} <= {text.strip() for text in root.itertext()}
    assert svg.count("http") == svg.count("http://www.w3.org/")


def test_a_pdf_is_one(renderer: Renderer) -> None:
    pdf = renderer.render(SPEC, "pdf")
    assert pdf.startswith(b"%PDF-")
    assert pdf.rstrip().endswith(b"%%EOF")


def test_the_bundle_is_vega_vega_lite_and_vega_embed_and_is_made_once(renderer: Renderer) -> None:
    bundle = anyio.run(renderer.abundle)
    assert all(f"window.{name}=" in bundle for name in ("vega", "vegaLite", "vegaEmbed"))
    assert len(bundle) > 500_000
    assert renderer.bundle() is anyio.run(renderer.abundle) is bundle


def test_the_version_that_draws_is_the_one_that_altair_writes() -> None:
    assert alt.SCHEMA_VERSION.startswith(f"v{VEGA_LITE}.")
    assert VEGA_LITE in vl_convert.get_vegalite_versions()


def test_a_spec_is_drawn_by_the_version_it_names(renderer: Renderer) -> None:
    older = {**SPEC, "$schema": "https://vega.github.io/schema/vega-lite/v5.21.0.json"}
    assert renderer.render(older, "svg").startswith(b"<svg")
    with pytest.raises(CannotDraw, match=r"version string 9\.9"):
        renderer.render({**SPEC, "$schema": "https://vega.github.io/schema/vega-lite/v9.9.0.json"}, "svg")


@pytest.mark.parametrize(
    "spec",
    [{}, {**SPEC, "mark": "no such mark"}, {**SPEC, "transform": [{"filter": "datum.("}]}, {**SPEC, "title": "\ud800"}],
    ids=["nothing", "unknown mark", "bad expression", "lone surrogate"],
)
def test_a_bad_spec_is_refused_and_the_next_is_drawn_by_the_same_process(renderer: Renderer, spec: dict) -> None:
    renderer.render(SPEC, "svg")
    before = renderer.pid
    with pytest.raises(CannotDraw) as caught:
        renderer.render(spec, "png")
    assert "\n" not in caught.value.message
    assert len(caught.value.message) < 500
    assert "spec" in caught.value.hint
    assert renderer.render(SPEC, "png")
    assert renderer.pid == before


@pytest.mark.parametrize(
    "part",
    [
        {"data": {"url": "http://127.0.0.1:9/rows.json"}},
        {"data": {"url": "data:text/csv,a%0A1"}},
        {"mark": {"type": "image", "url": "file:///etc/hostname"}},
        {"transform": [{"lookup": "a", "from": {"data": {"url": "rows.json"}, "key": "a", "fields": ["b"]}}]},
        {"layer": [{"encoding": {"url": {"field": "picture"}}, "mark": "image"}]},
    ],
    ids=["data", "data URL", "image", "lookup", "image by field"],
)
def test_a_spec_that_names_a_url_is_refused_before_a_process_starts(part: dict) -> None:
    with Renderer() as renderer:
        with pytest.raises(CannotDraw, match="nothing is loaded"):
            renderer.render({**SPEC, **part}, "png")
        assert renderer.pid is None


def test_rows_may_have_a_column_named_url(renderer: Renderer) -> None:
    rows: dict[str, Json] = {"values": [{"part": "llm", "ms": 3, "url": "http://127.0.0.1:9/"}]}
    assert renderer.render({**SPEC, "data": rows}, "svg")


def test_a_scale_or_kind_that_does_not_exist_is_refused(renderer: Renderer) -> None:
    for scale in (0, -1, 9, float("nan")):
        with pytest.raises(InvalidArgument, match="scale"):
            renderer.render(SPEC, "png", scale=scale)
    with pytest.raises(InvalidArgument, match="png, svg, pdf"):
        renderer.render(SPEC, "gif")  # type: ignore[arg-type]
    assert get_args(Kind) == ("png", "svg", "pdf")
