"""Pulling everything out of a platform: what an interrupted pull has, another run does not ask for again."""

from __future__ import annotations

import json
import os
import re
import signal
import stat
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import pytest

from tests.cli.running import here
from tests.vendors import studio_chat
from tests.vendors.engine import Asked, Handler, Reply, served
from tests.vendors.studio_chat import StudioChat

COUNT = 60
PAGES, BATCHES = 6, 6
BROKEN = Reply({"detail": "out of order"}, 500)


@dataclass
class Exporting:
    """The command line's export of conversations from a served account, ten a page."""

    vendor: StudioChat
    url: str
    home: Path
    bodies: list[str] = field(default_factory=list)

    def run(self, *words: str, to: str = "out.json", messages: bool = True) -> CompletedProcess[str]:
        window = ["--start", "2026-01-01", "--end", "2026-06-01", "--batch-size", "10"]
        return here(
            "export", "studio-chat", *window, *(["--messages"] if messages else []), "-o", str(self.home / to), *words,
            home=self.home, STUDIO_API_TOKEN=studio_chat.KEY, STUDIO_PROJECT_ID=studio_chat.MAIN,
            STUDIO_API_URL=self.url,
        )  # fmt: skip

    def document(self, name: str = "out.json") -> dict[str, Any]:
        found: dict[str, Any] = json.loads((self.home / name).read_bytes())
        return found

    def answered(self) -> list[str]:
        """What was answered well, each request by all that it asks."""
        pages = [f"{one.path} {one.pairs}" for one in self.vendor.seen if one.status == 200 and one.method == "GET"]
        return [*pages, *self.bodies]

    def note_bodies(self, spoil: Callable[[int], bool] = lambda _: False) -> None:
        """Note which conversations each batch asks for; spoil some, by their number."""
        handler = self.vendor.handlers["conversation_batch"]
        came = [0]

        def batch(asked: Asked) -> Any:
            came[0] += 1
            if spoil(came[0]):
                return BROKEN
            self.bodies.append(str(asked.body["conversation_ids"]))
            return handler(asked)

        self.vendor.answer_with("conversation_batch", batch, checked=False)


@pytest.fixture(scope="module")
def running() -> Iterator[tuple[StudioChat, str]]:
    vendor = studio_chat.server(conversations=COUNT)
    with served(vendor) as url:
        yield vendor, url


@pytest.fixture
def exporting(running: tuple[StudioChat, str], tmp_path: Path) -> Iterator[Exporting]:
    vendor, url = running
    vendor.forget()
    yield Exporting(vendor, url, tmp_path)
    vendor.answer_as_before()


