"""Commands asked of accounts: a service of our own stands in for the hosted API."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.api.service.serving import Served, add_key, fill, serving
from tests.cli.running import here, talkscope
from tests.cli.test_doctor import findings


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("accounts")


@pytest.fixture(scope="module")
def key(folder: Path) -> str:
    fill(folder, "acme")
    return add_key(folder, "acme")


@pytest.fixture(scope="module")
def served(folder: Path, key: str) -> Iterator[Served]:
    with serving(folder) as running:
        yield running


def convai(served: Served, key: str) -> dict[str, str]:
    return {"CONVAI_API_KEY": key, "CONVAI_ANALYTICS_BASE_URL": f"{served.url}/v1/analytics"}


def test_doctor_says_that_an_account_answers_and_never_its_key(served: Served, key: str, tmp_path: Path) -> None:
    env = convai(served, key) | {"TALKSCOPE_URL": served.url, "TALKSCOPE_API_KEY": key, "TALKSCOPE_SOURCE": "convai"}
    told = findings(tmp_path, code=0, **env)
    for source, variable in (("convai", "CONVAI_API_KEY"), ("talkscope", "TALKSCOPE_API_KEY")):
        found = told[f"source {source}"]
        assert found["state"] == "ok"
        assert "127.0.0.1 answers" in found["says"]
        assert variable in found["says"]
    assert key not in json.dumps(told)


def test_doctor_says_what_to_do_about_a_key_that_is_refused_or_missing(served: Served, tmp_path: Path) -> None:
    told = findings(tmp_path, code=1, **convai(served, "tsk_nobody_has_this_key"))
    assert told["source convai"]["state"] == "problem"
    assert "key" in told["source convai"]["do"]
    assert "nobody_has" not in json.dumps(told)
    config = tmp_path / "config.toml"
    config.write_text('[sources.live]\nplatform = "convai"\nkey_env = "LIVE_KEY"\n', encoding="utf-8")
    told = findings(tmp_path, code=1, TALKSCOPE_CONFIG=str(config))
    assert "LIVE_KEY" in told["source live"]["do"]


def test_doctor_asks_nobody_offline_and_says_so(tmp_path: Path) -> None:
    told = findings(tmp_path, "--offline", code=0, CONVAI_API_KEY="ck_live_made_up")
    assert told["source convai"]["state"] == "note"
    assert "not asked" in told["source convai"]["says"]


def test_doctor_finds_a_service_that_is_not_there(tmp_path: Path) -> None:
    told = findings(tmp_path, code=1, TALKSCOPE_URL="http://127.0.0.1:9", TALKSCOPE_API_KEY="tsk_x")
    assert told["source talkscope"]["state"] == "problem"


def test_a_key_is_read_from_a_file_or_stdin_or_with_a_warning_from_the_arguments(
    served: Served, key: str, tmp_path: Path
) -> None:
    file = tmp_path / "key"
    file.write_text(f"{key}\n", encoding="utf-8")
    asked = ["summary", "--range", "last_1h", "--json", "--base-url", f"{served.url}/v1/analytics"]
    for words, stdin in ((["--api-key-file", str(file)], ""), (["--api-key-file", "-"], f"{key}\n")):
        done = talkscope(*asked, *words, home=tmp_path, stdin=stdin)
        assert (done.returncode, done.stderr) == (0, "")
        assert json.loads(done.stdout)["meta"]["source"] == "convai"
    done = here(*asked, "--api-key", key, home=tmp_path)
    assert done.returncode == 0
    assert done.stderr.startswith("warning: others on this machine can read --api-key")
    assert key not in done.stderr + done.stdout


def test_an_account_and_a_folder_are_not_asked_at_once(tmp_path: Path) -> None:
    done = here("summary", "--warehouse", str(tmp_path), "--api-key-file", "-", home=tmp_path, stdin="ck_live_x")
    assert done.returncode == 1
    assert "give one of them" in done.stderr


def test_what_is_loaded_needs_a_warehouse(tmp_path: Path) -> None:
    done = here("ingest", "-", home=tmp_path, CONVAI_API_KEY="ck_live_made_up")
    assert done.returncode == 1
    assert "TALKSCOPE_WAREHOUSE" in done.stderr
