"""Areas of sessions active at once: steps as long as their buckets, and the peak at its instant."""

from __future__ import annotations

from typing import Any

import pytest

from talkscope import contract
from talkscope.charts import area
from talkscope.charts.drawing import NO_DATA, shown
from talkscope.client import Client
from tests.charts import vega
from tests.charts.drawn import checked, same_as_before, subtitle
from tests.charts.over_time import concurrency, instant
from tests.oracle import World

DAY = ("2026-06-01", "2026-06-02")
PEAKS = [1, 0, 3, 2, *[1] * 20]


def drawn(**more: Any) -> Any:
    return area.draw(concurrency(*DAY, PEAKS, peak_at="2026-06-01T02:30:00Z", **more))


def test_each_step_lasts_as_long_as_its_bucket_and_the_last_ends_with_the_window():
    rows = vega.rows(drawn().spec)
    assert [(row["peak"], row["mean"]) for row in rows[:-1]] == [(peak, round(peak / 3, 6)) for peak in PEAKS]
    assert rows[-1]["time"] - rows[-2]["time"] == 3_600_000
    assert rows[-1]["peak"] == PEAKS[-1]


def test_a_bucket_that_the_window_cuts_is_drawn_inside_the_window_only():
    given = concurrency("2026-06-01T00:20:00", "2026-06-01T03:10:00", [1, 2, 1, 4], peak_at="2026-06-01T03:05:00Z")
    drawing = area.draw(given)
    checked(drawing)
    rows = vega.rows(drawing.spec)
    assert [row["time"] for row in rows] == [
        instant(f"2026-06-01T{each}:00", "UTC") // 1_000 for each in ("00:00", "01:00", "02:00", "03:00", "03:10")
    ]
    spec: Any = drawing.spec
    timed = spec["layer"][0]
    assert timed["encoding"]["x"]["scale"]["domain"][0] == instant("2026-06-01T00:20:00", "UTC") // 1_000
    assert all(each["mark"]["clip"] for each in timed["layer"])
    assert "the window cuts the first and the last hour" in subtitle(drawing)


def test_the_peak_is_a_rule_across_and_a_point_at_its_instant_with_words():
    spec = drawn().spec
    (point,) = vega.marks(spec, "symbol")
    assert point["x"] == pytest.approx(720 * 2.5 / 24)
    (rule,) = [each for each in vega.marks(spec, "rule") if each.get("opacity", 1)]
    assert rule["y"] == point["y"]
    (text,) = vega.marks(spec, "text")
    assert text["text"] == "peak 3 at 2026-06-01 02:30"


def test_words_at_a_late_peak_stay_inside_the_picture():
    late = area.draw(concurrency(*DAY, [0] * 23 + [5], peak_at="2026-06-01T23:50:00Z"))
    (text,) = vega.marks(late.spec, "text")
    assert text["align"] == "right"


def test_tooltips_say_peak_and_mean_of_each_bucket():
    told = vega.tooltips(drawn().spec)
    assert {key: told[2][key] for key in ("when", "peak", "mean")} == {
        "when": "Mon 01 Jun 2026, 02:00", "peak": "3", "mean": "1",
    }  # fmt: skip


@pytest.mark.parametrize("peak", [1, 2, 3])
def test_sessions_have_no_halves(peak: int):
    given = concurrency(*DAY, [peak] * 24, peak_at="2026-06-01T00:00:00Z")
    assert all("." not in each for each in vega.labels(area.draw(given).spec, "y"))


def test_peak_and_steps_are_those_of_the_oracle(client: Client, world: World):
    zone, start, end = "Europe/Berlin", "2026-03-29", "2026-03-30"
    asked = client.ask(contract.CONCURRENCY, granularity="hour", timezone=zone, start_time=start, end_time=end)
    rows = vega.rows(area.draw(asked).spec)
    span = (instant(start, zone), instant(end, zone))
    levels = world.concurrency_buckets(*span, ("hour", zone))
    assert {int(row["time"]) * 1_000: row["peak"] for row in rows[:-1]} == levels
    peak, first, _ = world.concurrency(*span)
    (point,) = vega.marks(area.draw(asked).spec, "symbol")
    assert peak == max(row["peak"] for row in rows) > 0
    assert point["x"] == pytest.approx(720 * (first - span[0]) / (span[1] - span[0]), abs=0.1)


def test_a_window_without_sessions_says_so():
    drawing = area.draw(concurrency(*DAY, [0] * 24, peak_at=None))
    assert NO_DATA in checked(drawing)
    assert not shown(drawing)


def test_a_lower_bound_is_said():
    covers = "the 500 most recent sessions: the peak is at least 3, and so is every level"
    assert covers in subtitle(drawn(covers=covers))
    assert f"Covers {covers}." in drawn(covers=covers).summary


def test_peak_mean_and_busiest_buckets_are_said():
    said = drawn().summary
    assert "Peak: 3, first at 2026-06-01T02:30:00Z." in said
    assert "Mean: 1.25." in said
    assert "Highest hours: 2026-06-01 02:00 (3)" in said


def test_the_spec_is_the_one_that_was_looked_at():
    checked(drawn())
    same_as_before("area", drawn())
