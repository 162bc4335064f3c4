"""The warehouses of many accounts: opened when they are asked, bounded in number, never closed under a question."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import pytest

import talkscope
from talkscope import serving
from talkscope.contract import SESSIONS, understand
from talkscope.models.masking import KEY_FILE
from talkscope.settings import Settings
from talkscope.warehouse.store import Stop

NOW = datetime(2026, 5, 5, 16, tzinfo=UTC)
NAMES = [f"account{number}" for number in range(6)]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    found = tmp_path_factory.mktemp("accounts")
    for name in NAMES:
        record = {"type": "session", "session_id": f"{name}-s", "start_time": "2026-05-05T15:00:00Z"}
        assert talkscope.ingest([record], warehouse=found / name).ok
    return found


@pytest.fixture
def stores(folder: Path) -> Iterator[serving.Stores]:
    found = serving.Stores(lambda name: folder / name, Settings(), clock=lambda: NOW, most=2)
    yield found
    found.close()


def sessions(stores: serving.Stores, name: str) -> list[object]:
    answer = stores.answering(name)("sessions", understand(SESSIONS.params, {}), Stop())
    return [row["session_id"] for row in answer.records()]


def test_each_account_is_answered_from_its_own_folder(stores: serving.Stores) -> None:
    for name in (*NAMES, *reversed(NAMES)):
        assert sessions(stores, name) == [f"{name}-s"]


def test_only_those_used_last_stay_open(stores: serving.Stores) -> None:
    for name in NAMES:
        sessions(stores, name)
    assert stores.open == NAMES[-2:]
    sessions(stores, NAMES[-2])
    sessions(stores, NAMES[0])
    assert stores.open == [NAMES[-2], NAMES[0]]


def test_many_threads_over_more_accounts_than_stay_open_get_their_own(stores: serving.Stores) -> None:
    with ThreadPoolExecutor(8) as pool:
        asked = [NAMES[number % len(NAMES)] for number in range(60)]
        found = list(pool.map(lambda name: sessions(stores, name), asked))
    assert found == [[f"{name}-s"] for name in asked]
    assert len(stores.open) <= 2


def test_a_warehouse_is_not_closed_while_it_is_asked(folder: Path) -> None:
    asked, others_done = threading.Event(), threading.Event()

    def clock() -> datetime:
        # The time is read once the warehouse is open.
        if threading.current_thread().name == "slow":
            asked.set()
            others_done.wait(60)
        return NOW

    stores = serving.Stores(lambda name: folder / name, Settings(), clock=clock, most=1)
    found: list[object] = []
    slow = threading.Thread(target=lambda: found.extend(sessions(stores, NAMES[0])), name="slow")
    slow.start()
    assert asked.wait(60)
    for name in NAMES[1:]:
        sessions(stores, name)
    assert NAMES[0] in stores.open
    others_done.set()
    slow.join(60)
    assert found == [f"{NAMES[0]}-s"]
    stores.close()


def test_asking_an_account_that_has_loaded_nothing_writes_nothing(tmp_path: Path) -> None:
    stores = serving.Stores(lambda name: tmp_path / name, Settings(), clock=lambda: NOW)
    assert sessions(stores, "new") == []
    assert not (tmp_path / "new").exists()
    assert talkscope.ingest([{"type": "session", "session_id": "s", "start_time": "2026-05-05T15:00:00Z"}],
                            warehouse=tmp_path / "new").ok  # fmt: skip
    assert sessions(stores, "new") == ["s"]
    assert (tmp_path / "new" / KEY_FILE).exists()
    stores.close()


@pytest.mark.parametrize(
    ("host", "loopback"),
    [("127.0.0.1", True), ("127.8.9.1", True), ("::1", True), ("localhost", True), ("0.0.0.0", False), ("::", False),
     ("10.0.0.1", False), ("localhost.example.com", False), ("", False)],
)  # fmt: skip
def test_what_only_this_machine_reaches_is_known(host: str, loopback: bool) -> None:
    assert serving.Place(host).on_loopback is loopback


def test_serving_is_not_loaded_by_what_a_question_waits_for() -> None:
    code = "import sys, talkscope.wiring, talkscope.cli.questions; sys.exit('talkscope.serving' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False, timeout=60).returncode == 0
