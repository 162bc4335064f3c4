"""The sessions of a window, the slowest turn of one, a session's timeline, and what a regression compares."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from .attribution import spans_by_turn
from .facts import SESSION_DIMENSIONS, Fact, Key, Telemetry
from .measures import (
    LATENCY,
    Figure,
    Group,
    Where,
    check_where,
    fold,
    matches,
    metric_rows,
    orphan_errors,
    select,
    within,
)
from .quantiles import percentile

SORTS = ("recent", "longest", "slowest", "errors")


@dataclass(frozen=True, slots=True)
class SessionRow:
    """One session with its figures of the window; start, end and duration (microseconds) are the whole session's."""

    platform: str
    session_id: str
    character_id: str | None
    start: int
    end: int
    duration: int
    interactions: int
    errors: int
    p95: float | None
    derived: bool


@dataclass(frozen=True, slots=True)
class SlowestTurn:
    """The slowest turn that has spans, and the slower ones that have none, slowest first."""

    turn: Fact | None
    untraced: list[Fact]


@dataclass(frozen=True, slots=True)
class Comparison:
    """One group of a regression: each window's figure, and its values by session (only sessions that have one)."""

    baseline: Figure
    current: Figure
    change: float | None
    """(current - baseline) / baseline, None where either is unknown or the baseline is 0."""
    baseline_values: dict[Key, list[float]]
    current_values: dict[Key, list[float]]


def sessions(data: Telemetry, start: int, end: int, sort: str, where: Where = ()) -> list[SessionRow]:
    """The sessions with a fact in the window, by `sort`; ties by session id, then platform; nulls last."""
    if sort not in SORTS:
        raise ValueError(f"sort {sort!r}")
    check_where(where, [*SESSION_DIMENSIONS, "status"])
    inside = within(start, end)
    seen = {fact.session for fact in data.everything if inside(fact.start)}
    listed = [session for session in data.sessions if session.session in seen and matches(session, where)]
    rows = [_row(data, session, start, end) for session in listed]
    rows.sort(key=lambda row: (row.session_id, row.platform))
    if sort == "recent":
        rows.sort(key=lambda row: -row.start)
    elif sort == "longest":
        rows.sort(key=lambda row: -row.duration)
    elif sort == "slowest":
        rows.sort(key=lambda row: (row.p95 is None, -(row.p95 or 0.0)))
    else:
        rows.sort(key=lambda row: -row.errors)
    return rows


def _row(data: Telemetry, session: Fact, start: int, end: int) -> SessionRow:
    inside = within(start, end)
    turns = [turn for turn in data.interactions if turn.session == session.session and inside(turn.start)]
    alone = [event for event in orphan_errors(data) if event.session == session.session and inside(event.start)]
    last = session.end if session.end is not None else session.start
    return SessionRow(
        platform=session.platform,
        session_id=session.session_id,
        character_id=session.dims["character_id"],
        start=session.start,
        end=last,
        duration=max(0, last - session.start),
        interactions=len(turns),
        errors=sum(turn.failed for turn in turns) + len(alone),
        p95=percentile([turn.value for turn in turns if turn.value is not None], 95),
        derived=session.derived,
    )


def _one_session(data: Telemetry, session_id: str, platform: str | None) -> Key:
    found = [one.session for one in data.sessions if one.session_id == session_id and platform in (None, one.platform)]
    if len(found) != 1:
        raise KeyError(f"{session_id} names {len(found)} sessions")
    return found[0]


def slowest_turn(
    data: Telemetry, session_id: str, start: int | None = None, end: int | None = None, platform: str | None = None
) -> SlowestTurn:
    """What explains a slow session: of its turns that start in the window (all when none is given) and know a latency.

    Ties go to the turn that starts first, then to the smaller id. Without a turn that has spans, every timed one is
    named as untraced.
    """
    key = _one_session(data, session_id, platform)
    timed: list[tuple[float, Fact]] = [
        (-turn.value, turn)
        for turn in data.interactions
        if turn.session == key
        and turn.value is not None
        and (start is None or turn.start >= start)
        and (end is None or turn.start < end)
    ]
    # data.interactions is in order of time and key, and sorting keeps that order among equals.
    slowest_first = [turn for _, turn in sorted(timed, key=lambda pair: pair[0])]
    traced = spans_by_turn(data)
    chosen = next((turn for turn in slowest_first if turn.turn in traced), None)
    untraced = [
        turn
        for turn in slowest_first
        if turn.turn not in traced and (chosen is None or (turn.value or 0.0) > (chosen.value or 0.0))
    ]
    return SlowestTurn(chosen, untraced)


def timeline(data: Telemetry, session_id: str, platform: str | None = None) -> list[Fact]:
    """One session's metric rows in order of time, then metric name, then the id of what they come from."""
    key = _one_session(data, session_id, platform)
    rows = [row for row in metric_rows(data) if row.session == key]
    return sorted(rows, key=lambda row: (row.start, row.metric_name, row.key))


def metric_names(data: Telemetry, start: int, end: int) -> dict[str, int]:
    """The names of the metric stream that have rows in the window, with how many."""
    return dict(Counter(row.metric_name for row in metric_rows(data) if start <= row.start < end))


def _values(name: str, rows: Sequence[Fact]) -> dict[Key, list[float]]:
    """The rows' values by session: a latency each that is known, or 1 and 0 for failed and not."""
    found: dict[Key, list[float]] = {}
    for row in rows:
        value = row.value if name in LATENCY else float(row.failed)
        if value is not None:
            found.setdefault(row.session, []).append(value)
    return {session: sorted(values) for session, values in found.items()}


def regression(
    data: Telemetry,
    name: str,
    *,
    current: tuple[int, int],
    baseline: tuple[int, int],
    where: Where = (),
    by: Sequence[str] = (),
    metric_name: str | None = None,
    metric_name_prefix: str | None = None,
) -> dict[Group, Comparison]:
    """What a regression of a latency measure or `error_rate` compares; the baseline is without the current window."""
    if name not in LATENCY | {"error_rate"}:
        raise ValueError(f"no regression of {name}")
    now, before = within(*current), within(*baseline)

    def groups(of_current: bool) -> dict[Group, list[Fact]]:
        return select(
            data,
            name,
            now if of_current else lambda instant: before(instant) and not now(instant),
            where=where,
            by=by,
            metric_name=metric_name,
            metric_name_prefix=metric_name_prefix,
        )

    old, new = groups(False), groups(True)
    groups_seen: set[Group] = {*old, *new} if by else {()}
    return {group: _comparison(name, old.get(group, []), new.get(group, [])) for group in groups_seen}


def _comparison(name: str, old: Sequence[Fact], new: Sequence[Fact]) -> Comparison:
    baseline, current = fold(name, old), fold(name, new)
    change = None
    if baseline[0] and current[0] is not None:
        change = (current[0] - baseline[0]) / baseline[0]
    return Comparison(baseline, current, change, _values(name, old), _values(name, new))
