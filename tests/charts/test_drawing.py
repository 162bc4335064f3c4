"""What all charts share: time on an axis, compact data, a theme in two shades, and tools that fit their budget."""

from __future__ import annotations

import json
from itertools import product
from typing import Any

import pytest

from talkscope import contract, tools
from talkscope.charts import heatmap, line
from talkscope.charts.drawing import Drawing, Series, theme
from talkscope.charts.drawing.clock import Clock
from talkscope.charts.drawing.table import table
from talkscope.client import Client
from talkscope.errors import InvalidArgument
from talkscope.models.answers import Answer, WindowMeta
from tests.charts import vega
from tests.charts.drawn import checked
from tests.charts.over_time import answer, instant, written
from tests.tools.fakes import Fake, Manner, call

ZONES = ("UTC", "Asia/Kolkata", "America/St_Johns", "Europe/Berlin", "America/Sao_Paulo")


def clock(start: str, end: str, zone: str) -> Clock:
    first, last = instant(start, zone), instant(end, zone)
    return Clock.of(WindowMeta(start=written(first, zone), end=written(last, zone), timezone=zone))


def ticks(drawn: Clock) -> list[tuple[int, str]]:
    """The ticks of the axis in microseconds, with their labels."""
    axis: Any = drawn.axis().to_dict()
    values = axis["values"]
    if isinstance(values, dict):
        values = vega.worked_out(values["expr"])
    return [(int(each) * 1_000, vega.worked_out(axis["labelExpr"], value=each)) for each in values]


@pytest.mark.parametrize(
    ("start", "end", "form"),
    [
        ("2026-06-04T10:00:00", "2026-06-04T10:00:40", "%H:%M:%S"),
        ("2026-06-04T10:03:00", "2026-06-04T10:18:00", "%H:%M"),
        ("2026-06-04T23:10:00", "2026-06-05T02:50:00", "%H:%M"),
        ("2026-03-29", "2026-03-30", "%H:%M"),
        ("2026-10-24T12:00:00", "2026-10-25T12:00:00", "%H:%M"),
        ("2026-03-26", "2026-04-02", "%b %d"),
        ("2026-10-01", "2026-11-01", "%b %d"),
        ("2025-11-20", "2026-11-20", "%b %Y"),
        ("2015-01-01", "2026-01-01", "%Y"),
    ],
)
@pytest.mark.parametrize("zone", ZONES)
def test_ticks_stand_at_round_times_of_the_zone_and_are_labelled_so(start: str, end: str, form: str, zone: str):
    from datetime import datetime

    found = ticks(clock(start, end, zone))
    assert 3 <= len(found) <= 10
    assert [at for at, _ in found] == sorted({at for at, _ in found})
    for at, label in found:
        assert instant(start, zone) <= at <= instant(end, zone)
        local = datetime.fromisoformat(written(at, zone))
        midnight = (local.hour, local.minute, local.second) == (0, 0, 0)
        assert label == local.strftime("%b %d" if midnight and form.startswith("%H") else form)
        assert form.startswith("%H") or midnight


def test_a_first_bucket_that_begins_before_the_window_is_on_the_axis():
    given = answer("2026-06-04T10:20:00", "2026-06-05T10:20:00", ["p95"])
    first = vega.marks(line.draw(given).spec, "symbol")[0]
    assert first["x"] == 0


@pytest.mark.parametrize("instants", [[0, 60, 120], [0, 60, 180], [7]], ids=["even", "uneven", "one"])
@pytest.mark.parametrize("groups", [1, 3])
def test_data_is_read_back_as_it_was_given(instants: list[int], groups: int):
    times = [1_700_000_000_000_000 + at * 1_000_000 for at in instants]
    given = [
        Series(
            {"a": [index + 10 * group for index, _ in enumerate(instants)], "b": ["x", None, "z"][: len(instants)]},
            {"group": f"g{group}"} if groups > 1 else {},
            times,
        )
        for group in range(groups)
    ]
    data, steps = table(given)
    rows = vega.rows({"data": data, "transform": steps})
    expected = [
        (cell, other, each.facts.get("group"), at / 1_000)
        for each in given
        for cell, other, at in zip(each.columns["a"], each.columns["b"], each.instants, strict=True)
    ]
    assert [(row["a"], row["b"], row.get("group"), row["time"]) for row in rows] == expected


