"""Live support, availability, ratings, conversions, resource calls, snapshots: kept beside what was said and done."""

from __future__ import annotations

import gzip
import re
from pathlib import Path

import duckdb
import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import talkscope
from talkscope.jobs.inventory import inventory
from talkscope.models.records import RECORDS, Refused, check
from talkscope.warehouse.forget import forget
from talkscope.warehouse.ingest import type_of
from tests.cli.running import here
from tests.warehouse.loading import Stored, load, stored

Record = dict[str, object]
DAY = "2026-03-01T10:00:"
AT = 1_772_359_200_000_000

SESSION: Record = {"type": "session", "session_id": "s", "start_time": DAY + "00Z", "end_time": DAY + "20Z"}
KNOWN: Record = {
    **SESSION,
    "platform": "studio_chat",
    "channel": "Web",
    "end_user_id": "ann",
    "participants": ["a", "b"],
}
TURN: Record = {"type": "interaction", "interaction_id": "i", "session_id": "s", "start_time": DAY + "01Z"}
CHAT: Record = {
    "type": "live_support",
    "session_id": "s",
    "start_time": DAY + "05Z",
    "end_time": "2026-03-01T11:00:00Z",
    "live_support_id": "l1",
    "agent_id": "jo",
    "queue_ms": 1500,
    "status": "Agent_Timeout",
    "resolution": "Refund sent",
    "labels": ["vip", "refund"],
}
SHIFT: Record = {"type": "availability", "agent_id": "jo", "start_time": DAY + "00Z", "availability_id": "v1"}
RATING: Record = {"type": "rating", "session_id": "s", "time": DAY + "30Z", "rating": 4, "kind": "CSAT"}
SALE: Record = {"type": "conversion", "conversion_id": "c1", "time": DAY + "07Z", "metric": "order placed"}
LOOKUP: Record = {"type": "resource_call", "time": DAY + "08Z", "kind": "Skill", "name": "Order-Status", "status": "OK"}
TOTAL: Record = {
    "type": "snapshot",
    "metric": "agent_studio.summary.total_calls",
    "start_time": "2026-02-01T00:00:00Z",
    "end_time": "2026-03-01T00:00:00Z",
    "dimensions": {"bot": "b1"},
    "value": 4711,
}
BESIDE = (CHAT, SHIFT, RATING, SALE, {**LOOKUP, "session_id": "s"}, TOTAL)


def only(rows: list[dict[str, object]]) -> dict[str, object]:
    (row,) = rows
    return row


def part(row: dict[str, object], *names: str) -> tuple[object, ...]:
    return tuple(row[name] for name in names)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("beside") / "w"
    talkscope.ingest([KNOWN, TURN, *BESIDE], warehouse=folder)
    return folder


@pytest.fixture(scope="module")
def kept(place: Path) -> Stored:
    return stored(place)


def test_each_type_has_a_table_of_its_own(kept: Stored) -> None:
    chat = only(kept["live_support"])
    assert part(chat, "key", "t", "end_t", "agent_id", "queue_ms") == (
        "l1",
        AT + 5_000_000,
        AT + 3_600_000_000,
        "jo",
        1500,
    )
    assert part(chat, "status", "resolution", "labels") == ("agent_timeout", "Refund sent", ["refund", "vip"])
    assert part(only(kept["availability"]), "key", "agent_id", "end_t") == ("v1", "jo", None)
    assert part(only(kept["ratings"]), "rating", "rating_scale", "kind") == (4, None, "CSAT")
    assert part(only(kept["conversions"]), "metric", "value", "session_id") == ("order placed", None, None)
    assert part(only(kept["resource_calls"]), "kind", "name", "status") == ("skill", "Order-Status", "ok")
    total = only(kept["snapshots"])
    assert part(total, "metric", "dimensions", "value") == (TOTAL["metric"], '{"bot":"b1"}', 4711)


def test_a_session_gives_its_words_to_what_belongs_to_it_and_to_nothing_else(kept: Stored) -> None:
    copied = ("platform", "channel", "end_user_id", "participants")
    for table in ("live_support", "ratings", "resource_calls"):
        assert part(only(kept[table]), *copied) == ("studio_chat", "web", "ann", ["a", "b"]), table
    for table in ("availability", "conversions", "snapshots"):
        assert part(only(kept[table]), *copied) == ("own", None, None, None), table


