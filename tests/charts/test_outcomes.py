"""Shares and rates of outcomes as bars: what each is out of is said, and no data is not 0 %."""

from __future__ import annotations

from typing import Any

import pytest

from talkscope.charts import outcomes
from talkscope.charts.drawing import room, shown, theme
from talkscope.errors import InvalidArgument
from talkscope.models.answers import Answer, Cell
from tests.charts.drawn import HOSTILE, checked, keeps_names_out_of_code, meta, rows, same_as_before, subtitle, title
from tests.tools.fakes import Fake, Manner, always, call

PLAIN: list[list[Cell]] = [
    ["outcomes", None, 120, 120, 120],
    ["deflection_rate", None, 0.725, 87, 120],
    ["sentiment", "neutral", 0.5, 40, 80],
    ["sentiment", "negative", 0.5, 40, 80],
    ["csat", "scale 4", 0.25, 1, 4],
    ["csat", "scale 5", 0.0, 0, 9],
    ["response_rate", None, None, 0, 0],
]
GROUPED: list[list[Cell]] = [
    ["b-1", "Desk", "deflection_rate", None, 0.5, 2, 4],
    ["b-1", "Desk", "sentiment", "neutral", 0.25, 1, 4],
    ["b-1", "Desk", "sentiment", "negative", 0.75, 3, 4],
    ["b-2", "Desk", "deflection_rate", None, 1.0, 9, 9],
    ["b-2", "Desk", "sentiment", "neutral", 1.0, 9, 9],
    [None, None, "deflection_rate", None, None, 0, 0],
    [None, None, "sentiment", None, None, 0, 0],
]


def answer(cells: list[list[Cell]], *groups: str, n: int = 120) -> Answer:
    return Answer(columns=[*groups, "measure", "label", "value", "count", "n"], rows=cells, meta=meta(n))


def test_each_figure_is_a_panel_and_says_what_it_is_out_of():
    drawing = outcomes.draw(answer(PLAIN), notes=["only tag=vip"])
    svg = checked(drawing)
    assert title(drawing) == "Deflection rate, sentiment, CSAT and more"
    assert "only tag=vip" in subtitle(drawing)
    assert [(row["row"], row["value"], row["beside"]) for row in rows(drawing)] == [
        ("all sessions", 0.725, "72.5 % · n 120"),
        ("neutral", 0.5, "50 % · n 80"),
        ("negative", 0.5, "50 % · n 80"),
        ("scale 4", 0.25, "25 % · n 4"),
        ("scale 5", 0.0, "0 % · n 9"),
        ("all sessions", None, "no data"),
    ]
    assert "72.5 % · n 120" in svg
    assert "no data" in svg
    assert drawing.summary.startswith("Deflection rate, sentiment, CSAT and more, 2026-06-01 00:00 to")
    assert "Deflection rate: 72.5 % · n 120." in drawing.summary
    same_as_before("outcomes", drawing)


def test_labels_of_a_group_are_parts_of_one_bar_in_one_order():
    drawing = outcomes.draw(answer(GROUPED, "character_id", "character_name"))
    svg = checked(drawing)
    assert title(drawing) == "Deflection rate and sentiment by character"
    parts = rows(drawing, panel=1)
    assert [(row["row"], row["part"], row["place"], row["beside"]) for row in parts] == [
        ("Desk (b-1)", "neutral", 0, "n 4"),
        ("Desk (b-1)", "negative", 1, ""),
        ("Desk (b-2)", "neutral", 0, "n 9"),
        ("(none)", "no data", 2, "no data"),
    ]
    assert "Desk (b-2)" in svg
    same_as_before("outcomes_groups", drawing)


def test_all_panels_have_one_scale_that_holds_what_is_over_100_per_cent():
    cells: list[list[Cell]] = [["deflection_rate", None, 0.5, 1, 2], ["conversions", "sales", 1.5, 3, 2]]
    spec: Any = outcomes.draw(answer(cells)).spec
    domains = [panel["layer"][0]["encoding"]["x"]["scale"]["domain"] for panel in spec["vconcat"]]
    assert domains[0] == domains[1]
    assert domains[0][1] > 1.5


