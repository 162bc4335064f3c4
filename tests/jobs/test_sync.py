"""Platforms synced into a warehouse: complete, once, resumed after a kill, and asked as the platform is asked."""

from __future__ import annotations

import importlib
import json
import os
import signal
import stat
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

import pytest
from pydantic import SecretStr

import talkscope
from talkscope import platforms
from talkscope.client import Client
from talkscope.errors import InvalidRange, ServerError, WarehouseError
from talkscope.flow import Call
from talkscope.jobs.pull.asking import PLATFORMS
from talkscope.jobs.sync.studio_chat import OVERLAP
from talkscope.platforms import studio_chat as api
from talkscope.settings import Settings, SourceSettings
from tests.cli.running import here
from tests.jobs.syncing import NOW, synced
from tests.vendors import agent_studio, general_bots, mavenoid, studio_chat
from tests.vendors.agent_studio_world import make_tenant
from tests.vendors.engine import Reply
from tests.vendors.mavenoid_world import make_world
from tests.vendors.serving import served
from tests.waiting import SAFETY
from tests.warehouse.loading import Stored, stored

T = TypeVar("T")
STUDIO = studio_chat.world(conversations=40)
PROJECT = STUDIO.projects[0]
ALSO = {"project_id": PROJECT.id}
BEGUN = NOW - timedelta(days=60)
MAVENOID = make_world(NOW, conversations=60)
TENANT = make_tenant(NOW)


def vendor(**words: Any) -> studio_chat.StudioChat:
    return studio_chat.server(of=STUDIO, **words)


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, studio_chat.StudioChat, Path]]:
    """A server, and a warehouse that it was synced into without interruption."""
    folder, server = tmp_path_factory.mktemp("studio"), vendor()
    with served(server) as url:
        (round_,) = synced("studio_chat", url, studio_chat.KEY, folder, since=BEGUN, also=ALSO)
        told = round_.types["resource_call"]
        # Citations are told by their conversations, and the recent ones once more.
        assert (told.present, told.again) == (0, 50)
        assert not any(each.present or each.again for kind, each in round_.types.items() if kind != "resource_call")
        yield url, server, folder


def rows(folder: Path) -> Stored:
    return {name: found for name, found in stored(folder).items() if found}


def test_every_conversation_is_there_with_its_turns_its_outcome_and_its_rating(
    studio: tuple[str, studio_chat.StudioChat, Path],
) -> None:
    found = rows(studio[2])
    told = {each.id: each for each in PROJECT.conversations}
    assert {row["session_id"] for row in found["sessions"]} == set(told)
    outcomes = {row["session_id"]: row for row in found["outcomes"]}
    assert set(outcomes) == set(told)
    handed = {name for name, row in outcomes.items() if row["handoff"] == "true"}
    assert handed == {name for name, each in told.items() if each.handoff}
    rated = {row["session_id"]: row["rating"] for row in found["ratings"]}
    assert rated == {name: each.rating.stars for name, each in told.items() if each.rating is not None}
    assert len(found["interactions"]) > len(told)


def test_a_second_sync_of_the_same_window_changes_nothing(
    studio: tuple[str, studio_chat.StudioChat, Path],
) -> None:
    url, _, folder = studio
    before = rows(folder)
    (round_,) = synced("studio_chat", url, studio_chat.KEY, folder, since=BEGUN, also=ALSO)
    assert {(counts.loaded, counts.changed) for counts in round_.types.values()} == {(0, 0)}
    assert rows(folder) == before


def test_the_next_sync_begins_a_little_before_the_last_one_ended(tmp_path: Path) -> None:
    later = NOW + timedelta(hours=6)
    with served(vendor()) as url:
        synced("studio_chat", url, studio_chat.KEY, tmp_path, since=BEGUN, also=ALSO)
        (round_,) = synced("studio_chat", url, studio_chat.KEY, tmp_path, now=later, also=ALSO)
        assert synced("studio_chat", url, studio_chat.KEY, tmp_path, now=later, also=ALSO) == []
    assert (round_.start, round_.end) == (NOW - OVERLAP, later)


