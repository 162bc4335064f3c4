from __future__ import annotations

import gzip
import json
import os
import pty
import select
import subprocess
import sys
from pathlib import Path

from talkscope.jobs.demo import Truth
from tests.cli.running import environment, here, talkscope

GOOD = '{"type": "session", "session_id": "s", "start_time": "2026-01-01T00:00:00Z"}\n'
BAD = '{"type": "session", "session_id": "t"}\n'


def test_everything_loaded_ends_with_0_and_again_changes_nothing(telemetry: tuple[Path, Truth], tmp_path: Path) -> None:
    files = [str(path) for path in sorted(telemetry[0].glob("*.ndjson"))]
    place = ("--warehouse", str(tmp_path / "w"))
    for present in (False, True):
        done = talkscope("ingest", *files, *place, home=tmp_path)
        assert (done.returncode, done.stderr) == (0, "")
        told = json.loads(done.stdout)
        assert told["records"] == sum(telemetry[1].records.values())
        assert told["refused_count"] == 0
        loaded = {kind: counts["present" if present else "loaded"] for kind, counts in told["types"].items()}
        assert loaded == telemetry[1].records


def test_a_refused_record_ends_with_3_names_its_place_and_reason_and_the_rest_is_loaded(tmp_path: Path) -> None:
    file = tmp_path / "calls.ndjson"
    file.write_text(GOOD + BAD + "no json\n", encoding="utf-8")
    place = ("--warehouse", str(tmp_path / "w"))
    done = here("ingest", str(file), "--table", *place, home=tmp_path)
    assert done.returncode == 3
    assert f"{file}:line 2: start_time is missing" in done.stdout
    assert f"{file}:line 3: " in done.stdout
    assert "1 record from" in done.stdout
    assert "told twice" not in done.stdout
    told = json.loads(here("ingest", str(file), *place, home=tmp_path).stdout)
    assert told["refused"][0] == {"file": str(file), "where": "line 2", "reason": "start_time is missing"}
    assert told["types"]["session"]["present"] == 1
    file.write_text(GOOD * 3, encoding="utf-8")
    (*_, counted) = here("ingest", str(file), "--table", *place, home=tmp_path).stdout.splitlines()[:4]
    assert counted.split() == ["session", "0", "0", "1", "2"]


def test_many_refusals_are_listed_to_twenty_for_people_and_all_for_programs(tmp_path: Path) -> None:
    place = ("--warehouse", str(tmp_path / "w"))
    done = here("ingest", "-", "--table", *place, home=tmp_path, stdin=BAD * 30)
    assert done.returncode == 3
    assert done.stdout.count("start_time is missing") == 20
    assert "and 10 more" in done.stdout
    told = json.loads(here("ingest", "-", *place, home=tmp_path, stdin=BAD * 30).stdout)
    assert len(told["refused"]) == told["refused_count"] == 30


def test_stdin_a_packed_file_and_times_in_a_named_zone_are_taken(tmp_path: Path) -> None:
    packed = tmp_path / "sessions.ndjson.gz"
    packed.write_bytes(gzip.compress(b'{"session_id": "z", "start_time": "2026-01-01T00:00:00"}\n'))
    place = {"TALKSCOPE_WAREHOUSE": str(tmp_path / "w")}
    done = here(
        "ingest", "-", str(packed), "--timezone", "Europe/Berlin", "--type", "session",
        home=tmp_path, stdin=GOOD, **place,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr + done.stdout
    listed = here("sessions", "--start-time", "2025-12-31", "--end-time", "2026-01-02", home=tmp_path, **place)
    told = json.loads(listed.stdout)
    times = {row[0]: row[told["columns"].index("start_time")] for row in told["rows"]}
    assert times == {"s": "2026-01-01T00:00:00Z", "z": "2025-12-31T23:00:00Z"}


def test_a_format_that_there_is_none_of_ends_with_1_and_the_nearest_before_anything_is_loaded(tmp_path: Path) -> None:
    done = here("ingest", "x", "--format", "ndjsn", "--warehouse", str(tmp_path / "w"), home=tmp_path)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "error: unknown_name: Unknown format 'ndjsn'. Did you mean 'ndjson'?\n"


def test_nothing_to_load_is_a_usage_error(tmp_path: Path) -> None:
    done = here("ingest", home=tmp_path)
    assert done.returncode == 2
    assert "PATH" in done.stderr


def test_a_person_sees_how_far_a_load_is_and_the_report_stays_apart_from_it(tmp_path: Path) -> None:
    file = tmp_path / "calls.ndjson"
    file.write_text(GOOD, encoding="utf-8")
    user, terminal = pty.openpty()
    with subprocess.Popen(
        [sys.executable, "-m", "talkscope", "ingest", str(file), "--warehouse", str(tmp_path / "w")],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=terminal,
        env=environment(tmp_path, TERM="xterm"),
    ) as running:
        os.close(terminal)
        assert running.stdout is not None
        seen = b""
        while select.select([user], [], [], 60)[0]:
            try:
                seen += os.read(user, 1 << 16)
            except OSError:  # the other end is closed
                break
        report = json.loads(running.stdout.read())
    os.close(user)
    assert running.returncode == 0
    assert b"records" in seen
    assert report["records"] == 1
