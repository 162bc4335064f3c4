"""Several processes on one warehouse at once, some killed: what was committed stays, what was not never shows."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from threading import Thread

from talkscope.jobs.ingest import ingest
from talkscope.warehouse.compact import compact
from talkscope.warehouse.store import DuckStore
from tests.warehouse.worker import batch, whole_sessions

ROOT = Path(__file__).resolve().parents[2]
BATCHES = 3


@contextmanager
def worker(folder: Path, *role: str) -> Iterator[subprocess.Popen[str]]:
    """A worker, whose end is the end of the block."""
    path = [str(ROOT / "src"), str(ROOT)]
    code = f"import sys; sys.path[:0] = {path!r}; from tests.warehouse.worker import main; main()"
    command = [sys.executable, "-W", "error", "-c", code, str(folder), *role]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, text=True, bufsize=1) as process:
        try:
            yield process
        finally:
            process.kill()


def lines(process: subprocess.Popen[str]) -> Iterator[str]:
    assert process.stdout is not None
    for line in process.stdout:
        yield line.rstrip("\n")


def sessions(folder: Path) -> set[str]:
    store = DuckStore(folder, threads=1)
    try:
        return whole_sessions(store)
    finally:
        store.close()


class Writing(Thread):
    """A writer that is listened to, and killed in the middle of a load when it is to be."""

    def __init__(self, process: subprocess.Popen[str], kill_at: str | None) -> None:
        super().__init__()
        self.process, self.kill_at = process, kill_at
        self.committed: set[str] = set()
        self.begun: set[str] = set()

    def run(self) -> None:
        for line in lines(self.process):
            word, _, name = line.partition(" ")
            (self.committed if word == "committed" else self.begun).add(name)
            if line == self.kill_at:
                self.process.kill()
        self.process.wait()


class Reading(Thread):
    """A reader that is told to go on after each read, until it is let go."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        super().__init__()
        self.process = process
        self.reads = 0
        self.over = False
        self.complaint = ""

    def run(self) -> None:
        assert self.process.stdin is not None
        assert self.process.stderr is not None
        for _ in lines(self.process):
            self.reads += 1
            with suppress(OSError):
                if self.over:
                    self.process.stdin.close()
                else:
                    self.process.stdin.write("\n")
        self.complaint = self.process.stderr.read()
        self.process.wait()


def test_writers_readers_and_a_compactor_share_a_warehouse_though_some_are_killed(tmp_path: Path) -> None:
    ingest(batch("first"), warehouse=tmp_path, threads=1)
    with ExitStack() as stack:
        start = lambda *role: stack.enter_context(worker(tmp_path, *role))  # noqa: E731
        readers = [Reading(start("reader")) for _ in range(2)]
        compactor = start("compactor")
        killed = {"b": f"begins b-{BATCHES - 1}", "c": "begins c-1"}
        writers = [Writing(start("writer", name, str(BATCHES)), killed.get(name)) for name in "abcd"]
        for each in [*readers, *writers]:
            each.start()
        next(lines(compactor))
        compactor.kill()
        second = start("compactor")
        next(lines(second))
        for writer in writers:
            writer.join(60)
        second.kill()
        for reader in readers:
            reader.over = True
        for reader in readers:
            reader.join(60)
    assert [(reader.complaint, reader.process.returncode) for reader in readers] == [("", 0)] * 2
    assert all(reader.reads > 1 for reader in readers)
    assert [writer.process.returncode == 0 for writer in writers] == [True, False, False, True]
    committed = {"first"}.union(*(writer.committed for writer in writers))
    begun = set[str]().union(*(writer.begun for writer in writers))
    assert committed >= {f"{name}-{number}" for name in "ad" for number in range(BATCHES)}
    found = sessions(tmp_path)
    assert committed <= found <= committed | begun
    ingest(batch("last"), warehouse=tmp_path, threads=1)
    compact(tmp_path, threads=1)
    assert sessions(tmp_path) == found | {"last"}
    assert [each.name for each in (tmp_path / "tmp").iterdir()] == []


def test_a_load_killed_in_the_middle_of_its_commit_leaves_the_warehouse_as_it_was(tmp_path: Path) -> None:
    ingest(batch("first"), warehouse=tmp_path, threads=1)
    before = {each: each.read_bytes() for each in tmp_path.glob("segments/*/*")}
    with worker(tmp_path, "stuck") as process:
        assert next(lines(process)) == "written"
        assert len(list(tmp_path.glob("segments/*/*"))) > len(before)
        assert sessions(tmp_path) == {"first"}
        process.kill()
        process.wait()
    assert sessions(tmp_path) == {"first"}
    ingest(batch("first"), warehouse=tmp_path, threads=1)
    assert {each: each.read_bytes() for each in tmp_path.glob("segments/*/*")} == before
    assert [each.name for each in (tmp_path / "tmp").iterdir()] == []