def test_a_sync_that_fails_half_way_goes_on_and_asks_for_nothing_twice(
    tmp_path: Path, studio: tuple[str, studio_chat.StudioChat, Path]
) -> None:
    server = vendor()
    with served(server) as url:
        server.answer_with("skill_usage", Reply({"detail": "down"}, 500), once=True, checked=False)
        with pytest.raises(ServerError):
            synced("studio_chat", url, studio_chat.KEY, tmp_path, since=BEGUN, also=ALSO)
        assert not rows(tmp_path)
        journal = next((tmp_path / "sync").glob("*.part"))
        assert stat.S_IMODE(journal.stat().st_mode) == 0o700
        before = Counter((one.method, one.path, one.pairs) for one in server.seen if one.status == 200)
        server.forget()
        first, *others = synced("studio_chat", url, studio_chat.KEY, tmp_path, also=ALSO)
        after = Counter(
            (one.method, one.path, one.pairs) for one in server.seen if one.path.endswith("/batch") is False
        )
    assert (first.resumed, others) == (True, [])
    assert first.pulled.kept == sum(before.values())
    assert not before.keys() & after
    assert rows(tmp_path) == rows(studio[2])
    assert not journal.exists()


def test_a_killed_sync_run_again_gives_the_warehouse_of_one_that_was_not(
    tmp_path: Path, studio: tuple[str, studio_chat.StudioChat, Path]
) -> None:
    server = vendor(delay=0.05)
    with served(server) as url:
        command = [sys.executable, "-m", "tests.jobs.syncing", url, studio_chat.KEY, PROJECT.id, str(tmp_path)]
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        journal, until = tmp_path / "sync" / "studio_chat.part" / "journal.ndjson", time.monotonic() + SAFETY
        while not journal.exists() or journal.read_bytes().count(b"\n") < 4:
            assert process.poll() is None, process.stderr.read() if process.stderr else ""
            assert time.monotonic() < until
            time.sleep(0.005)
        os.kill(process.pid, signal.SIGKILL)
        process.wait(SAFETY)
        assert process.stderr is not None
        process.stderr.close()
        server.delay = 0
        first, *others = synced("studio_chat", url, studio_chat.KEY, tmp_path, also=ALSO)
    assert (first.resumed, others) == (True, [])
    assert first.pulled.kept >= 3
    assert rows(tmp_path) == rows(studio[2])


def test_what_a_platform_does_not_have_is_said_and_the_rest_is_synced(tmp_path: Path) -> None:
    server = vendor()
    with served(server) as url:
        server.answer_with("toolkit_usage", Reply({"detail": "Not Found"}, 404), checked=False)
        (round_,) = synced("studio_chat", url, studio_chat.KEY, tmp_path, since=BEGUN, also=ALSO)
    assert any("toolkit calls" in note for note in round_.notes)
    kinds = {row["kind"] for row in rows(tmp_path)["resource_calls"]}
    assert "toolkit" not in kinds
    assert kinds >= {"api_tool", "skill", "knowledge_base", "tool"}


def live(url: str, call: Call[T]) -> T:
    """What Studio Chat itself says."""
    header, key = api.ACCESS.header(SecretStr(studio_chat.KEY))
    with Client(url, key=key, key_header=header, manners=api.PLATFORM.manners) as client:
        return client.send(call)


def asked(folder: Path, question: str, **words: Any) -> list[dict[str, Any]]:
    with talkscope.open_warehouse(folder, clock=lambda: NOW) as client:
        return client.ask(question, **words).records()


TALKS = sorted((each for each in PROJECT.conversations if each.last_at > each.first_at), key=lambda each: each.last_at)
# The second window begins and ends within a conversation, which belongs to it by its last message.
WITHIN = [each.first_at + (each.last_at - each.first_at) / 2 for each in (TALKS[8], TALKS[-8])]
WINDOWS = [(BEGUN, NOW), (WITHIN[0], WITHIN[1])]


