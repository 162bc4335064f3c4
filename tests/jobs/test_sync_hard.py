"""Syncs that meet what goes wrong: a past that changes, runs that die, clocks, disks, refusals and limits."""

from __future__ import annotations

import json
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import anyio
import httpx
import pytest
from pydantic import SecretStr

import talkscope
from talkscope import platforms
from talkscope.client import AsyncClient, Client
from talkscope.errors import BadAnswer, InvalidArgument, Json, NotSupported, RateLimited, ServerError, WarehouseError
from talkscope.flow import Call, Clock, Policy
from talkscope.jobs import sync as job
from talkscope.jobs.pull import Journal, asking, pull
from talkscope.jobs.sync.gathered import Ask, Gathered
from talkscope.platforms import studio_chat as api
from tests.cli.running import here
from tests.jobs.syncing import NOW, synced
from tests.vendors import agent_studio, general_bots, mavenoid, studio_chat
from tests.vendors.agent_studio_world import Problem, Tenant, make_tenant
from tests.vendors.engine import Refused, Reply
from tests.vendors.mavenoid_world import World as Desk
from tests.vendors.mavenoid_world import make_world
from tests.vendors.serving import served
from tests.vendors.studio_chat.records import Conversation, Message, Rating, World
from tests.warehouse.loading import Stored, stored

WORLD = studio_chat.world(conversations=24)
PROJECT = WORLD.projects[0]
ALSO = {"project_id": PROJECT.id}
DAY = timedelta(days=1)
BEGUN = NOW - 60 * DAY
LATER = NOW + 5 * DAY
FACTS = ("sessions", "interactions", "spans", "events", "outcomes", "ratings", "conversions", "resource_calls",
         "live_support", "availability")  # fmt: skip


def rows(folder: Path, *names: str) -> Stored:
    return {name: found for name, found in stored(folder).items() if found and (not names or name in names)}


def studio(url: str, folder: Path, **words: Any) -> list[job.Synced]:
    return synced("studio_chat", url, studio_chat.KEY, folder, also=ALSO, **words)


def counts(rounds: list[job.Synced]) -> set[tuple[int, int]]:
    return {(each.loaded, each.changed) for round_ in rounds for each in round_.types.values()}


def changed(world: World, change: Callable[[Conversation], Conversation | None]) -> World:
    """The same account, its main project's conversations changed, or gone."""
    main, *others = world.projects
    kept = tuple(new for each in main.conversations if (new := change(each)) is not None)
    return replace(world, projects=(replace(main, conversations=kept), *others), now=LATER)


# What changes at the vendor


