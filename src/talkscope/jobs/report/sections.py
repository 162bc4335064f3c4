"""The report's sections, each made of the answers that it needs; one without an answer says why."""

from __future__ import annotations

from collections.abc import Sequence

from talkscope.charts.drawing import words
from talkscope.jobs.report import pictures
from talkscope.jobs.report.asking import Found
from talkscope.jobs.report.content import Figure, Figures, Picture, Says, Section, Table, Trend
from talkscope.jobs.report.making import Making
from talkscope.jobs.report.tables import MISSING, number, percent, points, table, unit_of
from talkscope.jobs.report.worse import compared, regressions
from talkscope.models.answers import Answer, Cell, ConcurrencyAnswer
from talkscope.models.semantics import MEASURES

_HEADLINES = ("sessions", "interactions", "end_users", "errors", "error_rate", "p50", "p95", "p99")
_BAD_WHEN_HIGH = ("errors", "latency")
_NO_COMPONENT = (None, "unattributed", "other")
_NOTABLE = 0.05
_MOST_FINDINGS = 3


def sections(found: Found) -> list[Section]:
    """All sections, in the order of the page."""
    return [
        _headline(found),
        _latency(found),
        _usage(found),
        _reliability(found),
        _slowest(found),
        regressions(found),
        _outcomes(found),
        _definitions(found),
    ]


def _headline(found: Found) -> Section:
    section = Making(found)
    rows = {str(row["measure"]): row for row in found.summary.records()}
    if not rows:
        section.parts.append(Says(f"{words.NO_DATA}.", "finding"))
    else:
        section.parts.append(Figures([_figure(name, rows[name]) for name in _HEADLINES if name in rows]))
        section.parts.extend(Says(text, "finding") for text in _findings(found))
    section.note(found.summary)
    return section.done("In short")


def _figure(name: str, row: dict[str, Cell]) -> Figure:
    measure = MEASURES[name]
    unit = measure.unit if measure.unit in ("ms", "fraction") else ""
    value, previous, change = row["value"], row.get("previous"), row.get("change")
    trend: Trend = "plain"
    told = ""
    if isinstance(change, int | float):
        told = percent(change)
        if measure.family in _BAD_WHEN_HIGH and abs(change) >= _NOTABLE:
            trend = "worse" if change > 0 else "better"
    if unit == "fraction" and isinstance(value, int | float) and isinstance(previous, int | float):
        told = points(value, previous)
    before = "not known before" if previous is None else f"{words.figure(previous, unit)} before"
    return Figure(words.name(name), words.figure(value, unit), told, before, trend)


def _findings(found: Found) -> list[str]:
    """What a reader should know first, each from an answer below."""
    told = [each.told() for each in compared(found) if each.verdict in ("yes", "over the threshold")][:_MOST_FINDINGS]
    shares = found.answers.get("shares")
    known = [row for row in shares.records() if row[shares.columns[0]] not in _NO_COMPONENT] if shares else []
    if shares is not None and known:
        first = known[0]
        part = number(first["share"], "fraction")
        told.append(f"Most of the time of turns goes to {first[shares.columns[0]]}: {part} of it.")
    rates = found.answers.get("components")
    failing = [row for row in rates.records() if _real(row.get("error_rate"))] if rates is not None else []
    if failing:
        worst = max(failing, key=lambda row: _real(row["error_rate"]))
        rate = number(worst["error_rate"], "fraction")
        told.append(f"The component that fails most often is {worst['processor']}: {rate} of its spans.")
    active = found.answers.get("concurrency")
    if isinstance(active, ConcurrencyAnswer) and active.peak:
        when = f", at {active.peak_at[:16].replace('T', ' ')}" if active.peak_at else ""
        told.append(f"Most sessions active at once: {active.peak:,}{when}.")
    return told


def _real(value: Cell) -> float:
    return float(value) if isinstance(value, int | float) else 0.0


def _latency(found: Found) -> Section:
    section = Making(found)
    section.take("latency", "Latency over time", lambda answer: [Picture(pictures.band(answer))])
    section.take("shares", "Where the time of turns goes", lambda answer: [Picture(pictures.bars(answer))])
    section.take("heat", "Latency by day and hour", lambda answer: [Picture(pictures.heat(answer))])
    return section.done("Latency")