@pytest.mark.parametrize(("start", "end"), WINDOWS)
def test_the_synced_copy_says_what_the_platform_says_by_its_own_rule_of_time(
    studio: tuple[str, studio_chat.StudioChat, Path], start: datetime, end: datetime
) -> None:
    url, _, folder = studio
    dates: dict[str, Any] = {"start_date": start, "end_date": end}
    told = live(url, api.conversation_analytics(PROJECT.id, **dates))
    csat = live(url, api.csat_analytics(PROJECT.id, **dates))
    signals = live(url, api.metrics_aggregate(PROJECT.id, **dates))
    words = {"start_time": start.isoformat(), "end_time": end.isoformat(), "measures": ["all"]}
    rows = {(row["measure"], row["label"]): row for row in asked(folder, "outcomes", **words)}

    def figure(measure: str, label: str | None = None) -> tuple[Any, Any, Any]:
        row = next((row for (name, of), row in rows.items() if name == measure and (label is None or of == label)), {})
        return row.get("value"), row.get("count"), row.get("n")

    total, without = told.total_conversations, told.conversations_without_handoff
    assert total > 5
    assert figure("outcomes")[0] == total
    assert figure("deflection_rate") == (pytest.approx(without / total, abs=1e-6), without, total)
    assert figure("handoff_rate")[1] == told.conversations_with_handoff
    assert csat.rating_distribution is not None
    good = sum(count for rating, count in csat.rating_distribution.root.items() if int(rating) >= 4)
    assert figure("csat")[1:] == (good, csat.total_rated)
    assert figure("csat")[0] == pytest.approx((csat.csat_score_pct or 0) / 100, abs=6e-4)
    assert figure("dsat")[0] == pytest.approx((csat.dsat_score_pct or 0) / 100, abs=6e-4)
    assert figure("response_rate")[1:] == (csat.total_rated, csat.eligible_deflected)
    assert figure("coverage")[1:] == (signals.total_scored_conversations, total)
    for measure in ("sentiment", "sentiment_shift", "deflection_quality", "handoff_reason", "recontact_risk"):
        spread: dict[str, int] = dict(getattr(signals, f"{measure}_distribution").root)
        assert {of: row["count"] for (name, of), row in rows.items() if name == measure and row["count"]} == {
            label: count for label, count in spread.items() if count
        }
    for metric in live(url, api.conversion_metrics(PROJECT.id)):
        sold = live(url, api.conversion_analytics(PROJECT.id, metric.slug, **dates))
        assert sold.definition is not None
        silent = not sold.total_events and sold.definition.is_silent(NOW)
        n = sold.eligible_conversations or 0
        rate = None if silent or not n else pytest.approx((sold.converting_conversations or 0) / n, abs=1e-6)
        assert figure("conversions", metric.slug) == (rate, sold.converting_conversations, n)


def test_a_metric_that_nothing_comes_of_has_no_rate_and_its_unit_all_the_same(
    studio: tuple[str, studio_chat.StudioChat, Path],
) -> None:
    words: dict[str, Any] = {"start_time": BEGUN.isoformat(), "end_time": NOW.isoformat(), "measures": ["conversions"]}
    with talkscope.open_warehouse(studio[2], clock=lambda: NOW) as client:
        by_channel: list[dict[str, Any]] = client.ask("outcomes", group_by=["channel"], **words).records()
        answer = client.ask("outcomes", **{**words, "measures": ["conversions", "conversion_value"]})
    rates = {row["value"] for row in by_channel if row["label"] == "upgrades"}
    assert (rates, {row["n"] > 0 for row in by_channel}) == ({None}, {True})
    assert any("upgrades is switched off" in note for note in answer.meta.notes)
    assert "bookings in bookings, sales in USD, upgrades in EUR" in answer.meta.units["value"]


