"""What the warehouse becomes when records arrive: SQL over temporary tables, for the sessions that are affected only.

The state of a session is a function of all its records, so it is worked out anew from the stored ones and the new ones:
loading twice, in halves, overlapping or out of order ends in the same rows. Steps, each a function: `gather` what is
stored of the affected sessions, `settle` platforms, `fold` records of one key, then `derived.complete` adds what is
implied and worked out, `compare` finds what is to be written.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

from talkscope.models.records import ID_OF, OWN, RECORDS
from talkscope.warehouse import derived
from talkscope.warehouse.desk import Desk, number
from talkscope.warehouse.folding import fold
from talkscope.warehouse.schema import TABLES, TALK, Table

_TIED = ("interactions", "spans", "events")
"""The tables whose records tie a session to an interaction."""


def merge(desk: Desk, stored: Mapping[str, str], homeless: Collection[str]) -> None:
    """All steps in order; `stage_<table>` must hold the new records, with their keys and line order `seq`.

    `stored` gives each table that holds something as FROM-able SQL with a `filename` column; `homeless` are the
    tables of which a new record names no platform.
    """
    staged = [name for name in TABLES if f"stage_{name}" in desk]
    gather(
        desk,
        stored,
        " UNION ALL ".join(f"SELECT session_id FROM stage_{name}" for name in staged),
    )
    settle(desk, homeless)
    finish(desk)


def finish(desk: Desk) -> None:
    """All steps from settled records on."""
    for table in TABLES.values():
        fold(desk, table)
    derived.complete(desk)
    for table in TABLES.values():
        compare(desk, table)


def gather(desk: Desk, stored: Mapping[str, str], touched: str) -> None:
    """Copy what is stored of the touched sessions (a SELECT of ids) into `old_<table>`.

    Sessions that share an interaction with a touched one are touched too, and so is the session that a record leaves
    when its id comes back under another one. Records without a session come along by their key.
    """
    if not stored:
        return
    desk.make(
        "affected",
        f"SELECT DISTINCT session_id FROM ({touched}) WHERE session_id IS NOT NULL",
    )
    known = spread(desk, stored)
    for name, sql in stored.items():
        which = []
        # What was said and done is of a stored session; what is told beside it may be of one that is yet to come.
        if "session_id" in TABLES[name].fields and (known or name not in TALK):
            which.append("session_id IN (FROM affected)")
        if not _has_session(name) and f"stage_{name}" in desk:
            which.append(f"session_id IS NULL AND key IN (SELECT key FROM stage_{name})")
        if which:
            desk.make(f"old_{name}", f"SELECT * FROM {sql} WHERE {' OR '.join(which)}")


def _has_session(name: str) -> bool:
    """Whether each record of a table belongs to a session."""
    return any(field.name == "session_id" and field.required for field in RECORDS[TABLES[name].record])


def spread(desk: Desk, stored: Mapping[str, str]) -> bool:
    """Grow `affected` by the stored sessions that are tied to it, until there are no more; whether any is stored."""
    grow = "INSERT INTO affected SELECT DISTINCT session_id FROM {} EXCEPT FROM affected"
    for name, sql in stored.items():
        named = ID_OF[TABLES[name].record]
        if name in ("sessions", "interactions") or f"stage_{name}" not in desk:
            continue
        if number(desk.connection, f"SELECT count({named}) FROM stage_{name}"):
            moved = f"{sql} WHERE {named} IN (SELECT {named} FROM stage_{name}) AND session_id IS NOT NULL"
            desk.connection.execute(grow.format(moved))
    new = [f"SELECT interaction_id FROM stage_{name}" for name in _TIED if f"stage_{name}" in desk]
    turns = " UNION ".join(new) or "SELECT NULL::VARCHAR AS interaction_id"
    more = desk.make("turn_ids", f"SELECT * FROM ({turns}) WHERE interaction_id IS NOT NULL")
    tied = [f"SELECT session_id, interaction_id FROM {stored[name]}" for name in _TIED if name in stored]
    ties = f"({' UNION ALL '.join(tied)})"
    grow_by_turns = grow.format(f"{ties} WHERE interaction_id IN (FROM turn_ids)")
    if tied and more:
        desk.connection.execute(grow_by_turns)
    met = (
        f"SELECT count(*) FROM {stored['sessions']} WHERE session_id IN (FROM affected)" if "sessions" in stored else ""
    )
    if not met or not number(desk.connection, met):
        return False
    while tied and number(
        desk.connection,
        f"INSERT INTO turn_ids SELECT DISTINCT interaction_id FROM {ties}"
        " WHERE interaction_id IS NOT NULL AND session_id IN (FROM affected) EXCEPT FROM turn_ids",
    ):
        desk.connection.execute(grow_by_turns)
    return True


def settle(desk: Desk, homeless: Collection[str] = (), without: str | None = None) -> None:
    """Give facts that name no platform that of the one session record with their session id, else one's own.

    `fresh_<table>` are the new records, `prior_<table>` the stored ones, those of a table of sessions
    (`without`) left out; what was assumed when they came is asked anew.
    """
    kept = "" if without is None else f" ANTI JOIN {without} USING (platform, session_id)"
    _find_homes(desk, homeless, kept)
    home = f"coalesce(h.platform, '{OWN}')" if "homes" in desk else f"'{OWN}'"
    for name, table in TABLES.items():
        own = ", ".join(f"s.{column}" for column in table.own)
        homed = _homed(desk, name, kept) if "homes" in desk else ""
        if f"stage_{name}" in desk:
            unnamed = name in homeless
            platform = f"coalesce(s.platform, {home})" if unnamed else "s.platform"
            desk.call(
                f"fresh_{name}",
                f"(SELECT s.key, {platform} AS platform, s.platform IS NULL AS assumed, {own}, s.seq"
                f" FROM stage_{name} s {homed if unnamed else ''})",
            )
        if f"old_{name}" in desk:
            real = "WHERE NOT s.derived" if name in ("sessions", "interactions") else ""
            desk.call(
                f"prior_{name}",
                f"(SELECT s.key, CASE WHEN s.assumed THEN {home} ELSE s.platform END AS platform, s.assumed, {own},"
                " CASE WHEN s.assumed THEN -2 ELSE -1 END::BIGINT AS seq"
                f" FROM (FROM old_{name}{kept}) s {homed} {real})",
            )


def _find_homes(desk: Desk, homeless: Collection[str], kept: str) -> None:
    """Make `homes`, the platform of each session id that has one, where a record may need it."""
    said = []
    if "stage_sessions" in desk:
        said.append("SELECT session_id, platform FROM stage_sessions WHERE platform IS NOT NULL")
    if "old_sessions" in desk:
        said.append(f"SELECT session_id, platform FROM old_sessions{kept} WHERE NOT derived AND NOT assumed")
    if said and (homeless or any(f"old_{name}" in desk for name in TABLES)):
        desk.make(
            "homes",
            f"SELECT session_id, min(platform) AS platform FROM ({' UNION ALL '.join(said)})"
            " GROUP BY session_id HAVING count(DISTINCT platform) = 1",
        )


def _homed(desk: Desk, name: str, kept: str) -> str:
    """The join of a table's records `s` with their homes `h`."""
    if _has_session(name):
        return "LEFT JOIN homes h ON h.session_id = s.session_id"
    # One that says its session only sometimes, or another one later, is at home with the latest all the time.
    seats = []
    if f"stage_{name}" in desk:
        seats.append(f"SELECT key, session_id, seq FROM stage_{name} WHERE platform IS NULL")
    if f"old_{name}" in desk:
        seats.append(f"SELECT key, session_id, -1 AS seq FROM old_{name}{kept} WHERE assumed")
    if not seats:
        return ""
    return (
        "LEFT JOIN (SELECT key, arg_max(session_id, row(seq, session_id)) AS session_id"
        f" FROM ({' UNION ALL '.join(seats)}) WHERE session_id IS NOT NULL GROUP BY key) k ON k.key = s.key"
        " LEFT JOIN homes h ON h.session_id = coalesce(k.session_id, s.session_id)"
    )


