"""The gallery shows what the code draws today."""

from __future__ import annotations

import importlib.util
import json
import sys
from pathlib import Path
from types import ModuleType

import pytest

import talkscope

ROOT = Path(__file__).parents[2]
GALLERY = ROOT / "docs" / "gallery"


@pytest.fixture(scope="module")
def gallery() -> ModuleType:
    spec = importlib.util.spec_from_file_location("gallery_build", GALLERY / "build.py")
    assert spec is not None
    assert spec.loader is not None
    module = sys.modules[spec.name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def drawn(gallery: ModuleType, tmp_path_factory: pytest.TempPathFactory):
    with talkscope.open_warehouse(gallery.telemetry(tmp_path_factory.mktemp("gallery"))) as client:
        return list(gallery.drawings(client))


def test_every_spec_in_the_gallery_is_the_one_that_is_drawn_today(gallery: ModuleType, drawn):
    stale = [
        picture.name
        for picture, drawing in drawn
        if (GALLERY / f"{picture.name}.json").read_text(encoding="utf-8") != gallery.as_text(drawing)
    ]
    assert stale == [], "make gallery"


def test_the_page_of_the_gallery_is_the_one_that_is_written_today(gallery: ModuleType, drawn):
    assert (GALLERY / "index.md").read_text(encoding="utf-8") == gallery.page(drawn), "make gallery"


def test_the_gallery_holds_each_kind_of_chart_and_each_picture_in_both_shades(gallery: ModuleType):
    from talkscope.tools import RECORD_TOOLS, TOOLS

    assert {f"chart_{each.kind}" for each in gallery.PICTURES} == {
        tool.name for tool in (*TOOLS, *RECORD_TOOLS) if tool.name.startswith("chart_")
    }
    for each in gallery.PICTURES:
        assert json.loads((GALLERY / f"{each.name}.json").read_text(encoding="utf-8"))["$schema"].endswith("/v6.json")
        for shade in ("", "-dark"):
            assert (GALLERY / f"{each.name}{shade}.png").read_bytes().startswith(b"\x89PNG\r\n")
    files = {path.stem.removesuffix("-dark") for path in GALLERY.iterdir() if path.suffix in (".png", ".json")}
    assert files == {each.name for each in gallery.PICTURES}
