"""Rows that are no records, written as a Parquet file with typed columns: the engine's part of an export."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Literal, TypeAlias

import duckdb

from talkscope.errors import WarehouseError
from talkscope.warehouse.store import json_lines, quoted

Kind: TypeAlias = Literal["boolean", "integer", "number", "moment", "text", "texts"]

_STORED: Mapping[Kind, str] = {
    "boolean": "BOOLEAN",
    "integer": "BIGINT",
    "number": "DOUBLE",
    "moment": "BIGINT",
    "text": "VARCHAR",
    "texts": "VARCHAR[]",
}


def write_parquet(rows: Path, to: Path, columns: Mapping[str, Kind]) -> None:
    """The rows of an NDJSON file as Parquet, in their order; both files stand in one folder.

    A moment is microseconds since 1970 in the rows, and a time in UTC in the Parquet file.
    Raises WarehouseError when it cannot be written.
    """
    listed = ", ".join(_column(name, kind) for name, kind in columns.items())
    with rows.open("rb") as lines:
        longest = max(map(len, lines), default=0)
    source = json_lines(rows, {name: _STORED[kind] for name, kind in columns.items()}, longest)
    # One thread keeps the rows in their order, and no more than a few groups of them in memory.
    config: dict[str, str | bool | int | float | list[str]] = {
        "autoinstall_known_extensions": "false",
        "autoload_known_extensions": "false",
        "temp_directory": "",
        "threads": "1",
    }
    try:
        connection = duckdb.connect(":memory:", config=config)
        try:
            connection.execute(f"SET allowed_directories = [{quoted(str(rows.parent))}]")
            connection.execute("SET enable_external_access = false")
            connection.execute("SET lock_configuration = true")
            connection.execute(
                f"COPY (SELECT {listed} FROM {source}) TO {quoted(str(to))} (FORMAT parquet, COMPRESSION zstd)"
            )
        finally:
            connection.close()
    except duckdb.Error as error:
        raise WarehouseError(
            f"The Parquet file could not be written ({type(error).__name__}).",
            hint="What was fetched is kept; make room, or ask for another format.",
        ) from None


def _column(name: str, kind: Kind) -> str:
    named = '"' + name.replace('"', '""') + '"'
    return f"make_timestamptz({named}) AS {named}" if kind == "moment" else named
