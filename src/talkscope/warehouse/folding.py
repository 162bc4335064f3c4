"""One row of all records that have one key, whichever loads they came with."""

from __future__ import annotations

from typing import cast

import orjson

from talkscope.models.records import canonical
from talkscope.warehouse.desk import Desk
from talkscope.warehouse.schema import Table

_AT_A_TIME = 20_000
_WHOLE = {"outcomes": "outcome_id", "ratings": "rating_id", "live_support": "live_support_id"}


def fold(desk: Desk, table: Table) -> None:
    """Make one row of all records with one key: each field from the latest load that has it, attributes key by key.

    An outcome, a rating or a chat with an agent that has an id is a whole statement, which takes the place of the one
    before: what a conversation was once scored as must not stay where its later scoring is silent, nor a remark beside
    another rating, nor the end of a chat that was taken up again.
    """
    name = table.name
    sides = [desk[side] for side in (f"prior_{name}", f"fresh_{name}") if side in desk]
    if not sides:
        return
    repeated = (f"SELECT platform, key FROM {side} GROUP BY ALL HAVING count(*) > 1" for side in sides)
    if not desk.make(f"many_{name}", " UNION ".join(repeated)) and len(sides) == 1:
        if "homes" in desk:
            desk.make(f"record_{name}", f"FROM {sides[0]}")
        else:
            desk.call(f"record_{name}", sides[0])
        return
    desk.call(f"every_{name}", f"({' UNION ALL '.join(f'FROM {side}' for side in sides)})")
    desk.make(f"record_{name}", _folded(desk, table, sides))
    _fold_attributes(desk, name, sides)


def _folded(desk: Desk, table: Table, sides: list[str]) -> str:
    """The SELECT of one row a key: a join where a key has one row on either side, as most have, else a group."""
    name, whole = table.name, _WHOLE.get(table.name)
    several = f"many_{name}" in desk
    one = f"ANTI JOIN many_{name} USING (platform, key)" if several else ""
    paired = ", ".join(f"{_newer(column, whole)} AS {column}" for column in table.own)
    parts = [
        f"SELECT key, platform, assumed, {', '.join(table.own)} FROM {sides[0]} {one}"
        if len(sides) == 1
        else "SELECT key, platform, coalesce(f.assumed, true) AND coalesce(p.assumed, true) AS assumed, "
        f"{paired} FROM (FROM {sides[1]} {one}) f FULL JOIN (FROM {sides[0]} {one}) p USING (platform, key)"
    ]
    if several:
        folded = ", ".join(f"{_newest(column, whole)} AS {column}" for column in table.own)
        parts.append(
            f"SELECT key, platform, bool_and(assumed), {folded}"
            f" FROM {desk[f'every_{name}']} SEMI JOIN many_{name} USING (platform, key) GROUP BY platform, key"
        )
    return " UNION ALL ".join(parts)


def _newer(column: str, whole: str | None) -> str:
    merged = f"coalesce(f.{column}, p.{column})"
    return f"CASE WHEN f.{whole} IS NOT NULL THEN f.{column} ELSE {merged} END" if whole else merged


def _newest(column: str, whole: str | None) -> str:
    merged = f"arg_max({column}, seq)"
    last = f"arg_max_null({column}, seq)"
    return f"CASE WHEN max({whole}) IS NOT NULL THEN {last} ELSE {merged} END" if whole else merged


def _fold_attributes(desk: Desk, name: str, sides: list[str]) -> None:
    """Merge the attributes of records of one key, where they differ; a later value wins whole."""
    whole = _WHOLE.get(name)
    differing = []
    if f"many_{name}" in desk:
        differing += desk.connection.execute(
            f"SELECT platform, key, list(attributes ORDER BY seq) FROM {desk[f'every_{name}']}"
            f" SEMI JOIN many_{name} USING (platform, key) WHERE attributes IS NOT NULL"
            f"{f' AND {whole} IS NULL' if whole else ''}"
            " GROUP BY platform, key HAVING count(DISTINCT attributes) > 1"
        ).fetchall()
    if len(sides) == 2:
        one = f"ANTI JOIN many_{name} USING (platform, key)" if f"many_{name}" in desk else ""
        differing += desk.connection.execute(
            f"SELECT platform, key, [p.attributes, f.attributes] FROM {sides[1]} f"
            f" JOIN (FROM {sides[0]} {one}) p USING (platform, key) WHERE f.attributes <> p.attributes"
            f"{f' AND f.{whole} IS NULL AND p.{whole} IS NULL' if whole else ''}"
        ).fetchall()
    for start in range(0, len(differing), _AT_A_TIME):
        some = differing[start : start + _AT_A_TIME]
        merged = [_merged(texts) for _, _, texts in some]
        desk.connection.execute(
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
