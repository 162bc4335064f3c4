"""Loading files: what is taken, what is refused and why, and that a load is all or nothing."""

from __future__ import annotations

import csv
import gzip
import io
import json
import shutil
from collections.abc import Mapping
from pathlib import Path

import duckdb
import pytest

from talkscope.errors import InvalidArgument, UnknownName, WarehouseError
from talkscope.jobs.ingest import MOST_REFUSALS, Progress, ingest
from talkscope.warehouse.ingest import FORMATS, detect, importer
from tests.warehouse.loading import stored

Record = dict[str, object]
AT = "2026-03-01T10:00:00Z"
LINES: list[Record] = [
    {"type": "session", "session_id": "s1", "start_time": AT, "channel": "Web", "end_user_id": "ann"},
    {"type": "interaction", "interaction_id": "i1", "session_id": "s1", "start_time": AT, "latency_ms": 812.5},
    {"type": "span", "session_id": "s1", "processor": "llm", "start_time": AT, "duration_ms": 40, "span_id": "p1"},
]


def lines(path: Path, records: list[Record] = LINES) -> Path:
    path.write_text("".join(json.dumps(record) + "\n" for record in records))
    return path


def rows(folder: Path, table: str) -> list[Mapping[str, object]]:
    return list(stored(folder)[table])


def test_ndjson_is_loaded_and_loading_it_again_changes_nothing(tmp_path: Path) -> None:
    path = lines(tmp_path / "calls.ndjson")
    first = ingest([path], warehouse=tmp_path / "w")
    again = ingest(path, warehouse=tmp_path / "w")
    assert first.ok
    assert first.files == (str(path),)
    assert {kind: (each.loaded, each.changed, each.present) for kind, each in first.types.items()} == {
        "session": (1, 0, 0),
        "interaction": (1, 0, 0),
        "span": (1, 0, 0),
    }
    assert {(each.loaded, each.changed, each.present) for each in again.types.values()} == {(0, 0, 1)}
    (session,) = rows(tmp_path / "w", "sessions")
    assert (session["session_id"], session["channel"], session["platform"]) == ("s1", "web", "own")


def test_a_record_that_one_load_tells_twice_is_not_one_that_was_there_before(tmp_path: Path) -> None:
    said = {**LINES[0], "channel": "phone"}
    first = ingest([LINES[0], *LINES], warehouse=tmp_path).types["session"]
    assert (first.loaded, first.changed, first.present, first.again) == (1, 0, 0, 1)
    same = ingest([LINES[0], LINES[0]], warehouse=tmp_path).types["session"]
    assert (same.loaded, same.changed, same.present, same.again) == (0, 0, 1, 1)
    report = ingest([said, said, said, LINES[1]], warehouse=tmp_path)
    other = report.types["session"]
    assert (other.loaded, other.changed, other.present, other.again) == (0, 1, 0, 2)
    assert report.records == 4


def test_a_small_number_among_the_attributes_does_not_count_as_a_change(tmp_path: Path) -> None:
    one = [{**LINES[0], "attributes": {"price": 3.9e-6}}]
    two = [{**LINES[0], "attributes": {"plan": "free", "price": None}}]
    ingest(one, warehouse=tmp_path)
    assert ingest(two, warehouse=tmp_path).types["session"].changed == 1
    assert ingest(one, warehouse=tmp_path).types["session"].present == 1
    assert ingest(two, warehouse=tmp_path).types["session"].present == 1
    (session,) = rows(tmp_path, "sessions")
    assert json.loads(str(session["attributes"])) == {"plan": "free", "price": 3.9e-6}


def test_a_malformed_line_is_refused_with_its_number_and_the_rest_is_loaded(tmp_path: Path) -> None:
    path = tmp_path / "calls.ndjson"
    broken = ["", "{nonsense", "[1]", '{"type":"session"}', json.dumps({**LINES[1], "latency_ms": -1})]
    path.write_bytes(
        b"\xef\xbb\xbf" + "\r\n".join([json.dumps(LINES[0]), *broken, json.dumps(LINES[2])]).encode() + b"\n\xff\n"
    )
    report = ingest([path], warehouse=tmp_path / "w")
    assert not report.ok
    assert [(each.where, each.reason.partition(" (")[0]) for each in report.refused] == [
        ("line 3", "is not JSON"),
        ("line 4", "is not a JSON object"),
        ("line 5", "session_id, start_time are missing"),
        ("line 6", "latency_ms is negative"),
        ("line 8", "is not JSON"),
    ]
    assert {kind: each.loaded for kind, each in report.types.items()} == {"session": 1, "span": 1}


