"""Rows that are no records, as a Parquet file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import duckdb
import pytest

from talkscope.warehouse.export import write_parquet


def test_a_machine_with_little_memory_writes_parquet_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    connect = duckdb.connect

    def small(name: str, *, config: dict[str, Any]) -> duckdb.DuckDBPyConnection:
        return connect(name, config={**config, "memory_limit": "150MB"})

    rows, made, long = tmp_path / "rows.ndjson", tmp_path / "made.parquet", "x" * (3 << 20)
    rows.write_text(f'{{"n": 1, "said": "a"}}\n{{"n": 2, "said": "{long}"}}\n', encoding="utf-8")
    with monkeypatch.context() as patched:
        patched.setattr(duckdb, "connect", small)
        write_parquet(rows, made, {"n": "integer", "said": "text"})
    with connect() as reader:
        assert reader.execute(f"SELECT n, said FROM '{made}'").fetchall() == [(1, "a"), (2, long)]