def test_what_is_said_of_all_projects_of_the_account_is_kept_too(
    studio: tuple[str, studio_chat.StudioChat, Path],
) -> None:
    told = live(studio[0], api.account_analytics(start_date=BEGUN, end_date=NOW))
    kept = {row["metric"]: row["value"] for row in rows(studio[2])["snapshots"]}
    assert kept["studio_chat.account.ai_messages"] == told.total_ai_messages
    assert kept["studio_chat.account.minutes_saved"] == told.minutes_saved


def test_a_conversation_without_an_answer_has_no_mean_latency(
    studio: tuple[str, studio_chat.StudioChat, Path],
) -> None:
    told = {row["session_id"]: json.loads(str(row["attributes"])) for row in rows(studio[2])["sessions"]}
    silent = {each.id for each in PROJECT.conversations if not each.latencies}
    assert silent
    assert {name for name, about in told.items() if "avg_response_latency_ms" not in about} == silent


def test_citations_show_knowledge_bases_and_items_by_name_deleted_ones_too(
    studio: tuple[str, studio_chat.StudioChat, Path],
) -> None:
    asks = {one.operation: dict(one.pairs) for one in studio[1].seen}
    assert asks["knowledge_bases"] == {"include_final_delete": "true"}
    assert asks["kb_item_citations"]["limit"] == "50"
    words = {"start_time": BEGUN.isoformat(), "end_time": NOW.isoformat(), "kind": "knowledge_base", "limit": 200}
    bases = {each.id: each for each in PROJECT.bases}
    by_name = asked(studio[2], "resources", **words)
    assert {row["name"]: row["title"] for row in by_name} == {row["name"]: bases[row["name"]].title for row in by_name}
    assert "DELETED" in {bases[row["name"]].status for row in by_name}
    for row in asked(studio[2], "resources", by="item", **words):
        base = bases[row["name"]]
        assert row["base"] == base.title
        if base.kind in ("FAQ", "SNIPPETS", "INTERCOM"):
            assert row["title"] == dict(base.items)[row["item"]]
    named = asked(studio[2], "resources", search="text ARTICLES", **words)
    assert {bases[row["name"]].title for row in named} == {"Text articles"}


def test_calls_of_resources_are_counted_as_the_platform_counts_them(
    studio: tuple[str, studio_chat.StudioChat, Path],
) -> None:
    url, _, folder = studio
    # The present day is among them, as far as it has come.
    days: dict[str, Any] = {"start_date": BEGUN.date(), "end_date": NOW.date() + timedelta(days=1)}
    window = {"start_time": days["start_date"].isoformat(), "end_time": days["end_date"].isoformat()}
    calls: tuple[tuple[str, Call[Any]], ...] = (
        ("toolkit", api.toolkit_usage(PROJECT.id, **days)),
        ("api_tool", api.api_tool_usage(PROJECT.id, **days)),
        ("skill", api.skill_usage(PROJECT.id, **days)),
    )
    for kind, call in calls:
        told = live(url, call)
        found = asked(folder, "resources", kind=kind, **window)
        assert sum(row["calls"] for row in found) == told.total_calls > 0, kind
    cited = live(url, api.kb_citations(PROJECT.id, **days))
    assert cited.total_citations == sum(len(each.citations) for each in PROJECT.conversations)
    (total,) = (
        row for row in rows(folder)["snapshots"]
        if row["metric"] == "studio_chat.knowledge_base.citations" and row["dimensions"] in (None, "{}", {})
    )  # fmt: skip
    assert total["value"] == cited.total_citations


