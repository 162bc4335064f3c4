from __future__ import annotations

import copy
import logging
import os
import pickle
import re
import subprocess
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import anyio
import httpx
import pytest
from pydantic import SecretStr

import talkscope
from talkscope import AsyncClient, AsyncConvaiAnalytics, Client, ConvaiAnalytics
from talkscope.client import PortalTransport
from talkscope.errors import (
    AuthenticationError,
    DeadlineExceeded,
    InvalidArgument,
    TalkscopeError,
    UnknownArgument,
    UsageError,
)
from tests.client.analytics import KEY, SESSIONS, SUMMARY, URL, always, as_contracted, asynchronous, blocking
from tests.client.sockets import http, serving

KINDS: list[Callable[..., Any]] = [ConvaiAnalytics, AsyncConvaiAnalytics]
PIECES = [
    # The Python snippets of the hosted client's README; only the import is another.
    """
from convai_analytics import ConvaiAnalytics

client = ConvaiAnalytics()
summary = client.summary(range="last_7d")

print({
    "sessions": summary.sessions,
    "interactions": summary.interactions,
    "unique_end_users": summary.unique_end_users,
    "p95_end_to_end_ms": summary.p95_end_to_end_ms,
})
""",
    """
from convai_analytics import ConvaiAnalytics

client = ConvaiAnalytics()  # reads CONVAI_API_KEY

sessions = client.sessions.list(range="last_7d", sort="slowest", limit=5)
for session in sessions.sessions:
    print(session.session_id, session.interaction_count, session.p95_end_to_end_ms)
""",
]
README = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
PIECES += [text for text in re.findall(r"^```python\n(.*?)^```", README, re.MULTILINE | re.DOTALL) if "Convai" in text]
PRINTED = [
    "{'sessions': 90, 'interactions': 240, 'unique_end_users': 31, 'p95_end_to_end_ms': 2100.0}\n",
    "s_1 25 420.0\n",
    "s_1 25 420.0\n",
]
ASKED = ["/summary?range=last_7d", *["/sessions?range=last_7d&sort=slowest&limit=5"] * 2]


