"""The demo's telemetry: real records, the same for the same arguments, and a truth that follows from them alone."""

from __future__ import annotations

import statistics
from collections.abc import Iterator
from dataclasses import fields
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import orjson
import pytest

from talkscope.errors import InvalidArgument
from talkscope.jobs.demo import Truth, generate
from talkscope.jobs.demo.compute import truth_of
from talkscope.jobs.demo.measure import Facts, attribution, latency, peak_concurrency, session_p95s, sessions_seen
from talkscope.jobs.demo.measure import turn_errors as errors_of
from talkscope.jobs.demo.telemetry import Event, Interaction, Outcome, Session, Span, Telemetry
from talkscope.models.records import check, micros

NOW = datetime(2025, 11, 20, 16, 17, 0, 250_000, tzinfo=UTC)  # two sessions of the week fixture are open then
CLASSES: dict[str, Any] = {cls.__name__.lower(): cls for cls in (Session, Interaction, Span, Event, Outcome)}


def lines(folder: Path, kind: str) -> Iterator[dict[str, Any]]:
    for line in (folder / f"{kind}.ndjson").read_bytes().splitlines():
        yield orjson.loads(line)


def reread(folder: Path) -> Telemetry:
    lists: list[list[Any]] = []
    for kind, cls in CLASSES.items():
        names = [field.name for field in fields(cls)]
        rows = [check(raw) for raw in lines(folder, kind)]
        assert {found for found, _ in rows} == {kind}
        lists.append([cls(**{name: row[name] for name in names}) for _, row in rows])
    return Telemetry(*lists)


@pytest.fixture(scope="module")
def month(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Truth]:
    folder = tmp_path_factory.mktemp("month")
    return folder, generate(folder, now=NOW)


@pytest.fixture(scope="module")
def week(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Truth, Telemetry]:
    folder = tmp_path_factory.mktemp("week") / "made" / "here"
    truth = generate(folder, now=NOW, days=8)
    return folder, truth, reread(folder)


def test_every_record_is_one_that_the_warehouse_takes_with_no_unknown_name(week: tuple[Path, Truth, Telemetry]) -> None:
    folder, truth, telemetry = week
    assert {kind: len(records) for kind, records in telemetry.by_type().items()} == truth.records
    for kind, cls in CLASSES.items():
        names = {field.name for field in fields(cls)}
        for raw in lines(folder, kind):
            assert next(iter(raw)) == "type"
            assert raw.keys() - {"type"} <= names


def test_the_truth_follows_from_the_files_alone(week: tuple[Path, Truth, Telemetry]) -> None:
    folder, truth, telemetry = week
    again = truth_of(telemetry, now=NOW, days=8, seed=7, incidents=truth.incidents)
    assert again == truth
    assert Truth.from_json((folder / "truth.json").read_bytes()) == truth


def test_the_same_arguments_give_the_same_bytes_and_another_seed_gives_others(tmp_path: Path) -> None:
    elsewhere = NOW.astimezone(timezone(timedelta(hours=-7)))
    for name, now, seed in (("a", NOW, 7), ("b", elsewhere, 7), ("c", NOW, 8)):
        generate(tmp_path / name, now=now, days=8, sessions_per_day=10, seed=seed)
    names = sorted(path.name for path in (tmp_path / "a").iterdir())
    assert names == [
        "event.ndjson",
        "interaction.ndjson",
        "outcome.ndjson",
        "session.ndjson",
        "span.ndjson",
        "truth.json",
    ]
    for name in names:
        first = (tmp_path / "a" / name).read_bytes()
        assert first == (tmp_path / "b" / name).read_bytes()
        assert first != (tmp_path / "c" / name).read_bytes()


def test_nothing_lies_at_or_after_now_or_before_the_first_day(week: tuple[Path, Truth, Telemetry]) -> None:
    telemetry = week[2]
    first, end = micros(NOW - timedelta(days=8)), micros(NOW)
    moments = [s.start_time for s in telemetry.sessions] + [i.start_time for i in telemetry.interactions]
    moments += [s.end_time for s in telemetry.sessions if s.end_time is not None]
    moments += [i.end_time for i in telemetry.interactions] + [s.start_time for s in telemetry.spans]
    moments += [s.end_time for s in telemetry.spans] + [e.time for e in telemetry.events]
    moments += [o.time for o in telemetry.outcomes]
    assert all(first <= m < end for m in moments)


def test_a_session_that_is_still_open_has_no_end_no_disconnect_and_no_outcome(
    week: tuple[Path, Truth, Telemetry],
) -> None:
    telemetry = week[2]
    endless = {s.session_id: s for s in telemetry.sessions if s.end_time is None}
    left = {e.session_id for e in telemetry.events if e.metric_name == "session.disconnect"}
    assert left == {s.session_id for s in telemetry.sessions} - endless.keys()
    still_open = {name for name, talk in endless.items() if talk.start_time > micros(NOW - timedelta(minutes=10))}
    assert len(still_open) == 2
    assert still_open <= {i.session_id for i in telemetry.interactions}
    assert not still_open & {o.session_id for o in telemetry.outcomes}


