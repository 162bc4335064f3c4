from __future__ import annotations

import contextlib
import threading
import time
from email.utils import formatdate

import pytest

from talkscope.errors import (
    AnswerTooLarge,
    BadAnswer,
    ConnectionFailed,
    DeadlineExceeded,
    RateLimited,
    ServerError,
    TalkscopeError,
)
from talkscope.flow import Call, Failed, Policy, Reply, RetryBudget
from tests.flow.driving import NOW, OK, SUMMARY, Driver, reply, told

BUSY = reply(503)


@pytest.mark.parametrize(
    "trouble",
    [
        Failed("connect", "Connection refused"),
        Failed("timeout"),
        reply(502),
        reply(503),
        reply(504),
        reply(429, retry_after="1"),
        reply(429, {"error": {"code": "rate_limited", "message": "slow down"}}, retry_after="60"),
        reply(429, {"error": {"code": "rate_limited", "message": "slow down", "details": {"retry_after": 2}}}),
        reply(429, {"error": {"message": "slow down", "details": {"quota": False}}}, retry_after="1"),
        reply(429, {"error": {"message": "slow down", "details": {"quota": None}}}, retry_after="1"),
    ],
    ids=repr,
)
def test_a_read_is_asked_again_after_passing_trouble(trouble: Reply | Failed) -> None:
    driver = Driver([trouble, OK], policy=Policy(deadline=100))
    assert driver.ask(SUMMARY) == {"n": 1}
    assert len(driver.requests) == 2


@pytest.mark.parametrize(
    "trouble",
    [
        *(reply(status) for status in (400, 401, 402, 403, 404, 405, 408, 409, 410, 422, 500, 501, 505, 301, 302, 307)),
        reply(429),
        reply(429, retry_after="61"),
        reply(429, retry_after="nan"),
        reply(503, retry_after="61"),
        reply(429, {"error": {"code": "monthly_quota_exceeded", "message": "used up"}}, retry_after="1"),
        reply(429, {"error": {"code": "rate_limited", "message": "Monthly Quota used up"}}, retry_after="1"),
        reply(429, {"error": {"code": "rate_limited", "message": "no", "details": {"quota": 0}}}, retry_after="1"),
        reply(503, {"error": {"code": "x", "message": "no", "details": {"quota": {"used": 9}}}}),
        reply(200, b""),
        reply(200, b"<html>"),
        Failed("too_large"),
        Failed("encoding", "it comes as br"),
        Failed("truncated", "its gzip ends early"),
    ],
    ids=repr,
)
def test_what_would_fail_again_is_not_asked_again(trouble: Reply | Failed) -> None:
    driver = Driver([trouble, OK], policy=Policy(deadline=1000))
    with pytest.raises(TalkscopeError):
        driver.ask(SUMMARY)
    assert (len(driver.requests), driver.waits) == (1, [])


@pytest.mark.parametrize("trouble", [Failed("connect"), Failed("timeout"), BUSY, reply(429, retry_after="1")], ids=repr)
def test_a_call_that_changes_something_is_never_asked_again(trouble: Reply | Failed) -> None:
    driver = Driver([trouble, OK])
    with pytest.raises(TalkscopeError):
        driver.ask(Call("/reports", told, method="POST", body={}, read_only=False))
    assert len(driver.requests) == 1


def test_a_question_sent_as_a_post_is_still_a_read() -> None:
    driver = Driver([BUSY, OK])
    assert driver.ask(Call("/query", told, method="POST", body={"n": 1})) == {"n": 1}
    assert driver.requests[0].body == driver.requests[1].body


def test_pauses_double_up_to_a_limit_and_are_jittered() -> None:
    policy = Policy(deadline=1000, attempts=6, first_wait=1.0, longest_wait=5.0)
    for chance in (0.0, 0.25, 0.999):
        driver = Driver([BUSY], policy=policy, chance=chance)
        with pytest.raises(ServerError):
            driver.ask(SUMMARY)
        assert driver.waits == [chance * pause for pause in (1, 2, 4, 5, 5)]


def test_a_call_is_tried_a_few_times_only() -> None:
    driver = Driver([Failed("connect", "Connection refused")], policy=Policy(deadline=1000, attempts=3))
    with pytest.raises(ConnectionFailed, match="did not answer: Connection refused"):
        driver.ask(SUMMARY)
    assert len(driver.requests) == 3


def test_retry_after_is_never_undercut() -> None:
    driver = Driver([reply(429, retry_after="7"), OK], chance=0.0)
    driver.ask(SUMMARY)
    assert driver.waits == [7.0]


@pytest.mark.parametrize("status", [429, 503])
def test_a_long_retry_after_is_handed_to_the_caller(status: int) -> None:
    driver = Driver([reply(status, retry_after="61"), OK], policy=Policy(deadline=1000))
    with pytest.raises(RateLimited if status == 429 else ServerError) as caught:
        driver.ask(SUMMARY)
    assert caught.value.retry_after == 61
    assert driver.waits == []


