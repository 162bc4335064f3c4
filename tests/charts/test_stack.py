"""Stacked bars divide each row as the answer does, and say so without relying on colour."""

from __future__ import annotations

from talkscope.charts import stack
from talkscope.charts.drawing import room, theme
from talkscope.models.answers import Answer, Cell
from tests.charts.drawn import HOSTILE, checked, keeps_names_out_of_code, meta, rows, subtitle, title

PARTS = (stack.Part("ok", "ok", theme.STATUS["ok"]), stack.Part("errors", "error", theme.STATUS["error"]))


def answer(*found: list[Cell]) -> Answer:
    return Answer(columns=["name", "ok", "errors", "error_rate"], rows=list(found), meta=meta(2_508))


def test_a_bar_is_as_long_as_its_parts_and_its_end_says_how_many_and_the_rate():
    drawing = stack.draw(
        answer(["orders", 1_200, 34, 34 / 1_234], ["orders", 3, 0, 0.0], [None, 0, 0, None]),
        by=["name"],
        parts=PARTS,
        title="Calls by resource",
        rate="error_rate",
        noun="calls",
        notes=["only channel=web"],
    )
    svg = checked(drawing)
    assert [(row["label"], row["ok"], row["error"], row["total"]) for row in rows(drawing)] == [
        ("orders", 1_200, 34, 1_234), ("orders (2)", 3, 0, 3), ("(none)", 0, 0, 0)
    ]  # fmt: skip
    assert "1,234 · 2.76 % error rate" in svg
    assert title(drawing) == "Calls by resource"
    assert "n = 2,508 calls" in subtitle(drawing)
    assert "only channel=web" in subtitle(drawing)
    assert "orders: 1,234 · 2.76 % error rate (1,200 ok, 34 error)." in drawing.summary


def test_what_tells_two_long_names_apart_is_in_sight():
    long = "the answer of the service did not come within the time that was agreed with the shop " * 2
    found: list[list[Cell]] = [[long, 1, 0, 0.0]] * 12
    drawing = stack.draw(answer(*found), by=["name"], parts=PARTS, title="Calls")
    first, *others = [row["label"] for row in rows(drawing)]
    assert not first.endswith(")")
    assert [each.rpartition("… ")[2] for each in others] == [f"({n})" for n in range(2, 13)]
    assert all(room.width(each) <= 260 for each in others)


def test_nothing_is_drawn_of_nothing():
    drawing = stack.draw(answer(), by=["name"], parts=PARTS, title="Calls")
    assert drawing.summary.startswith("No data")
    checked(drawing)


def test_names_from_outside_are_data_and_never_code():
    found: list[list[Cell]] = [[name, 2, 1, 1 / 3] for name in HOSTILE]
    drawing = stack.draw(answer(*found), by=["name"], parts=PARTS, title="Calls", rate="error_rate")
    keeps_names_out_of_code(drawing)
    assert "datum.label" in checked(drawing)
