"""How a server ends: what runs is finished or told, nothing new begins, and slow clients do not hold it."""

from __future__ import annotations

import signal
import socket
import sys
import threading
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import anyio
import httpx
import pytest

from talkscope.api import replies, service
from talkscope.api.service import app as api_app
from talkscope.models.answers import Answer
from talkscope.models.questions import Asked
from talkscope.warehouse.store import Stop
from tests.api.answering import META, Recorded
from tests.api.service.serving import Served, fill, process, serving
from tests.waiting import until, until_async

ROOT = Path(__file__).parent.parent.parent.parent
PROGRAM = Path(__file__).with_name("slow_server.py")
pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows sends no signals to another process")


@contextmanager
def slow(folder: Path, *words: str) -> Iterator[Served]:
    paths = f"{ROOT / 'src'}:{ROOT}"
    with process([str(PROGRAM), str(folder), *words], folder, PYTHONPATH=paths) as served:
        yield served


def refused(served: Served) -> bool:
    try:
        httpx.get(f"{served.url}/healthz", trust_env=False).close()
    except httpx.HTTPError:
        return True
    return False


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_what_runs_is_finished_while_nothing_new_is_accepted(tmp_path: Path, number: int) -> None:
    with slow(tmp_path, "60") as served, ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(served.get, "/v1/ask/summary")
        until((tmp_path / "began").exists, "the question")
        served.process.send_signal(number)
        until(lambda: refused(served), "the end of new connections")
        (tmp_path / "end").touch()
        reply = waiting.result()
        assert (reply.status_code, reply.json()["rows"]) == (200, [["local"]])
        assert served.process.wait(30) == 0
    assert served.errors.read_text(encoding="utf-8") == ""


def test_after_the_grace_what_still_runs_is_interrupted_and_its_caller_told(tmp_path: Path) -> None:
    (tmp_path / "endless").touch()
    with slow(tmp_path, "0.1") as served, ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(served.get, "/v1/ask/summary")
        until((tmp_path / "began").exists, "the question")
        assert served.stop() == 0
        reply = waiting.result()
        assert (reply.status_code, reply.json()["error"]["code"]) == (503, "stopping")


def test_a_second_signal_ends_it_at_once(tmp_path: Path) -> None:
    with slow(tmp_path, "600") as served, ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(served.get, "/v1/ask/summary")
        until((tmp_path / "began").exists, "the question")
        served.process.send_signal(signal.SIGTERM)
        until(lambda: refused(served), "the end of new connections")
        assert served.stop() == 128 + signal.SIGTERM
        with pytest.raises(httpx.HTTPError):
            waiting.result()


def test_a_real_server_ends_with_0_and_leaves_nothing_open(tmp_path: Path) -> None:
    fill(tmp_path, "ada")
    place = tmp_path / "root" / "accounts" / "ada"
    with serving(tmp_path, "--no-keys", "--warehouse", str(place)) as served:
        assert len(served.get("/v1/analytics/sessions").json()["sessions"]) == 3
        assert served.stop() == 0
    assert served.errors.read_text(encoding="utf-8") == ""
    assert not list(place.rglob("spill*"))


def test_a_client_that_sends_its_head_too_slowly_is_cut_off(tmp_path: Path) -> None:
    with slow(tmp_path, "1", "0.2") as served:
        address = served.url.removeprefix("http://").split(":")
        for sent in (b"", b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nX-Slow: "):
            with socket.create_connection((address[0], int(address[1])), timeout=30) as client:
                client.sendall(sent)
                assert client.recv(1_024) == b""
        assert served.get("/healthz").status_code == 200


def test_a_client_that_drips_after_an_answer_is_cut_off(tmp_path: Path) -> None:
    with slow(tmp_path, "1", "0.2") as served:
        address = served.url.removeprefix("http://").split(":")
        with socket.create_connection((address[0], int(address[1])), timeout=30) as client:
            client.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\nGET /he")
            told = b""
            while more := client.recv(1_024):
                told += more
        assert told.count(b"HTTP/1.1 200") == 1


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere a process's open sockets are not listed as files")
def test_a_client_that_does_not_read_its_answer_is_cut_off(tmp_path: Path) -> None:
    (tmp_path / "end").touch()
    (tmp_path / "large").touch()
    with slow(tmp_path, "1", "0.2") as served:

        def sockets() -> int:
            links = [link for link in Path(f"/proc/{served.process.pid}/fd").iterdir() if link.is_symlink()]
            return sum(str(link.readlink()).startswith("socket:") for link in links)

        before = sockets()
        address = served.url.removeprefix("http://").split(":")
        with socket.create_connection((address[0], int(address[1])), timeout=30) as client:
            client.sendall(b"GET /v1/ask/summary HTTP/1.1\r\nHost: localhost\r\n\r\n")
            assert client.recv(12) == b"HTTP/1.1 200"
            until(lambda: sockets() == before, "the end of the connection")
            told = 0
            while more := client.recv(1 << 20):
                told += len(more)
        assert told < 40_000_000


def test_a_body_that_does_not_come_is_408(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(replies, "BODY_SECONDS", 0.05)
    app = service.build(lambda account: Recorded(), service.OpenGate("local"), clock=lambda: datetime.now(UTC))

    async def ask() -> httpx.Response:
        async def body() -> AsyncIterator[bytes]:
            yield b"{"
            await anyio.sleep_forever()

        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://localhost") as client:
            return await client.post("/v1/ask/query", content=body())

    reply = anyio.run(ask)
    assert (reply.status_code, reply.json()["error"]["code"]) == (408, "body_too_slow")


def test_beyond_what_it_can_do_at_once_it_says_so_and_health_still_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(api_app, "_MOST_AT_ONCE", 1)
    begun, end = threading.Event(), threading.Event()

    def answer(name: str, asked: Asked, stop: Stop) -> Answer:
        begun.set()
        assert end.wait(60)
        return Answer(columns=[], rows=[], meta=META)

    app = service.build(lambda account: answer, service.OpenGate("local"), clock=lambda: datetime.now(UTC))
    statuses: list[int] = []

    async def ask() -> httpx.Response:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://localhost") as client:

            async def first() -> None:
                statuses.append((await client.get("/v1/ask/summary")).status_code)

            async with anyio.create_task_group() as group:
                group.start_soon(first)
                await until_async(begun.is_set, "the first question")
                refused = await client.get("/v1/ask/summary")
                statuses.append((await client.get("/readyz")).status_code)
                end.set()
            return refused

    refused = anyio.run(ask)
    assert (refused.status_code, refused.json()["error"]["code"], refused.headers["Retry-After"]) == (503, "busy", "1")
    assert statuses == [200, 200]


def test_nonsense_is_answered_with_400_in_json(tmp_path: Path) -> None:
    with slow(tmp_path, "1") as served:
        address = served.url.removeprefix("http://").split(":")
        head = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n" + b"X-Long: " + b"x" * 100_000
        for sent in (b"nonsense\r\n\r\n", head):
            with socket.create_connection((address[0], int(address[1])), timeout=30) as client:
                client.sendall(sent)
                told = client.recv(4_096)
            assert told.startswith(b"HTTP/1.1 400 ")
            assert b'"code":"bad_request"' in told


def test_a_question_has_the_deadline_of_the_settings(tmp_path: Path) -> None:
    words = ("--no-keys", "--warehouse", str(tmp_path / "w"))
    with serving(tmp_path, *words, TALKSCOPE_DEADLINE="0.000001") as served:
        reply = served.get("/v1/analytics/summary")
        assert (reply.status_code, reply.json()["error"]["code"]) == (504, "deadline_exceeded")
