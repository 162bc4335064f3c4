"""How a service wants to be asked: by `flow.run` alone under a made-up clock, and by both clients."""

from __future__ import annotations

import heapq
import random
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from email.utils import formatdate
from itertools import count
from typing import Any

import anyio
import httpx
import pytest

from talkscope.client import AsyncClient, Client
from talkscope.errors import (
    BadAnswer,
    BadRequest,
    Json,
    NotSupported,
    PlanInsufficient,
    RateLimited,
    ServerError,
    TalkscopeError,
)
from talkscope.flow import (
    Allowance,
    AnyCall,
    Call,
    Clock,
    Limit,
    Manners,
    Policy,
    Reply,
    RetryBudget,
    Turns,
    Wait,
    run,
)
from talkscope.flow.manners import Turn
from talkscope.platforms import agent_studio, general_bots, mavenoid
from tests.flow.driving import NOW, OK, SUMMARY, reply, told

PATIENT = Policy(deadline=500.0, turn=100_000.0)


def _bucket(call: AnyCall) -> str:
    return "busy" if call.path.startswith("/busy") else "key"


def _allowance(headers: Mapping[str, str]) -> Allowance | None:
    words = [headers.get(name) for name in ("remaining", "reset")]
    return None if None in words else Allowance(*(int(word or 0) for word in words))


MANNERS = Manners({"key": Limit(10, 60.0), "busy": Limit(60, 60.0)}, bucket=_bucket, allowance=_allowance)


def _left(remaining: int, resets_in: float) -> dict[str, str]:
    return {"limit": "10", "remaining": str(remaining), "reset": str(int(NOW + resets_in))}


@dataclass
class Concert:
    """Many calls at once under one clock: each request takes as long as `takes` says, and is seen meanwhile."""

    manners: Manners = MANNERS
    answers: Callable[[AnyCall, int], Reply] = lambda call, number: OK
    takes: Callable[[], float] = lambda: 0.1
    seen_after: Callable[[], float] = lambda: 0.5
    policy: Policy = PATIENT
    now: float = 0.0
    seen: list[tuple[float, str]] = field(default_factory=list)
    waits: list[float] = field(default_factory=list)
    results: list[object] = field(default_factory=list)
    turns: Turns = field(init=False)
    budget: RetryBudget = field(default_factory=RetryBudget)

    def __post_init__(self) -> None:
        self.turns = Turns(self.manners.limits)

    def ask(self, *calls: AnyCall) -> list[object]:
        """Their answers or errors, in the order in which they came."""
        clock = Clock(monotonic=lambda: self.now, wall=lambda: NOW + self.now, chance=lambda: 0.5)
        due: list[tuple[float, int, Any, AnyCall, Reply | None]] = []
        order, self.results = count(), []
        for call in calls:
            steps = run(
                call, self.policy, self.budget, clock=clock, manners=self.manners, turns=self.turns
            )  # fmt: skip
            heapq.heappush(due, (self.now, next(order), steps, call, None))
        while due:
            at, _, steps, call, answer = heapq.heappop(due)
            self.now = max(self.now, at)
            try:
                step = steps.send(answer)
            except StopIteration as done:
                self.results.append(done.value)
            except TalkscopeError as error:
                self.results.append(error)
            else:
                later = step.seconds if isinstance(step, Wait) else self.takes()
                got = None
                if isinstance(step, Wait):
                    self.waits.append(step.seconds)
                else:
                    self.seen.append((self.now + later * self.seen_after(), call.path))
                    got = self.answers(call, len(self.seen))
                heapq.heappush(due, (self.now + later, next(order), steps, call, got))
        return self.results

    def most_in(self, seconds: float) -> int:
        """The most requests that any stretch of so many seconds holds, by when the service saw them."""
        times = sorted(at for at, _ in self.seen)
        return max(sum(start <= at < start + seconds for at in times) for start in times)


def _many(path: str, number: int) -> list[AnyCall]:
    return [Call(f"{path}/{place}", told) for place in range(number)]


