"""What commands cannot do: told in one line with what to do and the code to end with, and nothing is half-written."""

from __future__ import annotations

import errno
import json
from collections.abc import Awaitable, Callable, Iterator, Mapping
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from subprocess import CompletedProcess

import anyio
import pytest
from rich.console import Console

import talkscope
from talkscope import settings
from talkscope.cli.screen import Screen
from talkscope.cli.watch import Board, Panel, board_of, watching
from talkscope.errors import InvalidArgument, Json, TalkscopeError, UnknownName
from talkscope.jobs.pull import Journal, files
from talkscope.models.answers import Answer, Meta
from talkscope.models.files import replacing
from tests.cli.running import here
from tests.vendors import mavenoid
from tests.vendors.engine import Vendor
from tests.vendors.serving import served

Run = Callable[..., CompletedProcess[str]]
NOW = datetime(2026, 5, 4, 12, tzinfo=UTC)
CALL = "assistant-conversations -p days=1"


@pytest.fixture(scope="module")
def running() -> Iterator[tuple[Vendor, str]]:
    vendor = mavenoid.mavenoid(mavenoid.make_world(now=NOW, conversations=3))
    with served(vendor) as url:
        yield vendor, url


@pytest.fixture
def vendor(running: tuple[Vendor, str]) -> Vendor:
    running[0].forget()
    return running[0]