def test_a_line_of_more_than_16_mib_is_refused_and_the_next_is_read(tmp_path: Path) -> None:
    path = tmp_path / "calls.ndjson"
    huge = json.dumps({**LINES[0], "attributes": {"x": "y" * (17 << 20)}})
    path.write_text("\n".join([json.dumps(LINES[1]), huge, json.dumps(LINES[2])]))
    report = ingest([path], warehouse=tmp_path / "w")
    assert [(each.where, each.reason) for each in report.refused] == [("line 2", "is longer than 16 MiB")]
    assert report.records == 2


def test_a_broken_character_costs_only_itself(tmp_path: Path) -> None:
    path = tmp_path / "calls.ndjson"
    path.write_bytes(
        b'{"type":"session","session_id":"s1","start_time":"%s","language":"a\\ud800b"}\n' % AT.encode()
        + b'{"type":"session","session_id":"s2\\u0000","start_time":"%s","language":"a\xffb"}\n' % AT.encode()
    )
    assert ingest([path], warehouse=tmp_path / "w").ok
    found = {(row["session_id"], row["language"]) for row in rows(tmp_path / "w", "sessions")}
    assert found == {("s1", "a\ufffdb"), ("s2\ufffd", "a\ufffdb")}


def test_refusals_are_all_counted_and_the_first_thousand_are_named(tmp_path: Path) -> None:
    path = lines(tmp_path / "calls.ndjson", [{"type": "session"}, {"type": "call"}] * 700)
    report = ingest([path], warehouse=tmp_path / "w", format="ndjson")
    assert (report.refused_count, len(report.refused), sum(report.reasons.values())) == (1400, MOST_REFUSALS, 1400)
    assert report.reasons["session_id, start_time are missing"] == 700


def test_folders_are_gone_through_and_what_is_not_known_there_is_named(tmp_path: Path) -> None:
    folder = tmp_path / "in"
    (folder / "deep").mkdir(parents=True)
    lines(folder / "deep" / "session.ndjson", LINES[:1])
    with gzip.open(folder / "span.ndjson.gz", "wt") as file:
        file.write(json.dumps({name: value for name, value in LINES[2].items() if name != "type"}))
    (folder / "notes.txt").write_text("hello")
    (folder / ".hidden").write_text("hello")
    (folder / "event.ndjson").write_text("")
    lines(folder / "interaction.ndjson", LINES[1:2])
    report = ingest([folder], warehouse=folder / "warehouse")
    assert [Path(each).name for each in report.files] == [
        "event.ndjson",
        "interaction.ndjson",
        "span.ndjson.gz",
        "session.ndjson",
    ]
    assert [(Path(each.file).name, each.where) for each in report.refused] == [("notes.txt", "")]
    assert {kind: each.loaded for kind, each in report.types.items()} == {"session": 1, "interaction": 1, "span": 1}
    assert ingest([folder], warehouse=folder / "warehouse").refused_count == 1


def test_a_file_that_is_not_there_is_refused_by_name_and_the_rest_is_loaded(tmp_path: Path) -> None:
    report = ingest([tmp_path / "no.ndjson", lines(tmp_path / "calls.ndjson")], warehouse=tmp_path / "w")
    assert [(each.file, each.reason) for each in report.refused] == [
        (str(tmp_path / "no.ndjson"), "cannot be read (No such file or directory)")
    ]
    assert report.records == 3


def test_standard_input_may_be_packed(tmp_path: Path) -> None:
    content = "".join(json.dumps(record) + "\n" for record in LINES).encode()
    assert ingest("-", warehouse=tmp_path / "a", stdin=io.BytesIO(content)).records == 3
    assert ingest("-", warehouse=tmp_path / "b", stdin=io.BytesIO(gzip.compress(content))).records == 3


