"""Lines say what they plot, show every value where it is, and never what is not there."""

from __future__ import annotations

import json
from random import Random
from typing import Any

import pytest

from talkscope import contract
from talkscope.charts import line
from talkscope.charts.drawing import NO_DATA, shown
from talkscope.client import Client
from tests.charts import vega
from tests.charts.drawn import HOSTILE, checked, keeps_names_out_of_code, same_as_before, subtitle, title
from tests.charts.over_time import answer, exactly, instant
from tests.oracle import World

PERCENTILES = ["p50", "p95", "p99"]


def axis_titles(spec: Any) -> list[str]:
    """The titles of all axes of values."""
    if isinstance(spec, list):
        return [each for part in spec for each in axis_titles(part)]
    if not isinstance(spec, dict):
        return []
    own = [spec["y"]["title"]] if isinstance(spec.get("y"), dict) and "title" in spec["y"] else []
    return own + [each for name, part in spec.items() if name != "data" for each in axis_titles(part)]


def a_day() -> Any:
    """Three percentiles of 24 hours, as many digits as real ones have, and a gap."""
    random = Random(4)
    found: dict[tuple[int, str], float | None] = {
        (index, each): None if index in (0, 2, 22) else round(500 + random.random() * 900 * (place + 1), 3)
        for index in range(24)
        for place, each in enumerate(PERCENTILES)
    }
    return answer("2026-06-04", "2026-06-05", PERCENTILES, zone="America/New_York", value=lambda i, m, g: found[i, m])


def test_three_percentiles_of_a_day_with_band_and_threshold_take_less_than_3500_bytes():
    drawing = line.draw(a_day(), band=True, threshold=2_000)
    checked(drawing)
    assert len(json.dumps(drawing.spec, separators=(",", ":"), ensure_ascii=False).encode()) < 3_400


@pytest.mark.parametrize("zone", ["UTC", "Asia/Kolkata", "America/St_Johns", "Europe/Berlin"])
@pytest.mark.parametrize(
    ("start", "end", "grain"),
    [
        ("2026-03-29", "2026-03-30", "hour"),
        ("2026-10-25", "2026-10-26", "hour"),
        ("2026-06-04T10:03:00", "2026-06-04T10:18:00", "minute"),
        ("2026-03-20T08:30:00", "2026-04-20T08:30:00", "day"),
        ("2025-06-01", "2026-06-01", "month"),
    ],
)
def test_rows_of_the_spec_are_the_rows_of_the_answer_at_their_instants(zone: str, start: str, end: str, grain: str):
    given = answer(start, end, PERCENTILES, zone=zone, grain=grain, value=lambda i, m, g: 900.25 + i * len(m))
    found = vega.rows(line.draw(given).spec)
    assert [[row["P50"], row["P95"], row["P99"], row["n"]] for row in found] == [row[1:] for row in given.rows]
    texts = [str(row[0]) for row in given.rows]
    expected = [instant(f"{text}-01"[:10], zone) if len(text) < 11 else exactly(text) for text in texts]
    assert [row["time"] * 1_000 for row in found] == expected


def test_an_hour_that_happens_twice_is_told_apart_by_its_offset():
    given = answer("2026-10-25", "2026-10-26", ["p95"], zone="Europe/Berlin")
    drawing = line.draw(given)
    told = [each["when"] for each in vega.tooltips(drawing.spec)]
    assert len(told) == len(set(told)) == 25
    assert told[2:4] == ["Sun 25 Oct 2026, 02:00 +02:00", "Sun 25 Oct 2026, 02:00 +01:00"]
    assert "+01:00" in drawing.summary


