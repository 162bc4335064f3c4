"""Reliability: a rate on its own axis, counts on theirs, and nothing that is unknown drawn as 0."""

from __future__ import annotations

from typing import Any

import pytest

from talkscope import contract
from talkscope.charts import reliability
from talkscope.charts.drawing import NO_DATA, shown
from talkscope.client import Client
from talkscope.models.answers import Answer, Cell
from tests.charts import vega
from tests.charts.drawn import checked, same_as_before, subtitle, title
from tests.charts.over_time import answer, instant
from tests.oracle import World
from tests.tools.fakes import Fake, call

WEEK = ("2026-06-01", "2026-06-08")
MEASURES = ["errors", "error_rate", "interactions"]


def week(**more: Any) -> Answer:
    """Seven days, the third without interactions."""

    def value(index: int, measure: str, group: str | None) -> Cell:
        of = 0 if index == 2 else 40 + index
        errors = 0 if index == 2 else index
        return {"errors": errors, "error_rate": errors / of if of else None, "interactions": of}[measure]

    return answer(*WEEK, MEASURES, grain="day", value=value, **more)


def dropped(*counts: int) -> Answer:
    return answer(*WEEK, ["count"], grain="day", value=lambda i, m, g: counts[i], basis=None)


def scales(spec: Any) -> list[set[str]]:
    """The fields of the axis of values of each panel."""

    def fields(part: Any) -> set[str]:
        if isinstance(part, list):
            return {each for inside in part for each in fields(inside)}
        if not isinstance(part, dict):
            return set()
        own = {str(part["y"]["field"])} if isinstance(part.get("y"), dict) else set()
        folded = {str(each) for step in part.get("transform", []) for each in step.get("fold", [])}
        return own | folded | {each for inside in part.values() for each in fields(inside)}

    return [fields(panel) - {"value"} for panel in spec["vconcat"]]


def test_the_rate_shares_no_axis_with_counts():
    drawing = reliability.draw(week(), dropped(0, 1, 0, 0, 3, 0, 0))
    checked(drawing)
    assert scales(drawing.spec) == [{"Error rate"}, {"Errors", "Dropped error events"}, {"Interactions"}]


def test_a_rate_of_nothing_is_a_gap_and_counts_of_it_are_0():
    drawing = reliability.draw(week(), dropped(*[0] * 7))
    rows = vega.rows(drawing.spec)
    assert [row["Error rate"] for row in rows][2] is None
    assert [row["Errors"] for row in rows][2] == 0
    points = [vega.told(each) for each in vega.marks(drawing.spec, "symbol")]
    assert sum("Error rate (%)" in each for each in points) == 6


def test_the_axis_of_the_rate_is_in_percent_and_that_of_counts_in_whole_numbers():
    drawing = reliability.draw(week(), dropped(0, 1, 0, 0, 3, 0, 0))
    labels = vega.labels(drawing.spec, "y")
    rates = [each for each in labels if each.endswith("%")]
    assert rates[0] == "0%"
    assert all("." not in each for each in labels if each not in rates)


def test_no_dropped_events_are_0_and_unknown_ones_are_not_drawn():
    none = answer(*WEEK, ["count"], grain="day", n=0).model_copy(update={"rows": []})
    assert [row["Dropped error events"] for row in vega.rows(reliability.draw(week(), none).spec)] == [0] * 7
    unknown = reliability.draw(week(), None)
    checked(unknown)
    assert "Dropped error events" not in vega.rows(unknown.spec)[0]
    assert title(unknown) == "Error rate and errors"
    assert "Dropped error events are not known here." in unknown.summary


def test_dropped_events_without_any_interaction_are_shown():
    nothing = week(n=0).model_copy(update={"rows": []})
    drawing = reliability.draw(nothing, dropped(0, 0, 5, 0, 0, 0, 0))
    assert shown(drawing)
    rows = vega.rows(drawing.spec)
    assert [row["Dropped error events"] for row in rows] == [0, 0, 5, 0, 0, 0, 0]
    assert {row["Error rate"] for row in rows} == {None}


def test_a_window_without_anything_says_so():
    nothing = week(n=0).model_copy(update={"rows": []})
    drawing = reliability.draw(nothing, None)
    assert NO_DATA in checked(drawing)


def test_totals_and_worst_buckets_are_said():
    said = reliability.draw(week(n=258), dropped(0, 1, 0, 0, 3, 0, 0)).summary
    assert "Errors: 19 out of 258 (7.36 %)." in said
    assert "Dropped error events: 4." in said
    assert "Worst: 2026-06-07 (13 %), 2026-06-06 (11.1 %), 2026-06-05 (9.09 %)." in said


def test_the_tool_shows_what_the_oracle_counts(client: Client, world: World):
    def answering(name: str, words: Any) -> Answer:
        return client.ask(contract.TIMESERIES, **words)

    zone, start, end = "Europe/Berlin", "2026-03-27", "2026-04-01"
    words = {"granularity": "day", "timezone": zone, "start_time": start, "end_time": end}
    spec = call("chart_reliability", Fake(answering), **words).structured["spec"]
    window: Any = {"start": instant(start, zone), "end": instant(end, zone), "bucket": ("day", zone)}
    rates = world.measure("error_rate", **window)
    lost = world.measure("count", metric_name="db.error_persist_dropped", **window)
    rows = vega.rows(spec)
    assert len(rows) == 5
    for row in rows:
        at = (int(row["time"]) * 1_000,)
        rate, n = rates.get(at, (None, 0))
        assert row["Error rate"] == (None if rate is None else pytest.approx(rate, abs=1e-5))
        assert row["Errors"] == round((rate or 0) * n)
        assert row["Dropped error events"] == (lost[at][0] if at in lost else 0)
    assert sum(row["Dropped error events"] for row in rows) > 0


def test_filters_that_fit_no_event_leave_dropped_events_out_and_say_so(client: Client):
    def answering(name: str, words: Any) -> Answer:
        return client.ask(contract.TIMESERIES, **words)

    words = {
        "granularity": "day",
        "start_time": "2026-03-27",
        "end_time": "2026-04-01",
        "filters": ["voice_provider!=x"],
    }
    drawn = call("chart_reliability", Fake(answering), **words).structured
    said = " ".join(drawn["spec"]["title"]["subtitle"])
    assert "only voice_provider!=x" in said
    assert "dropped error events are not known with these words" in said


def test_the_spec_is_the_one_that_was_looked_at():
    drawing = reliability.draw(week(), dropped(0, 1, 0, 0, 3, 0, 0))
    assert "the window" not in subtitle(drawing)
    same_as_before("reliability", drawing)