def test_mavenoid_is_synced_whole_and_its_live_support_is_asked_for_by_agent(tmp_path: Path) -> None:
    with served(mavenoid.mavenoid(MAVENOID)) as url:
        (round_,) = synced("mavenoid", url, mavenoid.TOKEN, tmp_path)
        assert round_.pulled.asked == 3
        (again,) = synced("mavenoid", url, mavenoid.TOKEN, tmp_path, since=BEGUN)
    assert {(counts.loaded, counts.changed) for counts in again.types.values()} == {(0, 0)}
    found = rows(tmp_path)
    kept = [one for one in MAVENOID.conversations if one.at >= NOW - timedelta(days=120)]
    assert {row["session_id"] for row in found["sessions"]} == {one.id for one in kept}
    sessions = [one for one in MAVENOID.sessions if one.at >= NOW - timedelta(days=120)]
    words = {"start_time": (NOW - timedelta(days=120)).isoformat(), "end_time": NOW.isoformat()}
    by_agent = asked(tmp_path, "live_support", measures=["sessions"], group_by=["agent"], limit=100, **words)
    told = Counter(one.agent for one in sessions)
    assert {row["agent"]: row["n"] for row in by_agent} == dict(told)


def test_agent_studio_brings_errors_the_calls_they_name_and_figures_by_day(tmp_path: Path) -> None:
    with served(agent_studio.agent_studio(TENANT, most=1_000_000)) as url:
        synced("agent_studio", url, agent_studio.KEY, tmp_path, since=NOW - timedelta(days=2))
    found = rows(tmp_path)
    errors = [row for row in found["events"] if row["level"] == "error"]
    assert {row["session_id"] for row in errors} <= {row["session_id"] for row in found["sessions"]}
    assert {row["metric"] for row in found["snapshots"]} >= {"agent_studio.summary.total_calls"}
    listed = asked(tmp_path, "errors", range="last_7d", limit=100)
    assert listed
    assert {row["level"] for row in listed} == {"error"}


@pytest.mark.parametrize("has", ["planned", "published"])
def test_general_bots_brings_aggregates_and_says_what_its_server_lacks(tmp_path: Path, has: str) -> None:
    key = general_bots.token("admin", "Admin")
    with served(general_bots.server(has)) as url:
        (round_,) = synced("general_bots", url, key, tmp_path, since=NOW - timedelta(days=3))
    assert set(rows(tmp_path)) == {"snapshots"}
    assert any("not available on this server" in note for note in round_.notes)


def test_a_convai_account_is_synced_so_that_its_questions_are_answered_from_the_copy(tmp_path: Path) -> None:
    own, copy = tmp_path / "own", tmp_path / "copy"
    talkscope.ingest(list(_calls()), warehouse=own)
    settings = Settings(sources=(SourceSettings("warehouse", own),))
    with talkscope.App(settings, clock=lambda: NOW) as app:
        place = "http://talkscope/v1/analytics"
        (round_,) = synced("convai", place, "ck_x", copy, transport=app.transport())
        (again,) = synced("convai", place, "ck_x", copy, since=NOW - timedelta(days=1), transport=app.transport())
    assert round_.pulled.asked == 1 + 3 + 9
    assert {(counts.loaded, counts.changed) for counts in again.types.values()} == {(0, 0)}
    for question, words in (
        ("summary", {}),
        ("breakdown", {"measures": ["p95", "count"], "group_by": ["provider"]}),
        ("breakdown", {"measures": ["errors"], "group_by": ["processor"]}),
    ):
        assert asked(copy, question, range="last_24h", **words) == asked(own, question, range="last_24h", **words)


def _calls() -> Iterator[dict[str, Any]]:
    for session in range(3):
        at = NOW - timedelta(hours=2 + session)
        yield {"type": "session", "session_id": f"s{session}", "start_time": at.isoformat(), "character_id": "c"}
        for turn in range(3):
            began, ids = (
                at + timedelta(seconds=20 * turn),
                {"session_id": f"s{session}", "interaction_id": f"s{session}t{turn}"},
            )
            bad = {"status": "error", "error_code": "limit"} if (session, turn) == (1, 2) else {"status": "ok"}
            yield {
                "type": "interaction", **ids, "start_time": began.isoformat(), "latency_ms": 300 + 100 * turn,
                "end_time": (began + timedelta(seconds=2)).isoformat(), "status": "ok",
            }  # fmt: skip
            yield {
                "type": "span", **ids, "span_id": f"s{session}t{turn}/llm", "processor": "llm", "provider": "openai",
                "start_time": began.isoformat(), "duration_ms": 200 + 100 * turn, **bad,
            }  # fmt: skip


