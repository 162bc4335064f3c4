"""Files that are written whole or not at all."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from talkscope.charts import save
from talkscope.charts.drawing import Drawing
from talkscope.cli.show import Page
from talkscope.models import files

REPORT = b"the one before"


@pytest.mark.parametrize(
    "write",
    [
        lambda path: files.write(path, b"half"),
        lambda path: Page("csv", path).write("half"),
        lambda path: save(Drawing({"mark": "bar"}, ""), path),
    ],
)
def test_a_full_disk_leaves_the_file_as_it_was(write: object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "report.json"
    path.write_bytes(REPORT)

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    assert callable(write)
    with pytest.raises(OSError, match="No space left"):
        write(path)
    assert [each.read_bytes() for each in tmp_path.iterdir()] == [REPORT]


def test_a_new_file_is_as_open_as_the_users_files_are_and_a_replaced_one_as_it_was(tmp_path: Path) -> None:
    (tmp_path / "usual").touch()
    (tmp_path / "old").touch()
    (tmp_path / "old").chmod(0o640)
    for name in ("new", "old"):
        files.write(tmp_path / name, b"x")
    modes = {name: stat.S_IMODE((tmp_path / name).stat().st_mode) for name in ("usual", "new", "old")}
    assert (modes["new"], modes["old"]) == (modes["usual"], 0o640)


def test_a_private_file_is_its_owners_alone_whoever_could_read_the_one_before(tmp_path: Path) -> None:
    path = tmp_path / "export.json"
    path.touch(0o644)
    with files.replacing(path) as out:
        out.write(b"x")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_pipe_is_written_to_and_stays(tmp_path: Path) -> None:
    reading, writing = os.pipe()
    files.write(Path(f"/dev/fd/{writing}"), b"told")
    assert os.read(reading, 10) == b"told"
    for end in (reading, writing):
        os.close(end)