@pytest.fixture(scope="module")
def whole(running: tuple[StudioChat, str], tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """An export that nothing interrupted, without its time."""
    vendor, url = running
    exporting = Exporting(vendor, url, tmp_path_factory.mktemp("whole"))
    done = exporting.run()
    assert done.returncode == 0, done.stderr
    return timeless(exporting.home / "out.json")


def timeless(path: Path) -> bytes:
    text, times = re.subn(rb'"exported_at":"[^"]*"', b"", path.read_bytes())
    assert times == 1
    return text


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_everything_comes_in_the_services_order_with_its_messages(exporting: Exporting) -> None:
    done = exporting.run("--concurrency", "3")
    assert done.returncode == 0, done.stderr
    project = exporting.vendor.studio.world.projects[0]
    expected = sorted(project.conversations, key=lambda each: (each.last_at, each.id), reverse=True)
    found = exporting.document()
    assert [row["conversation_id"] for row in found["conversations"]] == [each.id for each in expected]
    assert [len(row["messages"]) for row in found["conversations"]] == [len(each.messages) for each in expected]
    assert list(found) == ["exported_at", "total_matched", "total_exported", "conversations"]
    assert found["total_matched"] == found["total_exported"] == COUNT
    assert exporting.vendor.count() == PAGES + BATCHES
    assert exporting.vendor.most_at_once <= 3
    assert "Note" not in done.stderr


def test_a_run_after_a_failure_asks_only_for_what_is_missing(exporting: Exporting, whole: bytes) -> None:
    exporting.note_bodies(spoil=lambda number: number == 4)
    failed = exporting.run("--concurrency", "1")
    assert failed.returncode == 1
    assert "HTTP 500" in failed.stderr
    assert "The same command goes on from there" in failed.stderr
    assert not (exporting.home / "out.json").exists()
    kept = len(exporting.answered())
    assert kept == PAGES + 3
    again = exporting.run()
    assert again.returncode == 0, again.stderr
    assert f"{kept} parts there already" in again.stderr
    assert timeless(exporting.home / "out.json") == whole
    everything = exporting.answered()
    assert len(everything) == len(set(everything)) == PAGES + BATCHES
    assert sorted(path.name for path in exporting.home.glob("*out*")) == ["out.json"]


def test_an_interruption_among_the_pages_is_gone_on_from_too(exporting: Exporting, whole: bytes) -> None:
    handler = exporting.vendor.handlers["conversations"]
    exporting.note_bodies()

    def pages(asked: Asked) -> Any:
        return BROKEN if asked.get("offset") == 20 else handler(asked)

    exporting.vendor.answer_with("conversations", pages, checked=False)
    assert exporting.run().returncode == 1
    exporting.vendor.answer_with("conversations", handler)
    assert exporting.run().returncode == 0
    assert timeless(exporting.home / "out.json") == whole
    assert len(exporting.answered()) == len(set(exporting.answered())) == PAGES + BATCHES


def test_ctrl_c_keeps_what_came_and_says_how_to_go_on(exporting: Exporting, whole: bytes) -> None:
    assert threading.current_thread() is threading.main_thread()
    handler = exporting.vendor.handlers["conversation_batch"]
    held = threading.Event()

    def batch(asked: Asked) -> Any:
        if not held.is_set():
            held.set()
            os.kill(os.getpid(), signal.SIGINT)
        return handler(asked)

    exporting.vendor.answer_with("conversation_batch", batch)
    stopped = exporting.run("--concurrency", "1")
    assert stopped.returncode == 130
    assert "The same command goes on from there" in stopped.stderr
    assert "Interrupted." in stopped.stderr
    assert exporting.run().returncode == 0
    assert timeless(exporting.home / "out.json") == whole
    assert exporting.vendor.count("conversations") == PAGES


@pytest.mark.parametrize("torn", [b'{"key":"page 40","ans', b'{"key":"page 40","answer":{"conv\n'])
def test_a_last_line_that_was_cut_off_is_asked_for_again(exporting: Exporting, whole: bytes, torn: bytes) -> None:
    exporting.note_bodies(spoil=lambda number: number == 3)
    exporting.run("--concurrency", "1")
    journal = exporting.home / "out.json.part" / "journal.ndjson"
    lines = journal.read_bytes().splitlines(keepends=True)
    journal.write_bytes(b"".join(lines[:-1]) + torn)
    exporting.note_bodies()
    assert exporting.run().returncode == 0
    assert timeless(exporting.home / "out.json") == whole
    # The one whose line was cut off, and no other, was asked for twice.
    assert len(exporting.bodies) == BATCHES + 1


def test_a_journal_that_is_damaged_inside_is_refused(exporting: Exporting) -> None:
    exporting.note_bodies(spoil=lambda number: number == 3)
    exporting.run("--concurrency", "1")
    journal = exporting.home / "out.json.part" / "journal.ndjson"
    lines = journal.read_bytes().splitlines(keepends=True)
    journal.write_bytes(lines[0] + b"nothing\n" + b"".join(lines[1:]))
    refused = exporting.run()
    assert refused.returncode == 1
    assert "damaged" in refused.stderr
    assert "--restart" in refused.stderr


@pytest.mark.parametrize("changed", [(b'"page 0"', b'"first page"'), (b'"total":', b'"sum":')])
def test_a_journal_that_this_version_cannot_read_is_refused(exporting: Exporting, changed: tuple[bytes, bytes]) -> None:
    exporting.note_bodies(spoil=lambda number: number == 1)
    exporting.run("--concurrency", "1")
    journal = exporting.home / "out.json.part" / "journal.ndjson"
    journal.write_bytes(journal.read_bytes().replace(*changed))
    refused = exporting.run()
    assert refused.returncode == 1
    assert "another version" in refused.stderr


def test_what_is_kept_is_the_owners_alone_to_read_and_holds_no_key(exporting: Exporting) -> None:
    exporting.note_bodies(spoil=lambda number: number == 3)
    exporting.run("--concurrency", "1")
    folder = exporting.home / "out.json.part"
    assert (mode(folder), mode(folder / "journal.ndjson")) == (0o700, 0o600)
    assert studio_chat.KEY.encode() not in (folder / "journal.ndjson").read_bytes()
    for name in ("out.json", "out.csv", "out.ndjson", "out.parquet"):
        assert exporting.run("--restart", to=name).returncode == 0
        assert mode(exporting.home / name) == 0o600


def test_another_pull_into_the_same_file_is_refused_until_it_is_told_to_begin_anew(exporting: Exporting) -> None:
    exporting.note_bodies(spoil=lambda number: number == 2)
    exporting.run("--concurrency", "1")
    asked = exporting.vendor.count()
    other = exporting.run("--sentiment", "negative")
    assert other.returncode == 1
    assert "another_pull" in other.stderr
    assert "--restart" in other.stderr
    assert exporting.vendor.count() == asked
    assert exporting.run("--sentiment", "negative", "--restart").returncode == 0
    assert {row["sentiment_label"] for row in exporting.document()["conversations"]} == {"negative"}


def test_a_pull_that_got_nothing_is_in_nobodys_way(exporting: Exporting) -> None:
    exporting.vendor.answer_with("conversations", BROKEN, once=True, checked=False)
    assert exporting.run().returncode == 1
    assert list(exporting.home.glob("*.part")) == []
    assert exporting.run("--sentiment", "negative", messages=False).returncode == 0


def test_two_at_once_do_not_write_to_one_file(exporting: Exporting) -> None:
    handler = exporting.vendor.handlers["conversation_batch"]
    second: list[CompletedProcess[str]] = []

    def batch(asked: Asked) -> Any:
        if not second:
            from talkscope.errors import InvalidArgument
            from talkscope.jobs.pull import Journal

            with pytest.raises(InvalidArgument, match="Another talkscope"):
                Journal(exporting.home / "out.json.part", {}, begun="")
            second.append(CompletedProcess([], 0))
        return handler(asked)

    exporting.vendor.answer_with("conversation_batch", batch)
    assert exporting.run().returncode == 0
    assert second


def test_pages_that_shift_leave_nobody_out_twice_over(exporting: Exporting) -> None:
    handler = exporting.vendor.handlers["conversations"]

    def shifted(asked: Asked) -> Any:
        # A conversation came in after the first page: all that was on it is one place further down.
        offset = asked.get("offset")
        reply = handler(Asked(**{**fields(asked), "query": {**asked.query, "offset": max(0, offset - 1)}}))
        assert isinstance(reply, Reply)
        return Reply({**reply.body, "offset": offset, "total": COUNT + 1})

    exporting.vendor.answer_with("conversations", shifted)
    done = exporting.run()
    ids = [row["conversation_id"] for row in exporting.document()["conversations"]]
    assert len(ids) == len(set(ids)) == COUNT
    assert exporting.document()["total_matched"] == COUNT + 1
    assert "came twice" in done.stderr
    assert f"there are {COUNT + 1}, and {COUNT} came" in done.stderr


def fields(asked: Asked) -> dict[str, Any]:
    return {
        name: getattr(asked, name) for name in ("operation", "path", "query", "body", "granted", "pairs", "headers")
    }


def test_more_that_comes_while_one_pages_is_asked_for_too(exporting: Exporting) -> None:
    handler = exporting.vendor.handlers["conversations"]
    exporting.vendor.answer_with("conversations", told(handler, lambda offset: 30 if offset == 0 else COUNT))
    assert exporting.run(messages=False).returncode == 0
    assert exporting.document()["total_exported"] == COUNT


def told(handler: Handler, total: Callable[[int], int]) -> Handler:
    def answer(asked: Asked) -> Reply:
        reply = handler(asked)
        assert isinstance(reply, Reply)
        return Reply({**reply.body, "total": total(int(asked.get("offset")))})

    return answer


def test_conversations_whose_messages_are_left_out_are_named(exporting: Exporting) -> None:
    handler = exporting.vendor.handlers["conversation_batch"]
    lost = sorted(each.id for each in exporting.vendor.studio.world.projects[0].conversations)[:2]

    def batch(asked: Asked) -> Reply:
        reply = handler(asked)
        assert isinstance(reply, Reply)
        return Reply(
            {"conversations": [row for row in reply.body["conversations"] if row["conversation_id"] not in lost]}
        )

    exporting.vendor.answer_with("conversation_batch", batch)
    done = exporting.run()
    found = exporting.document()
    assert sorted(found["messages_missing"]) == lost
    assert found["total_exported"] == COUNT
    assert "messages" not in next(row for row in found["conversations"] if row["conversation_id"] == lost[0])
    assert f"left out the messages of 2: {', '.join(found['messages_missing'])}" in done.stderr


def test_an_answer_that_holds_no_conversations_ends_the_pull(exporting: Exporting) -> None:
    exporting.vendor.answer_with("conversations", Reply({"total": 3}), checked=False)
    done = exporting.run()
    assert done.returncode == 1
    assert "not what was promised: conversations" in done.stderr
