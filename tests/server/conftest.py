from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from talkscope.jobs.demo import generate
from talkscope.jobs.ingest import ingest
from tests.server.forking import source
from tests.server.wire import Wire, enveloped

ROOT = Path(__file__).parents[2]


class Host:
    """A connection to `talkscope mcp` of one era: asks, and gives the result or the protocol's error."""

    def __init__(self, wire: Wire, *, modern: bool) -> None:
        self._wire = wire
        self.modern = modern

    def _ask(self, method: str, params: Mapping[str, Any] | None) -> dict[str, Any]:
        return self._wire.request(method, enveloped(params) if self.modern else dict(params or {}))

    def result(self, method: str, **params: Any) -> dict[str, Any]:
        answer = self._ask(method, params)
        assert "result" in answer, answer
        found: dict[str, Any] = answer["result"]
        return found

    def error(self, method: str, **params: Any) -> dict[str, Any]:
        answer = self._ask(method, params)
        assert "error" in answer, answer
        found: dict[str, Any] = answer["error"]
        return found


@pytest.fixture(scope="session", autouse=True)
def _forks_end() -> Iterator[None]:
    yield
    source.close()


@pytest.fixture(scope="session")
def stocked(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The environment of a server whose warehouse holds eight days of made-up telemetry."""
    place = tmp_path_factory.mktemp("stocked")
    generate(place / "telemetry", now=datetime.now(UTC), days=8, sessions_per_day=10)
    ingest(sorted((place / "telemetry").glob("*.ndjson")), warehouse=place / "warehouse", generated=True)
    (place / "config.toml").touch()
    kept = {name: value for name, value in os.environ.items() if not name.startswith("TALKSCOPE_")}
    return {
        **kept,
        "PYTHONPATH": os.pathsep.join([str(ROOT / "src"), str(ROOT)]),
        "TALKSCOPE_WAREHOUSE": str(place / "warehouse"),
        "TALKSCOPE_CONFIG": str(place / "config.toml"),
    }


@pytest.fixture(scope="session", params=["handshake", "2026-07-28"])
def host(stocked: dict[str, str], request: pytest.FixtureRequest) -> Iterator[Host]:
    """`talkscope mcp` on that warehouse, in each era."""
    modern = request.param != "handshake"
    with Wire([sys.executable, "-m", "talkscope", "mcp"], stocked, forked=True) as wire:
        if not modern:
            wire.handshake()
        yield Host(wire, modern=modern)
        assert wire.close() == 0