@pytest.mark.parametrize(("path", "limit"), [("/slow", 10), ("/busy", 60)])
@pytest.mark.parametrize("seed", range(4))
def test_no_minute_of_the_service_sees_more_requests_than_its_limit(path: str, limit: int, seed: int) -> None:
    drawn = random.Random(seed)
    concert = Concert(takes=lambda: drawn.choice((0.01, 0.2, 3.0, 45.0)), seen_after=drawn.random)
    assert concert.ask(*_many(path, limit * 3 + 1)) == [{"n": 1}] * (limit * 3 + 1)
    assert concert.most_in(60.0) == limit
    assert 180 < concert.now < 180 + 5 * 45


def test_a_service_that_answers_at_once_is_asked_as_often_as_it_allows() -> None:
    concert = Concert(takes=lambda: 0.0)
    concert.ask(*_many("/slow", 40))
    assert 180 < concert.now < 181


def test_each_limit_has_turns_of_its_own() -> None:
    concert = Concert()
    concert.ask(*_many("/slow", 11), *_many("/busy", 60))
    assert sum(path.startswith("/busy") for at, path in concert.seen if at < 1) == 60
    assert sum(path.startswith("/slow") for at, path in concert.seen if at < 1) == 10


def test_a_call_whose_limit_nobody_states_never_waits() -> None:
    concert = Concert(Manners({"other": Limit(1, 60.0)}))
    concert.ask(*_many("/free", 200))
    assert (len(concert.seen), concert.waits) == (200, [])


def test_requests_that_failed_count_too() -> None:
    concert = Concert(answers=lambda call, number: reply(500))
    assert {type(each) for each in concert.ask(*_many("/slow", 11))} == {ServerError}
    assert concert.most_in(60.0) == 10


def test_asking_again_after_trouble_takes_a_turn_like_any_other() -> None:
    concert = Concert(answers=lambda call, number: reply(503) if number <= 5 else OK)
    assert concert.ask(*_many("/slow", 8)) == [{"n": 1}] * 8
    assert len(concert.seen) == 13
    assert concert.most_in(60.0) == 10


def test_trouble_is_told_where_no_turn_comes_before_the_deadline() -> None:
    concert = Concert(answers=lambda call, number: reply(503), policy=Policy(deadline=20.0, turn=100_000))
    assert {type(each) for each in concert.ask(*_many("/slow", 10))} == {ServerError}
    assert len(concert.seen) == 10


def test_waiting_for_a_turn_is_no_part_of_the_deadline() -> None:
    concert = Concert(policy=Policy(deadline=1.0, turn=1_000.0))
    assert concert.ask(*_many("/slow", 21)) == [{"n": 1}] * 21


def test_a_call_that_would_wait_too_long_for_its_turn_is_refused_and_not_sent() -> None:
    concert = Concert(agent_studio.PLATFORM.manners, policy=Policy(turn=20.0))
    found = concert.ask(*_many("/calls", 101))
    refused = [each for each in found if isinstance(each, RateLimited)]
    assert [each.code for each in refused] == ["limit_kept"]
    assert refused[0].details == {"retry_after": pytest.approx(60.15, abs=0.2), "sent": False}
    assert "nothing was sent" in refused[0].hint
    assert len(concert.seen) == 100
    concert.now += 60.2
    # Who was refused has taken no turn.
    assert concert.ask(*_many("/calls", 100)) == [{"n": 1}] * 100


def test_a_limit_that_is_used_up_elsewhere_is_waited_for_until_it_is_full_again() -> None:
    concert = Concert(answers=lambda call, number: reply(200, {"n": 1}, **_left(int(number > 1), 30)))
    concert.ask(SUMMARY)
    concert.ask(*_many("/slow", 3))
    assert [round(at) for at, _ in concert.seen] == [0, 30, 30, 30]
    concert = Concert(
        answers=lambda call, number: reply(200, {"n": 1}, **_left(0, 30)), policy=Policy(turn=20.0)
    )  # fmt: skip
    concert.ask(SUMMARY)
    (refused,) = concert.ask(SUMMARY)
    assert isinstance(refused, RateLimited)
    assert refused.details["retry_after"] == pytest.approx(29.9, abs=0.2)


