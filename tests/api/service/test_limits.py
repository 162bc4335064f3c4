"""Plans and limits against a clock that the test holds."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import anyio
import httpx
import pytest

from talkscope.api import service
from talkscope.api.accounts import PLANS, Accounts, Book, Key, Limits, Meter
from talkscope.errors import InvalidArgument, NotFound, RateLimited, UnknownName
from tests.api.answering import Recorded


class Clock:
    def __init__(self) -> None:
        self.now = datetime(2026, 5, 30, 23, 58, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def pass_(self, **time: float) -> None:
        self.now += timedelta(**time)


class Desk:
    """An accounts' book with its clock."""

    def __init__(self, folder: Path) -> None:
        self.clock = Clock()
        self.book = Book(folder / "keys.sqlite")
        self.accounts = Accounts(self.book, folder, clock=self.clock)
        self.meter = Meter(self.book, clock=self.clock)

    def key(self, **limits: int) -> Key:
        return self.accounts.add("ada", plan_name="enterprise", limits=Limits(**limits))[0]

    def passes(self, key: Key, times: int) -> int:
        """How many of so many calls pass."""
        passed = 0
        for _ in range(times):
            try:
                self.meter.count(key)
                passed += 1
            except RateLimited:
                pass
        return passed

    def refusal(self, key: Key) -> RateLimited:
        with pytest.raises(RateLimited) as caught:
            self.meter.count(key)
        return caught.value


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    found = Desk(tmp_path)
    yield found
    found.book.close()


def test_the_plans_are_those_of_the_contract() -> None:
    limits = {name: plan.limits for name, plan in PLANS.items()}
    assert list(limits) == ["none", "free", "starter", "scale", "business", "enterprise"]
    assert limits["scale"] == Limits(60, 1_000)
    assert limits["business"] == Limits(300, 10_000)
    assert limits["enterprise"] == Limits(1_000)
    assert limits["free"].per_minute == limits["starter"].per_minute == 10
    assert limits["free"].per_month is not None


def test_no_minute_ever_holds_more_calls_than_the_limit(desk: Desk) -> None:
    key = desk.key(per_minute=6)
    times = []
    for _ in range(400):
        desk.clock.pass_(seconds=3.7)
        if desk.passes(key, 1):
            times.append(desk.clock.now)
    most = max(sum(start <= at < start + timedelta(minutes=1) for at in times) for start in times)
    assert most == 6


def test_a_refusal_says_exactly_when_the_next_call_passes(desk: Desk) -> None:
    key = desk.key(per_minute=2)
    assert desk.passes(key, 1) == 1
    desk.clock.pass_(seconds=20.5)
    assert desk.passes(key, 3) == 1
    assert desk.refusal(key).retry_after == 40
    desk.clock.pass_(seconds=39.4)
    assert desk.refusal(key).retry_after == 1
    desk.clock.pass_(seconds=0.1)
    assert desk.passes(key, 2) == 1


def test_a_hundred_threads_get_exactly_what_the_limits_allow(desk: Desk) -> None:
    key = desk.key(per_minute=60, per_day=50)
    with ThreadPoolExecutor(20) as pool:
        passed = sum(pool.map(lambda _: desk.passes(key, 1), range(100)))
    assert passed == 50


def test_quotas_renew_with_the_day_and_the_month(desk: Desk) -> None:
    daily, monthly = desk.key(per_day=3), desk.key(per_month=5)
    assert (desk.passes(daily, 5), desk.passes(monthly, 4)) == (3, 4)
    told = desk.refusal(daily)
    assert (told.code, told.retry_after, told.details["window"]) == ("quota_exceeded", 120, "day")
    desk.clock.pass_(minutes=2)
    assert (desk.passes(daily, 5), desk.passes(monthly, 4)) == (3, 1)
    assert desk.refusal(monthly).retry_after == 86_400
    desk.clock.pass_(days=1)
    assert (desk.passes(daily, 5), desk.passes(monthly, 9)) == (3, 5)


def test_what_is_refused_is_not_counted(desk: Desk) -> None:
    key = desk.key(per_minute=2, per_day=4)
    assert desk.passes(key, 50) == 2
    desk.clock.pass_(seconds=60)
    assert desk.passes(key, 50) == 2
    desk.clock.pass_(seconds=60)
    assert desk.passes(key, 50) == 2


def test_a_clock_that_is_set_back_blocks_nobody_for_longer_than_two_minutes(desk: Desk) -> None:
    key = desk.key(per_minute=2)
    assert desk.passes(key, 2) == 2
    desk.clock.pass_(hours=-5)
    assert desk.passes(key, 3) == 2


def test_a_zero_lifts_a_limit_and_another_number_replaces_it(desk: Desk) -> None:
    key, _ = desk.accounts.add("ada", plan_name="scale", limits=Limits(0, 7))
    assert key.limits == Limits(None, 7)
    assert desk.passes(key, 70) == 7