def test_what_changed_at_the_vendor_between_two_syncs_is_what_the_warehouse_says(tmp_path: Path) -> None:
    scored = [each for each in PROJECT.conversations if each.scored and each.rating and each.signals]
    recent = sorted(scored, key=lambda each: each.last_at)[-3:]
    gone, goes_on, rescored = (each.id for each in recent)
    since = min(each.last_at for each in recent) - DAY
    message = Message("user", "And one thing more", LATER - timedelta(hours=1), playbook=recent[1].playbook)

    def change(each: Conversation) -> Conversation | None:
        assert each.signals is None or each.last_at < NOW
        if each.id == gone:
            return None
        if each.id == rescored:
            assert each.signals is not None
            signals = replace(each.signals, sentiment="negative", deflection_quality=None, handoff_reason="policy")
            rated = Rating(1, None, NOW + DAY)
            return replace(each, signals=signals, handoff=True, rating=rated, tags=())
        if each.id == goes_on:
            return replace(each, messages=(*each.messages, message), tags=("vip",))
        return each

    def remarked(each: Conversation) -> Conversation:
        return replace(each, rating=each.rating and replace(each.rating, remark="Quick"))

    server = studio_chat.server(of=changed(WORLD, remarked))
    with served(server) as url:
        studio(url, tmp_path, since=BEGUN)
        server.studio.world = changed(WORLD, change)
        studio(url, tmp_path, since=since, now=LATER)
        now = {each.id: each for each in server.studio.world.projects[0].conversations}
        cut = recent[1].last_at + timedelta(seconds=1)
        with Client(url, key=studio_chat.KEY, key_header="X-API-Key", manners=api.PLATFORM.manners) as client:
            for start, end in ((BEGUN, cut), (cut, LATER)):
                dates: dict[str, Any] = {"start_date": start, "end_date": end}
                told = client.send(api.conversation_analytics(PROJECT.id, **dates))
                csat = client.send(api.csat_analytics(PROJECT.id, **dates))
                stays = sum(start <= each.last_at < end and each.id == gone for each in PROJECT.conversations)
                words: dict[str, Any] = {"start_time": start.isoformat(), "end_time": end.isoformat()}
                with talkscope.open_warehouse(tmp_path, clock=lambda: LATER) as own:
                    found = own.ask("outcomes", measures=["outcomes", "handoff_rate", "csat"], **words).records()
                figures = {row["measure"]: row for row in found}
                assert figures["outcomes"]["value"] == told.total_conversations + stays
                assert figures["handoff_rate"]["count"] == told.conversations_with_handoff
                assert figures["csat"]["n"] == (csat.total_rated or 0) + stays
    held = rows(tmp_path)
    ratings = {row["session_id"]: row for row in held["ratings"]}
    assert (ratings[rescored]["rating"], ratings[rescored].get("remark")) == (1, None)
    outcomes = {row["session_id"]: row for row in held["outcomes"]}
    assert outcomes[rescored]["deflection_quality"] is None
    assert not outcomes[rescored]["tags"]
    assert outcomes[goes_on]["tags"] == ["vip"]
    assert set(outcomes) == {*now, gone}
    lengths = Counter(row["session_id"] for row in held["interactions"])
    assert lengths[goes_on] == sum(one.role == "user" for one in now[goes_on].messages) - _runs_of_the_user(
        now[goes_on].messages
    )


def _runs_of_the_user(messages: tuple[Message, ...]) -> int:
    """How many messages of the user follow one of the user, so that both are one turn."""
    said = [one.role for one in messages]
    return sum(pair == ("user", "user") for pair in pairwise(said))


def test_a_conversation_that_goes_on_while_its_list_is_paged_costs_no_other_one(tmp_path: Path) -> None:
    world = studio_chat.world(conversations=104)
    first = min(world.projects[0].conversations, key=lambda each: each.first_at)
    message = Message("user", "Hello?", NOW + timedelta(seconds=5), playbook=first.playbook)
    server = studio_chat.server(of=world)
    listed = server.handlers["conversations"]

    def goes_on(asked: Any) -> Any:
        found = listed(asked)
        server.studio.world = changed(
            world, lambda each: replace(each, messages=(*each.messages, message)) if each is first else each
        )
        return found

    server.answer_with("conversations", goes_on)
    with served(server) as url:
        studio(url, tmp_path, since=NOW - 365 * DAY)
    found = {row["session_id"] for row in rows(tmp_path, "sessions")["sessions"]}
    assert found == {each.id for each in world.projects[0].conversations}


# Runs that die


class Killed(BaseException):
    """What ends a run where it stands."""


def test_a_run_may_die_at_any_stage_and_nothing_is_asked_for_twice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own, other = tmp_path / "own", tmp_path / "other"
    server = studio_chat.server(of=WORLD)

    def dies(target: str, *, after: bool = False) -> None:
        place, _, name = target.rpartition(".")
        with monkeypatch.context() as patched:
            real = _find(place, name)

            def instead(*args: Any, **words: Any) -> Any:
                if after:
                    real(*args, **words)
                raise Killed(target)

            patched.setattr(target, instead)
            with pytest.raises((Killed, BaseExceptionGroup)):
                studio(url, own, since=NOW - 9 * DAY)

    with served(server) as url:
        studio(url, other, since=NOW - 9 * DAY)
        whole = Counter((one.path, one.pairs) for one in server.seen)
        server.forget()
        dies("talkscope.jobs.sync.pull")
        server.answer_with("skill_usage", Reply({"detail": "down"}, 500), once=True, checked=False)
        with pytest.raises(ServerError):
            studio(url, own)
        dies("talkscope.warehouse.load.Stage.add")
        dies("talkscope.warehouse.manifest.Lease.replace")
        assert not rows(own)
        dies("talkscope.jobs.ingest.Loader.commit", after=True)
        assert rows(own) == rows(other)
        dies("talkscope.jobs.sync.Journal.discard")
        answered = Counter((one.path, one.pairs) for one in server.seen if one.status == 200)
        assert answered == whole
        last = studio(url, own, now=NOW + timedelta(hours=1))
    assert [(each.resumed, each.start) for each in last] == [(False, NOW - 7 * DAY)]
    assert sorted(each.name for each in (own / "sync").iterdir()) == ["studio_chat.json"]
    assert not list((own / "tmp").glob("*-*"))