def test_a_session_says_that_it_is_generated_and_its_app_that_it_is_a_demo(week: tuple[Path, Truth, Telemetry]) -> None:
    for talk in lines(week[0], "session"):
        assert talk["attributes"] == {"generated": True}
        assert talk["app_key"].startswith("demo-")
        assert talk["session_id"].startswith("demo-")


def test_spans_lie_in_their_turns_and_explain_the_latency(week: tuple[Path, Truth, Telemetry]) -> None:
    facts = Facts(week[2])
    heard = 0
    for turn in week[2].interactions:
        spans = facts.spans_of.get(turn.interaction_id, [])
        assert all(turn.start_time < s.start_time <= s.end_time <= turn.end_time for s in spans)
        if turn.latency_ms is not None:
            assert turn.start_time + turn.latency_ms * 1_000 <= turn.end_time + 1
        sent = [s.end_time for s in spans if s.processor == "transport"]
        if sent and turn.latency_ms is not None:
            heard += 1
            assert turn.start_time + round(turn.latency_ms * 1_000) == sent[0]
    assert heard > 1_000
    by_id = {span.span_id: span for span in week[2].spans}
    children = [span for span in week[2].spans if span.parent_id is not None]
    assert children
    for child in children:
        parent = by_id[child.parent_id or ""]
        assert (parent.processor, child.processor) == ("llm", "execute_tool")
        assert parent.start_time < child.start_time <= child.end_time < parent.end_time


def test_the_default_size_and_its_gaps_are_sane(month: tuple[Path, Truth]) -> None:
    folder, truth = month
    assert 3_300 < truth.records["session"] < 3_900
    assert 20_000 < truth.records["interaction"] < 25_000
    assert 80_000 < truth.records["span"] < 105_000
    assert sum(path.stat().st_size for path in folder.iterdir()) < 50_000_000
    whole = truth.headlines["last_30d"].current
    assert whole.sessions == truth.records["session"]
    assert 0.01 < 1 - whole.latency.n / whole.interactions < 0.04
    assert 0.01 < (whole.errors.error_rate or 0) < 0.03
    assert 250 < whole.end_users < 421
    empty = truth.headlines["last_30d"].before
    assert (empty.sessions, empty.errors.error_rate, empty.latency.p95) == (0, None, None)
    assert {turn["status"] for turn in lines(folder, "interaction")} == {"ok", "error", "timeout", "cancelled"}
    costs = {group.provider: group.usage.cost_usd for group in truth.llms_30d}
    assert costs.pop("google") is None
    assert all(costs.values())
    assert len(truth.daily_30d) == len(truth.handoffs_30d) == 31
    assert sum(day.latency.n for day in truth.daily_30d) == whole.latency.n


def test_the_slow_provider_shows_against_the_week_before(month: tuple[Path, Truth]) -> None:
    ratios = {row.group: row.ratio or 0.0 for row in month[1].regression}
    assert ratios["openai"] > 1.4
    assert ratios["google"] < 1.2
    assert ratios["overall"] > 1.15


def test_the_outage_shows_in_its_two_hours_only(month: tuple[Path, Truth]) -> None:
    burst = next(incident for incident in month[1].incidents if incident.kind == "tts_outage")
    hours = [hour for hour in month[1].outage_day_tts if hour.provider == burst.subject]
    within = [hour.errors for hour in hours if burst.start <= hour.start < burst.end]
    others = [hour.errors.error_rate or 0.0 for hour in hours if not burst.start <= hour.start < burst.end]
    assert len(within) == 2
    assert min(hour.error_rate or 0.0 for hour in within) > 10 * max(0.03, statistics.median(others))
    turns = {hour.start: hour.errors for hour in month[1].outage_day_turns}
    assert (turns[burst.start].error_rate or 0.0) > 0.15
    elsewhere = [h for h in month[1].outage_day_tts if h.provider != burst.subject]
    assert sum(h.errors.errors for h in elsewhere) < 0.05 * sum(h.errors.n for h in elsewhere)


def test_the_handoff_spike_shows_on_its_day_with_its_reason(month: tuple[Path, Truth]) -> None:
    folder, truth = month
    spike = next(incident for incident in truth.incidents if incident.kind == "handoff_spike")
    rates = {day.start: day.handoff_rate or 0.0 for day in truth.handoffs_30d}
    assert max(rates, key=rates.__getitem__) == spike.start
    assert rates[spike.start] > 2 * statistics.median(rates.values())
    reasons = [
        o["handoff_reason"]
        for o in lines(folder, "outcome")
        if o["time"][:10] == str(spike.start.date()) and "handoff_reason" in o
    ]
    assert reasons.count(spike.subject) > 0.7 * len(reasons)