def test_what_stands_beside_the_talk_neither_makes_a_session_nor_makes_it_longer(
    tmp_path: Path, place: Path, kept: Stored
) -> None:
    talkscope.ingest([{**CHAT, "session_id": "unknown"}, RATING], warehouse=tmp_path / "beside")
    rows = stored(tmp_path / "beside")
    assert {name for name, found in rows.items() if found} == {"live_support", "ratings"}
    session = only(kept["sessions"])
    assert part(session, "last_t", "min_t", "max_t") == (AT + 1_000_000, AT, AT + 1_000_000)
    hour = {"start_time": DAY + "02Z", "end_time": "2026-03-01T12:00:00Z"}
    with talkscope.open_warehouse(place) as client:
        figures = client.ask("breakdown", measures=["sessions", "end_users"], group_by=["channel"], **hour).records()
    assert figures == []


def test_how_fresh_a_warehouse_is_and_its_inventory_count_what_stands_beside_the_talk(place: Path) -> None:
    found = inventory(place)
    assert found.newest == AT + 30_000_000
    assert {name: rows for name, rows in found.rows.items() if rows} == dict.fromkeys(
        "sessions interactions live_support availability ratings conversions resource_calls snapshots".split(), 1
    )


def test_what_a_session_says_later_reaches_all_that_belongs_to_it(tmp_path: Path, kept: Stored) -> None:
    load(tmp_path, BESIDE)
    assert {row["platform"] for rows in stored(tmp_path).values() for row in rows} == {"own"}
    load(tmp_path, [KNOWN, TURN])
    assert stored(tmp_path) == kept
    load(tmp_path, [{**KNOWN, "channel": "phone"}])
    rows = stored(tmp_path)
    assert [rows[name][0]["channel"] for name in ("live_support", "ratings", "resource_calls")] == ["phone"] * 3
    assert rows["conversions"] == kept["conversions"]


OTHER: Record = {**SESSION, "session_id": "t", "platform": "mavenoid", "channel": "chat"}


def test_a_conversion_goes_where_its_session_is(tmp_path: Path) -> None:
    settled = {**SALE, "platform": "general_bots"}
    load(tmp_path, [KNOWN, OTHER, SALE, settled])
    load(tmp_path, [{**each, "session_id": "s", "value": 3} for each in (SALE, settled)])
    names = ("platform", "session_id", "value", "unit", "channel")
    assert [part(row, *names) for row in stored(tmp_path)["conversions"]] == [
        ("general_bots", "s", 3, None, None),
        ("studio_chat", "s", 3, None, "web"),
    ]
    load(tmp_path, [{**SALE, "session_id": "t"}, {**settled, "unit": "EUR"}, {**SALE, "unit": "EUR"}])
    load(tmp_path, [{**settled, "session_id": "t"}, SALE])
    assert [part(row, *names) for row in stored(tmp_path)["conversions"]] == [
        ("general_bots", "t", 3, "EUR", None),
        ("mavenoid", "t", 3, "EUR", "chat"),
    ]


VERSIONS: list[Record] = [
    SHIFT,
    {**SHIFT, "end_time": DAY + "50Z", "active_ms": 9},
    SALE,
    {**SALE, "session_id": "s"},
    {**SALE, "value": 12.5, "attributes": {"shop": "x"}},
    LOOKUP,
    {**LOOKUP, "resource_call_id": "r1"},
    {**LOOKUP, "resource_call_id": "r1", "session_id": "s", "platform": "general_bots"},
    {**LOOKUP, "resource_call_id": "r1", "platform": "general_bots", "duration_ms": 3},
    {**TOTAL, "snapshot_id": "n1"},
    {**TOTAL, "snapshot_id": "n1", "unit": "calls"},
    KNOWN,
]


@pytest.fixture(scope="module")
def at_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("at once")
    load(folder, VERSIONS)
    return folder


def test_loading_the_same_again_writes_no_file(at_once: Path) -> None:
    files = sorted(at_once.glob("segments/*/*"))
    counts = load(at_once, VERSIONS)
    assert {(each.loaded, each.changed) for each in counts.values()} == {(0, 0)}
    assert sorted(at_once.glob("segments/*/*")) == files


@settings(max_examples=3, deadline=None, database=None)
@given(order=st.permutations(range(len(VERSIONS))), first=st.integers(1, 11), again=st.integers(0, 11))
def test_versions_of_records_may_come_in_any_order_in_halves_and_overlapping(
    tmp_path_factory: pytest.TempPathFactory, at_once: Path, order: list[int], first: int, again: int
) -> None:
    folder, records = tmp_path_factory.mktemp("any order"), [VERSIONS[number] for number in order]
    load(folder, records[:first])
    load(folder, records[min(first, again) :])
    rows = stored(folder)
    assert rows == stored(at_once)
    assert [len(rows[name]) for name in ("availability", "conversions", "resource_calls", "snapshots")] == [1, 1, 3, 1]


