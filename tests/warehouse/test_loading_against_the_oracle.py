"""Every stored row against the oracle's facts, however the records arrive."""

from __future__ import annotations

import itertools
from collections import Counter
from pathlib import Path
from random import Random

import pytest

from talkscope.models.records import ID_OF, TABLE_OF
from talkscope.warehouse.schema import COPIED, TABLES
from tests.oracle import Fact, World, scenario
from tests.warehouse.loading import Stored, load, stored

SEED = 7
Record = dict[str, object]
DIMENSIONS = (
    "processor provider voice_provider model error_code interaction_id interaction_type status failure_stage "
    "resolution handoff_reason deflection_quality sentiment sentiment_shift recontact_risk"
).split()
VALUES = {"interaction": "latency_ms", "span": "duration_ms", "event": "value"}
AMOUNTS = ("input_tokens", "output_tokens", "characters", "cost_usd", "ttfb_ms")


def told(fact: Fact) -> Record:
    """What the oracle says of one fact, under the names of the product's columns."""
    table = TABLES[f"{fact.kind}s"].columns
    row: Record = {
        "platform": fact.platform,
        "session_id": fact.session_id,
        "t": fact.start,
        **{name: fact.dims.get(name) for name in [*DIMENSIONS, *COPIED] if name in table and name != "participants"},
    }
    if not fact.key.startswith("~"):
        row["key"] = fact.key
    row["everyone"] = fact.everyone
    if fact.kind in VALUES:
        row["value"] = fact.value
    if fact.kind in ("interaction", "span", "session"):
        row["end"] = fact.end
    if fact.kind in ("interaction", "span", "event"):
        row["failed"] = fact.failed
    if fact.kind in ("interaction", "session"):
        row["derived"] = fact.derived
    if fact.kind == "span":
        row |= {"leaf": fact.leaf, "depth": fact.depth, **{name: fact.amounts.get(name) for name in AMOUNTS}}
    return row


def kept(kind: str, stored_row: Record) -> Record:
    """The same of one stored row."""
    row = {name: stored_row[name] for name in stored_row.keys() & {*DIMENSIONS, *COPIED} - {"participants"}}
    row |= {name: stored_row[name] for name in ("platform", "session_id", "t")}
    if not str(stored_row["key"]).startswith("~"):
        row["key"] = stored_row["key"]
    participants = stored_row["participants"]
    everyone = {*participants} if isinstance(participants, list) else set()
    row["everyone"] = tuple(sorted(str(each) for each in everyone | ({stored_row["character_id"]} - {None})))
    if kind in VALUES:
        row["value"] = stored_row[VALUES[kind]]
    if kind == "session":
        row["end"] = stored_row["last_t"] if stored_row["end_t"] is None else stored_row["end_t"]
    elif kind in ("interaction", "span"):
        row["end"] = stored_row["end_t"]
    if kind == "interaction":
        row["failed"] = stored_row["failed"]
    elif kind in ("span", "event"):
        bad = stored_row["status"] in ("error", "timeout")
        row["failed"] = bad or (kind == "event" and str(stored_row["metric_name"]).startswith("error."))
    for name in ("derived", "leaf", "depth", *AMOUNTS):
        if name in stored_row:
            row[name] = stored_row[name]
    return row


def same_as_the_oracle(found: Stored, world: World) -> None:
    for kind, table in TABLE_OF.items():
        facts = [fact for fact in world.data.everything if fact.kind == kind]
        wanted = sorted((told(fact) for fact in facts), key=repr_of)
        given = sorted((kept(kind, row) for row in found[table]), key=repr_of)
        assert given == wanted, kind


def repr_of(row: Record) -> str:
    return repr(sorted(row.items()))


@pytest.fixture(scope="module")
def world() -> World:
    return World.load(*scenario(SEED))


@pytest.fixture(scope="module")
def in_turn(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("in turn")
    for batch in scenario(SEED):
        load(folder, batch)
    return folder


def test_five_loads_in_turn_store_what_the_oracle_has(in_turn: Path, world: World) -> None:
    same_as_the_oracle(stored(in_turn), world)


def test_one_load_of_all_files_stores_what_the_oracle_has(tmp_path: Path, in_turn: Path, world: World) -> None:
    load(tmp_path, *scenario(SEED))
    same_as_the_oracle(stored(tmp_path), world)
    assert stored(tmp_path) == stored(in_turn)


def test_the_last_file_again_changes_nothing(in_turn: Path) -> None:
    before, files = stored(in_turn), sorted(in_turn.glob("segments/*/*"))
    counts = load(in_turn, scenario(SEED)[-1])
    assert {(each.loaded, each.changed) for each in counts.values()} == {(0, 0)}
    assert stored(in_turn) == before
    assert sorted(in_turn.glob("segments/*/*")) == files


def test_everything_twice_ends_in_the_same_rows(tmp_path: Path, in_turn: Path) -> None:
    load(tmp_path, *scenario(SEED))
    load(tmp_path, *scenario(SEED))
    assert stored(tmp_path) == stored(in_turn)


def one_version_of_each() -> list[Record]:
    """The records of the scenario that do not contradict each other: the first of each id, one of each content.

    Without the session whose records name no platform here and two others there: a record that names none joins the
    one platform that its session is known on by then.
    """
    seen: set[object] = set()
    found = []
    for record in itertools.chain.from_iterable(scenario(SEED)):
        if record["session_id"] == "same":
            continue
        named = ID_OF[str(record["type"])]  # type: ignore[index]
        key = (record["type"], record.get("platform"), record.get(named) or repr_of(record))
        if key not in seen:
            seen.add(key)
            found.append(record)
    return found


@pytest.mark.parametrize("seed", [1, 2])
def test_records_that_agree_may_come_in_any_order_and_any_pieces(tmp_path: Path, seed: int) -> None:
    records = one_version_of_each()
    Random(seed).shuffle(records)
    pieces = [records[start : start + 600] for start in range(0, len(records), 600)]
    for piece in pieces:
        load(tmp_path, piece)
    world = World.load(*pieces)
    same_as_the_oracle(stored(tmp_path), world)
    load(tmp_path / "at once", records)
    assert stored(tmp_path) == stored(tmp_path / "at once")


def test_the_scenario_has_rows_of_every_kind_that_is_worth_comparing(in_turn: Path) -> None:
    rows = stored(in_turn)
    assert sum(bool(row["derived"]) for row in rows["sessions"]) > 3
    assert sum(bool(row["derived"]) for row in rows["interactions"]) > 3
    assert {row["depth"] for row in rows["spans"]} >= {0, 1, 2, 3}
    assert Counter(str(row["platform"]) for row in rows["spans"]).keys() == {"own", "convai", "mavenoid", "studio_chat"}
