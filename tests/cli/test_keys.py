"""`talkscope keys` as a person and a script use it."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from tests.cli.running import here, talkscope


def test_a_key_is_shown_once_and_listed_without_it(tmp_path: Path) -> None:
    root = ["--root", str(tmp_path / "root")]
    added = talkscope("keys", "add", "--account", "acme", "--plan", "scale", "--per-day", "5", *root, home=tmp_path)
    assert re.fullmatch(r"tsk_[0-9a-f]{8}_[\w-]{43}\n", added.stdout)
    assert "shown this once" in added.stderr
    listed = here("keys", "list", *root, home=tmp_path)
    [key] = json.loads(listed.stdout)["keys"]
    assert (key["account"], key["plan"], key["per_minute"], key["per_day"]) == ("acme", "scale", 60, 5)
    assert key["last_used"] is None
    assert added.stdout.strip()[13:] not in listed.stdout
    assert key["id"] == added.stdout[4:12]


def test_a_script_reads_everything_about_a_new_key_as_json(tmp_path: Path) -> None:
    told = here(
        "keys", "add", "--account", "acme", "--warehouse", str(tmp_path / "calls"), "--json",
        "--root", str(tmp_path / "root"), home=tmp_path,
    )  # fmt: skip
    key = json.loads(told.stdout)
    assert key["key"].startswith(f"tsk_{key['id']}_")
    assert (key["plan"], key["warehouse"]) == ("business", str((tmp_path / "calls").resolve()))


def test_a_revoked_key_stays_in_the_list(tmp_path: Path) -> None:
    root = ["--root", str(tmp_path / "root")]
    key_id = here("keys", "add", "--account", "acme", *root, home=tmp_path).stdout[4:12]
    told = here("keys", "revoke", key_id, *root, home=tmp_path)
    assert (told.returncode, told.stdout) == (0, f"Key {key_id} of acme is revoked.\n")
    [key] = json.loads(here("keys", "list", *root, home=tmp_path).stdout)["keys"]
    assert key["revoked"].endswith("Z")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["add", "--account", "../bob"], "cannot name an account"),
        (["add", "--account", "acme", "--plan", "gold"], "Unknown plan"),
        (["add"], "--account"),
        (["revoke", "nobody"], "There is no key"),
        (["add", "--account", "acme", "--per-minute", "-1"], "--per-minute"),
    ],
)
def test_what_cannot_be_is_told_in_one_line(tmp_path: Path, words: list[str], said: str) -> None:
    told = here("keys", *words, "--root", str(tmp_path / "root"), home=tmp_path)
    assert told.returncode in (1, 2)
    assert said in told.stderr
    assert len(told.stderr.splitlines()) == 1


def test_keys_are_in_the_users_data_folder_unless_said_otherwise(tmp_path: Path) -> None:
    added = here("keys", "add", "--account", "acme", home=tmp_path, XDG_DATA_HOME=str(tmp_path / "data"))
    assert added.returncode == 0, added.stderr
    assert list((tmp_path).rglob("keys.sqlite"))


def test_a_file_that_holds_no_keys_is_told(tmp_path: Path) -> None:
    (tmp_path / "keys.sqlite").write_bytes(b"something else entirely" * 100)
    told = here("keys", "list", "--root", str(tmp_path), home=tmp_path)
    assert (told.returncode, "keys_unusable" in told.stderr) == (1, True)
