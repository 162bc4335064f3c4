"""The facts of a session as a timeline has them: each in the lane of what it is."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from talkscope.charts.drawing import theme
from talkscope.models.answers import Cell
from talkscope.models.text import clean

TURNS, ERRORS, EVENTS, OUTCOME, OTHERS = "turns", "errors", "events", "outcome", "other components"
FAILED = ("error", "timeout")
_MOST_COMPONENTS = 12


@dataclass(frozen=True, slots=True)
class Fact:
    """One fact, in milliseconds from the session's start; `length` is None for what happens at an instant."""

    offset: float
    length: float | None
    lane: str
    state: str
    name: str
    made_by: str
    value: Cell
    turn: str

    @property
    def end(self) -> float:
        """When it is over."""
        return self.offset + (self.length or 0)


def _fact(record: Mapping[str, Cell]) -> Fact:
    kind, status = record["kind"], record["status"]
    name = clean(str(record["name"] or kind), 60)
    failed = kind == "event" and (name.startswith("error.") or status in FAILED)
    length = record["duration_ms"]
    lane = {"interaction": TURNS, "event": ERRORS if failed else EVENTS, "outcome": OUTCOME}.get(str(kind), name)
    return Fact(
        offset=float(record["offset_ms"] or 0),
        length=float(length) if isinstance(length, int | float) else None,
        lane=lane,
        state=str(status) if status in theme.STATUS else "error" if failed else theme.NO_STATUS,
        name=name,
        made_by="/".join(clean(str(record[each]), 60) for each in ("provider", "model") if record[each]),
        value=record["value"] if isinstance(record["value"], int | float) else None,
        turn=clean(str(record["interaction_id"] or ""), 80),
    )


def facts(records: Iterable[Mapping[str, Cell]]) -> list[Fact]:
    """The facts of a session answer, with rarer components in one lane when there are many."""
    found = [_fact(each) for each in records]
    own = {TURNS, ERRORS, EVENTS, OUTCOME}
    busy: dict[str, float] = {}
    for each in found:
        if each.lane not in own:
            busy[each.lane] = busy.get(each.lane, 0) + (each.length or 0)
    kept = own.union(sorted(busy, key=lambda lane: (-busy[lane], lane))[:_MOST_COMPONENTS])
    return [each if each.lane in kept else replace(each, lane=OTHERS) for each in found]


def lanes(facts: Sequence[Fact]) -> list[str]:
    """Turns first, components in the order in which they first run, then the rest, errors, events and the outcome."""
    seen = dict.fromkeys(each.lane for each in facts)
    fixed = (TURNS, OTHERS, ERRORS, EVENTS, OUTCOME)
    components = [lane for lane in seen if lane not in fixed]
    return [lane for lane in (TURNS, *components, *fixed[1:]) if lane in seen]
