"""Warehouses that were written before some tables and columns were there: read, loaded into, merged, not lost."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from talkscope.errors import WarehouseError
from talkscope.jobs.inventory import inventory
from talkscope.models.records import Row, check, content_key
from talkscope.warehouse.compact import compact
from talkscope.warehouse.manifest import Manifest, Segment
from tests.warehouse.loading import load, stored

Record = dict[str, object]
DAY = "2026-03-01T10:00:"
AT = 1_772_359_200_000_000


def part(row: Record, *names: str) -> tuple[object, ...]:
    return tuple(row[name] for name in names)


# The columns that Talkscope wrote before there were live support and its companions; those that name no type are text.
_COPIED = "participants:VARCHAR[] app_key character_id character_name experience_id channel language end_user_id"
COLUMNS = {
    "events": (
        "key platform assumed:BOOLEAN session_id t:BIGINT metric_name interaction_id metric_type value:DOUBLE unit"
        f" processor provider model status error_code attributes {_COPIED} interaction_type"
    ),
    "outcomes": (
        "key platform assumed:BOOLEAN session_id t:BIGINT resolution handoff_reason deflection_quality resources"
        " rating:DOUBLE rating_scale:DOUBLE remark sentiment sentiment_shift recontact_risk winback_sent"
        f" winback_answered winback_converted user_intent summary reasons tags:VARCHAR[] attributes {_COPIED}"
    ),
}
OLD_EVENT: Record = {"type": "event", "session_id": "s", "time": DAY + "01Z", "metric_name": "m", "value": 7.5}
OLD_OUTCOME: Record = {"type": "outcome", "session_id": "s", "time": DAY + "01Z", "resolution": "resolved", "rating": 5}


def early_row(table: str, record: Record) -> str:
    """A SELECT of the one row that the record was, all of whose columns are there."""
    kind, row = check(record)
    said: Record = {**row, "key": content_key(kind, row), "platform": "own", "assumed": True, "t": row["time"]}
    listed = []
    for column in COLUMNS[table].split():
        name, _, sql = column.partition(":")
        value = said.get(name)
        listed.append(f"{'NULL' if value is None else repr(value)}::{sql or 'VARCHAR'} AS {name}")
    return f"SELECT {', '.join(listed)}"


def early_warehouse(folder: Path) -> None:
    """A warehouse of the first layout: one session that its event implies, that event and an outcome."""
    load(folder, [OLD_EVENT])
    t = AT + 1_000_000
    with Manifest(folder).lease() as lease, duckdb.connect() as connection:
        lease.replace([segment.path for segment in lease.state().of("events")], [])
        for table, record in {"events": OLD_EVENT, "outcomes": OLD_OUTCOME}.items():
            file = folder / "segments" / table / "0123456789abcdef0123456789abcdef.parquet"
            file.parent.mkdir(parents=True, exist_ok=True)
            connection.execute(f"COPY ({early_row(table, record)}) TO '{file}' (FORMAT parquet)")
            path = file.relative_to(folder).as_posix()
            lease.replace([], [Segment(table, path, 1, file.stat().st_size, t, t)])


def test_a_warehouse_from_before_is_read_loaded_into_and_merged(tmp_path: Path) -> None:
    early_warehouse(tmp_path)
    load(tmp_path / "now", [OLD_EVENT, OLD_OUTCOME])
    assert stored(tmp_path) == stored(tmp_path / "now")
    assert load(tmp_path, [OLD_EVENT, OLD_OUTCOME])["event"].present == 1
    more: list[Record] = [
        {**OLD_EVENT, "session_id": "t", "event_id": "e1", "message": "lost"},
        {**OLD_OUTCOME, "session_id": "t", "outcome_id": "o1", "handoff": False},
    ]
    for folder in (tmp_path, tmp_path / "now"):
        load(folder, more)
    rows = stored(tmp_path)
    assert rows == stored(tmp_path / "now")
    assert [part(row, "event_id", "message", "value") for row in rows["events"]] == [
        ("e1", "lost", 7.5),
        (None, None, 7.5),
    ]
    assert [part(row, "outcome_id", "handoff") for row in rows["outcomes"]] == [("o1", "false"), (None, None)]
    assert compact(tmp_path, threads=1) == 6
    assert stored(tmp_path) == rows
    load(tmp_path, [{"type": "session", "session_id": "s", "start_time": DAY + "00Z", "channel": "web"}])
    assert [row["channel"] for row in stored(tmp_path)["events"]] == [None, "web"]


def test_a_talkscope_of_before_may_use_a_warehouse_until_it_holds_what_that_one_would_lose(tmp_path: Path) -> None:
    load(tmp_path, [OLD_EVENT, OLD_OUTCOME])
    assert inventory(tmp_path).version == "1"
    load(tmp_path, [{**OLD_OUTCOME, "handoff": "false"}])
    assert inventory(tmp_path).version == "2"
    load(tmp_path / "beside", [{"type": "availability", "agent_id": "jo", "start_time": DAY + "00Z"}])
    assert inventory(tmp_path / "beside").version == "2"
    with Manifest(tmp_path).lease() as lease:
        lease.say("version", "3")
    with pytest.raises(WarehouseError, match="newer Talkscope"):
        load(tmp_path, [OLD_EVENT])


def test_a_file_that_was_loaded_before_names_became_columns_is_known_again() -> None:
    early: Row = {"session_id": "s", "time": AT, "metric_name": "m", "attributes": '{"code":3,"message":"lost"}'}
    now = check({"type": "event", "session_id": "s", "time_us": AT, "metric_name": "m", "message": "lost", "code": 3})
    assert now[1]["message"] == "lost"
    assert content_key(*now) == content_key("event", early)
