"""What tests of charts over time share: answers of a window's buckets, cut by the oracle's clock and not by ours."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from talkscope.models.answers import Answer, Cell, ConcurrencyAnswer, Meta, WindowMeta
from tests.oracle import buckets

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
BASIS = "user-to-bot latency of interactions"
UNITS = {
    "ms": ("p50", "p75", "p90", "p95", "p99", "avg", "max"),
    "fraction": ("error_rate", "handoff_rate"),
    "USD": ("cost_usd",),
}


def instant(text: str, zone: str) -> int:
    """Microseconds of a zone's wall-clock time."""
    return (datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)) - EPOCH) // timedelta(microseconds=1)


def exactly(text: str) -> int:
    """Microseconds of a time with its offset."""
    return (datetime.fromisoformat(text) - EPOCH) // timedelta(microseconds=1)


def written(at: int, zone: str) -> str:
    """An instant as answers write it."""
    text = (EPOCH + timedelta(microseconds=at)).astimezone(ZoneInfo(zone)).isoformat()
    return text.replace("+00:00", "Z")


def starts(start: str, end: str, grain: str, zone: str) -> list[int]:
    """Where the buckets of a window begin."""
    return [each.start for each in buckets(instant(start, zone), instant(end, zone), grain, zone)]


def answer(
    start: str,
    end: str,
    measures: Sequence[str],
    *,
    zone: str = "UTC",
    grain: str = "hour",
    value: Callable[[int, str, str | None], Cell] = lambda index, measure, group: 1000.5 + 10 * index,
    by: str | None = None,
    groups: Sequence[str | None] = (None,),
    n: int | None = None,
    **meta: Any,
) -> Answer:
    """A timeseries answer; `value` gives the cell of a bucket's index, a measure and a group."""
    cut = {"day": 10, "week": 10, "month": 7}.get(grain, 99)
    rows: list[list[Cell]] = [
        [
            written(at, zone)[:cut],
            *([group] if by else []),
            *(value(index, each, group) for each in measures),
            index % 7,
        ]
        for index, at in enumerate(starts(start, end, grain, zone))
        for group in groups
    ]
    told: dict[str, Any] = {
        "source": "warehouse",
        "n": 6 * len(rows) if n is None else n,
        "window": WindowMeta(
            start=written(instant(start, zone), zone), end=written(instant(end, zone), zone), timezone=zone
        ),
        "units": {each: unit for unit, names in UNITS.items() for each in names if each in measures},
        "granularity": grain,
        "basis": BASIS,
    }
    return Answer(columns=["bucket", *([by] if by else []), *measures, "n"], rows=rows, meta=Meta(**{**told, **meta}))


def concurrency(
    start: str,
    end: str,
    peaks: Sequence[int],
    *,
    peak_at: str | None,
    zone: str = "UTC",
    grain: str = "hour",
    **meta: Any,
) -> ConcurrencyAnswer:
    """A concurrency answer with these peaks, whose means are a third of them."""
    cut = 10 if grain == "day" else 99
    labels = [written(at, zone)[:cut] for at in starts(start, end, grain, zone)]
    window = WindowMeta(start=written(instant(start, zone), zone), end=written(instant(end, zone), zone), timezone=zone)
    told: dict[str, Any] = {"source": "warehouse", "n": sum(peaks), "window": window, "granularity": grain}
    return ConcurrencyAnswer(
        columns=["bucket", "peak", "mean"],
        rows=[[label, peak, round(peak / 3, 6)] for label, peak in zip(labels, peaks, strict=True)],
        meta=Meta(**{**told, **meta}),
        peak=max(peaks, default=0),
        peak_at=peak_at,
        mean=1.25,
        time_at_level={"0": 1.0},
    )
