"""How is it going? Headline figures of a window, and of the window before."""

from __future__ import annotations

from talkscope.models.answers import Answer, Cell
from talkscope.models.questions import SummaryAsked
from talkscope.models.window import before
from talkscope.warehouse.ask import Ask, platforms_of
from talkscope.warehouse.figures import Figure, Wanted, basis, measured, total
from talkscope.warehouse.layout import units
from talkscope.warehouse.rows import Which

_HEADLINES = ("sessions", "interactions", "end_users", "errors", "error_rate", "avg", "p50", "p95", "p99")


def answer(asked: SummaryAsked, ask: Ask) -> Answer:
    """One row a headline measure: its value, the value of the window before, the relative change, and its n."""
    window = ask.window(asked)
    previous = before(window)
    filters = ask.filters(asked.filters)
    wanted = Wanted(measured(_HEADLINES), Which(window, filters))
    now = total(ask, wanted)
    then = total(ask, Wanted(wanted.measures, Which(previous, filters)))
    rows: list[list[Cell]] = [
        [each.name, now.values[each.name], then.values[each.name], _change(now, then, each.name), now.n[each.name]]
        for each in wanted.measures
    ]
    notes = []
    extent = ask.snapshot.extent
    if extent is not None and now.n["sessions"] and extent[0] > previous.start:
        notes.append("The warehouse's data begins inside the window before, so its figures cover only a part of it.")
    return Answer(
        columns=["measure", "value", "previous", "change", "n"],
        rows=rows if now.n["sessions"] or then.n["sessions"] else [],
        meta=ask.meta(
            n=now.n["sessions"],
            window=window,
            previous=previous,
            basis=basis(wanted),
            units=units(wanted.measures),
            unknown_latency=now.unknown or None,
            notes=notes,
            platforms=platforms_of(filters),
        ),
    )


def _change(now: Figure, then: Figure, name: str) -> float | None:
    """The change as a fraction of the value before; None where either is unknown or the value before is 0."""
    value, previous = now.values[name], then.values[name]
    return round((value - previous) / previous, 6) if value is not None and previous else None
