from __future__ import annotations

import json
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


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Loaded]]:
    """Makes a warehouse of some records, in one load or several, to be read only: the same make the same one."""
    made: dict[str, Loaded] = {}

    def make(*loads: list[Record]) -> Loaded:
        key = json.dumps(loads)
        if key not in made:
            made[key] = Loaded(tmp_path_factory.mktemp("warehouse"), loads)
        return made[key]

    yield make
    for each in made.values():
        each.close()