def test_a_share_of_many_times_the_whole_is_written_out():
    drawing = outcomes.draw(answer([["conversions", "sales", 12.5, 25, 2], ["csat", "scale 5", 0.9996, 1, 2]]))
    assert [row["text"] for row in rows(drawing)] == ["1,250 % · n 2", "100 % · n 2"]


def test_groups_and_labels_that_begin_alike_stay_apart():
    long = "Asked for a person because the assistant did not understand what had been bought, or when, "
    several = [f"{long}{end}" for end in "abc"]
    groups: list[list[Cell]] = [[each, "deflection_rate", None, 0.5, 1, 2] for each in several]
    found = [row["row"] for row in rows(outcomes.draw(answer(groups, "tag")))]
    assert len({*found}) == 3
    # What tells them apart stands where the axis still shows it.
    assert all(room.width(each) <= 240 for each in found[1:])
    scales: list[list[Cell]] = [[each, "csat", f"scale {scale}", 0.5, 1, 2] for each in several for scale in (4, 5)]
    bars = [row["row"] for row in rows(outcomes.draw(answer(scales, "tag")))]
    assert len({*bars}) == 6
    assert all("· scale" in each and room.width(each) <= 240 for each in bars)
    labels: list[list[Cell]] = [["handoff_reason", each, 0.25, 1, 4] for each in several]
    assert len({row["row"] for row in rows(outcomes.draw(answer(labels)))}) == 3
    parts = rows(outcomes.draw(answer([["web", *each] for each in labels], "channel")))
    assert len({row["part"] for row in parts}) == 3


def test_labels_beyond_the_colours_are_one_part():
    several: list[list[Cell]] = [["web", "handoff_reason", f"reason {n}", 0.05, 5, 100] for n in range(18)]
    many: list[list[Cell]] = [
        *several,
        ["web", "handoff_reason", "other (2 labels)", 0.1, 10, 100],
        ["app", "handoff_reason", "reason 0", 1.0, 3, 3],
        [None, "handoff_reason", None, None, 0, 0],
    ]
    drawing = outcomes.draw(answer(many, "channel"))
    # It stands in its row, and not in the legend.
    assert checked(drawing).count(">no data<") == 1
    found = rows(drawing)
    assert len({row["part"] for row in found if row["n"]}) == len(theme.SERIES)
    assert [(row["row"], row["part"], row["count"], row["n"]) for row in found][-3:] == [
        ("web", "other labels", 65, 100),
        ("app", "reason 0", 3, 3),
        ("(none)", "no data", 0, 0),
    ]
    assert sum(row["value"] for row in found if row["row"] == "web") == pytest.approx(1)


def test_nothing_to_share_is_a_chart_that_says_so():
    found: list[list[list[Cell]]] = [[], [["csat", None, None, 0, 0]]]
    for cells in found:
        drawing = outcomes.draw(answer(cells, n=0))
        assert not shown(drawing)
        assert "No data in this window" in checked(drawing)


def test_names_that_others_wrote_stay_data():
    cells: list[list[Cell]] = [
        [name, "sentiment", label, 0.5, 1, 2] for name in HOSTILE for label in (name[:9], "neutral")
    ]
    drawing = outcomes.draw(answer(cells, "tag"))
    checked(drawing)
    keeps_names_out_of_code(drawing)


def test_the_tool_asks_for_fractions_only():
    fake = Fake(always(answer(PLAIN)))
    shaped = call("chart_outcomes", fake, range="last_30d", filters=["tag=vip"])
    (_, name, words), *_ = fake.asked
    assert name == "outcomes"
    assert "outcomes" not in words["measures"]
    assert words["measures"][0] == "deflection_rate"
    assert words["range"] == "last_30d"
    assert "only tag=vip" in shaped.text
    with pytest.raises(InvalidArgument, match="rating_mean cannot be drawn"):
        call("chart_outcomes", Fake(), measures=["rating_mean"])


def test_the_tool_answers_rows_with_words_of_others_marked():
    found = call(
        "get_outcomes", Fake(always(answer([["sentiment", "neutral", 0.5, 1, 2]]))), Manner(), measures="sentiment"
    )
    assert found.structured["rows"] == [["sentiment", "neutral", 0.5, 1, 2]]
    assert found.structured["untrusted"] == ["label"]
