"""Two accounts on one server: neither reads the other's, and each limit is exact, whatever is asked at once."""

from __future__ import annotations

import json
import stat
import sys
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from tests.api.service.conftest import Town
from tests.api.service.serving import add_key, fill, serving
from tests.cli.running import here

AT_ONCE = 100


def storm(url: str, keys: list[str], *paths: str) -> list[tuple[str, httpx.Response]]:
    """The paths asked AT_ONCE times with each key, in turn and all at the same time."""
    limits = httpx.Limits(max_connections=50)
    with httpx.Client(base_url=url, trust_env=False, verify=False, timeout=60, limits=limits) as client:
        with ThreadPoolExecutor(50) as pool:
            waiting = [
                (key, pool.submit(client.get, paths[number % len(paths)], headers={"CONVAI-API-KEY": key}))
                for number in range(AT_ONCE)
                for key in keys
            ]
            return [(key, each.result()) for key, each in waiting]


def test_of_a_hundred_calls_at_once_exactly_as_many_pass_as_the_limits_say(tmp_path: Path) -> None:
    fill(tmp_path, "ada")
    fill(tmp_path, "bob", sessions=2)
    ada, bob = add_key(tmp_path, "ada", "--plan", "scale"), add_key(tmp_path, "bob", "--per-minute", "25")
    with serving(tmp_path) as served:
        replies = storm(served.url, [ada, bob], "/v1/analytics/sessions")
        statuses = {key: Counter(reply.status_code for whose, reply in replies if whose == key) for key in (ada, bob)}
        assert statuses == {ada: {200: 60, 429: 40}, bob: {200: 25, 429: 75}}
        for key, reply in replies:
            if reply.status_code == 200:
                name, other = ("ada", "bob") if key == ada else ("bob", "ada")
                ids = {session["sessionId"] for session in reply.json()["sessions"]}
                assert ids == {f"{name}-s{number}" for number in range(3 if name == "ada" else 2)}
                assert other not in reply.text
            else:
                assert reply.json()["error"]["code"] == "rate_limited"
                assert 1 <= int(reply.headers["Retry-After"]) <= 60


def test_a_hundred_calls_of_each_account_at_once_read_only_its_own(town: Town) -> None:
    keys = [town.keys["business"], town.bob]
    replies = storm(town.served.url, keys, "/v1/analytics/breakdown?group_by=session_id", "/v1/ask/sessions")
    assert {reply.status_code for _, reply in replies} == {200}
    assert not [1 for key, reply in replies if ("bob-" if key == keys[0] else "ada-") in reply.text]
    assert all(("ada-s0" if key == keys[0] else "bob-s0") in reply.text for key, reply in replies)


@pytest.mark.parametrize(
    "id",
    ["bob-s0", "../bob/bob-s0", "..%2F..%2Fbob", "%2Fetc%2Fpasswd", "own:bob-s0", "bob%00", "..%5C..%5Cbob", "~bob"],
)
def test_no_id_leads_to_another_accounts_sessions(town: Town, id: str) -> None:
    for path in (f"/v1/analytics/sessions/{id}", f"/v1/ask/session?session_id={id}"):
        reply = town.served.get(path, town.keys["business"])
        assert reply.status_code == 404, reply.text
        assert "bob-char" not in reply.text


def test_no_word_of_a_request_names_an_account(town: Town) -> None:
    headers = {"X-Account": "bob", "X-Forwarded-User": "bob", "Cookie": "account=bob"}
    told = town.served.get("/v1/ask/sessions", town.keys["business"], headers=headers)
    assert "bob" not in told.text
    for word in ("account", "warehouse", "tenant_id", "source"):
        assert town.served.get("/v1/ask/sessions", town.keys["business"], params={word: "bob"}).status_code == 422


@pytest.mark.skipif(sys.platform == "win32", reason="links need rights there")
def test_an_account_whose_folder_is_a_link_is_not_served(tmp_path: Path) -> None:
    fill(tmp_path, "bob")
    key = add_key(tmp_path, "eve")
    (tmp_path / "root" / "accounts" / "eve").symlink_to("bob")
    with serving(tmp_path) as served:
        reply = served.get("/v1/analytics/sessions", key)
        assert (reply.status_code, reply.json()["error"]["code"]) == (500, "warehouse_error")
        assert "bob" not in reply.text


def test_a_key_that_is_revoked_stops_at_once_and_a_new_one_works_at_once(tmp_path: Path) -> None:
    root = str(tmp_path / "root")
    with serving(tmp_path) as served:
        assert served.get("/v1/ask/catalog").status_code == 401
        key = add_key(tmp_path, "ada")
        assert served.get("/v1/ask/catalog", key).status_code == 200
        done = here("keys", "revoke", key.split("_")[1], "--root", root, home=tmp_path)
        assert done.returncode == 0, done.stderr
        assert served.get("/v1/ask/catalog", key).status_code == 401
        assert served.get("/readyz").status_code == 200


def test_a_daily_quota_survives_a_restart(tmp_path: Path) -> None:
    key = add_key(tmp_path, "ada", "--per-day", "3")
    for passing in (2, 1):
        with serving(tmp_path) as served:
            statuses = [served.get("/v1/ask/catalog", key).status_code for _ in range(passing + (passing == 1))]
            assert statuses == [200, 200] if passing == 2 else [200, 429]
            assert served.stop() == 0
    with serving(tmp_path) as served:
        told = served.get("/v1/ask/catalog", key).json()["error"]
        assert (told["code"], told["details"]["window"], told["details"]["quota"]) == ("quota_exceeded", "day", True)


@pytest.mark.skipif(sys.platform == "win32", reason="modes are the folder's there")
def test_keys_are_kept_as_hashes_in_a_file_of_their_owner(tmp_path: Path) -> None:
    key = add_key(tmp_path, "ada")
    with serving(tmp_path) as served:
        assert served.get("/v1/ask/catalog", key).status_code == 200
        secret = key.split("_", 2)[2].encode()
        for file in (tmp_path / "root").glob("keys.sqlite*"):
            assert secret not in file.read_bytes()
            assert stat.S_IMODE(file.stat().st_mode) == 0o600
    done = here("keys", "list", "--root", str(tmp_path / "root"), home=tmp_path)
    [row] = json.loads(done.stdout)["keys"]
    assert secret.decode() not in done.stdout
    assert (row["account"], row["plan"], row["revoked"]) == ("ada", "business", None)
    assert row["last_used"] is not None
