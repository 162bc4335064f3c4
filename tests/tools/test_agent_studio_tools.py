from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from statistics import fmean
from typing import Any

import pytest

from talkscope.client import AsyncClient
from talkscope.errors import InvalidArgument, InvalidRange, NotFound
from talkscope.flow import Clock
from talkscope.platforms import platform
from tests.tools.fakes import Manner
from tests.tools.reaching import Reaching, reaching
from tests.vendors.agent_studio import KEY, agent_studio
from tests.vendors.agent_studio_world import COMPLETED, FAILED, CallRecord, Tenant, make_tenant
from tests.vendors.engine import Reply, Vendor

NOW = datetime(2026, 5, 5, 16, 20, tzinfo=UTC)
TENANT = make_tenant(NOW, calls=300)
OPEN = Manner(answer_tokens=10_000, reveal_personal_data=True)
SPANS = {"last_1h": 1, "last_24h": 24, "last_7d": 168, "last_30d": 720}


class Ticking:
    """Seconds that pass only when they are told to, so that no answer is young enough to be kept by chance."""

    def __init__(self) -> None:
        self.now = 0.0

    def pass_by(self, seconds: float) -> None:
        self.now += seconds


@pytest.fixture(scope="module")
def vendor() -> Vendor:
    return agent_studio(TENANT, most=10_000)


@pytest.fixture(scope="module")
def opened(vendor: Vendor) -> Iterator[tuple[Reaching, Ticking]]:
    time = Ticking()
    with reaching(vendor, "agent_studio", key=KEY, now=NOW) as reached:
        account, found = reached.settings.platforms[0], platform("agent_studio")
        header, key = found.access.header(account.key)  # type: ignore[arg-type]
        clock = Clock(monotonic=lambda: time.now, wall=lambda: time.now)
        reached.clients[account.name] = AsyncClient(
            account.url, key=key, key_header=header, manners=found.manners, clock=clock
        )
        yield reached, time


@pytest.fixture
def asked(opened: tuple[Reaching, Ticking], vendor: Vendor) -> Iterator[Reaching]:
    reached, time = opened
    time.pass_by(300)
    vendor.forget()
    yield reached
    vendor.answer_as_before()


def _begun(hours: float) -> list[CallRecord]:
    return TENANT.ended(lambda call: call.started >= NOW - timedelta(hours=hours))


def _within(start: datetime, end: datetime) -> list[CallRecord]:
    return TENANT.ended(lambda call: start <= call.started < end)