def test_a_retry_after_past_the_deadline_is_not_slept_through() -> None:
    driver = Driver([reply(429, retry_after="20"), OK], policy=Policy(deadline=10))
    with pytest.raises(RateLimited) as caught:
        driver.ask(SUMMARY)
    assert (caught.value.retry_after, driver.waits) == (20, [])


def test_each_attempt_gets_only_the_time_that_is_left() -> None:
    driver = Driver([BUSY], policy=Policy(deadline=10, first_wait=2.0, attempts=9), chance=0.5, takes=2.0)
    with pytest.raises(ServerError):
        driver.ask(SUMMARY)
    assert [request.timeout for request in driver.requests] == [10.0, 7.0, 3.0]


def test_a_call_may_have_its_own_deadline_and_cap() -> None:
    driver = Driver([OK], policy=Policy(deadline=10, cap=1000))
    driver.ask(SUMMARY)
    driver.ask(Call("/rows", told, deadline=300, cap=2**30))
    assert [(request.timeout, request.cap) for request in driver.requests] == [(10, 1000), (300, 2**30)]


def test_time_that_is_up_is_a_deadline_and_not_a_failed_connection() -> None:
    driver = Driver([Failed("connect", "connecting took too long")], policy=Policy(deadline=10), takes=10.0)
    with pytest.raises(DeadlineExceeded, match="within 10 s"):
        driver.ask(SUMMARY)
    driver = Driver([Failed("timeout")], policy=Policy(deadline=10), takes=10.0)
    with pytest.raises(DeadlineExceeded):
        driver.ask(SUMMARY)


def test_a_storm_of_callers_is_not_multiplied() -> None:
    budget = RetryBudget()
    asked = 0
    for _ in range(200):
        driver = Driver([BUSY], budget=budget, policy=Policy(deadline=1000))
        with pytest.raises(ServerError):
            driver.ask(SUMMARY)
        asked += len(driver.requests)
    assert asked == 200 + 10


def test_trouble_with_one_call_in_six_is_always_retried() -> None:
    budget = RetryBudget()
    asked = 0
    for each in range(600):
        driver = Driver([OK] if each % 6 else [BUSY, OK], budget=budget)
        driver.ask(SUMMARY)
        asked += len(driver.requests)
    assert asked == 700


def test_trouble_with_every_second_call_stays_near_1_2_requests_a_call() -> None:
    budget = RetryBudget()
    asked = 0
    for each in range(1000):
        driver = Driver([OK] if each % 2 else [BUSY, OK], budget=budget)
        with contextlib.suppress(ServerError):
            driver.ask(SUMMARY)
        asked += len(driver.requests)
    assert 1100 < asked <= 1000 * 1.2 + 10


def test_a_full_budget_does_not_grow() -> None:
    budget = RetryBudget()
    for _ in range(1000):
        Driver([OK], budget=budget).ask(SUMMARY)
    assert sum(budget.spend() for _ in range(100)) == 10


def test_ten_answers_earn_exactly_two_retries() -> None:
    budget = RetryBudget(tokens=10, earned=0.2)
    while budget.spend():
        pass
    for _ in range(10):
        budget.earn()
    assert [budget.spend() for _ in range(3)] == [True, True, False]


class Slow(float):
    """A number that lets other threads run while it is compared."""

    def __lt__(self, other: float) -> bool:
        time.sleep(0)
        return float(self) < other

    def __sub__(self, other: float) -> Slow:
        return Slow(float(self) - other)


def test_threads_share_one_budget() -> None:
    budget = RetryBudget(tokens=Slow(200))
    taken: list[int] = []
    threads = [threading.Thread(target=lambda: taken.append(sum(budget.spend() for _ in range(100)))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(taken) == 200


def test_a_wait_that_outlasts_the_deadline_is_followed_by_no_request() -> None:
    driver = Driver([BUSY, OK], policy=Policy(deadline=10), oversleeps=60.0)
    with pytest.raises(ServerError):
        driver.ask(SUMMARY)
    assert len(driver.requests) == 1


@pytest.mark.parametrize(
    ("trouble", "kind", "words"),
    [
        (Failed("too_large"), AnswerTooLarge, "more than 5,000 bytes"),
        (Failed("encoding", "it comes as br, which was not asked for"), BadAnswer, "it comes as br"),
        (Failed("truncated", "its gzip ends early"), BadAnswer, "its gzip ends early"),
        (Failed("connect"), ConnectionFailed, "did not answer"),
    ],
)
def test_each_way_to_get_no_answer_has_its_error(trouble: Failed, kind: type[TalkscopeError], words: str) -> None:
    with pytest.raises(kind, match=words):
        Driver([trouble], policy=Policy(cap=5000)).ask(SUMMARY)


def test_a_date_to_come_back_at_is_waited_for() -> None:
    driver = Driver([reply(429, retry_after=formatdate(NOW + 5, usegmt=True)), OK], chance=0.0)
    driver.ask(SUMMARY)
    assert driver.waits == [5.0]
