from __future__ import annotations

import json
import shutil
from pathlib import Path

from talkscope.tools import RECORD_TOOLS, TOOLS
from tests.cli.running import here, talkscope


def findings(home: Path, *arguments: str, code: int, **more: str) -> dict[str, dict[str, str]]:
    done = here("doctor", "--json", *arguments, home=home, **more)
    assert (done.returncode, done.stderr) == (code, "")
    told = json.loads(done.stdout)
    assert told["problems"] == sum(finding["state"] == "problem" for finding in told["findings"])
    return {finding["about"]: finding for finding in told["findings"]}


def test_a_healthy_warehouse_is_told_with_its_rows_its_newest_record_and_a_server_that_starts(
    warehouse: Path, tmp_path: Path
) -> None:
    told = findings(tmp_path, "--warehouse", str(warehouse), code=0)
    assert {finding["state"] for finding in told.values()} == {"ok"}
    assert "duckdb" in told["versions"]["says"]
    assert " sessions, " in told["source warehouse"]["says"]
    assert "newest record 2026-05-04T" in told["source warehouse"]["says"]
    assert f"lists {len(TOOLS) + len(RECORD_TOOLS)} tools" in told["server"]["says"]


def test_a_warehouse_that_is_not_there_yet_is_no_problem_and_says_how_to_load_one(tmp_path: Path) -> None:
    told = findings(tmp_path, code=0)
    assert told["source warehouse"]["state"] == "note"
    assert "talkscope ingest" in told["source warehouse"]["do"]


def test_a_missing_segment_is_a_problem(warehouse: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(warehouse, copy)
    next(copy.rglob("*.parquet")).unlink()
    told = findings(tmp_path, "--warehouse", str(copy), code=1)
    assert told["source warehouse"]["state"] == "problem"
    assert "missing" in told["source warehouse"]["says"]


def test_a_manifest_that_is_none_is_a_problem_and_the_rest_is_still_looked_at(warehouse: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(warehouse, copy)
    for path in copy.glob("manifest.sqlite*"):
        path.unlink()
    (copy / "manifest.sqlite").write_bytes(b"no database at all" * 100)
    told = findings(tmp_path, "--warehouse", str(copy), code=1)
    assert told["source warehouse"]["state"] == "problem"
    assert told["server"]["state"] == "ok"


def test_settings_that_cannot_be_understood_are_a_problem_without_their_value(tmp_path: Path) -> None:
    told = findings(tmp_path, code=1, TALKSCOPE_DEADLINE="s3cr3t-value")
    assert told["settings"]["state"] == "problem"
    assert "TALKSCOPE_DEADLINE" in told["settings"]["says"]
    assert "s3cr3t" not in json.dumps(told)


def test_several_sources_without_a_default_are_noted(warehouse: Path, tmp_path: Path) -> None:
    config = tmp_path / "config.toml"
    lines = [f"[sources.{name}]\npath = {json.dumps(str(warehouse))}\n" for name in ("calls", "chats")]
    config.write_text("\n".join(lines), encoding="utf-8")
    told = findings(tmp_path, code=0, TALKSCOPE_CONFIG=str(config))
    assert told["settings"]["state"] == "note"
    assert {"source calls", "source chats"} <= set(told)


def test_people_are_told_in_lines_with_a_verdict_at_the_end(warehouse: Path, tmp_path: Path) -> None:
    done = talkscope("doctor", "--warehouse", str(warehouse), home=tmp_path)
    assert done.returncode == 0
    assert done.stdout.splitlines()[0].startswith("✓ versions: Python 3.")
    assert done.stdout.splitlines()[-1] == "All is well."
