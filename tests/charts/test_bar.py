"""Bars say what they measure, of what, and over how many facts."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import quantiles
from typing import Any

import pytest

from talkscope import contract, open_warehouse
from talkscope.charts import bar
from talkscope.charts.drawing import shown
from talkscope.errors import InvalidArgument
from talkscope.models.answers import Answer, Cell
from tests.charts.drawn import HOSTILE, checked, keeps_names_out_of_code, meta, rows, same_as_before, subtitle, title
from tests.tools.fakes import Fake, Manner, call
from tests.warehouse.loading import load

UNITS = {"p95": "ms", "p50": "ms", "error_rate": "fraction"}


def by_processor(**more: Any) -> Answer:
    return Answer(
        columns=["processor", "p95", "n"],
        rows=[["llm", 2379.225, 758], ["tts", 1059.1, 1698], ["vad", 93.47, 12], ["other (3 groups)", 60.5, 40]],
        meta=meta(2_508, units=UNITS, basis="durations of leaf spans", **more),
    )


def compared() -> Answer:
    return Answer(
        columns=["provider", "model", "p95", "count", "error_rate", "n", "n_errors"],
        rows=[
            ["openai", "gpt-4o", 2379.225, 824, 0.0097, 758, 824],
            ["google", None, 1831.2, 671, 0.0089, 614, 671],
            ["other (7 groups)", None, 941.1, 9883, 0.003, 9808, 9883],
        ],
        meta=meta(11_310, units=UNITS, basis="durations of leaf spans"),
    )


def shares() -> Answer:
    return Answer(
        columns=["processor", "share", "total_ms", "mean_ms", "turns"],
        rows=[["llm", 0.6, 600.0, 60.0, 10], ["tts", 0.25, 250.0, 25.0, 8], ["unattributed", 0.15, 150.0, 15.0, 10]],
        meta=meta(10, units={"share": "fraction"}, basis="turns with a known latency; each instant goes somewhere"),
    )


def test_a_bar_is_as_long_as_its_measure_and_says_its_unit_and_its_n():
    drawing = bar.draw(by_processor())
    svg = checked(drawing)
    assert [(row["label"], row["p95"]) for row in rows(drawing)] == [
        ("llm", 2379.225), ("tts", 1059.1), ("vad", 93.47), ("other (3 groups)", 60.5)
    ]  # fmt: skip
    assert "2,379 ms · n 758" in svg
    assert title(drawing) == "P95 of durations of leaf spans by processor"
    assert "2026-06-01 00:00 to 2026-06-08 00:00 (UTC) · n = 2,508" in subtitle(drawing)
    assert "P95 (ms)" in svg
    same_as_before("bar", drawing)


def test_what_is_folded_and_what_has_no_name_is_grey():
    answer = Answer(
        columns=["error_code", "count", "n"],
        rows=[[None, 41, 41], ["other (1 group)", 9, 9], ["late", 5, 5], ["other (2 groups)", 3, 3]],
        meta=meta(58),
    )
    drawing = bar.draw(answer, of="error.* events")
    assert [(row["label"], row["grey"]) for row in rows(drawing)] == [
        ("(none)", 1), ("other (1 group)", 0), ("late", 0), ("other (2 groups)", 1)
    ]  # fmt: skip
    assert title(drawing) == "Count of error.* events by error code"
    assert "41 · n" not in checked(drawing)


def test_measures_of_different_units_stand_side_by_side_each_with_its_own_scale():
    drawing = bar.draw(compared())
    svg = checked(drawing)
    assert title(drawing) == "P95, count and error rate by provider and model"
    assert "P95: durations of leaf spans" in subtitle(drawing)
    assert [row["label"] for row in rows(drawing)] == ["openai / gpt-4o", "google / (none)", "other (7 groups)"]
    assert "0.97 % · n 824" in svg
    panels: Any = drawing.spec["hconcat"]
    assert [panel["layer"][0]["encoding"]["x"]["field"] for panel in panels] == ["p95", "count", "error_rate"]
    same_as_before("bar_panels", drawing)


def test_measures_of_one_unit_share_a_scale():
    answer = Answer(
        columns=["processor", "p50", "p95", "n"], rows=[["llm", 100.0, 900.0, 4]], meta=meta(4, units=UNITS)
    )
    spec: Any = bar.draw(answer).spec
    domains = [panel["layer"][0]["encoding"]["x"]["scale"]["domain"] for panel in spec["hconcat"]]
    assert domains[0] == domains[1]
    assert domains[0][0] == 0
    assert domains[0][1] > 900


def test_the_fourth_measure_and_those_after_it_are_in_tooltips():
    columns = ["processor", "avg", "p50", "p95", "p99", "n"]
    answer = Answer(columns=columns, rows=[["llm", 1.0, 2.0, 3.0, 4.0, 5]], meta=meta(5))
    drawing = bar.draw(answer)
    spec: Any = drawing.spec
    assert len(spec["hconcat"]) == 3
    assert "In tooltips: P99" in subtitle(drawing)
    told = [each["field"] for each in spec["hconcat"][0]["layer"][0]["encoding"]["tooltip"]]
    assert "p99_text" in told


def test_shares_of_turn_time_sum_to_one_and_say_their_mean():
    drawing = bar.draw(shares())
    svg = checked(drawing)
    assert sum(row["share"] for row in rows(drawing)) == pytest.approx(1)
    assert [row["grey"] for row in rows(drawing)] == [0, 0, 1]
    assert "60 % · mean 60 ms" in svg
    assert title(drawing) == "Share of turn time by processor"
    assert "n = 10 turns" in subtitle(drawing)
    same_as_before("bar_shares", drawing)


def test_a_character_is_shown_by_its_name_and_two_of_one_name_are_two_bars():
    answer = Answer(
        columns=["character_id", "character_name", "sessions", "n"],
        rows=[["c-1", "Ada", 9, 9], ["c-2", "Ada", 5, 5], ["c-3", None, 2, 2], ["c-4", "Ada (2)", 1, 1]],
        meta=meta(17),
    )
    drawing = bar.draw(answer)
    assert [(row["label"], row["id"]) for row in rows(drawing)] == [
        ("Ada", "c-1"), ("Ada (2)", "c-2"), ("c-3", "c-3"), ("Ada (2) (2)", "c-4")
    ]  # fmt: skip
    assert "Ada (2)" in checked(drawing)
    assert title(drawing) == "Sessions by character"


@pytest.mark.parametrize(
    "found", [[], [[None, None, 7, 7]], [[None, 12.5, 7, 7]]], ids=["no rows", "an unknown value", "an empty group"]
)
def test_a_breakdown_with_only_an_empty_group_has_no_data(found: list[list[Cell]]):
    cells = [row[:1] + row[2:] if len(row) == 4 else row for row in found]
    answer = Answer(columns=["status", "p95", "n"], rows=[row[:3] for row in cells], meta=meta(7 if found else 0))
    drawing = bar.draw(answer)
    assert not shown(drawing)
    svg = checked(drawing)
    assert "No data in this window" in svg
    if found:
        assert "What was found names no status." in subtitle(drawing)


def test_an_unknown_figure_is_no_bar_and_says_so():
    answer = Answer(columns=["status", "p95", "n"], rows=[["ok", 5.5, 3], ["cancelled", None, 0]], meta=meta(3))
    drawing = bar.draw(answer)
    assert rows(drawing)[1]["p95"] is None
    assert rows(drawing)[1]["p95_text"] == "unknown · n 0"
    checked(drawing)


def test_values_below_zero_have_bars_to_the_left():
    answer = Answer(columns=["processor", "avg", "n"], rows=[["a", 3.0, 3], ["b", -5.0, 2]], meta=meta(5))
    spec: Any = bar.draw(answer).spec
    assert spec["layer"][0]["encoding"]["x"]["scale"]["domain"][0] == -5
    checked(bar.draw(answer))


@pytest.mark.parametrize("count", [1, 25, 50])
def test_height_grows_with_the_bars(count: int):
    found: list[list[Cell]] = [[f"model-{index}", 100.0 - index, 3] for index in range(count)]
    drawing = bar.draw(Answer(columns=["model", "p95", "n"], rows=found, meta=meta(3 * count, units=UNITS)))
    spec: Any = drawing.spec
    assert spec["height"] >= count * 17
    assert spec["height"] <= 30 * count + 30
    svg = checked(drawing)
    assert f"model-{count - 1}" in svg


def test_hostile_names_are_data_and_nothing_else():
    found: list[list[Cell]] = [[name, float(index + 1), 1] for index, name in enumerate(HOSTILE)]
    answer = Answer(columns=["model", "p95", "n"], rows=found, meta=meta(len(found), units=UNITS))
    drawing = bar.draw(answer, of="${datum}" * 400)
    keeps_names_out_of_code(drawing)
    svg = checked(drawing)
    assert "datum.label" in svg
    assert max(len(row["label"]) for row in rows(drawing)) <= 120
    assert len(drawing.summary) < 2_000


def test_the_tool_asks_for_p95_by_processor():
    asker = Fake(answering=lambda name, words: by_processor())
    shaped = call("chart_breakdown", asker)
    _, name, words = asker.asked[0]
    assert name == "breakdown"
    assert words["measures"] == ["p95"]
    assert words["limit"] == 20
    assert shaped.structured["spec"]["title"]["text"].startswith("P95")


@pytest.mark.parametrize(
    ("given", "asked"),
    [
        (
            {"measures": "count", "group_by": "processor", "metric_name_prefix": "error."},
            {"metric_name_prefix": "error."},
        ),
        ({"measures": "p95", "group_by": "model", "metric_name_prefix": "LLMService."}, {"group_by": ["model"]}),
        (
            {"measures": "count", "group_by": "voice_provider", "filters": "processor=tts"},
            {"filters": ["processor=tts"]},
        ),
        ({"measures": "sessions", "group_by": "character_id"}, {"measures": ["sessions"]}),
    ],
    ids=["errors by component", "model latency", "voices", "characters"],
)
def test_the_tool_draws_what_its_predecessors_drew(given: dict[str, Any], asked: dict[str, Any]):
    asker = Fake(answering=lambda name, words: by_processor())
    call("chart_breakdown", asker, **given)
    assert asked.items() <= asker.asked[0][2].items()


def test_share_asks_where_the_time_goes():
    asker = Fake(answering=lambda name, words: shares())
    shaped = call("chart_breakdown", asker, measures="share", group_by="provider", percentile="p95", range="last_7d")
    assert asker.asked[0][1] == "latency"
    assert asker.asked[0][2] == {"by": "provider", "percentile": "p95", "range": "last_7d", "limit": 20}
    assert "share" in shaped.structured["summary"].lower()


@pytest.mark.parametrize(
    "words",
    [
        {"measures": ["share", "p95"]},
        {"measures": "share", "group_by": ["provider", "model"]},
        {"measures": "share", "metric_name": "x"},
        {"measures": "p95", "percentile": "p95"},
        {"limit": 51},
    ],
)
def test_words_that_do_not_go_together_are_refused(words: dict[str, Any]):
    with pytest.raises(InvalidArgument):
        call("chart_breakdown", Fake(answering=lambda name, words: shares()), **words)


def test_bars_of_a_loaded_warehouse_are_the_figures_of_its_records(tmp_path: Path):
    made = random.Random(3)
    lengths = {
        "llm": [made.randrange(100, 3_000) for _ in range(40)],
        "tts": [made.randrange(50, 900) for _ in range(21)],
    }
    start = datetime(2026, 6, 2, 12, tzinfo=UTC)
    records = [
        {
            "type": "span", "span_id": f"{name}-{index}", "session_id": "s", "processor": name,
            "start_time": start.isoformat(), "end_time": (start + timedelta(milliseconds=length)).isoformat(),
        }
        for name, found in lengths.items()
        for index, length in enumerate(found)
    ]  # fmt: skip
    load(tmp_path, records)
    with open_warehouse(tmp_path) as client:
        answer = client.ask(contract.BREAKDOWN, measures=["p95"], start_time="2026-06-01", end_time="2026-06-08")
    drawing = bar.draw(answer)
    cut = {name: quantiles(found, n=20, method="inclusive")[-1] for name, found in lengths.items()}
    assert {row["label"]: row["p95"] for row in rows(drawing)} == pytest.approx(cut)
    assert [row["p95"] for row in rows(drawing)] == sorted(cut.values(), reverse=True)
    assert [row["p95_text"].partition("n ")[2] for row in rows(drawing)] == ["40", "21"]


def test_many_long_names_fit_the_budget_by_fewer_bars():
    def answering(name: str, words: Any) -> Answer:
        found: list[list[Cell]] = [[f"{index}-" + "long" * 60, 9.0, 9.0, 9.0, 3] for index in range(words["limit"])]
        return Answer(columns=["model", "p50", "p95", "p99", "n"], rows=found, meta=meta(9))

    asker = Fake(answering=answering)
    shaped = call("chart_breakdown", asker, Manner(answer_tokens=2_500), measures="p50,p95,p99", limit=50)
    assert len(shaped.text.encode()) <= 10_000
    assert asker.asked[-1][2]["limit"] < 50