def test_what_is_left_of_one_limit_closes_no_other() -> None:
    concert = Concert(answers=lambda call, number: reply(200, {"n": 1}, **_left(0, 30)))
    concert.ask(SUMMARY)
    concert.ask(Call("/busy", told))
    assert [round(at) for at, _ in concert.seen] == [0, 0]


def test_a_429_that_names_no_time_is_asked_again_when_the_limit_is_full_again() -> None:
    concert = Concert(
        answers=lambda call, number: reply(429, **_left(0, 25)) if number == 1 else OK, policy=Policy(deadline=60)
    )
    assert concert.ask(SUMMARY) == [{"n": 1}]
    assert [round(at) for at, _ in concert.seen] == [0, 25]


def test_a_429_that_outlasts_the_deadline_says_when_to_ask_again() -> None:
    concert = Concert(answers=lambda call, number: reply(429, **_left(0, 40)), policy=Policy(deadline=30))
    (refused,) = concert.ask(SUMMARY)
    assert isinstance(refused, RateLimited)
    assert refused.details["retry_after"] == pytest.approx(40, abs=0.2)
    assert refused.status == 429


def test_a_429_that_names_a_time_is_believed() -> None:
    headers = _left(0, 5)
    concert = Concert(
        answers=lambda call, number: reply(429, retry_after="20", **headers) if number == 1 else OK,
        policy=Policy(deadline=60),
    )
    concert.ask(SUMMARY)
    assert [round(at) for at, _ in concert.seen] == [0, 20]


def test_a_429_of_a_known_limit_that_says_nothing_is_waited_out_by_all() -> None:
    concert = Concert(answers=lambda call, number: reply(429) if number == 1 else OK)
    assert concert.ask(*_many("/slow", 3)) == [{"n": 1}] * 3
    assert [round(at) for at, _ in concert.seen] == [0, 0, 0, 60]
    concert = Concert(answers=lambda call, number: reply(429) if number == 1 else OK, policy=Policy(turn=20.0))
    (first,) = concert.ask(SUMMARY)
    (second,) = concert.ask(SUMMARY)
    assert isinstance(first, RateLimited)
    assert isinstance(second, RateLimited)
    assert (first.status, first.details["retry_after"], second.code) == (429, 60.0, "limit_kept")
    assert len(concert.seen) == 1


def test_a_429_that_names_a_time_holds_the_others_of_its_limit_too() -> None:
    concert = Concert(answers=lambda call, number: reply(429, retry_after="20") if number == 1 else OK)
    concert.ask(SUMMARY)
    first, again = [at for at, _ in concert.seen]
    concert = Concert(
        answers=lambda call, number: reply(429, retry_after="20") if number == 1 else OK, policy=Policy(deadline=10)
    )
    assert isinstance(concert.ask(SUMMARY)[0], RateLimited)
    concert.ask(SUMMARY, Call("/busy", told))
    assert [(round(at), path) for at, path in concert.seen] == [(0, "/summary"), (0, "/busy"), (20, "/summary")]
    assert round(again - first) == 20


def test_a_quota_that_is_used_up_holds_nobody() -> None:
    used_up = reply(429, {"error": {"code": "monthly_quota_exceeded", "message": "used up"}})
    concert = Concert(answers=lambda call, number: used_up if number == 1 else OK)
    (refused,) = concert.ask(SUMMARY)
    assert isinstance(refused, RateLimited)
    assert "retry_after" not in refused.details
    concert.ask(SUMMARY)
    assert [round(at) for at, _ in concert.seen] == [0, 0]


@pytest.mark.parametrize("skew", [-3_600, 3_600, 10**9])
def test_a_services_moments_are_of_its_own_clock(skew: float) -> None:
    told_time = {"date": formatdate(NOW + skew, usegmt=True)}
    concert = Concert(answers=lambda call, number: reply(200, {"n": 1}, **_left(0, skew + 30), **told_time))
    concert.ask(SUMMARY)
    concert.ask(SUMMARY)
    assert [round(at) for at, _ in concert.seen] == [0, 30]