def _luminance(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [each / 12.92 if each <= 0.03928 else ((each + 0.055) / 1.055) ** 2.4 for each in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def _contrast(one: str, other: str) -> float:
    high, low = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("shade", ["light", "dark"])
def test_lines_and_words_stand_off_the_page(shade: Any):
    config: Any = theme.config(shade)
    page = config["background"]
    for colour in [*config["range"]["category"], config["mark"]["color"], theme.THRESHOLD]:
        assert _contrast(colour, page) >= 3, colour
    for colour in (config["title"]["color"], config["title"]["subtitleColor"], config["style"]["guide-label"]["fill"]):
        assert _contrast(colour, page) >= 4.5, colour
    steps = [_contrast(each, page) for each in config["range"]["heatmap"]]
    assert steps == sorted(steps), "the more, the further from the page"


def test_a_themed_spec_changes_nothing_but_its_config_and_back_is_the_same():
    spec = heatmap.draw(answer("2026-06-01", "2026-06-03", ["p95"])).spec
    dark = theme.themed(spec, "dark")
    assert {key for key in spec if spec[key] != dark[key]} == {"config"}
    assert theme.themed(dark, "light") == spec
    assert sorted(dark["config"]["range"]) == ["heatmap", "ramp"]  # type: ignore[index,call-overload,arg-type]


def _asker(client: Client) -> Fake:
    def answering(name: str, words: Any) -> Answer:
        return client.ask({"timeseries": contract.TIMESERIES, "concurrency": contract.CONCURRENCY}[name], **words)

    return Fake(answering)


YEAR = {"start_time": "2026-01-01", "end_time": "2027-01-01", "timezone": "Europe/Berlin"}
EVERYTHING = "sessions,interactions,errors,error_rate,p50,p95,p99,avg"
MONTH = {"start_time": "2026-03-10", "end_time": "2026-04-09", "timezone": "Asia/Kolkata"}
LARGE: list[tuple[str, dict[str, Any]]] = [
    ("chart_timeseries", {**MONTH, "granularity": "minute", "measures": EVERYTHING}),
    ("chart_timeseries", {**MONTH, "granularity": "hour", "measures": "count", "group_by": "session_id", "limit": 50}),
    ("chart_latency", {**MONTH, "granularity": "minute", "threshold_ms": 1_500}),
    ("chart_latency", {**YEAR, "kind": "heatmap"}),
    ("chart_reliability", {**YEAR, "granularity": "minute"}),
    ("chart_concurrency", {**YEAR, "granularity": "minute"}),
]  # fmt: skip


@pytest.mark.parametrize(("tool", "words"), LARGE, ids=[f"{name} {index}" for index, (name, _) in enumerate(LARGE)])
@pytest.mark.parametrize("budget", [1_500, 4_000])
def test_whatever_is_asked_fits_the_budget_and_says_that_it_is_coarser(
    client: Client, tool: str, words: dict[str, Any], budget: int
):
    shaped = call(tool, _asker(client), Manner(answer_tokens=budget), **words)
    assert len(shaped.text) / 4 <= budget
    spec = shaped.structured["spec"]
    assert "would not fit: ask for a shorter window" in json.dumps(spec["title"]["subtitle"])
    assert len(vega.rows(spec)) > 2


def test_thirty_days_of_hours_fit_a_heatmap(client: Client):
    spec = call("chart_latency", _asker(client), Manner(), **MONTH, kind="heatmap").structured["spec"]
    assert len(vega.rows(spec)) == 720
    checked_title = spec["title"]["text"]
    assert checked_title == "P95 of user-to-bot latency by day and hour"


def test_a_heatmap_without_a_window_is_of_the_last_week():
    asker = Fake(lambda name, words: answer("2026-06-01", "2026-06-08", ["p95"]))
    call("chart_latency", asker, kind="heatmap")
    assert asker.asked[0][2]["range"] == "last_7d"
    assert asker.asked[0][2]["measures"] == ["p95"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ({"measures": "sessions,p95"}, "sessions is no latency"),
        ({"kind": "heatmap", "measures": "p50,p95"}, "one measure"),
        ({"kind": "heatmap", "threshold_ms": 5}, "no threshold"),
    ],
)
def test_words_that_make_no_chart_are_refused(words: dict[str, Any], said: str):
    with pytest.raises(InvalidArgument, match=said):
        call("chart_latency", Fake(), **words)


def test_the_latency_chart_names_what_is_over_its_threshold(client: Client):
    shaped = call("chart_latency", _asker(client), Manner(), **MONTH, threshold_ms=1_000)
    assert "Over 1,000 ms, of" in shaped.structured["summary"]
    checked(Drawing(shaped.structured["spec"], ""))


def test_filters_stand_in_the_subtitle(client: Client):
    for tool in ("chart_timeseries", "chart_latency", "chart_reliability", "chart_concurrency"):
        drawn = call(tool, _asker(client), Manner(), **MONTH, filters=["channel=voice"]).structured["spec"]
        assert "only channel=voice" in json.dumps(drawn["title"]["subtitle"])


def test_a_metric_is_named_in_the_title(client: Client):
    for tool, words in (("chart_latency", {}), ("chart_timeseries", {"measures": "count"})):
        spec = call(tool, _asker(client), Manner(), **MONTH, metric_name="mos", **words).structured["spec"]
        assert "mos" in spec["title"]["text"]


def test_charts_cost_the_menu_little():
    charts = [each for each in tools.TOOLS if each.name.startswith("chart_")]
    costs = [
        len(each.name + each.description + json.dumps(each.input_schema(), separators=(",", ":"))) / 4
        for each in charts
    ]
    assert sum(costs) <= 1_880
    text = json.dumps([each.input_schema() for each in charts])
    assert "$ref" not in text
    assert "anyOf" not in text


def test_zones_and_grains_all_make_charts_that_can_be_drawn():
    for zone, grain in product(("Pacific/Chatham", "Africa/Casablanca"), ("hour", "day")):
        checked(line.draw(answer("2026-02-10", "2026-03-30", ["p95"], zone=zone, grain=grain), asked=grain))
