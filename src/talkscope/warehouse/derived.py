"""What no record says but the records together do: implied interactions and sessions, nesting, copies, failures."""

from __future__ import annotations

from collections.abc import Mapping

from talkscope.warehouse import nesting
from talkscope.warehouse.desk import Desk
from talkscope.warehouse.schema import COPIED, ERROR_EVENT, FAILED, TABLES, TALK


def complete(desk: Desk) -> None:
    """From `record_<table>` to `final_<table>`, which has the stored columns in their order."""
    imply_interactions(desk)
    imply_sessions(desk)
    nesting.nest(desk)
    work_out(desk)
    for name in TABLES:
        if name not in TALK:
            _final(desk, name, f"record_{name}", {})


def imply_interactions(desk: Desk) -> None:
    """Add the interactions that only spans and events know, marked, in the session of the earliest of these."""
    own = TABLES["interactions"].own
    parts = []
    if "record_interactions" in desk:
        parts.append(
            f"SELECT key, platform, assumed, {', '.join(own)}, false AS derived FROM {desk['record_interactions']}"
        )
    facts = [
        f"SELECT interaction_id, platform, assumed, session_id, t, {till} AS till FROM {desk[table]}"
        for table, till in (("record_spans", "coalesce(end_t, t)"), ("record_events", "t"))
        if table in desk
    ]
    if facts and desk.make("implied", _implied(desk, " UNION ALL ".join(facts))):
        known = ("interaction_id", "session_id", "t", "end_t")
        listed = ", ".join(name if name in known else f"NULL::{kind} AS {name}" for name, kind in own.items())
        parts.append(f"SELECT interaction_id AS key, platform, assumed, {listed}, true AS derived FROM implied")
    if parts:
        desk.call("base_interactions", f"({' UNION ALL '.join(parts)})")


def _implied(desk: Desk, facts: str) -> str:
    """The SELECT of the interactions that facts name and no record does."""
    unknown = ""
    if "record_interactions" in desk:
        unknown = (
            f" WHERE NOT EXISTS (FROM {desk['record_interactions']} r"
            " WHERE r.platform = f.platform AND r.interaction_id = f.interaction_id)"
        )
    # By session first: the earliest is then looked for among few rows.
    return (
        "SELECT interaction_id, platform, bool_and(assumed) AS assumed,"
        " arg_min(session_id, row(t, session_id)) AS session_id, min(t) AS t, max(till) AS end_t FROM ("
        " SELECT interaction_id, platform, session_id, bool_and(assumed) AS assumed, min(t) AS t, max(till) AS till"
        f" FROM ({facts}) WHERE interaction_id IS NOT NULL GROUP BY interaction_id, platform, session_id"
        f") f{unknown} GROUP BY interaction_id, platform"
    )


def imply_sessions(desk: Desk) -> None:
    """Add the sessions that only facts know, marked; say of each session how far its facts reach."""
    facts = [
        f"SELECT platform, assumed, session_id, t, {seen} AS seen FROM {desk[table]}"
        for table, seen in (
            ("base_interactions", "coalesce(end_t, t)"),
            ("record_spans", "coalesce(end_t, t)"),
            ("record_events", "t"),
            ("record_outcomes", "NULL::BIGINT"),
        )
        if table in desk
    ]
    if facts:
        desk.make(
            "reach",
            "SELECT platform, session_id, bool_and(assumed) AS assumed, min(t) AS min_t, max(t) AS max_t,"
            f" max(seen) AS last_t FROM ({' UNION ALL '.join(facts)}) GROUP BY platform, session_id",
        )
    own = TABLES["sessions"].own
    parts = []
    if "record_sessions" in desk:
        said = ", ".join(f"r.{column}" for column in own)
        reaching, joined = "r.t AS last_t, r.t AS min_t, r.t AS max_t", ""
        if "reach" in desk:
            # greatest() and least() pass over nulls, so that a session without facts reaches as far as itself.
            reaching = (
                "greatest(r.t, f.last_t) AS last_t, least(r.t, f.min_t) AS min_t, greatest(r.t, f.max_t) AS max_t"
            )
            joined = "LEFT JOIN reach f ON f.platform = r.platform AND f.session_id = r.session_id"
        parts.append(
            f"SELECT r.key, r.platform, r.assumed, {said}, false AS derived, {reaching}"
            f" FROM {desk['record_sessions']} r {joined}"
        )
    if "reach" in desk:
        parts.append(_implied_sessions(desk))
    if parts:
        desk.make("base_sessions", " UNION ALL ".join(parts))


