from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import anyio
import anyio.to_thread
import pytest

from talkscope.api import build
from talkscope.api.work import Work
from talkscope.client import AsyncClient, Client, PortalTransport
from talkscope.contract import SUMMARY
from talkscope.errors import DeadlineExceeded
from talkscope.models.questions import SummaryAsked
from tests.api.answering import Recorded, Slow, raw, transport
from tests.waiting import until, until_async

# Slow's query takes the engine years: that it ends at all is the interrupt's doing.


@pytest.fixture
def slow(tmp_path: Path) -> Iterator[Slow]:
    answering = Slow(tmp_path)
    yield answering
    answering.store.close()


def begun(slow: Slow, many: int) -> Coroutine[object, object, None]:
    return until_async(lambda: slow.began == many, f"{many} questions have begun")


def ended(slow: Slow) -> Coroutine[object, object, None]:
    return until_async(lambda: len(slow.ended) == slow.began, "all questions have ended")


def test_the_deadline_of_a_blocking_client_interrupts_the_engine(slow: Slow) -> None:
    with Client("http://app", transport=PortalTransport(transport(slow)), deadline=0.3) as client:
        began = time.monotonic()
        with pytest.raises(DeadlineExceeded):
            client.ask("summary")
        assert time.monotonic() - began < 0.3 + SOON
        until(lambda: len(slow.ended) == 1)
    assert slow.ended == ["DeadlineExceeded"]


def test_six_questions_of_blocking_clients_end_together(slow: Slow) -> None:
    late: list[str] = []
    with Client("http://app", transport=PortalTransport(transport(slow)), deadline=1.0) as client:

        def ask() -> None:
            try:
                client.ask("summary")
            except DeadlineExceeded:
                late.append("late")

        threads = [threading.Thread(target=ask) for _ in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        stopped = time.monotonic()
        until(lambda: len(slow.ended) == slow.began)
        assert time.monotonic() - stopped < SOON
    assert late == ["late"] * 6
    assert slow.ended == ["DeadlineExceeded"] * 6


def test_six_questions_of_an_async_client_end_when_their_caller_is_cancelled(slow: Slow) -> None:
    async def main() -> float:
        async with AsyncClient("http://app", transport=transport(slow)) as client:
            async with anyio.create_task_group() as group:
                for _ in range(6):
                    group.start_soon(client.ask, "summary")
                await until_async(lambda: slow.began == 6)
                group.cancel_scope.cancel()
            stopped = time.monotonic()
            await until_async(lambda: len(slow.ended) == 6)
            return time.monotonic() - stopped

    assert anyio.run(main) < SOON
    assert slow.ended == ["DeadlineExceeded"] * 6


def test_a_question_that_waits_for_its_turn_is_cancelled_before_it_begins(slow: Slow) -> None:
    async def main() -> None:
        async with AsyncClient("http://app", transport=transport(slow, limit=2)) as client:
            async with anyio.create_task_group() as group:
                for _ in range(5):
                    group.start_soon(client.ask, "summary")
                await until_async(lambda: slow.began == 2)
                group.cancel_scope.cancel()
            await until_async(lambda: len(slow.ended) == 2)

    anyio.run(main)
    assert slow.began == 2


def test_the_apps_own_deadline_holds_for_callers_that_have_none(slow: Slow) -> None:
    assert raw(slow, "GET", "/v1/ask/summary", app={"deadline": 0.2}).status_code == 504
    until(lambda: slow.ended == ["DeadlineExceeded"])


def test_a_caller_that_hangs_up_stops_its_question(slow: Slow) -> None:
    app = build(slow)

    async def main() -> None:
        gone = anyio.Event()
        calls = 0

        async def receive() -> dict[str, object]:
            nonlocal calls
            calls += 1
            if calls > 1:
                await gone.wait()
                return {"type": "http.disconnect"}
            return {"type": "http.request", "body": b"", "more_body": False}

        async def send(message: object) -> None:
            pass

        scope = {
            "type": "http", "method": "GET", "path": "/v1/ask/summary", "query_string": b"", "headers": [],
            "http_version": "1.1", "scheme": "http", "server": ("app", 80), "root_path": "", "raw_path": b"",
        }  # fmt: skip
        async with anyio.create_task_group() as group:
            group.start_soon(app, scope, receive, send)
            await until_async(lambda: slow.began == 1)
            gone.set()
        await until_async(lambda: len(slow.ended) == 1)

    anyio.run(main)
    assert slow.ended == ["DeadlineExceeded"]


def test_pings_are_answered_while_all_threads_are_busy(slow: Slow) -> None:
    async def main() -> float:
        async with AsyncClient("http://app", transport=transport(slow)) as client:
            async with anyio.create_task_group() as group:
                for _ in range(9):
                    group.start_soon(client.ask, "summary")
                await until_async(lambda: slow.began == 8)
                began = time.monotonic()
                # The default threads are nobody's here: blocking work elsewhere in the process goes on.
                await anyio.to_thread.run_sync(lambda: None)
                took = time.monotonic() - began
                group.cancel_scope.cancel()
            await until_async(lambda: len(slow.ended) == slow.began)
        return took

    assert anyio.run(main) < SOON


def test_work_that_was_cancelled_asks_nothing_more() -> None:
    answering = Recorded()
    work = Work(answering)
    work.cancel()
    with pytest.raises(DeadlineExceeded):
        work.ask(SUMMARY, SummaryAsked())
    assert answering.asked == []


def test_a_question_that_ended_leaves_no_thread_behind() -> None:
    before = {thread.name for thread in threading.enumerate()}
    assert raw(Recorded(), "GET", "/v1/ask/summary").status_code == 200
    after = {thread.name for thread in threading.enumerate()}
    assert "talkscope-interrupt" not in after - before
