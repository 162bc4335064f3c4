"""What the warehouse becomes when records arrive: SQL over temporary tables, for the sessions that are affected only.

The state of a session is a function of all its records, so it is worked out anew from the stored ones and the new ones:
loading twice, in halves, overlapping or out of order ends in the same rows. Steps, each a function: `gather` what is
stored of the affected sessions, `fold` records of one key, `derive` what is only implied, `work_out` columns, `compare`.
"""

from __future__ import annotations

from collections.abc import Callable

from talkscope.models.records import OWN
from talkscope.warehouse.schema import COPIED, KEYED, TABLES, Table

Execute = Callable[[str], object]

_FACTS = ("interactions", "spans", "events", "outcomes")
_ERROR_EVENT = "(starts_with(metric_name, 'error.') OR coalesce(status, '') IN ('error', 'timeout'))"
FAILED = "coalesce(status, '') IN ('error', 'timeout')"
MOST_DEEP = 64


def gather(execute: Execute, stored: dict[str, str]) -> None:
    """Copy what is stored of every session that a new record touches into `old_<table>`.

    `stored` gives each table as FROM-able SQL with a `filename` column. A record whose id is stored under another
    session draws that session in too, because the record leaves it.
    """
    new = " UNION ".join(f"SELECT session_id FROM stage_{name}" for name in TABLES)
    execute(f"CREATE TEMP TABLE affected AS {new}")
    execute(
        "CREATE TEMP TABLE turn_ids AS SELECT interaction_id FROM stage_interactions"
        " UNION SELECT interaction_id FROM stage_spans WHERE interaction_id IS NOT NULL"
        " UNION SELECT interaction_id FROM stage_events WHERE interaction_id IS NOT NULL"
    )
    moved = [
        f"SELECT session_id FROM {stored['interactions']} WHERE interaction_id IN (FROM turn_ids)",
        f"SELECT session_id FROM {stored['spans']} WHERE span_id IN (SELECT span_id FROM stage_spans)",
    ]
    for query in moved:
        execute(f"INSERT INTO affected {query} EXCEPT FROM affected")
    for name in TABLES:
        execute(
            f"CREATE TEMP TABLE old_{name} AS SELECT * FROM {stored[name]} WHERE session_id IN (FROM affected)"
        )


def settle_platforms(execute: Execute) -> None:
    """Give facts that name no platform that of the one session record with their session id, else one's own."""
    execute(
        "CREATE TEMP TABLE homes AS SELECT session_id, min(platform) AS platform FROM ("
        " SELECT session_id, platform FROM stage_sessions WHERE platform IS NOT NULL"
        " UNION SELECT session_id, platform FROM old_sessions WHERE NOT derived AND NOT assumed"
        ") GROUP BY ALL HAVING count(DISTINCT platform) = 1"
    )
    for name in TABLES:
        for table, condition in ((f"stage_{name}", "s.platform IS NULL"), (f"prior_{name}", "s.assumed")):
            if table.startswith("prior"):
                real = " WHERE NOT derived" if name in ("sessions", "interactions") else ""
                execute(f"CREATE TEMP TABLE {table} AS SELECT * EXCLUDE (filename) FROM old_{name}{real}")
            home = "coalesce((SELECT h.platform FROM homes h WHERE h.session_id = s.session_id), '{own}')"
            execute(f"UPDATE {table} AS s SET assumed = true, platform = {home.format(own=OWN)} WHERE {condition}")


def fold(execute: Execute, table: Table) -> None:
    """Make one row of all records with one key: each field from the latest load that knows it, attributes key by key."""
    name, own = table.name, list(table.own)
    columns = ", ".join(own)
    execute(
        f"CREATE TEMP TABLE every_{name} AS"
        f" SELECT key, platform, assumed, {columns}, -1::BIGINT AS seq FROM prior_{name}"
        f" UNION ALL SELECT key, platform, coalesce(assumed, false), {columns}, seq FROM stage_{name}"
    )
    execute(
        f"CREATE TEMP TABLE twice_{name} AS"
        f" SELECT platform, key FROM every_{name} GROUP BY ALL HAVING count(*) > 1"
    )
    folded = ", ".join(
        f"list_reduce(list(attributes ORDER BY seq) FILTER (attributes IS NOT NULL),"
        f" lambda a, b: json_merge_patch(a, b)::VARCHAR) AS attributes"
        if column == "attributes"
        else f"arg_max({column}, seq) AS {column}"
        for column in own
    )
    same = "e.platform = d.platform AND e.key = d.key"
    execute(
        f"CREATE TEMP TABLE record_{name} AS"
        f" SELECT key, platform, assumed, {columns} FROM every_{name} e ANTI JOIN twice_{name} d ON {same}"
        f" UNION ALL SELECT key, platform, bool_and(assumed), {folded}"
        f" FROM every_{name} e SEMI JOIN twice_{name} d ON {same} GROUP BY platform, key"
    )
    execute(f"DROP TABLE every_{name}")