def test_a_clock_that_is_off_never_closes_a_limit_for_longer_than_its_span() -> None:
    concert = Concert(answers=lambda call, number: reply(200, {"n": 1}, **_left(0, 86_400), date="yesterday"))
    concert.ask(SUMMARY)
    concert.ask(SUMMARY)
    assert [round(at) for at, _ in concert.seen] == [0, 60]


BY_AGENT = mavenoid.agent_availabilities(days=2, group_by="agent_email")
ROW = [{"agent-email": "a@help.example", "duration_ms_sum": 2, "active_duration_ms_sum": 1}]


def _spelled(call: AnyCall) -> str:
    return dict(call.params)["group_by"]


def test_a_call_that_was_refused_for_its_spelling_is_asked_in_the_other() -> None:
    asked: list[AnyCall] = []

    def answers(call: AnyCall, number: int) -> Reply:
        asked.append(call)
        return reply(200, ROW) if number == 2 else reply(400)

    concert = Concert(mavenoid.PLATFORM.manners, answers=answers)
    found: Any = concert.ask(BY_AGENT)
    assert [group.agent_email for group in found[0]] == ["a@help.example"]
    assert len(concert.seen) == 2
    again = mavenoid.respelled(BadRequest("no"), BY_AGENT)
    assert again is not None
    assert (_spelled(again), again.params[-1]) == ("agent-email", ("days", "2"))


def test_a_call_that_is_refused_in_both_spellings_is_refused_once_and_for_all() -> None:
    concert = Concert(mavenoid.PLATFORM.manners, answers=lambda call, number: reply(400))
    (refused,) = concert.ask(BY_AGENT)
    assert isinstance(refused, BadRequest)
    assert len(concert.seen) == 2


@pytest.mark.parametrize(
    ("call", "status"),
    [(BY_AGENT, 403), (BY_AGENT, 404), (mavenoid.agent_availabilities(days=2, group_by="date"), 400), (SUMMARY, 400)],
)
def test_only_what_can_be_spelled_otherwise_is(call: AnyCall, status: int) -> None:
    concert = Concert(mavenoid.PLATFORM.manners, answers=lambda call, number: reply(status))
    concert.ask(call)
    assert len(concert.seen) == 1


def test_errors_are_explained_as_their_service_means_them() -> None:
    bots = general_bots.PLATFORM.manners
    concert = Concert(bots, answers=lambda call, number: reply(403))
    (forbidden,) = concert.ask(general_bots.usage())
    assert isinstance(forbidden, PlanInsufficient)
    assert forbidden.details["required_role"] == "analytics_viewer"
    (missing,) = Concert(bots, answers=lambda call, number: reply(404)).ask(general_bots.usage())
    assert isinstance(missing, NotSupported)
    (unknown,) = Concert(mavenoid.PLATFORM.manners, answers=lambda call, number: reply(401)).ask(BY_AGENT)
    assert isinstance(unknown, TalkscopeError)
    assert "MAVENOID_API_TOKEN" in unknown.hint


REPORT = general_bots.document("r-1", "csv")


@pytest.mark.parametrize("type", ["text/csv", "Text/CSV; charset=utf-8"])
def test_a_document_comes_as_it_is(type: str) -> None:
    body = b"\xff\x00 not,read\r\n"
    concert = Concert(answers=lambda call, number: reply(200, body, content_type=type))
    assert concert.ask(REPORT) == [body]
    step = next(run(REPORT))
    assert not isinstance(step, Wait)
    assert step.headers["accept"] == "text/csv"


@pytest.mark.parametrize(
    ("body", "type"),
    [(b"{}", "application/json"), (b"<html>", "text/html"), (b"", "text/csv"), (b"a,b", ""), (b"a,b", "x" * 200)],
)
def test_a_document_of_another_kind_is_none(body: bytes, type: str) -> None:
    (refused,) = Concert(answers=lambda call, number: reply(200, body, content_type=type)).ask(REPORT)
    assert isinstance(refused, BadAnswer)
    assert refused.code == "not_the_document"
    assert refused.hint == "Perhaps it is still being made, or is of another format."
    assert len(refused.message) < 200


