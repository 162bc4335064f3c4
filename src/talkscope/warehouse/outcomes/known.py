"""What a warehouse knows beside any window: who asks for ratings, and which conversions are counted where."""

from __future__ import annotations

from dataclasses import dataclass

import orjson

from talkscope.models.text import clean
from talkscope.warehouse.ask import Ask
from talkscope.warehouse.store import Out

_CSAT, _CONVERSIONS = ".csat.is_configured", ".conversions.is_configured"


@dataclass(frozen=True, slots=True)
class Known:
    """What figures of ratings and conversions may be out of.

    Args:
        asking: The platforms that ask for ratings.
        metrics: By conversion metric and platform, the units of its values.
        unconfigured: What platforms say is not configured, in words.
    """

    asking: frozenset[str]
    metrics: dict[str, dict[str, frozenset[str | None]]]
    unconfigured: tuple[str, ...]


def known(ask: Ask) -> Known:
    """Judged by the facts that there are, or by the platform's own latest word.

    Where nobody is asked, nobody's silence counts: 0 of 100 would be a figure, and there is none.
    """
    asking, metrics = _asking(ask), _metrics(ask)
    missing = []
    for platform, metric, on in _said(ask):
        if metric is None and on:
            asking.add(platform)
        elif metric is None and platform not in asking:
            missing.append(f"{platform}: ratings are not configured")
        elif metric is not None and on:
            metrics.setdefault(metric, {}).setdefault(platform, frozenset())
        elif metric is not None and platform not in metrics.get(metric, {}):
            missing.append(f"{platform}: no conversion metric {clean(metric, 60)} is configured")
    return Known(frozenset(asking), metrics, tuple(missing))


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


def _said(ask: Ask) -> list[tuple[str, str | None, bool]]:
    """By platform and conversion metric (None for ratings), whether it was configured when it was last asked."""
    sql = (
        "SELECT platform, metric, dimensions, arg_max(value, end_t) > 0"
        f" FROM {ask.snapshot.table('snapshots')}"
        f" WHERE ends_with(metric, '{_CSAT}') OR ends_with(metric, '{_CONVERSIONS}')"
        " GROUP BY platform, metric, dimensions ORDER BY ALL"
    )
    return [
        (str(platform), _metric(dimensions) if str(metric).endswith(_CONVERSIONS) else None, bool(on))
        for platform, metric, dimensions, on in ask.snapshot.fetch(sql)
    ]


def _metric(dimensions: Out) -> str:
    said = orjson.loads(str(dimensions)) if dimensions else None
    return str(said.get("metric", "")) if isinstance(said, dict) else ""
