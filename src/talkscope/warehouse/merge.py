"""What the warehouse becomes when records arrive: SQL over temporary tables, for the sessions that are affected only.

The state of a session is a function of all its records, so it is worked out anew from the stored ones and the new ones:
loading twice, in halves, overlapping or out of order ends in the same rows. Steps, each a function: `gather` what is
stored of the affected sessions, `settle` platforms, `fold` records of one key, then `derived.complete` adds what is
implied and worked out, `compare` finds what is to be written.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import cast

import duckdb
import orjson

from talkscope.models.records import ID_OF, OWN, RECORDS, canonical
from talkscope.warehouse import derived
from talkscope.warehouse.schema import TABLES, Table

_AT_A_TIME = 20_000
_WHOLE = {"outcomes": "outcome_id", "ratings": "rating_id", "live_support": "live_support_id"}


def merge(connection: duckdb.DuckDBPyConnection, stored: dict[str, str]) -> None:
    """All steps in order; `stage_<table>` must hold the new records, with their keys and line order `seq`.

    `stored` gives each table that matters as FROM-able SQL with a `filename` column; tables that are left out are
    empty and have no new records.
    """
    touched = " UNION ".join(f"SELECT session_id FROM stage_{name}" for name in stored)
    gather(connection, stored, touched)
    settle(connection, stored)
    finish(connection, stored)


def finish(connection: duckdb.DuckDBPyConnection, names: Iterable[str]) -> None:
    """All steps from settled records on."""
    for name in names:
        fold(connection, TABLES[name])
    derived.complete(connection, names)
    for name in names:
        compare(connection, TABLES[name])


def gather(connection: duckdb.DuckDBPyConnection, stored: dict[str, str], touched: str) -> None:
    """Copy what is stored of the touched sessions (a SELECT of ids) into `old_<table>`.

    Sessions that share an interaction with a touched one are touched too, and so is the session that a record leaves
    when its id comes back under another one. Records without a session come along by their key.
    """
    execute = connection.execute
    execute(f"CREATE TEMP TABLE affected AS SELECT session_id FROM ({touched}) WHERE session_id IS NOT NULL")
    turns = " UNION ".join(f"SELECT interaction_id FROM stage_{name}" for name in ("interactions", "spans", "events"))
    execute(f"CREATE TEMP TABLE turn_ids AS SELECT * FROM ({turns}) WHERE interaction_id IS NOT NULL")
    spread(connection, stored)
    for name, sql in stored.items():
        alone = "" if _has_session(name) else f" OR session_id IS NULL AND key IN (SELECT key FROM stage_{name})"
        execute(f"CREATE TEMP TABLE old_{name} AS SELECT * FROM {sql} WHERE session_id IN (FROM affected){alone}")


def _has_session(name: str) -> bool:
    """Whether each record of a table belongs to a session."""
    return any(field.name == "session_id" and field.required for field in RECORDS[TABLES[name].record])


def spread(connection: duckdb.DuckDBPyConnection, stored: dict[str, str]) -> None:
    """Grow `affected` by the stored sessions that are tied to it, until there are no more."""
    if not any("read_parquet" in sql for sql in stored.values()):
        return
    grow = "INSERT INTO affected SELECT DISTINCT session_id FROM {} EXCEPT FROM affected"
    for name, sql in stored.items():
        named = ID_OF[TABLES[name].record]
        if name in ("sessions", "interactions") or not _any(connection, f"SELECT count({named}) FROM stage_{name}"):
            continue
        moved = f"{sql} WHERE {named} IN (SELECT {named} FROM stage_{name}) AND session_id IS NOT NULL"
        connection.execute(grow.format(moved))
    ties = " UNION ALL ".join(
        f"SELECT session_id, interaction_id FROM {stored[name]}" for name in ("interactions", "spans", "events")
    )
    while True:
        connection.execute(grow.format(f"({ties}) WHERE interaction_id IN (FROM turn_ids)"))
        more = _any(
            connection,
            f"INSERT INTO turn_ids SELECT DISTINCT interaction_id FROM ({ties})"
            " WHERE interaction_id IS NOT NULL AND session_id IN (FROM affected) EXCEPT FROM turn_ids",
        )
        if not more:
            return


def _any(connection: duckdb.DuckDBPyConnection, sql: str) -> bool:
    """Whether the number that the statement gives is more than 0."""
    found = connection.execute(sql).fetchone()
    return found is not None and bool(found[0])


def settle(connection: duckdb.DuckDBPyConnection, names: Iterable[str], without: str | None = None) -> None:
    """Give facts that name no platform that of the one session record with their session id, else one's own.

    `fresh_<table>` are the new records, `prior_<table>` the stored ones, those of a table of sessions
    (`without`) left out; what was assumed when they came is asked anew.
    """
    kept = "" if without is None else f" ANTI JOIN {without} USING (platform, session_id)"
    connection.execute(
        "CREATE TEMP TABLE homes AS SELECT session_id, min(platform) AS platform FROM ("
        " SELECT session_id, platform FROM stage_sessions WHERE platform IS NOT NULL"
        " UNION SELECT session_id, platform FROM old_sessions" + kept + " WHERE NOT derived AND NOT assumed"
        ") GROUP BY session_id HAVING count(DISTINCT platform) = 1"
    )
    home = f"coalesce(h.platform, '{OWN}')"
    for name in names:
        own = ", ".join(f"s.{column}" for column in TABLES[name].own)
        homed = "LEFT JOIN homes h ON h.session_id = s.session_id"
        if not _has_session(name):
            # One that says its session only sometimes, or another one later, is at home with the latest all the time.
            connection.execute(
                f"CREATE TEMP VIEW seats_{name} AS SELECT key, arg_max(session_id, row(seq, session_id)) AS session_id"
                f" FROM (SELECT key, session_id, seq FROM stage_{name} WHERE platform IS NULL"
                f" UNION ALL SELECT key, session_id, -1 FROM old_{name}{kept} WHERE assumed)"
                " WHERE session_id IS NOT NULL GROUP BY key"
            )
            homed = (
                f"LEFT JOIN seats_{name} k ON k.key = s.key"
                " LEFT JOIN homes h ON h.session_id = coalesce(k.session_id, s.session_id)"
            )
        connection.execute(
            f"CREATE TEMP VIEW fresh_{name} AS SELECT s.key, coalesce(s.platform, {home}) AS platform,"
            f" s.platform IS NULL AS assumed, {own}, s.seq"
            f" FROM stage_{name} s {homed}"
        )
        real = "WHERE NOT s.derived" if name in ("sessions", "interactions") else ""
        connection.execute(
            f"CREATE TEMP VIEW prior_{name} AS SELECT s.key,"
            f" CASE WHEN s.assumed THEN {home} ELSE s.platform END AS platform, s.assumed, {own},"
            f" CASE WHEN s.assumed THEN -2 ELSE -1 END::BIGINT AS seq"
            f" FROM (FROM old_{name}{kept}) s {homed} {real}"
        )


def fold(connection: duckdb.DuckDBPyConnection, table: Table) -> None:
    """Make one row of all records with one key: each field from the latest load that has it, attributes key by key.

    An outcome, a rating or a chat with an agent that has an id is a whole statement, which takes the place of the one
    before: what a conversation was once scored as must not stay where its later scoring is silent, nor a remark beside
    another rating, nor the end of a chat that was taken up again.
    """
    name = table.name
    if not _any(connection, f"SELECT (SELECT count(*) FROM stage_{name}) + (SELECT count(*) FROM old_{name})"):
        connection.execute(
            f"CREATE TEMP TABLE record_{name} AS SELECT key, platform, assumed, {', '.join(table.own)} FROM old_{name}"
        )
        return
    known = _known(connection, name)
    repeated = "SELECT platform, key FROM {} GROUP BY ALL HAVING count(*) > 1"
    many = f" UNION {repeated.format(f'prior_{name}')}" if known else ""
    connection.execute(f"CREATE TEMP TABLE many_{name} AS {repeated.format(f'fresh_{name}')}{many}")
    several = _any(connection, f"SELECT count(*) FROM many_{name}")
    connection.execute(f"CREATE TEMP VIEW every_{name} AS FROM prior_{name} UNION ALL FROM fresh_{name}")
    connection.execute(f"CREATE TEMP TABLE record_{name} AS {_folded(table, known=known, several=several)}")
    _fold_attributes(connection, name)


def _known(connection: duckdb.DuckDBPyConnection, name: str) -> bool:
    """Whether anything is stored of the affected sessions; to plan for what there is not takes longer than to look."""
    return _any(connection, f"SELECT count(*) FROM old_{name}")


def _folded(table: Table, *, known: bool, several: bool) -> str:
    """The SELECT of one row a key: a join where a key has one row on either side, as most have, else a group."""
    name, whole = table.name, _WHOLE.get(table.name)
    one = f"ANTI JOIN many_{name} USING (platform, key)" if several else ""
    own = ", ".join(table.own)
    paired = ", ".join(f"{_newer(column, whole)} AS {column}" for column in table.own)
    parts = [
        "SELECT key, platform, coalesce(f.assumed, true) AND coalesce(p.assumed, true) AS assumed,"
        f" {paired} FROM (FROM fresh_{name} {one}) f FULL JOIN (FROM prior_{name} {one}) p USING (platform, key)"
        if known
        else f"SELECT key, platform, assumed, {own} FROM fresh_{name} {one}"
    ]
    if several:
        folded = ", ".join(f"{_newest(column, whole)} AS {column}" for column in table.own)
        parts.append(
            f"SELECT key, platform, bool_and(assumed), {folded}"
            f" FROM every_{name} SEMI JOIN many_{name} USING (platform, key) GROUP BY platform, key"
        )
    return " UNION ALL ".join(parts)


def _newer(column: str, whole: str | None) -> str:
    merged = f"coalesce(f.{column}, p.{column})"
    return f"CASE WHEN f.{whole} IS NOT NULL THEN f.{column} ELSE {merged} END" if whole else merged


def _newest(column: str, whole: str | None) -> str:
    merged = f"arg_max({column}, seq)"
    last = f"arg_max_null({column}, seq)"
    return f"CASE WHEN max({whole}) IS NOT NULL THEN {last} ELSE {merged} END" if whole else merged


def _fold_attributes(connection: duckdb.DuckDBPyConnection, name: str) -> None:
    """Merge the attributes of records of one key, where they differ; a later value wins whole."""
    counts = (f"(SELECT count(*) FROM {each}_{name})" for each in ("many", "old", "stage"))
    if not _any(connection, "SELECT {} + least({}, {})".format(*counts)):
        return
    merging = f" AND {_WHOLE[name]} IS NULL" if name in _WHOLE else ""
    differing = connection.execute(
        f"SELECT platform, key, list(attributes ORDER BY seq) FROM every_{name} SEMI JOIN (FROM many_{name} UNION"
        f" SELECT platform, key FROM fresh_{name} f JOIN prior_{name} p USING (platform, key)"
        f" WHERE f.attributes <> p.attributes) USING (platform, key) WHERE attributes IS NOT NULL{merging}"
        " GROUP BY platform, key HAVING count(DISTINCT attributes) > 1"
    ).fetchall()
    for start in range(0, len(differing), _AT_A_TIME):
        some = differing[start : start + _AT_A_TIME]
        merged = [_merged(texts) for _, _, texts in some]
        connection.execute(
            f"UPDATE record_{name} AS r SET attributes = m.attributes FROM (SELECT unnest(?::VARCHAR[]) AS platform,"
            " unnest(?::VARCHAR[]) AS key, unnest(?::VARCHAR[]) AS attributes) m"
            " WHERE r.platform = m.platform AND r.key = m.key",
            [[row[0] for row in some], [row[1] for row in some], merged],
        )


def _merged(texts: list[str]) -> str:
    whole: dict[str, object] = {}
    for text in texts:
        whole.update(cast("dict[str, object]", orjson.loads(text)))
    return canonical(whole)


def compare(connection: duckdb.DuckDBPyConnection, table: Table) -> None:
    """Sort rows into those to write (`write_<table>`) and stored ones that give way (`gone_<table>`, with filename)."""
    name = table.name
    if not _known(connection, name):
        connection.execute(f"CREATE TEMP TABLE gone_{name} AS SELECT platform, key, filename FROM old_{name}")
        connection.execute(f"CREATE TEMP VIEW write_{name} AS FROM final_{name}")
        return
    equal = " AND ".join(f"f.{column} IS NOT DISTINCT FROM o.{column}" for column in table.columns)
    connection.execute(
        f"CREATE TEMP TABLE same_{name} AS SELECT f.platform, f.key FROM final_{name} f JOIN old_{name} o"
        f" ON f.platform = o.platform AND f.key = o.key AND {equal}"
    )
    rest = f"ANTI JOIN same_{name} USING (platform, key)"
    connection.execute(f"CREATE TEMP TABLE gone_{name} AS SELECT platform, key, filename FROM old_{name} {rest}")
    connection.execute(f"CREATE TEMP VIEW write_{name} AS FROM final_{name} {rest}")


def tally(connection: duckdb.DuckDBPyConnection, table: Table, staged: int) -> tuple[int, int, int]:
    """How many of the staged records are new, changed and already present."""
    name = table.name
    if not _known(connection, name):
        new = connection.execute(f"SELECT count(*) FROM (SELECT DISTINCT platform, key FROM fresh_{name})").fetchone()
        return (int(new[0]), 0, staged - int(new[0])) if new else (0, 0, staged)
    changes = " OR ".join(f"r.{column} IS DISTINCT FROM p.{column}" for column in table.own)
    found = connection.execute(
        f"SELECT (SELECT count(*) FROM (SELECT platform, key FROM fresh_{name} EXCEPT"
        f" SELECT platform, key FROM prior_{name})),"
        f" (SELECT count(DISTINCT (p.platform, p.key)) FROM prior_{name} p JOIN record_{name} r"
        f" ON r.platform = p.platform AND r.key = p.key AND ({changes}))"
    ).fetchone()
    new, changed = found or (0, 0)
    return int(new), int(changed), staged - int(new) - int(changed)