def _implied_sessions(desk: Desk) -> str:
    """The SELECT of the sessions that facts reach and no record names."""
    made = {"session_id": "session_id", "t": "min_t"}
    listed = ", ".join(f"{made.get(name, f'NULL::{kind}')} AS {name}" for name, kind in TABLES["sessions"].own.items())
    unknown = ""
    if "record_sessions" in desk:
        unknown = (
            f" WHERE NOT EXISTS (FROM {desk['record_sessions']} r"
            " WHERE r.platform = f.platform AND r.session_id = f.session_id)"
        )
    return (
        f"SELECT session_id AS key, platform, assumed, {listed}, true AS derived,"
        f" greatest(min_t, last_t) AS last_t, min_t, max_t FROM reach f{unknown}"
    )


def work_out(desk: Desk) -> None:
    """Fill in the copied and worked-out columns of what was said and done."""
    failed, failing = FAILED.replace("status", "b.status"), ""
    if "record_events" in desk and desk.make(
        "failing",
        f"SELECT DISTINCT platform, interaction_id FROM {desk['record_events']}"
        f" WHERE interaction_id IS NOT NULL AND {ERROR_EVENT}",
    ):
        failed += " OR e.interaction_id IS NOT NULL"
        failing = "LEFT JOIN failing e ON b.platform = e.platform AND b.interaction_id = e.interaction_id"
    typed, kind = "", {"interaction_type": "NULL"}
    if "base_interactions" in desk:
        kind = {"interaction_type": "i.interaction_type"}
        typed = (
            f"LEFT JOIN {desk['base_interactions']} i"
            " ON b.platform = i.platform AND b.interaction_id = i.interaction_id"
        )
    nested, place = "", {"leaf": "true", "depth": "0"}
    if "edges" in desk:
        place = {"leaf": "p.span_id IS NULL", "depth": "coalesce(d.depth, 0)"}
        nested = (
            " LEFT JOIN depths d ON d.platform = b.platform AND d.key = b.key LEFT JOIN parents p"
            " ON p.platform = b.platform AND p.session_id = b.session_id AND p.span_id = b.span_id"
        )
    _final(desk, "sessions", "base_sessions", {})
    _final(desk, "interactions", "base_interactions", {"failed": failed}, failing)
    _final(desk, "spans", "record_spans", {**place, **kind}, typed + nested)
    _final(desk, "events", "record_events", kind, typed)
    _final(desk, "outcomes", "record_outcomes", {})


def _final(desk: Desk, name: str, source: str, made: Mapping[str, str], joined: str = "") -> None:
    """The stored columns in order: made ones by their expression, copied ones from the session, the rest as it is."""
    if source not in desk:
        return
    table = TABLES[name]
    copied = dict.fromkeys(COPIED if name != "sessions" else (), "NULL")
    if copied and "session_id" in table.fields and "base_sessions" in desk:
        copied = {column: f"s.{column}" for column in copied}
        joined += " LEFT JOIN base_sessions s ON s.platform = b.platform AND s.session_id = b.session_id"
    made = {**copied, **made}
    listed = ", ".join(
        f"({made.get(column, f'b.{column}')})::{kind} AS {column}" for column, kind in table.columns.items()
    )
    final = f"SELECT {listed} FROM {desk[source]} b {joined}"
    if f"old_{name}" in desk:
        desk.make(f"final_{name}", final)
    else:
        desk.call(f"final_{name}", f"({final})")
        # No join adds a row or takes one, and what is asked of all rows together is asked of fewer columns.
        desk.call(f"told_{name}", desk[source])