def derive(execute: Execute) -> None:
    """Add the interactions and sessions that records imply, marked; a real record takes the place of a derived one."""
    own = {name: ", ".join(TABLES[name].own) for name in TABLES}
    execute(f"CREATE TEMP TABLE base_interactions AS SELECT key, platform, assumed, {own['interactions']},"
            " false AS derived FROM record_interactions")  # fmt: skip
    execute(
        "INSERT INTO base_interactions BY NAME"
        " SELECT interaction_id AS key, platform, bool_and(assumed) AS assumed, interaction_id,"
        " min(session_id) AS session_id, min(t) AS t, max(coalesce(end_t, t)) AS end_t, true AS derived FROM ("
        "  SELECT interaction_id, platform, assumed, session_id, t, end_t FROM record_spans"
        "  UNION ALL SELECT interaction_id, platform, assumed, session_id, t, NULL FROM record_events"
        " ) f WHERE interaction_id IS NOT NULL AND NOT EXISTS (FROM record_interactions r"
        "  WHERE r.platform = f.platform AND r.interaction_id = f.interaction_id)"
        " GROUP BY interaction_id, platform"
    )
    facts = " UNION ALL ".join(
        f"SELECT platform, assumed, session_id, t, {end} AS till, {seen} AS seen FROM {table}"
        for table, end, seen in (
            ("base_interactions", "coalesce(end_t, t)", "coalesce(end_t, t)"),
            ("record_spans", "coalesce(end_t, t)", "coalesce(end_t, t)"),
            ("record_events", "t", "t"),
            ("record_outcomes", "t", "NULL::BIGINT"),
        )
    )
    execute(
        "CREATE TEMP TABLE spread AS SELECT platform, session_id, bool_and(assumed) AS assumed, min(t) AS min_t,"
        f" max(t) AS max_t, max(seen) AS last_t FROM ({facts}) GROUP BY platform, session_id"
    )
    execute(
        f"CREATE TEMP TABLE base_sessions AS SELECT r.key, r.platform, r.assumed, {_prefixed('r', own['sessions'])},"
        " false AS derived, greatest(r.t, coalesce(s.last_t, r.t)) AS last_t, least(r.t, s.min_t) AS min_t,"
        " greatest(r.t, s.max_t) AS max_t"
        " FROM record_sessions r LEFT JOIN spread s ON s.platform = r.platform AND s.session_id = r.session_id"
    )
    execute(
        "INSERT INTO base_sessions BY NAME SELECT session_id AS key, platform, assumed, session_id, min_t AS t,"
        " true AS derived, coalesce(last_t, min_t) AS last_t, min_t, max_t FROM spread s WHERE NOT EXISTS"
        " (FROM record_sessions r WHERE r.platform = s.platform AND r.session_id = s.session_id)"
    )


def _prefixed(alias: str, columns: str) -> str:
    return ", ".join(f"{alias}.{column}" for column in columns.split(", "))


def nest(execute: Execute) -> None:
    """Work out each span's depth below its outermost span, and which spans are leaves: no other span's parent."""
    execute(
        "CREATE TEMP TABLE edges AS SELECT c.platform, c.session_id, c.span_id, c.parent_id FROM record_spans c"
        " SEMI JOIN record_spans p ON p.platform = c.platform AND p.session_id = c.session_id"
        " AND p.span_id = c.parent_id WHERE c.span_id IS NULL OR c.span_id <> c.parent_id"
    )
    execute(
        "CREATE TEMP TABLE depths AS WITH RECURSIVE down(platform, session_id, span_id, depth) AS ("
        " SELECT DISTINCT platform, session_id, parent_id, 0 FROM edges e WHERE NOT EXISTS (FROM edges u"
        "  WHERE u.platform = e.platform AND u.session_id = e.session_id AND u.span_id = e.parent_id)"
        " UNION ALL SELECT e.platform, e.session_id, e.span_id, d.depth + 1 FROM down d JOIN edges e"
        "  ON e.platform = d.platform AND e.session_id = d.session_id AND e.parent_id = d.span_id"
        f" WHERE d.depth < {MOST_DEEP} AND e.span_id IS NOT NULL"
        ") SELECT platform, session_id, span_id, max(depth) AS depth FROM down GROUP BY ALL"
    )