def _find(place: str, name: str) -> Any:
    import importlib

    try:
        return getattr(importlib.import_module(place), name)
    except ModuleNotFoundError:
        module, _, owner = place.rpartition(".")
        return getattr(getattr(importlib.import_module(module), owner), name)


# Windows


# Nothing to load is what is quickest loaded.
QUIET = Desk(NOW)


def through(folder: Path, source: str = "mavenoid") -> datetime | None:
    told = json.loads((folder / "sync" / f"{source}.json").read_text())
    return datetime.fromisoformat(told["through"]) if "through" in told else None


@pytest.fixture(scope="module")
def desk() -> Iterator[tuple[str, Any]]:
    vendor = mavenoid.mavenoid(QUIET)
    with served(vendor) as url:
        yield url, vendor


def ask(desk: tuple[str, Any], folder: Path, **words: Any) -> list[job.Synced]:
    return synced("mavenoid", desk[0], mavenoid.TOKEN, folder, **words)


def fail(desk: tuple[str, Any], folder: Path, **words: Any) -> None:
    """A run that stops half way."""
    desk[1].answer_with("live_support_sessions", Reply(None, 500, media=""), once=True, checked=False)
    with pytest.raises(ServerError):
        ask(desk, folder, **words)


def test_a_later_since_does_not_mark_what_lies_before_it_as_synced(desk: tuple[str, Any], tmp_path: Path) -> None:
    ask(desk, tmp_path, since=NOW - 3 * DAY)
    (ahead,) = ask(desk, tmp_path, now=NOW + 9 * DAY, since=NOW + 8 * DAY)
    assert any("is not synced" in note for note in ahead.notes)
    assert through(tmp_path) == NOW
    (next_,) = ask(desk, tmp_path, now=NOW + 10 * DAY)
    assert next_.start == NOW - 14 * DAY
    assert not any("is not synced" in note for note in next_.notes)
    assert through(tmp_path) == NOW + 10 * DAY
    (earlier,) = ask(desk, tmp_path, now=NOW + 11 * DAY, since=NOW - 9 * DAY)
    assert (earlier.start, through(tmp_path)) == (NOW - 9 * DAY, NOW + 11 * DAY)


def test_a_clock_that_has_gone_back_is_said_and_does_not_stop_syncs(desk: tuple[str, Any], tmp_path: Path) -> None:
    ask(desk, tmp_path, now=NOW + 3650 * DAY, since=NOW + 3649 * DAY)
    (round_,) = ask(desk, tmp_path)
    assert round_.start == NOW - 120 * DAY
    assert any("yet to come" in note for note in round_.notes)
    assert through(tmp_path) == NOW
    (a_little,) = ask(desk, tmp_path, now=NOW - timedelta(minutes=2))
    assert a_little.start == NOW - timedelta(minutes=2) - 14 * DAY


def test_a_name_that_another_account_had_begins_anew(desk: tuple[str, Any], tmp_path: Path) -> None:
    ask(desk, tmp_path, since=NOW - DAY)
    url, vendor = desk
    (round_,) = ask((url + "/", vendor), tmp_path, now=NOW + DAY)
    assert round_.start == NOW - 14 * DAY
    source = job.Source("mavenoid", "mavenoid", "https://another.example")
    assert job.state_of(tmp_path, source).through is None


