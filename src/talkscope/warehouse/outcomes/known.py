"""What a warehouse knows beside any window: who asks for ratings, and which conversions are counted where."""

from __future__ import annotations

from dataclasses import dataclass

import orjson

from talkscope.models.text import clean
from talkscope.models.window import Window
from talkscope.warehouse.ask import Ask
from talkscope.warehouse.store import Out

_CSAT, _CONVERSIONS = ".csat.is_configured", ".conversions.is_configured"
_VALUE, _SILENT = ".conversions.total_value", ".conversions.is_silent"


@dataclass(frozen=True, slots=True)
class Known:
    """What figures of ratings and conversions may be out of.

    Args:
        asking: The platforms that ask for ratings.
        metrics: By conversion metric and platform, the units of its values.
        unconfigured: What platforms say is not configured, in words.
        silent: The conversion metrics and platforms of which nothing is to be expected, and nothing in the window came.
    """

    asking: frozenset[str]
    metrics: dict[str, dict[str, frozenset[str | None]]]
    unconfigured: tuple[str, ...]
    silent: frozenset[tuple[str, str]] = frozenset()


def known(ask: Ask, window: Window) -> Known:
    """Judged by the facts that there are, or by the platform's own latest word.

    Where nobody is asked, nobody's silence counts: 0 of 100 would be a figure, and there is none.
    """
    asking, metrics = _asking(ask), _metrics(ask)
    missing = []
    for platform, on in _told(ask, _CSAT):
        if on.value:
            asking.add(platform)
        elif platform not in asking:
            missing.append(f"{platform}: ratings are not configured")
    units = {(platform, each.metric): each.unit for platform, each in _told(ask, _VALUE)}
    for platform, on in _told(ask, _CONVERSIONS):
        if on.value:
            unit = units.get((platform, on.metric))
            metrics.setdefault(on.metric, {}).setdefault(platform, frozenset({unit} if unit else ()))
        elif platform not in metrics.get(on.metric, {}):
            missing.append(f"{platform}: no conversion metric {clean(on.metric, 60)} is configured")
    return Known(frozenset(asking), metrics, tuple(missing), _silent(ask, window))


def _asking(ask: Ask) -> set[str]:
    sql = (
        f"SELECT DISTINCT platform FROM {ask.snapshot.table('ratings')}"
        f" UNION SELECT DISTINCT platform FROM {ask.snapshot.table('outcomes')} WHERE rating IS NOT NULL"
    )
    return {str(row[0]) for row in ask.snapshot.fetch(sql)}


def _metrics(ask: Ask) -> dict[str, dict[str, frozenset[str | None]]]:
    found: dict[str, dict[str, frozenset[str | None]]] = {}
    sql = f"SELECT DISTINCT platform, metric, unit FROM {ask.snapshot.table('conversions')}"
    for platform, metric, unit in ask.snapshot.fetch(sql):
        of = found.setdefault(str(metric), {})
        of[str(platform)] = of.get(str(platform), frozenset()) | {None if unit is None else str(unit)}
    return found


def _silent(ask: Ask, window: Window) -> frozenset[tuple[str, str]]:
    """By metric and platform; where several accounts of one have the metric, all of them."""
    said: dict[tuple[str, str], bool] = {}
    for platform, each in _told(ask, _SILENT):
        of = (each.metric, platform)
        said[of] = said.get(of, True) and bool(each.value)
    if not any(said.values()):
        return frozenset()
    sql = (
        f"SELECT DISTINCT metric, platform FROM {ask.snapshot.table('conversions', window)}"
        f" WHERE t >= {window.start} AND t < {window.end}"
    )
    heard = {(str(metric), str(platform)) for metric, platform in ask.snapshot.fetch(sql)}
    return frozenset(of for of, silent in said.items() if silent and of not in heard)


@dataclass(frozen=True, slots=True)
class _Last:
    """The latest value of a figure, of which conversion metric it is, and its unit."""

    metric: str
    value: float
    unit: str | None


def _told(ask: Ask, figure: str) -> list[tuple[str, _Last]]:
    """By platform, what was said of the figure when it was last asked: one of each conversion metric and account."""
    sql = (
        "SELECT platform, dimensions, arg_max(value, end_t), arg_max_null(unit, end_t)"
        f" FROM {ask.snapshot.table('snapshots')} WHERE ends_with(metric, '{figure}')"
        " GROUP BY platform, metric, dimensions ORDER BY ALL"
    )
    return [
        (str(platform), _Last(_metric(dimensions), float(str(value or 0)), None if unit is None else str(unit)))
        for platform, dimensions, value, unit in ask.snapshot.fetch(sql)
    ]


def _metric(dimensions: Out) -> str:
    said = orjson.loads(str(dimensions)) if dimensions else None
    return str(said.get("metric", "")) if isinstance(said, dict) else ""
