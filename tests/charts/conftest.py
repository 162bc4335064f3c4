"""What tests of charts share: the oracle's telemetry in a warehouse, and the oracle itself."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from talkscope import open_warehouse
from talkscope.client import Client
from tests.oracle import World, scenario


@pytest.fixture(scope="session")
def client(scenario_warehouse: Path) -> Iterator[Client]:
    """Asks a warehouse of the oracle's scenario."""
    with open_warehouse(scenario_warehouse) as opened:
        yield opened


@pytest.fixture(scope="session")
def world() -> World:
    """The oracle's figures of the same telemetry."""
    return World.load(*scenario(7))
