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
from tests.waiting import SAFETY, until, until_async


@pytest.fixture
def slow(tmp_path: Path) -> Iterator[Slow]:
    answering = Slow(tmp_path)
    yield answering
    answering.store.close()


def ask_in_vain(client: Client) -> None:
    with pytest.raises(DeadlineExceeded):
        client.ask("summary")


# On a busy machine a deadline may be over before its question begins: then it is asked again.


def test_the_deadline_of_a_blocking_client_interrupts_the_engine(slow: Slow) -> None:
    with Client("http://app", transport=PortalTransport(transport(slow)), deadline=0.3) as client:
        until(lambda: slow.began, "a question begins", meanwhile=lambda: ask_in_vain(client))
        until(lambda: slow.rests, "the engine is interrupted")
    assert set(slow.ended) == {"DeadlineExceeded"}


def test_six_questions_of_blocking_clients_end_together(slow: Slow) -> None:
    with Client("http://app", transport=PortalTransport(transport(slow)), deadline=1.0) as client:

        def six_in_vain() -> None:
            threads = [threading.Thread(target=ask_in_vain, args=(client,)) for _ in range(6)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            until(lambda: slow.rests, "all six are interrupted")

        until(lambda: slow.most == 6, "six questions run at once", meanwhile=six_in_vain)
    assert set(slow.ended) == {"DeadlineExceeded"}


def test_six_questions_of_an_async_client_end_when_their_caller_is_cancelled(slow: Slow) -> None:
    async def main() -> None:
        async with AsyncClient("http://app", transport=transport(slow)) as client:
            async with anyio.create_task_group() as group:
                for _ in range(6):
                    group.start_soon(client.ask, "summary")
                await until_async(lambda: slow.began == 6, "all six begin")
                group.cancel_scope.cancel()
            await until_async(lambda: slow.rests, "all six are interrupted")

    anyio.run(main)
    assert slow.ended == ["DeadlineExceeded"] * 6


def test_a_question_that_waits_for_its_turn_is_cancelled_before_it_begins(slow: Slow) -> None:
    async def main() -> None:
        async with AsyncClient("http://app", transport=transport(slow, limit=2)) as client:
            async with anyio.create_task_group() as group:
                for _ in range(5):
                    group.start_soon(client.ask, "summary")
                await until_async(lambda: slow.began == 2, "two begin")
                group.cancel_scope.cancel()
            await until_async(lambda: slow.rests, "both are interrupted")

    anyio.run(main)
    assert slow.began == 2


def test_the_apps_own_deadline_holds_for_callers_that_have_none(slow: Slow) -> None:
    def ask_in_vain() -> None:
        assert raw(slow, "GET", "/v1/ask/summary", app={"deadline": 0.2}).status_code == 504

    until(lambda: slow.began, "a question begins", meanwhile=ask_in_vain)
    until(lambda: slow.rests, "the engine is interrupted")
    assert set(slow.ended) == {"DeadlineExceeded"}


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
            await until_async(lambda: slow.began, "the question begins")
            gone.set()
        await until_async(lambda: slow.rests, "the engine is interrupted")

    anyio.run(main)
    assert slow.ended == ["DeadlineExceeded"]


def test_the_threads_of_others_stay_free_while_all_of_the_apps_are_busy(slow: Slow) -> None:
    async def main() -> None:
        # As many as the app may have: were they the app's, none would be left, and the questions never end.
        anyio.to_thread.current_default_thread_limiter().total_tokens = 8
        async with AsyncClient("http://app", transport=transport(slow), deadline=3600) as client:
            async with anyio.create_task_group() as group:
                for _ in range(9):
                    group.start_soon(client.ask, "summary")
                await until_async(lambda: slow.began == 8, "eight begin")
                with anyio.fail_after(SAFETY):
                    await anyio.to_thread.run_sync(lambda: None, abandon_on_cancel=True)
                assert slow.ended == []
                group.cancel_scope.cancel()
            await until_async(lambda: slow.rests, "all eight are interrupted")

    anyio.run(main)
    assert slow.ended == ["DeadlineExceeded"] * 8


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
