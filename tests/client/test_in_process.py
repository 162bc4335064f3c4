from __future__ import annotations

import gzip
import logging
import threading
from collections.abc import Awaitable, Callable, MutableMapping
from concurrent.futures import Future
from typing import Any

import anyio
import httpx
import pytest

from talkscope.client import AsyncClient, Client, PortalTransport
from talkscope.errors import (
    AnswerTooLarge,
    BadAnswer,
    ConnectionFailed,
    DeadlineExceeded,
    Json,
    NotFound,
    ServerError,
    UsageError,
)
from talkscope.flow import Call, query
from tests.client.sockets import AT_ONCE, http, serving
from tests.waiting import SAFETY, until, until_async

Message = MutableMapping[str, Any]


class App:
    """Answers by path, and remembers what befell it."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, bytes, dict[bytes, bytes]]] = []
        self.hanging = threading.Event()
        self.cancelled = threading.Event()
        self.loops: set[int] = set()

    async def __call__(
        self, scope: Message, receive: Callable[[], Awaitable[Message]], send: Callable[[Message], Awaitable[None]]
    ) -> None:
        name = scope["path"].rpartition("/")[2]
        self.asked.append((name, scope["query_string"], dict(scope["headers"])))
        self.loops.add(threading.get_ident())
        status, body, headers = 200, b'{"n":1}', []
        if name == "hang":
            try:
                self.hanging.set()
                await anyio.sleep_forever()
            except anyio.get_cancelled_exc_class():
                self.cancelled.set()
                raise
        if name == "boom":
            raise RuntimeError("the text of an exception")
        if name == "missing":
            status, body = 404, b'{"error":{"code":"not_found","message":"No such session."}}'
        if name == "zipped":
            body, headers = gzip.compress(body), [(b"content-encoding", b"gzip")]
        if name == "large":
            body = b"[" + b"0," * 400_000 + b"0]"
        if name == "echo":
            body = (await receive())["body"]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        if name == "half":
            raise RuntimeError("the text of an exception")
        await send({"type": "http.response.body", "body": body})


def call(name: str) -> Call[object]:
    return Call(f"/v1/{name}", lambda body: body)


def blocking(app: App, name: str, **options: Any) -> object:
    transport = PortalTransport(httpx.ASGITransport(app, raise_app_exceptions=False))
    with Client("http://app", transport=transport, policy=AT_ONCE, **options) as client:
        return client.send(call(name))


def asynchronous(app: App, name: str, **options: Any) -> object:
    async def ask() -> object:
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        async with AsyncClient("http://app", transport=transport, policy=AT_ONCE, **options) as client:
            return await client.send(call(name))

    return anyio.run(ask)


@pytest.fixture(params=[blocking, asynchronous])
def ask(request: pytest.FixtureRequest) -> Callable[..., object]:
    return request.param


def test_an_app_in_process_answers_both_clients(ask: Callable[..., object]) -> None:
    app = App()
    assert [ask(app, name, key="k-1") for name in ("summary", "zipped")] == [{"n": 1}] * 2
    assert app.asked[0][2][b"convai-api-key"] == b"k-1"


def test_an_apps_exception_is_a_server_error_without_its_text(
    ask: Callable[..., object], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    with pytest.raises(ServerError) as caught:
        ask(App(), "boom")
    assert "the text" not in str(caught.value) + caplog.text


def test_an_answer_that_an_app_does_not_finish_is_a_bad_answer(ask: Callable[..., object]) -> None:
    with pytest.raises(BadAnswer):
        ask(App(), "half")


def test_an_apps_refusal_is_typed(ask: Callable[..., object]) -> None:
    with pytest.raises(NotFound, match="No such session"):
        ask(App(), "missing")


def test_the_cap_holds_in_process(ask: Callable[..., object]) -> None:
    with pytest.raises(AnswerTooLarge):
        ask(App(), "large", cap=100_000)


def test_a_hanging_app_is_cancelled_at_the_deadline(ask: Callable[..., object]) -> None:
    app = App()

    def ask_in_vain() -> None:
        with pytest.raises(DeadlineExceeded):
            ask(app, "hang", deadline=0.1)

    # On a busy machine the first deadline may be over before the app is asked.
    until(app.hanging.is_set, "the app is asked", meanwhile=ask_in_vain)
    until(app.cancelled.is_set, "the app is cancelled")


def test_cancelling_the_caller_cancels_the_request() -> None:
    app = App()

    async def main() -> None:
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        async with AsyncClient("http://app", transport=transport) as client, anyio.create_task_group() as group:
            group.start_soon(client.send, call("hang"))
            await until_async(app.hanging.is_set, "the app is asked")
            group.cancel_scope.cancel()

    anyio.run(main)
    assert app.cancelled.is_set()


def test_a_callers_own_deadline_stays_the_callers() -> None:
    app = App()

    async def main() -> bool:
        async with AsyncClient("http://app", transport=httpx.ASGITransport(app)) as client:
            with anyio.move_on_after(0.05) as scope:
                await client.send(call("hang"))
        return scope.cancelled_caught

    assert anyio.run(main)


def test_an_interrupted_caller_cancels_the_app(monkeypatch: pytest.MonkeyPatch) -> None:
    app = App()
    transport = PortalTransport(httpx.ASGITransport(app, raise_app_exceptions=False))

    waited = Future.result

    def interrupted(self: Future[object], timeout: float | None = None) -> object:
        if timeout is None:
            return waited(self)
        assert app.hanging.wait(SAFETY)
        raise KeyboardInterrupt

    with Client("http://app", transport=transport) as client:
        client.send(call("summary"))
        with monkeypatch.context() as patched:
            patched.setattr(Future, "result", interrupted)
            with pytest.raises(KeyboardInterrupt):
                client.send(call("hang"))
        until(app.cancelled.is_set, "the app is cancelled")


def test_the_loop_starts_with_the_first_request_and_ends_with_the_client() -> None:
    def loops() -> list[threading.Thread]:
        found = [thread for thread in threading.enumerate() if thread.name == "talkscope-app"]
        return [thread for thread in found if thread not in others]

    # Fixtures of other tests may keep clients of their own.
    others: list[threading.Thread] = []
    others = loops()
    app = App()
    client = Client("http://app", transport=PortalTransport(httpx.ASGITransport(app, raise_app_exceptions=False)))
    assert loops() == []
    for _ in range(3):
        client.send(call("summary"))
    assert len(loops()) == len(app.loops) == 1
    client.close()
    assert loops() == []
    with pytest.raises(UsageError):
        client.send(call("summary"))


def test_closing_ends_what_still_runs() -> None:
    app = App()
    client = Client("http://app", transport=PortalTransport(httpx.ASGITransport(app, raise_app_exceptions=False)))
    errors: list[Exception] = []

    def hang() -> None:
        try:
            client.send(call("hang"))
        except (ConnectionFailed, UsageError) as error:
            errors.append(error)

    thread = threading.Thread(target=hang)
    thread.start()
    assert app.hanging.wait(SAFETY)
    client.close()
    thread.join(SAFETY)
    assert (len(errors), app.cancelled.is_set()) == (1, True)


def test_threads_share_a_client_and_get_their_own_answers() -> None:
    app = App()
    transport = PortalTransport(httpx.ASGITransport(app, raise_app_exceptions=False))
    wrong: list[object] = []
    with Client("http://app", transport=transport) as client:

        def ask(each: int) -> None:
            for turn in range(10):
                body: Json = {"n": each * 100 + turn}
                answer = client.send(Call("/echo", lambda body: body, method="POST", body=body))
                if answer != body:
                    wrong.append(answer)

        threads = [threading.Thread(target=ask, args=(each,)) for each in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert wrong == []
    assert len(app.asked) == 60


def test_a_network_transport_behind_the_portal_works_too() -> None:
    with serving(http(b'{"n":2}')) as server:
        with Client(server.url, transport=PortalTransport(httpx.AsyncHTTPTransport()), key="k-1") as client:
            assert client.send(Call("/x", lambda body: body, query({"a": 1}))) == {"n": 2}
    assert server.targets == ["/x?a=1"]


def test_the_portal_stops_reading_an_endless_body() -> None:
    class Endless(httpx.AsyncBaseTransport):
        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            return httpx.Response(200, stream=_Spaces())

    with Client("http://app", transport=PortalTransport(Endless()), cap=100_000) as client:
        with pytest.raises(AnswerTooLarge):
            client.send(call("x"))


class _Spaces(httpx.AsyncByteStream):
    async def __aiter__(self):
        while True:
            yield b" " * 4096
            await anyio.lowlevel.checkpoint()