@pytest.fixture(autouse=True)
def _nothing_is_configured(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in list(os.environ):
        if name.startswith(("CONVAI_", "TALKSCOPE_")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.setenv("HOME", str(tmp_path))


@pytest.mark.parametrize(
    ("program", "printed", "target", "body"),
    list(zip(PIECES, PRINTED, ASKED, [SUMMARY, SESSIONS, SESSIONS], strict=True)),
    ids=["summary", "sessions", "README"],
)
def test_the_hosted_clients_own_examples_run_with_another_import(
    program: str, printed: str, target: str, body: object, tmp_path: Path
) -> None:
    program = program.replace("from convai_analytics import", "from talkscope import")
    with serving(http(json_of(body))) as server:
        environment = {
            "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
            "HOME": str(tmp_path),
            "CONVAI_API_KEY": KEY,
            "CONVAI_ANALYTICS_BASE_URL": f"{server.url}/v1/analytics",
        }
        done = subprocess.run(
            [sys.executable, "-"],
            input=program,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
            env=environment,
        )
    assert (done.stdout, done.stderr, done.returncode) == (printed, "", 0)
    assert server.targets == [f"/v1/analytics{target}"]
    assert server.headers[0]["convai-api-key"] == KEY


def json_of(body: object) -> bytes:
    import orjson

    return orjson.dumps(body)


@pytest.mark.parametrize("kind", KINDS)
def test_without_a_key_the_hint_names_the_variable(kind: Callable[..., Any]) -> None:
    for words in ({}, {"base_url": URL}):
        with pytest.raises(AuthenticationError, match="CONVAI_API_KEY"):
            kind(**words)
    with pytest.raises(AuthenticationError, match="CONVAI_API_KEY"):
        kind("  ")
    with pytest.raises(AuthenticationError, match="CONVAI_API_KEY"):
        kind("", base_url=URL)


def test_the_key_and_the_address_come_from_the_environment_unless_they_are_given(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("CONVAI_API_KEY", "ck_from_the_environment")
    with serving(http(json_of(SUMMARY)), keep=True) as one, serving(http(json_of(SUMMARY)), keep=True) as other:
        monkeypatch.setenv("CONVAI_ANALYTICS_BASE_URL", f"{one.url}/v1/analytics/")
        for account in (ConvaiAnalytics(), ConvaiAnalytics("ck_given"), ConvaiAnalytics(api_key=SecretStr("ck_given"))):
            with account:
                account.summary()
        with ConvaiAnalytics(base_url=other.url) as account:
            account.summary()
    keys = [headers["convai-api-key"] for headers in one.headers]
    assert keys == ["ck_from_the_environment", "ck_given", "ck_given"]
    assert set(one.targets) == {"/v1/analytics/summary"}
    assert [headers["convai-api-key"] for headers in other.headers] == ["ck_from_the_environment"]


def test_the_usual_address_is_the_hosted_service() -> None:
    assert URL in repr(ConvaiAnalytics(KEY))
    assert URL in repr(AsyncConvaiAnalytics(KEY))


def test_what_else_is_set_wrongly_is_in_nobodys_way_when_all_is_given(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TALKSCOPE_DEADLINE", "soon")
    assert URL in repr(ConvaiAnalytics(KEY, base_url=URL))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("timeout", [0, -1, float("nan"), float("inf"), None, "30", True])
def test_a_timeout_that_is_none_is_refused(kind: Callable[..., Any], timeout: object) -> None:
    with pytest.raises(InvalidArgument, match="timeout"):
        kind(KEY, base_url=URL, timeout=timeout)


@pytest.mark.parametrize("kind", KINDS)
def test_the_key_travels_over_https_or_on_this_machine_only(kind: Callable[..., Any]) -> None:
    own = httpx.Client() if kind is ConvaiAnalytics else httpx.AsyncClient()
    for client in (None, own):
        with pytest.raises(InvalidArgument, match="readably"):
            kind(KEY, base_url="http://analytics-api.convai.com/v1/analytics", client=client)
    if isinstance(own, httpx.Client):
        own.close()
    else:
        anyio.run(own.aclose)


def test_an_httpx_client_lends_its_connections_and_stays_open() -> None:
    with serving(http(json_of(SUMMARY), Set_Cookie="a=b"), keep=True) as server:
        heard: list[str] = []
        with httpx.Client(
            headers={"X-Theirs": "1", "CONVAI-API-KEY": "ck_theirs"},
            cookies={"theirs": "1"},
            auth=("ann", "pw"),
            follow_redirects=True,
            event_hooks={"request": [lambda request: heard.append(request.url.path)]},
        ) as own:
            with ConvaiAnalytics(KEY, base_url=server.url, client=own) as account:
                assert account.summary().sessions == 90
            assert own.get(server.url).status_code == 200
    ours = server.headers[0]
    assert ours["convai-api-key"] == KEY
    assert {"x-theirs", "cookie", "authorization"} & ours.keys() == set()
    assert heard == ["/summary", "/"]
    assert len(set(server.ports)) == 1


def test_an_httpx_client_that_follows_redirects_takes_no_key_to_a_second_host() -> None:
    with serving(http(json_of(SUMMARY))) as second:
        moved = http(b"", 307, Location=f"http://localhost:{second.port}/x")
        with serving(moved) as first, httpx.Client(follow_redirects=True) as own:
            account = ConvaiAnalytics(KEY, base_url=first.url, client=own)
            with pytest.raises(TalkscopeError, match="redirects to localhost"):
                account.summary()
    assert second.requests == []


def test_a_talkscope_client_is_asked_as_it_is() -> None:
    service = as_contracted()
    with Client("http://app/v1/analytics", transport=httpx.MockTransport(service)) as client:
        with ConvaiAnalytics(client=client) as account:
            assert account.summary().sessions == 90
        assert ConvaiAnalytics(client=client).summary().sessions == 90
        for words in ({"api_key": KEY}, {"base_url": URL}):
            with pytest.raises(InvalidArgument, match="of its own"):
                ConvaiAnalytics(client=client, **words)  # type: ignore[arg-type]  # one of two keywords

    async def asked() -> Any:
        transport = httpx.MockTransport(service)
        async with AsyncClient("http://app/v1/analytics", transport=transport) as in_async:
            async with AsyncConvaiAnalytics(client=in_async) as account:
                return await account.summary()

    assert anyio.run(asked).sessions == 90


def test_an_app_in_process_can_stand_in_for_the_service() -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": json_of(SUMMARY)})

    transport = PortalTransport(httpx.ASGITransport(app, raise_app_exceptions=False))
    with Client("http://app/v1/analytics", transport=transport) as client:
        assert ConvaiAnalytics(client=client).summary().sessions == 90


def test_a_closed_account_says_so() -> None:
    account = ConvaiAnalytics(KEY, base_url=URL)
    account.close()
    account.close()
    with pytest.raises(UsageError, match="closed"):
        account.summary()


def test_the_names_come_from_the_package_itself() -> None:
    assert talkscope.ConvaiAnalytics is ConvaiAnalytics
    assert talkscope.AsyncConvaiAnalytics is AsyncConvaiAnalytics
    assert {"ConvaiAnalytics", "AsyncConvaiAnalytics"} <= set(dir(talkscope))


def test_each_method_says_what_it_takes() -> None:
    assert "character_id" in (ConvaiAnalytics.summary.__doc__ or "")
    account = ConvaiAnalytics(KEY, base_url=URL)
    assert account.summary.__doc__ == ConvaiAnalytics.summary.__doc__
    assert "p75" in (account.latency.by_component.__doc__ or "")


# Where the key is not


def shown(error: BaseException) -> str:
    """All that tools print of an error, with local variables and what it came from, without the test's own frame."""
    told = traceback.TracebackException.from_exception(error, capture_locals=True)
    del told.stack[:1]
    plain = "".join(traceback.format_exception(error))
    came_from = error.__cause__ or error.__context__
    before = "" if came_from is None else shown(came_from)
    return "".join(told.format()) + plain + repr(error) + repr(vars(error)) + repr(error.args) + before


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_that_can_be_printed_or_copied_holds_the_key(kind: Callable[..., Any]) -> None:
    for account in (kind(KEY, base_url=URL), kind(api_key=KEY), kind(SecretStr(KEY), base_url=URL)):
        held = [account, account._client, account.sessions, account.latency, account.summary]
        printed = "".join(f"{each!r}{each!s}{vars(each)!r}" for each in held)
        assert KEY not in printed
        assert repr(account) == f"{kind.__name__}({account._client!r})"
        for copied in (pickle.dumps, copy.copy, copy.deepcopy):
            with pytest.raises(TypeError, match="cannot be copied"):
                copied(account)
        with pytest.raises(TypeError):
            pickle.dumps(account.sessions)


BAD_KEYS = [f"{KEY}\nX-Other: 1", f"clé-{KEY}", f"{KEY} {KEY}", f"\x00{KEY}", KEY.encode(), [KEY]]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("key", BAD_KEYS, ids=["line", "accent", "space", "null", "bytes", "list"])
def test_a_key_that_cannot_be_is_refused_and_its_traceback_does_not_show_it(
    kind: Callable[..., Any], key: object
) -> None:
    for words in ({}, {"base_url": URL}):
        caught = None
        try:
            kind(key, **words)
        except InvalidArgument as error:
            caught = shown(error)
        if caught is None:
            # A space is only within what a header can hold.
            assert key == f"{KEY} {KEY}"
        else:
            assert KEY not in caught


@pytest.mark.parametrize("kind", KINDS)
def test_the_traceback_of_a_bad_address_shows_no_key(kind: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CONVAI_API_KEY", f"{KEY}_of_the_environment")
    for words in (
        {"api_key": KEY, "base_url": "ftp://x"},
        {"base_url": "https://ann:pw@x.example"},
        {"api_key": KEY, "timeout": 0},
    ):
        with pytest.raises(InvalidArgument) as caught:
            kind(**words)
        assert KEY not in shown(caught.value).replace(repr(words), "")


@pytest.mark.parametrize("kind", KINDS)
def test_the_traceback_of_a_broken_environment_shows_nothing_of_it(
    kind: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTHER_SECRET", "s3cret-of-another-program")
    for name, value in (("CONVAI_API_KEY", f"{KEY}\x7f"), ("TALKSCOPE_DEADLINE", KEY)):
        monkeypatch.setenv("CONVAI_API_KEY", KEY)
        monkeypatch.setenv(name, value)
        with pytest.raises(InvalidArgument, match=name) as caught:
            kind()
        assert KEY not in shown(caught.value)
        assert "s3cret-of-another-program" not in shown(caught.value)
        monkeypatch.delenv(name)


ANSWERS = [
    http(f'{{"error":{{"code":"{KEY}","message":"x {KEY}","details":{{"{KEY}":"{KEY}"}}}}}}'.encode(), 401),
    http(f'{{"detail":[{{"loc":["header"],"msg":"{KEY}","type":"x","input":"{KEY}"}}]}}'.encode(), 422),
    http(f"<h1>you sent {KEY}</h1>".encode(), 500),
    http(b"", 302, Location=f"https://{KEY}.example/?k={KEY}"),
    http(f'"{KEY}"'.encode()),
    http(f'{{"sessions":"{KEY}"}}'.encode()),
    KEY.encode(),
    b"",
]


@pytest.mark.parametrize("ask", [blocking, asynchronous])
@pytest.mark.parametrize("answer", ANSWERS, ids=lambda answer: repr(answer)[2:30])
def test_no_failure_shows_the_key_not_even_with_local_variables(ask: Any, answer: bytes) -> None:
    with serving(answer) as server, pytest.raises(TalkscopeError) as caught:
        ask(lambda account: account.summary(character_id="ann@example.org"), server.url, timeout=0.5)
    assert KEY not in shown(caught.value)
    assert KEY not in repr(caught.value.to_json())
    assert KEY not in repr(pickle.dumps(caught.value))


@pytest.mark.parametrize("ask", [blocking, asynchronous])
def test_neither_a_deadline_nor_bad_words_show_the_key(ask: Any) -> None:
    with serving(lambda peer: peer.over.wait()) as server:
        with pytest.raises(DeadlineExceeded) as late:
            ask(lambda account: account.summary(), server.url, timeout=0.3)
        with pytest.raises(InvalidArgument, match="too long") as long:
            ask(lambda account: account.sessions.get("x" * 70_000), server.url)
        with pytest.raises(UnknownArgument) as unknown:
            ask(lambda account: account.summary(key=1), server.url)
    assert all(KEY not in shown(caught.value) for caught in (late, long, unknown))


@pytest.mark.parametrize("ask", [blocking, asynchronous])
def test_no_log_line_holds_the_key_or_what_was_asked(ask: Any, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    with serving(http(json_of(SUMMARY))) as server:
        ask(lambda account: account.summary(character_id="ann@example.org"), server.url)
    said = "\n".join(record.getMessage() for record in caplog.records)
    assert "/summary" in said
    assert KEY not in said
    assert "ann" not in said


def test_a_borrowed_client_logs_no_query_either(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    service = always(200, SUMMARY)
    service.ask(lambda account: account.summary(character_id="ann@example.org"))
    service.ask_async(lambda account: account.summary(character_id="ann@example.org"))
    said = "\n".join(record.getMessage() for record in caplog.records)
    assert "/summary" in said
    assert KEY not in said
    assert "ann" not in said


def test_an_answer_does_not_hold_the_key_unless_the_service_put_it_into_a_figure() -> None:
    answer = always(200, {**SUMMARY, "apiKey": KEY, "meta": {"key": KEY}}).ask(lambda account: account.summary())
    assert KEY not in repr(answer) + answer.model_dump_json()


def test_the_key_is_in_nobodys_arguments(tmp_path: Path) -> None:
    program = "import sys; from talkscope import ConvaiAnalytics; ConvaiAnalytics(); print(sys.argv, sys.orig_argv)"
    environment = {"PYTHONPATH": os.pathsep.join(filter(None, sys.path)), "HOME": str(tmp_path), "CONVAI_API_KEY": KEY}
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60, env=environment
    )
    assert KEY not in done.stdout