def work_out(execute: Execute) -> None:
    """Fill in every table's copied and worked-out columns: `final_<table>` has the stored columns in their order."""
    execute(f"CREATE TEMP TABLE final_sessions AS SELECT {_listed('sessions', {})} FROM base_sessions b")
    failing = (
        "EXISTS (FROM record_events e WHERE e.platform = b.platform AND e.interaction_id = b.interaction_id"
        f" AND {_ERROR_EVENT.replace('metric_name', 'e.metric_name').replace('status', 'e.status')})"
    )
    _final(execute, "interactions", "base_interactions", {"failed": f"{FAILED.replace('status', 'b.status')} OR {failing}"})
    kind = (
        "(SELECT any_value(i.interaction_type) FROM base_interactions i WHERE i.platform = b.platform"
        " AND i.interaction_id = b.interaction_id)"
    )
    leaf = (
        "b.span_id IS NULL OR NOT EXISTS (FROM edges g WHERE g.platform = b.platform"
        " AND g.session_id = b.session_id AND g.parent_id = b.span_id)"
    )
    depth = (
        "coalesce((SELECT any_value(d.depth) FROM depths d WHERE d.platform = b.platform"
        " AND d.session_id = b.session_id AND d.span_id = b.span_id),"
        " (SELECT any_value(d.depth) + 1 FROM depths d WHERE b.span_id IS NULL AND d.platform = b.platform"
        " AND d.session_id = b.session_id AND d.span_id = b.parent_id), 0)"
    )
    _final(execute, "spans", "record_spans", {"leaf": leaf, "depth": depth, "interaction_type": kind})
    _final(execute, "events", "record_events", {"interaction_type": kind})
    _final(execute, "outcomes", "record_outcomes", {})


def _listed(name: str, made: dict[str, str]) -> str:
    """The stored columns in order: made ones by their expression, copied ones from the session, the rest as they are."""
    copied = TABLES[name].copied
    return ", ".join(
        f"({made[column]})::{kind} AS {column}"
        if column in made
        else f"s.{column}::{kind} AS {column}"
        if column in copied
        else f"b.{column}::{kind} AS {column}"
        for column, kind in TABLES[name].columns.items()
    )


def _final(execute: Execute, name: str, source: str, made: dict[str, str]) -> None:
    execute(
        f"CREATE TEMP TABLE final_{name} AS SELECT {_listed(name, made)} FROM {source} b"
        " LEFT JOIN base_sessions s ON s.platform = b.platform AND s.session_id = b.session_id"
    )


def compare(execute: Execute, table: Table) -> None:
    """Sort rows into those to write (`write_<table>`) and stored ones that give way (`gone_<table>`, with filename)."""
    name = table.name
    same = " AND ".join(f"f.{column} IS NOT DISTINCT FROM o.{column}" for column in table.columns)
    execute(f"CREATE TEMP TABLE write_{name} AS SELECT f.* FROM final_{name} f ANTI JOIN old_{name} o ON {same}")
    execute(
        f"CREATE TEMP TABLE gone_{name} AS SELECT o.platform, o.key, o.filename FROM old_{name} o"
        f" ANTI JOIN final_{name} f ON {same}"
    )


def tally(table: Table) -> str:
    """A SELECT of how many records of the load are new, changed and already present, in this order."""
    name = table.name
    changes = " OR ".join(f"r.{column} IS DISTINCT FROM p.{column}" for column in table.own)
    return (
        f"SELECT count(*) FILTER (known IS NULL), count(*) FILTER (known AND differs),"
        f" (SELECT count(*) FROM stage_{name}) - count(*) FILTER (known IS NULL) - count(*) FILTER (known AND differs)"
        f" FROM (SELECT p.key IS NOT NULL OR NULL AS known, {changes} AS differs"
        f" FROM (SELECT DISTINCT platform, key FROM stage_{name}) n"
        f" JOIN record_{name} r ON r.platform = n.platform AND r.key = n.key"
        f" LEFT JOIN prior_{name} p ON p.platform = n.platform AND p.key = n.key)"
    )


def merge(execute: Execute, stored: dict[str, str]) -> None:
    """All steps in order; `stage_<table>` must hold the new records, with their keys and line order `seq`."""
    gather(execute, stored)
    settle_platforms(execute)
    for table in TABLES.values():
        fold(execute, table)
    derive(execute)
    nest(execute)
    work_out(execute)
    for table in TABLES.values():
        compare(execute, table)