def test_a_newer_version_of_an_outcome_or_an_event_replaces_the_one_with_its_id(tmp_path: Path) -> None:
    outcome: Record = {"type": "outcome", "session_id": "s", "time": DAY + "03Z", "outcome_id": "o1", "tags": ["a"]}
    event: Record = {"type": "event", "session_id": "s", "time": DAY + "03Z", "metric_name": "m", "event_id": "e1"}
    load(tmp_path, [outcome, {**outcome, "platform": "mavenoid"}, event])
    load(
        tmp_path,
        [{**outcome, "time": DAY + "09Z", "handoff": True}, {**event, "time": DAY + "04Z", "level": "WARNING"}],
    )
    rows = stored(tmp_path)
    assert [part(row, "platform", "t", "handoff", "tags") for row in rows["outcomes"]] == [
        ("mavenoid", AT + 3_000_000, None, ["a"]),
        ("own", AT + 9_000_000, "true", ["a"]),
    ]
    assert part(only(rows["events"]), "key", "t", "level") == ("e1", AT + 4_000_000, "warning")
    load(tmp_path, [{**event, "session_id": "t", "message": "late"}])
    rows = stored(tmp_path)
    assert part(only(rows["events"]), "session_id", "level", "message") == ("t", "warning", "late")
    assert [row["session_id"] for row in rows["sessions"]] == ["s", "s", "t"]


def test_what_an_outcome_with_an_id_no_longer_says_is_gone_and_other_outcomes_stay_as_they_are(tmp_path: Path) -> None:
    scored: Record = {
        "type": "outcome",
        "session_id": "s",
        "time": DAY + "03Z",
        "outcome_id": "o1",
        "resolution": "resolved",
        "deflection_quality": "resolved",
        "attributes": {"round": 1},
    }
    handed = {"type": "outcome", "session_id": "s", "time": DAY + "09Z", "outcome_id": "o1", "handoff": True}
    other: Record = {"type": "outcome", "session_id": "t", "time": DAY + "03Z", "resolution": "resolved"}
    once, both = tmp_path / "once", tmp_path / "both"
    load(once, [scored, other])
    load(once, [handed])
    load(both, [scored, other, handed])
    for folder in (once, both):
        found = {row["session_id"]: row for row in stored(folder)["outcomes"]}
        assert part(found["s"], "t", "handoff", "resolution", "deflection_quality", "attributes") == (
            AT + 9_000_000, "true", None, None, None,
        )  # fmt: skip
        assert found["t"]["resolution"] == "resolved"


def test_a_chat_that_is_taken_up_again_has_no_end_any_more(tmp_path: Path) -> None:
    chat: Record = {"type": "live_support", "live_support_id": "l1", "session_id": "s", "start_time": DAY + "03Z"}
    load(tmp_path, [{**chat, "end_time": DAY + "05Z", "status": "resolved", "attributes": {"old": 1}}])
    load(tmp_path, [{**chat, "status": "active"}])
    row = only(stored(tmp_path)["live_support"])
    assert part(row, "status", "end_t", "attributes") == ("active", None, None)


def test_erasing_a_person_erases_what_belongs_to_their_sessions_and_no_agent(tmp_path: Path) -> None:
    talkscope.ingest([KNOWN, TURN, *BESIDE, OTHER, {**RATING, "session_id": "t"}], warehouse=tmp_path)
    counts = forget(tmp_path, "ann")
    assert counts == dict.fromkeys(["session", "interaction", "live_support", "rating", "resource_call"], 1)
    rows = stored(tmp_path)
    assert {name: [row["session_id"] for row in found] for name, found in rows.items() if found} == {
        "sessions": ["t"],
        "ratings": ["t"],
        "availability": [None],
        "conversions": [None],
        "snapshots": [None],
    }
    assert not [file for file in tmp_path.rglob("*") if file.is_file() and b"Refund sent" in file.read_bytes()]


