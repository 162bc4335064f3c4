"""What all tests share."""

from __future__ import annotations

import gc
import os
import signal
import sys
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

import talkscope
from tests.cli.running import SETTINGS
from tests.oracle import scenario

# Where no bytecode may be left beside the sources, it is kept in a folder of its own: for the next run, and for the
# programs that tests start. Compiling everything anew would take a tenth of the time of all tests.
if sys.dont_write_bytecode:
    sys.dont_write_bytecode = False
    sys.pycache_prefix = os.environ["PYTHONPYCACHEPREFIX"] = str(
        Path(__file__).parents[1] / ".pytest_cache" / "bytecode"
    )
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

# Accounts that somebody has set up on this machine are no business of the tests.
for name in [each for each in os.environ if each.startswith(SETTINGS) and each != "TALKSCOPE_NEW_SPECS"]:
    del os.environ[name]

# How fast examples are made and run says something about the machine, and nothing about the code.
settings.register_profile("unhurried", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("unhurried")

# A shell starts background jobs with SIGINT ignored, and so would they start the programs that Ctrl-C is tried on.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


# Files that take longest, though some have few tests: begun last, they would be waited for by all the others.
_LONG = (
    "test_any_request", "test_hostile_upstream", "test_figures", "test_sync_hard", "test_sync", "test_demo",
    "test_many_processes", "test_tools", "test_stdio_ending", "test_report", "test_renderer", "test_app",
    "test_any_words", "test_records_beside_the_talk", "test_process", "test_otlp", "test_convai_over_sockets",
)  # fmt: skip


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the files that take longest."""
    place = {name: number for number, name in enumerate(_LONG)}
    items.sort(key=lambda item: place.get(item.path.stem, len(place)))


def pytest_collection_finish() -> None:
    """Leave what collecting has made out of every later search for garbage: it stays, and there is much of it."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(100_000, 50, 50)


def pytest_sessionfinish() -> None:
    """Let the interpreter end as it would have."""
    gc.unfreeze()


@pytest.fixture(scope="session")
def scenario_warehouse(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The oracle's scenario, its batches loaded one after the other as they would arrive; for tests that only read."""
    ready = _shared(tmp_path_factory) / "scenario"
    if not ready.exists():
        making = tmp_path_factory.mktemp("scenario")
        for batch in scenario(7):
            assert talkscope.ingest(batch, warehouse=making / "warehouse").ok
        with suppress(OSError):  # another process that runs tests was quicker
            making.rename(ready)
    return ready / "warehouse"


def _shared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that all processes of this run of the tests share."""
    base: Path = tmp_path_factory.getbasetemp()
    return base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
