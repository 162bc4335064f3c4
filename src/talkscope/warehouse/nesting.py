"""How deep each span lies below its outermost one, and which spans are parents."""

from __future__ import annotations

from collections.abc import Mapping

import duckdb

from talkscope.warehouse.desk import Desk

MOST_LEVELS = 64
"""Levels that SQL goes down before Python takes over: deeper nests, and loops, are rare and may be long."""

_IN_SESSION = "e.platform = {0}.platform AND e.session_id = {0}.session_id"


def nest(desk: Desk) -> None:
    """Make `parents` (spans that another one of their session names) and `depths` (by key, outermost spans left out).

    A span's depth is how many different ancestors the session holds: a loop is walked once, a parent that the session
    lacks is none, and so is a span that names itself. Nothing is made where no span has a parent, `edges` neither.
    """
    if "record_spans" not in desk:
        return
    spans, same = desk["record_spans"], _IN_SESSION.format("p")
    nested = desk.make(
        "edges",
        f"SELECT e.platform, e.session_id, e.key, e.span_id, e.parent_id FROM {spans} e"
        f" SEMI JOIN {spans} p ON {same} AND p.span_id = e.parent_id"
        " WHERE e.parent_id IS NOT NULL AND (e.span_id IS NULL OR e.span_id <> e.parent_id)",
    )
    if not nested:
        return
    desk.make("parents", "SELECT DISTINCT platform, session_id, parent_id AS span_id FROM edges")
    desk.make(
        "depths",
        "WITH RECURSIVE down AS ("
        " SELECT e.platform, e.session_id, e.key, e.span_id, 1 AS depth FROM edges e"
        f"  WHERE NOT EXISTS (FROM edges u WHERE {_IN_SESSION.format('u')} AND u.span_id = e.parent_id)"
        " UNION ALL SELECT e.platform, e.session_id, e.key, e.span_id, d.depth + 1 FROM down d"
        f"  JOIN edges e ON {_IN_SESSION.format('d')} AND e.parent_id = d.span_id WHERE d.depth < {MOST_LEVELS}"
        ") SELECT platform, key, depth FROM down",
    )
    _walk_the_rest(desk.connection)


def _walk_the_rest(connection: duckdb.DuckDBPyConnection) -> None:
    """Work out the depths of the spans that SQL did not reach: in loops, below them, or very deep."""
    rest = connection.execute(
        "SELECT platform, session_id, key, span_id, parent_id FROM edges SEMI JOIN ("
        " SELECT DISTINCT platform, session_id FROM edges ANTI JOIN depths USING (platform, key)"
        ") USING (platform, session_id)"
    ).fetchall()
    if not rest:
        return
    sessions: dict[tuple[str, str], dict[str, str]] = {}
    for platform, session, _, span, parent in rest:
        above = sessions.setdefault((platform, session), {})
        if span is not None:
            above[span] = parent
    known = {session: walk(above) for session, above in sessions.items()}
    found = [
        (platform, key, known[platform, session][span] if span else known[platform, session].get(parent, 0) + 1)
        for platform, session, key, span, parent in rest
    ]
    connection.execute(
        "INSERT INTO depths SELECT * FROM (SELECT unnest(?::VARCHAR[]) AS platform, unnest(?::VARCHAR[]) AS key,"
        " unnest(?::INTEGER[]) AS depth) f ANTI JOIN depths USING (platform, key)",
        [list(column) for column in zip(*found, strict=True)],
    )


def walk(above: Mapping[str, str]) -> dict[str, int]:
    """The depth of every span that has a parent, from the parent of each; in time that grows with their number."""
    depths: dict[str, int] = {}
    for first in above:
        path: list[str] = []
        place: dict[str, int] = {}
        span = first
        while span in above and span not in depths and span not in place:
            place[span] = len(path)
            path.append(span)
            span = above[span]
        if span in place:  # a loop: each of its spans has all the others above it
            loop = path[place[span] :]
            depths.update(dict.fromkeys(loop, len(loop) - 1))
            path = path[: place[span]]
        depth = depths.get(span, 0)
        for each in reversed(path):
            depth += 1
            depths[each] = depth
    return depths