def test_restart_begins_where_the_interrupted_run_did(desk: tuple[str, Any], tmp_path: Path) -> None:
    fail(desk, tmp_path, since=NOW - 5 * DAY)
    assert (tmp_path / "sync" / "mavenoid.part").exists()
    (round_,) = ask(desk, tmp_path, now=NOW + DAY, restart=True)
    assert (round_.start, round_.end, round_.resumed) == (NOW - 5 * DAY, NOW + DAY, False)
    assert round_.pulled.kept == 0


def test_what_another_version_has_begun_is_refused_in_words_that_help(desk: tuple[str, Any], tmp_path: Path) -> None:
    fail(desk, tmp_path, since=NOW - 5 * DAY)
    journal = tmp_path / "sync" / "mavenoid.part" / "journal.ndjson"
    head, *lines = journal.read_text().splitlines(keepends=True)
    journal.write_text("".join([json.dumps(json.loads(head) | {"plan": "other"}) + "\n", *lines]))
    with pytest.raises(InvalidArgument, match="--restart") as refused:
        ask(desk, tmp_path, now=NOW + DAY)
    assert refused.value.code == "another_pull"
    (round_,) = ask(desk, tmp_path, now=NOW + DAY, restart=True)
    assert round_.start == NOW - 5 * DAY


def test_a_second_sync_beside_one_is_refused_in_words_that_help(desk: tuple[str, Any], tmp_path: Path) -> None:
    folder = tmp_path / "sync"
    folder.mkdir()
    with Journal(folder / "mavenoid.part", {}, begun="now"), pytest.raises(InvalidArgument) as refused:
        ask(desk, tmp_path)
    assert refused.value.code == "busy"
    assert "syncing" in refused.value.message
    assert refused.value.hint.startswith("Wait")
    assert "output" not in str(refused.value)


def test_the_same_words_again_bring_the_rest_and_not_the_whole_once_more(desk: tuple[str, Any], tmp_path: Path) -> None:
    fail(desk, tmp_path, since=NOW - 60 * DAY)
    later = NOW + DAY
    resumed, rest = ask(desk, tmp_path, now=later, since=NOW - 60 * DAY)
    assert (resumed.start, resumed.end) == (NOW - 60 * DAY, NOW)
    assert (rest.start, rest.end, through(tmp_path)) == (NOW - 14 * DAY, later, later)


# Others, and disks


def test_a_second_process_is_told_and_changes_nothing(desk: tuple[str, Any], tmp_path: Path) -> None:
    fail(desk, tmp_path, since=NOW - 5 * DAY)
    before = (tmp_path / "sync" / "mavenoid.json").read_text()
    folder = tmp_path / "sync" / "mavenoid.part"
    lines = (folder / "journal.ndjson").read_text()
    with closing(sqlite3.connect(folder / "held.sqlite", isolation_level=None)) as lock:
        lock.execute("BEGIN EXCLUSIVE")
        for words in ({}, {"restart": True}, {"since": NOW - DAY}):
            with pytest.raises(InvalidArgument, match="Another talkscope"):
                ask(desk, tmp_path, now=NOW + DAY, **words)
    assert (folder / "journal.ndjson").read_text() == lines
    assert (tmp_path / "sync" / "mavenoid.json").read_text() == before
    assert ask(desk, tmp_path)[0].resumed


def test_a_warehouse_of_demo_data_is_refused_before_anything_is_asked(desk: tuple[str, Any], tmp_path: Path) -> None:
    made = {"type": "session", "session_id": "s", "start_time": "2026-05-01T00:00:00Z"}
    talkscope.ingest([made], warehouse=tmp_path, generated=True)
    desk[1].forget()
    with pytest.raises(InvalidArgument, match="generated"):
        ask(desk, tmp_path)
    assert desk[1].count() == 0
    assert not (tmp_path / "sync").exists()


@pytest.mark.parametrize("where", ["sync", "sync/mavenoid.part", "sync/mavenoid.part/held.sqlite"])
def test_a_folder_that_cannot_be_written_is_a_typed_error(desk: tuple[str, Any], tmp_path: Path, where: str) -> None:
    blocked = tmp_path / where
    blocked.parent.mkdir(parents=True, exist_ok=True)
    (blocked.mkdir if where.endswith("sqlite") else blocked.touch)()
    with pytest.raises(WarehouseError, match="cannot be written"):
        ask(desk, tmp_path)