@pytest.mark.parametrize("value", [5, 0, "text", True, 2.5])
def test_a_mere_value_is_an_answer_only_where_it_is_expected(value: Json) -> None:
    def answers(call: AnyCall, number: int) -> Reply:
        return reply(200, value)

    assert Concert(answers=answers).ask(Call("/count", told, scalar=True)) == [value]
    (refused,) = Concert(answers=answers).ask(Call("/count", told))
    assert isinstance(refused, BadAnswer)


@dataclass
class Time:
    """A clock that threads and tasks share, and that only sleeping moves."""

    now: float = 0.0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def sleep(self, seconds: float) -> None:
        with self.lock:
            self.now += seconds

    async def asleep(self, seconds: float) -> None:
        until = self.now + seconds
        await anyio.lowlevel.checkpoint()
        self.now = max(self.now, until)

    def clock(self) -> Clock:
        return Clock(
            monotonic=lambda: self.now, wall=lambda: NOW + self.now, chance=lambda: 0.5, sleep=self.sleep,
            asleep=self.asleep,
        )  # fmt: skip


@dataclass
class Service:
    """Answers with how often it was asked, and remembers when."""

    time: Time
    status: int = 200
    seen: list[float] = field(default_factory=list)

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.seen.append(self.time.now)
        return httpx.Response(self.status, json={"n": len(self.seen)})

    def most_in_a_minute(self) -> int:
        return max(sum(start <= at < start + 60 for at in self.seen) for start in self.seen)


def _client(service: Service, manners: Manners = MANNERS, policy: Policy = PATIENT) -> Client:
    transport = httpx.MockTransport(service)
    return Client("http://service", transport=transport, clock=service.time.clock(), manners=manners, policy=policy)


def _async_client(service: Service, manners: Manners = MANNERS, policy: Policy = PATIENT) -> AsyncClient:
    transport = httpx.MockTransport(service)
    return AsyncClient(
        "http://service", transport=transport, clock=service.time.clock(), manners=manners, policy=policy
    )  # fmt: skip


def test_threads_share_their_clients_turns() -> None:
    service = Service(Time())
    with _client(service) as client, ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(client.send, _many("/slow", 35)))
    assert sorted(answer["n"] for answer in answers) == list(range(1, 36))
    assert service.most_in_a_minute() <= 10


def test_tasks_share_their_clients_turns() -> None:
    service = Service(Time())

    async def ask() -> None:
        async with _async_client(service) as client, anyio.create_task_group() as group:
            for call in _many("/slow", 35):
                group.start_soon(client.send, call)

    anyio.run(ask)
    assert len(service.seen) == 35
    assert service.most_in_a_minute() <= 10
    assert service.time.now > 180


def test_a_forked_child_does_not_wait_for_requests_that_only_its_parent_sees_the_end_of() -> None:
    turns = Turns({"key": Limit(2, 60.0)})
    over, under_way = turns.take("key", 0.0), turns.take("key", 0.0)
    assert isinstance(over, Turn)
    assert isinstance(under_way, Turn)
    over.ended = 1.0
    turns.after_fork()
    assert isinstance(turns.take("key", 2.0), Turn)
    # What is over counts in the child too: the service does not know one process from the other.
    assert turns.take("key", 3.0) == pytest.approx(58.05)


def test_a_client_refuses_what_it_would_have_to_wait_for_too_long() -> None:
    service = Service(Time())
    with _client(service, policy=Policy(turn=20)) as client:
        for call in _many("/slow", 10):
            client.send(call)
        with pytest.raises(RateLimited) as refused:
            client.send(SUMMARY)
    assert refused.value.code == "limit_kept"
    assert len(service.seen) == 10