def test_figures_and_times_that_vega_shows_are_those_of_the_oracle(client: Client, world: World):
    zone, start, end = "Europe/Berlin", "2026-03-28", "2026-03-31"
    asked = client.ask(
        contract.TIMESERIES, measures=["p95", "interactions"], granularity="hour", timezone=zone,
        start_time=start, end_time=end,
    )  # fmt: skip
    window: Any = {"start": instant(start, zone), "end": instant(end, zone), "bucket": ("hour", zone)}
    latencies, turns = world.measure("p95", **window), world.measure("interactions", **window)
    shown_by_vega = vega.tooltips(line.draw(asked).spec)
    assert len(shown_by_vega) == 2 * 71, "three days, one hour short, in two panels"
    rows = vega.rows(line.draw(asked).spec)
    assert len(rows) == 71
    for row in rows:
        at = (int(row["time"]) * 1_000,)
        assert row["P95"] == pytest.approx(latencies[at][0], abs=0.001) if at in latencies else row["P95"] is None
        assert row["Interactions"] == (turns[at][0] if at in turns else 0)
    assert any(row["P95"] is not None for row in rows)
    assert {each["when"][-6:] for each in shown_by_vega} == {"+01:00", "+02:00"}


def test_a_chart_of_p50_says_p50():
    drawing = line.draw(answer("2026-06-01", "2026-06-08", ["p50"], grain="day"))
    assert title(drawing) == "P50 of user-to-bot latency"
    assert axis_titles(drawing.spec) == ["P50 (ms)"]
    assert "P95" not in json.dumps(drawing.spec)


@pytest.mark.parametrize(
    ("basis", "of", "axis", "counted"),
    [
        ("user-to-bot latency of interactions", "user-to-bot latency", "User-to-bot latency (ms)", "interactions"),
        ("durations of leaf spans", "span durations", "Span durations (ms)", "spans"),
        ("values of llm.ttft", "values of llm.ttft", "Values of llm.ttft (ms)", "values"),
        (
            "values of a.metric.with.a.name.as.long.as.this",
            "values of a.metric.with.a.name.as.long.as.this",
            "Value (ms)",
            "values",
        ),
        (
            "durations of components in turns, as the service measures them",
            "component durations",
            "Component durations (ms)",
            "spans",
        ),
    ],
)
def test_what_latency_is_of_stands_in_title_axis_and_n(basis: str, of: str, axis: str, counted: str):
    drawing = line.draw(answer("2026-06-01", "2026-06-08", ["p50", "p95"], grain="day", basis=basis))
    assert title(drawing) == f"P50 and P95 of {of}"
    assert axis_titles(drawing.spec) == [axis]
    assert f"n = 42 {counted}" in subtitle(drawing)


def test_window_zone_grain_n_and_generated_data_stand_in_the_subtitle():
    given = answer("2026-06-01", "2026-06-08", ["sessions"], zone="Asia/Kolkata", grain="day", n=1_234, generated=True)
    assert subtitle(line.draw(given)) == (
        "2026-06-01 00:00 to 2026-06-08 00:00 (Asia/Kolkata) · by day · n = 1,234 sessions · generated demo data"
    )


def test_a_grain_coarser_than_asked_is_said_and_so_are_groups_left_out_cut_buckets_and_what_is_covered():
    notes = [
        "Granularity is day, not hour, to fit the answer: ask for a shorter window to see hours.",
        "Cut by the window: 2026-06-01, 2026-06-08.",
        "5 of 12 groups are shown, by p95: raise limit, or filter.",
        "Highest p95: 2026-06-02 (900).",
        "Sessions with several assistants count under each of them, so rows do not add up to the total.",
    ]
    given = answer(
        "2026-06-01T05:00:00", "2026-06-08T05:00:00", ["p95"], grain="day", by="provider", groups=["a", "b"],
        notes=notes, covers="the 500 most recent of 2,000 sessions",
    )  # fmt: skip
    said = subtitle(line.draw(given, asked="hour", notes=["only channel=voice"]))
    for each in (
        "hours would not fit: ask for a shorter window to see them",
        "the window cuts the first and the last day",
        "covers the 500 most recent of 2,000 sessions",
        "5 of 12 groups shown, by P95",
        "only channel=voice",
    ):
        assert each in said
    assert "Highest" not in said
    assert "not hour" not in said


def test_a_grain_that_was_asked_for_is_no_excuse():
    given = answer("2026-06-01", "2026-06-02", ["p95"], grain="day")
    assert "would not fit" not in subtitle(line.draw(given, asked="day"))
    assert "hours would not fit" in subtitle(line.draw(given))