def _at(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _measures(asked: Reaching, **words: Any) -> dict[str, tuple[Any, Any]]:
    return {row["measure"]: (row["value"], row["n"]) for row in asked.rows("calls_summary", **words)}


@pytest.mark.parametrize("token", SPANS)
def test_headlines_are_what_a_count_of_the_calls_gives(asked: Reaching, token: str) -> None:
    calls = _begun(SPANS[token])
    completed = sum(call.status == COMPLETED for call in calls)
    told = _measures(asked, range=token)
    assert told["total_calls"] == (len(calls), len(calls))
    assert told["completed_calls"][0] == completed
    assert told["failed_calls"][0] == len(calls) - completed
    assert told["total_tokens"][0] == sum(call.tokens for call in calls)
    assert told["active_calls"] == (len(TENANT.active), None)
    if calls:
        assert told["success_rate"] == (pytest.approx(completed / len(calls), abs=0.000501), len(calls))
        assert told["avg_duration"][0] == pytest.approx(fmean(call.seconds or 0 for call in calls), abs=0.06)
        for kind in ("stt", "llm", "tts"):
            known = [call.latencies[kind] for call in calls if kind in call.latencies]
            assert told[f"avg_{kind}_latency"][0] == pytest.approx(fmean(known), abs=0.06)


def test_a_window_that_the_vendor_names_is_asked_by_its_name_and_others_by_moments(asked: Reaching) -> None:
    for word, period in {"last_1h": "1h", "last_24h": "24h", "last_7d": "7d", "last_30d": "30d"}.items():
        asked.tool("calls_summary", range=word)
        assert dict(asked.calls[0].params) == {"period": period}
    asked.tool("calls_summary")
    assert dict(asked.calls[0].params) == {"period": "7d"}
    asked.tool("calls_summary", start_time="2026-05-01", end_time="2026-05-03T12:00:00+02:00")
    moments = {"started_after": "2026-05-01T00:00:00Z", "started_before": "2026-05-03T10:00:00Z"}
    assert dict(asked.calls[0].params) == moments
    asked.tool("calls_summary", range="today", timezone="Europe/Berlin")
    assert dict(asked.calls[0].params) == {"started_after": "2026-05-04T22:00:00Z"}


def test_other_windows_count_the_calls_that_began_in_them(asked: Reaching) -> None:
    start, end = datetime(2026, 5, 1, tzinfo=UTC), datetime(2026, 5, 3, 10, tzinfo=UTC)
    told = _measures(asked, start_time="2026-05-01", end_time="2026-05-03T12:00:00+02:00")
    assert told["total_calls"][0] == len(_within(start, end))
    with pytest.raises(InvalidRange):
        asked.tool("calls_summary", start_time="2026-05-03", end_time="2026-05-01")


def test_every_answer_says_its_window_its_n_and_its_units(asked: Reaching) -> None:
    call = TENANT.calls[-1].id
    every: list[tuple[str, dict[str, Any]]] = [
        ("calls_summary", {}),
        ("calls_volume", {}),
        ("calls_breakdown", {}),
        ("calls_breakdown", {"by": "provider"}),
        ("calls_errors", {}),
        ("calls_detail", {"call_id": call}),
    ]
    for name, words in every:
        meta = asked.tool(name, **words).structured["meta"]
        assert meta["n"] > 0, name
        assert meta["units"], name
        assert meta["requests"] in (1, 2), name
        assert name == "calls_detail" or meta["window"]["range"] == "last_7d", name


@pytest.mark.parametrize("forms", [(), ("zero",)], ids=["null", "zero"])
def test_a_window_without_calls_has_counts_of_0_and_no_means(forms: tuple[str, ...]) -> None:
    with reaching(agent_studio(Tenant(NOW), forms=forms), "agent_studio", key=KEY, now=NOW) as asked:
        told = _measures(asked)
        assert told["total_calls"] == (0, 0)
        assert told["success_rate"] == (None, 0)
        assert {told[name][0] for name in told if name.startswith("avg_")} == {None}
        notes = asked.tool("calls_summary").structured["meta"]["notes"]
        assert any("rates and means are of nothing" in note for note in notes)
        for name in ("calls_volume", "calls_breakdown", "calls_errors"):
            shaped = asked.tool(name).structured
            assert (shaped["rows"], shaped["meta"]["n"]) == ([], 0)
            assert shaped["meta"]["notes"], name


def test_kept_answers_say_their_age_and_are_asked_for_anew_when_the_vendor_says_so(
    asked: Reaching, opened: tuple[Reaching, Ticking], vendor: Vendor
) -> None:
    _, time = opened
    first = asked.tool("calls_summary", range="last_24h").structured
    assert "age_sec" not in first["meta"]
    time.pass_by(9)
    kept = asked.tool("calls_summary", range="last_24h").structured
    assert (kept["meta"]["age_sec"], kept["meta"]["requests"]) == (9, 0)
    assert kept["rows"] == first["rows"]
    time.pass_by(2)
    mixed = asked.tool("calls_summary", range="last_24h").structured
    assert (mixed["meta"]["age_sec"], mixed["meta"]["requests"]) == (11, 1)
    time.pass_by(20)
    assert "age_sec" not in asked.tool("calls_summary", range="last_24h").structured["meta"]
    assert (vendor.count("summary"), vendor.count("active_calls")) == (2, 3)


def _hour(at: datetime) -> datetime:
    return at.replace(minute=0, second=0, microsecond=0)


def _day(at: datetime) -> datetime:
    return _hour(at).replace(hour=0)


def _week(at: datetime) -> datetime:
    return _day(at) - timedelta(days=at.weekday())


@pytest.mark.parametrize(
    ("grain", "token", "floor", "step"),
    [
        ("hour", "last_24h", _hour, timedelta(hours=1)),
        ("day", "last_30d", _day, timedelta(days=1)),
        ("week", "last_30d", _week, timedelta(days=7)),
    ],
)
def test_volume_has_every_bucket_of_the_window_and_those_without_calls_as_0(
    asked: Reaching, grain: str, token: str, floor: Callable[[datetime], datetime], step: timedelta
) -> None:
    calls = _begun(SPANS[token])
    totals = Counter(floor(call.started) for call in calls)
    failures = Counter(floor(call.started) for call in calls if call.status == FAILED)
    at, expected = floor(NOW - timedelta(hours=SPANS[token])), []
    while at < NOW:
        expected.append(at)
        at += step
    shaped = asked.tool("calls_volume", range=token, granularity=grain).structured
    rows = [dict(zip(shaped["columns"], row, strict=True)) for row in shaped["rows"]]
    assert [_at(row["bucket"]) for row in rows] == expected
    assert [row["total"] for row in rows] == [totals[at] for at in expected]
    assert [row["failed"] for row in rows] == [failures[at] for at in expected]
    assert [row["success_rate"] for row in rows] == [
        pytest.approx(1 - failures[at] / totals[at], abs=1e-6) if totals[at] else None for at in expected
    ]
    notes = " ".join(shaped["meta"]["notes"])
    gaps = sum(not totals[at] for at in expected)
    assert (f"{gaps} of the {len(expected)} buckets" in notes) == bool(gaps)
    cut = notes.partition("Cut by the window: ")[2].partition(".")[0].split(", ")
    assert [_at(each) for each in cut] == [expected[0], expected[-1]]
    assert ("week starts" in notes) == (grain == "week")
    assert (shaped["meta"]["n"], shaped["meta"]["granularity"]) == (len(calls), grain)


def test_buckets_that_do_not_follow_one_another_are_shown_as_they_come(asked: Reaching, vendor: Vendor) -> None:
    odd = [{"timestamp": f"2026-05-0{day}T0{day}:30:00Z", "total": 2, "completed": 1, "failed": 1} for day in (1, 3, 4)]
    vendor.answer_with("call_volume", Reply({"interval": "day", "data": odd}))
    shaped = asked.tool("calls_volume", granularity="day").structured
    assert [row[1] for row in shaped["rows"]] == [2, 2, 2]
    assert any("not follow" in note for note in shaped["meta"]["notes"])


@pytest.mark.parametrize(
    ("words", "grain"), [({"range": "last_24h"}, "hour"), ({}, "day"), ({"start_time": "2026-01-01"}, "week")]
)
def test_a_granularity_that_fits_the_window_is_taken_where_none_is_asked_for(
    asked: Reaching, words: dict[str, Any], grain: str
) -> None:
    assert asked.tool("calls_volume", **words).structured["meta"]["granularity"] == grain


def test_workflows_have_their_calls_and_their_share_of_successes(asked: Reaching) -> None:
    calls = _begun(720)
    counts = Counter(call.workflow.slug for call in calls)
    done = Counter(call.workflow.slug for call in calls if call.status == COMPLETED)
    rows = asked.rows("calls_breakdown", range="last_30d", limit=50)
    assert {row["slug"]: row["calls"] for row in rows} == counts
    for row in rows:
        assert row["success_rate"] == pytest.approx(done[row["slug"]] / counts[row["slug"]], abs=0.000501)
        lengths = [call.seconds or 0 for call in calls if call.workflow.slug == row["slug"]]
        assert row["avg_duration"] == pytest.approx(fmean(lengths), abs=0.06)
    few = asked.tool("calls_breakdown", range="last_30d", limit=2).structured
    assert [row[3] for row in few["rows"]] == [count for _, count in counts.most_common(2)]
    assert any("there may be more" in note for note in few["meta"]["notes"])


def test_providers_have_their_mean_and_their_percentiles(asked: Reaching) -> None:
    known: dict[tuple[str, str], list[float]] = {}
    for call in _begun(168):
        for kind, name in call.providers.items():
            known.setdefault((kind, name), []).append(call.latencies[kind])
    rows = asked.rows("calls_breakdown", by="provider")
    assert {(row["type"], row["provider"]): row["calls"] for row in rows} == {key: len(it) for key, it in known.items()}
    for row in rows:
        found = known[row["type"], row["provider"]]
        assert row["avg"] == pytest.approx(fmean(found), abs=0.06)
        assert min(found) <= row["p50"] <= row["p95"] <= row["p99"] <= max(found) + 0.05
        assert row["estimated"] == "no"


def test_percentiles_that_are_multiples_of_the_mean_are_marked_as_estimated() -> None:
    with reaching(agent_studio(TENANT, forms=["synthetic"]), "agent_studio", key=KEY, now=NOW) as asked:
        shaped = asked.tool("calls_breakdown", by="provider").structured
        assert {row[-1] for row in shaped["rows"]} == {"yes"}
        assert any("not measured" in note for note in shaped["meta"]["notes"])


@pytest.mark.parametrize("words", [{}, {"service": "llm"}, {"level": "error"}, {"service": "tts", "level": "warning"}])
def test_errors_are_those_of_the_windows_calls_newest_first_page_by_page(
    asked: Reaching, words: dict[str, Any]
) -> None:
    problems = [one for call in TENANT.calls if call.started >= NOW - timedelta(days=7) for one in call.problems]
    wanted = [one for one in problems if all(getattr(one, name) == value for name, value in words.items())]
    wanted.sort(key=lambda one: (one.at, one.id), reverse=True)
    got: list[list[Any]] = []
    cursor: str | None = None
    while True:
        shaped = asked.tool("calls_errors", limit=20, cursor=cursor, **words).structured
        assert shaped["meta"]["n"] == len(wanted)
        got += shaped["rows"]
        cursor = shaped["meta"].get("next_cursor")
        if cursor is None:
            break
    assert [(row[0], row[1], row[2], row[5]) for row in got] == [
        (one.at.isoformat().replace("+00:00", "Z"), one.level, one.service, one.call) for one in wanted
    ]
    assert {"message", "details"} <= set(shaped["untrusted"])
    assert "7946" not in str(got)


def test_a_cursor_that_nobody_gave_is_refused(asked: Reaching) -> None:
    with pytest.raises(InvalidArgument, match="cursor"):
        asked.tool("calls_errors", cursor="-1")
    assert asked.paths == []


def _parts(asked: Reaching, manner: Manner | None = None, **words: Any) -> dict[tuple[str, str], Any]:
    rows = asked.rows("calls_detail", manner, **words)
    return {(row["part"], row["name"]): row["value"] for row in rows}


def test_one_call_is_told_with_its_figures_and_what_was_said_stays_hidden(asked: Reaching) -> None:
    call = next(call for call in TENANT.calls if len(call.agents) > 1 and call.status == COMPLETED)
    told = _parts(asked, call_id=call.id)
    assert told["call", "status"] == COMPLETED
    assert told["call", "workflow_slug"] == call.workflow.slug
    assert told["call", "duration_seconds"] == call.seconds
    assert [told["agent", str(place)] for place in range(1, len(call.agents) + 1)] == list(call.agents)
    assert told["figure", "total_tokens"] == call.tokens
    assert told["figure", "agent_handoffs"] == len(call.agents) - 1
    assert told["call", "user_id"].startswith("[hidden")
    assert told["said", "user"] == f"[hidden: {len(call.said[1][1])} characters]"
    assert "caller@mail.example" not in str(told)
    assert ("said", "user") not in _parts(asked, call_id=call.id, transcript=False)
    assert asked.paths == [f"/calls/{call.id}"]


def test_what_was_said_is_shown_where_that_is_allowed(asked: Reaching) -> None:
    call = next(call for call in TENANT.calls if call.status == COMPLETED)
    told = _parts(asked, OPEN, call_id=call.id)
    assert told["said", "user"] == call.said[1][1]
    assert told["call", "user_id"] == call.user
    assert "value" in asked.tool("calls_detail", OPEN, call_id=call.id).structured["untrusted"]


def test_a_call_under_way_has_no_figures_yet_and_an_unknown_one_is_not_found(asked: Reaching) -> None:
    shaped = asked.tool("calls_detail", call_id=TENANT.active[0].id).structured
    assert not any(row[0] == "figure" for row in shaped["rows"])
    assert any("under way" in note for note in shaped["meta"]["notes"])
    with pytest.raises(NotFound):
        asked.tool("calls_detail", call_id="00000000-0000-4000-8000-000000000000")


def test_both_published_forms_of_a_call_are_taken() -> None:
    with reaching(agent_studio(TENANT, forms=["context", "envelope"]), "agent_studio", key=KEY, now=NOW) as asked:
        assert _parts(asked, call_id=TENANT.calls[0].id)["call", "id"] == TENANT.calls[0].id
        assert asked.tool("calls_errors", range="last_30d", limit=3).structured["meta"]["next_cursor"] == "3"
