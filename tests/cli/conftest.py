"""A small demo's telemetry, the truth about it, and a warehouse that holds it."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

import talkscope
from talkscope.jobs.demo import Truth, generate


@pytest.fixture(scope="session")
def telemetry(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Truth]:
    folder = tmp_path_factory.mktemp("telemetry")
    now = datetime(2026, 5, 4, 12, tzinfo=UTC)
    return folder, generate(folder, now=now, days=8, sessions_per_day=20)


@pytest.fixture(scope="session")
def warehouse(telemetry: tuple[Path, Truth], tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("cli") / "warehouse"
    assert talkscope.ingest(sorted(telemetry[0].glob("*.ndjson")), warehouse=folder).ok
    return folder