@pytest.mark.parametrize(
    "given",
    [
        answer("2026-06-01", "2026-06-02", PERCENTILES, value=lambda i, m, g: None),
        answer("2026-06-01", "2026-06-02", ["interactions", "errors"], value=lambda i, m, g: 0, n=0),
        answer("2026-06-01", "2026-06-02", ["p95"], n=0).model_copy(update={"rows": []}),
    ],
    ids=["all unknown", "nothing counted", "no rows"],
)
def test_a_window_without_figures_says_so_and_shows_none(given: Any):
    drawing = line.draw(given)
    assert NO_DATA in checked(drawing)
    assert drawing.summary.startswith(NO_DATA)
    assert not shown(drawing)


def test_an_empty_window_says_where_there_is_data():
    extent = {"start": "2026-05-01T10:00:00Z", "end": "2026-05-03T11:00:00Z", "timezone": "UTC"}
    given = answer("2026-06-01", "2026-06-02", ["p95"], n=0, extent=extent).model_copy(update={"rows": []})
    assert "Data runs from 2026-05-01 10:00 to 2026-05-03 11:00." in subtitle(line.draw(given))


def test_a_count_of_zero_is_data():
    drawing = line.draw(answer("2026-06-01", "2026-06-08", ["errors"], grain="day", value=lambda i, m, g: 0, n=90))
    assert shown(drawing)
    assert "always 0 errors" in drawing.summary
    assert vega.labels(drawing.spec, "y") == ["0", "1"], "no halves of an error"
    assert {round(mark["y"]) for mark in vega.marks(drawing.spec, "symbol")} == {320}


def test_a_value_between_two_gaps_is_seen_among_hundreds_of_buckets():
    given = answer("2026-06-01", "2026-06-08", ["p95"], value=lambda i, m, g: 900.0 if i in (5, 160) else None)
    found = vega.marks(line.draw(given).spec, "symbol")
    assert [round(mark["x"]) for mark in found] == [round(720 * i / 168) for i in (5, 160)]
    assert all(mark["size"] >= 12 for mark in found)


def test_gaps_stay_gaps():
    given = answer("2026-06-01", "2026-06-02", ["p95"], value=lambda i, m, g: None if 5 <= i < 9 else 900.0)
    drawn = [each.get("defined") is not False for each in vega.marks(line.draw(given).spec, "line")]
    assert drawn == [not 5 <= index < 9 for index in range(24)]


def test_one_bucket_is_one_point_and_the_axis_is_the_whole_window():
    drawing = line.draw(answer("2026-06-01", "2026-06-02", ["p95"], grain="day"), asked="day")
    (mark,) = vega.marks(drawing.spec, "symbol")
    assert mark["x"] == 0
    assert vega.labels(drawing.spec, "x")[0] == "Jun 01"
    assert vega.labels(drawing.spec, "x")[-1] == "Jun 02"


def test_a_threshold_is_drawn_once_with_its_unit_and_buckets_over_it_are_named():
    given = answer(
        "2026-06-01",
        "2026-06-02",
        PERCENTILES,
        value=lambda i, m, g: {"p50": 10, "p95": 100, "p99": 200}[m] * (i + 1.0),
    )
    drawing = line.draw(given, threshold=2_200, band=True)
    texts = vega.marks(drawing.spec, "text")
    assert [each["text"] for each in texts] == [["threshold", "2,200 ms"]]
    rules = [each for each in vega.marks(drawing.spec, "rule") if each.get("opacity", 1)]
    assert len(rules) == 1
    assert "Over 2,200 ms, of 24 buckets with data: P50 in 0, P95 in 2, P99 in 13." in drawing.summary
    assert "Worst by P95: 2026-06-01 23:00 (2,400 ms), 2026-06-01 22:00 (2,300 ms)." in drawing.summary


def test_without_a_threshold_the_worst_buckets_are_named():
    given = answer("2026-06-01", "2026-06-02", ["p95"], value=lambda i, m, g: float(i))
    assert "Worst by P95: 2026-06-01 23:00 (23 ms), 2026-06-01 22:00 (22 ms)" in line.draw(given).summary