def test_counts_are_the_keys_own(desk: Desk) -> None:
    one, other = desk.key(per_minute=1), desk.key(per_minute=1)
    assert (desk.passes(one, 2), desk.passes(other, 2)) == (1, 1)


@pytest.mark.parametrize("name", ["", "Ada", "../ada", "a/b", ".", "..", "a\\b", "a b", "con", "x" * 64, "ä", "a\n"])
def test_what_is_no_plain_name_cannot_be_an_account(desk: Desk, name: str) -> None:
    with pytest.raises(InvalidArgument):
        desk.accounts.add(name, plan_name="free")
    assert desk.accounts.all() == []


def test_no_two_accounts_share_a_folder(desk: Desk, tmp_path: Path) -> None:
    place = tmp_path.parent / "elsewhere"
    desk.accounts.add("ada", plan_name="free", folder=place)
    for folder in (place, place / "inside", place.parent, tmp_path, tmp_path / "accounts" / "ada"):
        with pytest.raises(InvalidArgument):
            desk.accounts.add("bob", plan_name="free", folder=folder)
    with pytest.raises(InvalidArgument, match="begins with ~"):
        desk.accounts.add("bob", plan_name="free", folder=Path("~no such user/x"))
    with pytest.raises(InvalidArgument):
        desk.accounts.add("ada", plan_name="free", folder=tmp_path.parent / "third")
    desk.accounts.add("ada", plan_name="free", folder=place)
    assert desk.accounts.folder("ada") == place
    with pytest.raises(NotFound):
        desk.accounts.folder("bob")


def test_an_unknown_plan_and_an_unknown_key_are_told(desk: Desk) -> None:
    with pytest.raises(UnknownName, match="'business'"):
        desk.accounts.add("ada", plan_name="busines")
    with pytest.raises(NotFound):
        desk.accounts.revoke("00000000")


def test_calls_without_a_key_plans_that_refuse_and_health_count_for_nothing(desk: Desk) -> None:
    _, text = desk.accounts.add("ada", plan_name="scale", limits=Limits(per_minute=2))
    app = service.build(lambda account: Recorded(), service.KeyGate(desk.accounts, desk.meter), clock=desk.clock)

    async def ask(path: str, text: str | None) -> int:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://localhost") as client:
            return (await client.get(path, headers={"x-api-key": text} if text else {})).status_code

    statuses = [anyio.run(ask, path, sent) for path, sent in (
        ("/healthz", text), ("/readyz", text), ("/v1/ask/summary", None), ("/v1/ask/regressions", text),
        ("/v1/ask/summary", text), ("/v1/nowhere", text), ("/v1/ask/summary", text), ("/v1/ask/summary", None),
    )]  # fmt: skip
    assert statuses == [200, 200, 401, 403, 200, 404, 429, 401]


def test_who_guesses_keys_needs_a_new_connection_for_each_and_locks_nobody_out(desk: Desk) -> None:
    _, text = desk.accounts.add("ada", plan_name="scale", limits=Limits(0, 0, 0))
    timer = iter(range(10_000))
    gate = service.KeyGate(desk.accounts, desk.meter, timer=lambda: next(timer) / 10)
    app = service.build(lambda account: Recorded(), gate, clock=desk.clock)

    async def ask() -> list[tuple[int, str | None]]:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://localhost") as client:
            guesses = [await client.get("/v1/ask/summary", headers={"x-api-key": f"tsk_{n}"}) for n in range(150)]
            known = await client.get("/v1/ask/summary", headers={"x-api-key": text})
            return [(each.status_code, each.headers.get("connection")) for each in (*guesses, known)]

    *guesses, known = anyio.run(ask)
    assert guesses == [(401, None)] * 100 + [(401, "close")] * 50
    assert known == (200, None)


def test_a_service_that_cannot_look_up_keys_is_not_ready_and_lets_nobody_in(desk: Desk) -> None:
    _, text = desk.accounts.add("ada", plan_name="scale")
    app = service.build(lambda account: Recorded(), service.KeyGate(desk.accounts, desk.meter), clock=desk.clock)
    desk.book.close()

    async def ask(path: str) -> httpx.Response:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://localhost") as client:
            return await client.get(path, headers={"x-api-key": text})

    assert anyio.run(ask, "/healthz").status_code == 200
    ready = anyio.run(ask, "/readyz")
    assert (ready.status_code, ready.json()["status"]) == (503, "unavailable")
    refused = anyio.run(ask, "/v1/ask/summary")
    assert (refused.status_code, refused.json()["error"]["code"]) == (503, "keys_unusable")


def test_a_service_that_is_told_to_stop_is_not_ready(desk: Desk) -> None:
    app = service.build(lambda account: Recorded(), service.OpenGate("local"), clock=desk.clock)
    app.stop()

    async def ask(path: str) -> httpx.Response:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://localhost") as client:
            return await client.get(path)

    assert anyio.run(ask, "/healthz").status_code == 200
    assert (anyio.run(ask, "/readyz").status_code, anyio.run(ask, "/readyz").json()["status"]) == (503, "stopping")
