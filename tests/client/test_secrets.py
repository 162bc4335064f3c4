from __future__ import annotations

import copy
import logging
import pickle
import traceback

import anyio
import httpx
import pytest
from pydantic import SecretStr

from talkscope.client import AsyncClient, Client
from talkscope.errors import InvalidArgument, TalkscopeError
from talkscope.flow import Call, query
from tests.client.sockets import AT_ONCE, Send, http, serving

KEY = "ck_live_abcdef123456"
CALL = Call("/sessions", lambda body: body, query({"end_user": "ann@example.org"}))


@pytest.mark.parametrize("key", [KEY, SecretStr(KEY), f" {KEY}\n"])
def test_the_key_is_sent_in_its_header(send: Send, key: str) -> None:
    with serving(http()) as server:
        send(server.url, CALL, key=key)
        send(server.url, CALL, key=f"Bearer {KEY}", key_header="Authorization")
        send(server.url, CALL)
    first, second, third = server.headers
    assert (first["convai-api-key"], "authorization" in first) == (KEY, False)
    assert (second["authorization"], "convai-api-key" in second) == (f"Bearer {KEY}", False)
    assert {"authorization", "convai-api-key"} & third.keys() == set()


def test_nothing_that_can_be_printed_holds_the_key() -> None:
    with serving(http()) as server:
        client = Client(server.url, key=KEY)
        client.send(CALL)
        shown = [repr(client), str(client), repr(vars(client))]
        pool = vars(client)["_opened"]
        shown += [repr(pool.headers.raw), repr(vars(pool))]
        client.close()
    assert KEY not in "".join(shown)
    assert repr(client) == f"Client('{server.url}')"


@pytest.mark.parametrize("client", [Client("https://x.example", key=KEY), AsyncClient("https://x.example", key=KEY)])
def test_a_client_cannot_be_pickled_or_copied(client: Client | AsyncClient) -> None:
    for copied in (pickle.dumps, copy.copy, copy.deepcopy):
        with pytest.raises(TypeError, match="cannot be copied"):
            copied(client)


@pytest.mark.parametrize(
    "answer",
    [
        http(
            f'{{"error":{{"code":"{KEY}","message":"x {KEY}","hint":"{KEY}","details":{{"{KEY}":"{KEY}"}}}}}}'.encode(),
            401,
        ),
        http(f"you sent {KEY} to /sessions?end_user=ann@example.org".encode(), 500),
        http(b"", 302, Location=f"https://{KEY}.example/?k={KEY}"),
        http(f"<p>{KEY}".encode()),
        http(f'"{KEY}"'.encode()),
        http(KEY.encode()),
        b"HTTP/1.1 " + KEY.encode() + b"\r\n\r\n",
        b"",
    ],
    ids=lambda answer: repr(answer)[2:40],
)
def test_no_error_holds_the_key_or_the_query(send: Send, answer: bytes) -> None:
    with serving(answer) as server, pytest.raises(TalkscopeError) as caught:
        send(server.url, CALL, key=KEY)
    error = caught.value
    shown = "".join(traceback.format_exception(error)) + repr(error.to_json()) + repr(error)
    assert KEY not in shown
    assert "ann@example.org" not in shown
    assert error.__cause__ is None


def test_no_log_line_holds_the_key_or_the_query(send: Send, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    with serving(http()) as server:
        send(server.url, CALL, key=KEY)
    said = "\n".join(record.getMessage() for record in caplog.records)
    assert f"GET {server.url}/sessions" in said
    assert KEY not in said
    assert "ann@example.org" not in said
    assert "end_user" not in said


def test_requests_of_others_are_logged_as_ever(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    with httpx.Client(transport=httpx.MockTransport(lambda request: httpx.Response(200))) as theirs:
        theirs.get("https://other.example/?page=2")
    assert "https://other.example/?page=2" in caplog.text


@pytest.mark.parametrize("key", ["", "  ", "a\nb", "a\r\nX-Other: 1", "clé", "\x00", "a\x7f", SecretStr("")])
def test_a_key_that_no_header_can_hold_is_refused_without_being_shown(key: str | SecretStr) -> None:
    for kind in (Client, AsyncClient):
        with pytest.raises(InvalidArgument, match="The key is empty, or holds characters") as caught:
            kind("https://x.example", key=key)
        assert "X-Other" not in str(caught.value)


@pytest.mark.parametrize(
    "name",
    [
        "Authorization",
        "Cookie",
        "X-API-Key",
        "convai-api-key",
        "Host",
        "Accept-Encoding",
        "Content-Length",
        "X-Own-Key",
    ],
)
def test_secrets_do_not_travel_as_plain_headers(name: str) -> None:
    header = "x-own-key" if name == "X-Own-Key" else "CONVAI-API-KEY"
    with pytest.raises(InvalidArgument, match="not for headers=") as caught:
        Client("https://x.example", headers={name: "s3cret"}, key_header=header)
    assert "s3cret" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "value"), [("a b", "1"), ("", "1"), ("x", "1\r\nY: 2"), ("x", ""), ("x:", "1"), ("é", "1")]
)
def test_a_header_that_would_break_the_request_is_refused(name: str, value: str) -> None:
    with pytest.raises(InvalidArgument):
        Client("https://x.example", headers={name: value})
    with pytest.raises(InvalidArgument, match="key_header"):
        Client("https://x.example", key_header="a b")


def test_no_netrc_is_read(send: Send, tmp_path, monkeypatch: pytest.MonkeyPatch) -> None:
    netrc = tmp_path / ".netrc"
    netrc.write_text("default login ann password pw\nmachine 127.0.0.1 login ann password pw\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("NETRC", str(netrc))
    with serving(http()) as server:
        send(server.url, CALL)
    assert "authorization" not in server.headers[0]


def test_cookies_do_not_go_from_one_call_to_the_next() -> None:
    with serving(http(Set_Cookie="session=ann; Path=/"), keep=True) as server:
        with Client(server.url) as client:
            client.send(CALL)
            client.send(CALL)

        async def twice() -> None:
            async with AsyncClient(server.url) as client:
                await client.send(CALL)
                await client.send(CALL)

        anyio.run(twice)
    assert len(server.headers) == 4
    assert all("cookie" not in headers for headers in server.headers)


def test_a_retry_carries_the_key_again() -> None:
    heard: list[str] = []

    def handler(request: httpx.Request) -> httpx.Response:
        heard.append(request.headers["convai-api-key"])
        return httpx.Response(503 if len(heard) < 3 else 200, json={})

    with Client("https://x.example", key=KEY, transport=httpx.MockTransport(handler), policy=AT_ONCE) as client:
        client.send(CALL)
    assert heard == [KEY] * 3
