"""Heat stands where and when it was: in the hour of the zone, also when hours are skipped or happen twice."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise
from typing import Any

import pytest

from talkscope import contract
from talkscope.charts import heatmap
from talkscope.charts.drawing import NO_DATA, theme
from talkscope.client import Client
from tests.charts import vega
from tests.charts.drawn import checked, same_as_before, subtitle, title
from tests.charts.over_time import answer, instant
from tests.oracle import World


def cells(spec: Any) -> list[dict[str, Any]]:
    """The filled cells that Vega draws: when, figure, place and size."""
    return [{**vega.told(each), **each} for each in vega.marks(spec, "rect") if "fill" in each]


@pytest.mark.parametrize("zone", ["UTC", "Asia/Kolkata", "America/St_Johns", "Pacific/Chatham"])
def test_each_hour_stands_in_its_day_and_hour_of_the_zone(zone: str):
    drawing = heatmap.draw(answer("2026-06-01", "2026-06-08", ["p95"], zone=zone))
    checked(drawing)
    rows = vega.rows(drawing.spec)
    assert [(row["row"] - rows[0]["row"], row["from"]) for row in rows] == [
        (day, hour) for day in range(7) for hour in range(24)
    ]
    assert [row["P95"] for row in rows] == [1000.5 + 10 * index for index in range(168)]
    assert vega.labels(drawing.spec, "y") == [
        "Mon 01 Jun", "Tue 02 Jun", "Wed 03 Jun", "Thu 04 Jun", "Fri 05 Jun", "Sat 06 Jun", "Sun 07 Jun",
    ]  # fmt: skip
    assert vega.labels(drawing.spec, "x")[:2] == ["00:00", "02:00"]
    assert vega.labels(drawing.spec, "x")[-1] == "24:00"


def test_an_hour_that_happens_twice_has_two_half_cells_and_both_say_which_they_are():
    drawing = heatmap.draw(answer("2026-10-25", "2026-10-26", ["p95"], zone="Europe/Berlin"))
    found = cells(drawing.spec)
    assert len(found) == 25
    halves = [each for each in found if each["width"] < 20]
    assert [each["when"] for each in halves] == ["Sun 25 Oct 2026, 02:00 +02:00", "Sun 25 Oct 2026, 02:00 +01:00"]
    assert [each["P95"] for each in halves] == ["1,020.5", "1,030.5"]
    assert [round(each["x"] / 15) for each in halves] == [4, 5]
    assert found[4]["when"] == "Sun 25 Oct 2026, 03:00 +01:00"
    assert round(found[4]["x"]) == 90


def test_an_hour_that_half_repeats_is_not_lost():
    drawing = heatmap.draw(answer("2026-04-05", "2026-04-06", ["p95"], zone="Australia/Lord_Howe"))
    found = cells(drawing.spec)
    assert len({(round(each["x"]), round(each["y"])) for each in found}) == len(found) == 25
    rows = vega.rows(drawing.spec)
    spans = sorted((row["from"], row["to"]) for row in rows)
    assert all(end <= start for (_, end), (start, _) in pairwise(spans)), "no cell hides another"


def test_an_hour_that_the_zone_skips_has_no_cell():
    drawing = heatmap.draw(answer("2026-03-28", "2026-03-30", ["p95"], zone="Europe/Berlin"))
    places = Counter(round(each["x"] / 30) for each in cells(drawing.spec))
    assert places[2] == 1
    assert {count for hour, count in places.items() if hour != 2} == {2}


def test_a_cell_without_a_value_is_an_outline_and_a_zero_is_a_colour():
    given = answer("2026-06-01", "2026-06-02", ["errors"], value=lambda i, m, g: None if i < 4 else i - 4)
    drawing = heatmap.draw(given)
    outlined = [each for each in vega.marks(drawing.spec, "rect") if "fill" not in each]
    assert [vega.told(each)["when"][-5:] for each in outlined] == ["00:00", "01:00", "02:00", "03:00"]
    assert all("Errors" not in vega.told(each) for each in outlined)
    assert len(cells(drawing.spec)) == 20
    assert cells(drawing.spec)[0]["Errors"] == "0"
    assert "outlined: no data" in subtitle(drawing)
    assert "4 of 24 cells have no data." in drawing.summary


def test_days_stand_by_weekday_and_week_when_hours_do_not_fit():
    given = answer("2026-01-07", "2026-03-05", ["p95"], zone="America/New_York", grain="day")
    drawing = heatmap.draw(given)
    checked(drawing)
    assert title(drawing) == "P95 of user-to-bot latency by weekday and week"
    assert "hours would not fit: ask for a shorter window to see them" in subtitle(drawing)
    rows = vega.rows(drawing.spec)
    assert [row["row"] for row in rows[:6]] == [2, 3, 4, 5, 6, 0], "7 January is a Wednesday"
    assert [row["from"] - rows[0]["from"] for row in rows[:6]] == [0, 0, 0, 0, 0, 1]
    assert [row["when"] for row in rows[:2]] == ["Wed 07 Jan 2026", "Thu 08 Jan 2026"]
    assert vega.labels(drawing.spec, "y") == ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]
    assert vega.labels(drawing.spec, "x")[0] == "Jan 05", "a column is named by its Monday"


@pytest.mark.parametrize(
    ("grain", "expected"),
    [
        ("week", [("2025", 0), ("2025", 1)]),
        ("month", [("2024", 11), ("2025", 0)]),
    ],
)
def test_longer_windows_stand_by_year(grain: str, expected: list[tuple[str, int]]):
    drawing = heatmap.draw(answer("2024-12-31", "2026-03-02", ["p95"], zone="Asia/Kolkata", grain=grain))
    checked(drawing)
    assert [(str(row["row"]), row["from"]) for row in vega.rows(drawing.spec)[:2]] == expected


def test_vega_shows_what_the_oracle_counts(client: Client, world: World):
    zone, start, end = "Europe/Berlin", "2026-03-28", "2026-03-31"
    words = {"granularity": "hour", "timezone": zone, "start_time": start, "end_time": end}
    drawing = heatmap.draw(client.ask(contract.TIMESERIES, measures=["p95"], **words))
    figures = world.measure("p95", start=instant(start, zone), end=instant(end, zone), bucket=("hour", zone))
    known = {key[0]: value for key, (value, n) in figures.items() if value is not None and isinstance(key[0], int)}
    found = cells(drawing.spec)
    rows = {row["when"]: row for row in vega.rows(drawing.spec)}
    assert len(found) == len(known) > 10
    for each in found:
        at = int(rows[each["when"]]["time"]) * 1_000
        assert float(each["P95"].replace(",", "")) == pytest.approx(known[at], abs=0.0006)


def test_the_legend_has_a_unit_and_colours_follow_the_shade():
    drawing = heatmap.draw(answer("2026-06-01", "2026-06-08", ["p95"]))
    spec: Any = drawing.spec
    assert spec["layer"][1]["encoding"]["color"]["legend"]["title"] == "P95 (ms)"
    light = [each["fill"] for each in cells(spec)]
    dark = [each["fill"] for each in cells(theme.themed(spec, "dark"))]
    assert _bright(light[0]) > _bright(light[-1]), "the darker the more on white"
    assert _bright(dark[0]) < _bright(dark[-1]), "the brighter the more on black"


def _bright(colour: str) -> float:
    return sum(float(each) for each in colour.removeprefix("rgb(").rstrip(")").split(","))


def test_a_window_without_values_says_so():
    drawing = heatmap.draw(answer("2026-06-01", "2026-06-02", ["p95"], value=lambda i, m, g: None))
    assert NO_DATA in checked(drawing)
    assert drawing.summary.startswith(NO_DATA)


def test_the_highest_cells_are_named():
    said = heatmap.draw(answer("2026-06-01", "2026-06-02", ["p95"])).summary
    assert "Highest: 2026-06-01 23:00 (1,230 ms), 2026-06-01 22:00 (1,220 ms), 2026-06-01 21:00 (1,210 ms)." in said


def test_specs_are_those_that_were_looked_at():
    same_as_before("heatmap", heatmap.draw(answer("2026-10-24", "2026-10-27", ["p95"], zone="Europe/Berlin")))
    same_as_before(
        "heatmap_days",
        heatmap.draw(answer("2026-01-07", "2026-03-05", ["error_rate"], grain="day", value=lambda i, m, g: i / 100)),
    )