def test_files_of_these_types_are_known_by_their_names_and_headers(tmp_path: Path, place: Path, kept: Stored) -> None:
    folder = tmp_path / "files"
    folder.mkdir()
    (folder / "sessions.csv").write_text(
        f"session_id,start_time,end_time,platform,channel,end_user_id,participants\ns,{DAY}00Z,{DAY}20Z,studio_chat,Web,"
        'ann,"[""a"",""b""]"\n'
    )
    (folder / "interaction.csv").write_text(f"interaction_id,session_id,start_time\ni,s,{DAY}01Z\n")
    (folder / "availability-march").write_text(f"agent_id;start_time_us;availability_id\njo;{AT};v1\n")
    (folder / "ratings.csv").write_text(f"session_id,time,rating,kind\ns,{DAY}30Z,4,CSAT\n")
    (folder / "conversions.csv.gz").write_bytes(
        gzip.compress(f"conversion_id,time,metric\nc1,{DAY}07Z,order placed\n".encode())
    )
    (folder / "resource_calls.csv").write_text(f"time,kind,name,status,session_id\n{DAY}08Z,Skill,Order-Status,OK,s\n")
    (folder / "snapshot.csv").write_text(
        "metric,start_time,end_time,dimensions,value\n"
        'agent_studio.summary.total_calls,2026-02-01T00:00:00Z,2026-03-01T00:00:00Z,"{""bot"":""b1""}",4711\n'
    )
    with duckdb.connect() as connection:
        connection.execute(
            f"COPY (SELECT 's' AS session_id, TIMESTAMPTZ '{DAY}05Z' AS start_time, TIMESTAMPTZ '2026-03-01T11:00:00Z'"
            " AS end_time, 'l1' AS live_support_id, 'jo' AS agent_id, 1500 AS queue_ms, 'agent_timeout' AS status,"
            f" 'Refund sent' AS resolution, ['vip', 'refund'] AS labels) TO '{folder / 'Live-Support.parquet'}'"
        )
    report = talkscope.ingest(folder, warehouse=tmp_path / "w")
    assert report.refused == ()
    assert stored(tmp_path / "w") == kept


def test_the_command_takes_the_new_types(tmp_path: Path) -> None:
    place, file = tmp_path / "w", tmp_path / "calls.ndjson"
    file.write_text('{"time": "2026-03-01T10:00:08Z", "kind": "tool", "name": "refund"}\n{"time": 3}\n')
    ended = here("ingest", str(file), "--type", "resource_call", "--warehouse", str(place), home=tmp_path)
    assert (ended.returncode, ended.stderr) == (3, "")
    assert '"resource_call"' in ended.stdout
    assert [part(row, "kind", "name", "session_id") for row in stored(place)["resource_calls"]] == [
        ("tool", "refund", None)
    ]


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("live_support.csv", "live_support"),
        ("C:\\exports\\live-support-2026-03.csv.gz", "live_support"),
        ("Availability.parquet", "availability"),
        ("ratings.csv", "rating"),
        ("resource_calls.ndjson", "resource_call"),
        ("snapshots", "snapshot"),
        ("span.ndjson", "span"),
        ("conversation.ndjson", None),
        ("ratingscale.csv", None),
    ],
)
def test_a_files_name_says_the_type_of_its_records(name: str, kind: str | None) -> None:
    assert type_of(name) == kind


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        ({**SHIFT, "agent_id": None}, "agent_id is missing"),
        ({**RATING, "rating": "good"}, "rating is not a number"),
        ({**CHAT, "chat_ms": -1}, "chat_ms is negative"),
        ({**TOTAL, "end_time": "2026-01-01T00:00:00Z"}, "end_time is before start_time"),
        ({**LOOKUP, "kind": " "}, "kind is missing"),
        ({**RATING, "type": "outcome", "handoff": "maybe"}, "handoff is not true or false"),
        ({**RATING, "rating_scale": 0}, "rating_scale is not above 0"),
        ({**RATING, "rating_scale": 3}, "rating is above its rating_scale"),
        ({**RATING, "type": "outcome", "rating_scale": 3.5}, "rating is above its rating_scale"),
        ({**CHAT, "rating": 6, "rating_scale": 5}, "rating is above its rating_scale"),
    ],
)
def test_what_does_not_fit_is_refused_with_its_name(record: Record, reason: str) -> None:
    with pytest.raises(Refused, match=reason):
        check(record)


def test_what_names_something_has_no_space_around_it_and_what_was_said_stays_as_it_is() -> None:
    said = {"tags": [" vip ", "vip", "  "], "sentiment": " positive", "remark": " as it is \n", "summary": " so "}
    _, outcome = check({**RATING, "type": "outcome", "session_id": "\ts ", **said, "user_intent": "  "})
    assert (outcome["session_id"], outcome["tags"], outcome["sentiment"]) == ("s", ["vip"], "positive")
    assert (outcome["remark"], outcome["summary"], outcome["user_intent"]) == (" as it is \n", " so ", "  ")
    with pytest.raises(Refused, match="session_id is missing"):
        check({**RATING, "session_id": " "})


def test_the_example_lines_of_the_documentation_are_records_of_each_type() -> None:
    text = (Path(__file__).parents[2] / "docs" / "records.md").read_text(encoding="utf-8")
    lines = [orjson.loads(block) for block in re.findall(r"^```json\n(.+)\n```$", text, re.MULTILINE)]
    rows = [check(line) for line in lines]
    assert [kind for kind, _ in rows] == list(RECORDS)
    assert [row["attributes"] for _, row in rows] == [None] * len(RECORDS)
