"""Charts in the shape that drawings have: data once, as columns, and rows made by transforms."""

from __future__ import annotations

from talkscope.charts import heatmap, line
from talkscope.charts.drawing import theme
from talkscope.errors import Json
from talkscope.models.answers import Answer, Cell, Meta, WindowMeta

_SCHEMA = "https://vega.github.io/schema/vega-lite/v6.1.0.json"
_START = 1_763_600_400_000
_HOUR = 3_600_000


def drawn(form: str) -> dict[str, Json]:
    """A drawing as a tool makes it, of a P95 that stands in each hour of two days."""
    hours = [f"2026-11-{day}T{hour:02}:00:00+01:00" for day in (18, 19) for hour in range(24)]
    rows: list[list[Cell]] = [[hour, 900.0 + 20 * at, 30 + at] for at, hour in enumerate(hours)]
    window = WindowMeta(start=hours[0], end="2026-11-20T00:00:00+01:00", timezone="Europe/Berlin")
    meta = Meta(source="local", window=window, n=2568, units={"p95": "ms"}, granularity="hour")
    answer = Answer(columns=["bucket", "p95", "n"], rows=rows, meta=meta)
    return (line.draw(answer) if form == "line" else heatmap.draw(answer)).spec


def lines(hours: int = 24, *, title: str = "P50, P95 and P99 of user-to-bot latency") -> dict[str, Json]:
    """Three percentiles over a day, with a threshold."""
    p50 = [620 + 14 * (each % 7) + 30 * (each % 3) for each in range(hours)]
    tooltip: list[Json] = [
        {"field": "when", "type": "nominal"},
        {"field": "measure", "type": "nominal"},
        {"field": "value", "type": "quantitative", "title": "value (ms)", "format": ",.0f"},
        {"field": "n", "type": "quantitative"},
    ]
    names: list[Json] = ["p50", "p95", "p99"]
    colour: dict[str, Json] = {
        "field": "measure", "type": "nominal", "title": None,
        "scale": {"domain": names}, "legend": {"labelExpr": "upper(datum.label)"},
    }  # fmt: skip
    return {
        "$schema": _SCHEMA,
        "title": {"text": title, "subtitle": ["2026-11-20 09:00 to 2026-11-21 09:00 (Europe/Berlin) · n = 4,812"]},
        "description": "P95 is highest at 14:00 with 1,920 ms.",
        "data": {
            "values": [
                {"t": list(range(hours)), "p50": list(p50), "p95": [2 * each + 90 for each in p50],
                 "p99": [3 * each - 40 for each in p50], "n": [180 + each for each in range(hours)]}
            ]
        },
        "transform": [
            {"flatten": ["t", "p50", "p95", "p99", "n"]},
            {"calculate": f"{_START}+{_HOUR}*datum.t", "as": "time"},
            {"calculate": "utcFormat(datum.time, '%a %d %b, %H:%M')", "as": "when"},
        ],
        "width": theme.WIDTH,
        "height": theme.HEIGHT,
        "layer": [
            {
                "transform": [{"fold": names, "as": ["measure", "value"]}],
                "mark": {"type": "line", "point": {"size": 22, "filled": True}, "strokeWidth": 2},
                "encoding": {
                    "x": {"field": "time", "type": "temporal", "scale": {"type": "utc"}, "axis": {
                        "title": None, "labelExpr": "utcFormat(toNumber(datum.value), '%H:%M')"}},
                    "y": {"field": "value", "type": "quantitative", "title": "Latency (ms)"},
                    "color": colour,
                    "tooltip": tooltip,
                },
            },
            {"mark": {"type": "rule", "color": theme.THRESHOLD, "strokeDash": [6]}, "encoding": {"y": {"datum": 1800}}},
        ],
        "config": theme.config(),
    }  # fmt: skip


def bars() -> dict[str, Json]:
    """Bars by provider; the last name was written by somebody who means no good."""
    columns: dict[str, Json] = {
        "provider": ["deepgram", "openai", "elevenlabs", "</script><script>alert(1)</script>"],
        "p95": [412, 880, 301, 96],
        "n": [40, 61, 33, 2],
    }
    return {
        "$schema": _SCHEMA,
        "title": {"text": "P95 of span duration by provider", "subtitle": ["last 7 days (UTC) · n = 9,120"]},
        "data": {"values": [columns]},
        "transform": [{"flatten": ["provider", "p95", "n"]}],
        "width": theme.WIDTH,
        "height": {"step": 34},
        "mark": {"type": "bar", "cornerRadiusEnd": 3},
        "encoding": {
            "y": {"field": "provider", "type": "nominal", "sort": "-x", "title": None},
            "x": {"field": "p95", "type": "quantitative", "title": "P95 (ms)"},
            "tooltip": [
                {"field": "provider", "type": "nominal"},
                {"field": "p95", "type": "quantitative", "title": "P95 (ms)"},
                {"field": "n", "type": "quantitative"},
            ],
        },
        "config": theme.config(),
    }


def panels() -> dict[str, Json]:
    """Two lines that share no scale, one above the other."""
    top, below = lines(), lines()
    for each in (top, below):
        each.update({"height": 150})
        for key in ("$schema", "title", "description", "data", "config"):
            each.pop(key)
    whole = lines(title="Latency, twice")
    return {
        **{key: whole[key] for key in ("$schema", "title", "data", "config")},
        "vconcat": [top, below],
        "spacing": 18,
    }


def silent() -> dict[str, Json]:
    """What is drawn where there is no data."""
    return {
        "$schema": _SCHEMA,
        "title": {"text": "Sessions", "subtitle": ["last 24 hours (UTC) · n = 0"]},
        "data": {"values": [{"text": ["no data in this window"]}]},
        "transform": [{"flatten": ["text"]}],
        "width": theme.WIDTH,
        "height": 120,
        "mark": {"type": "text", "fontSize": 15},
        "encoding": {"text": {"field": "text", "type": "nominal"}},
        "config": theme.config(),
    }
