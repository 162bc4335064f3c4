"""A real server process over a warehouse of the oracle's scenario, and the same records in the oracle."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.oracle import World, scenario
from tests.server.wire import Wire


@pytest.fixture(scope="session")
def world() -> World:
    return World.load(*scenario(7))


@pytest.fixture(scope="session")
def folder(scenario_warehouse: Path) -> Path:
    """A warehouse that the scenario's five batches were loaded into, one load each, as they would arrive."""
    return scenario_warehouse


def served(folder: Path, **more: str) -> Wire:
    """A server process that asks this warehouse and nothing else."""
    env = {name: value for name, value in os.environ.items() if not name.startswith(("TALKSCOPE", "CONVAI"))}
    settings = {"TALKSCOPE_WAREHOUSE": str(folder), "TALKSCOPE_ANSWER_TOKENS": "10000", **more}
    # For so little data more threads take more time, and as many tests run beside these as there are cores.
    settings = {"TALKSCOPE_THREADS": "1", **settings}
    return Wire([sys.executable, "-m", "talkscope", "mcp"], env={**env, **settings})


@pytest.fixture(scope="session")
def server(folder: Path) -> Iterator[Wire]:
    with served(folder, TALKSCOPE_REVEAL_PERSONAL_DATA="1") as wire:
        wire.handshake()
        yield wire
