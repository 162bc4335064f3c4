"""The demo's questions, and what their answers must be: one entry a question, held against the truth.

An answer is what any tool gives: columns and rows, found here by their labels. Nothing in this module asks.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from talkscope.jobs.demo.incidents import Incident, Kind
from talkscope.jobs.demo.measure import Errors
from talkscope.jobs.demo.reading import Check, Reading, Value, figure, number, rate
from talkscope.jobs.demo.truth import Comparison, Figures, Truth
from talkscope.models.records import micros
from talkscope.models.window import iso

DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Asking:
    """One question of the demo: its words, the tool and arguments that ask it, and the checks of the answer.

    `shows` holds the checks that a planted incident is seen; `peak` is the column whose largest number is worth seeing.
    """

    question: str
    tool: str
    arguments: Callable[[Truth], dict[str, object]]
    checks: Callable[[Truth, Reading], list[Check]]
    shows: Mapping[Kind, Callable[[Truth, Incident, Reading], Check]]
    peak: str | None = None


def _window(truth: Truth, span: timedelta) -> dict[str, object]:
    return {"start_time": _iso(truth.now - span), "end_time": _iso(truth.now)}


def _iso(at: datetime) -> str:
    return iso(micros(at))


def _last(days: int, **words: object) -> Callable[[Truth], dict[str, object]]:
    return lambda truth: {**words, **_window(truth, days * DAY)}


def _outage_day(**words: object) -> Callable[[Truth], dict[str, object]]:
    def arguments(truth: Truth) -> dict[str, object]:
        day = incident(truth, "tts_outage").start.replace(hour=0)
        return {**words, "start_time": _iso(day), "end_time": _iso(day + DAY)}

    return arguments


def _regressions(**words: object) -> Callable[[Truth], dict[str, object]]:
    def arguments(truth: Truth) -> dict[str, object]:
        week = {"baseline_start_time": _iso(truth.now - 7 * DAY)}
        return {"measure": "p95", **words, **_window(truth, DAY), **week}

    return arguments


def incident(truth: Truth, kind: Kind) -> Incident:
    """The planted incident of that kind."""
    return next(found for found in truth.incidents if found.kind == kind)


def _summary(truth: Truth, read: Reading) -> list[Check]:
    def told(figures: Figures) -> dict[str, Value]:
        return {
            "sessions": figures.sessions,
            "interactions": figures.interactions,
            "end_users": figures.end_users,
            "errors": figures.errors.errors,
            "error_rate": figures.errors.error_rate,
            "p50": figures.latency.p50,
            "p95": figures.latency.p95,
        }

    headline = truth.headlines["last_24h"]
    found = []
    for column, figures in (("value", headline.current), ("previous", headline.before)):
        for name, expected in told(figures).items():
            what = name if column == "value" else f"{name} the day before"
            got = read.row(measure=name).get(column)
            close = isinstance(expected, float) and name == "error_rate"
            found.append(rate(what, figures.errors.error_rate, got) if close else figure(what, expected, got))
    return found


def _compared(rows: Iterable[Comparison], read: Reading) -> list[Check]:
    found = []
    for each in rows:
        row = read.labelled(each.group)
        found += [
            figure(f"p95 of {each.group} now", each.current.p95, row.get("current")),
            figure(f"p95 of {each.group} before", each.baseline.p95, row.get("baseline")),
            figure(f"n of {each.group} now", each.current.n, row.get("n_current")),
        ]
    return found


def _overall(truth: Truth, read: Reading) -> list[Check]:
    return _compared(truth.regression[:1], read)


def _providers(truth: Truth, read: Reading) -> list[Check]:
    return _compared(truth.regression[1:], read)


def _tail(truth: Truth, read: Reading) -> list[Check]:
    if truth.tail_7d is None:
        return [Check("no turns", None, None, not read.rows)]
    found = [
        rate(f"share of {name}", share, read.labelled(name).get("share"))
        for name, share in truth.tail_7d.attribution.shares.items()
    ]
    added = sum(number(cell) for cell in read.column("share"))
    return [*found, figure("the shares together", 1.0, round(added, 9), within=0.00001)]


def _processors(truth: Truth, read: Reading) -> list[Check]:
    return [
        figure(f"p95 of {group.processor}", group.durations.p95, read.row(processor=group.processor).get("p95"))
        for group in truth.processors_7d
    ]


def _models(truth: Truth, read: Reading) -> list[Check]:
    found = []
    for group in truth.llms_7d:
        row = read.row(provider=group.provider, model=group.model)
        found += [
            figure(f"p95 of {group.model}", group.durations.p95, row.get("p95")),
            figure(f"calls of {group.model}", group.errors.n, row.get("count")),
            rate(f"error rate of {group.model}", group.errors.error_rate, row.get("error_rate")),
        ]
    return found


def _characters(truth: Truth, read: Reading) -> list[Check]:
    found = []
    for each in truth.characters_30d:
        row, name = read.row(character_id=each.character_id), each.character_name
        found += [
            figure(f"p95 of {name}", each.latency.p95, row.get("p95")),
            figure(f"interactions of {name}", each.interactions, row.get("interactions")),
            figure(f"sessions of {name}", each.sessions, row.get("sessions")),
            figure(f"end users of {name}", each.end_users, row.get("end_users")),
        ]
    return found


def _outage_hours(truth: Truth, read: Reading) -> list[Check]:
    found = []
    for hour in truth.outage_day_turns:
        row = read.row(bucket=_iso(hour.start))
        found.append(figure(f"errors at {hour.start:%H:%M}", hour.errors.errors, row.get("errors")))
        found.append(rate(f"error rate at {hour.start:%H:%M}", hour.errors.error_rate, row.get("error_rate")))
    return found


def _tts_providers(truth: Truth, read: Reading) -> list[Check]:
    totals: dict[str, Errors] = {}
    for hour in truth.outage_day_tts:
        name, of = hour.provider or "", hour.errors
        before = totals.get(name, Errors(0, 0, None))
        totals[name] = Errors(before.n + of.n, before.errors + of.errors, None)
    found = []
    for name, of in totals.items():
        row = read.row(provider=name)
        found += [
            figure(f"failed calls of {name}", of.errors, row.get("errors")),
            figure(f"calls of {name}", of.n, row.get("count")),
            rate(f"error rate of {name}", of.errors / of.n, row.get("error_rate")),
        ]
    return found


def _handoffs(truth: Truth, read: Reading) -> list[Check]:
    found = []
    for day in truth.handoffs_30d:
        if not day.outcomes:
            continue
        row = read.row(bucket=f"{day.start:%Y-%m-%d}")
        found.append(figure(f"handoffs on {day.start:%d %b}", day.handoffs, row.get("handoffs")))
        found.append(rate(f"handoff rate on {day.start:%d %b}", day.handoff_rate, row.get("handoff_rate")))
    return found


def _daily(truth: Truth, read: Reading) -> list[Check]:
    found = []
    for day in truth.daily_30d:
        row = read.row(bucket=f"{day.start:%Y-%m-%d}")
        for name, expected in (("p50", day.latency.p50), ("p95", day.latency.p95), ("p99", day.latency.p99)):
            found.append(figure(f"{name} on {day.start:%d %b}", expected, row.get(name)))
    return found


def _slowest(truth: Truth, read: Reading) -> list[Check]:
    found = []
    for place, each in enumerate(truth.slowest_sessions_7d):
        row = read.rows[place] if place < len(read.rows) else {}
        found.append(figure(f"session {place + 1}", each.session_id, row.get("session_id")))
        found.append(figure(f"its p95 ({place + 1})", each.latency.p95, row.get("p95_ms")))
    return found


def _explained(truth: Truth, read: Reading) -> list[Check]:
    turn = truth.slowest_turn_7d
    if turn is None:
        return [Check("no slow turn", None, None, not read.rows)]
    shares = turn.attribution.shares
    return [
        figure("session", turn.session_id, read.inner("session", "session_id")),
        figure("interaction", turn.interaction_id, read.inner("interaction", "interaction_id")),
        figure("latency", turn.latency_ms, read.inner("interaction", "latency_ms")),
        *(rate(f"share of {name}", share, read.labelled(name).get("share")) for name, share in shares.items()),
    ]


def _peak(truth: Truth, read: Reading) -> list[Check]:
    peak = truth.peak_24h
    return [
        figure("most at once", peak.sessions, read.inner("peak")),
        figure("first at", _iso(peak.at) if peak.sessions else None, read.inner("peak_at")),
    ]


def _events(truth: Truth, read: Reading) -> list[Check]:
    return [figure(name, count, read.row(metric_name=name).get("count")) for name, count in truth.events_7d.items()]


def _says(what: str, expected: Value, got: object, more: bool = True) -> Check:
    return Check(what, expected, got, expected == got and more)


_CHANCE = 0.05


def _slow_overall(truth: Truth, planted: Incident, read: Reading) -> Check:  # noqa: ARG001
    row = read.labelled("overall")
    # What one provider does to all turns depends on the hour, and may stay below the threshold.
    chance = row.get("p_value")
    got = "yes" if isinstance(chance, int | float) and chance <= _CHANCE else "no"
    return _says("p95 overall got worse by more than chance", "yes", got, number(row.get("change")) > 0)


def _slow_provider(truth: Truth, planted: Incident, read: Reading) -> Check:  # noqa: ARG001
    worse = [row for row in read.rows if row.get("significant") == "yes"]
    row = max(worse, key=lambda each: number(each.get("change")), default={})
    return _says("the provider that got worse", planted.subject, row.get("provider"))


def _outage_hour(truth: Truth, planted: Incident, read: Reading) -> Check:  # noqa: ARG001
    worst = read.top("errors").get("bucket")
    hours = {_iso(planted.start), _iso(planted.start + timedelta(hours=1))}
    return Check("the hour with most errors", " or ".join(sorted(hours)), worst, worst in hours)


def _outage_provider(truth: Truth, planted: Incident, read: Reading) -> Check:  # noqa: ARG001
    return _says("the provider that failed most", planted.subject, read.top("error_rate").get("provider"))


def _handoff_day(truth: Truth, planted: Incident, read: Reading) -> Check:  # noqa: ARG001
    return _says("the day with most handoffs", f"{planted.start:%Y-%m-%d}", read.top("handoffs").get("bucket"))


def _slow_model(truth: Truth, planted: Incident, read: Reading) -> Check:  # noqa: ARG001
    return _says("the slowest model", planted.subject, read.top("p95").get("model"))


def _slow_character(truth: Truth, planted: Incident, read: Reading) -> Check:  # noqa: ARG001
    return _says("the slowest character", "char_quill", read.top("p95").get("character_id"))


QUESTIONS: tuple[Asking, ...] = (
    Asking("How are we doing today, against yesterday?", "get_summary", _last(1), _summary, {}),
    Asking(
        "Did anything get worse since yesterday?",
        "detect_regressions", _regressions(), _overall, {"slow_provider": _slow_overall},
    ),
    Asking(
        "Which LLM provider got slower?", "detect_regressions",
        _regressions(group_by="provider", filters=["processor=llm"]), _providers, {"slow_provider": _slow_provider},
    ),
    Asking(
        "Which component drives p95 latency this week?",
        "get_latency_breakdown", _last(7, percentile="p95"), _tail, {},
    ),
    Asking(
        "How slow is each component?",
        "get_breakdown", _last(7, measures=["p95"], group_by=["processor"]), _processors, {},
    ),
    Asking(
        "How do our language models compare?", "get_breakdown",
        _last(7, measures=["p95", "count", "error_rate"], group_by=["provider", "model"], filters=["processor=llm"]),
        _models, {"slow_model": _slow_model},
    ),
    Asking(
        "Which character is slow, and how many people does it meet?", "get_breakdown",
        _last(30, measures=["p95", "interactions", "sessions", "end_users"], group_by=["character_id"]),
        _characters, {"slow_model": _slow_character},
    ),
    Asking(
        "When did things fail three days ago?", "get_timeseries",
        _outage_day(measures=["errors", "error_rate"], granularity="hour"), _outage_hours, {"tts_outage": _outage_hour},
        peak="errors",
    ),
    Asking(
        "Whose speech synthesis failed then?", "get_breakdown",
        _outage_day(measures=["errors", "count", "error_rate"], group_by=["provider"], filters=["processor=tts"]),
        _tts_providers, {"tts_outage": _outage_provider},
    ),
    Asking(
        "On which day were most conversations handed to a person?", "get_timeseries",
        _last(30, measures=["handoffs", "handoff_rate"], granularity="day"), _handoffs, {"handoff_spike": _handoff_day},
        peak="handoffs",
    ),
    Asking(
        "How did latency develop over the month?", "get_timeseries",
        _last(30, measures=["p50", "p95", "p99"], granularity="day"), _daily, {}, peak="p95",
    ),
    Asking("Which sessions were slowest this week?", "list_sessions", _last(7, sort="slowest", limit=5), _slowest, {}),
    Asking("Why was the slowest one slow?", "explain_slow_session", _last(7), _explained, {}),
    Asking("How many talked at once in the last day?", "get_concurrency", _last(1), _peak, {}, peak="peak"),
    Asking(
        "What happened how often this week?", "get_breakdown",
        _last(7, measures=["count"], group_by=["metric_name"], limit=50), _events, {},
    ),
)  # fmt: skip