def test_whoever_is_cancelled_gives_the_turn_back_even_while_the_error_is_looked_at() -> None:
    service, held = Service(Time()), list[BaseException]()
    scopes: list[anyio.CancelScope] = []

    class Hung(httpx.MockTransport):
        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            if len(held) < 10:
                scopes[-1].cancel()
                await anyio.sleep_forever()
            return await super().handle_async_request(request)

    async def ask() -> Json:
        async with AsyncClient(
            "http://service", transport=Hung(service), clock=service.time.clock(), manners=MANNERS
        ) as client:
            for _ in range(10):
                scopes.append(anyio.CancelScope())
                with scopes[-1]:
                    try:
                        await client.send(SUMMARY)
                    except BaseException as error:
                        held.append(error)
                        raise
            service.time.now = 61.0
            return await client.send(SUMMARY)

    assert anyio.run(ask) == {"n": 1}
    assert (len(held), service.time.now) == (10, 61.0)


KEPT = Manners(refresh=lambda call: 30.0 if call.path == "/summary" else None)
OTHER: Call[Json] = Call("/summary", told, (("period", "7d"),))


def test_an_answer_is_kept_as_long_as_its_service_says_and_tells_its_age() -> None:
    service = Service(Time())
    with _client(service, KEPT) as client:
        assert (client.recent(SUMMARY).answer, client.recent(SUMMARY).age) == ({"n": 1}, 0.0)
        service.time.now = 29.5
        kept = client.recent(SUMMARY)
        assert (kept.answer, kept.age) == ({"n": 1}, 29.5)
        assert client.recent(OTHER).answer == {"n": 2}
        # What is sent is asked for, whatever is kept.
        assert client.send(SUMMARY) == {"n": 3}
        service.time.now = 30.0
        fresh = client.recent(SUMMARY)
        assert (fresh.answer, fresh.age) == ({"n": 4}, 0.0)


def test_an_answer_whose_service_says_nothing_is_never_kept() -> None:
    service = Service(Time())
    with _client(service, KEPT) as client:
        call: Call[Json] = Call("/errors", told)
        assert [client.recent(call).answer for _ in range(3)] == [{"n": 1}, {"n": 2}, {"n": 3}]


def test_refusals_are_not_kept() -> None:
    service = Service(Time(), status=500)
    with _client(service, KEPT) as client:
        with pytest.raises(ServerError):
            client.recent(SUMMARY)
        service.status = 200
        assert client.recent(SUMMARY).answer == {"n": 2}


def test_the_async_client_keeps_answers_too() -> None:
    service = Service(Time())

    async def ask() -> list[tuple[object, float]]:
        async with _async_client(service, KEPT) as client:
            found = [await client.recent(SUMMARY)]
            service.time.now = 12.0
            found.append(await client.recent(SUMMARY))
            service.time.now = 31.0
            found.append(await client.recent(SUMMARY))
        return [(each.answer, each.age) for each in found]

    assert anyio.run(ask) == [({"n": 1}, 0.0), ({"n": 1}, 12.0), ({"n": 2}, 0.0)]


def test_only_the_newest_answers_are_kept() -> None:
    service = Service(Time())
    always = Manners(refresh=lambda call: 30.0)
    with _client(service, always) as client:
        for call in _many("/of", 300):
            client.recent(call)
        assert client.recent(Call("/of/299", told)).answer == {"n": 300}
        assert client.recent(Call("/of/0", told)).answer == {"n": 301}


def test_every_documented_refresh_interval_is_a_lifetime() -> None:
    refresh = agent_studio.PLATFORM.manners.refresh
    calls: list[tuple[AnyCall, float | None]] = [
        (agent_studio.summary(), 30.0),
        (agent_studio.active_calls(), 10.0),
        (agent_studio.call_volume(), 60.0),
        (agent_studio.workflow_stats(), 60.0),
        (agent_studio.provider_latency(), 60.0),
        (agent_studio.error_logs(), 30.0),
        (agent_studio.call_detail("c-1"), None),
        (agent_studio.call_transcript("c-1"), None),
    ]
    assert [refresh(call) for call, _ in calls] == [seconds for _, seconds in calls]