def test_the_slow_model_is_slow_and_so_is_its_only_character(month: tuple[Path, Truth]) -> None:
    models = {group.model: group.durations for group in month[1].llms_30d}
    slow = models.pop("claude-sonnet-4-5")
    assert (slow.p95 or 0.0) > 2 * max(other.p95 or 0.0 for other in models.values())
    characters = {row.character_id: row.latency.p95 or 0.0 for row in month[1].characters_30d}
    quill = characters.pop("char_quill")
    assert len(characters) == 4
    assert quill > 1.5 * max(characters.values())


def test_shares_add_up_and_the_llm_leads_the_tail(month: tuple[Path, Truth]) -> None:
    tail, turn = month[1].tail_7d, month[1].slowest_turn_7d
    assert tail is not None
    assert turn is not None
    for found in (tail.attribution, turn.attribution):
        assert sum(found.shares.values()) == pytest.approx(1.0)
        assert sum(found.ms.values()) == pytest.approx(found.total_ms)
        assert next(iter(found.shares)) == "llm"
    assert turn.session_id == month[1].slowest_sessions_7d[0].session_id
    assert turn.latency_ms == turn.attribution.total_ms


@pytest.mark.parametrize(
    "arguments",
    [{"now": NOW.replace(tzinfo=None)}, {"now": NOW, "days": 7}, {"now": NOW, "sessions_per_day": 0}],
)
def test_arguments_that_make_no_demo_are_refused_before_anything_is_written(
    tmp_path: Path, arguments: dict[str, Any]
) -> None:
    with pytest.raises(InvalidArgument):
        generate(tmp_path / "demo", **arguments)
    assert not (tmp_path / "demo").exists()


def talk(name: str, start: int, end: int | None) -> Session:
    return Session(name, start, end, "demo-app", "c", "C", "e", "voice", "en-US", "u", {"generated": True})


def turn(name: str, start: int, end: int, latency_ms: float | None, status: str = "ok") -> Interaction:
    return Interaction(name, name[0], start, end, 0, "voice_turn", latency_ms, status, None)


def span(name: str, processor: str, start: int, end: int, parent: str | None = None) -> Span:
    return Span(name, "s", "s-1", processor, start, end, "ok", parent_id=parent)


def test_an_instant_goes_to_the_deepest_span_then_to_the_latest_started_and_else_to_nobody() -> None:
    spans = [
        span("1", "llm", 100_000, 700_000),
        span("2", "execute_tool", 200_000, 400_000, "1"),
        span("3", "tts", 300_000, 2_000_000),
    ]
    turns = [turn("s-1", 0, 2_000_000, 1_000.0)]
    found = attribution(Facts(Telemetry([talk("s", 0, None)], turns, spans, [], [])), turns)
    assert found.ms == {"tts": 600.0, "execute_tool": 200.0, "llm": 100.0, "unattributed": 100.0}
    assert (found.turns, found.total_ms) == (1, 1_000.0)


def test_an_error_event_fails_its_turn_once_and_one_without_a_turn_counts_by_itself() -> None:
    turns = [
        turn("s-1", 0, 1, None),
        turn("s-2", 5, 6, 1.0, "timeout"),
        turn("s-3", 7, 8, 1.0, "cancelled"),
        turn("s-4", 10, 11, 1.0),
    ]
    events = [
        Event("s", 99, "error.provider", "s-1"),
        Event("s", 99, "error.terminal", "s-1"),
        Event("s", 9, "error.terminal"),
        Event("s", 9, "db.error_persist_dropped"),
        Event("s", 10, "error.terminal"),
    ]
    errors = errors_of(Facts(Telemetry([talk("s", 0, None)], turns, [], events, [])), (0, 10))
    assert (errors.errors, errors.n, errors.error_rate) == (3, 4, 0.75)


def test_concurrency_is_clipped_and_an_end_frees_its_place_before_a_start_takes_it() -> None:
    talks = [talk("s", 0, 20), talk("t", 20, 40), talk("u", 20, 20), talk("v", 30, None)]
    facts = Facts(Telemetry(talks, [turn("v-1", 31, 35, None)], [], [], []))
    assert peak_concurrency(facts, (10, 30)) == (1, 10)
    assert peak_concurrency(facts, (10, 60)) == (2, 30)


def test_percentiles_interpolate_as_the_inclusive_method_does_and_windows_are_half_open() -> None:
    values = [3.5, 9.25, 1.0, 77.0, 12.0, 12.5, 0.25]
    turns = [turn(f"s-{n}", n, n, value) for n, value in enumerate(values)]
    cuts = statistics.quantiles(values, n=100, method="inclusive")
    found = latency(turns)
    assert (found.p50, found.p95, found.p99) == pytest.approx((cuts[49], cuts[94], cuts[98]))
    facts = Facts(Telemetry([talk("s", 0, None), talk("t", 2, None)], turns, [], [], []))
    assert session_p95s(facts, (1, 2))["s"].n == 1
    assert sessions_seen(facts, (1, 2)) == {"s"}
