"""Which hosts and pages a real server serves, where it may listen, and what it logs."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from tests.api.service.serving import Served, add_key, fill, serving
from tests.cli.running import talkscope

SUMMARY = "/v1/analytics/summary"


def host(served: Served, name: str) -> int:
    return served.get("/healthz", headers={"Host": name}).status_code


def test_only_the_names_that_are_served_are_answered(tmp_path: Path) -> None:
    with serving(tmp_path, "--allow-host", "Analytics.example.com") as served:
        for name in ("localhost", "127.0.0.1:9", "[::1]:8765", "LOCALHOST", "analytics.example.com", "localhost."):
            assert host(served, name) == 200, name
        for name in ("evil.example", "localhost.evil.example", "127.0.0.1.nip.io", "10.0.0.1", "[::2]", "a@localhost"):
            assert host(served, name) == 421, name
        reply = served.get(SUMMARY, headers={"Host": "evil.example"})
        assert reply.json()["error"]["code"] == "host_not_allowed"


def test_only_pages_that_are_allowed_may_ask(tmp_path: Path) -> None:
    page = "https://board.example.com"
    with serving(tmp_path, "--no-keys", "--warehouse", str(tmp_path / "w"), "--allow-origin", page) as served:
        for origin in ("https://evil.example", "null", "http://board.example.com", f"{page}.evil.example", f"{page}:1"):
            reply = served.get(SUMMARY, headers={"Origin": origin})
            assert (reply.status_code, reply.json()["error"]["code"]) == (403, "origin_not_allowed")
            assert "access-control-allow-origin" not in reply.headers
        reply = served.get(SUMMARY, headers={"Origin": page})
        assert (reply.status_code, reply.headers["Access-Control-Allow-Origin"]) == (200, page)
        preflight = {"Origin": page, "Access-Control-Request-Method": "POST"}
        reply = served.request("OPTIONS", "/v1/analytics/query", headers=preflight)
        assert (reply.status_code, reply.headers["Access-Control-Allow-Origin"]) == (204, page)
        assert "convai-api-key" in reply.headers["Access-Control-Allow-Headers"].lower()


def test_the_log_has_a_line_for_each_request_without_ids_words_or_keys(tmp_path: Path) -> None:
    fill(tmp_path, "ada")
    key = add_key(tmp_path, "ada")
    with serving(tmp_path) as served:
        asked = [
            served.get("/v1/analytics/sessions/ada-s0", key),
            served.get(f"{SUMMARY}?character_id=secret%0A%7B%22status%22%3A200%7D", key),
            served.request("POST", "/v1/analytics/query", key, json={"measures": ["SessionMetrics.secret"]}),
            served.get("/secret%0Apath"),
            served.request("SECRET", "/healthz"),
            served.get(SUMMARY, "secret", headers={"User-Agent": "secret", "X-Request-ID": "secret"}),
        ]
        assert served.stop() == 0
    text = served.log.read_text(encoding="utf-8")
    assert "secret" not in text.lower()
    assert key.split("_")[2] not in text
    assert "ada-s0" not in text
    assert "127.0.0.1" not in text
    lines = served.lines()
    assert [set(line) for line in lines] == [
        {"time", "method", "route", "status", "ms", "bytes", "account", "key", "request"}
    ] * len(asked)
    assert [(line["route"], line["status"], line["account"]) for line in lines] == [
        ("/v1/analytics/sessions/{session_id}", 200, "ada"),
        (SUMMARY, 200, "ada"),
        ("/v1/analytics/query", 400, "ada"),
        ("unknown", 401, None),
        ("/healthz", 405, None),
        (SUMMARY, 401, None),
    ]
    assert [line["method"] for line in lines] == ["GET", "GET", "POST", "GET", "OTHER", "GET"]
    for line, reply in zip(lines, asked, strict=True):
        assert line["bytes"] == len(reply.content)
        assert line["request"] == reply.headers["X-Request-ID"]
        assert line["key"] == (key.split("_")[1] if line["account"] else None)
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+00:00", line["time"])


def test_without_a_file_the_log_goes_to_stderr(tmp_path: Path) -> None:
    with serving(tmp_path, "--access-log", "-") as served:
        served.get("/healthz")
        assert served.stop() == 0
    [line] = served.errors.read_text(encoding="utf-8").splitlines()
    assert json.loads(line)["route"] == "/healthz"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--host", "0.0.0.0"], "Add --expose"),
        (["--host", "::", "--no-keys", "--expose"], "Without keys, only this machine can be served"),
        (["--no-keys", "--root", "r"], "exclude each other"),
        (["--warehouse", "w"], "go with --no-keys"),
        (["--allow-origin", "*"], "is not an origin"),
        (["--host", "256.1.1.1", "--expose"], "cannot be listened on"),
    ],
)
def test_a_server_that_makes_no_sense_does_not_start(tmp_path: Path, words: list[str], said: str) -> None:
    done = talkscope("serve", "--port", "0", *words, home=tmp_path, XDG_DATA_HOME=str(tmp_path))
    assert done.returncode in (1, 2)
    assert said in done.stderr


def test_a_port_that_is_taken_is_told(tmp_path: Path) -> None:
    with serving(tmp_path) as served:
        port = served.url.rpartition(":")[2]
        done = talkscope("serve", "--root", str(tmp_path / "root"), "--port", port, home=tmp_path)
    assert (done.returncode, "cannot be listened on" in done.stderr) == (1, True)


def test_an_exposed_server_warns_that_keys_travel_as_they_are(tmp_path: Path) -> None:
    with serving(tmp_path, "--host", "0.0.0.0", "--expose") as served:
        address = served.url.replace("0.0.0.0", "127.0.0.1")
        served.url = address
        assert served.get("/healthz").status_code == 200
    assert "TLS" in served.errors.read_text(encoding="utf-8")