def _usage(found: Found) -> Section:
    section = Making(found)
    section.take("usage", "Usage over time", lambda answer: [Picture(pictures.lines(answer))])
    section.take("concurrency", "Sessions active at once", lambda answer: [Picture(pictures.active(answer))])
    section.take("characters", "Usage by character", lambda answer: [_by_character(answer)])
    return section.done("Usage")


def _by_character(answer: Answer) -> Table:
    columns = ("character_id", "sessions", "interactions", "error_rate", "p95")
    return table(answer, columns, caption="By character, most sessions first.")


def _reliability(found: Found) -> Section:
    section = Making(found)
    dropped = found.answers.get("dropped_events")
    section.take("reliability", "Errors over time", lambda answer: [Picture(pictures.failures(answer, dropped))])
    if "dropped_events" in found.refusals:
        section.refuse("Dropped error events", found.refusals["dropped_events"])
    section.take("components", "Errors by component", lambda answer: [_by_component(answer)])
    return section.done("Reliability")


def _by_component(answer: Answer) -> Table:
    columns = ("processor", "errors", "error_rate", "p50", "p95", "n")
    titles = {"n": "spans"}
    return table(answer, columns, caption="By component, most errors first; latencies are of its spans.", titles=titles)


def _slowest(found: Found) -> Section:
    section = Making(found)
    section.take("slowest", "Slowest sessions", lambda answer: [_sessions(answer, found)])
    if found.turn is not None and found.turn.rows:
        section.parts.append(Says("The slowest turn of the first session, span by span:"))
        section.parts.append(Picture(pictures.spans(found.turn)))
    for name, what in (("why", "What made a session slow"), ("turn", "The slowest turn")):
        if name in found.refusals:
            section.refuse(what, found.refusals[name])
    return section.done("Slowest sessions")


def _sessions(answer: Answer, found: Found) -> Table:
    """The slowest sessions and what made each slow."""
    columns = ("session_id", "start_time", "character_id", "interactions", "errors", "p95_ms")
    titles = {"session_id": "session", "start_time": "started", "interactions": "turns"}
    made = table(
        answer,
        columns,
        titles=titles,
        caption=f"By p95 of the session's turns, {len(answer.rows)} of {answer.meta.n:,}.",
    )
    why = [found.explained[place].verdict if place in found.explained else MISSING for place in range(len(made.rows))]
    start = list(made.head).index("started")
    rows = [[*_short(row, start), reason] for row, reason in zip(made.rows, why, strict=True)]
    return Table([*made.head, "what made its slowest turn slow"], rows, made.numeric, made.caption)


def _short(row: Sequence[str], place: int) -> list[str]:
    """The row with its time to the minute."""
    return [cell[:16].replace("T", " ") if each == place else cell for each, cell in enumerate(row)]


def _outcomes(found: Found) -> Section:
    section = Making(found)
    section.take("outcomes", "Outcomes", lambda answer: [Picture(pictures.bars(answer))])
    if found.answers.get("outcomes") is not None and found.answers["outcomes"].rows:
        section.take("handoffs", "Outcomes by character", lambda answer: [_handoffs(answer)])
    return section.done("Outcomes")


def _handoffs(answer: Answer) -> Table:
    columns = ("character_id", "outcomes", "handoff_rate", "deflection_rate")
    return table(answer, columns, caption="By character; the rates are of outcomes that are closed.")


def _definitions(found: Found) -> Section:
    section = Making(found)
    counts: dict[str, str] = {str(row["measure"]): number(row.get("n"), "") for row in found.summary.records()}
    rows = [
        [
            words.name(name),
            unit_of(found.summary, name),
            _meaning(name),
            counts.get(name, MISSING),
        ]
        for name in counts or _HEADLINES
        if name in MEASURES
    ]
    section.parts.append(Table(["figure", "unit", "what it is", "n"], rows, frozenset({3})))
    if found.meta.latency_basis:
        section.parts.append(Says(f"Latency is {found.meta.latency_basis}."))
    return section.done("Definitions")


def _meaning(name: str) -> str:
    """What a measure is in a report, which asks for no metric by name."""
    return MEASURES[name].description.partition(", or ")[0]
