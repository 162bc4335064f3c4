from __future__ import annotations

import datetime as dt
import ipaddress
import socket
import ssl
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from talkscope.client import AsyncClient, Client
from talkscope.errors import ConnectionFailed, InvalidArgument, UsageError
from talkscope.flow import Call, path, query
from tests.client.sockets import Send, http, serving

CALL = Call("/x", lambda body: body)
KINDS: list[Callable[..., Client | AsyncClient]] = [Client, AsyncClient]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "url",
    [
        "https://api.example",
        "https://api.example:8443/v1/",
        "http://localhost:9",
        "http://127.0.0.1",
        "http://127.9.9.9",
        "http://[::1]:81",
    ],
)
def test_https_and_this_machine_are_addresses(kind: Callable[..., object], url: str) -> None:
    assert url in repr(kind(f" {url}\n"))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("http://api.example", "readably to api.example"),
        ("http://127.0.0.1.evil.example", "readably"),
        ("http://localhost.evil.example", "readably"),
        ("http://10.0.0.1", "readably"),
        ("http://0.0.0.0", "readably"),
        ("http://2130706433", "readably"),
        ("http://[::2]", "readably"),
        ("https://ann:s3cret@api.example", "user name or password"),
        ("https://s3cret@api.example", "user name or password"),
        ("http://localhost:s3cret@evil.example", "user name or password"),
        ("https://api.example/?key=s3cret", "query or fragment"),
        ("https://api.example/#s3cret", "query or fragment"),
        ("https://api.example?", "query or fragment"),
        ("ftp://api.example", "https://"),
        ("file:///etc/passwd", "https://"),
        ("api.example/v1", "https://"),
        ("https://", "https://"),
        ("", "https://"),
        ("https://a\nb.example", "understood"),
        ("https://[::1", "understood"),
        ("https://api.example:s3cret", "understood"),
        ("https://api.example:99999", "port"),
        ("https://" + "a" * 64 + ".example", "host that cannot be"),
    ],
)
def test_any_other_address_is_refused_without_showing_what_it_holds(
    kind: Callable[..., object], url: str, said: str
) -> None:
    with pytest.raises(InvalidArgument, match=said) as caught:
        kind(url, key="k")
    assert "s3cret" not in str(caught.value)


def test_an_app_in_process_may_have_any_name() -> None:
    transport = httpx.MockTransport(lambda request: httpx.Response(200, json={"host": request.url.host}))
    with Client("http://talkscope.local", transport=transport) as client:
        assert client.send(CALL) == {"host": "talkscope.local"}


@pytest.mark.parametrize("base", ["", "/", "/v1/analytics", "/v1/analytics/"])
def test_ids_and_parameters_arrive_as_they_were_given(send: Send, base: str) -> None:
    call = Call(
        path("/sessions/{id}/x", id="../a%2F é?#;"),
        lambda body: body,
        query({"q": ["a b", "c&d=e+f"], "when": "2025-01-01T00:00:00+02:00"}),
    )
    with serving(http()) as server:
        send(server.url + base, call)
    assert server.targets == [
        f"{base.rstrip('/')}/sessions/..%2Fa%252F%20%C3%A9%3F%23%3B/x?q=a%20b&q=c%26d%3De%2Bf&when=2025-01-01T00%3A00%3A00%2B02%3A00"
    ]


def test_parameters_too_long_for_an_address_are_refused(send: Send) -> None:
    with serving(http()) as server, pytest.raises(InvalidArgument, match="too long"):
        send(server.url, Call("/x", lambda body: body, query({"q": "x" * 70_000})))
    assert server.requests == []


@pytest.mark.parametrize(("deadline", "cap"), [(0, 1), (-1, 1), (float("nan"), 1), (float("inf"), 1), (1, 0)])
def test_limits_that_limit_nothing_are_refused(deadline: float, cap: int) -> None:
    with pytest.raises(InvalidArgument):
        Client("https://x.example", deadline=deadline, cap=cap)


def test_a_closed_client_says_so(send: Send) -> None:
    client = Client("https://x.example")
    client.close()
    client.close()
    with pytest.raises(UsageError, match="closed"):
        client.send(CALL)


@pytest.fixture
def _every_name_is_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    resolve = socket.getaddrinfo
    monkeypatch.setattr(socket, "getaddrinfo", lambda host, *rest, **named: resolve("127.0.0.1", *rest, **named))


@pytest.mark.usefixtures("_every_name_is_this_machine")
def test_the_environments_proxy_is_used(send: Send, monkeypatch: pytest.MonkeyPatch) -> None:
    with serving(http(b"", 502)) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", proxy.url)
        with pytest.raises(ConnectionFailed):
            send("https://api.example", CALL, key="ck_live_1")
        assert {request.split(b"\r\n")[0] for request in proxy.requests} == {b"CONNECT api.example:443 HTTP/1.1"}
        assert b"ck_live_1" not in b"".join(proxy.requests)


@pytest.mark.usefixtures("_every_name_is_this_machine")
def test_no_proxy_is_honoured(send: Send, monkeypatch: pytest.MonkeyPatch) -> None:
    with serving(http(b"", 502)) as proxy, serving(lambda peer: None) as direct:
        monkeypatch.setenv("HTTPS_PROXY", proxy.url)
        monkeypatch.setenv("NO_PROXY", "api.example")
        with pytest.raises(ConnectionFailed):
            send(f"https://api.example:{direct.port}", CALL)
    assert proxy.requests == []
    assert direct.requests[0][:1] == b"\x16"


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_this_machine_is_never_asked_through_a_proxy(send: Send, monkeypatch: pytest.MonkeyPatch, host: str) -> None:
    with serving(http(b"", 502)) as proxy, serving(http(b'{"n":1}')) as server:
        monkeypatch.setenv("HTTP_PROXY", proxy.url)
        monkeypatch.setenv("ALL_PROXY", proxy.url)
        assert send(f"http://{host}:{server.port}", CALL, key="ck_live_1") == {"n": 1}
    assert proxy.requests == []


def _certificate(folder: Path) -> ssl.SSLContext:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    plain = serialization.NoEncryption()
    pem, form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    (folder / "cert.pem").write_bytes(made.public_bytes(pem))
    (folder / "key.pem").write_bytes(key.private_bytes(pem, form, plain))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "cert.pem", folder / "key.pem")
    return context


def test_a_certificate_of_ones_own_is_trusted_through_the_environment(
    send: Send, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with serving(http(b'{"n":1}'), tls=_certificate(tmp_path)) as server:
        url = server.url.replace("http:", "https:")
        with pytest.raises(ConnectionFailed, match="CERTIFICATE_VERIFY_FAILED"):
            send(url, CALL, key="ck_live_1")
        assert server.requests == []
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "cert.pem"))
        assert send(url, CALL) == {"n": 1}


def test_a_slow_answer_over_tls_is_left_at_the_deadline(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, send: Send
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "cert.pem"))
    with serving(
        lambda peer: peer.drip(b"HTTP/1.1 200 OK\r\nX: " + b"x" * 10_000), tls=_certificate(tmp_path)
    ) as server:
        with pytest.raises(Exception, match=r"within 0\.4 s"):
            send(server.url.replace("http:", "https:"), CALL, deadline=0.4)


@pytest.mark.parametrize(
    ("name", "value"), [("SSL_CERT_FILE", "/no/such/file.pem"), ("HTTPS_PROXY", "gopher://s3cret@x")]
)
def test_a_network_setting_that_cannot_be_used_is_named(
    send: Send, monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(InvalidArgument, match=name) as caught:
        send("https://api.example", CALL)
    assert "s3cret" not in str(caught.value)