def test_the_command_syncs_into_a_folder_and_tells_what_came(tmp_path: Path) -> None:
    server = studio_chat.server(conversations=4)
    with served(server) as url:
        home = {"STUDIO_API_TOKEN": studio_chat.KEY, "STUDIO_API_URL": url, "STUDIO_PROJECT_ID": PROJECT.id}
        words = ("sync", "studio-chat", "--since", "2026-01-01", "--into", str(tmp_path / "wh"))
        done = here(*words, "--pretty", home=tmp_path, **home)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    (round_,) = told["rounds"]
    assert round_["records"]["outcome"] == {"loaded": 4, "changed": 0, "present": 0, "again": 0}
    assert round_["start"] == "2026-01-01T00:00:00Z"
    assert studio_chat.KEY not in done.stdout + done.stderr
    assert any("end user" in gap for gap in round_["gaps"])


def test_two_accounts_of_one_platform_keep_their_aggregates_apart(tmp_path: Path) -> None:
    key = general_bots.token("admin", "Admin")
    with served(general_bots.server("planned")) as url:
        for name in ("general_bots", "east", "west"):
            synced("general_bots", url, key, tmp_path, since=NOW - timedelta(days=2), name=name)
    found = rows(tmp_path)["snapshots"]
    accounts = Counter(json.loads(str(row["dimensions"] or "{}")).get("account") for row in found)
    assert accounts.keys() == {None, "east", "west"}
    assert len(set(accounts.values())) == 1


def test_dummy_data_of_a_sample_token_are_marked_and_never_mix_with_an_organisations_own(tmp_path: Path) -> None:
    with served(mavenoid.mavenoid(make_world(datetime.now(UTC), conversations=8))) as url:
        words = ("sync", "mavenoid", "--into", str(tmp_path / "wh"))
        done = here(*words, home=tmp_path, MAVENOID_API_TOKEN=mavenoid.SAMPLE_TOKEN, MAVENOID_API_URL=url)
        assert done.returncode == 0, done.stderr
        own = here(*words, home=tmp_path, MAVENOID_API_TOKEN=mavenoid.TOKEN, MAVENOID_API_URL=url)
    assert (own.returncode, "generated" in own.stderr) == (1, True)
    told = here("outcomes", "--range", "last_30d", "--warehouse", str(tmp_path / "wh"), home=tmp_path)
    assert json.loads(told.stdout)["meta"]["generated"] is True


def test_a_sync_that_would_begin_in_the_future_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidRange, match="future"):
        synced("mavenoid", "http://127.0.0.1:9", "ma_x", tmp_path, since=NOW + timedelta(days=1))


def test_a_platform_that_keeps_less_than_is_wanted_says_so(tmp_path: Path) -> None:
    with served(mavenoid.mavenoid(MAVENOID)) as url:
        (round_,) = synced("mavenoid", url, mavenoid.TOKEN, tmp_path, since=NOW - timedelta(days=400))
    assert round_.start == NOW - timedelta(days=120)
    assert any("120 days" in note for note in round_.notes)


def test_a_state_that_is_none_of_ours_is_an_error_that_says_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "sync").mkdir()
    (tmp_path / "sync" / "mavenoid.json").write_text("[]")
    with pytest.raises(WarehouseError, match="--since"):
        synced("mavenoid", "http://127.0.0.1:9", "ma_x", tmp_path)


def test_every_platform_can_be_synced() -> None:
    assert {*platforms.NAMES, "convai"} == set(PLATFORMS)
    for each in PLATFORMS:
        module = importlib.import_module(f"talkscope.jobs.sync.{each}")
        assert callable(module.plan), each
        assert callable(module.recorded), each
