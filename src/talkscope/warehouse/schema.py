"""The tables of a warehouse: what a record becomes, what is copied onto it and what is worked out at load time.

Times are BIGINT microseconds since 1970 UTC: `t` is when a fact starts (or happens), `end_t` when it ends.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from talkscope.models.records import LATER, RECORDS, TABLE_OF, Kind, RecordType

OLDEST = 1
VERSION = 2
"""The newest layout that is understood. A warehouse begins with the oldest one, and is of this one as soon as it holds
what Talkscope of the oldest would lose: a table or a column that it does not know."""

_SQL: Mapping[Kind, str] = {
    "text": "VARCHAR",
    "time": "BIGINT",
    "ms": "DOUBLE",
    "number": "DOUBLE",
    "integer": "BIGINT",
    "texts": "VARCHAR[]",
    "json": "VARCHAR",
}
_RENAMED = {"start_time": "t", "time": "t", "end_time": "end_t", "index": "turn_index"}

COPIED: Mapping[str, str] = {
    "participants": "VARCHAR[]",
    "app_key": "VARCHAR",
    "character_id": "VARCHAR",
    "character_name": "VARCHAR",
    "experience_id": "VARCHAR",
    "channel": "VARCHAR",
    "language": "VARCHAR",
    "end_user_id": "VARCHAR",
}
"""What a session says of itself and each of its facts repeats, so that no question joins."""

_WORKED_OUT: Mapping[RecordType, Mapping[str, str]] = {
    "session": {"derived": "BOOLEAN", "last_t": "BIGINT", "min_t": "BIGINT", "max_t": "BIGINT"},
    "interaction": {"derived": "BOOLEAN", "failed": "BOOLEAN"},
    "span": {"leaf": "BOOLEAN", "depth": "INTEGER", "interaction_type": "VARCHAR"},
    "event": {"interaction_type": "VARCHAR"},
}


@dataclass(frozen=True, slots=True)
class Table:
    """One table, each column with its SQL type.

    `fields` are what a record may say, under the record's names; `own` the same under stored names and without the
    platform; `columns` all columns in their stored order.
    """

    name: str
    record: RecordType
    fields: Mapping[str, str]
    own: Mapping[str, str]
    columns: Mapping[str, str]
    added: frozenset[str] = frozenset()
    """The columns that a segment of the first version has not."""


def column(name: str) -> str:
    """The stored name of a record's field."""
    return _RENAMED.get(name, name)


def _table(record: RecordType) -> Table:
    fields = {field.name: _SQL[field.kind] for field in RECORDS[record]}
    # A table whose records belong to no session has the column all the same, so that all are put together alike.
    own = {column(name): kind for name, kind in fields.items() if name != "platform"} | {"session_id": "VARCHAR"}
    key = {"key": "VARCHAR", "platform": "VARCHAR", "assumed": "BOOLEAN"}
    copied = {} if record == "session" else COPIED
    columns = {**key, **own, **copied, **_WORKED_OUT.get(record, {})}
    return Table(TABLE_OF[record], record, fields, own, columns, LATER.get(record, frozenset()))


TABLES: Mapping[str, Table] = {name: _table(record) for record, name in TABLE_OF.items()}
"""By table name. `key` is the record's id, or the hash that stands for it; `assumed` says that the record named no
platform, so that its session decides."""

_LATER_FILE = "2-"


def file_name(stem: str, version: int) -> str:
    """What a segment's file is called: its name says of which layout it is, so that none is opened to find out."""
    return f"{_LATER_FILE if version > OLDEST else ''}{stem}.parquet"


def lacking(table: Table, path: str) -> frozenset[str]:
    """The columns of a table that the segment of this path has not."""
    return frozenset() if path.rpartition("/")[2].startswith(_LATER_FILE) else table.added


TALK = ("sessions", "interactions", "spans", "events", "outcomes")
"""The tables of what was said and done: they imply sessions, and whoever is in them counts. The others say more of
sessions, or something of their own; they need not be there at all."""

FAILED = "coalesce(status, '') IN ('error', 'timeout')"
"""Whether an interaction's, a span's or an event's own status says that it failed, as SQL."""
MILD = "coalesce(level IN ('warning', 'warn', 'info', 'debug'), false) OR starts_with(metric_name, 'warning.')"
"""Whether an event says of itself that it is less than an error, as SQL."""
ERROR_EVENT = f"((starts_with(metric_name, 'error.') OR {FAILED}) AND NOT ({MILD}))"
"""Whether an event tells of an error, as SQL."""
