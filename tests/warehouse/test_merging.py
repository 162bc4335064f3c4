"""What a load makes of records that say little, contradict each other, or hang together strangely."""

from __future__ import annotations

from pathlib import Path
from random import Random

import pytest

from talkscope.jobs.ingest import ingest
from talkscope.models.records import Refused, check
from talkscope.warehouse.nesting import MOST_LEVELS
from tests.oracle import World
from tests.warehouse.loading import load, stored

Record = dict[str, object]
AT = "2026-03-01T10:00:00Z"


def span(span_id: str | None, parent_id: str | None, session_id: str = "s") -> Record:
    times = {"start_time": AT, "duration_ms": 5}
    return {
        "type": "span",
        "session_id": session_id,
        "processor": "p",
        "span_id": span_id,
        "parent_id": parent_id,
        **times,
    }


def depths(folder: Path) -> dict[object, tuple[object, object]]:
    return {row["key"]: (row["depth"], row["leaf"]) for row in stored(folder)["spans"]}


def test_nests_that_are_very_deep_or_run_in_circles_have_the_depths_of_the_oracle(tmp_path: Path) -> None:
    deep = 3 * MOST_LEVELS
    spans = [span(f"d{level}", f"d{level - 1}" if level else None) for level in range(deep)]
    spans += [span(f"c{number}", f"c{(number + 1) % 5}") for number in range(5)]
    spans += [span("tail", "c0"), span("tip", "tail"), span(None, "c1"), span("alone", "alone"), span("kid", "alone")]
    spans += [span("x", "d0", "other"), span("lost", "nowhere")]
    Random(3).shuffle(spans)
    load(tmp_path, spans[::2])
    load(tmp_path, spans[1::2])
    wanted = {
        fact.key: (fact.depth, fact.leaf) for fact in World.load(spans).data.spans if not fact.key.startswith("~")
    }
    found = depths(tmp_path)
    assert {key: value for key, value in found.items() if not str(key).startswith("~")} == wanted
    assert [value for key, value in found.items() if str(key).startswith("~")] == [(5, True)]
    assert found[f"d{deep - 1}"] == (deep - 1, True)


def test_facts_move_to_the_platform_that_their_session_turns_out_to_have(tmp_path: Path) -> None:
    load(tmp_path, [span("a", None), {"type": "event", "session_id": "s", "time": AT, "metric_name": "m"}])
    assert {row["platform"] for rows in stored(tmp_path).values() for row in rows} == {"own"}
    load(tmp_path, [{"type": "session", "session_id": "s", "start_time": AT, "platform": "vapi"}])
    rows = stored(tmp_path)
    assert {row["platform"] for table in rows.values() for row in table} == {"vapi"}
    assert [row["derived"] for row in rows["sessions"]] == [False]
    assert (len(rows["spans"]), len(rows["events"])) == (1, 1)


def test_an_interaction_that_moves_to_another_session_leaves_nothing_behind(tmp_path: Path) -> None:
    turn = {"type": "interaction", "interaction_id": "i", "start_time": AT}
    load(tmp_path, [{**turn, "session_id": "a"}, {**span("x", None, "a"), "interaction_id": "i"}])
    load(tmp_path, [{**turn, "session_id": "b", "interaction_type": "voice"}])
    load(tmp_path / "b", [{**turn, "session_id": "b", "interaction_type": "voice"}])
    load(tmp_path / "b", [{**span("x", None, "a"), "interaction_id": "i"}])
    assert stored(tmp_path) == stored(tmp_path / "b")
    assert [(row["session_id"], row["interaction_type"]) for row in stored(tmp_path)["spans"]] == [("a", "voice")]


def test_a_load_that_touches_one_session_keeps_what_others_say_of_its_interactions(tmp_path: Path) -> None:
    turn = {"type": "interaction", "interaction_id": "i", "start_time": AT, "session_id": "a"}
    error: Record = {"type": "event", "session_id": "b", "time": AT, "metric_name": "error.x", "interaction_id": "i"}
    load(tmp_path, [turn, error])
    load(tmp_path, [span("later", None, "a")])
    assert [row["failed"] for row in stored(tmp_path)["interactions"]] == [True]


def test_many_versions_of_one_record_in_one_load_end_in_the_latest_of_each_field(tmp_path: Path) -> None:
    session: Record = {"type": "session", "session_id": "s", "start_time": AT}
    versions = [{**session, "language": f"l{n}", "attributes": {f"k{n % 3}": n}} for n in range(9)]
    load(tmp_path, [*versions, {**session, "channel": "web"}])
    (row,) = stored(tmp_path)["sessions"]
    assert (row["language"], row["channel"], row["attributes"]) == ("l8", "web", '{"k0":6,"k1":7,"k2":8}')


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"start_time": "yesterday"}, "start_time is not an ISO 8601 time: 'yesterday'"),
        ({"start_time": 1_774_713_600}, "start_time is not an ISO 8601 time; an integer epoch needs"),
        ({"start_time": None, "start_time_ms": 1e30}, "start_time_ms is out of range: is the unit right?"),
        ({"start_time": None, "start_time_ms": float("nan")}, "start_time_ms is not an integer epoch in ms"),
        ({"start_time": "2026-03-01T10:00:00"}, "start_time has no UTC offset"),
        ({"start_time": "0001-01-01T00:00:00+23:00"}, ""),
        ({"duration_ms": -1}, "duration_ms is negative"),
        ({"duration_ms": "NaN"}, "duration_ms is not a finite number"),
        ({"duration_ms": True}, "duration_ms is not a number"),
        ({"duration_ms": None}, "end_time or duration_ms is missing"),
        ({"end_time": "2026-03-01T09:59:59Z"}, "end_time is before start_time"),
        ({"input_tokens": 1.5}, "input_tokens is not a whole number"),
        ({"input_tokens": 2**63}, "input_tokens is negative or out of range"),
        ({"session_id": "x" * 513}, "session_id is longer than 512 characters"),
        ({"model": "x" * 65_537}, "model is longer than 65536 characters"),
        ({"model": {}}, "model is not text"),
        ({"attributes": [1]}, "attributes is not an object"),
        ({"attributes": "text"}, "attributes is not an object"),
        ({"processor": None, "session_id": ""}, "session_id, processor are missing"),
        ({"type": "call"}, "type is 'call', not one of session, interaction, span, event, outcome"),
        ({"type": ["span"]}, "type is"),
    ],
)
def test_a_value_that_does_not_fit_is_refused_with_its_name(change: Record, reason: str) -> None:
    record = {**span("a", None), **change}
    if not reason:
        check(record)
        return
    with pytest.raises(Refused) as caught:
        check(record)
    assert str(caught.value).startswith(reason)


def test_a_load_takes_memory_by_the_records_that_there_are(tmp_path: Path) -> None:
    event = {"type": "event", "session_id": "s", "time": AT, "metric_name": "m"}
    long = {**event, "attributes": {str(number): "x" * 1_000 for number in range(2_000)}}
    ingest([event, long], warehouse=tmp_path, memory_limit="120MB", threads=1)
    assert sorted(len(str(row["attributes"])) for row in stored(tmp_path)["events"]) == [4, 2_018_891]