def test_gzip_that_ends_early_is_loaded_as_far_as_it_goes(tmp_path: Path) -> None:
    path = tmp_path / "calls.ndjson.gz"
    packed = gzip.compress(
        "".join(json.dumps({**LINES[1], "interaction_id": f"i{n}"}) + "\n" for n in range(20_000)).encode()
    )
    path.write_bytes(packed[: len(packed) // 2])
    report = ingest([path], warehouse=tmp_path / "w")
    assert report.refused_count in (1, 2)  # the last line may be cut
    assert "damaged gzip" in report.refused[-1].reason
    assert 1_000 < report.records < 20_000


def test_records_in_memory_are_loaded_and_one_that_is_none_is_refused(tmp_path: Path) -> None:
    report = ingest((each for each in [*LINES, 7]), warehouse=tmp_path)  # type: ignore[misc]
    assert report.records == 3
    assert [(each.file, each.where, each.reason) for each in report.refused] == [
        ("records", "record 4", "is not a mapping")
    ]
    with pytest.raises(InvalidArgument):
        ingest([7], warehouse=tmp_path)  # type: ignore[list-item]


def test_all_files_of_one_load_are_one_commit(tmp_path: Path) -> None:
    for number in range(5):
        lines(tmp_path / f"{number}.ndjson", [{**LINES[1], "interaction_id": f"i{number}"}])
    ingest([tmp_path], warehouse=tmp_path / "w")
    assert len(list((tmp_path / "w" / "segments" / "interactions").iterdir())) == 1


def test_identical_records_of_several_files_are_as_many_as_one_file_has(tmp_path: Path) -> None:
    event: Record = {"type": "event", "session_id": "s1", "time": AT, "metric_name": "twin", "value": 1}
    lines(tmp_path / "1.ndjson", [event] * 2)
    lines(tmp_path / "2.ndjson", [event] * 3)
    ingest([tmp_path / "1.ndjson", tmp_path / "2.ndjson"], warehouse=tmp_path / "w")
    assert len(rows(tmp_path / "w", "events")) == 3


# CSV


def table(path: Path, header: list[str], *cells: list[str]) -> Path:
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([header, *cells])
    return path


def test_csv_has_one_type_a_file_and_empty_cells_say_nothing(tmp_path: Path) -> None:
    header = ["session_id", "start_time", "end_time", "participants", "attributes", "unheard_of"]
    path = table(
        tmp_path / "sessions-2026.csv", header, ["s1", AT, "", '["b","a"]', '{"x": 1}', "y"], ["s2", AT, *[""] * 4]
    )
    report = ingest([path], warehouse=tmp_path / "w")
    assert report.refused == ()
    first, second = rows(tmp_path / "w", "sessions")
    assert (first["participants"], json.loads(str(first["attributes"]))) == (["a", "b"], {"x": 1, "unheard_of": "y"})
    assert (second["end_t"], second["attributes"]) == (None, None)


def test_a_csv_row_of_another_length_is_refused_with_its_line(tmp_path: Path) -> None:
    path = table(tmp_path / "session.csv", ["session_id", "start_time"], ["s1", AT], ["s2"], ["s3", "yesterday"])
    report = ingest([path], warehouse=tmp_path / "w")
    assert [(each.where, each.reason) for each in report.refused] == [
        ("line 3", "has 1 cells, and the header has 2"),
        ("line 4", "start_time is not an ISO 8601 time: 'yesterday'"),
    ]


@pytest.mark.parametrize(
    ("name", "header", "reason"),
    [
        ("session.csv", ["session_id", "started"], "The CSV header has no start_time, which a session needs."),
        ("calls.csv", ["session_id", "start_time"], "Nothing says what type of record the CSV file holds."),
        ("session.csv", ["session_id", "start_time", "start_time"], "The CSV header names start_time twice."),
        ("session.csv", ["session_id", "", "start_time"], "Column 2 of the CSV header has no name."),
    ],
)
def test_a_csv_header_that_will_not_do_is_one_clear_refusal(
    tmp_path: Path, name: str, header: list[str], reason: str
) -> None:
    report = ingest([table(tmp_path / name, header, ["a"] * len(header))], warehouse=tmp_path / "w")
    assert report.refused_count == 1
    assert report.refused[0].reason.startswith(reason)


def test_the_type_of_a_csv_file_may_be_named_or_stand_in_a_column(tmp_path: Path) -> None:
    named = table(tmp_path / "calls.csv", ["session_id", "start_time"], ["s1", AT])
    mixed = table(tmp_path / "mixed.csv", ["type", "session_id", "start_time"], ["session", "s2", AT])
    assert ingest([named], warehouse=tmp_path / "w", type="session").ok
    assert ingest([mixed], warehouse=tmp_path / "w").ok
    assert len(rows(tmp_path / "w", "sessions")) == 2


def test_times_without_an_offset_need_a_zone(tmp_path: Path) -> None:
    path = table(tmp_path / "session.csv", ["session_id", "start_time"], ["s1", "2026-03-29 03:30:00"])
    refused = ingest([path], warehouse=tmp_path / "w")
    assert "has no UTC offset" in refused.refused[0].reason
    assert ingest([path], warehouse=tmp_path / "w", timezone="Europe/Berlin").ok
    (session,) = rows(tmp_path / "w", "sessions")
    assert session["t"] == 1_774_747_800_000_000
    with pytest.raises(InvalidArgument):
        ingest([path], warehouse=tmp_path / "w", timezone="Mars/Base")


# Parquet


def parquet(path: Path, select: str) -> Path:
    connection = duckdb.connect()
    connection.execute(f"COPY ({select}) TO '{path}' (FORMAT parquet)")
    connection.close()
    return path


def test_parquet_moments_are_read_as_the_file_means_them(tmp_path: Path) -> None:
    path = parquet(
        tmp_path / "spans.parquet",
        "SELECT 's1' AS session_id, 'llm' AS processor, TIMESTAMPTZ '2026-03-01 10:00:00.000001+00' AS start_time,"
        " 12.5::DECIMAL(9, 3) AS duration_ms, {'a': 1, 'b': [1, 2]} AS attributes, 7::UTINYINT AS input_tokens,"
        " NULL::VARCHAR AS model, 'x'::BLOB AS raw",
    )
    report = ingest([path], warehouse=tmp_path / "w")
    assert report.refused == ()
    (span,) = rows(tmp_path / "w", "spans")
    assert (span["t"], span["duration_ms"], span["input_tokens"]) == (1_772_359_200_000_001, 12.5, 7)
    assert json.loads(str(span["attributes"])) == {"a": 1, "b": [1, 2], "raw": "x"}
    naive = parquet(
        tmp_path / "session.parquet", "SELECT 's1' AS session_id, TIMESTAMP '2026-03-01 10:00:00' AS start_time"
    )
    assert "has no UTC offset" in ingest([naive], warehouse=tmp_path / "w").refused[0].reason


def test_parquet_may_be_packed_and_many_rows_long(tmp_path: Path) -> None:
    plain = parquet(
        tmp_path / "event.parquet",
        "SELECT 's' || i AS session_id, 'mos' AS metric_name, i AS value, i AS time_ms FROM range(5000) t(i)",
    )
    packed = tmp_path / "packed" / "event.parquet.gz"
    packed.parent.mkdir()
    packed.write_bytes(gzip.compress(plain.read_bytes()))
    assert ingest([packed], warehouse=tmp_path / "w").types["event"].loaded == 5000


def corrupted(path: Path, kind: str) -> bytes:
    content = path.read_bytes()
    if kind == "cut":
        return content[: len(content) // 2]
    if kind == "magic only":
        return b"PAR1" + b"\xff" * 400 + b"\xff\xff\xff\x7fPAR1"
    middle = len(content) // 4
    return content[:middle] + bytes(each ^ 0xFF for each in content[middle : middle + 200]) + content[middle + 200 :]


@pytest.mark.parametrize("kind", ["cut", "magic only", "pages overwritten"])
def test_damaged_parquet_is_refused_with_a_reason_and_names_no_path(tmp_path: Path, kind: str) -> None:
    good = parquet(tmp_path / "x.parquet", "SELECT 's' || i AS session_id, i AS start_time_ms FROM range(900) t(i)")
    bad = tmp_path / "session.parquet"
    bad.write_bytes(corrupted(good, kind))
    report = ingest([bad, lines(tmp_path / "calls.ndjson")], warehouse=tmp_path / "w")
    assert any("cannot be read" in each.reason or "not read" in each.reason for each in report.refused)
    assert not any(str(tmp_path) in each.reason for each in report.refused)
    assert report.types["interaction"].loaded == 1


# Formats


def test_every_format_says_what_it_is() -> None:
    for name in FORMATS:
        module = importer(name)
        assert name == module.NAME
        assert module.TITLE
        assert module.LATENCY_BASIS
    assert detect(b'{"type": "span", "session_id"', "-") == "ndjson"
    assert detect(b"hello", "x.jsonl") == "ndjson"
    assert detect(b'{"resourceLogs": []}', "x") is None
    assert detect(b"PAR1\x00", "x") == "parquet"
    assert detect(b"end_time;session_id\n", "x") == "csv"


def test_a_langfuse_export_is_recognised_and_says_what_its_latency_is(tmp_path: Path) -> None:
    end = AT.replace("Z", ".500Z")
    took = {"id": "o1", "type": "GENERATION", "startTime": AT, "endTime": end}
    trace = {"trace": {"id": "t1", "timestamp": AT, "sessionId": "s1"}, "observations": [took]}
    (tmp_path / "export.json").write_text(json.dumps(trace))
    report = ingest([tmp_path / "export.json"], warehouse=tmp_path / "w")
    assert report.refused == ()
    assert report.types["interaction"].loaded == 1
    assert report.latency_bases == (importer("langfuse").LATENCY_BASIS,)


def test_a_load_without_a_latency_does_not_say_what_latencies_are(tmp_path: Path) -> None:
    session = {"type": "session", "session_id": "s", "start_time": AT}
    turn = {"type": "interaction", "interaction_id": "i", "session_id": "s", "start_time": AT}
    assert ingest([session, turn], warehouse=tmp_path).latency_bases == ()
    assert ingest([{**turn, "latency_ms": 5}], warehouse=tmp_path).latency_bases == (importer("ndjson").LATENCY_BASIS,)


def test_unknown_names_are_errors_before_anything_is_read(tmp_path: Path) -> None:
    with pytest.raises(UnknownName, match="ndjson"):
        ingest([], warehouse=tmp_path / "w", format="ndjsn")
    with pytest.raises(UnknownName, match="session"):
        ingest([], warehouse=tmp_path / "w", type="sesion")  # type: ignore[arg-type]
    assert not (tmp_path / "w").exists()


# The warehouse as a whole


def test_generated_and_measured_telemetry_do_not_mix(tmp_path: Path) -> None:
    ingest(LINES, warehouse=tmp_path / "demo", generated=True)
    with pytest.raises(InvalidArgument, match="holds generated telemetry"):
        ingest(LINES, warehouse=tmp_path / "demo")
    ingest(LINES, warehouse=tmp_path / "own")
    with pytest.raises(InvalidArgument, match="holds measured telemetry"):
        ingest(LINES, warehouse=tmp_path / "own", generated=True)
    assert len(rows(tmp_path / "own", "sessions")) == 1


def test_progress_tells_how_far_a_load_is(tmp_path: Path) -> None:
    path = lines(tmp_path / "calls.ndjson")
    told: list[Progress] = []
    ingest([path], warehouse=tmp_path / "w", progress=told.append)
    assert [each.stage for each in told] == ["reading", "merging"]
    assert (told[0].file, told[0].records, told[0].position, told[0].size) == (
        str(path),
        3,
        path.stat().st_size,
        path.stat().st_size,
    )


def test_a_load_that_is_called_off_leaves_nothing_behind(tmp_path: Path) -> None:
    ingest(LINES, warehouse=tmp_path)
    before = sorted(each for each in tmp_path.rglob("*") if "manifest" not in each.name)

    def call_off(progress: Progress) -> None:
        if progress.stage == "merging":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        ingest([{**LINES[0], "session_id": "s9"}], warehouse=tmp_path, progress=call_off)
    assert sorted(each for each in tmp_path.rglob("*") if "manifest" not in each.name) == before
    assert len(rows(tmp_path, "sessions")) == 1


def test_a_manifest_that_is_no_database_is_a_typed_error(tmp_path: Path) -> None:
    ingest(LINES, warehouse=tmp_path / "w")
    for each in (tmp_path / "w").glob("manifest*"):
        each.unlink()
    (tmp_path / "w" / "manifest.sqlite").write_text("hello " * 1000)
    with pytest.raises(WarehouseError, match="manifest"):
        ingest(LINES, warehouse=tmp_path / "w")
    shutil.rmtree(tmp_path / "w")
