"""One server with two accounts, for tests that leave it as it is."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.api.service.serving import Served, add_key, fill, serving

PLANS = ("none", "free", "scale", "business")


@dataclass
class Town:
    """A server, keys of account `ada` by plan, and a key of account `bob`."""

    served: Served
    keys: dict[str, str]
    bob: str
    folder: Path


@pytest.fixture(scope="session")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    folder = tmp_path_factory.mktemp("town")
    fill(folder, "ada")
    fill(folder, "bob", sessions=2)
    keys = {plan: add_key(folder, "ada", "--plan", plan, "--per-minute", "0") for plan in PLANS}
    bob = add_key(folder, "bob", "--plan", "enterprise")
    with serving(folder) as served:
        yield Town(served, keys, bob, folder)
