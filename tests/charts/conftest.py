"""What tests of charts share: the oracle's telemetry in a warehouse, and the oracle itself."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from talkscope import open_warehouse
from talkscope.client import Client
from tests.oracle import World, scenario
from tests.warehouse.loading import load


@pytest.fixture(scope="session")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    """Asks a warehouse of the oracle's scenario."""
    folder = tmp_path_factory.mktemp("charts") / "warehouse"
    for batch in scenario(7):
        load(folder, batch)
    with open_warehouse(folder) as opened:
        yield opened


@pytest.fixture(scope="session")
def world() -> World:
    """The oracle's figures of the same telemetry."""
    return World.load(*scenario(7))