@pytest.fixture
def run(running: tuple[Vendor, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.chdir(tmp_path)

    def run(line: str, **more: str) -> CompletedProcess[str]:
        account = {"MAVENOID_API_TOKEN": mavenoid.TOKEN, "MAVENOID_API_URL": running[1]}
        return here(*line.split(), home=tmp_path / "home", **{**account, **more})

    return run


def lines(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir() if path.name != "home")


@pytest.mark.parametrize(
    "line",
    [
        f"fetch mavenoid {CALL} -o none/a.json",
        f"fetch mavenoid {CALL} --all -o none/a.json",
        f"export mavenoid {CALL} -o none/a.csv",
        "mavenoid conversations -o none/a.json",
        "report studio-chat -o none/a.md",
        "report -o none/a.md",
    ],
)
def test_a_file_in_no_folder_is_refused_before_anything_is_asked(
    run: Run, vendor: Vendor, tmp_path: Path, line: str
) -> None:
    done = run(line, STUDIO_API_TOKEN="sbs_made_up", STUDIO_PROJECT_ID="p", STUDIO_API_URL="http://127.0.0.1:1")
    assert done.returncode == 1
    assert done.stderr == "error: invalid_argument: There is no folder none. Make it, or name another.\n"
    assert vendor.count() == 0
    assert lines(tmp_path) == []


@pytest.mark.parametrize(
    ("line", "code", "told"),
    [
        ("export mavenoid -o a.json", 2, "Missing argument 'CALL'"),
        ("export mavenoid No-Such -o a.json", 1, "Unknown call 'No-Such'"),
        ("sync mavenoid --into ~nobody-of-this-name/wh", 1, "--into begins with ~"),
        ("sync mavenoid --into s3://bucket/wh", 1, "--into is the address of an engine"),
        ("summary --warehouse ~nobody-of-this-name/wh", 1, "--warehouse begins with ~"),
        ("ingest a.json --warehouse ~nobody-of-this-name/wh", 1, "--warehouse begins with ~"),
        ("sync mavenoid --into wh\udcff", 1, "--into holds bytes that are no text"),
        ("summary --warehouse wh\udcff", 1, "--warehouse holds bytes that are no text"),
        ('fetch mavenoid /a --body "\udcff"', 1, "--body is not JSON"),
        ('query "\udcff"', 1, "The query is not JSON"),
        ("watch mavenoids --once", 1, "Unknown source 'mavenoids'. Did you mean 'mavenoid'?"),
    ],
)
def test_words_that_nothing_can_be_made_of_are_refused_in_one_line(
    run: Run, vendor: Vendor, tmp_path: Path, line: str, code: int, told: str
) -> None:
    done = run(line)
    assert done.returncode == code
    assert told in done.stderr
    assert done.stderr.count("\n") == 1
    assert vendor.count() == 0
    assert lines(tmp_path) == []


def test_a_sync_into_nowhere_is_not_one_into_the_present_folder(running: tuple[Vendor, str], tmp_path: Path) -> None:
    done = here(
        "sync", "mavenoid", "--into", "", home=tmp_path, MAVENOID_API_TOKEN=mavenoid.TOKEN, MAVENOID_API_URL=running[1]
    )
    assert done.returncode == 1
    assert "--into names no warehouse" in done.stderr


@pytest.mark.parametrize("line", ["export", "mavenoid", "keys"])
def test_a_command_without_its_question_shows_its_help_as_it_is(run: Run, line: str) -> None:
    done = run(line)
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.startswith(f"Usage: talkscope {line} ")
    assert "\nCommands:\n" in done.stderr


def test_what_was_fetched_is_kept_and_told_of_when_it_cannot_be_written(
    run: Run, vendor: Vendor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(files, "write", full)
        done = run(f"export mavenoid {CALL} -o a.json")
    assert done.returncode == 1
    assert "Kept: 1 part in a.json.part. The same command goes on from there." in done.stderr
    assert run(f"export mavenoid {CALL} -o a.json").returncode == 0
    assert vendor.count() == 1
    assert lines(tmp_path) == ["a.json"]


def test_a_file_that_cannot_be_begun_is_told_by_its_own_name(tmp_path: Path) -> None:
    wanted = tmp_path / "none" / "a.json"
    with pytest.raises(FileNotFoundError) as caught, replacing(wanted):
        pass
    assert caught.value.filename == str(wanted)


def test_a_folder_with_somebodys_files_is_not_removed_with_the_journal(tmp_path: Path) -> None:
    folder = tmp_path / "a.json.part"
    folder.mkdir()
    (folder / "diary.txt").write_text("mine")
    journal = Journal(folder, {}, begun="now")
    journal.add("page 0", [1])
    journal.discard()
    assert [path.name for path in folder.iterdir()] == ["diary.txt"]


def panel(title: str, answer: Answer | TalkscopeError) -> Panel:
    async def ask() -> Answer:
        if isinstance(answer, TalkscopeError):
            raise answer
        return answer

    return Panel(title, ask, 30.0)


GOOD = Answer(columns=["a"], rows=[[1]], meta=Meta(source="s", n=1))
BAD = InvalidArgument("It is wrong.")


class Unseen:
    """Somebody who has gone."""

    def panel(self, title: str, answer: Answer | TalkscopeError) -> None:
        raise BrokenPipeError

    def event(self, name: str, data: Json) -> None:
        raise BrokenPipeError


def test_a_watch_that_nobody_reads_any_more_ends_as_other_commands_do() -> None:
    async def live(hear: Callable[[str, Json], None]) -> None:
        hear("connected", None)

    board = Board("s", [panel("one", GOOD), panel("two", BAD)], live)
    for once in (True, False):
        with pytest.raises(BrokenPipeError):
            anyio.run(partial(watching, board, Unseen(), once=once))


class Seen:
    """Somebody who looks away."""

    def panel(self, title: str, answer: Answer | TalkscopeError) -> None: ...

    def event(self, name: str, data: Json) -> None: ...


def test_a_look_at_what_no_panel_can_tell_fails_with_the_reason(run: Run) -> None:
    def look(*panels: Panel) -> Awaitable[None]:
        return watching(Board("s", panels), Seen(), once=True)

    anyio.run(lambda: look(panel("one", GOOD), panel("two", BAD)))
    with pytest.raises(InvalidArgument, match="It is wrong"):
        anyio.run(lambda: look(panel("one", BAD), panel("two", BAD)))
    done = run("watch mavenoid --once", MAVENOID_API_TOKEN="ma_of_nobody")
    assert done.returncode == 1
    assert {json.loads(line)["error"]["code"] for line in done.stdout.splitlines()} == {"unauthorized"}
    assert done.stderr.startswith("error: unauthorized (HTTP 401)")


def watched(environ: Mapping[str, str], source: str | None) -> str:
    """The name of what is watched."""
    told = settings.read(environ)

    async def name() -> str:
        async with talkscope.App(told) as app:
            return board_of(app, told, source).name

    return anyio.run(name)


def test_what_is_watched_without_a_name_is_what_is_asked_without_one(tmp_path: Path) -> None:
    config = tmp_path / "config.toml"
    config.write_text('[sources.desk]\nplatform = "mavenoid"\n')
    account = {"TALKSCOPE_CONFIG": str(config), "MAVENOID_API_TOKEN": "ma_made_up"}
    convai = {**account, "CONVAI_API_KEY": "ck_made_up"}
    assert watched({**account, "TALKSCOPE_WAREHOUSE": str(tmp_path)}, None) == "desk"
    assert watched(convai, None) == "convai"
    assert watched({**convai, "TALKSCOPE_SOURCE": "desk"}, None) == "desk"
    with pytest.raises(UnknownName, match="desk"):
        watched(convai, "dsk")


@pytest.mark.parametrize("stays", [True, False])
def test_a_look_stays_on_the_terminal_and_a_watch_has_a_screen_of_its_own(stays: bool) -> None:
    console = Console(force_terminal=True, width=80, legacy_windows=False)
    with console.capture() as shown, Screen("desk", ["Now"], lambda: NOW, stays=stays, console=console) as screen:
        screen.panel("Now", GOOD)
    assert ("\x1b[?1049h" in shown.get()) is not stays
    assert ("Ctrl-C" in shown.get()) is not stays
