"""What no record says but the records together do: implied interactions and sessions, nesting, copies, failures."""

from __future__ import annotations

from collections.abc import Iterable

import duckdb

from talkscope.warehouse import nesting
from talkscope.warehouse.schema import COPIED, ERROR_EVENT, FAILED, TABLES, TALK


def complete(connection: duckdb.DuckDBPyConnection, names: Iterable[str]) -> None:
    """From `record_<table>` to `final_<table>`, which has the stored columns in their order."""
    imply_interactions(connection)
    imply_sessions(connection)
    nesting.nest(connection)
    work_out(connection)
    for name in names:
        if name not in TALK:
            _final(connection, name, f"record_{name}", {})


def imply_interactions(connection: duckdb.DuckDBPyConnection) -> None:
    """Add the interactions that only spans and events know, marked, in the session of the earliest of these."""
    own = ", ".join(TABLES["interactions"].own)
    connection.execute(
        f"CREATE TEMP TABLE base_interactions AS SELECT key, platform, assumed, {own}, false AS derived"
        " FROM record_interactions"
    )
    # By session first: the earliest is then looked for among few rows.
    connection.execute(
        "INSERT INTO base_interactions BY NAME"
        " SELECT interaction_id AS key, platform, bool_and(assumed) AS assumed, interaction_id,"
        " arg_min(session_id, row(t, session_id)) AS session_id, min(t) AS t, max(till) AS end_t, true AS derived"
        " FROM ("
        "  SELECT interaction_id, platform, session_id, bool_and(assumed) AS assumed, min(t) AS t, max(till) AS till"
        "  FROM (SELECT interaction_id, platform, assumed, session_id, t, coalesce(end_t, t) AS till FROM record_spans"
        "   UNION ALL SELECT interaction_id, platform, assumed, session_id, t, t FROM record_events"
        "  ) WHERE interaction_id IS NOT NULL GROUP BY interaction_id, platform, session_id"
        " ) f WHERE NOT EXISTS (FROM record_interactions r"
        "  WHERE r.platform = f.platform AND r.interaction_id = f.interaction_id)"
        " GROUP BY interaction_id, platform"
    )


def imply_sessions(connection: duckdb.DuckDBPyConnection) -> None:
    """Add the sessions that only facts know, marked; say of each session how far its facts reach."""
    facts = " UNION ALL ".join(
        f"SELECT platform, assumed, session_id, t, {seen} AS seen FROM {table}"
        for table, seen in (
            ("base_interactions", "coalesce(end_t, t)"),
            ("record_spans", "coalesce(end_t, t)"),
            ("record_events", "t"),
            ("record_outcomes", "NULL::BIGINT"),
        )
    )
    connection.execute(
        "CREATE TEMP TABLE reach AS SELECT platform, session_id, bool_and(assumed) AS assumed, min(t) AS min_t,"
        f" max(t) AS max_t, max(seen) AS last_t FROM ({facts}) GROUP BY platform, session_id"
    )
    own = ", ".join(f"r.{column}" for column in TABLES["sessions"].own)
    # greatest() and least() pass over nulls, so that a session without facts reaches as far as itself.
    connection.execute(
        f"CREATE TEMP TABLE base_sessions AS SELECT r.key, r.platform, r.assumed, {own}, false AS derived,"
        " greatest(r.t, f.last_t) AS last_t, least(r.t, f.min_t) AS min_t, greatest(r.t, f.max_t) AS max_t"
        " FROM record_sessions r LEFT JOIN reach f ON f.platform = r.platform AND f.session_id = r.session_id"
    )
    connection.execute(
        "INSERT INTO base_sessions BY NAME SELECT session_id AS key, platform, assumed, session_id, min_t AS t,"
        " true AS derived, greatest(min_t, last_t) AS last_t, min_t, max_t FROM reach f WHERE NOT EXISTS"
        " (FROM record_sessions r WHERE r.platform = f.platform AND r.session_id = f.session_id)"
    )


def work_out(connection: duckdb.DuckDBPyConnection) -> None:
    """Fill in the copied and worked-out columns of what was said and done."""
    connection.execute(
        "CREATE TEMP TABLE failing AS SELECT DISTINCT platform, interaction_id FROM record_events"
        f" WHERE interaction_id IS NOT NULL AND {ERROR_EVENT}"
    )
    turn = "b.platform = {0}.platform AND b.interaction_id = {0}.interaction_id"
    typed = f"LEFT JOIN base_interactions i ON {turn.format('i')}"
    _final(connection, "sessions", "base_sessions", {})
    _final(
        connection,
        "interactions",
        "base_interactions",
        {"failed": f"{FAILED.replace('status', 'b.status')} OR e.interaction_id IS NOT NULL"},
        f"LEFT JOIN failing e ON {turn.format('e')}",
    )
    _final(
        connection,
        "spans",
        "record_spans",
        {"leaf": "p.span_id IS NULL", "depth": "coalesce(d.depth, 0)", "interaction_type": "i.interaction_type"},
        f"{typed} LEFT JOIN depths d ON d.platform = b.platform AND d.key = b.key"
        " LEFT JOIN parents p ON p.platform = b.platform AND p.session_id = b.session_id AND p.span_id = b.span_id",
    )
    _final(connection, "events", "record_events", {"interaction_type": "i.interaction_type"}, typed)
    _final(connection, "outcomes", "record_outcomes", {})


def _final(
    connection: duckdb.DuckDBPyConnection, name: str, source: str, made: dict[str, str], joined: str = ""
) -> None:
    """The stored columns in order: made ones by their expression, copied ones from the session, the rest as it is."""
    copied = COPIED if name != "sessions" else {}
    listed = ", ".join(
        f"({made.get(column) or ('s.' if column in copied else 'b.') + column})::{kind} AS {column}"
        for column, kind in TABLES[name].columns.items()
    )
    if copied:
        joined += " LEFT JOIN base_sessions s ON s.platform = b.platform AND s.session_id = b.session_id"
    connection.execute(f"CREATE TEMP TABLE final_{name} AS SELECT {listed} FROM {source} b {joined}")
