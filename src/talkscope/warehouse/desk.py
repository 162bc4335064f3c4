"""What a merge works on: relations by name, and only those that have rows, so that nothing is planned for the others.

To plan a statement over a table of forty columns takes longer than to work through a thousand of its rows.
"""

from __future__ import annotations

import duckdb


class Desk:
    """The relations of one merge."""

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self.connection = connection
        self._sql: dict[str, str] = {}
        self._rows: dict[str, int] = {}

    def make(self, name: str, select: str) -> int:
        """Keep the rows of a SELECT in a temporary table; how many they are."""
        rows = number(self.connection, f"CREATE TEMP TABLE {name} AS {select}")
        if rows:
            self._sql[name] = name
        self._rows[name] = rows
        return rows

    def call(self, name: str, sql: str) -> None:
        """Give FROM-able SQL a name; it is worked out wherever it is read."""
        self._sql[name] = sql

    def __contains__(self, name: str) -> bool:
        return name in self._sql

    def __getitem__(self, name: str) -> str:
        """The relation as FROM-able SQL; KeyError when it has no rows."""
        return self._sql[name]

    def get(self, name: str) -> str | None:
        """The relation as FROM-able SQL, None when it has no rows."""
        return self._sql.get(name)

    def rows(self, name: str) -> int:
        """How many rows a table was made with; 0 for one that never was."""
        return self._rows.get(name, 0)


def number(connection: duckdb.DuckDBPyConnection, sql: str) -> int:
    """The number that a statement gives: its one value, or how many rows it has put into a table."""
    found = connection.execute(sql).fetchone()
    return int(found[0]) if found else 0