def test_a_band_lies_between_the_lowest_and_the_highest_percentile_whatever_their_order():
    spec: Any = line.draw(answer("2026-06-01", "2026-06-02", ["p99", "avg", "p50", "p95"]), band=True).spec
    band = next(each for each in spec["layer"] if isinstance(each["mark"], dict) and each["mark"]["type"] == "area")
    assert (band["encoding"]["y"]["field"], band["encoding"]["y2"]["field"]) == ("P50", "P99")


def test_measures_of_different_units_have_panels_of_their_own_and_one_axis_of_time():
    measures = ["sessions", "error_rate", "p50", "p95"]
    drawing = line.draw(answer("2026-06-01", "2026-06-08", measures, grain="day", value=lambda i, m, g: 0.01 * (i + 1)))
    checked(drawing)
    spec: Any = drawing.spec
    assert axis_titles(spec) == ["Sessions", "Error rate (%)", "User-to-bot latency (ms)"]
    assert title(drawing) == "Sessions, error rate, P50 and P95 of user-to-bot latency"
    assert vega.labels(spec, "x") == [f"Jun 0{day}" for day in range(1, 9)], "once, below the last panel"
    assert [each["height"] for each in spec["vconcat"]] == [150, 150, 150]


def test_a_measure_that_equals_its_n_stands_in_the_spec_once():
    given = answer("2026-06-01", "2026-06-08", ["interactions", "error_rate"], grain="day", value=lambda i, m, g: i % 7)
    spec: Any = line.draw(given).spec
    (series,) = spec["data"]["values"]
    assert sorted(series) == ["Error rate", "Interactions"]


def test_groups_of_one_name_stay_apart_and_one_without_a_name_has_a_name():
    given = answer(
        "2026-06-01", "2026-06-03", ["p95"], grain="day", by="character_id", groups=["id-1", "id-2", None],
        value=lambda i, m, g: {"id-1": 1.0, "id-2": 2.0, None: 3.0}[g],
    )  # fmt: skip
    names = {"id-1": "Nova", "id-2": "Nova", None: None}
    named = given.model_copy(
        update={
            "columns": ["bucket", "character_id", "character_name", "p95", "n"],
            "rows": [[row[0], row[1], names[row[1]], *row[2:]] for row in given.rows],  # type: ignore[index]
        }
    )
    drawing = line.draw(named)
    checked(drawing)
    found = {row["group"]: row["P95"] for row in vega.rows(drawing.spec)}
    assert found == {"Nova": 1.0, "Nova (id-2)": 2.0, "(none)": 3.0}
    assert title(drawing) == "P95 of user-to-bot latency by character"


def test_fifty_groups_are_told_apart_by_colour_and_dash():
    groups = [f"group {index}" for index in range(50)]
    drawing = line.draw(answer("2026-06-01", "2026-06-03", ["p95"], grain="day", by="model", groups=groups))
    checked(drawing)
    looks = {(each.get("stroke"), str(each.get("strokeDash"))) for each in vega.marks(drawing.spec, "line")}
    assert len(looks) == 50


def test_hostile_names_stay_data():
    groups = [each for each in HOSTILE if each.strip()]
    given = answer("2026-06-01", "2026-06-03", ["p95"], grain="day", by="model", groups=groups)
    drawing = line.draw(given)
    checked(drawing)
    keeps_names_out_of_code(drawing)
    assert len({row["group"] for row in vega.rows(drawing.spec)}) == len(groups)


def test_the_same_answer_is_drawn_the_same():
    first, second = line.draw(a_day(), band=True), line.draw(a_day(), band=True)
    assert json.dumps(first.spec) == json.dumps(second.spec)
    assert first.summary == second.summary


def test_specs_are_those_that_were_looked_at():
    same_as_before("line", line.draw(a_day(), band=True, threshold=2_000))
    measures = ["sessions", "errors", "error_rate"]
    week = answer(
        "2026-06-01", "2026-06-08", measures, grain="day", value=lambda i, m, g: i / 100 if m == "error_rate" else i
    )
    same_as_before("line_panels", line.draw(week))
    same_as_before(
        "line_groups",
        line.draw(answer("2026-06-01", "2026-06-08", ["p95"], grain="day", by="provider", groups=["a", "b"])),
    )
    same_as_before("line_empty", line.draw(answer("2026-06-01", "2026-06-02", ["p95"], value=lambda i, m, g: None)))