def compare(desk: Desk, table: Table) -> None:
    """Sort rows into those to write (`write_<table>`) and stored ones that give way (`gone_<table>`, with filename)."""
    name = table.name
    final, old, same = f"final_{name}", f"old_{name}", f"same_{name}"
    alike, rest = 0, ""
    if final in desk and old in desk:
        equal = " AND ".join(f"f.{column} IS NOT DISTINCT FROM o.{column}" for column in table.columns)
        alike = desk.make(
            same,
            f"SELECT f.platform, f.key FROM {final} f JOIN {old} o"
            f" ON f.platform = o.platform AND f.key = o.key AND {equal}",
        )
        rest = f"ANTI JOIN {same} USING (platform, key)" if alike else ""
    if old in desk and alike < desk.rows(old):
        desk.call(f"gone_{name}", f"(SELECT platform, key, filename FROM {old} {rest})")
    if final in desk and not (alike and alike == desk.rows(final)):
        desk.call(f"write_{name}", f"(FROM {final} {rest})" if rest else desk[final])


def tally(desk: Desk, table: Table, staged: int) -> tuple[int, int, int, int]:
    """How many of the staged records are new, changed, already present, and told once more by the same load."""
    name = table.name
    record, prior, several = f"record_{name}", f"prior_{name}", f"many_{name}" in desk
    if prior not in desk:
        new = desk.rows(record) if several else staged
        return new, 0, 0, staged - new
    again = _again(desk, name) if several else 0
    if f"write_{name}" not in desk and f"gone_{name}" not in desk:
        return 0, 0, staged - again, again
    each = "DISTINCT (p.platform, p.key)" if several else "*"
    changes = " OR ".join(f"r.{column} IS DISTINCT FROM p.{column}" for column in table.own)
    found = desk.connection.execute(
        f"SELECT count({each}), count({each}) FILTER ({changes}) FROM {desk[prior]} p"
        f" JOIN {record} r ON r.platform = p.platform AND r.key = p.key"
    ).fetchone()
    known, changed = found or (0, 0)
    # A record is there for each key, whether it was known or is new.
    new = desk.rows(record) - int(known)
    return new, int(changed), staged - again - new - int(changed), again


def _again(desk: Desk, name: str) -> int:
    """How many of the staged records have the key of another one."""
    repeated = f"{desk[f'fresh_{name}']} SEMI JOIN many_{name} USING (platform, key)"
    return number(desk.connection, f"SELECT count(*) - count(DISTINCT (platform, key)) FROM {repeated}")