def test_a_full_disk_is_a_typed_error_and_the_journal_is_kept(
    desk: tuple[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr("talkscope.jobs.ingest.Loader.stage", full)
        with pytest.raises(WarehouseError, match="No space left"):
            ask(desk, tmp_path, since=NOW - 2 * DAY)
    desk[1].forget()
    (round_,) = ask(desk, tmp_path)
    assert (round_.resumed, desk[1].count()) == (True, 0)


def test_an_account_that_is_let_have_nothing_is_an_error_and_not_a_sync(tmp_path: Path) -> None:
    with served(agent_studio.agent_studio(Tenant(NOW), most=1_000_000)) as url:
        with pytest.raises(NotSupported, match="nothing"):
            synced("agent_studio", url, agent_studio.LOCKED_KEY, tmp_path, since=NOW - DAY)
        assert through(tmp_path, "agent_studio") is None
        synced("agent_studio", url, agent_studio.KEY, tmp_path, since=NOW - DAY)
    assert through(tmp_path, "agent_studio") == NOW


# Convai


class Calls(httpx.AsyncBaseTransport):
    """Convai's three routes over sessions of two turns, ten of them a day; ranges end at `now`."""

    def __init__(self, days: int, *, page: int = 4) -> None:
        self.now, self.page, self.left = NOW, page, 10**9
        self.sessions = {f"s{place}": NOW - (place + 1) * DAY / 10 for place in range(days * 10)}
        self.going_on: dict[str, int] = {}
        self.asked: list[str] = []

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if not self.left:
            return httpx.Response(429, json={"error": "quota_exceeded", "message": "The month's quota is used up."})
        self.left -= 1
        self.asked.append(request.url.path)
        what, _, id_ = request.url.path.removeprefix("/").partition("/")
        if what == "interactions":
            return httpx.Response(200, json=self.trace(id_))
        return httpx.Response(200, json=self.session(id_) if id_ else self.listed(parse_qs(request.url.query.decode())))

    def listed(self, words: Mapping[str, list[str]]) -> dict[str, Any]:
        back = {"last_24h": 1, "last_7d": 7, "last_30d": 30}[words["range"][0]] * DAY
        found = [name for name, at in sorted(self.sessions.items(), key=lambda one: one[1], reverse=True)
                 if self.now - back <= at < self.now]  # fmt: skip
        first = found.index(words["cursor"][0]) if "cursor" in words else 0
        after = found[first + self.page : first + self.page + 1]
        told = [self.about(name) for name in found[first : first + self.page]]
        return {"sessions": told, "nextCursor": after[0] if after else None, "meta": {}}

    def about(self, name: str) -> dict[str, Any]:
        at = self.sessions[name]
        end = None if name in self.going_on else (at + timedelta(minutes=5)).isoformat()
        return {"sessionId": name, "startTime": at.isoformat(), "endTime": end, "characterId": "c"}

    def turns(self, name: str) -> range:
        return range(self.going_on.get(name, 2))

    def session(self, name: str) -> dict[str, Any]:
        events = [
            {"eventTime": (self.sessions[name] + timedelta(minutes=turn)).isoformat(), "value": 400.0 + turn,
             "metricName": metric, "interactionId": f"{name}t{turn}", "processor": processor}
            for turn in self.turns(name)
            for metric, processor in (("voice.user_to_bot_latency", None), ("llm.processing", "llm"))
        ]  # fmt: skip
        return {**self.about(name), "events": events, "meta": {}}

    def trace(self, id_: str) -> dict[str, Any]:
        name, _, turn = id_.partition("t")
        at = self.sessions[name] + timedelta(minutes=int(turn))
        span = {"startTime": at.isoformat(), "durationMs": 400.0 + int(turn), "processor": "llm", "provider": "p"}
        return {"interactionId": id_, "sessionId": name, "startTime": at.isoformat(), "spans": [span], "meta": {}}


def calls(transport: Calls, folder: Path, **words: Any) -> list[job.Synced]:
    return synced("convai", "http://convai", "ck_secret", folder, transport=transport, **words)


def test_a_quota_that_is_used_up_loses_nothing_though_windows_move_on_and_words_change(tmp_path: Path) -> None:
    service = Calls(2)
    service.left = 30
    with pytest.raises(RateLimited, match="quota"):
        calls(service, tmp_path, since=NOW - 2 * DAY)
    first, service.asked = service.asked, []
    service.now, service.left = NOW + 10 * DAY, 10**9
    resumed, after = calls(service, tmp_path, now=service.now, traces=False)
    assert (resumed.resumed, resumed.end, after.start) == (True, NOW, NOW - timedelta(hours=6))
    asked = [each for each in service.asked[: resumed.pulled.asked] if each != "/sessions"]
    assert (resumed.pulled.kept, set(first) & set(asked)) == (30, set())
    found = rows(tmp_path)
    assert {row["session_id"] for row in found["sessions"]} == set(service.sessions)
    assert len(found["interactions"]) == len(found["spans"]) == 2 * len(service.sessions)


def test_a_session_that_goes_on_is_asked_again_until_it_ends_and_traces_may_come_later(tmp_path: Path) -> None:
    service, own, whole = Calls(1), tmp_path / "own", tmp_path / "whole"
    service.going_on = {"s4": 1}  # of twelve hours ago
    calls(service, own, since=NOW - DAY, traces=False)
    assert not any(each.startswith("/interactions") for each in service.asked)
    service.going_on, service.now, service.asked = {"s4": 3}, NOW + timedelta(hours=3), []
    calls(service, own, now=service.now, traces=False)
    assert "/sessions/s4" in service.asked
    assert "/sessions/s5" not in service.asked
    calls(service, own, since=NOW - DAY, now=service.now)
    calls(service, whole, since=NOW - DAY, now=service.now)
    assert rows(own) == rows(whole)


# Agent Studio


class Fake:
    """Time that passes when somebody waits."""

    def __init__(self) -> None:
        self.at = NOW.timestamp()

    def __call__(self) -> float:
        return self.at

    async def wait(self, seconds: float) -> None:
        self.at += seconds
        await anyio.sleep(0)


def test_thousands_of_errors_under_a_limit_with_calls_that_are_refused_lose_no_part(tmp_path: Path) -> None:
    made = make_tenant(NOW, calls=50, days=1, active=0)
    every = tuple(
        replace(call, problems=tuple(
            Problem(call.id, index, call.started + timedelta(seconds=index), "llm", "error", "limit", {}, None)
            for index in range(25)
        ))
        for call in made.calls if call.started >= NOW - DAY
    )  # fmt: skip
    gone, closed = every[0].id, every[1].id
    clock = Fake()
    server = agent_studio.agent_studio(Tenant(NOW, every), clock=clock)
    detail, transcript = server.handlers["call_detail"], server.handlers["call_transcript"]

    def refused(asked: Any, status: int, id_: str, handler: Any) -> Any:
        if asked.path["id"] == id_:
            raise Refused(status, "No.")
        return handler(asked)

    server.answer_with("call_detail", lambda asked: refused(asked, 404, gone, detail))
    server.answer_with("call_transcript", lambda asked: refused(asked, 403, closed, transcript))
    found = platforms.platform("agent_studio")
    header, secret = found.access.header(SecretStr(agent_studio.KEY))

    async def run(url: str) -> list[job.Synced]:
        told = Clock(monotonic=clock, wall=clock, asleep=clock.wait)
        policy = Policy(attempts=1, turn=900)
        async with AsyncClient(
            url, key=secret, key_header=header, policy=policy, clock=told, manners=found.manners
        ) as client:
            source = job.Source("voice", "agent_studio", url)
            return await job.sync(source, client, tmp_path, now=lambda: NOW, since=NOW - DAY)

    with served(server) as url:
        (round_,) = anyio.run(run, url)
    assert server.count() > 100
    assert clock.at > NOW.timestamp()
    assert {one.status for one in server.seen} == {200, 403, 404}
    held = rows(tmp_path)
    wanted = {problem.id for call in every for problem in call.problems}
    assert {row["key"] for row in held["events"] if row["level"] == "error"} == wanted
    assert len(wanted) > 1_000
    told = {row["session_id"] for row in held["sessions"] if not row["derived"]}
    assert told == {call.id for call in every} - {gone}
    assert {row["session_id"] for row in held["interactions"]} == told - {closed}
    assert any(note.startswith("call: ") for note in round_.notes)
    assert any(note.startswith("transcript: ") for note in round_.notes)


# Answers that cannot be read


FEW = studio_chat.world(conversations=4)
LIST: Json = {"conversations": 3}
SPOKEN: Json = {"conversations": [{"conversation_id": FEW.projects[0].conversations[0].id, "messages": [{"role": 3}]}]}


def test_a_figure_that_cannot_be_read_is_said_and_asked_for_again(tmp_path: Path) -> None:
    server, later = studio_chat.server(of=FEW), NOW + timedelta(hours=1)
    with served(server) as url:
        server.answer_with("skill_usage", Reply({"total_calls": "many"}, 200), once=True, checked=False)
        server.answer_with("knowledge_bases", Reply({"bases": 3}, 200), once=True, checked=False)
        (round_,) = studio(url, tmp_path, since=BEGUN)
        held = rows(tmp_path)
        assert {row["session_id"] for row in held["sessions"]} == {each.id for each in FEW.projects[0].conversations}
        assert "skill" not in {row["kind"] for row in held["resource_calls"]}
        bases, skills = sorted(round_.notes)
        assert bases.startswith("knowledge bases: missing, for the answer cannot be read; the next sync asks again")
        assert skills.startswith("skill loads: missing")
        assert "total_calls" in skills
        (again,) = studio(url, tmp_path, now=later)
    assert (again.start, again.end, again.notes) == (BEGUN, later, ())
    assert through(tmp_path, "studio_chat") == later
    assert again.types["resource_call"].loaded == len(FEW.projects[0].skill_loads) > 0


def test_a_figure_that_stays_unreadable_holds_the_next_syncs_where_they_are(
    desk: tuple[str, Any], tmp_path: Path
) -> None:
    ask(desk, tmp_path, since=NOW - 3 * DAY)
    for day in (1, 2, 3):
        desk[1].answer_with("live_support_sessions", Reply([{"status": 3}], 200), once=True, checked=False)
        (round_,) = ask(desk, tmp_path, now=NOW + day * DAY)
        assert (round_.start, through(tmp_path)) == (NOW - 14 * DAY, NOW)
        assert [note.partition(",")[0] for note in round_.notes] == ["support: missing"]
    (round_,) = ask(desk, tmp_path, now=NOW + 4 * DAY)
    assert (round_.start, through(tmp_path), round_.notes) == (NOW - 14 * DAY, NOW + 4 * DAY, ())


@pytest.mark.parametrize(("call", "told"), [("conversations", LIST), ("conversation_batch", SPOKEN)])
def test_conversations_that_cannot_be_read_end_the_sync_and_are_not_kept(tmp_path: Path, call: str, told: Json) -> None:
    server = studio_chat.server(of=FEW)
    with served(server) as url:
        server.answer_with(call, Reply(told, 200), checked=False)
        with pytest.raises(BadAnswer, match="not what was promised"):
            studio(url, tmp_path, since=NOW - 9 * DAY)
    assert through(tmp_path, "studio_chat") is None
    kept = (tmp_path / "sync" / "studio_chat.part" / "journal.ndjson").read_text()
    assert ('"conversation/page 0"' in kept, '"conversation/messages' in kept) == (call != "conversations", False)


def test_an_account_of_which_nothing_can_be_read_is_an_error_and_not_a_sync(tmp_path: Path) -> None:
    server = general_bots.server("planned")
    for name in server.handlers:
        server.answer_with(name, Reply([3], 200), checked=False)
    with served(server) as url, pytest.raises(BadAnswer, match="Nothing"):
        synced("general_bots", url, general_bots.token("admin", "Admin"), tmp_path, since=NOW - timedelta(hours=1))
    assert through(tmp_path, "general_bots") is None


# The same again, and in pieces


def test_two_halves_are_the_whole_and_the_whole_again_changes_nothing(tmp_path: Path) -> None:
    world, since, half = make_world(NOW, conversations=20, days=40), NOW - 30 * DAY, NOW - 2 * DAY
    with served(mavenoid.mavenoid(replace(world, now=half))) as url:
        synced("mavenoid", url, mavenoid.TOKEN, tmp_path, since=since, now=half)
    with served(mavenoid.mavenoid(world)) as url:
        synced("mavenoid", url, mavenoid.TOKEN, tmp_path)
        (whole,) = synced("mavenoid", url, mavenoid.TOKEN, tmp_path, since=since)
    assert len(whole.types) > 3
    assert counts([whole]) == {(0, 0)}


def test_a_server_without_routes_is_noted_once_a_route(tmp_path: Path) -> None:
    key = general_bots.token("admin", "Admin")
    with served(general_bots.server("published")) as url:
        (round_,) = synced("general_bots", url, key, tmp_path, since=NOW - 3 * DAY)
        again = synced("general_bots", url, key, tmp_path, since=NOW - 3 * DAY)
    kinds = [note.partition(":")[0] for note in round_.notes]
    assert kinds
    assert len(kinds) == len(set(kinds))
    assert any("times)" in note for note in round_.notes)
    assert counts(again) == {(0, 0)}


# The command


def test_what_the_command_says_and_leaves_behind(tmp_path: Path) -> None:
    server = studio_chat.server(conversations=4)
    warehouse = tmp_path / "wh"
    with served(server) as url:
        home = {"STUDIO_API_TOKEN": studio_chat.KEY, "STUDIO_API_URL": url, "STUDIO_PROJECT_ID": PROJECT.id}
        words = ("sync", "studio-chat", "--into", str(warehouse))

        def run(*more: str) -> Any:
            return here(*words, *more, home=tmp_path, **home)

        wrong = run("--since", "last tuesday")
        assert (wrong.returncode, wrong.stdout) == (1, "")
        assert "--since" in wrong.stderr
        assert run("--since", "2999-01-01").returncode == 1
        assert not warehouse.exists()
        server.answer_with("skill_usage", Reply({"detail": "down"}, 400), once=True, checked=False)
        failed = run("--since", "2026-01-01")
        assert (failed.returncode, failed.stdout) == (1, "")
        assert "is kept in" in failed.stderr
        private = warehouse / "sync"
        assert {each.stat().st_mode & 0o777 for each in (private, *private.glob("*.part"))} == {0o700}
        done = run()
        assert done.returncode == 0, done.stderr
        assert done.stderr.startswith("Going on with what began on")
        first, *_ = json.loads(done.stdout)["rounds"]
        assert (first["resumed"], first["kept"] > 0) == (True, True)
    said = "".join(each.stdout + each.stderr for each in (failed, done))
    state = (private / "studio_chat.json").read_text()
    for secret in (studio_chat.KEY, "@mail.example", PROJECT.conversations[0].id):
        assert secret not in said + state
    key = studio_chat.KEY.encode()
    assert not [each for each in warehouse.rglob("*") if each.is_file() and key in each.read_bytes()]


def overflowing(_: Json) -> object:
    raise OverflowError("too far")


def test_an_answer_that_cannot_be_reckoned_with_is_a_bad_answer(tmp_path: Path) -> None:
    call = Call("/far", overflowing)
    plan = Gathered([Ask("far", call)])
    with pytest.raises(BadAnswer, match="/far is not what was promised: OverflowError"):
        plan.answered(plan.first()[0], {})
    assert asking.typed(call, {}) is None

    async def go_on(journal: Journal) -> None:
        async with AsyncClient("http://127.0.0.1:9", key="k") as client:
            await pull(plan, client, journal)

    with Journal(tmp_path / "part", {}, begun="then") as journal:
        journal.add("0", {})
        # What was understood when it came, this version does not understand.
        with pytest.raises(InvalidArgument, match="another version"):
            anyio.run(go_on, journal)
