from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.oracle import World, scenario
from tests.warehouse.questions.loaded import Loaded, Record


@pytest.fixture(scope="session")
def world() -> World:
    """The oracle over the scenario."""
    return World.load(*scenario(7))


@pytest.fixture(scope="session")
def loaded(scenario_warehouse: Path) -> Iterator[Loaded]:
    """The warehouse over the same scenario."""
    warehouse = Loaded(scenario_warehouse)
    yield warehouse
    warehouse.close()


@pytest.fixture
def warehouse(tmp_path: Path) -> Iterator[Callable[..., Loaded]]:
    """Makes a warehouse of some records, in one load or several."""
    made: list[Loaded] = []

    def make(*loads: list[Record]) -> Loaded:
        made.append(Loaded(tmp_path / f"warehouse-{len(made)}", loads))
        return made[-1]

    yield make
    for each in made:
        each.close()
