"""What can be asked? The measures, the dimensions and the metrics that this warehouse holds."""

from __future__ import annotations

from talkscope.models.answers import Answer, Cell
from talkscope.models.questions import CatalogAsked
from talkscope.models.semantics import DIMENSIONS, MEASURES, USER_TO_BOT
from talkscope.warehouse.ask import Ask
from talkscope.warehouse.schema import FAILED

_KNOWN = {
    USER_TO_BOT: "From the end of the user's words to the first of the bot's, per interaction",
    "error.interaction": "Interactions that failed",
    "db.error_persist_dropped": "Error events that could not be stored",
}
_ENDINGS = {
    ".ttfb": "Time to the first byte of the component",
    ".processing": "Time that the component's spans took",
    "error.": "Failed spans of the component, and error events of that name",
}


def answer(asked: CatalogAsked, ask: Ask) -> Answer:
    """One row a name: what kind of name it is, its unit, how many values there are of it, what it means."""
    rows: list[list[Cell]] = []
    if asked.kind in ("all", "measure"):
        rows += [["measure", each.name, each.unit, None, each.description] for each in MEASURES.values()]
    if asked.kind in ("all", "dimension"):
        rows += [["dimension", each.name, None, None, each.description] for each in DIMENSIONS.values()]
    n = 0
    if asked.kind in ("all", "metric"):
        metrics = _metrics(ask)
        n = sum(count for _, _, count in metrics)
        rows += [["metric", name, unit, count, _description(name)] for name, unit, count in metrics]
    else:
        n = len(rows)
    return Answer(
        columns=["kind", "name", "unit", "n", "description"],
        rows=rows,
        meta=ask.meta(n=n, notes=["n counts all values of a metric in the warehouse; filters are dimension=value."]),
    )


def _metrics(ask: Ask) -> list[tuple[str, str | None, int]]:
    """Every metric name with its unit and number of values: those recorded as events, and those that facts imply."""
    table = ask.snapshot.table
    found = ask.snapshot.fetch(
        "SELECT name, min(unit), sum(n)::BIGINT FROM ("
        f" SELECT metric_name AS name, min(unit) AS unit, count(*) AS n FROM {table('events')} GROUP BY 1"
        f" UNION ALL SELECT '{USER_TO_BOT}', 'ms', count(latency_ms) FROM {table('interactions')}"
        f" UNION ALL SELECT 'error.interaction', NULL, count(*) FILTER (failed) FROM {table('interactions')}"
        f" UNION ALL SELECT processor || '.ttfb', 'ms', count(ttfb_ms) FROM {table('spans')} GROUP BY processor"
        f" UNION ALL SELECT processor || '.processing', 'ms', count(duration_ms) FROM {table('spans')}"
        " GROUP BY processor"
        f" UNION ALL SELECT 'error.' || processor, NULL, count(*) FROM {table('spans')} WHERE {FAILED}"
        " GROUP BY processor"
        ") GROUP BY name HAVING sum(n) > 0 ORDER BY name"
    )
    return [(str(name), None if unit is None else str(unit), int(str(n))) for name, unit, n in found]


def _description(name: str) -> str:
    if name in _KNOWN:
        return _KNOWN[name]
    for affix, text in _ENDINGS.items():
        if name.endswith(affix) or (affix == "error." and name.startswith(affix)):
            return text
    return "Recorded as events"
